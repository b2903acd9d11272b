//! Lists fused and made diverse.

use std::collections::HashMap;

use dojo_studio::domain::retrieval::{Fusion, ListPlace};
use dojo_studio::rag::fusion::{RankedChunk, RankedList, blended, diverse, fuse};

/// The two lists of a question.
fn lists(bm25: &[(u64, f32)], dense: &[(u64, f32)]) -> [RankedList; 2] {
    [(false, bm25), (true, dense)].map(|(is_dense, chunks)| list(is_dense, true, 1.0, chunks))
}

fn list(is_dense: bool, is_asked: bool, weight: f64, chunks: &[(u64, f32)]) -> RankedList {
    RankedList { is_dense, is_asked, weight, chunks: chunks.to_vec() }
}

fn ids(candidates: &[RankedChunk]) -> Vec<u64> {
    candidates.iter().map(|candidate| candidate.id).collect()
}

#[test]
fn reciprocal_rank_fusion_adds_what_each_rank_is_worth() {
    let (bm25, dense) = ([(1, 9.0), (2, 5.0)], [(2, 0.8), (3, 0.7)]);
    let fused = fuse(&lists(&bm25, &dense), Fusion::Ranks { k: 60.0, bm25: 1.0, dense: 2.0 });
    assert_eq!(ids(&fused), [2, 3, 1]);
    assert_eq!(fused[0].bm25, Some(ListPlace { rank: 2, score: 5.0 }));
    assert_eq!(fused[0].dense, Some(ListPlace { rank: 1, score: 0.8 }));
    assert!((fused[0].score - (1.0 / 62.0 + 2.0 / 61.0)).abs() < 1e-12);
    assert!((fused[1].score - 2.0 / 62.0).abs() < 1e-12);
    assert_eq!(fused[2].dense, None);
}

#[test]
fn fusing_by_scores_scales_the_words_to_their_best() {
    let fused =
        fuse(&lists(&[(1, 10.0), (2, 5.0)], &[(2, 0.9), (1, 0.2)]), Fusion::Scores { bm25: 1.0, dense: 1.0 });
    assert_eq!(ids(&fused), [2, 1]);
    assert!((fused[0].score - 1.4).abs() < 1e-6, "{}", fused[0].score);
    assert!((fused[1].score - 1.2).abs() < 1e-6, "{}", fused[1].score);
}

#[test]
fn equals_are_in_the_order_of_their_numbers() {
    let fused = fuse(&lists(&[(5, 1.0)], &[(4, 1.0)]), Fusion::RANKS);
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

#[test]
fn one_list_alone_keeps_its_order_and_its_scores() {
    let fused = fuse(&[list(true, true, 2.0, &[(7, 0.5), (3, 0.5), (9, 0.1)])], Fusion::RANKS);
    assert_eq!(ids(&fused), [7, 3, 9]);
    assert_eq!(fused.iter().map(|one| one.score).collect::<Vec<_>>(), [0.5, 0.5, f64::from(0.1_f32)]);
}

#[test]
fn what_was_asked_counts_as_its_weight_says_and_gives_a_chunk_its_place() {
    let question = list(false, true, 2.0, &[(1, 9.0), (2, 3.0)]);
    let added = list(false, false, 1.0, &[(2, 12.0), (3, 11.0)]);
    let fused = fuse(&[question, added], Fusion::RANKS);
    assert_eq!(ids(&fused), [2, 1, 3]);
    assert!((fused[0].score - (2.0 / 62.0 + 1.0 / 61.0)).abs() < 1e-12);
    // The question has it in its second place, though the expansion has it in its first.
    assert_eq!(fused[0].bm25, Some(ListPlace { rank: 2, score: 3.0 }));
    assert_eq!(fused[2].bm25, Some(ListPlace { rank: 2, score: 11.0 }));
}

#[test]
fn a_reranker_moves_what_it_came_to_and_the_others_follow_as_they_were() {
    let candidate = |id: u64, score| RankedChunk { id, score, bm25: None, dense: None };
    let candidates: Vec<RankedChunk> =
        (0..5_u64).map(|place| candidate(place, 1.0 - place as f64 * 0.1)).collect();
    assert_eq!(blended(&candidates, &[Some(-3.0), Some(-1.0), Some(4.0), None, None]), [2, 0, 1, 3, 4]);
    assert_eq!(blended(&candidates, &[None; 5]), [0, 1, 2, 3, 4]);
    assert_eq!(blended(&candidates, &[Some(1.0); 5]), [0, 1, 2, 3, 4], "equals stay");
    assert_eq!(blended(&candidates, &[None, Some(0.0), None, Some(9.0), None]), [3, 1, 0, 2, 4]);
    assert_eq!(blended(&[], &[]), Vec::<usize>::new());
}
