//! Adding to a number of whatever integer type.

use std::any::Any;

use super::api::Value;
use crate::clock::NEVER;
use crate::engine::Engine;
use crate::error::Error;
use crate::memory::Slot;

/// A change of a number that was read at the tick `since`.
pub(super) struct Update<'a> {
    pub(super) key: &'a str,
    pub(super) by: i64,
    pub(super) since: u64,
}

impl Update<'_> {
    /// Stores the sum, in the type that the number has, for as long as `left` says of what is there
    /// then; none if it says nothing, as somebody else was faster.
    pub(super) fn apply(
        &self,
        engine: &Engine,
        was: &dyn Any,
        left: impl FnOnce(Option<&Slot>) -> Option<u64>,
    ) -> Result<Option<i64>, Error> {
        macro_rules! integers {
            ($($t:ty),*) => {
                $(if let Some(was) = was.downcast_ref::<$t>() {
                    return self.add(engine, *was, left);
                })*
            };
        }
        integers!(i64, i32, u64, u32, usize, isize, i16, u16, i8, u8);
        Err(Error::value(
            self.key,
            "is not an integer, so nothing can be added to it",
        ))
    }

    fn add<T: Value + TryFrom<i64> + TryInto<i64> + std::fmt::Display>(
        &self,
        engine: &Engine,
        was: T,
        left: impl FnOnce(Option<&Slot>) -> Option<u64>,
    ) -> Result<Option<i64>, Error> {
        let by = self.by;
        let overflow = || {
            let what = format!("is {was}: adding {by} would overflow");
            Error::value(self.key, what)
        };
        let before: i64 = was.clone().try_into().map_err(|_| overflow())?;
        let sum = before.checked_add(by).ok_or_else(overflow)?;
        let new = T::try_from(sum).map_err(|_| overflow())?;
        let stored = engine.write_since(self.key, new, NEVER, Some(self.since), left);
        Ok(stored.then_some(sum))
    }
}
