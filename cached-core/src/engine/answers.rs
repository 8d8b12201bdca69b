//! What goes into a batch and what comes out: the collections of keys, and of keys with values.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::at::At;
use super::batch::{Batch, BatchEntry, BlockingBatchEntry};

/// What holds the keys of a batch: `&[K]`, `Vec<K>` or `HashSet<K>`.
pub trait Keys {
    /// One key.
    type Key: Clone + Eq + Hash;

    /// All keys.
    fn each(&self) -> impl Iterator<Item = &Self::Key>;
}

impl<K: Clone + Eq + Hash> Keys for [K] {
    type Key = K;

    fn each(&self) -> impl Iterator<Item = &K> {
        self.iter()
    }
}

impl<K: Clone + Eq + Hash> Keys for Vec<K> {
    type Key = K;

    fn each(&self) -> impl Iterator<Item = &K> {
        self.iter()
    }
}

impl<K: Clone + Eq + Hash, S> Keys for HashSet<K, S> {
    type Key = K;

    fn each(&self) -> impl Iterator<Item = &K> {
        self.iter()
    }
}

/// What a batch returns: a `HashMap`, a `BTreeMap`, or a `Vec` of pairs, as it is or in a `Result`
/// or an `Option`.
#[diagnostic::on_unimplemented(
    message = "a batch cannot return `{Self}`",
    label = "not one value for each key",
    note = "return `HashMap<K, V>`, `BTreeMap<K, V>` or `Vec<(K, V)>`, or one of them in a `Result` or an `Option`"
)]
pub trait Answers: Sized {
    /// One key.
    type Key;
    /// What is stored for it.
    type Value;
    /// `R`, which holds this, looked up. Generated code names it and its handles in this way, so that what is no batch makes one error.
    type Looked<R: Answers<Value: 'static>>;
    /// A handle on its entries, for an `async fn` with that body.
    type Handle<R: Answers<Value: 'static>, B>;
    /// The same for a function that blocks.
    type BlockingHandle<R: Answers<Value: 'static>, B>;

    /// The pairs.
    ///
    /// # Errors
    /// The whole, where it is an `Err` or `None`.
    fn pairs(self) -> Result<Pairs<Self>, Self>;

    /// The whole made of pairs.
    fn whole(pairs: Pairs<Self>) -> Self;

    /// Looks every key up.
    fn look<I>(keys: &I, at: impl FnMut(&Self::Key) -> At<Self::Value>) -> Self::Looked<Self>
    where
        I: Keys<Key = Self::Key> + ?Sized,
        Self: Answers<Key: Clone + Eq + Hash, Value: 'static>,
        Batch<Self>: Into<Self::Looked<Self>>,
    {
        Batch::look(keys, at).into()
    }
}

/// The keys of a batch with their values.
type Pairs<A> = Vec<(<A as Answers>::Key, <A as Answers>::Value)>;

impl<K: Eq + Hash, V: 'static, S: BuildHasher + Default> Answers for HashMap<K, V, S> {
    type Key = K;
    type Value = V;
    type Looked<R: Answers<Value: 'static>> = Batch<R>;
    type Handle<R: Answers<Value: 'static>, B> = BatchEntry<R, B>;
    type BlockingHandle<R: Answers<Value: 'static>, B> = BlockingBatchEntry<R, B>;

    fn pairs(self) -> Result<Vec<(K, V)>, Self> {
        Ok(self.into_iter().collect())
    }

    fn whole(pairs: Vec<(K, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Ord, V: 'static> Answers for BTreeMap<K, V> {
    type Key = K;
    type Value = V;
    type Looked<R: Answers<Value: 'static>> = Batch<R>;
    type Handle<R: Answers<Value: 'static>, B> = BatchEntry<R, B>;
    type BlockingHandle<R: Answers<Value: 'static>, B> = BlockingBatchEntry<R, B>;

    fn pairs(self) -> Result<Vec<(K, V)>, Self> {
        Ok(self.into_iter().collect())
    }

    fn whole(pairs: Vec<(K, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K, V: 'static> Answers for Vec<(K, V)> {
    type Key = K;
    type Value = V;
    type Looked<R: Answers<Value: 'static>> = Batch<R>;
    type Handle<R: Answers<Value: 'static>, B> = BatchEntry<R, B>;
    type BlockingHandle<R: Answers<Value: 'static>, B> = BlockingBatchEntry<R, B>;

    fn pairs(self) -> Result<Vec<(K, V)>, Self> {
        Ok(self)
    }

    fn whole(pairs: Vec<(K, V)>) -> Self {
        pairs
    }
}

#[diagnostic::do_not_recommend]
impl<A: Answers<Value: 'static>, E> Answers for Result<A, E> {
    type Key = A::Key;
    type Value = A::Value;
    type Looked<R: Answers<Value: 'static>> = A::Looked<R>;
    type Handle<R: Answers<Value: 'static>, B> = A::Handle<R, B>;
    type BlockingHandle<R: Answers<Value: 'static>, B> = A::BlockingHandle<R, B>;

    fn pairs(self) -> Result<Vec<(A::Key, A::Value)>, Self> {
        match self {
            Ok(answers) => answers.pairs().map_err(Ok),
            Err(error) => Err(Err(error)),
        }
    }

    fn whole(pairs: Vec<(A::Key, A::Value)>) -> Self {
        Ok(A::whole(pairs))
    }
}

#[diagnostic::do_not_recommend]
impl<A: Answers<Value: 'static>> Answers for Option<A> {
    type Key = A::Key;
    type Value = A::Value;
    type Looked<R: Answers<Value: 'static>> = A::Looked<R>;
    type Handle<R: Answers<Value: 'static>, B> = A::Handle<R, B>;
    type BlockingHandle<R: Answers<Value: 'static>, B> = A::BlockingHandle<R, B>;

    fn pairs(self) -> Result<Vec<(A::Key, A::Value)>, Self> {
        match self {
            Some(answers) => answers.pairs().map_err(Some),
            None => Err(None),
        }
    }

    fn whole(pairs: Vec<(A::Key, A::Value)>) -> Self {
        Some(A::whole(pairs))
    }
}
