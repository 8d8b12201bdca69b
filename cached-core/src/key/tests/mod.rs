//! Keys from outside: what is equal by value is one key, what is not is another.

use std::any::TypeId;

use super::stable::Stable;
use super::{AnyKey, OwnedKey, Parts};

/// The part that generated code makes of an argument.
macro_rules! part {
    ($value:expr) => {
        $crate::key::arg(&$value).part()
    };
}

/// The parts that generated code makes of several arguments.
macro_rules! parts {
    () => { () };
    ($first:expr $(, $rest:expr)*) => { (part!($first), parts!($($rest),*)) };
}

mod examples;
mod properties;
mod samples;

fn hash(parts: &impl Parts) -> u64 {
    super::hash(TypeId::of::<()>(), parts)
}

/// The bytes for a shared store.
fn stable(parts: &impl Parts) -> String {
    let mut out = Stable::default();
    parts.stable(&mut out);
    format!("{out:?}")
}

fn owned<P: Parts>(parts: &P) -> OwnedKey<P::Owned> {
    OwnedKey {
        hash: hash(parts),
        marker: TypeId::of::<()>(),
        parts: parts.own(),
    }
}

/// Whether two lists of arguments are one key. Every way to tell must give the same answer.
fn same<A: Parts, B: Parts<Owned = A::Owned>>(a: &A, b: &B) -> bool {
    assert!(a.matches(&a.own()), "a key matches itself");
    assert!(b.matches(&b.own()), "a key matches itself");
    let same = a.own() == b.own();
    assert_eq!(a.matches(&b.own()), same, "`matches` and `own` differ");
    assert_eq!(b.matches(&a.own()), same, "`matches` and `own` differ");
    assert_eq!(owned(a).same(&owned(b)), same, "the erased keys differ");
    assert_eq!(stable(a) == stable(b), same, "the bytes for a store differ");
    assert!(!same || hash(a) == hash(b), "one key, two hashes");
    same
}
