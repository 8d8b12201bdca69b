//! A server in a process of its own, and a client that asks it again and again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A server that runs; it ends with this.
pub(super) struct Server {
    child: Child,
    stream: BufReader<TcpStream>,
}

impl Server {
    pub(super) fn start(way: &str) -> Self {
        let here = std::env::current_exe().expect("a path of this program");
        let mut child = Command::new(here.with_file_name("view_server"))
            .arg(way)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut port = String::new();
        let out = child.stdout.take().expect("what it prints");
        BufReader::new(out).read_line(&mut port).expect("a port");
        let port: u16 = port.trim().parse().expect("a port");
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Server {
            child,
            stream: BufReader::with_capacity(1 << 17, stream),
        }
    }

    /// Nanoseconds of processor time that the server needs for one of these requests.
    pub(super) fn cost(&mut self, path: &str, requests: u64) -> f64 {
        self.ask(path, requests / 10);
        let before = self.spent();
        self.ask(path, requests);
        (self.spent() - before) as f64 / requests as f64
    }

    /// Asks so many times, one after the other.
    pub(super) fn ask(&mut self, path: &str, times: u64) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        for _ in 0..times {
            let stream = self.stream.get_mut();
            stream.write_all(request.as_bytes()).expect("a request");
            self.answer();
        }
    }

    fn answer(&mut self) {
        let mut length = 0;
        let mut line = String::new();
        let mut ok = false;
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            ok |= line.starts_with("HTTP/1.1 200");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        assert!(ok && length >= 1024, "not the page");
        let mut left = (&mut self.stream).take(length);
        std::io::copy(&mut left, &mut std::io::sink()).expect("a body");
    }

    /// What its threads have spent, in nanoseconds (`proc(5)`, `schedstat`).
    fn spent(&self) -> u64 {
        let tasks = format!("/proc/{}/task", self.child.id());
        let tasks = std::fs::read_dir(tasks).expect("its threads");
        let spent = |path: std::path::PathBuf| {
            let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        };
        tasks.flatten().filter_map(|it| spent(it.path())).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
