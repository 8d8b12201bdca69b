//! A body that lands two flights, and is left to those who wait for either of them: whoever is
//! polled first takes it, and all are told.

use crate::flight::{Flight, News};
use crate::run::{Bell, Job, Seen, explore, spawn};
use crate::sync::{Arc, Mutex, lock};

use std::task::{Context, Poll, Waker};

/// The share that each flight has in the body.
type Share = Arc<Mutex<Option<Body>>>;

type Shared = Arc<Flight<u8, Share>>;

/// A load of two keys; it knows the flights that it lands.
struct Body {
    flights: [Shared; 2],
    /// How often it may still be given up by the one who took it.
    given_up: usize,
}

impl Body {
    fn run(self) {
        for (flight, result) in self.flights.iter().zip(1..) {
            flight.land(result);
        }
    }

    /// Its caller is gone: others take it, or else the background runs it.
    fn leave(self, seen: &Seen) {
        let flights = self.flights.clone();
        let share = Arc::new(Mutex::new(Some(self)));
        let mut waited_for = false;
        for flight in &flights {
            waited_for |= flight.park(Arc::clone(&share));
        }
        if waited_for {
            seen.note("left to who waits");
            return;
        }
        match lock(&share).take() {
            Some(body) => {
                seen.note("run in the background");
                body.run();
            }
            None => seen.note("taken by one who came"),
        }
    }
}

/// One who waits for one of the flights, to the end.
fn waiter(flights: &[Shared; 2], which: usize, seen: &Seen) -> Job<()> {
    let (flight, seen) = (Arc::clone(&flights[which]), seen.clone());
    spawn(move || {
        let (bell, mut id) = (Bell::here(), None);
        let waker = Waker::from(Arc::clone(&bell));
        loop {
            match flight.poll(&mut id, &mut Context::from_waker(&waker)) {
                Poll::Pending => bell.wait(),
                Poll::Ready(News::Landed(result)) => {
                    assert_eq!(usize::from(result), which + 1, "another flight's result");
                    return seen.note("landed");
                }
                Poll::Ready(News::Gone) => panic!("the body was there"),
                Poll::Ready(News::TakeOver(share)) => {
                    let body = lock(&share).take();
                    match body {
                        Some(mut body) if body.given_up > 0 => {
                            body.given_up -= 1;
                            seen.note("taken over and given up");
                            body.leave(&seen);
                        }
                        Some(body) => {
                            seen.note("taken over");
                            body.run();
                        }
                        None => seen.note("taken by another"),
                    }
                }
            }
        }
    })
}

/// One who asks once and leaves.
fn leaver(flights: &[Shared; 2], which: usize, seen: &Seen) -> Job<()> {
    let (flight, seen) = (Arc::clone(&flights[which]), seen.clone());
    spawn(move || {
        let (bell, mut id) = (Bell::here(), None);
        let waker = Waker::from(bell);
        let share = match flight.poll(&mut id, &mut Context::from_waker(&waker)) {
            Poll::Ready(News::TakeOver(share)) => Some(share),
            Poll::Ready(_) => None,
            Poll::Pending => flight.leave(id.take()),
        };
        let body = share.and_then(|share| lock(&share).take());
        if let Some(body) = body {
            seen.note("carried away");
            body.leave(&seen);
        }
    })
}

type Start = fn(&[Shared; 2], usize, &Seen) -> Job<()>;

fn model(
    preemptions: Option<usize>,
    given_up: usize,
    expected: &[&str],
    jobs: &'static [(Start, usize)],
) {
    explore(preemptions, expected, move |seen| {
        let flights: [Shared; 2] = [Arc::new(Flight::new()), Arc::new(Flight::new())];
        let body = Body {
            flights: flights.clone(),
            given_up,
        };
        let jobs: Vec<_> = (jobs.iter())
            .map(|(start, which)| start(&flights, *which, seen))
            .collect();
        body.leave(seen);
        jobs.into_iter().for_each(Job::join);
        for flight in &flights {
            let mut cx = Context::from_waker(Waker::noop());
            let told = flight.poll(&mut None, &mut cx);
            assert!(
                matches!(told, Poll::Ready(News::Landed(_))),
                "nobody ran it"
            );
        }
    });
}

/// A caller is dropped while one waits for each of its two keys.
pub fn a_body_left_to_one_who_waits_for_each_flight() {
    let expected = [
        "landed",
        "left to who waits",
        "run in the background",
        "taken by another",
        "taken by one who came",
        "taken over",
    ];
    model(Some(4), 0, &expected, &[(waiter, 0), (waiter, 1)]);
}

/// A caller is dropped while one waits for one of its keys, and one leaves the other.
pub fn a_body_left_while_one_leaves() {
    let expected = [
        "carried away",
        "landed",
        "left to who waits",
        "run in the background",
        "taken by another",
        "taken by one who came",
        "taken over",
    ];
    model(Some(3), 0, &expected, &[(waiter, 0), (leaver, 1)]);
}

/// The only one who waits leaves: nobody but the background is left.
pub fn a_body_left_while_the_last_leaves() {
    let expected = [
        "carried away",
        "left to who waits",
        "run in the background",
        "taken by one who came",
    ];
    model(None, 0, &expected, &[(leaver, 1)]);
}

/// The one who took it over gives up as well.
pub fn a_body_that_is_left_twice() {
    let expected = [
        "landed",
        "left to who waits",
        "run in the background",
        "taken by another",
        "taken by one who came",
        "taken over",
        "taken over and given up",
    ];
    model(Some(3), 1, &expected, &[(waiter, 0), (waiter, 1)]);
}
