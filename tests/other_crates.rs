//! Functions of another crate: their entries are reached like one's own.

use dewar::testing::isolated;
use dewar::{entry, invalidate, invalidates};
use elsewhere::inner::price as renamed;
use elsewhere::{Shop, names, price};
use futures::executor::block_on;

fn loads(run: impl FnOnce()) -> u64 {
    isolated(|cache| {
        run();
        cache.stats().loads
    })
}

#[test]
fn a_call_a_function_a_prefix_and_a_tag_are_invalidated() {
    let run = || {
        let call = || assert_eq!(price(1), 100);
        call();
        invalidate!(price(1)).wait().unwrap();
        call();
        invalidate!(elsewhere::price).wait().unwrap();
        call();
        invalidate!(prefix = "price:1").wait().unwrap();
        call();
        invalidate!(tag = "prices").wait().unwrap();
        call();
        call();
    };
    assert_eq!(loads(run), 5);
}

#[test]
fn one_of_the_same_name_in_a_module_is_another_under_a_name_of_ones_own_too() {
    isolated(|_| {
        assert_eq!((price(1), block_on(renamed(1))), (100, 1_000));
        block_on(invalidate!(renamed(1)).into_future()).unwrap();
        assert!(entry!(price(1)).contains());
        assert!(!block_on(entry!(elsewhere::inner::price(1)).contains()));
    });
}

#[test]
fn type_parameters_skipped_arguments_and_batches_are_reached() {
    isolated(|_| {
        let size = |value: u64| elsewhere::sizes(value, &|| {});
        assert_eq!((size(1), elsewhere::sizes(1_u8, &|| {})), (8, 1));
        drop(invalidate!(elsewhere::sizes::<u64>(1, _)));
        assert!(!entry!(elsewhere::sizes(1_u64, &|| {})).contains());
        assert!(entry!(elsewhere::sizes(1_u8, &|| {})).contains());

        assert_eq!(names(&[1, 2]).len(), 2);
        drop(invalidate!(names(&[1])));
        assert_eq!(entry!(names(&[1, 2])).get().len(), 1);
    });
}

#[invalidates(shop.total(of), Shop::count(of))]
fn sell(shop: &Shop, of: u64) {}

#[test]
fn methods_and_associated_functions_are_reached() {
    isolated(|_| {
        let shop = Shop(1);
        assert_eq!((shop.total(2), Shop::count(2)), (3, 2));
        sell(&shop, 2);
        assert!(!entry!(shop.total(2)).contains());
        assert!(!entry!(Shop::count(2)).contains());
    });
}
