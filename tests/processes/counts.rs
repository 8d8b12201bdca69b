//! What processes do to one key all at once: counts, of which none may be lost, and what may be
//! added only if nobody has. Only what happens while the server keeps what it has is judged.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dewar::Cache;

use crate::world::{World, now};
use crate::{BOUND, PROCESSES, SLACK, THREADS};

const COUNTS: u64 = 3;
const HOUR: Duration = Duration::from_secs(3600);
/// Whoever adds in the same time adds under the same key.
const SLOT: Duration = Duration::from_millis(20);

/// The last sum of each count in this process, and its epoch.
static HERE: Mutex<[(u64, i64); COUNTS as usize]> = Mutex::new([(0, 0); COUNTS as usize]);

fn here(count: u64, note: Option<(u64, i64)>) -> (u64, i64) {
    let mut all = HERE.lock().unwrap_or_else(PoisonError::into_inner);
    let last = &mut all[count as usize];
    *last = (*last).max(note.unwrap_or_default());
    *last
}

/// What one thread has seen.
pub(crate) struct Counts {
    world: World,
    cache: Cache,
    /// The process and the thread.
    me: u64,
    pub(crate) counted: Vec<(u64, u64, i64)>,
    pub(crate) added: Vec<(u128, u64, bool, Option<u64>)>,
}

impl Counts {
    pub(crate) fn new(world: &World, cache: &Cache, me: u64) -> Counts {
        Counts {
            world: world.clone(),
            cache: cache.clone(),
            me,
            counted: Vec::new(),
            added: Vec::new(),
        }
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, random: u64) {
        let (count, hand) = (random % COUNTS, self.cache.blocking());
        let name = format!("count:{count}");
        let counted = self.world.within(|_| match random % 2 {
            0 => hand.increment(&name, 1),
            _ => hand.decrement(&name, -1),
        });
        if let Some((epoch, Ok(sum))) = counted {
            here(count, Some((epoch, sum)));
            let line = format!("{epoch} {sum} {}", now().as_nanos());
            self.world.put(&format!("count-{}-{count}", self.me), &line);
            self.counted.push((count, epoch, sum));
        }
    }

    /// Reads a count; says how late it is, if it is older than what was confirmed elsewhere.
    pub(crate) fn check(&self, random: u64) -> Option<Duration> {
        let count = random % COUNTS;
        let (mine, others) = (here(count, None), self.elsewhere(count));
        let begun = now();
        let name = format!("count:{count}");
        let read = |_| self.cache.blocking().get::<i64>(&name);
        let (epoch, Some(read)) = self.world.within(read)? else {
            return None;
        };
        assert!(
            mine.0 != epoch || mine.1 <= read,
            "count {count} is {read} where {mine:?} had been counted"
        );
        let newer = others.iter().filter(|it| it.0 == epoch && it.1 > read);
        // The first that was missed.
        let late = newer.map(|(_, _, at)| begun.saturating_sub(*at)).max()?;
        assert!(
            late <= BOUND + SLACK,
            "count {count}: {read} was served {late:?} after {others:?}"
        );
        Some(late)
    }

    /// The last sum of each thread of all processes, its epoch, and when it was confirmed.
    fn elsewhere(&self, count: u64) -> Vec<(u64, i64, Duration)> {
        let of = |me: u64| {
            let text = self.world.get(&format!("count-{me}-{count}"))?;
            let mut words = text.split(' ');
            let epoch = words.next()?.parse().ok()?;
            let sum = words.next()?.parse().ok()?;
            let at = Duration::from_nanos(words.next()?.parse().ok()?);
            Some((epoch, sum, at))
        };
        (0..PROCESSES * THREADS).filter_map(of).collect()
    }

    /// Adds what others add at the same time, and looks who has.
    pub(crate) fn add(&mut self) {
        let (slot, hand) = (now().as_nanos() / SLOT.as_nanos(), self.cache.blocking());
        let mine = self.added.len() as u64 * 1000 + self.me;
        let added = self.world.within(|epoch| {
            // Of this epoch alone: of what the server has lost there may be copies.
            let name = format!("once:{epoch}:{slot}");
            (hand.add(&name, mine, HOUR), hand.get::<u64>(&name))
        });
        if let Some((epoch, (Ok(won), seen))) = added {
            assert!(
                !won || seen.is_none_or(|seen| seen == mine),
                "of {slot} is {seen:?} where {mine} was added"
            );
            self.added.push((slot, epoch, won, seen));
        }
    }

    /// Tells the process that has started this one.
    pub(crate) fn report(&self) {
        let (mut counted, mut added) = (String::new(), String::new());
        for (count, epoch, sum) in &self.counted {
            let _ = writeln!(counted, "{count} {epoch} {sum}");
        }
        for (slot, epoch, won, seen) in &self.added {
            let seen = seen.map_or_else(|| "-".to_owned(), |seen| seen.to_string());
            let _ = writeln!(added, "{slot} {epoch} {won} {seen}");
        }
        self.world.put(&format!("counted-{}", self.me), &counted);
        self.world.put(&format!("added-{}", self.me), &added);
    }
}

/// Looks at what all have seen: no two have counted to the same sum, which is what a lost count
/// leads to, and of those who add under one key one has won.
pub(crate) fn judge(world: &World) {
    let (mut sums, mut winners) = (HashSet::new(), HashSet::new());
    let mut seen: HashMap<String, String> = HashMap::new();
    for me in 0..PROCESSES * THREADS {
        for line in world.get(&format!("counted-{me}")).unwrap().lines() {
            assert!(sums.insert(line.to_owned()), "counted twice: {line}");
        }
        for line in world.get(&format!("added-{me}")).unwrap().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let key = words[..2].join(" ");
            let won = words[2] == "true";
            assert!(!won || winners.insert(key.clone()), "won twice: {line}");
            if words[3] != "-" {
                let first = seen.entry(key).or_insert(words[3].to_owned());
                assert_eq!(first, words[3], "seen twice: {line}");
            }
        }
    }
}
