//! Interleaved rounds on pinned threads.
//!
//! A machine is slower in one minute than in the next, so contenders that run one after the other
//! are not compared but the minutes are. Here each round runs every contender for a few
//! milliseconds, and the next round starts with another one, so that what the machine does
//! otherwise falls on all of them; the median over the rounds leaves the worst moments out.
//!
//! Threads live as long as the race: what a cache keeps for each thread is set up once.

use std::sync::Arc;
use std::time::Duration;

pub use timing::workers::{Job, Turn, Workers, pin};

use crate::cli::Effort;
use crate::summary::Summary;

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
                let fitting = || workers.fitting(&(it.make)(), self.slice);
                self.operations.unwrap_or_else(fitting)
            })
            .collect();
        let starts = contenders.len() * self.threads.len();
        let mut measured = vec![Vec::new(); starts];
        for round in 0..self.rounds {
            for step in 0..starts {
                let start = (round + step) % starts;
                let (which, threads) = (start % contenders.len(), start / contenders.len());
                let job = (contenders[which].make)();
                let (threads, operations) = (self.threads[threads], operations[which]);
                measured[start].push(match contenders[which].goes_on {
                    true => workers.warm_time(&job, operations, threads),
                    false => {
                        let time = workers.time(&job, operations, threads);
                        time.as_nanos() as f64 / operations as f64
                    }
                });
            }
        }
        let mut summaries = measured.into_iter().map(Summary::of);
        let names: Vec<_> = contenders.iter().map(|it| it.name).collect();
        let row = |_: &usize| names.iter().copied().zip(summaries.by_ref()).collect();
        self.threads.iter().map(row).collect()
    }
}
