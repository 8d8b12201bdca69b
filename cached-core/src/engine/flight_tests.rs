use super::{Flight, News};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Waiter {
    id: Option<u64>,
    woken: Arc<Count>,
}

impl Waiter {
    fn new() -> Self {
        Waiter {
            id: None,
            woken: Arc::default(),
        }
    }

    fn poll(&mut self, flight: &Flight<u8, &'static str>) -> Poll<News<u8, &'static str>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        flight.poll(&mut self.id, &mut Context::from_waker(&waker))
    }

    fn woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }
}

fn waiting(flight: &Flight<u8, &'static str>, n: usize) -> Vec<Waiter> {
    let mut waiters: Vec<_> = (0..n).map(|_| Waiter::new()).collect();
    assert!(
        waiters
            .iter_mut()
            .all(|waiter| waiter.poll(flight).is_pending())
    );
    waiters
}

#[test]
fn a_landing_reaches_everyone() {
    let flight = Flight::new();
    let mut waiters = waiting(&flight, 3);
    flight.land(7);
    for waiter in &mut waiters {
        assert_eq!(waiter.woken(), 1);
        assert_eq!(waiter.poll(&flight), Poll::Ready(News::Landed(7)));
    }
    assert_eq!(Waiter::new().poll(&flight), Poll::Ready(News::Landed(7)));
}

#[test]
fn an_orphan_wakes_everyone_and_only_one_takes_it() {
    let flight = Flight::new();
    let mut waiters = waiting(&flight, 3);
    assert_eq!(flight.orphan("half"), Ok(()));
    assert_eq!(waiters.iter().map(Waiter::woken).sum::<usize>(), 3);
    assert_eq!(
        waiters[1].poll(&flight),
        Poll::Ready(News::TakeOver("half"))
    );
    assert!(waiters[0].poll(&flight).is_pending());
    flight.land(1);
    assert_eq!(waiters[0].poll(&flight), Poll::Ready(News::Landed(1)));
    assert_eq!(waiters[2].poll(&flight), Poll::Ready(News::Landed(1)));
}

#[test]
fn an_orphan_that_nobody_waits_for_comes_back() {
    let flight = Flight::<u8, _>::new();
    assert_eq!(flight.orphan("half"), Err("half"));
}

#[test]
fn a_woken_waiter_leaves_the_body_to_the_next_and_the_last_carries_the_body_away() {
    let flight = Flight::new();
    let mut waiters = waiting(&flight, 2);
    assert_eq!(flight.orphan("half"), Ok(()));
    assert_eq!(flight.leave(waiters[0].id.take()), None);
    assert_eq!(waiters[1].woken(), 1);
    assert_eq!(flight.leave(waiters[1].id.take()), Some("half"));
}

#[test]
fn a_gone_flight_sends_everyone_off_to_start_afresh() {
    let flight = Flight::new();
    let mut waiters = waiting(&flight, 2);
    flight.abandon();
    for waiter in &mut waiters {
        assert_eq!(
            (waiter.woken(), waiter.poll(&flight)),
            (1, Poll::Ready(News::Gone))
        );
    }
}
