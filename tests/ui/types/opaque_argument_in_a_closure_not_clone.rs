//! A closure that outlives the call takes its arguments along.

use dewar::cached;

#[cached(skip(least), cache_if = |n| n.to_string().as_str() >= least.as_ref())]
fn opaque(n: u64, least: &(impl AsRef<str> + Send + Sync + 'static)) -> u64 {
    let _ = least.as_ref();
    n
}

fn main() {
    let _ = opaque(1, &"2");
}
