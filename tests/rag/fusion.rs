//! Lists fused and made diverse.

use std::collections::HashMap;

use dojo_studio::domain::retrieval::{Fusion, ListPlace};
use dojo_studio::rag::fusion::{RankedChunk, diverse, fuse};

fn ids(candidates: &[RankedChunk]) -> Vec<u64> {
    candidates.iter().map(|candidate| candidate.id).collect()
}

#[test]
fn reciprocal_rank_fusion_adds_what_each_rank_is_worth() {
    let (bm25, dense) = ([(1, 9.0), (2, 5.0)], [(2, 0.8), (3, 0.7)]);
    let fused = fuse(&bm25, &dense, Fusion::Ranks { k: 60.0, bm25: 1.0, dense: 2.0 });
    assert_eq!(ids(&fused), [2, 3, 1]);
    assert_eq!(fused[0].bm25, Some(ListPlace { rank: 2, score: 5.0 }));
    assert_eq!(fused[0].dense, Some(ListPlace { rank: 1, score: 0.8 }));
    assert!((fused[0].score - (1.0 / 62.0 + 2.0 / 61.0)).abs() < 1e-12);
    assert!((fused[1].score - 2.0 / 62.0).abs() < 1e-12);
    assert_eq!(fused[2].dense, None);
}

#[test]
fn fusing_by_scores_scales_the_words_to_their_best() {
    let fused = fuse(&[(1, 10.0), (2, 5.0)], &[(2, 0.9), (1, 0.2)], Fusion::Scores { bm25: 1.0, dense: 1.0 });
    assert_eq!(ids(&fused), [2, 1]);
    assert!((fused[0].score - 1.4).abs() < 1e-6, "{}", fused[0].score);
    assert!((fused[1].score - 1.2).abs() < 1e-6, "{}", fused[1].score);
}

#[test]
fn equals_are_in_the_order_of_their_numbers() {
    let fused = fuse(&[(5, 1.0)], &[(4, 1.0)], Fusion::RANKS);
    assert_eq!(ids(&fused), [4, 5]);
}

#[test]
fn what_repeats_comes_after_what_differs() {
    let candidate = |id, score| RankedChunk { id, score, bm25: None, dense: None };
    let candidates = [candidate(1, 1.0), candidate(2, 0.95), candidate(3, 0.6), candidate(4, 0.0)];
    let vectors =
        HashMap::from([(1, vec![1.0, 0.0]), (2, vec![1.0, 0.0]), (3, vec![0.0, 1.0]), (4, vec![0.0, 1.0])]);
    assert_eq!(ids(&diverse(&candidates, &vectors, 1.0, 4)), [1, 2, 3, 4]);
    assert_eq!(ids(&diverse(&candidates, &vectors, 0.5, 4)), [1, 3, 2, 4]);
    assert_eq!(ids(&diverse(&candidates, &vectors, 0.5, 2)), [1, 3]);
}
