//! Taking things out of the cache where the data changes: calls, prefixes, tags, patterns.
//!
//! ```text
//! cargo run --example invalidation_and_tags
//! ```

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use dewar::{cached, entry, invalidate, invalidates};

static RUNS: AtomicUsize = AtomicUsize::new(0);

/// The data: users by id, each with its organisation.
static USERS: Mutex<BTreeMap<u64, (u32, String)>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Debug, PartialEq)]
struct User {
    org: u32,
    name: String,
}

// `users` and the argument's tag are known before; the organisation only once the user is there.
#[cached(
    timeout = 300,
    key_prefix = "user:{id}",
    tags("users", |user: &User| vec![format!("org:{}", user.org)])
)]
fn user(id: u64) -> Option<User> {
    RUNS.fetch_add(1, SeqCst);
    let users = USERS.lock().unwrap();
    users.get(&id).map(|(org, name)| User {
        org: *org,
        name: name.clone(),
    })
}

#[cached(timeout = 300, key_prefix = "user:{id}:greeting")]
fn greeting(id: u64, language: &str) -> String {
    RUNS.fetch_add(1, SeqCst);
    let hello = if language == "de" { "Hallo" } else { "Hello" };
    let name = user(id).map_or_else(|| "nobody".to_owned(), |user| user.name);
    format!("{hello}, {name}")
}

// The function that writes says what it makes invalid. It happens when it has returned `Ok`;
// `before` does it ahead of the body too, so that loads already under way are fenced off early.
#[invalidates(before, prefix = "user:{id}")]
fn rename(id: u64, name: &str) -> Result<(), String> {
    let mut users = USERS.lock().unwrap();
    let user = users.get_mut(&id).ok_or("no such user")?;
    user.1 = name.to_owned();
    Ok(())
}

/// Reads everything and says how many bodies had to run for it.
fn read_all() -> usize {
    RUNS.store(0, SeqCst);
    for id in [4, 42, 420] {
        user(id);
        greeting(id, "en");
        greeting(id, "de");
    }
    RUNS.load(SeqCst)
}

fn main() -> Result<(), dewar::Error> {
    for (id, org, name) in [(4, 1, "Ada"), (42, 1, "Grace"), (420, 2, "Edsger")] {
        USERS.lock().unwrap().insert(id, (org, name.to_owned()));
    }
    println!("filling: {} bodies ran", read_all());
    assert_eq!(read_all(), 0, "everything is cached");

    rename(42, "Grace H.").unwrap();
    assert_eq!(greeting(42, "en"), "Hello, Grace H.");
    assert_eq!(read_all(), 1, "user 42 and one greeting are loaded already");
    println!("rename(42): user:42 and all below it, not user:4 and not user:420");

    assert!(rename(7, "nobody").is_err());
    assert_eq!(read_all(), 0, "a write that failed invalidates nothing");

    invalidate!(user(4)).wait()?;
    assert_eq!(
        (entry!(user(4)).get(), entry!(user(42)).contains()),
        (None, true)
    );
    assert_eq!(read_all(), 1);
    println!("invalidate!(user(4)): that call");

    invalidate!(greeting).wait()?;
    assert_eq!(read_all(), 6);
    println!("invalidate!(greeting): every call of the function");

    let org = 1;
    invalidate!(tag = "org:{org}").wait()?;
    assert_eq!(read_all(), 2, "users 4 and 42");
    println!("invalidate!(tag = \"org:{{org}}\"): a tag that came from the values");

    invalidate!(pattern = "user:4*:greeting").wait()?;
    assert_eq!(read_all(), 6, "greetings of 4, 42 and 420");
    println!("invalidate!(pattern = \"user:4*:greeting\"): a glob over whole prefixes");

    invalidate!(tag = "users", prefix = "user:4:greeting").wait()?;
    assert_eq!(read_all(), 5, "three users, two greetings");
    println!("several in one step");

    invalidate!(all).wait()?;
    assert_eq!(read_all(), 9);
    println!("invalidate!(all): everything");
    Ok(())
}
