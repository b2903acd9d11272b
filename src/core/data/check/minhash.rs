//! How alike two texts are, from short signatures: `MinHash` over word triples (Broder 1997), and buckets of equal bands
//! that find candidates without comparing all with all (Indyk and Motwani 1998).

use std::collections::HashSet;

use crate::ground::hash::{Fnv, mix};

/// Bands of rows: two texts of which 80% of the triples are the same share a band with a probability of 99.99%, at
/// 50% of 55%.
pub(super) const BANDS: usize = 25;
const ROWS: usize = 5;
const HASHES: usize = BANDS * ROWS;

/// Words in a shingle.
const WORDS: usize = 3;

/// Texts that share at least so much are near-duplicates (estimated Jaccard similarity).
pub(super) const NEAR: f64 = 0.8;

/// Buckets larger than this are compared with their first and previous member only.
const LARGE_BUCKET: usize = 64;

/// The low 16 bits of each minimum (b-bit minwise hashing, Li and König 2010): 250 bytes a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature(Box<[u16; HASHES]>);

impl Signature {
    /// Case and punctuation do not count. Nothing for texts without a word.
    pub(super) fn of<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Option<Self> {
        let words: Vec<u64> =
            texts.into_iter().flat_map(|text| words(text.as_ref()).collect::<Vec<_>>()).collect();
        let shingles = shingles(&words);
        if shingles.is_empty() {
            return None;
        }
        let mut least = [u32::MAX; HASHES];
        for shingle in shingles {
            for (least, (factor, addend)) in least.iter_mut().zip(FAMILY) {
                // Multiply-shift (Dietzfelbinger 1996): the high half of a product with an odd number.
                let hash = (factor.wrapping_mul(shingle).wrapping_add(addend) >> 32) as u32;
                *least = (*least).min(hash);
            }
        }
        Some(Self(Box::new(least.map(|hash| hash as u16))))
    }

    /// The estimated Jaccard similarity of the two texts' shingles.
    pub(super) fn likeness(&self, other: &Self) -> f64 {
        let same = self.0.iter().zip(other.0.iter()).filter(|(a, b)| a == b).count();
        same as f64 / HASHES as f64
    }

    pub(super) fn bands(&self) -> impl Iterator<Item = u64> {
        self.0
            .chunks_exact(ROWS)
            .map(|band| band.iter().fold(0, |hash: u64, row| mix(hash ^ u64::from(*row))))
    }
}

/// Pairs of near-duplicates as positions (earlier, later) with their likeness; each later one at most once, with its
/// earliest match.
pub(super) fn near_pairs(
    signatures: &[(usize, &Signature)],
    comparable: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize, f64)> {
    let mut best: std::collections::BTreeMap<usize, (usize, f64)> = std::collections::BTreeMap::new();
    for band in 0..BANDS {
        let mut buckets: Vec<(u64, usize)> = signatures
            .iter()
            .enumerate()
            .filter_map(|(index, (_, signature))| Some((signature.bands().nth(band)?, index)))
            .collect();
        buckets.sort_unstable();
        for bucket in buckets.chunk_by(|a, b| a.0 == b.0) {
            for (later, &(_, b)) in bucket.iter().enumerate().skip(1) {
                let earlier = if bucket.len() <= LARGE_BUCKET { 0..later } else { later - 1..later };
                let first = (bucket.len() > LARGE_BUCKET).then_some(0);
                for &(_, a) in first.into_iter().chain(earlier).filter_map(|index| bucket.get(index)) {
                    compare(signatures, (a, b), &comparable, &mut best);
                }
            }
        }
    }
    best.into_iter().map(|(later, (earlier, likeness))| (earlier, later, likeness)).collect()
}

fn compare(
    signatures: &[(usize, &Signature)],
    (a, b): (usize, usize),
    comparable: &impl Fn(usize, usize) -> bool,
    best: &mut std::collections::BTreeMap<usize, (usize, f64)>,
) {
    let (Some((a, first)), Some((b, second))) = (signatures.get(a), signatures.get(b)) else { return };
    let (earlier, later) = (*a.min(b), *a.max(b));
    if earlier == later
        || !comparable(earlier, later)
        || best.get(&later).is_some_and(|(known, _)| *known <= earlier)
    {
        return;
    }
    let likeness = first.likeness(second);
    if likeness >= NEAR {
        best.insert(later, (earlier, likeness));
    }
}

/// How alike two texts are, where there are only a few to compare: the exact Jaccard similarity of their shingles.
pub struct Sketch(HashSet<u64>);

impl Sketch {
    /// Nothing for a text without a word.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let words: Vec<u64> = words(text).collect();
        let shingles = shingles(&words);
        (!shingles.is_empty()).then_some(Self(shingles))
    }

    /// From 0, nothing shared, to 1.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let shared = self.0.intersection(&other.0).count();
        let all = self.0.len() + other.0.len() - shared;
        shared as f64 / all.max(1) as f64
    }
}

/// Fingerprints of the texts' word triples; of all words where there are fewer.
fn shingles(words: &[u64]) -> HashSet<u64> {
    let width = WORDS.min(words.len()).max(1);
    words
        .windows(width)
        .map(|shingle| shingle.iter().fold(0, |hash: u64, word| mix(hash.rotate_left(23) ^ word)))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = u64> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let lower = word.chars().flat_map(char::to_lowercase);
        Fnv::of(lower.map(u64::from))
    })
}

/// An odd factor and an addend for each hash.
static FAMILY: [(u64, u64); HASHES] = family();

const fn family() -> [(u64, u64); HASHES] {
    let mut family = [(0, 0); HASHES];
    let mut index = 0;
    while index < HASHES {
        let seed = index as u64 + 1;
        family[index] = (
            mix(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)) | 1,
            mix(seed.wrapping_mul(0xD134_2543_DE82_EF95)),
        );
        index += 1;
    }
    family
}
