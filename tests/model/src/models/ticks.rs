//! `scope/ticks.rs`, the invalidation clock, and the way the engine asks it.
//!
//! What is cached here is the number in a [`World`]'s source. A writer changes the source and then
//! invalidates, as users do; the source is read and written `Relaxed`, so that nothing but the
//! clock orders anything.

use crate::glob::Glob;
use crate::run::{Seen, explore_twice, spawn};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};
use crate::ticks::{Order, Ticks, Verdict};

const A: u64 = 1;
const B: u64 = 2;
const C: u64 = 3;
/// A scope that nothing belongs to.
const OTHER: u64 = 4;

/// A table that never turns.
const ROOM: usize = 100;

struct World {
    ticks: Ticks,
    sources: [AtomicU64; 2],
}

impl World {
    fn new(capacity: usize) -> Arc<World> {
        Arc::new(World {
            ticks: Ticks::new(capacity),
            sources: [AtomicU64::new(0), AtomicU64::new(0)],
        })
    }

    fn source(&self, scope: u64) -> &AtomicU64 {
        &self.sources[usize::try_from(scope - A).expect("a scope that has a source")]
    }

    /// A load, from its beginning to an entry that nobody else can see yet.
    fn load(&self, scopes: &[u64]) -> Arc<Entry> {
        let began = self.ticks.now();
        let read = |scope: &u64| (*scope, self.source(*scope).load(Ordering::Relaxed));
        Arc::new(Entry {
            began,
            values: scopes.iter().map(read).collect(),
            scopes: scopes.to_vec(),
            prefix: "a:b",
            checked: AtomicU64::new(began),
            expired: AtomicU64::new(0),
        })
    }

    /// A change of the source and the invalidation after it; when it returns both have happened.
    fn change(&self, scope: u64) -> u64 {
        self.source(scope).store(1, Ordering::Relaxed);
        self.ticks.invalidate(&hard(&[scope]))
    }

    /// Whether an entry may be served: `Engine::verdict` and `Engine::recheck`, step by step.
    fn verdict(&self, entry: &Entry) -> Verdict {
        let now = self.ticks.now();
        if entry.checked.load(Ordering::Acquire) >= now {
            return Verdict::Valid;
        }
        let since = entry.checked.load(Ordering::Acquire);
        let verdict = self
            .ticks
            .check(entry.scopes.iter().copied(), entry.prefix, since);
        match verdict {
            Verdict::Invalid => return verdict,
            Verdict::Expired => entry.expired.store(1, Ordering::Relaxed),
            Verdict::Valid => {}
        }
        entry.checked.fetch_max(now, Ordering::AcqRel);
        verdict
    }

    /// What a read of the entry would find, as text.
    fn look(&self, entry: &Entry) -> &'static str {
        match self.verdict(entry) {
            Verdict::Invalid => "invalid",
            Verdict::Expired => "expired",
            Verdict::Valid if entry.expired.load(Ordering::Relaxed) == 1 => "expired",
            Verdict::Valid => "valid",
        }
    }
}

struct Entry {
    scopes: Vec<u64>,
    prefix: &'static str,
    /// What the sources of its scopes held.
    values: Vec<(u64, u64)>,
    began: u64,
    checked: AtomicU64,
    /// Stands for the time of expiry, which a soft invalidation moves.
    expired: AtomicU64,
}

impl Entry {
    fn value(&self, scope: u64) -> u64 {
        let of = self.values.iter().find(|(of, _)| *of == scope);
        of.expect("a scope of this entry").1
    }
}

fn hard(scopes: &[u64]) -> Order {
    Order {
        scopes: scopes.to_vec(),
        ..Order::default()
    }
}

fn soft(scopes: &[u64]) -> Order {
    Order {
        soft: true,
        ..hard(scopes)
    }
}

fn all() -> Order {
    Order {
        all: true,
        ..Order::default()
    }
}

/// Where entries go when their loads end.
type Place = Mutex<Option<Arc<Entry>>>;

/// A load and an invalidation by `order`; the one who invalidated looks at what is there.
fn load_against(
    preemptions: Option<usize>,
    capacity: usize,
    order: impl Fn() -> Vec<Order> + Send + Sync + 'static,
) {
    let expected = [
        "nothing there after the invalidation",
        "there after the invalidation, and invalid",
        "there after the invalidation, and new",
        "in the end: invalid",
        "in the end: valid",
    ];
    explore_twice(preemptions, &expected, move |seen| {
        let (world, place) = (World::new(capacity), Arc::new(Place::new(None)));
        let loader = {
            let (world, place) = (Arc::clone(&world), Arc::clone(&place));
            spawn(move || {
                let entry = world.load(&[A]);
                *lock(&place) = Some(Arc::clone(&entry));
                entry
            })
        };
        world.source(A).store(1, Ordering::Relaxed);
        let mut first = 0;
        for order in order() {
            let tick = world.ticks.invalidate(&order);
            first = if first == 0 { tick } else { first };
            let found = lock(&place).clone();
            let found = found.map(|entry| (world.look(&entry), entry.value(A)));
            seen.note(match found {
                None => "nothing there after the invalidation",
                Some(("invalid", _)) => "there after the invalidation, and invalid",
                Some(("valid", 1)) => "there after the invalidation, and new",
                other => panic!("{other:?} is served after its invalidation"),
            });
        }
        let entry = loader.join();
        let look = world.look(&entry);
        seen.note(format!("in the end: {look}"));
        assert!(look == "invalid" || entry.value(A) == 1, "a lost update");
        assert!(look == "invalid" || entry.began >= first, "too old");
        // With room in the table nothing is forgotten, so nothing is given up either, not even
        // when the entry is looked at once more.
        if capacity == ROOM {
            assert_eq!(look == "valid", entry.began >= first, "given up needlessly");
            world.ticks.invalidate(&hard(&[OTHER]));
            assert_eq!(world.look(&entry), look, "given up later");
        }
    });
}

