//! Stores of tests that do most things as another one does.

/// Methods of `Store` that do what the store in a field does: `forward!(store: get_many, swap);`.
macro_rules! forward {
    ($to:tt: $($method:ident),+ $(,)?) => { $($crate::common::forward!(@$method $to);)+ };
    (@get_many $to:tt) => {
        fn get_many<'a>(
            &'a self,
            keys: &'a [String],
        ) -> ::dewar::BoxFuture<'a, Result<Vec<::dewar::store::Found>, ::dewar::Error>> {
            self.$to.get_many(keys)
        }
    };
    (@set_many $to:tt) => {
        fn set_many(
            &self,
            items: Vec<::dewar::store::Item>,
        ) -> ::dewar::BoxFuture<'_, Result<(), ::dewar::Error>> {
            self.$to.set_many(items)
        }
    };
    (@delete_many $to:tt) => {
        fn delete_many<'a>(
            &'a self,
            keys: &'a [String],
        ) -> ::dewar::BoxFuture<'a, Result<(), ::dewar::Error>> {
            self.$to.delete_many(keys)
        }
    };
    (@add_many $to:tt) => {
        fn add_many(
            &self,
            items: Vec<::dewar::store::Item>,
        ) -> ::dewar::BoxFuture<'_, Result<Vec<bool>, ::dewar::Error>> {
            self.$to.add_many(items)
        }
    };
    (@swap $to:tt) => {
        fn swap(
            &self,
            expected: Vec<u8>,
            item: ::dewar::store::Item,
        ) -> ::dewar::BoxFuture<'_, Result<bool, ::dewar::Error>> {
            self.$to.swap(expected, item)
        }
    };
}

pub(crate) use forward;
