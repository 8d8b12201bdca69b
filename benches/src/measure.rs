//! Interleaved rounds on pinned threads.
//!
//! A machine is slower in one minute than in the next, so contenders that run one after the other
//! are not compared but the minutes are. Here each round runs every contender for a few
//! milliseconds, and the next round starts with another one, so that what the machine does
//! otherwise falls on all of them; the median over the rounds leaves the worst moments out.
//!
//! Threads live as long as the race: what a cache keeps for each thread is set up once.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Effort;
use crate::summary::Summary;

/// One thread's part of a round.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Which of the threads this is, from 0.
    pub thread: usize,
    /// How often to do what is measured.
    pub operations: u64,
}

/// What is measured.
pub type Job = Arc<dyn Fn(Turn) + Send + Sync>;

/// Takes part in a race.
pub struct Contender {
    /// The head of its column.
    pub name: &'static str,
    make: Box<dyn FnMut() -> Job>,
    /// Goes on where its last round ended, so that it may get its data back into the processor's
    /// caches before it is timed; the others of the round have pushed it out.
    goes_on: bool,
}

impl Contender {
    /// Does the same in every round.
    pub fn new(name: &'static str, job: impl Fn(Turn) + Send + Sync + 'static) -> Self {
        let job: Job = Arc::new(job);
        Contender {
            name,
            make: Box::new(move || Arc::clone(&job)),
            goes_on: true,
        }
    }

    /// Starts each round afresh; making and dropping the job is not measured.
    pub fn afresh<F>(name: &'static str, mut make: impl FnMut() -> F + 'static) -> Self
    where
        F: Fn(Turn) + Send + Sync + 'static,
    {
        Contender {
            name,
            make: Box::new(move || Arc::new(make())),
            goes_on: false,
        }
    }
}

/// How long, how often, and by how many threads at once.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    rounds: usize,
    slice: Duration,
    operations: Option<u64>,
    threads: &'static [usize],
}

impl Race {
    /// One thread, and as many operations as fit into a few milliseconds.
    pub fn new(effort: Effort) -> Self {
        Race {
            rounds: effort.pick(61, 5),
            slice: effort.pick(Duration::from_millis(4), Duration::from_micros(400)),
            operations: None,
            threads: &[1],
        }
    }

    /// So many operations of each thread in each round.
    pub fn operations(mut self, operations: u64) -> Self {
        self.operations = Some(operations);
        self
    }

    /// Fewer rounds, for what takes long.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds.min(self.rounds);
        self
    }

    /// Measured with each of these numbers of threads, in the same rounds.
    pub fn threads(mut self, threads: &'static [usize]) -> Self {
        self.threads = threads;
        self
    }

    /// Nanoseconds per operation and thread: for each number of threads, for each contender.
    pub fn run(self, mut contenders: Vec<Contender>) -> Vec<Vec<(&'static str, Summary)>> {
        let workers = Workers::new(self.threads.iter().copied().max().unwrap_or(1));
        let operations: Vec<u64> = contenders
            .iter_mut()
            .map(|it| {
                self.operations
                    .unwrap_or_else(|| self.fitting(it, &workers))
            })
            .collect();
        let starts = contenders.len() * self.threads.len();
        let mut measured = vec![Vec::new(); starts];
        for round in 0..self.rounds {
            for step in 0..starts {
                let start = (round + step) % starts;
                let (which, threads) = (start % contenders.len(), start / contenders.len());
                let job = (contenders[which].make)();
                let threads = self.threads[threads];
                if contenders[which].goes_on {
                    workers.time(&job, operations[which] / 2, threads);
                }
                let time = workers.time(&job, operations[which], threads);
                measured[start].push(time.as_nanos() as f64 / operations[which] as f64);
            }
        }
        let mut summaries = measured.into_iter().map(Summary::of);
        let names: Vec<_> = contenders.iter().map(|it| it.name).collect();
        let row = |_: &usize| names.iter().copied().zip(summaries.by_ref()).collect();
        self.threads.iter().map(row).collect()
    }

    /// How many operations of a contender fill a slice; they warm it up as well.
    fn fitting(&self, contender: &mut Contender, workers: &Workers) -> u64 {
        let job = (contender.make)();
        let mut operations = 16;
        loop {
            let time = workers.time(&job, operations, 1);
            if time >= self.slice / 4 {
                let share = self.slice.as_secs_f64() / time.as_secs_f64();
                return ((operations as f64 * share) as u64).max(1);
            }
            operations *= 4;
        }
    }
}

struct Order {
    job: Job,
    turn: Turn,
    start: Arc<Barrier>,
}

/// Threads that are each pinned to a core of their own, where there is one.
struct Workers {
    orders: Vec<Sender<Order>>,
    times: Receiver<(Instant, Instant)>,
}

impl Workers {
    fn new(count: usize) -> Self {
        let (done, times) = channel();
        let orders = (0..count)
            .map(|thread| worker(thread, done.clone()))
            .collect();
        Workers { orders, times }
    }

    /// From the first thread's start to the last one's end.
    fn time(&self, job: &Job, operations: u64, threads: usize) -> Duration {
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
