//! Arguments of every kind.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use dewar::{cached, entry, invalidate};

#[derive(Clone, PartialEq, Eq, Hash)]
struct Point {
    x: u32,
    y: u32,
}

#[cached(timeout = 60)]
fn patterns((a, b): (u32, u32), Point { x, y }: Point, [first, ..]: [u32; 3], _: u32) -> u32 {
    a + b + x + y + first
}

#[cached(timeout = 60)]
async fn patterns_async((a, _): (u32, u32), Point { x, .. }: Point) -> u32 {
    a + x
}

#[cached(timeout = 60)]
fn mutable(mut words: Vec<String>, mut times: u32) -> usize {
    while times > 0 {
        words.push(times.to_string());
        times -= 1;
    }
    words.len()
}

#[cached(timeout = 60, key_prefix = "raw:{type}", tags("{r#type}"))]
fn raw(r#type: u32, r#match: &str) -> String {
    format!("{}{}", r#type, r#match)
}

#[cached(timeout = 60)]
fn borrowed(text: &str, items: &[u8], cow: Cow<'_, str>, maybe: Option<&u32>) -> usize {
    text.len() + items.len() + cow.len() + maybe.is_some() as usize
}

#[cached(timeout = 60)]
fn shared(words: Arc<Vec<String>>, boxed: Box<str>) -> usize {
    words.len() + boxed.len()
}

#[cached(timeout = 60)]
fn float(factor: f64, more: &[f32], maybe: Option<f64>) -> f64 {
    factor * more.len() as f64 + maybe.unwrap_or_default()
}

#[derive(serde::Serialize)]
struct Weather {
    degrees: f64,
    wind: BTreeMap<String, f32>,
}

#[cached(timeout = 60)]
fn by_serde(weather: &Weather, extra: HashMap<String, f64>) -> f64 {
    weather.degrees + weather.wind.len() as f64 + extra.len() as f64
}

#[cached(timeout = 60)]
fn opaque(word: impl Hash + Eq + AsRef<str> + Clone + Send + Sync + 'static) -> usize {
    word.as_ref().len()
}

#[cached(timeout = 60, key = key)]
fn opaque_with_key(words: impl Iterator<Item = u32>, key: u32) -> u32 {
    words.sum::<u32>() + key
}

#[cached(timeout = 60, skip(by))]
fn closure(id: u64, by: impl Fn(u64) -> u64) -> u64 {
    by(id)
}

#[cached(timeout = 60, skip(db))]
fn skipped(db: &str, id: u64) -> u64 {
    let _ = db;
    id
}

#[cached(timeout = 60, skip(db))]
fn skipped_beside_opaque(
    db: &str,
    word: impl AsRef<str> + Hash + Eq + Clone + Send + Sync + 'static,
) -> usize {
    db.len() + word.as_ref().len()
}

#[cached(timeout = 60)]
fn none() -> u64 {
    7
}

#[test]
fn all_of_them() {
    let point = || Point { x: 3, y: 4 };
    assert_eq!(patterns((1, 2), point(), [5, 6, 7], 8), 15);
    let found = futures::executor::block_on(patterns_async((1, 2), point()));
    assert_eq!(found, 4);
    assert_eq!(mutable(vec![], 2), 2);
    assert_eq!(raw(1, "a"), "1a");
    assert_eq!(borrowed("a", &[1], Cow::Borrowed("b"), None), 3);
    assert_eq!(shared(Arc::default(), "ab".into()), 2);
    assert_eq!(float(1.5, &[1.0, 2.0], Some(0.5)), 3.5);
    let weather = Weather {
        degrees: 1.5,
        wind: BTreeMap::new(),
    };
    assert_eq!(by_serde(&weather, HashMap::new()), 1.5);
    assert_eq!(opaque("abc"), 3);
    assert_eq!(opaque(String::from("ab")), 2);
    assert_eq!(opaque_with_key([1, 2].into_iter(), 4), 7);
    assert_eq!(closure(2, |id| id + 1), 3);
    assert_eq!(none(), 7);
}

#[test]
fn each_has_an_entry() {
    let point = || Point { x: 3, y: 4 };
    assert!(!entry!(patterns((9, 2), point(), [5, 6, 7], 8)).contains());
    patterns((9, 2), point(), [5, 6, 7], 8);
    assert!(entry!(patterns((9, 2), point(), [5, 6, 7], 8)).contains());
    invalidate!(patterns((9, 2), point(), [5, 6, 7], 8));
    assert!(!entry!(patterns((9, 2), point(), [5, 6, 7], 8)).contains());
    // Every closure is a type of its own, and so is every instantiation.
    let same = |id| id;
    closure(20, same);
    assert!(entry!(closure(20, same)).contains());
    assert!(!entry!(closure(20, |id| id)).contains());
    invalidate!(closure(20, same));
    assert!(!entry!(closure(20, same)).contains());
    skipped_beside_opaque("db", "a");
    assert!(entry!(skipped_beside_opaque("db", "a")).contains());
    invalidate!(skipped_beside_opaque(_, "a"));
    assert!(!entry!(skipped_beside_opaque("db", "a")).contains());
    skipped("db", 1);
    invalidate!(skipped(_, 1));
    assert!(!entry!(skipped("db", 1)).contains());
    none();
    invalidate!(none());
    assert!(!entry!(none()).contains());
}

#[cached(timeout = 60)]
#[expect(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "whatever a signature may look like"
)]
fn borrowed_inside<'a, T: Hash + Eq + Clone + Send + Sync + 'static>(
    lists: &[&[T]],
    maybe: Option<&'a T>,
    pairs: &&HashMap<&'a str, (T, Option<&T>)>,
    many: (u8, u8, u8, u8, u8, u8, u8, u8, &T),
    fixed: Option<&'static Point>,
    nested: Box<(&Point, Arc<[&str]>)>,
    by: fn(&str) -> usize,
    cows: &[Cow<'_, [Point]>],
) -> usize {
    lists.len()
        + maybe.map_or(0, |_| 1)
        + pairs.len()
        + usize::from(many.0)
        + fixed.map_or(0, |_| 1)
        + nested.1.len()
        + by("abc")
        + cows.len()
}

#[derive(PartialEq, Eq, Hash)]
struct Borrowing<'a>(&'a str);

impl Borrowing<'_> {
    #[cached(timeout = 60, key = (self.0, all))]
    fn size(&self, all: &[Borrowing<'static>], other: &[&Point]) -> usize
    where
        Borrowing<'static>: Clone,
    {
        all.len() + other.len()
    }
}

impl Clone for Borrowing<'static> {
    fn clone(&self) -> Self {
        Borrowing(self.0)
    }
}

macro_rules! make {
    ($name:ident($argument:ident: $ty:ty)) => {
        #[cached(timeout = 60)]
        fn $name($argument: $ty) -> usize {
            $argument.len()
        }
    };
}

make!(made(points: &[&Point]));

#[test]
fn what_is_borrowed_inside() {
    let (point, none) = (Point { x: 3, y: 4 }, HashMap::new());
    let many = (1, 2, 3, 4, 5, 6, 7, 8, &9);
    let nested = Box::new((&point, Arc::from(["a", "b"])));
    let size = borrowed_inside(&[&[1]], None, &&none, many, None, nested, str::len, &[]);
    assert_eq!(size, 7);
    assert_eq!(Borrowing("a").size(&[Borrowing("b")], &[&point]), 2);
    assert_eq!(made(&[&point]), 1);
}