/// A load never outlives an invalidation that began after it, and one that began after is kept.
pub fn a_load_against_an_invalidation_of_its_scope() {
    load_against(None, ROOM, || vec![hard(&[A])]);
}

/// The same with several scopes in one order.
pub fn a_load_against_an_invalidation_of_several_scopes() {
    load_against(None, ROOM, || vec![hard(&[B, A, C])]);
}

/// The same where everything is invalidated.
pub fn a_load_against_an_invalidation_of_everything() {
    load_against(None, ROOM, || vec![all()]);
}

/// The same with a pattern.
pub fn a_load_against_an_invalidation_by_pattern() {
    load_against(None, ROOM, || {
        vec![Order {
            patterns: vec![Glob::new("a:*")],
            ..Order::default()
        }]
    });
}

/// The same where the table turns at every scope, and goes on turning.
pub fn a_load_against_turns_of_the_table() {
    load_against(None, 1, || vec![hard(&[A]), hard(&[B]), hard(&[C])]);
}

/// The same where the table turns later.
pub fn a_load_against_a_later_turn_of_the_table() {
    load_against(None, 2, || vec![hard(&[A]), hard(&[B]), hard(&[C])]);
}

/// The same where the table turns in the middle of an order.
pub fn a_load_against_a_turn_within_an_order() {
    load_against(None, 1, || vec![hard(&[B, A, C])]);
}

/// Two scopes are invalidated by two threads while a load that belongs to both runs: a value that
/// is valid in the end was read after both.
pub fn two_invalidators_of_different_scopes_against_a_load() {
    let expected = ["valid: true", "valid: false"];
    explore_twice(None, &expected, |seen| {
        let world = World::new(ROOM);
        let change = |scope| {
            let world = Arc::clone(&world);
            spawn(move || {
                world.change(scope);
            })
        };
        let (one, other) = (change(A), change(B));
        let entry = world.load(&[A, B]);
        let early = world.verdict(&entry);
        one.join();
        other.join();
        let verdict = world.verdict(&entry);
        let new = entry.value(A) == 1 && entry.value(B) == 1;
        let valid = verdict == Verdict::Valid;
        seen.note(format!("valid: {valid}"));
        assert!(new || !valid, "a lost update");
        assert!(early == Verdict::Valid || !valid, "back from the dead");
        assert_eq!(valid, entry.began == 2, "given up needlessly");
    });
}

/// An entry is read all the time, and stamped anew each time, while its scope and another are
/// invalidated: once its own invalidation has returned, nobody finds it valid any more.
fn readers_against(
    preemptions: Option<usize>,
    readers: usize,
    capacity: usize,
    orders: impl Fn() -> Vec<Order> + Send + Sync + 'static,
) {
    let expected = ["valid, before", "invalid, before", "invalid, after"];
    explore_twice(preemptions, &expected, move |seen| {
        let world = World::new(capacity);
        let entry = world.load(&[A]);
        let done = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..readers)
            .map(|_| {
                let (world, entry) = (Arc::clone(&world), Arc::clone(&entry));
                let (done, seen) = (Arc::clone(&done), seen.clone());
                spawn(move || {
                    let after = done.load(Ordering::Acquire) == 1;
                    let look = world.look(&entry);
                    assert!(!after || look == "invalid", "{look} after its invalidation");
                    let when = if after { "after" } else { "before" };
                    seen.note(format!("{look}, {when}"));
                })
            })
            .collect();
        for order in orders() {
            world.ticks.invalidate(&order);
            if order.all || order.scopes.contains(&A) || !order.patterns.is_empty() {
                done.store(1, Ordering::Release);
            }
        }
        assert_eq!(world.look(&entry), "invalid", "right after");
        readers.into_iter().for_each(|reader| reader.join());
        assert_eq!(world.look(&entry), "invalid", "in the end");
    });
}

/// One reader, the invalidation of its scope among others.
pub fn a_reader_that_restamps_against_invalidations() {
    readers_against(None, 1, ROOM, || vec![hard(&[B]), hard(&[A]), hard(&[C])]);
}

/// Two readers that stamp for each other.
pub fn two_readers_that_restamp_against_invalidations() {
    readers_against(Some(4), 2, ROOM, || vec![hard(&[B]), hard(&[A])]);
}

