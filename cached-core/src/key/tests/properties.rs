//! What holds for all values.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use serde::Serialize;

use super::samples::*;
use super::{AnyKey, Parts, hash, owned, same, stable};
use crate::key::borrowed;

proptest! {
    #[test]
    fn texts((a, b) in pairs(|| (text(), text()))) {
        let equal = a == b;
        prop_assert_eq!(same(&parts!(a.0, a.1), &parts!(b.0, b.1)), equal);
        let (a, b) = ((a.0.as_str(), a.1.as_str()), (b.0.as_str(), b.1.as_str()));
        prop_assert_eq!(same(&parts!(a.0, a.1), &parts!(b.0, b.1)), equal);
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal);
    }

    #[test]
    fn lists((a, b) in pairs(|| {
        let inner = || proptest::collection::vec(text(), 0..3);
        proptest::collection::vec(inner(), 0..3)
    })) {
        let equal = a == b;
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal);
        prop_assert_eq!(same(&parts!(&a[..]), &parts!(b)), equal);
    }

    #[test]
    fn lists_side_by_side((a, b) in pairs(|| {
        let list = || proptest::collection::vec(0u8..3, 0..3);
        (list(), list())
    })) {
        prop_assert_eq!(same(&parts!(a.0, a.1), &parts!(b.0, b.1)), a == b);
    }

    #[test]
    fn options((a, b) in pairs(|| proptest::option::of(proptest::option::of(0u8..2)))) {
        prop_assert_eq!(same(&parts!(a), &parts!(b)), a == b);
        prop_assert_eq!(same(&parts!(a, 0u8), &parts!(b, 0u8)), a == b);
        let (a, b) = (a.map(|a| a.map(Tagged)), b.map(|b| b.map(Tagged)));
        prop_assert_eq!(same(&parts!(a), &parts!(b)), a == b);
    }

    #[test]
    fn floats((a, b) in pairs(number)) {
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal(a, b));
        prop_assert_eq!(same(&parts!([a]), &parts!(vec![b])), equal(a, b));
        let (wrapped, other) = (Measure { of: a }, Measure { of: b });
        prop_assert_eq!(same(&parts!(wrapped), &parts!(other)), equal(a, b));
        let (a, b) = (a as f32, b as f32);
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal(a.into(), b.into()));
    }

    #[test]
    fn what_can_only_be_serialised((a, b) in pairs(tree)) {
        let equal = a == b;
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal);
        prop_assert_eq!(same(&parts!(&a), &parts!(&b)), equal);
        prop_assert_eq!(same(&parts!(vec![&a, &b]), &parts!(vec![&b, &a])), equal);
    }

    #[test]
    fn what_serde_writes_without_its_name((a, b) in pairs(|| {
        proptest::collection::vec(untagged(), 0..3)
    })) {
        prop_assert_eq!(same(&parts!(a), &parts!(b)), a == b);
    }

    #[test]
    fn paths((a, b) in pairs(|| "[ab./]{0,8}".prop_map(PathBuf::from))) {
        prop_assert_eq!(same(&parts!(a), &parts!(b)), a == b);
        prop_assert_eq!(same(&parts!(vec![&a, &b]), &parts!(vec![&b, &a])), a == b);
    }

    #[test]
    fn maps((a, b) in pairs(|| proptest::collection::vec((text(), 0u8..3), 0..6))) {
        let (one, other) = (map(&a), map(&b));
        prop_assert_eq!(same(&parts!(one), &parts!(other)), one == other);
        let again: HashMap<String, u8> = one.clone().into_iter().rev_by_key().collect();
        prop_assert!(same(&parts!(one), &parts!(again)));
        let elsewhere: HashMap<String, u8, Colliding> = one.clone().into_iter().collect();
        prop_assert!(same(&parts!(one), &parts!(elsewhere)));
        prop_assert!(same(&parts!(vec![one]), &parts!(vec![elsewhere])));
    }

    #[test]
    fn sets((a, b) in pairs(|| proptest::collection::vec(text(), 0..6))) {
        let one: HashSet<String> = a.iter().cloned().collect();
        let other: HashSet<String> = b.iter().cloned().collect();
        prop_assert_eq!(same(&parts!(one), &parts!(other)), one == other);
        let again: HashSet<String> = a.iter().rev().cloned().collect();
        prop_assert!(same(&parts!(one), &parts!(&again)));
        let elsewhere: HashSet<String, Colliding> = a.into_iter().collect();
        prop_assert!(same(&parts!(one), &parts!(elsewhere)));
    }

    #[test]
    fn fields_that_may_be_left_out((a, b) in pairs(|| {
        let field = || proptest::option::of(0u8..2);
        (field(), field()).prop_map(|(from, to)| Range { from, to })
    })) {
        prop_assert_eq!(same(&parts!(a), &parts!(b)), a == b);
    }

    #[test]
    fn a_hash_that_leaves_a_field_out((a, b) in pairs(|| {
        (0u8..2, text()).prop_map(|(id, note)| Partial { id, note })
    })) {
        let equal = a == b;
        assert!(a.id != b.id || hash(&parts!(a)) == hash(&parts!(b)));
        prop_assert_eq!(parts!(a).own() == parts!(b).own(), equal);
        prop_assert_eq!(parts!(a).matches(&parts!(b).own()), equal);
        prop_assert_eq!(parts!(&a).matches(&parts!(&b).own()), equal);
        prop_assert_eq!(parts!(Some(&a)).matches(&parts!(Some(&b)).own()), equal);
        prop_assert_eq!(owned(&parts!(a)).same(&owned(&parts!(b))), equal);
    }

    #[test]
    fn only_a_hash((a, b) in pairs(|| (0u8..3, text()))) {
        let equal = a == b;
        let (a, b) = (OnlyHash(a.0, a.1), OnlyHash(b.0, b.1));
        prop_assert_eq!(same(&parts!(a), &parts!(b)), equal);
        prop_assert_eq!(same(&parts!(&a), &parts!(&b)), equal);
    }

    #[test]
    fn borrowed_or_owned(a in text(), b in proptest::collection::vec(text(), 0..3)) {
        let text = a.as_str();
        prop_assert!(same(&parts!(text), &parts!(&text)));
        prop_assert!(same(&parts!(text), &parts!(&&text)));
        prop_assert!(same(&parts!(text), &parts!(Cow::Borrowed(text))));
        prop_assert!(same(&parts!(text), &parts!(Cow::<'_, str>::Owned(a.clone()))));
        prop_assert!(same(&parts!(text), &parts!(Box::<str>::from(text))));
        prop_assert!(same(&parts!(text), &parts!(Arc::<str>::from(text))));
        prop_assert!(same(&parts!(text), &parts!(Rc::<str>::from(text))));
        prop_assert!(same(&parts!(a), &parts!(&a)));
        prop_assert!(same(&parts!(Some(&a)), &parts!(Some(a.clone()))));
        prop_assert!(same(&parts!(Some(text)), &parts!(Some(Cow::Borrowed(text)))));
        // Of another type, but in the same place.
        prop_assert_eq!(hash(&parts!(text)), hash(&parts!(a)));
        prop_assert_eq!(stable(&parts!(text)), stable(&parts!(a)));

        prop_assert!(same(&parts!(b), &parts!(&b[..])));
        prop_assert!(same(&parts!(b), &parts!(Cow::Borrowed(&b[..]))));
        let texts: Vec<&str> = b.iter().map(String::as_str).collect();
        let boxed: Vec<Box<str>> = b.iter().map(|text| text.as_str().into()).collect();
        prop_assert!(same(&parts!(texts), &parts!(boxed)));

        let path = PathBuf::from(&a);
        prop_assert!(same(&parts!(path), &parts!(path.as_path())));
        prop_assert!(same(&parts!(path), &parts!(&path)));
        prop_assert!(same(&parts!(path), &parts!(Cow::Borrowed(path.as_path()))));
        prop_assert!(same(&parts!(Some(&*path)), &parts!(Some(path.clone()))));

        let user = Partial { id: 1, note: a.clone() };
        prop_assert!(parts!(user).matches(&parts!(&user).own()));
        prop_assert!(parts!(Some(user.clone())).matches(&parts!(Some(&user)).own()));
        prop_assert!(parts!(vec![user.clone()]).matches(&parts!(&[user.clone()][..]).own()));
        prop_assert_eq!(hash(&parts!(vec![user.clone()])), hash(&parts!(&[user][..])));
    }

    #[test]
    fn a_type_with_a_lifetime((a, b) in pairs(|| (text(), proptest::option::of(0u8..2)))) {
        let view = |(name, page): &(String, Option<u8>)| (name.clone(), *page);
        let equal = view(&a) == view(&b);
        let (one, other) = (View { name: &a.0, page: a.1 }, View { name: &b.0, page: b.1 });
        let keys = ((borrowed(&one).part(), ()), (borrowed(&other).part(), ()));
        prop_assert_eq!(same(&keys.0, &keys.1), equal);
        let (one, other) = (Some(one), Some(other));
        let keys = ((borrowed(&one).part(), ()), (borrowed(&other).part(), ()));
        prop_assert_eq!(same(&keys.0, &keys.1), equal);
        let (one, other) = (HashView(&a.0, a.1), HashView(&b.0, b.1));
        let keys = ((borrowed(&one).part(), ()), (borrowed(&other).part(), ()));
        prop_assert_eq!(same(&keys.0, &keys.1), equal);
        let (one, other) = (Cow::Borrowed(&*a.0), Cow::Borrowed(&*b.0));
        let keys = ((borrowed(&one).part(), ()), (borrowed(&other).part(), ()));
        prop_assert_eq!(same(&keys.0, &keys.1), one == other);
    }

    #[test]
    fn generic_arguments((a, b) in pairs(|| (text(), 0u8..3))) {
        prop_assert_eq!(by_eq(&a, &b), a == b);
        prop_assert_eq!(by_eq(&a.0, &b.0), a.0 == b.0);
        prop_assert_eq!(by_serde(&a, &b), a == b);
        prop_assert_eq!(by_serde(a.0.as_str(), b.0.as_str()), a.0 == b.0);
        prop_assert_eq!(by_hash(&a, &b), a == b);
    }
}

fn by_eq<T: Hash + Eq + Clone + Send + Sync + 'static>(a: &T, b: &T) -> bool {
    assert_eq!(hash(&parts!(*a)), hash(&parts!(*a)));
    let same = parts!(*a).own() == parts!(*b).own();
    assert_eq!(parts!(*a).matches(&parts!(*b).own()), same);
    assert_eq!(parts!(a).matches(&parts!(b).own()), same);
    same
}

fn by_serde<T: Serialize + ?Sized>(a: &T, b: &T) -> bool {
    same(&parts!(*a), &parts!(*b))
}

fn by_hash<T: Hash>(a: &T, b: &T) -> bool {
    same(&parts!(*a), &parts!(*b))
}
