//! Everything that is drawn comes from one seed.

use jiff::SignedDuration;

/// SplitMix64 (public domain, Sebastiano Vigna).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let spread = u64::try_from(most - least + 1).expect("least <= most");
        least + i64::try_from(self.next() % spread).expect("a small number")
    }

    /// True so many times in ten thousand.
    pub fn in_10_000(&mut self, times: u64) -> bool {
        self.next() % 10_000 < times
    }

    pub fn percent(&mut self, percent: u64) -> bool {
        self.in_10_000(percent * 100)
    }

    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.next() % all.len() as u64;
        &all[usize::try_from(at).expect("an index")]
    }

    pub fn secs(&mut self, least: i64, most: i64) -> SignedDuration {
        SignedDuration::from_secs(self.between(least, most))
    }

    pub fn mins(&mut self, least: i64, most: i64) -> SignedDuration {
        SignedDuration::from_mins(self.between(least, most))
    }
}
