//! `engine/flight.rs`: those who wait for a load are all told how it ended, and a body that is
//! handed over is run by exactly one of them.
//!
//! loom ends a model in which a thread waits for ever, so a wake-up that is lost shows itself.

use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Waker};

use crate::flight::{Flight, News};
use crate::run::{Bell, Job, Seen, explore, spawn};
use crate::sync::{Arc, Ordering};

/// What every load lands as.
const RESULT: u8 = 7;

type Shared = Arc<Flight<u8, Body>>;

fn new() -> Shared {
    Arc::new(Flight::new())
}

/// What became of a body. Nothing that loom needs to know of.
#[derive(Default)]
struct Ledger {
    handed_on: AtomicUsize,
    run: AtomicUsize,
    dropped: AtomicUsize,
}

/// A half-run load.
struct Body(Arc<Ledger>);

impl Body {
    fn new() -> (Body, Arc<Ledger>) {
        let ledger = Arc::<Ledger>::default();
        (Body(Arc::clone(&ledger)), ledger)
    }

    /// Runs to the end and lands.
    fn run(self, flight: &Shared) {
        self.0.run.fetch_add(1, Ordering::Relaxed);
        flight.land(RESULT);
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

impl Ledger {
    /// Run once, and dropped by the one who ran it.
    fn settled(&self) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        assert_eq!((count(&self.run), count(&self.dropped)), (1, 1), "a body");
    }
}

/// One who waits.
struct Waiter {
    flight: Shared,
    id: Option<u64>,
    bell: Arc<Bell>,
    waited: bool,
}

impl Waiter {
    fn new(flight: &Shared) -> Self {
        Waiter {
            flight: Arc::clone(flight),
            id: None,
            bell: Bell::here(),
            waited: false,
        }
    }

    fn poll(&mut self) -> Option<News<u8, Body>> {
        let waker = Waker::from(Arc::clone(&self.bell));
        let mut context = Context::from_waker(&waker);
        match self.flight.poll(&mut self.id, &mut context) {
            Poll::Ready(news) => Some(news),
            Poll::Pending => None,
        }
    }

    fn wait(&mut self) -> News<u8, Body> {
        loop {
            if let Some(news) = self.poll() {
                return news;
            }
            self.waited = true;
            self.bell.wait();
        }
    }

    fn when(&self) -> &'static str {
        if self.waited {
            "after waiting"
        } else {
            "at once"
        }
    }

    fn leave(mut self) -> Option<Body> {
        self.flight.leave(self.id.take())
    }
}

/// Starts a thread that waits to the end, and takes the body over if it is given it.
fn waiter(flight: &Shared, seen: &Seen) -> Job<()> {
    let (flight, seen) = (Arc::clone(flight), seen.clone());
    spawn(move || {
        let mut waiter = Waiter::new(&flight);
        match waiter.wait() {
            News::Landed(result) => {
                assert_eq!(result, RESULT);
                seen.note(format!("landed, {}", waiter.when()));
            }
            News::TakeOver(body) => {
                seen.note(format!("taken over, {}", waiter.when()));
                body.run(&flight);
            }
            News::Gone => seen.note(format!("gone, {}", waiter.when())),
        }
    })
}

/// Starts a thread that asks once and then leaves.
fn leaver(flight: &Shared, seen: &Seen) -> Job<()> {
    let (flight, seen) = (Arc::clone(flight), seen.clone());
    spawn(move || {
        let mut waiter = Waiter::new(&flight);
        let body = match waiter.poll() {
            Some(News::TakeOver(body)) => {
                seen.note("taken over by the one who leaves");
                Some(body)
            }
            Some(_) => None,
            None => waiter
                .leave()
                .inspect(|_| seen.note("carried away by the last to leave")),
        };
        if let Some(body) = body {
            body.run(&flight);
        }
    })
}

/// A leader is dropped: it hands its body over, and runs it in the background if nobody waits.
fn orphan(flight: &Shared, body: Body, seen: &Seen) {
    match flight.orphan(body) {
        Ok(()) => seen.note("handed over"),
        Err(body) => {
            seen.note("given back");
            body.run(flight);
        }
    }
}

/// Everybody has come to an end, and so has the load: once, and for those who come later too.
fn settled(flight: &Shared, ledger: &Ledger, jobs: impl IntoIterator<Item = Job<()>>) {
    jobs.into_iter().for_each(|job| job.join());
    assert!(matches!(
        Waiter::new(flight).poll(),
        Some(News::Landed(RESULT))
    ));
    ledger.settled();
}

/// A load lands while two ask for news.
pub fn a_landing_against_two_joiners() {
    explore(
        None,
        &["landed, at once", "landed, after waiting"],
        |seen| {
            let flight = new();
            let jobs = [waiter(&flight, seen), waiter(&flight, seen)];
            flight.land(RESULT);
            jobs.into_iter().for_each(|job| job.join());
        },
    );
}

/// A leader panics while two ask for news: both may start afresh.
pub fn an_end_without_a_body_against_two_joiners() {
    explore(None, &["gone, at once", "gone, after waiting"], |seen| {
        let flight = new();
        let jobs = [waiter(&flight, seen), waiter(&flight, seen)];
        flight.abandon();
        jobs.into_iter().for_each(|job| job.join());
    });
}

