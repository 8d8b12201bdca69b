//! Cached functions that another crate calls and invalidates.

use dewar::cached;

/// A function.
#[cached(timeout = 60, key_prefix = "price:{id}", tags("prices"))]
pub fn price(id: u64) -> u64 {
    id * 100
}

/// One of the same name and arguments as one in a module.
pub mod inner {
    use dewar::cached;

    /// A function.
    #[cached(timeout = 60)]
    pub async fn price(id: u64) -> u64 {
        id * 1_000
    }
}

/// Type parameters and a skipped argument.
#[cached(timeout = 60, skip(log))]
pub fn sizes<T: std::hash::Hash + Eq + Clone + Send + Sync + 'static>(
    value: T,
    log: &dyn Fn(),
) -> usize {
    log();
    let _ = value;
    size_of::<T>()
}

/// Many keys in one call.
#[cached(timeout = 60, batch = ids)]
pub fn names(ids: &[u64]) -> std::collections::HashMap<u64, String> {
    ids.iter().map(|id| (*id, format!("name {id}"))).collect()
}

/// Something with methods.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Shop(pub u64);

impl Shop {
    /// A method.
    #[cached(timeout = 60)]
    pub fn total(&self, of: u64) -> u64 {
        self.0 + of
    }

    /// An associated function.
    #[cached(timeout = 60)]
    pub fn count(of: u64) -> u64 {
        of
    }
}
