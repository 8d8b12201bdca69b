//! One of the processes: its threads read, load, change and invalidate at random until it is quiet,
//! and check every read.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use dewar::{Cache, CacheBuilder};

use crate::counts::Counts;
use crate::keys::{self, Change, KEYS, Kind, kind};
use crate::origin::open;
use crate::servers::until;
use crate::world::{World, now};
use crate::{BOUND, PROCESSES, SLACK, THREADS};

const HOUR: Duration = Duration::from_secs(3600);
/// Keys that all set as they like: at the end all have to be of one mind.
const FREE: u64 = 4;
/// More than are told of one by one.
const MANY: u64 = 1100;

/// The oldest versions that this process may be given.
static HERE: [AtomicU64; KEYS as usize] = [const { AtomicU64::new(0) }; KEYS as usize];

/// What one thread has seen.
#[derive(Default)]
pub(crate) struct Seen {
    reads: u64,
    /// Older than what had been confirmed elsewhere, within the bound.
    late: u64,
    latest: Duration,
    confirmed: u64,
    unconfirmed: u64,
    counts: u64,
    adds: u64,
    won: u64,
}

struct Thread {
    world: World,
    cache: Cache,
    counts: Counts,
    /// The process and the thread.
    me: u64,
    random: u64,
    /// How often it has set what all set.
    sets: u64,
    seen: Seen,
}

fn shared(name: &str, store: std::sync::Arc<dyn dewar::store::Store>) -> CacheBuilder {
    Cache::builder()
        .name(name)
        .shared(store)
        .memory_copies(BOUND)
        .store_timeout(Duration::from_millis(100))
}

pub(crate) fn run(me: u64, url: &str) {
    let (world, store) = (World::inherited(), open(url));
    let cache = shared("default", store.clone()).install().unwrap();
    // By itself, so that what invalidates everything leaves the counts alone.
    let counts = shared("counts", store).build().unwrap();
    let threads = (0..THREADS).map(|n| {
        let me = me * THREADS + n;
        Thread {
            counts: Counts::new(&world, &counts, me),
            world: world.clone(),
            cache: cache.clone(),
            me,
            random: me * 7919 + 1,
            sets: 0,
            seen: Seen::default(),
        }
    });
    let threads: Vec<_> = threads
        .map(|thread| std::thread::spawn(move || thread.run()))
        .collect();
    let seen: Vec<Seen> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    settle(&world, &cache, me);
    show(&seen, &cache);
}

/// Once all is delivered, nothing is lost, and nobody is of another mind.
fn settle(world: &World, cache: &Cache, me: u64) {
    let delivered = || cache.store_status().unwrap().undelivered == 0;
    assert!(until(delivered), "not everything was delivered");
    world.say(&format!("delivered-{me}"));
    let all = || (0..PROCESSES).all(|n| world.is(&format!("delivered-{n}")));
    assert!(until(all));
    std::thread::sleep(BOUND);
    for key in 0..KEYS {
        let oldest = world.confirmed(key).last().map_or(0, |last| last.0);
        let oldest = oldest.max(HERE[key as usize].load(SeqCst));
        let (mut read, mut source) = (None, 0);
        let right = until(|| {
            (read, source) = (keys::read(cache, key, 7), world.source(key));
            match kind(key) {
                Kind::Plain => read.is_none_or(|read| (oldest..=source).contains(&read)),
                _ => read == Some(source),
            }
        });
        assert!(
            right,
            "key {key} is {read:?}, was {source} in the source and {oldest} confirmed"
        );
    }
    let free = |n: u64| cache.blocking().get::<u64>(&format!("free:{n}"));
    let mind: String = (0..FREE).map(|n| format!("{:?}\n", free(n))).collect();
    world.put(&format!("mind-{me}"), &mind);
}

/// No two processes are given two values, when nobody has changed anything for a while.
pub(crate) fn judge(world: &World) {
    let minds = (0..PROCESSES).map(|n| world.get(&format!("mind-{n}")).unwrap());
    let minds: Vec<Vec<String>> = minds
        .map(|mind| mind.lines().map(str::to_owned).collect())
        .collect();
    for n in 0..FREE as usize {
        let mut values: Vec<&String> = minds.iter().map(|mind| &mind[n]).collect();
        values.retain(|value| *value != "None");
        values.dedup();
        assert!(values.len() <= 1, "free:{n} is {values:?}");
    }
}

