//! Generics, `where` clauses, constants and lifetimes.

use std::fmt::Debug;
use std::hash::Hash;

use dewar::{cached, entry, invalidate};

#[cached(timeout = 60)]
fn shown<T>(value: T) -> String
where
    T: Debug + Hash + Eq + Clone + Send + Sync + 'static,
{
    format!("{value:?}")
}

#[cached(timeout = 60)]
fn array<const N: usize, const UP: bool>(values: [u8; N]) -> usize {
    N + UP as usize + values.len()
}

#[cached(timeout = 60)]
fn longest<'a, 'b: 'a>(one: &'a str, other: &'b str) -> String {
    if one.len() > other.len() { one } else { other }.to_owned()
}

#[cached(timeout = 60)]
async fn fetched<'a, K: Hash + Eq + Clone + Send + Sync + 'static>(key: &'a K, n: u64) -> u64 {
    let _ = key;
    n
}

#[cached(timeout = 60)]
fn made<T: Default + Clone + Send + Sync + 'static>() -> T {
    T::default()
}

#[cached(timeout = 60)]
fn by_constant<const N: usize>() -> usize {
    N
}

struct Repo<'a, T>(&'a str, T);

impl<'a, T: Clone + Hash + Eq + Send + Sync + 'static> Repo<'a, T> {
    #[cached(timeout = 60, key = (self.0, id))]
    fn named(&self, id: u64) -> String {
        format!("{}{id}", self.0)
    }

    #[cached(timeout = 60, skip(self))]
    async fn kept(&self, id: u64) -> (u64, T) {
        (id, self.1.clone())
    }

    #[cached(timeout = 60)]
    fn associated(value: T, text: &'a str) -> (T, usize) {
        (value, text.len())
    }
}

struct Holder<'a> {
    name: &'a str,
}

impl<'a> Holder<'a> {
    #[cached(timeout = 60, key = self.name)]
    fn length(&self) -> usize {
        self.name.len()
    }
}

#[test]
fn all_of_them() {
    assert_eq!(shown(1), "1");
    assert_eq!(shown("a"), "\"a\"");
    assert_eq!(array::<2, true>([1, 2]), 5);
    assert_eq!(longest("a", "bc"), "bc");
    assert_eq!(futures::executor::block_on(fetched(&1_u8, 2)), 2);
    assert_eq!(made::<u64>(), 0);
    assert_eq!(made::<String>(), "");
    assert_eq!(by_constant::<3>(), 3);
    let repo = Repo("a", 1_u8);
    assert_eq!(repo.named(1), "a1");
    assert_eq!(futures::executor::block_on(repo.kept(1)), (1, 1));
    assert_eq!(Repo::associated(1_u8, "ab"), (1, 2));
    assert_eq!(Holder { name: "abc" }.length(), 3);
}

#[test]
fn each_has_an_entry() {
    shown(10_u8);
    shown(10_u16);
    invalidate!(shown::<u8>(10));
    assert!(!entry!(shown(10_u8)).contains());
    assert!(entry!(shown::<u16>(10)).contains());
    let repo = Repo("b", 1_u8);
    repo.named(1);
    invalidate!(repo.named(1));
    assert!(!entry!(repo.named(1)).contains());
    Repo::associated(5_u8, "ab");
    invalidate!(Repo::<u8>::associated(5, "ab"));
    assert!(!entry!(Repo::associated(5_u8, "ab")).contains());
}
