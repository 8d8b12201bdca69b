//! What counts for the key, and how borrowed arguments do.

mod common;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dewar::testing::isolated;
use dewar::{Cache, cached, entry};
use serde::Serialize;

/// How many loads there were.
fn loads(run: impl FnOnce()) -> u64 {
    isolated(|cache| {
        run();
        cache.stats().loads
    })
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Id(u64);

/// Can only be hashed.
#[derive(Hash)]
struct Single(u64);

#[derive(Clone, Serialize)]
struct Point {
    x: f64,
    y: f32,
    names: HashMap<String, f64>,
}

fn point(x: f64, names: &[&str]) -> Point {
    let names = names.iter().map(|name| ((*name).to_owned(), 1.0)).collect();
    Point { x, y: 0.5, names }
}

#[cached]
#[expect(clippy::too_many_arguments, reason = "every form of borrowing")]
#[expect(clippy::ptr_arg, reason = "a reference to a vector is one of them")]
fn borrowed(
    text: &str,
    list: &[u32],
    cow: Cow<'_, str>,
    maybe: Option<&Id>,
    maybe_text: Option<&str>,
    shared: Arc<str>,
    id: &Id,
    many: &Vec<Id>,
) -> usize {
    text.len()
        + list.len()
        + cow.len()
        + many.len()
        + shared.len()
        + maybe_text.map_or(0, str::len)
        + maybe.map_or(0, |id| id.0 as usize)
        + id.0 as usize
}

#[test]
fn borrowed_arguments_count_by_value() {
    let call = |text: &str, maybe: Option<u64>| {
        let (owned, maybe) = (text.to_owned(), maybe.map(Id));
        let many = vec![Id(1), Id(2)];
        borrowed(
            &owned,
            &[1, 2],
            Cow::Owned(text.to_owned()),
            maybe.as_ref(),
            Some(&owned),
            text.into(),
            &Id(3),
            &many,
        )
    };
    let run = || {
        assert_eq!(call("ab", Some(4)), 19);
        assert_eq!(call("ab", Some(4)), 19, "other allocations, equal values");
        assert_eq!(call("abc", Some(4)), 23);
        assert_eq!(call("ab", None), 15);
    };
    assert_eq!(loads(run), 3);
}

#[test]
fn what_can_only_be_hashed_counts_too() {
    #[cached]
    fn single(one: &Single, maybe: Option<&Single>) -> u64 {
        one.0 + maybe.map_or(0, |one| one.0)
    }
    let run = || {
        assert_eq!((single(&Single(1), None), single(&Single(2), None)), (1, 2));
        assert_eq!(single(&Single(1), Some(&Single(0))), 1);
        assert_eq!(single(&Single(1), None), 1);
    };
    assert_eq!(loads(run), 3);
}

#[test]
fn owned_and_borrowed_values_are_equal_keys() {
    #[cached]
    fn either(
        text: impl AsRef<str> + Serialize + Hash + Eq + Clone + Send + Sync + 'static,
    ) -> usize {
        text.as_ref().len()
    }
    #[cached]
    fn cow(text: Cow<'_, str>) -> usize {
        text.len()
    }
    let run = || {
        assert_eq!(
            (cow(Cow::Borrowed("abc")), cow(Cow::Owned("abc".into()))),
            (3, 3)
        );
        assert_eq!((either("abc"), either("abc".to_owned())), (3, 3));
    };
    assert_eq!(
        loads(run),
        3,
        "one for the `Cow`, one for each type of the generic function"
    );
}

#[test]
fn floats_maps_and_nested_structs_count_by_their_serialised_value() {
    #[cached]
    fn serialised(point: &Point, scale: f64, tree: BTreeMap<u8, f32>) -> f64 {
        let _ = (point.y, tree);
        point.x * scale + point.names.len() as f64
    }
    let run = || {
        let tree = || BTreeMap::from([(1, 0.5)]);
        assert_eq!(serialised(&point(1.0, &["a", "b"]), 0.0, tree()), 2.0);
        assert_eq!(serialised(&point(1.0, &["b", "a"]), -0.0, tree()), 2.0);
        assert_eq!(serialised(&point(2.0, &["b", "a"]), 0.0, tree()), 2.0);
        assert_eq!(serialised(&point(1.0, &["a"]), 0.0, tree()), 1.0);
    };
    assert_eq!(loads(run), 3);
}

#[test]
fn the_order_of_a_set_does_not_count() {
    #[cached]
    fn sum(numbers: &HashSet<u64>) -> u64 {
        numbers.iter().sum()
    }
    let run = || {
        let forth: HashSet<u64> = (0..100).collect();
        let back: HashSet<u64> = (0..100).rev().collect();
        assert_eq!((sum(&forth), sum(&back)), (4_950, 4_950));
    };
    assert_eq!(loads(run), 1);
}

/// Its `Hash` leaves out what its `Eq` compares, as the trait allows.
#[derive(Clone, PartialEq, Eq)]
struct Lazy {
    hashed: u64,
    compared: u64,
}

impl Hash for Lazy {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hashed.hash(state);
    }
}