fn show(seen: &[Seen], cache: &Cache) {
    let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum::<u64>();
    let latest = seen.iter().map(|seen| seen.latest.as_millis()).max();
    let stats = cache.stats();
    println!(
        "figures: reads={} late={} latest_ms={} confirmed={} unconfirmed={} counts={} adds={} \
         won={} loads={} fetched={} messages={} store_errors={}",
        sum(|seen| seen.reads),
        sum(|seen| seen.late),
        latest.unwrap_or(0),
        sum(|seen| seen.confirmed),
        sum(|seen| seen.unconfirmed),
        sum(|seen| seen.counts),
        sum(|seen| seen.adds),
        sum(|seen| seen.won),
        stats.loads,
        stats.fetched,
        stats.messages,
        stats.store_errors
    );
}

/// Ends it all where something is wrong.
struct End(World);

impl Drop for End {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.say("quiet");
        }
    }
}

impl Thread {
    fn run(mut self) -> Seen {
        let _end = End(self.world.clone());
        let (mut last, pause) = (Instant::now(), Duration::from_secs(2));
        while !self.world.is("quiet") {
            let random = self.random();
            let key = random % KEYS;
            match (random >> 20) % 200 {
                // Few, so that a key is left alone for longer than it may be late.
                0..2 => self.change(key, random >> 10),
                2..4 => keys::disturb(&self.cache, key),
                4 => self.set_free(random >> 10),
                5..10 => self.counts.count(random),
                10..14 => {
                    let late = self.counts.check(random);
                    self.late(late);
                }
                14..17 => self.counts.add(),
                _ => self.check(key, random >> 10),
            }
            if self.me.is_multiple_of(THREADS) && last.elapsed() > pause {
                self.set_many_free();
                last = Instant::now();
            }
        }
        self.counts.report();
        self.seen.counts = self.counts.counted.len() as u64;
        self.seen.adds = self.counts.added.len() as u64;
        self.seen.won = self.counts.added.iter().filter(|it| it.2).count() as u64;
        self.seen
    }

    fn random(&mut self) -> u64 {
        let next = self.random.wrapping_mul(6364136223846793005);
        self.random = next.wrapping_add(1);
        self.random >> 24
    }

    /// Changes a key, unless somebody else does.
    fn change(&mut self, key: u64, random: u64) {
        let Some(_lock) = self.world.try_lock(key) else {
            return;
        };
        let version = self.world.source(key) + 1;
        self.world.renew(key, version);
        match keys::change(&self.cache, key, version, random) {
            Change::Confirmed => {
                self.world.confirm(key, version);
                self.seen.confirmed += 1;
            }
            Change::Unconfirmed => self.seen.unconfirmed += 1,
        }
        HERE[key as usize].fetch_max(version, SeqCst);
        let read = keys::read(&self.cache, key, random);
        assert!(
            read.is_none_or(|read| read == version),
            "key {key} is {read:?} where it was made {version} by way {random}"
        );
    }

    /// Reads a key, and looks whether that is what it may be.
    fn check(&mut self, key: u64, random: u64) {
        let here = HERE[key as usize].load(SeqCst);
        let confirmed = self.world.confirmed(key);
        let begun = now();
        self.seen.reads += 1;
        let Some(read) = keys::read(&self.cache, key, random) else {
            return;
        };
        assert!(
            read >= here,
            "key {key} is {read} where it was made {here} before"
        );
        let newer = confirmed.iter().find(|(version, _)| read < *version);
        if let Some((version, at)) = newer {
            let late = begun.saturating_sub(*at);
            assert!(
                late <= BOUND + SLACK,
                "key {key}: {read} was served {late:?} after {version} had been confirmed"
            );
            self.late(Some(late));
        }
    }

    fn late(&mut self, late: Option<Duration>) {
        self.seen.late += u64::from(late.is_some());
        self.seen.latest = self.seen.latest.max(late.unwrap_or_default());
    }

    /// What nobody else sets.
    fn unique(&mut self) -> u64 {
        self.sets += 1;
        self.sets * 1000 + self.me
    }

    fn set_free(&mut self, random: u64) {
        let (name, new) = (format!("free:{}", random % FREE), self.unique());
        let hand = self.cache.blocking();
        // Whether it is confirmed is nothing to them.
        match random >> 8 & 3 {
            0 => drop(hand.delete(&name)),
            1 => drop(hand.add(&name, new, HOUR)),
            _ => drop(hand.set(&name, new, HOUR)),
        }
    }

    fn set_many_free(&mut self) {
        let new = self.unique();
        let free = (0..FREE).map(|n| (format!("free:{n}"), new));
        let many = (0..MANY).map(|n| (format!("many:{n}"), new));
        let all: Vec<_> = many.chain(free).collect();
        drop(self.cache.blocking().set_many(all, HOUR));
    }
}
