//! Prints the allocations of each guarded call, as `allocations_NAME COUNT`. Run by `guard.sh`.

use allocation_counter::measure;

/// Enough that what is set up once, or grows, is not most of it.
const CALLS: u64 = 1_001;

fn main() {
    for (name, call) in guard::HITS {
        call(CALLS);
        // So many, and twice as many: what is done once, like entering a scope, is left out. All of
        // them together: not one may allocate where none should.
        let [one, two] = [1, 2].map(|times| measure(|| call(times * CALLS)).count_total);
        let count = two - one;
        println!("allocations_{name} {}", count as f64 / CALLS as f64);
    }
    for (name, call) in guard::MISSES {
        // The median of single calls, since some of them make a table grow.
        let one = |n| measure(|| call(n)).count_total;
        let mut counts: Vec<u64> = (0..CALLS).map(one).collect();
        counts.sort_unstable();
        println!("allocations_{name} {}", counts[counts.len() / 2]);
    }
}
