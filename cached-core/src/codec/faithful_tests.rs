//! What is encoded decodes to itself; what cannot is refused.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Format;

/// Compared by its bits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Double(f64);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Single(f32);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Gaps {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<u8>,
    b: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    c: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Around<T>(T);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Value {
    Plain,
    Double(Double),
    Single(Single, Option<Single>),
    Twice(Option<Option<u8>>),
    Thrice(Option<Option<Option<bool>>>),
    Nothing(Option<()>, Option<Unit>),
    Wrapped(Option<Around<Option<i128>>>),
    Either(Option<Result<char, ()>>),
    Gaps(Gaps),
    Named {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        b: u8,
    },
    Map(BTreeMap<u32, Option<Double>>),
    Texts(BTreeMap<String, (Option<()>, i64)>),
    Many(Vec<Value>),
    Perhaps(Option<Box<Value>>),
}

fn value() -> impl Strategy<Value = Value> {
    let double = || any::<u64>().prop_map(|bits| Double(f64::from_bits(bits)));
    let finite = any::<f64>().prop_map(Double);
    let double = prop_oneof![double(), finite];
    let single = || any::<u32>().prop_map(|bits| Single(f32::from_bits(bits)));
    let unit = || proptest::option::of(Just(Unit));
    let around = any::<Option<Option<i128>>>().prop_map(|of| of.map(Around));
    let gaps = any::<(Option<u8>, u8, Vec<u8>)>().prop_map(|(a, b, c)| Gaps { a, b, c });
    let map =
        proptest::collection::btree_map(any::<u32>(), proptest::option::of(double.clone()), 0..4);
    let leaf = prop_oneof![
        Just(Value::Plain),
        double.prop_map(Value::Double),
        (single(), proptest::option::of(single())).prop_map(|(a, b)| Value::Single(a, b)),
        any::<Option<Option<u8>>>().prop_map(Value::Twice),
        any::<Option<Option<Option<bool>>>>().prop_map(Value::Thrice),
        (any::<Option<()>>(), unit()).prop_map(|(a, b)| Value::Nothing(a, b)),
        around.prop_map(Value::Wrapped),
        any::<Option<Result<char, ()>>>().prop_map(Value::Either),
        gaps.prop_map(Value::Gaps),
        any::<(Option<u8>, u8)>().prop_map(|(a, b)| Value::Named { a, b }),
        map.prop_map(Value::Map),
        any::<BTreeMap<String, (Option<()>, i64)>>().prop_map(Value::Texts),
    ];
    leaf.prop_recursive(4, 16, 4, |of| {
        prop_oneof![
            proptest::collection::vec(of.clone(), 0..4).prop_map(Value::Many),
            proptest::option::of(of.prop_map(Box::new)).prop_map(Value::Perhaps),
        ]
    })
}

fn formats() -> impl Iterator<Item = Format> {
    (0..=u8::MAX).filter_map(Format::of)
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(value in value()) {
        for format in formats() {
            if let Some(bytes) = format.encode(&value) {
                let decoded = format.decode::<Value>(&bytes);
                prop_assert_eq!(decoded, Some(value.clone()), "{:?}", format);
            }
        }
    }
}

/// Says which formats refuse it; the others bring it back.
fn refused<T: Serialize + DeserializeOwned + Debug + PartialEq>(value: T) -> Vec<u8> {
    let mut refusing = Vec::new();
    for format in formats() {
        match format.encode(&value) {
            Some(bytes) => assert_eq!(format.decode::<T>(&bytes).as_ref(), Some(&value)),
            None => refusing.push(format.byte()),
        }
    }
    refusing
}

/// Those of them that this build has.
fn of(bytes: &[u8]) -> Vec<u8> {
    let known = bytes.iter().filter(|byte| Format::of(**byte).is_some());
    known.copied().collect()
}

const JSON: u8 = 1;
const MSGPACK: u8 = 2;
const POSTCARD: u8 = 3;

#[test]
fn json_has_finite_floats_only() {
    let json = of(&[JSON]);
    for float in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        #[expect(clippy::cast_possible_truncation, reason = "these have a form in both")]
        let single = Single(float as f32);
        let double = Double(float);
        assert_eq!(refused(double), json);
        assert_eq!(refused(single), json);
        assert_eq!(refused((Some(double), 1)), json);
        assert_eq!(refused(vec![Double(1.0), double]), json);
        assert_eq!(refused(Ok::<_, ()>(Around(double))), json);
        assert_eq!(refused(Value::Single(single, None)), json);
        assert_eq!(refused(BTreeMap::from([("a".to_owned(), single)])), json);
    }
    for float in [
        0.0,
        -0.0,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        5e-324,
        0.1,
    ] {
        assert_eq!(refused(Double(float)), of(&[]));
        assert_eq!(refused((Some(Double(float)), vec![Double(float)])), of(&[]));
    }
}

#[test]
fn formats_with_a_nil_for_none_refuse_some_of_a_nil() {
    let named = of(&[JSON, MSGPACK]);
    assert_eq!(refused(Some(None::<u8>)), named);
    assert_eq!(refused(Some(Some(None::<u8>))), named);
    assert_eq!(refused(Some(())), named);
    assert_eq!(refused(Some(Unit)), named);
    assert_eq!(refused(Some(Around(()))), named);
    assert_eq!(refused(Some(Around(None::<u8>))), named);
    assert_eq!(refused(vec![Some(Some(None::<u8>))]), named);
    assert_eq!(refused((None::<u8>, (), Unit, Around(None::<u8>))), of(&[]));
    assert_eq!(refused([None::<Option<u8>>, Some(Some(1))]), of(&[]));
    assert_eq!(refused(Some((None::<u8>, ()))), of(&[]));
    assert_eq!(refused(Some(vec![None::<u8>])), of(&[]));
    assert_eq!(refused(Some(Ok::<Option<u8>, ()>(None))), of(&[]));
    assert_eq!(refused(Some(Err::<u8, ()>(()))), of(&[]));
}

#[test]
fn postcard_has_no_fields_that_are_left_out() {
    let (whole, postcard) = (vec![9, 0], of(&[POSTCARD]));
    let gaps = |a, c: &[u8]| Gaps {
        a,
        b: 1,
        c: c.to_vec(),
    };
    assert_eq!(refused(gaps(Some(2), &whole)), of(&[]));
    assert_eq!(refused(gaps(None, &whole)), postcard);
    assert_eq!(refused(gaps(Some(2), &[])), postcard);
    assert_eq!(refused(vec![Some(gaps(None, &[]))]), postcard);
    assert_eq!(refused(Value::Named { a: Some(1), b: 2 }), of(&[]));
    assert_eq!(refused(Value::Named { a: None, b: 2 }), postcard);
}
