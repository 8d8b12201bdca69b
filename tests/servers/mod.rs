//! Real servers for tests: each on a free port of the loopback, with a directory of its own, and
//! gone when the test is.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test is a crate of its own and uses a part of this"
)]

pub(crate) mod memcached;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod turns;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// A server that runs, or is stopped.
pub(crate) struct Server {
    command: Vec<String>,
    child: Option<Child>,
    pub(crate) port: u16,
    pub(crate) directory: Directory,
}

impl Server {
    /// Starts a program; `arguments` are made of the port and the directory.
    pub(crate) fn start(
        program: &str,
        port: u16,
        arguments: impl FnOnce(u16, &Path) -> Vec<String>,
    ) -> Server {
        let directory = Directory::new();
        let mut command = vec![program.to_owned()];
        command.extend(arguments(port, directory.path()));
        let mut server = Server {
            command,
            child: None,
            port,
            directory,
        };
        server.run();
        server
    }

    /// Starts it again, with the same arguments.
    pub(crate) fn run(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        let child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!(
                "{} cannot be started ({error}): `./test.sh` says what tests need",
                self.command[0]
            )
        });
        self.child = Some(child);
        self.wait();
    }

    /// Waits until it accepts connections.
    fn wait(&self) {
        let log = || std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        let answers = || TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        assert!(until(answers), "the server does not start: {}", log());
    }

    /// Kills it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) fn finish(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    /// Has it stand still: connections stay open and nothing is answered.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Has it go on.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        if let Some(child) = &self.child {
            let sent = Command::new("kill")
                .args([format!("-{name}"), child.id().to_string()])
                .status();
            assert!(sent.is_ok_and(|status| status.success()));
        }
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A directory that is gone with its owner.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("dewar-{}-{}", std::process::id(), NEXT.fetch_add(1, SeqCst));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    // Low enough that a cluster's second port, 10,000 further, is one too.
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 50_000 && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// Waits until something holds; false if it does not for half a minute.
pub(crate) fn until(mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30) {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
