//! Processes on one Redis server that do as they are told: one load for all of them, and loads in
//! the background that another process' invalidation makes void.
#![cfg(feature = "redis")]

mod servers;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use dewar::store::Redis as Store;
use dewar::testing::TestCache;
use dewar::{Cache, cached, invalidate};
use servers::redis::Redis;
use servers::until;

const LEASE: Duration = Duration::from_secs(3);

/// The data behind the cache, as this process reads it.
static SOURCE: AtomicU64 = AtomicU64::new(1);
static SHUT: Mutex<bool> = Mutex::new(false);
static OPENED: Condvar = Condvar::new();

/// Says that a body has begun, and ends when bodies may.
fn body() -> u64 {
    let now = SOURCE.load(SeqCst);
    say("begun");
    let shut = OPENED.wait_while(SHUT.lock().unwrap(), |shut| *shut);
    drop(shut.unwrap());
    now
}

#[cached(timeout = 60, key_prefix = "leased", single_flight = "distributed")]
fn leased() -> u64 {
    body()
}

#[cached(timeout = 60, key_prefix = "quick:{id}", single_flight = "distributed")]
fn quick(id: u64) -> u64 {
    std::thread::sleep(Duration::from_micros(500));
    id
}

#[cached(timeout = 60, key_prefix = "item", tags("items"), refresh_ahead = 0.5)]
fn ahead() -> u64 {
    body()
}

#[cached(
    timeout = 60,
    key_prefix = "item",
    tags("items"),
    stale_while_revalidate = 600
)]
fn revalidated() -> u64 {
    body()
}

#[cached(
    timeout = 60,
    key_prefix = "item",
    tags("items"),
    stale_if_error = 600,
    soft_timeout = 1
)]
fn softened() -> Result<u64, ()> {
    Ok(body())
}

fn call(function: &str) -> u64 {
    match function {
        "leased" => leased(),
        "ahead" => ahead(),
        "revalidated" => revalidated(),
        _ => softened().unwrap(),
    }
}

fn invalidate(function: &str, how: &str) {
    let order = match (how, function) {
        ("tag", _) => invalidate!(tag = "items"),
        ("prefix", _) => invalidate!(prefix = "item"),
        ("everything", _) => invalidate!(all),
        (_, "ahead") => invalidate!(ahead()),
        (_, "revalidated") => invalidate!(revalidated()),
        _ => invalidate!(softened()),
    };
    order.wait().unwrap();
}

fn say(what: &str) {
    println!("\n> {what}");
}

/// A process that does what it is told; it is nothing when the tests are run as a whole.
#[test]
fn worker() {
    let Ok(url) = std::env::var("DEWAR_TEST_URL") else {
        return;
    };
    let builder = Cache::builder()
        .shared(Store::open(&url).unwrap())
        .store_timeout(Duration::from_secs(10));
    let by_hand = std::env::var("DEWAR_TEST_CLOCK").is_ok();
    // Long, so that nothing but a message tells of an invalidation.
    let builder = builder.memory_copies(Duration::from_secs(if by_hand { 36_000 } else { 60 }));
    let (cache, clock) = match by_hand {
        true => {
            let cache = TestCache::with(builder).unwrap();
            ((*cache).clone(), Some(cache.clock().clone()))
        }
        false => (builder.lease(LEASE).build().unwrap(), None),
    };
    let hears = || cache.store_status().unwrap().push == Some(true);
    assert!(until(hears));
    say("ready");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        match words[0] {
            "source" => SOURCE.store(number(1), SeqCst),
            "shut" => *SHUT.lock().unwrap() = true,
            "open" => {
                *SHUT.lock().unwrap() = false;
                OPENED.notify_all();
            }
            "advance" => clock
                .iter()
                .for_each(|clock| clock.advance(Duration::from_secs(number(1)))),
            "call" => {
                let (cache, function) = (cache.clone(), words[1].to_owned());
                std::thread::spawn(move || {
                    let value = cache.scope_blocking(|| call(&function));
                    say(&format!("is {value}"));
                });
            }
            "race" => {
                let all = || (0..number(1)).for_each(|id| assert_eq!(quick(id), id));
                cache.scope_blocking(all);
                say(&format!("loads {}", cache.stats().loads));
            }
            "invalidate" => {
                cache.scope_blocking(|| invalidate(words[1], words[2]));
                say("confirmed");
            }
            "await" => {
                let done = || match words[1] {
                    "loads" => cache.stats().loads,
                    "messages" => cache.stats().messages,
                    _ => cache.stats().coalesced,
                };
                assert!(until(|| done() >= number(2)));
                say("done");
            }
            other => panic!("{other}"),
        }
    }
}

/// Another process.
struct Process {
    child: Child,
    input: ChildStdin,
    said: Receiver<String>,
}

impl Process {
    fn start(server: &Redis) -> Process {
        Process::with(server, &[])
    }

    /// With a clock that stands still until it is told to go on: whatever happens then is not
    /// because some time is over.
    fn by_hand(server: &Redis) -> Process {
        Process::with(server, &[("DEWAR_TEST_CLOCK", "by hand")])
    }