/// Another leaves at that time.
pub fn an_end_without_a_body_against_one_who_waits_and_one_who_leaves() {
    explore(None, &["gone, at once", "gone, after waiting"], |seen| {
        let flight = new();
        let jobs = [waiter(&flight, seen), leaver(&flight, seen)];
        flight.abandon();
        jobs.into_iter().for_each(|job| job.join());
    });
}

/// Two leaders end one flight, as when a load that is replaced lands: the first counts, for all.
pub fn two_ends_of_one_flight() {
    explore(None, &["landed", "gone"], |seen| {
        let flight = new();
        let ask = || {
            let flight = Arc::clone(&flight);
            spawn(move || matches!(Waiter::new(&flight).wait(), News::Landed(RESULT)))
        };
        let lander = {
            let flight = Arc::clone(&flight);
            spawn(move || flight.land(RESULT))
        };
        let asked = ask();
        flight.abandon();
        lander.join();
        let landed = asked.join();
        seen.note(if landed { "landed" } else { "gone" });
        let late = matches!(Waiter::new(&flight).wait(), News::Landed(RESULT));
        assert_eq!(landed, late, "two answers");
    });
}

/// A leader is dropped while one asks for news.
pub fn a_hand_over_to_one_who_waits() {
    let expected = [
        "given back",
        "handed over",
        "landed, after waiting",
        "landed, at once",
        "taken over, after waiting",
    ];
    explore(None, &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let jobs = [waiter(&flight, seen)];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// A leader is dropped while the only one who waits leaves: one of the two has the body.
pub fn a_hand_over_against_the_last_who_leaves() {
    let expected = [
        "carried away by the last to leave",
        "given back",
        "handed over",
    ];
    explore(None, &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let jobs = [leaver(&flight, seen)];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// A leader is dropped while one waits and one leaves.
pub fn a_hand_over_against_one_who_waits_and_one_who_leaves() {
    let expected = [
        "carried away by the last to leave",
        "given back",
        "handed over",
        "landed, after waiting",
        "landed, at once",
        "taken over by the one who leaves",
        "taken over, after waiting",
        "taken over, at once",
    ];
    explore(None, &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let jobs = [waiter(&flight, seen), leaver(&flight, seen)];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// A leader is dropped while one waits and all others leave.
pub fn a_hand_over_against_one_who_waits_and_two_who_leave() {
    let expected = [
        "carried away by the last to leave",
        "given back",
        "handed over",
        "landed, after waiting",
        "landed, at once",
        "taken over by the one who leaves",
        "taken over, after waiting",
        "taken over, at once",
    ];
    explore(Some(4), &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let jobs = [
            waiter(&flight, seen),
            leaver(&flight, seen),
            leaver(&flight, seen),
        ];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// A leader is dropped while two wait: one runs the body, the other is given the result.
pub fn a_hand_over_to_two_who_wait() {
    let expected = [
        "given back",
        "handed over",
        "landed, after waiting",
        "landed, at once",
        "taken over, after waiting",
        "taken over, at once",
    ];
    explore(None, &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let jobs = [waiter(&flight, seen), waiter(&flight, seen)];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// The one who took over is dropped too.
pub fn a_hand_over_after_a_hand_over() {
    let expected = [
        "given back",
        "handed over",
        "landed",
        "taken over once",
        "taken over twice",
    ];
    explore(None, &expected, |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let start = || {
            let (flight, seen) = (Arc::clone(&flight), seen.clone());
            spawn(move || match Waiter::new(&flight).wait() {
                News::TakeOver(body) if body.0.handed_on.fetch_add(1, Ordering::Relaxed) == 0 => {
                    seen.note("taken over once");
                    orphan(&flight, body, &seen);
                }
                News::TakeOver(body) => {
                    seen.note("taken over twice");
                    body.run(&flight);
                }
                News::Landed(_) => seen.note("landed"),
                News::Gone => panic!("the body was there"),
            })
        };
        let jobs = [start(), start()];
        orphan(&flight, body, seen);
        settled(&flight, &ledger, jobs);
    });
}

/// One who waits is polled by another task from some time on: that one is woken.
fn moved(end: fn(&Shared, Body, &Seen), expected: &[&str]) {
    let expected: Vec<&str> = expected.to_vec();
    explore(None, &expected, move |seen| {
        let (flight, (body, ledger)) = (new(), Body::new());
        let ender = {
            let (flight, seen) = (Arc::clone(&flight), seen.clone());
            spawn(move || end(&flight, body, &seen))
        };
        let mut waiter = Waiter::new(&flight);
        let first = waiter.poll();
        waiter.bell = Bell::here();
        let when = if first.is_some() { "at once" } else { "later" };
        match first.unwrap_or_else(|| waiter.wait()) {
            News::TakeOver(body) => {
                seen.note(format!("taken over {when}"));
                body.run(&flight);
            }
            News::Landed(_) => seen.note(format!("landed {when}")),
            News::Gone => panic!("the body was there"),
        }
        settled(&flight, &ledger, [ender]);
    });
}

/// It is woken by a landing.
pub fn a_landing_against_one_who_moves() {
    moved(
        |flight, body, _| body.run(flight),
        &["landed at once", "landed later"],
    );
}

/// It is woken by a hand-over.
pub fn a_hand_over_to_one_who_moves() {
    let expected = [
        "given back",
        "handed over",
        "landed at once",
        "landed later",
        "taken over later",
    ];
    moved(orphan, &expected);
}
