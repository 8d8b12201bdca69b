//! A function, its cache, and what a second call costs.
//!
//! ```text
//! cargo run --example first_cache
//! ```

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use dewar::{Cache, cached, entry, invalidate};

static RUNS: AtomicUsize = AtomicUsize::new(0);

// One minute. The arguments are the key; the result is cloned for each caller.
#[cached(timeout = 60)]
fn roman(number: u32) -> String {
    RUNS.fetch_add(1, SeqCst);
    println!("    (working out {number})");
    let digits = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let (mut left, mut text) = (number, String::new());
    for (value, digit) in digits {
        while left >= value {
            text.push_str(digit);
            left -= value;
        }
    }
    text
}

// `None` and `Err` are returned and not stored: the next call tries again.
#[cached(timeout = 60)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    RUNS.fetch_add(1, SeqCst);
    text.parse()
}

// Recursion is no special case. Without the cache this would take longer than you would wait.
#[cached]
fn fibonacci(n: u64) -> u64 {
    if n < 2 {
        n
    } else {
        fibonacci(n - 1) + fibonacci(n - 2)
    }
}

fn main() -> Result<(), dewar::Error> {
    println!("a miss, a hit, and another key:");
    for number in [1987, 1987, 2026] {
        println!("  roman({number}) = {}", roman(number));
    }
    assert_eq!(RUNS.swap(0, SeqCst), 2);

    println!("\nan error is not stored:");
    for text in ["forty-two", "forty-two", "42", "42"] {
        println!("  parse({text:?}) = {:?}", parse(text));
    }
    assert_eq!(RUNS.swap(0, SeqCst), 3, "both errors, and 42 once");

    println!("\nfibonacci(80) = {}", fibonacci(80));
    assert_eq!(fibonacci(80), 23_416_728_348_467_685);

    println!("\nthe entry of one call:");
    println!("  get:      {:?}", entry!(roman(1987)).get());
    println!("  key:      {}", entry!(roman(1987)).key());
    println!("  contains: {}", entry!(roman(3000)).contains());
    assert_eq!(entry!(roman(1987)).get().as_deref(), Some("MCMLXXXVII"));
    assert!(!entry!(roman(3000)).contains());

    invalidate!(roman(1987)).wait()?;
    assert_eq!(entry!(roman(1987)).get(), None);
    println!(
        "  after invalidate!(roman(1987)): {:?}",
        entry!(roman(1987)).get()
    );

    println!("\n{}", Cache::current().stats());
    Ok(())
}