    fn with(server: &Redis, more: &[(&str, &str)]) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "worker", "--nocapture"])
            .env("DEWAR_TEST_URL", server.url())
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for line in lines {
                if let Some(what) = line.strip_prefix("> ")
                    && sender.send(what.to_owned()).is_err()
                {
                    break;
                }
            }
        });
        let mut process = Process { child, input, said };
        process.hears("ready");
        process
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.input, "{what}").unwrap();
    }

    #[track_caller]
    fn next(&mut self) -> String {
        self.said.recv_timeout(Duration::from_secs(30)).unwrap()
    }

    #[track_caller]
    fn hears(&mut self, what: &str) {
        assert_eq!(self.next(), what);
    }

    /// Has it do something, and say this.
    #[track_caller]
    fn asked(&mut self, what: &str, answer: &str) {
        self.tell(what);
        self.hears(answer);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn of_two_processes_one_loads_and_the_other_is_told() {
    let server = Redis::start();
    let (mut one, mut other) = (Process::by_hand(&server), Process::by_hand(&server));
    one.tell("shut");
    one.asked("call leased", "begun");
    other.tell("source 2");
    other.tell("call leased");
    other.asked("await coalesced 1", "done");
    let marked = || {
        let keys = server.command(&["KEYS", "*:l:*"]);
        let lease = keys.lines().find(|line| line.contains(":l:"));
        // A token is 8 bytes long.
        lease.is_some_and(|key| server.command(&["STRLEN", key.trim()]).trim() == ":9")
    };
    assert!(until(marked), "it leaves a mark, and waits");
    one.asked("open", "is 1");
    // No clock moves: nothing but the message wakes it.
    other.hears("is 1");
}

#[test]
fn a_process_that_is_killed_delays_the_others_by_its_lease_and_no_more() {
    let server = Redis::start();
    let (mut one, mut other) = (Process::start(&server), Process::start(&server));
    one.tell("shut");
    one.asked("call leased", "begun");
    other.tell("source 2");
    let begun = Instant::now();
    other.tell("call leased");
    other.asked("await coalesced 1", "done");
    one.child.kill().unwrap();
    other.hears("begun");
    let waited = begun.elapsed();
    assert!(waited < LEASE + Duration::from_secs(1), "{waited:?}");
    other.hears("is 2");
}

#[test]
fn a_process_that_stood_still_takes_what_another_has_loaded_since() {
    let server = Redis::start();
    let (mut one, mut other) = (Process::start(&server), Process::start(&server));
    one.tell("shut");
    one.asked("call leased", "begun");
    other.tell("source 2");
    other.asked("call leased", "begun");
    other.hears("is 2");
    one.asked("open", "is 2");
    one.asked("call leased", "is 2");
    let mut third = Process::start(&server);
    third.asked("call leased", "is 2");
}

#[test]
fn whatever_the_order_each_key_is_loaded_once_by_all_processes_together() {
    const KEYS: u64 = 300;
    let server = Redis::start();
    let mut all: Vec<Process> = (0..4).map(|_| Process::start(&server)).collect();
    all.iter_mut()
        .for_each(|one| one.tell(&format!("race {KEYS}")));
    let loads = all.iter_mut().map(|one| {
        let said = one.next();
        said.strip_prefix("loads ").unwrap().parse::<u64>().unwrap()
    });
    assert_eq!(loads.sum::<u64>(), KEYS);
}

#[test]
fn a_load_in_the_background_from_before_an_invalidation_elsewhere_is_never_served() {
    let server = Redis::start();
    let (mut one, mut other) = (Process::by_hand(&server), Process::by_hand(&server));
    let (mut now, mut loads, mut messages) = (1, 0, 0);
    for function in ["ahead", "revalidated", "softened"] {
        for how in ["key", "tag", "prefix", "everything"] {
            println!("{function} × {how}");
            let (old, begun, new) = (now, now + 1, now + 2);
            let read = format!("call {function}");
            let is = |value: u64| format!("is {value}");
            one.tell(&format!("source {old}"));
            one.asked(&read, "begun");
            one.hears(&is(old));
            // It is served what is old while a load runs, which has read what comes next.
            one.tell(&format!("source {begun}"));
            one.tell("shut");
            one.tell(&format!(
                "advance {}",
                if function == "ahead" { 31 } else { 61 }
            ));
            one.tell(&read);
            let mut said = vec![one.next()];
            if function == "softened" {
                one.tell("advance 2");
            }
            said.push(one.next());
            said.sort();
            assert_eq!(said, ["begun".to_owned(), is(old)]);
            other.tell(&format!("source {new}"));
            other.asked(&format!("invalidate {function} {how}"), "confirmed");
            messages += 1;
            one.asked(&format!("await messages {messages}"), "done");
            one.tell(&format!("source {new}"));
            // The load ends after that, here and on the store.
            one.tell("open");
            loads += 2;
            one.asked(&format!("await loads {loads}"), "done");
            for process in [&mut one, &mut other] {
                process.tell(&read);
                let said = process.next();
                let said = if said == "begun" {
                    process.next()
                } else {
                    said
                };
                assert_eq!(said, is(new), "{function} × {how}");
            }
            loads += 1;
            other.asked(&format!("invalidate {function} {how}"), "confirmed");
            messages += 1;
            one.asked(&format!("await messages {messages}"), "done");
            now = new;
        }
    }
}
