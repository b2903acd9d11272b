//! A search's trace as people read it.

use crate::domain::retrieval::{
    ExpansionTrace, FoundPassage, LineKind, ListTrace, RerankTrace, SearchTimes, SearchTrace,
};
use crate::ui::widgets::text::shorten;

/// Characters of a line that are shown.
const SHOWN: usize = 60;

/// A passage's scores, and its place in each list if there are many.
pub(super) fn of_passage(passage: &FoundPassage) -> String {
    let (first, last) = passage.chunks;
    let chunks = if first == last { format!("chunk {first}") } else { format!("chunks {first}-{last}") };
    let mut out = format!("   {}  {chunks}\n", passage.scores_in_words());
    if !passage.lists.is_empty() {
        let place = |place: &crate::domain::retrieval::PlaceInList| {
            format!("list {} {:.4} (#{})", place.list + 1, place.score, place.rank)
        };
        out += &format!("   {}\n", passage.lists.iter().map(place).collect::<Vec<_>>().join("  "));
    }
    out
}

/// What was searched, added, fused and reranked, and how long each took.
pub(super) fn explained(trace: &SearchTrace) -> String {
    let times = trace.times;
    let mut out = format!("{} search\n", trace.mode.name());
    if let Some(intent) = &trace.intent {
        out += &format!("  meant: {}\n", shorten(intent, SHOWN));
    }
    for (number, list) in (1..).zip(&trace.lists) {
        out += &format!("  list {number}: {}\n", of_list(list));
    }
    if let Some(expansion) = &trace.expansion {
        out += &of_expansion(expansion, times);
    }
    if let Some(fusion) = trace.fusion {
        out += &format!("  fused {} in {:.1} ms\n", fusion.in_words(), times.fuse_ms);
    }
    if let Some(rerank) = &trace.rerank {
        out += &of_rerank(rerank, times);
    }
    if let Some(documents) = trace.filtered_to {
        out += &format!("  filtered to {documents} documents\n");
    }
    out += &format!("  read in {:.1} ms · {:.1} ms in all\n", times.read_ms, times.total_ms);
    out
}

fn of_list(list: &ListTrace) -> String {
    let of = if list.is_dense { "dense" } else { "bm25" };
    let line = match list.line {
        None => "the question".to_owned(),
        Some(kind) => said(kind, &list.text),
    };
    let from = if list.is_expansion { ", an expansion" } else { "" };
    let weight = if (list.weight - 1.0).abs() < f64::EPSILON {
        String::new()
    } else {
        format!(", counts {} times", list.weight)
    };
    let best = list.best.map_or_else(String::new, |best| format!(", best {best:.4}"));
    let embedded =
        if list.is_dense { format!("embedded in {:.1} ms, ", list.embed_ms) } else { String::new() };
    let (candidates, find) = (list.candidates, list.find_ms);
    format!("{of} of {line}{from}{weight}: {embedded}{candidates} candidates in {find:.1} ms{best}")
}

fn said(kind: LineKind, text: &str) -> String {
    format!("{}: {}", kind.name(), shorten(text, SHOWN))
}

fn of_expansion(expansion: &ExpansionTrace, times: SearchTimes) -> String {
    let model = &expansion.model;
    if let Some(why) = &expansion.passed_over {
        return format!("  not expanded by {model}: {why}\n");
    }
    let mut out = format!("  expanded by {model}: {} lines in {:.1} ms\n", expansion.added, times.expand_ms);
    for left in &expansion.passed_over_lines {
        out += &format!("    left out {}: {}\n", said(left.line.kind, &left.line.text), left.why);
    }
    out
}

fn of_rerank(rerank: &RerankTrace, times: SearchTimes) -> String {
    let RerankTrace { model, budget_ms, candidates, reached, .. } = rerank;
    format!(
        "  reranked by {model}: {reached} of {candidates} candidates in {:.1} ms, of {budget_ms} ms\n",
        times.rerank_ms
    )
}
