//! Hearing what other processes have invalidated.
//!
//! # What a copy in memory is worth
//! While the channel is up, memory is told of every invalidation, and its copies live as long as
//! what they are copies of. While it is not, they live for a short stated time. So an invalidation
//! is seen elsewhere at once, or by then at the latest:
//!
//! - The channel counts as up once a message of one's own has come back. Whoever has heard nothing
//!   for half the time says something, which all hear; who has heard nothing for the whole of it
//!   takes the channel to be lost.
//! - When it is lost, what memory holds is dropped when that time is over; and when it is back, at
//!   once, since something may have been missed. Either is one step, whatever memory holds.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Poll, Waker};

use super::message::{self, Said};
use super::names::{self, ANY_TAG, EVERYTHING};
use super::tier::Tier;
use super::waits::Waits;
use crate::clock::Nanos;
use crate::engine::Engine;
use crate::error::Error;
use crate::scope::ticks::Order;
use crate::scope::{
    of_any_tag, of_function, of_layer, of_level, of_path, of_shared_key, of_tag, of_url,
};
use crate::sync::lock;
use crate::watch::EventKind;

/// What hooks are told of an invalidation by another process: its message has no names.
const ELSEWHERE: &str = "elsewhere";

/// How long until listening is tried again, first and at most.
const PAUSE: Nanos = 50_000_000;
const LONGEST: Nanos = 2_000_000_000;
/// How often the channel is looked after, at least.
const LOOK: Nanos = 1_000_000_000;

/// What is known of the channel.
pub(super) struct Channel {
    /// Nobody else's number.
    me: u64,
    /// Messages arrive.
    up: AtomicBool,
    /// Listening has begun.
    listening: AtomicBool,
    /// When something was heard last.
    heard: AtomicU64,
    /// It has been listened to before.
    known: AtomicBool,
    /// Something may have been missed since memory was dropped last.
    missed: AtomicBool,
    name: OnceLock<String>,
    /// Wakes who looks after the channel.
    poke: Mutex<Option<Waker>>,
    poked: AtomicBool,
    /// Who waits for loads of other processes.
    pub(super) waits: Arc<Waits>,
}

impl Channel {
    pub(super) fn new(now: Nanos) -> Self {
        Channel {
            me: names::unique(),
            up: AtomicBool::new(false),
            listening: AtomicBool::new(false),
            heard: AtomicU64::new(now),
            known: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            name: OnceLock::new(),
            poke: Mutex::default(),
            poked: AtomicBool::new(false),
            waits: Arc::default(),
        }
    }

    pub(super) fn me(&self) -> u64 {
        self.me
    }

