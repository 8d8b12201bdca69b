//! Between a client and a server: counts how often the client speaks after it has been answered.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// A port behind which another one is, for as long as the test runs.
pub(crate) struct Turns {
    pub(crate) port: u16,
    taken: Arc<AtomicUsize>,
}

/// What is sent in one go has no longer breaks.
const BREAK: Duration = Duration::from_millis(10);

impl Turns {
    pub(crate) fn before(server: u16) -> Turns {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
                    continue;
                };
                pass(client, server, Arc::clone(&count));
            }
        });
        Turns { port, taken }
    }

    /// The fewest round trips that it takes, of several tries: what a busy machine adds by breaks
    /// in between is not the client's.
    pub(crate) fn fewest(&self, mut of: impl FnMut()) -> usize {
        let tries = (0..5).map(|_| {
            let before = self.taken.load(SeqCst);
            of();
            self.taken.load(SeqCst) - before
        });
        tries.min().unwrap()
    }
}

fn pass(client: TcpStream, server: TcpStream, taken: Arc<AtomicUsize>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let answered = Arc::new(AtomicBool::new(true));
    let ends =
        |from: &TcpStream, to: &TcpStream| Some((from.try_clone().ok()?, to.try_clone().ok()?));
    let (Some(there), Some(back)) = (ends(&client, &server), ends(&server, &client)) else {
        return;
    };
    let said = Arc::clone(&answered);
    std::thread::spawn(move || {
        forward(there, Some(BREAK), || {
            if said.swap(false, SeqCst) {
                taken.fetch_add(1, SeqCst);
            }
        });
    });
    std::thread::spawn(move || forward(back, None, || answered.store(true, SeqCst)));
}

/// Passes on what comes, all that comes without a break at once.
fn forward((mut from, mut to): (TcpStream, TcpStream), pause: Option<Duration>, tell: impl Fn()) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let _ = from.set_read_timeout(None);
        let Ok(mut length @ 1..) = from.read(&mut buffer) else {
            break;
        };
        let _ = from.set_read_timeout(pause);
        while pause.is_some()
            && length < buffer.len()
            && let Ok(more @ 1..) = from.read(&mut buffer[length..])
        {
            length += more;
        }
        tell();
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
