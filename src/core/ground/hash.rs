//! Hashes that are the same on every machine and in every version: what was kept under one is found again.

/// FNV-1a, 64 bits (Fowler, Noll and Vo): one multiplication for each thing that is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Fnv {
    /// Tells equal texts apart by another number too.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Self::default().0 ^ seed)
    }

    /// Adds a byte, or a whole number as if it were one.
    pub const fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01B3);
    }

    #[must_use]
    pub fn of(words: impl IntoIterator<Item = u64>) -> u64 {
        let mut hash = Self::default();
        words.into_iter().for_each(|word| hash.add(word));
        hash.0
    }

    #[must_use]
    pub const fn finish(self) -> u64 {
        self.0
    }
}

/// Spreads the bits of a number over all of it: the finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
#[must_use]
pub const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Tells bytes from others, at several gigabytes a second. Each word is mixed first: two flips of a word's highest bit
/// would undo each other in a product.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> u64 {
    let mut hash = Fnv::default();
    hash.add(mix(bytes.len() as u64));
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|&word| hash.add(mix(u64::from_le_bytes(word))));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
    hash.add(mix(u64::from_le_bytes(last)));
    mix(hash.finish())
}