#[test]
fn a_hash_that_leaves_a_field_out_does_not_mix_two_arguments_up() {
    #[cached]
    fn compared(lazy: &Lazy) -> u64 {
        lazy.compared
    }
    isolated(|_| {
        for n in (0..50).chain(0..50) {
            assert_eq!(
                compared(&Lazy {
                    hashed: 1,
                    compared: n
                }),
                n
            );
        }
    });
}

#[test]
fn nothing_zero_and_empty_are_different_keys() {
    #[cached]
    fn shown(text: Option<&str>, number: Option<u64>) -> String {
        format!("{text:?} {number:?}")
    }
    let run = || {
        for text in [None, Some(""), Some("None"), Some("0")] {
            for number in [None, Some(0)] {
                assert_eq!(shown(text, number), format!("{text:?} {number:?}"));
            }
        }
    };
    assert_eq!(loads(run), 8);
}

#[test]
fn functions_of_one_name_prefix_and_arguments_are_apart() {
    mod one {
        #[dewar::cached(key_prefix = "same")]
        pub(super) fn same(n: u64) -> u64 {
            n
        }
    }
    mod other {
        #[dewar::cached(key_prefix = "same")]
        pub(super) fn same(n: u64) -> u64 {
            n + 1
        }
    }
    isolated(|_| assert_eq!((one::same(1), other::same(1)), (1, 2)));
}

#[test]
fn skipped_arguments_do_not_count_and_chosen_ones_do() {
    struct Connection;
    #[cached(skip(connection))]
    fn skipping(connection: &Connection, n: u64) -> u64 {
        let _ = connection;
        n
    }
    #[cached(key = (point.x.to_bits(), n % 10))]
    fn choosing(point: &Point, n: u64) -> u64 {
        point.names.len() as u64 + n
    }
    let run = || {
        assert_eq!((skipping(&Connection, 1), skipping(&Connection, 1)), (1, 1));
        assert_eq!(choosing(&point(1.0, &["a"]), 5), 6);
        assert_eq!(choosing(&point(1.0, &["a", "b"]), 15), 6);
        assert_eq!(choosing(&point(2.0, &["a", "b"]), 15), 17);
    };
    assert_eq!(loads(run), 3);
}

#[test]
fn a_version_is_part_of_the_key() {
    mod before {
        #[dewar::cached(version = 1)]
        pub(super) fn f(n: u64) -> u64 {
            n
        }
    }
    #[cached(version = VERSION)]
    fn f(n: u64) -> u64 {
        n + VERSION
    }
    const VERSION: u64 = 2;
    isolated(|_| {
        assert_eq!((before::f(1), f(1)), (1, 3));
        assert_ne!(entry!(before::f(1)).key(), entry!(f(1)).key());
    });
}

#[test]
fn a_value_in_a_prefix_stays_in_its_level() {
    #[cached(key_prefix = "user:{id}:posts")]
    fn posts(id: &str) -> usize {
        id.len()
    }
    isolated(|cache| {
        assert_eq!((posts("42"), posts("42:posts"), posts("4*")), (2, 8, 2));
        assert!(
            entry!(posts("42:posts"))
                .key()
                .starts_with("user:42%3Aposts:posts:")
        );
        dewar::invalidate!(prefix = "user:42").wait().unwrap();
        assert_eq!((posts("42"), posts("42:posts")), (2, 8));
        assert_eq!((cache.stats().loads, cache.stats().hits), (4, 1));
    });
}

#[test]
fn near_collisions_are_told_apart() {
    #[cached]
    fn pair(a: &str, b: &[u8], c: u16) -> String {
        format!("{a}/{b:?}/{c}")
    }
    let cache = dewar::testing::TestCache::with(Cache::builder().max_entries(10_000)).unwrap();
    cache.run(|| {
        for a in ["", "a", "aa", "\0", "a\0"] {
            for n in 0..50_u8 {
                let b: Vec<u8> = (0..n % 5).map(|i| i * (n / 5)).collect();
                let expected = format!("{a}/{b:?}/{n}");
                assert_eq!(pair(a, &b, n.into()), expected);
                assert_eq!(pair(a, &b, n.into()), expected);
            }
        }
    });
}

