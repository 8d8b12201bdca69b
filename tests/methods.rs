//! Methods, associated functions and trait impls: is `self` part of the key?

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use dewar::testing::isolated;
use dewar::{cached, entry, invalidate};
use futures::executor::block_on;

thread_local! {
    static RUNS: Cell<u64> = const { Cell::new(0) };
}

/// A body ran; gives its value back.
fn ran<T>(value: T) -> T {
    RUNS.set(RUNS.get() + 1);
    value
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Tenant {
    id: u64,
}

impl Tenant {
    #[cached]
    fn by_self(&self, n: u64) -> u64 {
        ran(self.id * 1_000 + n)
    }

    #[cached(skip(self))]
    fn without_self(&self, n: u64) -> u64 {
        ran(n)
    }

    #[cached(
        skip(self),
        key_prefix = "tenant:{self.id}:{n}",
        tags("tenant:{self.id}")
    )]
    async fn by_prefix(&self, n: u64) -> u64 {
        ran(self.id * 1_000 + n)
    }

    #[cached(key = (self.id, n))]
    fn by_key(self: Arc<Self>, n: u64, noise: f64) -> u64 {
        let _ = noise;
        ran(self.id * 1_000 + n)
    }

    #[cached]
    fn by_value(self) -> u64 {
        ran(self.id)
    }

    #[cached]
    fn associated(n: u64) -> u64 {
        ran(n)
    }

    #[cached]
    fn same_name(n: u64) -> &'static str {
        let _ = n;
        ran("tenant")
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Other;

impl Other {
    #[cached]
    fn same_name(n: u64) -> &'static str {
        let _ = n;
        ran("other")
    }
}

trait Named {
    fn name(&self, n: u64) -> String;
    fn kind() -> String;
    fn later(&self) -> impl Future<Output = u64> + Send;
}

impl Named for Tenant {
    #[cached(tags("names"))]
    fn name(&self, n: u64) -> String {
        ran(format!("tenant {} {n}", self.id))
    }

    #[cached]
    fn kind() -> String {
        ran("tenant".into())
    }

    #[cached]
    async fn later(&self) -> u64 {
        ran(self.id)
    }
}

impl Named for Other {
    #[cached(tags("names"))]
    fn name(&self, n: u64) -> String {
        ran(format!("other {n}"))
    }

    #[cached]
    fn kind() -> String {
        ran("other".into())
    }

    #[cached]
    async fn later(&self) -> u64 {
        ran(0)
    }
}

struct Wrapper<T>(T);

impl<T: Clone + Eq + std::hash::Hash + Send + Sync + 'static> Wrapper<T> {
    #[cached(in_impl(generic), key = (self.0))]
    fn size(&self) -> usize {
        ran(size_of::<T>())
    }
}

/// How many bodies run.
fn runs(run: impl FnOnce()) -> u64 {
    RUNS.set(0);
    isolated(|_| run());
    RUNS.get()
}

const ONE: Tenant = Tenant { id: 1 };
const TWO: Tenant = Tenant { id: 2 };

#[test]
fn self_is_part_of_the_key() {
    let run = || {
        assert_eq!(
            (ONE.by_self(5), TWO.by_self(5), ONE.by_self(5)),
            (1_005, 2_005, 1_005)
        )
    };
    assert_eq!(runs(run), 2);
    assert_eq!(
        runs(|| assert_eq!((ONE.by_value(), TWO.by_value(), ONE.by_value()), (1, 2, 1))),
        2
    );
}

#[test]
fn a_skipped_self_is_not() {
    assert_eq!(
        runs(|| assert_eq!((ONE.without_self(5), TWO.without_self(5)), (5, 5))),
        1
    );
}

#[test]
fn what_a_prefix_names_of_a_skipped_self_is() {
    let run = || {
        futures::executor::block_on(async {
            assert_eq!(
                (ONE.by_prefix(5).await, TWO.by_prefix(5).await),
                (1_005, 2_005)
            );
            invalidate!(tag = "tenant:1").await.unwrap();
            assert_eq!(
                (ONE.by_prefix(5).await, TWO.by_prefix(5).await),
                (1_005, 2_005)
            );
        });
    };
    assert_eq!(runs(run), 3);
}

