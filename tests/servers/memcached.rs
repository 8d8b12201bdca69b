//! Memcached servers.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::{Server, free_port};

pub(crate) struct Memcached(pub(crate) Server);

impl Memcached {
    pub(crate) fn start() -> Memcached {
        Memcached::with(&[])
    }

    pub(crate) fn with(more: &[&str]) -> Memcached {
        let server = Server::start("memcached", free_port(), |port, _| {
            let words = ["-l", "127.0.0.1", "-U", "0", "-u", "nobody", "-p"];
            let mut words: Vec<String> = words.iter().map(ToString::to_string).collect();
            words.push(port.to_string());
            words.extend(more.iter().map(ToString::to_string));
            words
        });
        Memcached(server)
    }

    /// Has nothing any more.
    pub(crate) fn forget(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0.port)).unwrap();
        stream.write_all(b"flush_all\r\n").unwrap();
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(reply, *b"OK\r\n");
    }
}
