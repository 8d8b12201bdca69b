//! What is asked for: keys in an order that is the same on every machine.

use std::sync::Arc;

/// Random numbers that are the same everywhere (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// The next number from 0 to 1.
    fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Keys of which few are asked for often: the n-th most wanted by 1 / n to the power of `skew`.
#[derive(Clone, Debug)]
pub struct Zipf {
    sums: Vec<f64>,
    names: Arc<[u64]>,
}

impl Zipf {
    /// Over the keys from 0 to `keys`, in an order that says nothing about how wanted they are.
    pub fn new(keys: u64, skew: f64, random: &mut Random) -> Self {
        let mut sum = 0.0;
        let add = |rank: u64| {
            sum += 1.0 / (rank as f64).powf(skew);
            sum
        };
        let sums = (1..=keys).map(add).collect();
        let mut names: Vec<u64> = (0..keys).collect();
        for at in (1..names.len()).rev() {
            names.swap(at, random.below(at as u64 + 1) as usize);
        }
        Zipf {
            sums,
            names: names.into(),
        }
    }

    /// The next key.
    pub fn key(&self, random: &mut Random) -> u64 {
        let wanted = random.share() * self.sums[self.sums.len() - 1];
        let rank = self.sums.partition_point(|sum| *sum < wanted);
        self.names[rank.min(self.names.len() - 1)]
    }
}

/// Keys of the timed groups: a power of two of them, gone through again and again.
pub const LENGTH: usize = 1 << 14;

/// `keys` keys, all as likely.
pub fn uniform(keys: u64) -> Arc<[u64]> {
    let mut random = Random::new(1);
    (0..LENGTH).map(|_| random.below(keys)).collect()
}

/// `keys` keys, by Zipf's law with exponent 1.
pub fn zipf(keys: u64) -> Arc<[u64]> {
    let mut random = Random::new(2);
    let zipf = Zipf::new(keys, 1.0, &mut random);
    (0..LENGTH).map(|_| zipf.key(&mut random)).collect()
}

/// The traces by which hit ratios are compared, over `keys` keys.
pub fn standard(keys: u64, length: usize) -> Vec<(&'static str, Vec<u64>)> {
    let mut random = Random::new(3);
    let flat = Zipf::new(keys, 0.8, &mut random);
    let steep = Zipf::new(keys, 1.0, &mut random);
    let mut scanned = keys;
    vec![
        (
            "Zipf 0.8",
            (0..length).map(|_| flat.key(&mut random)).collect(),
        ),
        (
            "Zipf 1.0",
            (0..length).map(|_| steep.key(&mut random)).collect(),
        ),
        // A third of the requests goes through keys that are never asked for again.
        (
            "Zipf 1.0, scans mixed in",
            (0..length)
                .map(|at| match at % 3_000 {
                    0..1_000 => {
                        scanned += 1;
                        scanned
                    }
                    _ => steep.key(&mut random),
                })
                .collect(),
        ),
        // What is wanted moves on by a twentieth of the keys, twenty times.
        (
            "Zipf 1.0, moving",
            (0..length)
                .map(|at| {
                    let moved = at as u64 * 20 / length as u64 * (keys / 20);
                    (steep.key(&mut random) + moved) % keys
                })
                .collect(),
        ),
        // One after the other, a fifth of the keys: more than a small cache holds.
        (
            "loop",
            (0..length as u64).map(|at| at % (keys / 5)).collect(),
        ),
    ]
}