    fn poke(&self) {
        self.poked.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&self.poke).take() {
            waker.wake();
        }
    }

    async fn poked(&self) {
        std::future::poll_fn(|cx| {
            *lock(&self.poke) = Some(cx.waker().clone());
            match self.poked.swap(false, Ordering::SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    pub(super) fn heard(&self) -> Nanos {
        self.heard.load(Ordering::SeqCst)
    }
}

/// Listens from now on, where the store can push, for as long as the cache lives.
pub(crate) fn listen(engine: &Arc<Engine>) {
    let Some(tier) = engine.tier.clone() else {
        return;
    };
    let known = Arc::downgrade(engine);
    tier.follow_failures(move |scopes| {
        if let Some(engine) = known.upgrade() {
            engine.ticks.invalidate(&order(&engine, scopes, false));
        }
    });
    if tier.store().push().is_none() || tier.copies == 0 {
        return;
    }
    let engine = Arc::downgrade(engine);
    let listener = Listener { tier, engine };
    // Without a thread the channel stays down, and copies live shortly.
    drop(crate::rt::thread("dewar-channel", move || {
        crate::rt::block_on(listener.run());
    }));
}

impl Tier {
    /// The channel of this namespace.
    pub(super) fn channel_name(&self) -> &str {
        let name = || format!("{}:invalidations", self.namespace);
        self.channel.name.get_or_init(name)
    }
}

/// The end of the channel at this process.
struct Listener {
    tier: Arc<Tier>,
    engine: Weak<Engine>,
}

impl Listener {
    async fn run(self) {
        let clock = self.tier.guard.clock().clone();
        let mut pause = 0;
        while self.engine.strong_count() > 0 {
            let before = self.tier.channel.heard();
            let listening = async {
                clock.sleep(pause).await;
                match self.tier.store().push() {
                    Some(push) => {
                        let hear = |message: Option<&[u8]>| self.hear(message);
                        push.listen(self.tier.channel_name(), &hear).await
                    }
                    None => Error::store("listen", "it cannot push"),
                }
            };
            // A store that panics is one that cannot be heard, not one that is trusted for ever.
            let heard = crate::rt::caught(first(listening, self.look_after())).await;
            let why = heard.unwrap_or_else(|_| Error::store_panicked("listen"));
            self.lose(&why);
            pause = match self.tier.channel.heard() > before {
                true => PAUSE,
                false => (pause * 2).clamp(PAUSE, LONGEST),
            };
        }
    }

    fn hear(&self, message: Option<&[u8]>) {
        let channel = &self.tier.channel;
        let Some(bytes) = message else {
            // What was said before now has not been heard.
            channel.missed.store(true, Ordering::SeqCst);
            // First that what the store has is to be compared, unless it is the first that is heard
            // of it: nothing of that comes into memory between the two.
            if channel.known.swap(true, Ordering::SeqCst) {
                self.tier.doubt();
            }
            self.drop_memory();
            channel.listening.store(true, Ordering::SeqCst);
            channel.poke();
            return;
        };
        channel
            .heard
            .store(self.tier.guard.clock().now(), Ordering::SeqCst);
        let counters = self.tier.guard.counters();
        let Some(message) = message::read(bytes) else {
            counters.undecodable_messages.one();
            return;
        };
        match message.said {
            Said::Hello if message.from == channel.me => {
                if !channel.up.swap(true, Ordering::SeqCst) {
                    crate::trace::channel_up(counters.cache(), &self.tier.guard.store().describe());
                }
            }
            Said::Hello => {}
            Said::Loaded(lease) => channel.waits.wake(&lease),
            Said::Invalid { .. } if message.from == channel.me => {}
            Said::Invalid { scopes, soft } => {
                if let Some(engine) = self.engine.upgrade() {
                    let order = order(&engine, &scopes, soft);
                    engine.ticks.invalidate(&order);
                }
                lock(&self.tier.journal).heard(&scopes);
                counters.messages.one();
                counters.tell(None, || EventKind::Invalidated(vec![ELSEWHERE.to_owned()]));
            }
        }
    }

    fn lose(&self, why: &Error) {
        let channel = &self.tier.channel;
        channel.listening.store(false, Ordering::SeqCst);
        if channel.is_up() {
            // Another server may have taken over, whether anything else notices it or not.
            self.tier.doubt();
        }
        if channel.up.swap(false, Ordering::SeqCst) {
            channel.missed.store(true, Ordering::SeqCst);
            crate::trace::channel_lost(
                self.tier.guard.counters().cache(),
                &self.tier.guard.store().describe(),
                why,
            );
        }
    }

    /// Drops what memory holds, if anything may have been missed.
    fn drop_memory(&self) {
        if self.tier.channel.missed.swap(false, Ordering::SeqCst)
            && let Some(engine) = self.engine.upgrade()
        {
            let all = Order {
                all: true,
                ..Order::default()
            };
            engine.ticks.invalidate(&all);
        }
    }

    /// Keeps the channel alive; returns when it is silent for too long, or nobody needs it.
    async fn look_after(&self) -> Error {
        let (tier, channel) = (&self.tier, &self.tier.channel);
        let clock = tier.guard.clock().clone();
        let interval = (tier.copies / 4).clamp(1_000_000, LOOK);
        loop {
            let silence = clock.now().saturating_sub(channel.heard());
            let left = tier.copies.saturating_sub(silence);
            // Before anything is waited for: where listening fails again and again, this is begun
            // again each time.
            if left == 0 && !channel.is_up() {
                self.drop_memory();
            }
            // To the moment, when the time of copies is over.
            let pause = match left {
                0 if !channel.is_up() => interval,
                left => interval.min(left),
            };
            first(clock.sleep(pause), channel.poked()).await;
            if self.engine.strong_count() == 0 {
                return Error::store("listen", "the cache is gone");
            }
            let silence = clock.now().saturating_sub(channel.heard());
            let (up, listening) = (channel.is_up(), channel.listening.load(Ordering::SeqCst));
            if up && silence >= tier.copies {
                let why = Error::store("push", "nothing was heard for too long");
                self.lose(&why);
                self.drop_memory();
                return why;
            }
            if listening && (!up || silence >= tier.copies / 2) {
                // No longer than the channel is trusted.
                let left = tier.copies.saturating_sub(silence).max(interval);
                first(self.say_hello(), clock.sleep(left)).await;
            }
        }
    }

    async fn say_hello(&self) {
        let Some(push) = self.tier.store().push() else {
            return;
        };
        let message = message::hello(self.tier.channel.me);
        let said = push.publish(self.tier.channel_name(), &message);
        let _ = self.tier.guard.try_run(&self.tier.budget(), said).await;
    }
}

/// What scopes of a shared store are in this process.
fn order(engine: &Engine, scopes: &[String], soft: bool) -> Order {
    let mut order = Order {
        soft,
        ..Order::default()
    };
    for scope in scopes {
        match scope.split_once(' ') {
            Some(("level", level)) => order.scopes.push(of_level(level)),
            Some(("tag", tag)) => order.scopes.push(of_tag(tag)),
            Some(("key", hash)) => order.scopes.push(of_shared_key(hash)),
            Some(("url", url)) => order.scopes.push(of_url(url)),
            Some(("path", path)) => order.scopes.push(of_path(path)),
            Some(("layer", name)) => order.scopes.push(of_layer(name)),
            Some(("function", name)) => {
                let functions = lock(&engine.functions);
                let of_name = functions.iter().filter(|(_, known)| known.name == name);
                order.scopes.extend(of_name.map(|(id, _)| of_function(*id)));
            }
            _ if scope == ANY_TAG => order.scopes.push(of_any_tag()),
            _ if scope == EVERYTHING => order.all = true,
            // Of a later version: whatever it is, it is among everything.
            _ => order.all = true,
        }
    }
    order
}

/// The output of whichever ends first.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    std::future::poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(output),
        Poll::Pending => other.as_mut().poll(cx),
    })
    .await
}
