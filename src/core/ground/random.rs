//! Random numbers that depend on their seed alone, the same on every machine and in every version: a resumed run has to
//! draw what an uninterrupted one draws.

use super::hash::mix;

/// The golden ratio's share of 64 bits: what `SplitMix64` adds for each number.
pub const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// `SplitMix64` (Steele, Lea and Flood 2014): one addition and one mix for each number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// From 0 (included) to 1 (excluded).
    pub fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// From -1 (included) to 1 (excluded).
    pub fn signed(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// Fisher and Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = (u128::from(self.next()) * (last as u128 + 1)) >> 64;
            items.swap(last, chosen as usize);
        }
    }
}

/// One seed from several numbers, such as a run's seed, a step and a micro-batch.
#[must_use]
pub fn combine(parts: &[u64]) -> u64 {
    let add = |seed: u64, &part: &u64| SplitMix64::new(seed ^ part.rotate_left(17)).next();
    parts.iter().fold(0x5851_F42D_4C95_7F2D, add)
}
