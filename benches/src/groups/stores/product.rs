//! What is stored: as large as many a row of a table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Product {
    id: u64,
    name: String,
    description: String,
    price: u64,
    tags: Vec<String>,
}

/// How many products are asked for again and again.
pub(super) const PRODUCTS: u64 = 1_000;
/// How many a batch asks for.
pub(super) const BATCH: u64 = 100;

static LOADS: AtomicU64 = AtomicU64::new(0);

/// How often a body ran.
pub(super) fn loads() -> u64 {
    LOADS.load(Relaxed)
}

/// The body of all functions.
pub(super) fn product(id: u64) -> Product {
    LOADS.fetch_add(1, Relaxed);
    Product {
        id,
        name: format!("Product {id}"),
        description: "Something that one needs now and then, and then needs at once. ".repeat(2),
        price: id * 7 % 10_000,
        tags: vec!["new".into(), "garden".into()],
    }
}

/// The same for many.
pub(super) fn products(ids: &[u64]) -> HashMap<u64, Product> {
    ids.iter().map(|id| (*id, product(*id))).collect()
}

/// The ids of the n-th batch.
pub(super) fn batch(n: u64) -> Vec<u64> {
    let first = n * BATCH % PRODUCTS;
    (first..first + BATCH).collect()
}

/// A product that nobody has asked for.
pub(super) fn unknown() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(PRODUCTS);
    NEXT.fetch_add(1, Relaxed)
}
