//! Figures of rankings, against values worked out by hand.

use dojo_studio::rag::measure::{Judgements, score, summary};

fn judged(of: &[(&str, f64)]) -> Judgements {
    of.iter().map(|(document, grade)| ((*document).to_owned(), *grade)).collect()
}

#[test]
fn a_ranking_is_scored_as_trec_eval_does() {
    let scored = score(&["x", "a", "y", "b"], &judged(&[("a", 1.0), ("b", 2.0), ("c", 1.0)]));
    // 1 / log2(3) + 2 / log2(5), of 2 / log2(2) + 1 / log2(3) + 1 / log2(4).
    let (found, ideal) = (0.630_929_753_6 + 2.0 * 0.430_676_558_1, 2.0 + 0.630_929_753_6 + 0.5);
    assert!((scored.ndcg - found / ideal).abs() < 1e-9, "{scored:?}");
    assert!((scored.recall - 2.0 / 3.0).abs() < 1e-12);
    assert!((scored.reciprocal_rank - 0.5).abs() < 1e-12);
}

#[test]
fn ndcg_looks_at_ten_ranks_and_recall_at_a_hundred() {
    let names: Vec<String> = (0..120).map(|n| n.to_string()).collect();
    let ranking: Vec<&str> = names.iter().map(String::as_str).collect();
    let scored = score(&ranking, &judged(&[("10", 1.0), ("99", 1.0), ("100", 1.0)]));
    assert!(scored.ndcg.abs() < 1e-12 && scored.reciprocal_rank.abs() < 1e-12, "{scored:?}");
    assert!((scored.recall - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn figures_are_means_and_percentiles() {
    let one = score(&["a"], &judged(&[("a", 1.0)]));
    let none = score(&["b"], &judged(&[("a", 1.0)]));
    let times: Vec<f64> = (1..=100).map(f64::from).collect();
    let figures = summary(&[one, none], &times);
    assert!((figures.ndcg - 0.5).abs() < 1e-12);
    assert_eq!((figures.questions, figures.latency_ms_p50, figures.latency_ms_p95), (2, 50.0, 95.0));
}
