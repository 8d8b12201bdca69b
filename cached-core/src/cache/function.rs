//! The statistics of one function.

use super::Cache;
use crate::engine::Function;
use crate::engine::site::Site;
use crate::stats::Stats;
use crate::sync::lock;

/// The statistics of one function in one cache: what `stats!` and
/// [`Cache::function`] return.
///
/// ```
/// use dewar::{cached, stats};
///
/// #[cached]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// # dewar::testing::isolated(|cache| {
/// square(4);
/// square(4);
/// let squares = stats!(square);
/// assert_eq!((squares.get().hits, squares.get().loads), (1, 1));
/// squares.reset();
/// assert_eq!(squares.get().lookups(), 0);
/// # });
/// ```
#[derive(Clone)]
#[must_use = "a handle does nothing by itself"]
pub struct FunctionStats {
    /// None: the function names a cache that does not exist, and runs uncached.
    cache: Option<Cache>,
    name: &'static str,
    /// Of the functions of this name the one with this number; none stands for all of them.
    id: Option<usize>,
}

impl FunctionStats {
    /// For generated code.
    #[doc(hidden)]
    pub fn of(site: &'static Site) -> Self {
        FunctionStats {
            cache: site.resolve().ok().map(|cache| cache.clone()),
            name: site.name(),
            id: Some(site.id()),
        }
    }

    /// `crate::module::function`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it has done so far: zeros before it is called for the first time.
    pub fn get(&self) -> Stats {
        let mut sum = Stats::default();
        self.each(|function| sum += function.counters.snapshot());
        sum
    }

    /// Sets its counters back to zero, and those of no other function; entries and bytes stay what
    /// they are. Of what is under way, only the rest is seen afterwards.
    pub fn reset(&self) {
        self.each(|function| function.counters.reset());
    }

    fn each(&self, mut of: impl FnMut(&Function)) {
        let Some(cache) = &self.cache else { return };
        let functions = lock(&cache.engine().functions);
        let named = functions.iter().filter(|(id, function)| match self.id {
            Some(wanted) => **id == wanted,
            None => function.name == self.name,
        });
        named.for_each(|(_, function)| of(function));
    }
}

impl Cache {
    /// The statistics of the function that [`function_stats`](Cache::function_stats) lists under this
    /// name, such as `shop::price`; none before it is called for the first time.
    ///
    /// Functions of one name, such as two inside function bodies, are taken together. Where the
    /// function itself can be named, `stats!` needs no text.
    ///
    /// ```
    /// # #[dewar::cached] fn price(product: u64) -> u64 { product * 100 }
    /// # dewar::testing::isolated(|cache| {
    /// price(1);
    /// let (name, _) = cache.function_stats()[0];
    /// let prices = cache.function(name).expect("a function that was called");
    /// assert_eq!(prices.get().loads, 1);
    /// prices.reset();
    /// assert!(cache.function("shop::prise").is_none());
    /// # });
    /// ```
    pub fn function(&self, name: &str) -> Option<FunctionStats> {
        let functions = lock(&self.engine().functions);
        let known = functions.values().find(|function| function.name == name)?;
        Some(FunctionStats {
            cache: Some(self.clone()),
            name: known.name,
            id: None,
        })
    }
}

impl std::fmt::Debug for FunctionStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FunctionStats")
            .field("name", &self.name)
            .field("stats", &self.get())
            .finish()
    }
}
