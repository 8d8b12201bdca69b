//! A proxy between a client and a real server, which does to the bytes what networks do to them.

use std::io::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::{free_port, until};

/// What is wrong with the network. Offsets are those of the bytes that a connection is answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Nobody listens, and what was connected is cut off.
    Refused,
    /// Connections are accepted, and reset when something is sent on them.
    Reset,
    /// Connections stay open, and nothing passes.
    BlackHole,
    /// The server hears everything, and its answers are not heard.
    HalfOpen,
    /// A byte at a time, with a pause after each.
    Drip(Duration),
    /// Answers come that much later.
    Late(Duration),
    /// Answers are as long as they should be, and mean nothing.
    Garbage,
    /// Each two neighbouring bytes change places.
    Reordered,
    /// The connection ends before this byte.
    Cut(usize),
    /// It falls silent before this byte.
    Silent(usize),
    /// This byte is missing.
    Lost(usize),
    /// This byte is another.
    Changed(usize),
    /// This byte and the next change places.
    Swapped(usize),
}

/// A fault, and what a client has to have said for its connection to be concerned.
#[derive(Clone, Copy)]
struct Plan {
    fault: Fault,
    only: &'static str,
    /// Connections with a lower number are silent for ever.
    orphans: usize,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: watch::Sender<Plan>,
    seen: Arc<Seen>,
    _runtime: Runtime,
}

/// What has come by.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    answered: AtomicUsize,
}

impl Proxy {
    /// To a server on a port of this machine.
    pub(crate) fn to(server: u16) -> Proxy {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (plan, plans) = watch::channel(Plan {
            fault: Fault::None,
            only: "",
            orphans: 0,
        });
        let (port, seen) = (free_port(), Arc::new(Seen::default()));
        runtime.spawn(serve(port, server, plans, Arc::clone(&seen)));
        let proxy = Proxy {
            port,
            plan,
            seen,
            _runtime: runtime,
        };
        proxy.wait();
        proxy
    }

    /// From now on this is wrong, also with connections that are there.
    pub(crate) fn set(&self, fault: Fault) {
        self.set_on("", fault);
    }

    /// The same, only with connections on which the client has said this word.
    pub(crate) fn set_on(&self, only: &'static str, fault: Fault) {
        self.plan.send_modify(|plan| {
            *plan = Plan {
                fault,
                only,
                ..*plan
            }
        });
        self.wait();
    }

    /// All connections are silent for ever, and new ones are as good as any: what was between had
    /// to start again, and remembers nothing.
    pub(crate) fn orphan(&self) {
        let orphans = self.connections();
        self.plan.send_modify(|plan| plan.orphans = orphans);
    }

    /// Waits until connections are accepted, or not, as they should be.
    fn wait(&self) {
        let refused = self.plan.borrow().fault == Fault::Refused;
        let accepts = || std::net::TcpListener::bind(("127.0.0.1", self.port)).is_err();
        assert!(until(|| accepts() != refused));
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(SeqCst)
    }

    /// How many bytes the server has answered.
    pub(crate) fn answered(&self) -> usize {
        self.seen.answered.load(SeqCst)
    }
}

async fn serve(port: u16, server: u16, mut plans: watch::Receiver<Plan>, seen: Arc<Seen>) {
    loop {
        while plans.borrow_and_update().fault == Fault::Refused {
            if plans.changed().await.is_err() {
                return;
            }
        }
        let Ok(listener) = listen(port) else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        while plans.borrow_and_update().fault != Fault::Refused {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((client, _)) = accepted else { continue };
                    let number = seen.connections.fetch_add(1, SeqCst);
                    let end = connect(number, client, server, plans.clone(), Arc::clone(&seen));
                    tokio::spawn(async move { drop(end.await) });
                }
                changed = plans.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn listen(port: u16) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(1024)
}

/// A connection's life.
async fn connect(
    number: usize,
    client: TcpStream,
    server: u16,
    plans: watch::Receiver<Plan>,
    seen: Arc<Seen>,
) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", server)).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let side = |from, to, said: &Arc<_>| Way {
        from,
        to,
        plans: plans.clone(),
        number,
        said: Arc::clone(said),
        buffer: vec![0; 65536],
    };
    let said = Arc::default();
    let up = side(from_client, to_server, &said);
    let down = side(from_server, to_client, &said);
    tokio::select! {
        ended = up.ask() => ended,
        ended = down.answer(&seen) => ended,
    }
}

