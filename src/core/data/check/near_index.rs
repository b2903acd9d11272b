//! Whether a new text almost repeats one that is there already, answered as texts come: the signatures and bands of
//! [`super::minhash`], kept so that one text is looked up without comparing it with all. About 750 bytes a text.

use std::collections::HashMap;

use rayon::prelude::*;

use super::minhash::{BANDS, Signature};
use crate::domain::record::RecordId;

/// Texts that are compared for one band at most, the last ones first: what shares a band with more is boilerplate, and
/// shares others with what it repeats.
const MOST_COMPARED: usize = 256;

/// Texts by their signatures.
pub struct NearIndex {
    /// The estimated Jaccard similarity of word triples from which on two texts are near-duplicates.
    threshold: f64,
    signatures: Vec<Signature>,
    owners: Vec<RecordId>,
    /// The last text of each band's value. Two values of one key only cost a comparison.
    last: HashMap<u32, u32>,
    /// For each text and band, the text before it with the same value, from 1; 0: there is none.
    before: Vec<u32>,
}

/// A text that is there already, and how much of it is the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearText {
    pub owner: RecordId,
    pub likeness: f64,
}

impl NearIndex {
    #[must_use]
    pub fn new(threshold: f64) -> Self {
        Self {
            threshold,
            signatures: Vec::new(),
            owners: Vec::new(),
            last: HashMap::new(),
            before: Vec::new(),
        }
    }

    /// Texts that are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.signatures.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }

    /// A text that this one almost repeats, if there is one.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<NearText> {
        let signature = Signature::of([text])?;
        keys(&signature).enumerate().find_map(|(band, key)| {
            let mut place = self.last.get(&key).copied();
            let mut compared = 0;
            while let Some(at) = place.filter(|_| compared < MOST_COMPARED) {
                let index = at as usize;
                let likeness = signature.likeness(self.signatures.get(index)?);
                if likeness >= self.threshold {
                    return Some(NearText { owner: *self.owners.get(index)?, likeness });
                }
                place =
                    self.before.get(index * BANDS + band).copied().and_then(|before| before.checked_sub(1));
                compared += 1;
            }
            None
        })
    }

    /// Puts a text in. One without a word is like nothing.
    pub fn add(&mut self, owner: RecordId, text: &str) {
        if let Some(signature) = Signature::of([text]) {
            self.put(owner, signature);
        }
    }

    /// Puts many in, on all threads.
    pub fn add_all(&mut self, texts: &[(RecordId, String)]) {
        let signatures: Vec<Option<Signature>> =
            texts.par_iter().map(|(_, text)| Signature::of([text])).collect();
        for ((owner, _), signature) in texts.iter().zip(signatures) {
            if let Some(signature) = signature {
                self.put(*owner, signature);
            }
        }
    }

    fn put(&mut self, owner: RecordId, signature: Signature) {
        let Ok(place) = u32::try_from(self.signatures.len()) else { return };
        for key in keys(&signature) {
            let before = self.last.insert(key, place);
            self.before.push(before.filter(|before| *before != place).map_or(0, |before| before + 1));
        }
        self.signatures.push(signature);
        self.owners.push(owner);
    }
}

/// A key for each band: equal values of two bands are told apart.
fn keys(signature: &Signature) -> impl Iterator<Item = u32> {
    (0_u64..)
        .zip(signature.bands())
        .map(|(band, value)| (crate::ground::hash::mix(value ^ (band << 56)) >> 32) as u32)
}
