//! Values to make keys of, and strategies for them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use proptest::prelude::*;
use serde::Serialize;

/// Two values, often the same one.
pub(super) fn pairs<T: Strategy>(of: impl Fn() -> T) -> impl Strategy<Value = (T::Value, T::Value)>
where
    T::Value: Clone,
{
    (of(), of(), any::<bool>())
        .prop_map(|(a, b, twice)| if twice { (a.clone(), a) } else { (a, b) })
}

/// Short texts of what could be taken for a separator, a length or an end.
pub(super) fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof!["[ab:,|/.%]", "[\u{0}\u{1}ÿ\u{7f}]"], 0..4)
        .prop_map(|pieces| pieces.concat())
}

pub(super) fn number() -> impl Strategy<Value = f64> {
    let special = [0.0, -0.0, 1.0, -1.0, f64::NAN, -f64::NAN, f64::INFINITY];
    prop_oneof![proptest::sample::select(special.to_vec()), any::<f64>()]
}

/// Equal by value: `-0.0` is `0.0`, and NaN is NaN.
pub(super) fn equal(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

/// What can only be serialised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Tree {
    Empty,
    None,
    Text(String),
    Name(&'static str),
    Number(f64),
    Small(f32),
    Maybe(Option<Box<Tree>>),
    List(Vec<Tree>),
    Pair(Box<Tree>, Box<Tree>),
    Named { left: Box<Tree>, right: Box<Tree> },
    Table(BTreeMap<String, Tree>),
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Empty),
        Just(Tree::None),
        text().prop_map(Tree::Text),
        proptest::sample::select(vec!["", "a", "ab"]).prop_map(Tree::Name),
        proptest::sample::select(vec![0.0, -0.0, 1.0, 2.5]).prop_map(Tree::Number),
        proptest::sample::select(vec![0.0, -0.0, 1.0, 2.5]).prop_map(Tree::Small),
        Just(Tree::Maybe(None)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed().prop_map(|tree| Tree::Maybe(Some(tree))),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Tree::List),
            (boxed(), boxed()).prop_map(|(a, b)| Tree::Pair(a, b)),
            (boxed(), boxed()).prop_map(|(left, right)| Tree::Named { left, right }),
            proptest::collection::btree_map(text(), inner.clone(), 0..3).prop_map(Tree::Table),
        ]
    })
}

/// serde writes the value alone, and nothing that tells which of these it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Untagged {
    Byte(u8),
    Signed(i64),
    Unsigned(u64),
    Single(f32),
    Double(f64),
    Id(Id),
    Number(Number),
    Color(Color),
    Shape(Shape),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Id(pub u8);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Number(pub u8);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Color {
    Red,
    Grey(u8),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Shape {
    Circle,
    Square(u8),
}

pub(super) fn untagged() -> impl Strategy<Value = Untagged> {
    // Bytes that could be those of two numbers side by side.
    let bytes = [1, b',', b'i', b'D', b'I', b'F', 9, 255];
    let wide = || proptest::array::uniform8(proptest::sample::select(bytes.to_vec()));
    let byte = || proptest::sample::select(bytes.to_vec());
    prop_oneof![
        byte().prop_map(Untagged::Byte),
        wide().prop_map(|bytes| Untagged::Signed(i64::from_le_bytes(bytes))),
        wide().prop_map(|bytes| Untagged::Unsigned(u64::from_le_bytes(bytes))),
        Just(Untagged::Signed(-1)),
        Just(Untagged::Unsigned(u64::MAX)),
        Just(Untagged::Single(1.0)),
        Just(Untagged::Double(1.0)),
        byte().prop_map(|n| Untagged::Id(Id(n))),
        byte().prop_map(|n| Untagged::Number(Number(n))),
        Just(Untagged::Color(Color::Red)),
        Just(Untagged::Shape(Shape::Circle)),
        byte().prop_map(|n| Untagged::Color(Color::Grey(n))),
        byte().prop_map(|n| Untagged::Shape(Shape::Square(n))),
    ]
}

/// The pairs in the other order: insertion order is what a map must not show.
pub(super) trait ReverseByKey: Iterator + Sized {
    fn rev_by_key(self) -> impl Iterator<Item = Self::Item>
    where
        Self::Item: Ord,
    {
        let mut items: Vec<_> = self.collect();
        items.sort_by(|a, b| b.cmp(a));
        items.into_iter()
    }
}

impl<I: Iterator> ReverseByKey for I {}

pub(super) fn map(pairs: &[(String, u8)]) -> HashMap<String, u8> {
    pairs.iter().cloned().collect()
}

/// A hasher that gives every key the same hash, and so shows the order of insertion.
pub(super) type Colliding = BuildHasherDefault<Zero>;

#[derive(Default)]
pub(super) struct Zero;

impl Hasher for Zero {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, _bytes: &[u8]) {}
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Tagged(pub u8);

#[derive(Serialize)]
pub(super) struct Measure {
    pub of: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Range {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partial {
    pub id: u8,
    pub note: String,
}

/// The note is left out.
impl Hash for Partial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

#[derive(Hash)]
pub(super) struct OnlyHash(pub u8, pub String);

#[derive(Serialize)]
pub(super) struct View<'a> {
    pub name: &'a str,
    pub page: Option<u8>,
}

#[derive(Hash)]
pub(super) struct HashView<'a>(pub &'a str, pub Option<u8>);
