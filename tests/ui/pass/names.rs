//! Names: nested, imported, made by macros, shared with a module.

use dewar::{cached, entry, invalidate};

mod one {
    use dewar::cached;

    #[cached(timeout = 60)]
    pub(super) fn f(id: u64) -> u64 {
        id + 1
    }

    pub(in crate::pass) mod two {
        use dewar::cached;

        #[cached(timeout = 60)]
        pub(in crate::pass) async fn f(id: u64) -> u64 {
            id + 2
        }
    }
}

use one::f;
use one::f as g;
use one::two;

#[test]
fn imported_under_any_name() {
    assert_eq!((f(1), g(1)), (2, 2));
    invalidate!(f(1));
    assert!(!entry!(g(1)).contains());
    f(1);
    invalidate!(g(1));
    assert!(!entry!(f(1)).contains());
    f(1);
    invalidate!(self::one::f(1), two::f(1));
    assert!(!entry!(crate::pass::names::f(1)).contains());
    assert_eq!(futures::executor::block_on(two::f(1)), 3);
    invalidate!(one::two::f);
}

#[test]
fn inside_a_function() {
    #[cached(timeout = 60)]
    fn inner(id: u64) -> u64 {
        #[cached(timeout = 60)]
        fn innermost(id: u64) -> u64 {
            id + 1
        }
        innermost(id) + 1
    }
    assert_eq!(inner(1), 3);
    invalidate!(inner(1));
    assert!(!entry!(inner(1)).contains());
}

macro_rules! doubled {
    ($($name:ident: $t:ty = $timeout:expr),*) => {$(
        #[cached(timeout = $timeout, key_prefix = "doubled:{id}")]
        fn $name(id: $t) -> $t {
            id * 2
        }
    )*};
}

doubled!(small: u8 = 60, large: u64 = "1h");

macro_rules! repo {
    ($name:ident) => {
        struct $name;

        impl $name {
            #[cached(timeout = 60, skip(self))]
            fn double(&self, id: u64) -> u64 {
                id * 2
            }

            #[cached(timeout = 60, in_impl)]
            fn associated(id: u64) -> u64 {
                id * 3
            }
        }
    };
}

repo!(Made);

#[test]
fn made_by_a_macro() {
    assert_eq!((small(2), large(2)), (4, 4));
    invalidate!(small(2));
    assert!(!entry!(small(2)).contains());
    assert!(entry!(large(2)).contains());
    assert_eq!((Made.double(2), Made::associated(2)), (4, 6));
    invalidate!(Made.double(2), Made::associated(2));
    assert!(!entry!(Made.double(2)).contains());
}

#[cached(timeout = 60, companion = users_entries)]
fn users(id: u64) -> u64 {
    users::first() + id
}

mod users {
    pub(super) fn first() -> u64 {
        1
    }
}

#[test]
fn beside_a_module_of_the_same_name() {
    assert_eq!(users(1), 2);
    invalidate!(users_entries(1));
    assert!(!entry!(users_entries(1)).contains());
}

/// Names that the expansion uses too.
#[cached(timeout = 60, unless = mode == 0, cache_if = |plan| *plan > 0)]
fn shadows(mode: u64, plan: u64, site: u64, body: u64, missing: u64, at: u64, b: u64) -> u64 {
    mode + plan + site + body + missing + at + b
}

#[test]
fn names_of_the_expansion_are_free() {
    mod dewar {}
    mod core {}
    assert_eq!(shadows(1, 1, 1, 1, 1, 1, 1), 7);
}
