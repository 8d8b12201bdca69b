//! A PostgreSQL server with a cluster of its own. It refuses to run as root: then it runs as
//! `nobody`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{Server, free_port};

pub(crate) struct Postgres(pub(crate) Server);

impl Postgres {
    pub(crate) fn start() -> Postgres {
        let server = Server::start(program()[0], free_port(), |port, directory| {
            let data = directory.join("data");
            let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
            if is_root() {
                run("chown", &["nobody", &text(directory)]);
            }
            let initdb = text(&bin().join("initdb"));
            let data = text(&data);
            let mut create = program()[1..].to_vec();
            create.extend([
                initdb.as_str(),
                "-D",
                &data,
                "-U",
                "shop",
                "-A",
                "trust",
                "--no-sync",
            ]);
            match is_root() {
                true => run(program()[0], &create),
                false => run(&initdb, &create[1..]),
            }
            let postgres = text(&bin().join("postgres"));
            let port = port.to_string();
            let socket = text(directory);
            let mut arguments: Vec<String> = words(&program()[1..]);
            arguments.push(postgres);
            arguments.extend::<Vec<String>>(words(&[
                "-D",
                &data,
                "-p",
                &port,
                "-k",
                &socket,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=400",
                "-c",
                "fsync=off",
            ]));
            arguments
        });
        let server = Postgres(server);
        // It accepts connections a moment before it lets anybody in.
        let answers = || server.psql("SELECT 1").status.success();
        assert!(super::until(answers), "the server lets nobody in");
        server
    }

    /// Ends as if it had crashed: unlogged tables are empty afterwards.
    pub(crate) fn crash(&mut self) {
        if let Some(id) = self.0.id() {
            run("kill", &["-QUIT", &id.to_string()]);
            let gone = || std::net::TcpStream::connect(("127.0.0.1", self.0.port)).is_err();
            assert!(super::until(gone));
        }
        self.0.finish();
    }

    /// Sends a signal to the server and to all processes of its own.
    pub(crate) fn signal(&self, name: &str) {
        let Some(id) = self.0.id() else { return };
        let id = id.to_string();
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &id])
            .output();
        let children = String::from_utf8(children.unwrap().stdout).unwrap();
        for id in children.split_whitespace().chain([id.as_str()]) {
            // One may have ended meanwhile.
            drop(
                Command::new("kill")
                    .args([&format!("-{name}"), id])
                    .output(),
            );
        }
    }

    pub(crate) fn query(&self, text: &str) {
        let output = self.psql(text);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}: {errors}");
    }

    fn psql(&self, text: &str) -> Output {
        let mut psql = Command::new(bin().join("psql"));
        let psql = psql.args(["-q", "-c", text, &self.url()]);
        psql.output().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("shop", "postgres")
    }

    /// That of a user and a database.
    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        let port = self.0.port;
        format!("postgres://{user}:secret@127.0.0.1:{port}/{database}")
    }
}

/// What everything is run by.
fn program() -> &'static [&'static str] {
    match is_root() {
        true => &[
            "setpriv",
            "--reuid=nobody",
            "--regid=nogroup",
            "--clear-groups",
        ],
        false => &["env"],
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

fn bin() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions.flatten().map(|version| version.path()).max();
    newest
        .expect("PostgreSQL is not installed: `./test.sh` says what tests need")
        .join("bin")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
}
