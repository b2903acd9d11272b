//! Two ranked lists made into one, and passages that differ put before those that repeat. Knows numbers only.

use std::collections::HashMap;

use crate::domain::retrieval::{Fusion, ListPlace};

/// A chunk that at least one list has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankedChunk {
    pub id: u64,
    pub score: f64,
    pub bm25: Option<ListPlace>,
    pub dense: Option<ListPlace>,
}

/// Fuses lists of (chunk, score), best first; the result is in the order of the fused score, equals by their number.
#[must_use]
pub fn fuse(bm25: &[(u64, f32)], dense: &[(u64, f32)], fusion: Fusion) -> Vec<RankedChunk> {
    let mut all: HashMap<u64, RankedChunk> = HashMap::new();
    for (place, &(id, score)) in bm25.iter().enumerate() {
        entry(&mut all, id).bm25 = Some(ListPlace { rank: place as u32 + 1, score });
    }
    for (place, &(id, score)) in dense.iter().enumerate() {
        entry(&mut all, id).dense = Some(ListPlace { rank: place as u32 + 1, score });
    }
    let best = bm25.first().map_or(1.0, |&(_, score)| f64::from(score).max(f64::MIN_POSITIVE));
    let floor = dense.last().map_or(0.0, |&(_, score)| f64::from(score));
    let mut fused: Vec<RankedChunk> = all.into_values().collect();
    for candidate in &mut fused {
        candidate.score = match fusion {
            Fusion::Ranks { k, bm25, dense } => {
                let share = |place: Option<ListPlace>, weight: f64| {
                    place.map_or(0.0, |place| weight / (k + f64::from(place.rank)))
                };
                share(candidate.bm25, bm25) + share(candidate.dense, dense)
            }
            // What a dense list lacks is at most as near as its last.
            Fusion::Scores { bm25, dense } => {
                let words = candidate.bm25.map_or(0.0, |place| f64::from(place.score) / best);
                let near = candidate.dense.map_or(floor, |place| f64::from(place.score));
                bm25 * words + dense * near
            }
        };
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

fn entry(all: &mut HashMap<u64, RankedChunk>, id: u64) -> &mut RankedChunk {
    all.entry(id).or_insert(RankedChunk { id, score: 0.0, bm25: None, dense: None })
}

/// One list alone, with its own scores.
#[must_use]
pub fn single(list: &[(u64, f32)], is_dense: bool) -> Vec<RankedChunk> {
    let candidate = |(place, &(id, score)): (usize, &(u64, f32))| {
        let at = Some(ListPlace { rank: place as u32 + 1, score });
        let (bm25, dense) = if is_dense { (None, at) } else { (at, None) };
        RankedChunk { id, score: f64::from(score), bm25, dense }
    };
    list.iter().enumerate().map(candidate).collect()
}

/// Maximal marginal relevance (Carbonell and Goldstein 1998): each next candidate is the one with the best
/// `lambda * relevance - (1 - lambda) * (cosine with the nearest that was taken)`. Relevance is the score scaled to
/// 0..1 over the candidates. Those without a vector repeat nothing.
#[must_use]
pub fn diverse<S: std::hash::BuildHasher>(
    candidates: &[RankedChunk],
    vectors: &HashMap<u64, Vec<f32>, S>,
    lambda: f64,
    top: usize,
) -> Vec<RankedChunk> {
    let highest = candidates.iter().map(|one| one.score).fold(f64::NEG_INFINITY, f64::max);
    let lowest = candidates.iter().map(|one| one.score).fold(f64::INFINITY, f64::min);
    let range = (highest - lowest).max(f64::MIN_POSITIVE);
    let mut left: Vec<(RankedChunk, f64)> = candidates.iter().map(|&one| (one, f64::NEG_INFINITY)).collect();
    let mut taken: Vec<RankedChunk> = Vec::new();
    while taken.len() < top {
        let worth = |(one, nearest): &(RankedChunk, f64)| {
            let repeats = if nearest.is_finite() { *nearest } else { 0.0 };
            lambda * (one.score - lowest) / range - (1.0 - lambda) * repeats
        };
        let best = (0..left.len()).max_by(|&a, &b| {
            let (one, other) = (left.get(a).map_or(f64::MIN, worth), left.get(b).map_or(f64::MIN, worth));
            // The first of equals.
            one.total_cmp(&other).then(b.cmp(&a))
        });
        let Some(best) = best else { break };
        let (next, _) = left.remove(best);
        if let Some(vector) = vectors.get(&next.id) {
            for (one, nearest) in &mut left {
                let cosine = vectors.get(&one.id).map_or(0.0, |other| dot(vector, other));
                *nearest = nearest.max(cosine);
            }
        }
        taken.push(next);
    }
    taken
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>())
}