#[test]
fn a_part_of_self_can_be_chosen() {
    let run = || {
        let shared = Arc::new(ONE);
        assert_eq!(Arc::clone(&shared).by_key(5, 0.5), 1_005);
        assert_eq!(shared.by_key(5, 0.75), 1_005);
    };
    assert_eq!(runs(run), 1);
}

#[test]
fn methods_of_one_name_in_two_impls_are_apart() {
    let run = || {
        assert_eq!(
            (Tenant::same_name(1), Other::same_name(1)),
            ("tenant", "other")
        )
    };
    assert_eq!(runs(run), 2);
}

#[test]
fn a_trait_method_implemented_twice_is_two_functions() {
    let run = || {
        assert_eq!(
            (ONE.name(1), Other.name(1)),
            ("tenant 1 1".into(), "other 1".into())
        );
        assert_eq!(
            (Tenant::kind(), Other::kind()),
            ("tenant".into(), "other".into())
        );
        futures::executor::block_on(async {
            assert_eq!(
                (ONE.later().await, Other.later().await, ONE.later().await),
                (1, 0, 1)
            );
        });
        invalidate!(tag = "names").wait().unwrap();
        let _ = (ONE.name(1), Other.name(1));
    };
    assert_eq!(runs(run), 8);
}

#[test]
fn the_types_around_a_method_count() {
    let run = || {
        assert_eq!(
            (
                Wrapper(1_u8).size(),
                Wrapper(1_u64).size(),
                Wrapper(1_u8).size()
            ),
            (1, 8, 1)
        )
    };
    assert_eq!(runs(run), 2);
}

#[test]
fn methods_and_associated_functions_have_entries() {
    let run = || {
        let _ = (ONE.by_self(5), TWO.by_self(5), Tenant::associated(5));
        invalidate!(ONE.by_self(5), Tenant::associated(5))
            .wait()
            .unwrap();
        assert!(!entry!(ONE.by_self(5)).contains() && !entry!(Tenant::associated(5)).contains());
        assert_eq!(entry!(TWO.by_self(5)).get(), Some(2_005));
        invalidate!(Tenant::by_self).wait().unwrap();
        assert!(!entry!(TWO.by_self(5)).contains());
    };
    assert_eq!(runs(run), 3);
}

trait Sums {
    fn sums(&self, ids: &[u64], pair: (u64, u64)) -> HashMap<u64, u64>;
    fn sums_later(
        &self,
        pair: (u64, u64),
        ids: Vec<u64>,
    ) -> impl Future<Output = Result<HashMap<u64, u64>, String>>;
}

impl Sums for Tenant {
    #[cached(batch = ids)]
    fn sums(&self, mut ids: &[u64], (a, b): (u64, u64)) -> HashMap<u64, u64> {
        let all = ran(ids.iter().map(|id| (*id, self.id + id + a * b)).collect());
        ids = &[];
        assert!(ids.is_empty());
        all
    }

    #[cached(batch = ids)]
    async fn sums_later(
        &self,
        (a, mut b): (u64, u64),
        mut ids: Vec<u64>,
    ) -> Result<HashMap<u64, u64>, String> {
        b += a;
        ids.retain(|id| *id != 404);
        Ok(ran(ids.into_iter().map(|id| (id, self.id + b)).collect()))
    }
}

#[test]
fn a_batch_of_a_trait_may_take_arguments_apart() {
    isolated(|_| {
        let tenant = Tenant { id: 100 };
        let expected = HashMap::from([(1, 107), (2, 108)]);
        assert_eq!(tenant.sums(&[1, 2], (2, 3)), expected);
        assert_eq!(tenant.sums(&[2, 1], (2, 3)), expected);
        assert_eq!(tenant.sums(&[1], (1, 6)), HashMap::from([(1, 107)]));
        assert_eq!(RUNS.get(), 2, "(2, 3) is not (1, 6)");
        let later = || block_on(tenant.sums_later((2, 3), vec![1, 404]));
        assert_eq!(later(), Ok(HashMap::from([(1, 105)])));
        assert_eq!((later().unwrap().len(), RUNS.get()), (1, 4), "404 again");
    });
}
