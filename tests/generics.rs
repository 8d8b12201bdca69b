//! Generic functions: every instantiation is a function of its own.

use std::fmt::Display;
use std::hash::Hash;

use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};

trait Key: Hash + Eq + Clone + Send + Sync + 'static {}
impl<T: Hash + Eq + Clone + Send + Sync + 'static> Key for T {}

#[cached]
fn size<T: Key>(n: u64) -> usize {
    let _ = n;
    size_of::<T>()
}

#[cached]
fn shown<T>(value: T) -> String
where
    T: Key + Display,
{
    format!("{value} of {} bytes", size_of::<T>())
}

#[cached]
async fn twice<T: Key + Display>(value: T) -> String {
    format!("{value}{value}")
}

#[cached]
fn array<const N: usize>(values: [u8; N]) -> usize {
    values.len()
}

#[cached]
#[expect(clippy::needless_lifetimes, reason = "what is tested")]
fn lifetimes<'a, 'b>(first: &'a str, second: &'b [&'a str]) -> usize {
    first.len() + second.len()
}

#[cached]
fn from_anything(text: impl Into<String> + Key, n: u8) -> String {
    format!("{}{n}", text.into())
}

#[cached]
fn made<T: Key + Default>() -> T {
    T::default()
}

#[test]
fn instantiations_are_apart_even_with_equal_arguments() {
    isolated(|cache| {
        assert_eq!((size::<u8>(1), size::<u16>(1), size::<u8>(1)), (1, 2, 1));
        assert_eq!(shown(7_u8), "7 of 1 bytes");
        assert_eq!(shown(7_u32), "7 of 4 bytes");
        assert_eq!((made::<u8>(), made::<String>()), (0, String::new()));
        assert_eq!(cache.stats().loads, 6);
    });
}

#[test]
fn asynchronous_ones_too() {
    isolated(|_| {
        futures::executor::block_on(async {
            assert_eq!(
                (twice(1_u8).await, twice("a").await),
                ("11".into(), "aa".into())
            );
            assert_eq!(twice(1_u16).await, "11");
        });
    });
}

#[test]
fn constants_lifetimes_and_impl_trait_arguments_work() {
    isolated(|cache| {
        assert_eq!((array([1]), array([1, 2]), array([1])), (1, 2, 1));
        assert_eq!(
            (lifetimes("ab", &["c"]), lifetimes("ab", &["c", "d"])),
            (3, 4)
        );
        assert_eq!(from_anything("a", 1), "a1");
        assert_eq!(from_anything("a".to_owned(), 1), "a1");
        assert_eq!(cache.stats().loads, 6);
    });
}

#[test]
fn one_instantiations_entry_can_be_named() {
    isolated(|_| {
        size::<u8>(1);
        size::<u16>(1);
        invalidate!(size::<u8>(1)).wait().unwrap();
        assert!(!entry!(size::<u8>(1)).contains());
        assert_eq!(entry!(size::<u16>(1)).get(), Some(2));
    });
}

#[test]
fn all_instantiations_are_one_function_to_an_invalidation() {
    isolated(|_| {
        size::<u8>(1);
        size::<u16>(1);
        invalidate!(size).wait().unwrap();
        assert!(!entry!(size::<u8>(1)).contains() && !entry!(size::<u16>(1)).contains());
    });
}
