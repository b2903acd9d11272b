//! Seeds that depend on numbers alone, the same on every machine and in every version: a resumed run has to draw what
//! an uninterrupted one draws.

/// One seed from several numbers, such as a run's seed, a step and a micro-batch: `SplitMix64` (Steele, Lea and Flood
/// 2014) over all of them.
#[must_use]
pub fn combine(parts: &[u64]) -> u64 {
    parts.iter().fold(0x5851_F42D_4C95_7F2D, |seed, &part| mix(seed ^ part.rotate_left(17)))
}

const fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