fn lazy(compared: u64) -> Lazy {
    Lazy {
        hashed: 1,
        compared,
    }
}

#[test]
fn what_a_container_refers_to_is_compared_whole() {
    #[cached]
    fn many(all: &[&Lazy], array: [&Lazy; 1], list: Vec<&Lazy>) -> u64 {
        all.iter()
            .chain(&array)
            .chain(&list)
            .map(|lazy| lazy.compared)
            .sum()
    }
    #[cached]
    fn behind(cow: Cow<'_, Lazy>, twice: &&Lazy, maybe: Option<&[Lazy]>) -> u64 {
        let rest = maybe.unwrap_or_default();
        cow.compared + twice.compared + rest.iter().map(|lazy| lazy.compared).sum::<u64>()
    }
    let run = || {
        for _ in 0..2 {
            for n in 0..3 {
                let (one, none) = (lazy(n), lazy(0));
                assert_eq!(many(&[&one], [&none], vec![]), n);
                assert_eq!(many(&[&none], [&one], vec![]), n);
                assert_eq!(many(&[&none], [&none], vec![&one]), n);
                assert_eq!(behind(Cow::Borrowed(&one), &&none, None), n);
                assert_eq!(behind(Cow::Owned(none.clone()), &&one, None), n);
                assert_eq!(behind(Cow::Borrowed(&none), &&none, Some(&[one])), n);
            }
        }
    };
    assert_eq!(loads(run), 3 + 2 + 3 + 3 + 2 + 3);
}

#[derive(Clone, Hash, PartialEq, Eq)]
struct Unserialised(u64);

#[test]
fn a_set_or_map_counts_by_what_it_holds_in_whatever_order() {
    #[cached]
    fn by_serde(maybe: Option<&HashSet<u64>>, owned: Option<HashSet<u64>>) -> usize {
        maybe.map_or(0, HashSet::len) + owned.map_or(0, |set| set.len())
    }
    #[cached]
    fn by_eq(set: &HashSet<Unserialised>, map: HashMap<Unserialised, Lazy>) -> u64 {
        set.len() as u64 * 100 + map.values().map(|lazy| lazy.compared).sum::<u64>()
    }
    let numbers = |n: u64| (0..n).rev().collect::<HashSet<_>>();
    let set = |n: u64| (0..n).map(Unserialised).collect::<HashSet<_>>();
    let map = |n: u64| {
        (0..n)
            .map(|n| (Unserialised(n), lazy(n)))
            .collect::<HashMap<_, _>>()
    };
    let run = || {
        for _ in 0..20 {
            assert_eq!(by_serde(Some(&numbers(40)), None), 40);
            assert_eq!(by_serde(None, Some(numbers(40))), 40);
            assert_eq!(by_serde(Some(&numbers(0)), None), 0);
            assert_eq!(by_eq(&set(40), map(3)), 4_003);
            assert_eq!(by_eq(&set(41), map(3)), 4_103);
            assert_eq!(by_eq(&set(41), map(2)), 4_101);
        }
    };
    assert_eq!(loads(run), 6);
}

mod one {
    #[dewar::cached]
    pub(super) fn price(price: u64) -> u64 {
        price + 1
    }

    #[dewar::cached]
    pub(super) fn total(total: u64) -> u64 {
        total + 100
    }
}

mod other {
    #[dewar::cached]
    pub(super) fn price(price: u64) -> u64 {
        price + 2
    }

    #[dewar::cached(batch = prices)]
    pub(super) fn prices(prices: &[u64]) -> std::collections::HashMap<u64, u64> {
        prices.iter().map(|n| (*n, n + 3)).collect()
    }
}

#[test]
fn functions_whose_arguments_have_their_names_are_apart() {
    isolated(|_| {
        assert_eq!((one::price(1), one::total(1), other::price(1)), (2, 101, 3));
        assert_eq!(other::prices(&[1])[&1], 4);
        assert_eq!((one::price(1), one::total(1), other::price(1)), (2, 101, 3));
    });
}

#[derive(Clone, Hash, PartialEq, Eq, Serialize)]
struct Tenant {
    id: u64,
    #[serde(skip)]
    secret: u64,
}

#[test]
fn a_set_compares_what_serde_leaves_out() {
    #[cached]
    fn sum(set: HashSet<Tenant>) -> u64 {
        set.iter().map(|tenant| tenant.secret).sum()
    }
    isolated(|_| {
        for secret in [1, 2, 1, 2] {
            assert_eq!(sum(HashSet::from([Tenant { id: 1, secret }])), secret);
        }
    });
}
