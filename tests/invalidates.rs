//! `#[invalidates]` on the function that changes the data.

mod common;

use std::sync::Arc;

use common::{End, Failed, Source, Task, panics, secs};
use dewar::testing::isolated;
use dewar::{cached, entry, invalidates};

#[cached(key_prefix = "user:{id}", tags("users"))]
fn user(id: u64) -> u64 {
    id
}

#[cached(skip(source))]
async fn item(source: Arc<Source>, id: u64) -> Result<u64, Failed> {
    let _ = id;
    source.load().await
}

#[invalidates(user(id))]
fn plain(id: u64) -> u64 {
    let _ = id;
    u64::from(entry!(user(id)).contains())
}

#[invalidates(user(id), tag = "users", prefix = "user:{id}:posts")]
fn fallible(id: u64, ok: bool) -> Result<u64, Failed> {
    let _ = id;
    if ok { Ok(1) } else { Err(Failed) }
}

#[invalidates(always, user(id))]
async fn always(id: u64) -> Result<(), Failed> {
    let _ = id;
    Err(Failed)
}

#[invalidates(user(1))]
#[invalidates(user(2))]
fn several(ok: bool) -> Result<(), Failed> {
    if ok { Ok(()) } else { Err(Failed) }
}

#[invalidates(before, item(_, id))]
async fn fencing(id: u64, source: Arc<Source>) -> Result<(), Failed> {
    let _ = id;
    source.set(2);
    source.load().await.map(drop)
}

#[invalidates(user(id))]
fn panicking(id: u64) {
    panic!("before it wrote {id}");
}

struct Store(u64);

impl Store {
    #[cached(skip(self), key_prefix = "store:{self.0}:{id}")]
    fn get(&self, id: u64) -> u64 {
        self.0 + id
    }

    #[invalidates(self.get(id))]
    fn set(&mut self, id: u64, to: u64) {
        let _ = id;
        self.0 = to;
    }

    #[invalidates(tag = "none", user(self.0))]
    async fn touch(&self) {}
}

#[test]
fn it_is_carried_out_when_the_function_has_returned() {
    isolated(|cache| {
        user(1);
        user(2);
        assert_eq!(plain(1), 1, "the body still saw it");
        assert!(!entry!(user(1)).contains());
        assert!(entry!(user(2)).contains());
        assert_eq!(cache.stats().invalidations, 1);
    });
}

#[test]
fn a_write_that_failed_invalidates_nothing() {
    isolated(|cache| {
        user(1);
        assert_eq!(fallible(1, false), Err(Failed));
        assert!(entry!(user(1)).contains());
        assert_eq!(cache.stats().invalidations, 0);
        assert_eq!(fallible(1, true), Ok(1));
        assert!(!entry!(user(1)).contains());
    });
}

#[test]
fn with_always_it_is_carried_out_on_err_too() {
    isolated(|_| {
        user(1);
        assert_eq!(Task::new(always(1)).done(), Err(Failed));
        assert!(!entry!(user(1)).contains());
    });
}

#[test]
fn several_attributes_add_up() {
    isolated(|_| {
        (1..4).for_each(|id| {
            user(id);
        });
        several(false).unwrap_err();
        assert!(entry!(user(1)).contains() && entry!(user(2)).contains());
        several(true).unwrap();
        let left: Vec<_> = (1..4).map(|id| entry!(user(id)).contains()).collect();
        assert_eq!(left, [false, false, true]);
    });
}

#[test]
fn with_before_loads_under_way_are_fenced_off_ahead_of_the_body() {
    isolated(|_| {
        let (reads, writes) = (Source::shut(1), Source::shut(0));
        let call = || Task::new(item(Arc::clone(&reads), 1));
        let mut old = call().waiting();
        let mut writer = Task::new(fencing(1, Arc::clone(&writes))).waiting();
        reads.end_all(End::Well);
        assert_eq!(old.done(), Ok(1));
        assert_eq!(call().done(), Ok(1), "read while the writer is at work");
        assert_eq!(reads.begun(), 2, "what the old load brought was not stored");
        writes.end_all(End::Well);
        reads.set(2);
        assert_eq!(writer.done(), Ok(()));
        assert_eq!(call().done(), Ok(2), "and once more after the body");
    });
}

#[test]
fn a_writer_that_panics_or_is_dropped_leaves_the_cache_usable() {
    isolated(|cache| {
        user(1);
        assert!(panics(|| panicking(1)));
        drop(Task::new(fencing(1, Source::shut(0))).waiting());
        assert_eq!(user(1), 1);
        cache.advance(secs(1));
    });
}

#[test]
fn methods_name_their_own_entries() {
    isolated(|_| {
        let mut store = Store(10);
        assert_eq!(store.get(1), 11);
        store.set(1, 10);
        assert!(!entry!(store.get(1)).contains());
        user(10);
        Task::new(async move { store.touch().await }).done();
        assert!(!entry!(user(10)).contains());
    });
}

#[invalidates(prefix = "listed:{id}")]
fn ids_changed(id: u64) -> impl Iterator<Item = u64> {
    (0..id).map(|n| n * 2)
}

#[test]
fn a_writer_may_return_what_has_no_name() {
    isolated(|_| {
        assert_eq!(ids_changed(3).sum::<u64>(), 6);
    });
}
