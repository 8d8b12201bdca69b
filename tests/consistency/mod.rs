//! The randomised run, shared by the test and the bench.
//!
//! The reference model is a version for each key. A writer first raises the version in the source,
//! then invalidates, and when the invalidation has returned raises the version that readers must
//! see from then on. A reader notes that bound before it calls; a value below it was loaded before
//! an invalidation that had returned before the read began: a violation.

mod functions;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use dewar::testing::TestCache;
use dewar::{BoxFuture, Cache, Runtime};

use functions::{FUNCTIONS, Function, invalidate, read};

/// How much is done, on what.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) operations: u64,
    pub(crate) threads: u64,
    pub(crate) keys: u64,
    /// Of every hundred operations.
    pub(crate) writes: u64,
    pub(crate) entries: u64,
    pub(crate) remembered: usize,
    pub(crate) seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            operations: 200_000,
            threads: 4,
            keys: 16,
            writes: 10,
            entries: 1_000,
            remembered: 1_000,
            seed: 42,
        }
    }
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) loads: u64,
    pub(crate) hits: u64,
    pub(crate) violations: u64,
    pub(crate) wrong_when_quiet: u64,
    pub(crate) time: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reads, {} writes, {} loads, {} hits in {:.1?}: {} violations, {} wrong when quiet",
            self.reads,
            self.writes,
            self.loads,
            self.hits,
            self.time,
            self.violations,
            self.wrong_when_quiet
        )
    }
}

/// The truth about one key.
#[derive(Default)]
pub(crate) struct Key {
    /// In the source.
    version: AtomicU64,
    /// What a read that begins now has to see at least.
    bound: AtomicU64,
}

/// What the bodies read.
pub(crate) struct World {
    keys: Vec<Key>,
}

impl World {
    /// How many keys there are.
    pub(crate) fn size(&self) -> u64 {
        self.keys.len() as u64
    }

    /// The body: reads, and takes a moment.
    pub(crate) fn load(&self, key: u64) -> u64 {
        let version = self.keys[key as usize].version.load(SeqCst);
        if version.is_multiple_of(3) {
            std::thread::yield_now();
        }
        version
    }
}

/// Background loads run on the thread that started them, a little later.
struct Later;

thread_local! {
    static LATER: std::cell::RefCell<Vec<BoxFuture<'static, ()>>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl Runtime for Later {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
        LATER.with_borrow_mut(|tasks| tasks.push(task));
        Ok(())
    }
}

fn catch_up() {
    for task in LATER.take() {
        futures::executor::block_on(task);
    }
}

/// A generator of numbers that need not be good.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

pub(crate) fn run(plan: Plan) -> Report {
    let builder = Cache::builder()
        .max_entries(plan.entries)
        .remembered_invalidations(plan.remembered)
        .runtime(Later);
    // Every setting is one that `build` accepts.
    let cache = TestCache::with(builder).expect("a cache");
    let keys = (0..plan.keys).map(|_| Key::default()).collect();
    let world = Arc::new(World { keys });
    let start = Instant::now();
    let mut report = std::thread::scope(|scope| {
        let work = |n| {
            let (cache, world) = (&cache, &world);
            scope.spawn(move || cache.run(|| worker(plan, n, cache, world)))
        };
        let workers: Vec<_> = (0..plan.threads).map(work).collect();
        let reports = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"));
        reports.fold(Report::default(), Report::and)
    });
    report.wrong_when_quiet = cache.run(|| wrong(&world));
    report.time = start.elapsed();
    report.loads = cache.stats().loads;
    report.hits = cache.stats().hits;
    report
}

impl Report {
    fn and(mut self, other: Report) -> Report {
        self.reads += other.reads;
        self.writes += other.writes;
        self.violations += other.violations;
        self
    }
}

fn worker(plan: Plan, n: u64, cache: &TestCache, world: &Arc<World>) -> Report {
    let mut numbers = Numbers((plan.seed + n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut report = Report::default();
    for _ in 0..plan.operations / plan.threads {
        let key = numbers.below(plan.keys);
        if numbers.below(100) < plan.writes {
            write(world, key, numbers.below(7));
            report.writes += 1;
        } else {
            // Nobody waits while others wait for what is in its hands.
            catch_up();
            let function = Function::number(numbers.below(FUNCTIONS));
            report.violations += u64::from(!right(world, key, function));
            report.reads += 1;
        }
        if numbers.below(64) == 0 {
            cache.advance(Duration::from_secs(20));
        }
    }
    catch_up();
    report
}

fn write(world: &World, key: u64, how: u64) {
    let truth = &world.keys[key as usize];
    let version = truth.version.fetch_add(1, SeqCst) + 1;
    invalidate(key, how);
    truth.bound.fetch_max(version, SeqCst);
}

fn right(world: &Arc<World>, key: u64, function: Function) -> bool {
    let bound = world.keys[key as usize].bound.load(SeqCst);
    read(world, key, function) >= bound
}

/// How many entries differ from the source, now that nobody writes.
fn wrong(world: &Arc<World>) -> u64 {
    let mut wrong = 0;
    for (key, truth) in world.keys.iter().enumerate() {
        for number in 0..FUNCTIONS {
            let value = read(world, key as u64, Function::number(number));
            wrong += u64::from(value != truth.version.load(SeqCst));
        }
    }
    catch_up();
    wrong
}
