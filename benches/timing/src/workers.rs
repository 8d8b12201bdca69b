//! Threads that do a round's work at the same time, each on a core of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::traces::LENGTH;

/// One thread's part of a round.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Which of the threads this is, from 0.
    pub thread: usize,
    /// How often to do what is measured.
    pub operations: u64,
}

impl Turn {
    /// Which of the keys of a trace are asked for; threads begin at different places.
    pub fn places(self) -> impl Iterator<Item = usize> {
        let from = self.thread * LENGTH / 3;
        (0..self.operations as usize).map(move |at| (from + at) % LENGTH)
    }
}

/// What is measured.
pub type Job = Arc<dyn Fn(Turn) + Send + Sync>;

struct Order {
    job: Job,
    turn: Turn,
    start: Arc<Barrier>,
}

/// Threads that are each pinned to a core of their own, where there is one.
pub struct Workers {
    orders: Vec<Sender<Order>>,
    times: Receiver<(Instant, Instant)>,
}

impl Workers {
    /// So many threads.
    pub fn new(count: usize) -> Self {
        let (done, times) = channel();
        let orders = (0..count)
            .map(|thread| worker(thread, done.clone()))
            .collect();
        Workers { orders, times }
    }

    /// How many operations of one thread fill this time; they warm the job up as well.
    pub fn fitting(&self, job: &Job, slice: Duration) -> u64 {
        let mut operations = 16;
        loop {
            let time = self.time(job, operations, 1);
            if time >= slice / 4 {
                let share = slice.as_secs_f64() / time.as_secs_f64();
                return ((operations as f64 * share) as u64).max(1);
            }
            operations *= 4;
        }
    }

    /// Nanoseconds of one of these operations of each thread, after half as many that bring its data
    /// back into the processor's caches.
    pub fn warm_time(&self, job: &Job, operations: u64, threads: usize) -> f64 {
        self.time(job, operations / 2, threads);
        self.time(job, operations, threads).as_nanos() as f64 / operations as f64
    }

    /// From the first thread's start to the last one's end.
    ///
    /// # Panics
    /// A job panicked.
    pub fn time(&self, job: &Job, operations: u64, threads: usize) -> Duration {
        let start = Arc::new(Barrier::new(threads));
        for (thread, orders) in self.orders.iter().take(threads).enumerate() {
            let order = Order {
                job: Arc::clone(job),
                turn: Turn { thread, operations },
                start: Arc::clone(&start),
            };
            orders.send(order).expect("a worker that waits for orders");
        }
        let ran = || self.times.recv().expect("a worker that did not panic");
        let times: Vec<_> = (0..threads).map(|_| ran()).collect();
        let first = times.iter().map(|(start, _)| *start).min();
        let last = times.iter().map(|(_, end)| *end).max();
        match (first, last) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        }
    }
}

fn worker(thread: usize, done: Sender<(Instant, Instant)>) -> Sender<Order> {
    let (orders, todo) = channel::<Order>();
    thread::spawn(move || {
        pin(thread);
        for order in todo {
            order.start.wait();
            let start = Instant::now();
            (order.job)(order.turn);
            let ended = (start, Instant::now());
            drop(order.job);
            if done.send(ended).is_err() {
                return;
            }
        }
    });
    orders
}

/// Pins this thread to a core: the first thread to the last one, since systems tend to have their
/// own work done on the first.
pub fn pin(thread: usize) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(core) = cores.iter().rev().nth(thread) {
        core_affinity::set_for_current(*core);
    }
}
