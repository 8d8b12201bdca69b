//! Values that look alike, that are next to nothing, or that fail.

use std::any::TypeId;
use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use serde::ser::{Error, SerializeStruct};
use serde::{Serialize, Serializer};

use super::samples::{OnlyHash, Untagged};
use super::{hash, same, stable};
use crate::key::{AnyKey, OwnedKey, Parts};

/// Cannot be serialised, in one of several ways.
#[derive(Debug)]
enum Broken {
    AtOnce,
    HalfWay,
    Display,
}

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Broken::AtOnce => Err(S::Error::custom("no")),
            Broken::HalfWay => {
                let mut fields = serializer.serialize_struct("Broken", 2)?;
                fields.serialize_field("whole", &1)?;
                Err(S::Error::custom("no"))
            }
            Broken::Display => serializer.collect_str(self),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so far")?;
        Err(fmt::Error)
    }
}

/// A value that cannot be serialised is equal to nothing, itself included.
fn lonely<P: Parts>(parts: &P) {
    let owned = parts.own();
    assert!(
        owned == owned.clone(),
        "a key that is kept is equal to itself"
    );
    assert!(owned != parts.own());
    assert!(!parts.matches(&owned));
}

#[test]
fn a_value_that_cannot_be_serialised() {
    for broken in [Broken::AtOnce, Broken::HalfWay, Broken::Display] {
        lonely(&parts!(broken));
        lonely(&parts!(&broken));
        lonely(&parts!(Some(&broken)));
        lonely(&parts!(vec![&broken]));
        lonely(&parts!(1u8, (2u8, broken)));
    }
}

/// Fails in a set among elements that do not.
#[derive(PartialEq, Eq, Hash)]
struct Picky(u8);

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            0 => Err(S::Error::custom("no")),
            n => serializer.serialize_u8(n),
        }
    }
}

#[test]
fn a_set_with_an_element_that_cannot_be_serialised() {
    lonely(&parts!(HashSet::from([Picky(0), Picky(1)])));
    assert!(same(
        &parts!(HashSet::from([Picky(2), Picky(1)])),
        &parts!(HashSet::from([Picky(1), Picky(2)]))
    ));
}

/// Everything that is next to nothing is something else, side by side too.
#[test]
fn next_to_nothing() {
    fn differ<P: Parts + Debug>(all: &[P]) {
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(same(one, other), at == other_at, "{one:?} and {other:?}");
                assert_eq!(
                    hash(one) == hash(other),
                    at == other_at,
                    "{one:?} {other:?}"
                );
            }
        }
    }
    differ(&[
        parts!(None::<Option<&str>>),
        parts!(Some(None::<&str>)),
        parts!(Some(Some(""))),
        parts!(Some(Some("\0"))),
        parts!(Some(Some("0"))),
    ]);
    differ(&[
        parts!("", "", ""),
        parts!("ab", "c", ""),
        parts!("a", "bc", ""),
        parts!("", "abc", ""),
        parts!("abc", "", ""),
        parts!("", "", "abc"),
        parts!("a\u{ff}", "b", "c"),
        parts!("a", "\u{ff}b", "c"),
    ]);
    differ(&[
        parts!(vec![vec![1u8], vec![]]),
        parts!(vec![vec![], vec![1u8]]),
        parts!(vec![vec![1u8]]),
        parts!(vec![vec![]]),
        parts!(Vec::<Vec<u8>>::new()),
    ]);
    differ(&[
        parts!(None::<u8>, None::<u8>),
        parts!(Some(0u8), None::<u8>),
        parts!(None::<u8>, Some(0u8)),
        parts!(Some(0u8), Some(0u8)),
        parts!(Some(1u8), Some(0u8)),
    ]);
}

/// Values that were one key once.
#[test]
fn look_alikes() {
    let number = |value| Holder { value, of: 0.5 };
    let minus_one = number(serde_json::json!(-1));
    assert!(!same(
        &parts!(minus_one),
        &parts!(number(serde_json::json!(u64::MAX)))
    ));
    // `Path` tells a hasher the same for both.
    let (one, other) = (PathBuf::from("x/abcdef/y"), PathBuf::from("xabcd/e/fy"));
    assert!(!same(&parts!(one), &parts!(other)));
    // Each list is the bytes of the other, cut elsewhere, where a kind does not tell the width.
    let wide = |bytes| Untagged::Unsigned(u64::from_le_bytes(bytes));
    let one = [Untagged::Byte(1), wide([9, 9, 9, 9, 9, b',', b'i', 7])];
    let other = [wide([1, b',', b'i', 9, 9, 9, 9, 9]), Untagged::Byte(7)];
    assert!(!same(&parts!(one), &parts!(other)));
}

#[derive(Serialize)]
struct Holder {
    value: serde_json::Value,
    of: f64,
}

/// A key is of one function and of one type.
#[test]
fn the_marker_and_the_types_count() {
    let key = |marker, parts| OwnedKey {
        hash: 1,
        marker,
        parts,
    };
    let (one, other) = (TypeId::of::<u8>(), TypeId::of::<u16>());
    assert!(key(one, 7u32).same(&key(one, 7u32)));
    assert!(!key(one, 7u32).same(&key(other, 7u32)));
    assert!(!key(one, 7u32).same(&key(one, 8u32)));
    let signed = OwnedKey {
        hash: 1,
        marker: one,
        parts: 7i32,
    };
    assert!(!key(one, 7u32).same(&signed));
    assert_ne!(
        crate::key::hash(one, &parts!(7)),
        crate::key::hash(other, &parts!(7))
    );
}

/// The order and number of arguments are part of the key.
#[test]
fn arguments_in_another_order() {
    assert!(!same(&parts!(1u8, 2u8), &parts!(2u8, 1u8)));
    assert_ne!(stable(&parts!(1u8)), stable(&parts!(1u8, 1u8)));
    assert_ne!(stable(&parts!(1u8, ())), stable(&parts!((), 1u8)));
}

/// What a type's own way to be hashed says of it is what its digest says.
#[test]
fn a_digest_is_keyed() {
    let mut plain = DefaultHasher::new();
    OnlyHash(1, "a".to_owned()).hash(&mut plain);
    let (digest, ()) = parts!(OnlyHash(1, "a".to_owned())).own();
    assert!(!digest.contains(&plain.finish()));
}