/// The table turns at each order.
pub fn a_reader_against_turns_of_the_table() {
    readers_against(None, 1, 1, || vec![hard(&[A]), hard(&[B]), hard(&[C])]);
}

/// The table turns some time after the order.
pub fn a_reader_against_a_later_turn_of_the_table() {
    readers_against(Some(6), 1, 2, || vec![hard(&[A]), hard(&[B]), hard(&[C])]);
}

/// The table turns within the order.
pub fn a_reader_against_a_turn_within_an_order() {
    readers_against(None, 1, 1, || vec![hard(&[B, A, C])]);
}

/// Everything is invalidated.
pub fn a_reader_against_an_invalidation_of_everything() {
    readers_against(None, 1, ROOM, || vec![hard(&[B]), all()]);
}

/// By a pattern.
pub fn a_reader_against_an_invalidation_by_pattern() {
    readers_against(None, 1, ROOM, || {
        let by_pattern = Order {
            patterns: vec![Glob::new("a:*")],
            ..Order::default()
        };
        vec![hard(&[B]), by_pattern]
    });
}

/// Two threads invalidate the same scope: a value that is valid in the end was read after both,
/// and each has its own tick.
pub fn two_invalidators_of_one_scope_against_a_load() {
    explore_twice(None, &["valid: true", "valid: false"], |seen| {
        let world = World::new(ROOM);
        let invalidate = || {
            let world = Arc::clone(&world);
            spawn(move || world.ticks.invalidate(&hard(&[A])))
        };
        let (one, other) = (invalidate(), invalidate());
        let entry = world.load(&[A]);
        let mut ticks = [one.join(), other.join()];
        ticks.sort_unstable();
        assert_eq!(ticks, [1, 2]);
        let valid = world.verdict(&entry) == Verdict::Valid;
        seen.note(format!("valid: {valid}"));
        assert_eq!(valid, entry.began == 2);
    });
}

/// A soft and a hard invalidation of one scope at the same time: invalid in the end, and at no
/// time fresh to one who knows of the soft one.
pub fn a_soft_against_a_hard_invalidation() {
    let expected = ["valid", "expired", "invalid"];
    explore_twice(Some(4), &expected, |seen| {
        let world = World::new(ROOM);
        let entry = world.load(&[A]);
        let by_hard = {
            let (world, entry) = (Arc::clone(&world), Arc::clone(&entry));
            spawn(move || {
                world.ticks.invalidate(&hard(&[A]));
                assert_eq!(world.look(&entry), "invalid", "after the hard one");
            })
        };
        let reader = {
            let (world, entry, seen) = (Arc::clone(&world), Arc::clone(&entry), seen.clone());
            spawn(move || seen.note(world.look(&entry)))
        };
        world.ticks.invalidate(&soft(&[A]));
        assert_ne!(world.look(&entry), "valid", "after the soft one");
        by_hard.join();
        reader.join();
        assert_eq!(world.look(&entry), "invalid", "in the end");
    });
}

fn soft_against_readers(order: fn() -> Order) {
    explore_twice(Some(3), &["valid", "expired"], move |seen| {
        let world = World::new(ROOM);
        let entry = world.load(&[A]);
        let reader = || {
            let (world, entry, seen) = (Arc::clone(&world), Arc::clone(&entry), seen.clone());
            spawn(move || seen.note(world.look(&entry)))
        };
        let readers = [reader(), reader()];
        world.ticks.invalidate(&order());
        assert_eq!(world.look(&entry), "expired", "right after");
        readers.into_iter().for_each(|reader| reader.join());
        assert_eq!(world.look(&entry), "expired", "in the end");
    });
}

/// Several readers notice a soft invalidation at once: whoever finds the entry stamped by another
/// finds it expired too.
pub fn a_soft_invalidation_against_readers() {
    soft_against_readers(|| soft(&[A]));
}

/// The same where everything is invalidated softly.
pub fn a_soft_invalidation_of_everything_against_readers() {
    soft_against_readers(|| Order {
        soft: true,
        ..all()
    });
}

/// Turns of the table never make an entry valid again, nor one invalid that was loaded since.
pub fn two_invalidators_that_turn_the_table_against_a_reader() {
    let expected = ["valid", "invalid"];
    explore_twice(Some(4), &expected, |seen: &Seen| {
        let world = World::new(1);
        let entry = world.load(&[A]);
        let invalidate = |scopes: &'static [u64]| {
            let (world, entry) = (Arc::clone(&world), Arc::clone(&entry));
            spawn(move || {
                world.ticks.invalidate(&hard(scopes));
                if scopes.contains(&A) {
                    assert_eq!(world.look(&entry), "invalid", "right after");
                }
            })
        };
        let jobs = [invalidate(&[A]), invalidate(&[B, C])];
        let mut gone = false;
        for _ in 0..2 {
            let look = world.look(&entry);
            assert!(!gone || look == "invalid", "back from the dead");
            gone = look == "invalid";
            seen.note(look);
        }
        jobs.into_iter().for_each(|job| job.join());
        assert_eq!(world.look(&entry), "invalid", "in the end");
        let later = world.load(&[A]);
        assert_eq!(world.look(&later), "valid", "loaded since");
    });
}
