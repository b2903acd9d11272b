//! Ranked lists made into one, and passages that differ put before those that repeat. Knows numbers only.

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

/// One list: chunks and their scores, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedList {
    /// Whether the scores are cosines, else BM25's.
    pub is_dense: bool,
    /// Whether somebody asked for it, else a model's expansion did.
    pub is_asked: bool,
    /// How often it counts beside the others.
    pub weight: f64,
    pub chunks: Vec<(u64, f32)>,
}

impl RankedList {
    fn best(&self) -> f64 {
        self.chunks.first().map_or(1.0, |&(_, score)| f64::from(score).max(f64::MIN_POSITIVE))
    }

    /// What a dense list lacks is at most as near as its last.
    fn floor(&self) -> f64 {
        self.chunks.last().map_or(0.0, |&(_, score)| f64::from(score))
    }
}

/// Fuses lists; the result is in the order of the fused score, equals by their number. One list alone keeps its order and
/// its scores.
///
/// Of several lists of a kind a chunk's own place is the best of those that somebody asked for, or of an expansion's if
/// none of them has it.
#[must_use]
pub fn fuse(lists: &[RankedList], fusion: Fusion) -> Vec<RankedChunk> {
    let mut all: HashMap<u64, RankedChunk> = HashMap::new();
    // Asked ones first, so that an expansion's place is only taken if there is no other.
    let (asked, added): (Vec<_>, Vec<_>) = lists.iter().partition(|list| list.is_asked);
    for lists in [asked, added] {
        let known = all.clone();
        for list in lists {
            for (place, &(id, score)) in list.chunks.iter().enumerate() {
                let at = ListPlace { rank: place as u32 + 1, score };
                let before = known.get(&id).and_then(|chunk| of(chunk, list.is_dense));
                let chunk = all.entry(id).or_insert(RankedChunk { id, score: 0.0, bm25: None, dense: None });
                let own = if list.is_dense { &mut chunk.dense } else { &mut chunk.bm25 };
                if before.is_none() && own.is_none_or(|known| at.rank < known.rank) {
                    *own = Some(at);
                }
            }
        }
    }
    for list in lists {
        add(&mut all, list, fusion);
    }
    let mut fused: Vec<RankedChunk> = all.into_values().collect();
    if let [only] = lists {
        // Its scores say more than what fusion makes of them.
        fused.iter_mut().for_each(|chunk| {
            chunk.score = of(chunk, only.is_dense).map_or(0.0, |place| f64::from(place.score));
        });
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| order(lists, a, b)));
    fused
}

/// Of equals in one list its own order holds.
fn order(lists: &[RankedList], a: &RankedChunk, b: &RankedChunk) -> std::cmp::Ordering {
    let rank = |chunk: &RankedChunk| match lists {
        [only] => of(chunk, only.is_dense).map_or(u32::MAX, |place| place.rank),
        _ => 0,
    };
    rank(a).cmp(&rank(b)).then(a.id.cmp(&b.id))
}

const fn of(chunk: &RankedChunk, is_dense: bool) -> Option<ListPlace> {
    if is_dense { chunk.dense } else { chunk.bm25 }
}

/// Adds one list's share to each chunk's score.
fn add(all: &mut HashMap<u64, RankedChunk>, list: &RankedList, fusion: Fusion) {
    let (best, floor) = (list.best(), list.floor());
    let kind = match fusion {
        Fusion::Ranks { bm25, dense, .. } | Fusion::Scores { bm25, dense } => {
            if list.is_dense {
                dense
            } else {
                bm25
            }
        }
    };
    let weight = list.weight * kind;
    if list.is_dense && matches!(fusion, Fusion::Scores { .. }) {
        all.values_mut().for_each(|chunk| chunk.score += weight * floor);
    }
    for (place, &(id, score)) in list.chunks.iter().enumerate() {
        let Some(chunk) = all.get_mut(&id) else { continue };
        chunk.score += match fusion {
            Fusion::Ranks { k, .. } => weight / (k + (place + 1) as f64),
            Fusion::Scores { .. } if list.is_dense => weight * (f64::from(score) - floor),
            Fusion::Scores { .. } => weight * f64::from(score) / best,
        };
    }
}

/// A reranker's share in the order, chosen on 405 of `SciFact`'s training queries with 30 candidates (fused: nDCG@10
/// 0.762). With a cross-encoder of four layers that is weaker than what it reorders (0.614 by its own order) this share
/// gives 0.744; with its scores of what is relevant raised by 2, as a better one's would be (0.862 by its own order), it
/// gives 0.817. Weights by places as QMD has them give 0.733 and 0.775, a share of 0.3 gives 0.750 and 0.802, of 0.6 0.714
/// and 0.844.
const RERANKED: f64 = 0.4;

/// The order of candidates, by their places, with a reranker's scores: those that it scored, by
/// `0.6 * fused + 0.4 * reranked` with both scaled to 0..1 over the candidates; after them those that it didn't come to,
/// as they were.
#[must_use]
pub fn blended(candidates: &[RankedChunk], scores: &[Option<f64>]) -> Vec<usize> {
    let fused = range(candidates.iter().map(|one| one.score));
    let reranked = range(scores.iter().flatten().copied());
    let mut reached: Vec<(usize, f64)> = Vec::new();
    for (place, (candidate, score)) in candidates.iter().zip(scores).enumerate() {
        if let Some(score) = score {
            let share = (1.0 - RERANKED) * fused(candidate.score) + RERANKED * reranked(*score);
            reached.push((place, share));
        }
    }
    // Equals stay as they are.
    reached.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut order: Vec<usize> = reached.into_iter().map(|(place, _)| place).collect();
    order.extend((0..candidates.len()).filter(|&place| scores.get(place).copied().flatten().is_none()));
    order
}

/// What scales some values to 0..1; equal ones are all 0.
fn range(values: impl Iterator<Item = f64> + Clone) -> impl Fn(f64) -> f64 {
    let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let lowest = values.fold(f64::INFINITY, f64::min);
    let range = (highest - lowest).max(f64::MIN_POSITIVE);
    move |value| (value - lowest) / range
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
    let relevance = range(candidates.iter().map(|one| one.score));
    let mut left: Vec<(RankedChunk, f64)> = candidates.iter().map(|&one| (one, f64::NEG_INFINITY)).collect();
    let mut taken: Vec<RankedChunk> = Vec::new();
    while taken.len() < top {
        let worth = |(one, nearest): &(RankedChunk, f64)| {
            let repeats = if nearest.is_finite() { *nearest } else { 0.0 };
            lambda * relevance(one.score) - (1.0 - lambda) * repeats
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
