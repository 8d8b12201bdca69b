//! Methods, of types and of traits.

use std::hash::Hash;
use std::sync::Arc;

use dewar::{cached, entry, invalidate};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct User {
    id: u64,
}

impl User {
    #[cached(timeout = 60)]
    fn older(self, than: Self) -> Self {
        User {
            id: self.id.max(than.id),
        }
    }

    #[cached(timeout = 60)]
    fn all(ids: Vec<u64>) -> Option<Vec<Self>> {
        Some(ids.into_iter().map(|id| Self { id }).collect())
    }

    #[cached(timeout = 60, key_prefix = "user:{self.id}")]
    async fn loaded(self: Arc<Self>) -> Result<Arc<Self>, String> {
        Ok(self)
    }

    #[cached(timeout = 60)]
    fn boxed(self: Box<Self>, other: &Self) -> u64 {
        self.id + other.id
    }

    #[cached(timeout = 60)]
    async fn by_reference(&self, other: Option<&Self>) -> u64 {
        self.id + other.map_or(0, |other| other.id)
    }

    #[cached(timeout = 60)]
    fn recursive(&self, n: u64) -> u64 {
        if n == 0 {
            self.id
        } else {
            self.recursive(n - 1) + 1
        }
    }
}

trait Named {
    fn name(&self, upper: bool) -> String;
    fn length(text: &str) -> usize;
    async fn fetched(&self, id: u64) -> Result<u64, String>;
    fn provided(&self) -> u64 {
        1
    }
}

impl Named for User {
    #[cached(timeout = 60, key_prefix = "named:{self.id}")]
    fn name(&self, upper: bool) -> String {
        format!("{}{upper}", self.id)
    }

    #[cached(timeout = 60)]
    fn length(text: &str) -> usize {
        text.len()
    }

    #[cached(timeout = 60, skip(self), tags("fetched"))]
    async fn fetched(&self, id: u64) -> Result<u64, String> {
        Ok(id + self.id)
    }
}

struct Other;

impl Named for Other {
    #[cached(timeout = 60, skip(self))]
    fn name(&self, upper: bool) -> String {
        format!("other{upper}")
    }

    #[cached(timeout = 60)]
    fn length(text: &str) -> usize {
        text.len() + 100
    }

    #[cached(timeout = 60, skip(self))]
    async fn fetched(&self, id: u64) -> Result<u64, String> {
        Ok(id + 100)
    }

    #[cached(timeout = 60, skip(self))]
    fn provided(&self) -> u64 {
        2
    }
}

impl<T: Hash + Eq + Clone + Send + Sync + 'static> Named for Vec<T> {
    #[cached(timeout = 60)]
    fn name(&self, upper: bool) -> String {
        format!("{}{upper}", self.len())
    }

    #[cached(timeout = 60)]
    fn length(text: &str) -> usize {
        text.len() + size_of::<T>()
    }

    #[cached(timeout = 60, in_trait)]
    async fn fetched(&self, id: u64) -> Result<u64, String> {
        Ok(id + self.len() as u64)
    }
}

#[test]
fn all_of_them() {
    let user = || User { id: 1 };
    assert_eq!(user().older(User { id: 2 }), User { id: 2 });
    assert_eq!(User::all(vec![1]), Some(vec![user()]));
    let loaded = futures::executor::block_on(Arc::new(user()).loaded());
    assert_eq!(loaded.unwrap().id, 1);
    assert_eq!(Box::new(user()).boxed(&user()), 2);
    let found = futures::executor::block_on(user().by_reference(Some(&user())));
    assert_eq!(found, 2);
    assert_eq!(user().recursive(3), 4);
    assert_eq!(user().name(true), "1true");
    assert_eq!(Other.name(true), "othertrue");
    assert_eq!(vec![1].name(true), "1true");
    assert_eq!(
        [
            User::length("a"),
            Other::length("a"),
            Vec::<u8>::length("a")
        ],
        [1, 101, 2]
    );
    assert_eq!(Vec::<u32>::length("a"), 5);
    assert_eq!((user().provided(), Other.provided()), (1, 2));
    futures::executor::block_on(async {
        assert_eq!(user().fetched(1).await, Ok(2));
        assert_eq!(Other.fetched(1).await, Ok(101));
        assert_eq!(vec![1_u8].fetched(1).await, Ok(2));
    });
}

#[test]
fn each_has_an_entry() {
    let user = User { id: 50 };
    user.recursive(0);
    invalidate!(user.recursive(0));
    assert!(!entry!(user.recursive(0)).contains());
    assert!(!entry!(User::recursive(&user, 0)).contains());
    User::all(vec![51]);
    invalidate!(User::all);
    assert!(!entry!(User::all(vec![51])).contains());
    user.name(true);
    invalidate!(prefix = "named:50");
}