/// One direction of a connection.
struct Way {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    plans: watch::Receiver<Plan>,
    buffer: Vec<u8>,
    number: usize,
    /// What the client has said lately.
    said: Arc<Mutex<Vec<u8>>>,
}

impl Way {
    /// The next bytes; an error once the connection has to end.
    async fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            if self.plans.borrow_and_update().fault == Fault::Refused {
                return self.reset();
            }
            tokio::select! {
                read = self.from.read(&mut self.buffer) => return match read? {
                    0 => Err(Error::other("closed")),
                    n => Ok(self.buffer[..n].to_vec()),
                },
                changed = self.plans.changed() => changed.map_err(Error::other)?,
            }
        }
    }

    /// What is wrong with this connection now.
    fn fault(&mut self) -> Fault {
        let plan = *self.plans.borrow_and_update();
        let (only, said) = (plan.only.as_bytes(), self.said.lock().unwrap());
        if self.number < plan.orphans {
            return Fault::BlackHole;
        }
        let concerned = only.is_empty() || said.windows(only.len()).any(|part| part == only);
        if concerned { plan.fault } else { Fault::None }
    }

    /// Ends the connection at once, without the good-bye.
    fn reset<T>(&self) -> Result<T> {
        self.from.as_ref().set_zero_linger()?;
        Err(Error::other("reset"))
    }

    async fn changed(&mut self) -> Result<()> {
        self.plans.changed().await.map_err(Error::other)
    }

    fn note(&self, bytes: &[u8]) {
        let mut said = self.said.lock().unwrap();
        said.extend_from_slice(bytes);
        let long = said.len();
        said.drain(..long.saturating_sub(4096));
    }

    /// From the client to the server.
    async fn ask(mut self) -> Result<()> {
        loop {
            let bytes = self.next().await?;
            self.note(&bytes);
            while self.fault() == Fault::BlackHole {
                self.changed().await?;
            }
            match self.fault() {
                Fault::Reset => return self.reset(),
                _ => self.to.write_all(&bytes).await?,
            }
        }
    }

    /// From the server to the client.
    async fn answer(mut self, seen: &Seen) -> Result<()> {
        let mut at = 0;
        loop {
            let bytes = self.next().await?;
            seen.answered.fetch_add(bytes.len(), SeqCst);
            let begin = at;
            at += bytes.len();
            loop {
                match self.fault() {
                    Fault::BlackHole | Fault::HalfOpen => self.changed().await?,
                    Fault::Silent(offset) if offset <= begin => self.changed().await?,
                    fault => break self.pass(bytes, begin, fault).await?,
                }
            }
        }
    }

    /// Passes an answer on that begins at this offset of all of them.
    async fn pass(&mut self, mut bytes: Vec<u8>, begin: usize, fault: Fault) -> Result<()> {
        let within = |offset: usize| offset.checked_sub(begin).filter(|at| *at < bytes.len());
        match fault {
            Fault::Drip(pause) => {
                for byte in bytes.drain(..) {
                    self.to.write_all(&[byte]).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Fault::Late(by) => tokio::time::sleep(by).await,
            Fault::Garbage => bytes.iter_mut().for_each(|byte| *byte = !*byte),
            Fault::Reordered => bytes.chunks_exact_mut(2).for_each(|two| two.swap(0, 1)),
            Fault::Cut(offset) | Fault::Silent(offset) if offset <= begin + bytes.len() => {
                bytes.truncate(offset.saturating_sub(begin));
                self.to.write_all(&bytes).await?;
                if fault == Fault::Cut(offset) {
                    return self.end().await;
                }
                bytes.clear();
            }
            Fault::Lost(offset) => drop(within(offset).map(|at| bytes.remove(at))),
            Fault::Changed(offset) => {
                if let Some(at) = within(offset) {
                    bytes[at] ^= 0x55;
                }
            }
            Fault::Swapped(offset) => {
                if let Some(at) = within(offset).filter(|at| at + 1 < bytes.len()) {
                    bytes.swap(at, at + 1);
                }
            }
            _ => {}
        }
        self.to.write_all(&bytes).await
    }

    /// Ends the connection behind what was sent.
    async fn end(&mut self) -> Result<()> {
        self.to.shutdown().await?;
        Err(Error::other("cut"))
    }
}
