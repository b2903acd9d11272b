//! The tool `query`.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::arguments::QueryArguments;
use super::desk::McpDesk;
use super::tools::ToolAnswer;
use crate::app::library::open::QuestionVectors;
use crate::domain::retrieval::{
    FoundPassage, FoundPassages, Fusion, LibraryFilter, Neighbours, PassageQuery, SearchMode,
};
use crate::rag::search::{CANDIDATES, LineKind, MOST, QueryLine, typed};

/// Lines of one search at most.
pub(super) const MOST_LINES: usize = 10;
/// Results at most.
const MOST_RESULTS: usize = 100;
/// Characters of a passage in a result: `get` reads all of it.
const SNIPPET: usize = 600;

/// What is searched for.
enum Asked {
    Words(String),
    Lines(Vec<QueryLine>),
}

pub(super) fn query(desk: &mut McpDesk, arguments: &QueryArguments) -> Result<ToolAnswer> {
    let asked = asked(arguments)?;
    let query = passage_query(arguments)?;
    let by_words = |lines: &[QueryLine]| lines.iter().all(|line| line.kind == LineKind::Lex);
    let vectors = match &asked {
        Asked::Lines(lines) if by_words(lines) => QuestionVectors::NotNeeded,
        Asked::Words(_) | Asked::Lines(_) => QuestionVectors::Wanted,
    };
    let found = desk.ask(vectors, |library, embedder| match asked {
        Asked::Words(words) => {
            // A library without embeddings is searched by its words.
            let mode = if embedder.is_some() { SearchMode::Hybrid } else { SearchMode::Bm25 };
            library.search(&PassageQuery { words, mode, ..query }, embedder)
        }
        Asked::Lines(lines) => library.search_lines(&lines, &query, embedder),
    })?;
    Ok(answer(&found, arguments))
}

fn asked(arguments: &QueryArguments) -> Result<Asked> {
    let QueryArguments { searches, query, intent, .. } = arguments;
    ensure!(
        searches.len() <= MOST_LINES,
        "searches holds {} lines, and may hold {MOST_LINES}",
        searches.len()
    );
    let with_intent = |line: QueryLine| match intent {
        // Words that are not in the question would find other documents by their words.
        Some(intent) if line.kind != LineKind::Lex => {
            QueryLine { text: format!("{} ({intent})", line.text), ..line }
        }
        _ => line,
    };
    if !searches.is_empty() {
        ensure!(query.is_none(), "give searches or query, not both");
        let line = |search: &super::arguments::TypedSearch| {
            let kind = LineKind::of_name(&search.kind).with_context(|| {
                format!("a search's type is {:?}, and must be lex, vec or hyde", search.kind)
            })?;
            Ok(with_intent(QueryLine { kind, text: search.query.clone() }))
        };
        return searches.iter().map(line).collect::<Result<_>>().map(Asked::Lines);
    }
    let words = query.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let words = words.context("say what to search for: searches, or query")?;
    Ok(match typed(words) {
        Some(lines) => {
            ensure!(
                lines.len() <= MOST_LINES,
                "query holds {} lines, and may hold {MOST_LINES}",
                lines.len()
            );
            Asked::Lines(lines.into_iter().map(with_intent).collect())
        }
        None => Asked::Words(words.to_owned()),
    })
}

fn passage_query(arguments: &QueryArguments) -> Result<PassageQuery> {
    if arguments.rerank == Some(true) {
        bail!("nothing is reranked here: leave rerank out, or say false");
    }
    ensure!((1..=MOST_RESULTS).contains(&arguments.limit), "limit is from 1 to {MOST_RESULTS}");
    if let Some(candidates) = arguments.candidate_limit {
        ensure!(
            (1..=MOST).contains(&candidates),
            "candidateLimit is from 1 to {MOST}, {CANDIDATES} by default"
        );
    }
    let tags = arguments.collections.clone().unwrap_or_default();
    ensure!(tags.len() <= 1, "collections holds {} tags: one can be asked for at a time", tags.len());
    Ok(PassageQuery {
        words: String::new(),
        mode: SearchMode::Hybrid,
        top: arguments.limit,
        filter: LibraryFilter { tags, ..LibraryFilter::default() },
        fusion: Fusion::default(),
        diversity: None,
        neighbours: Neighbours::Joined,
    })
}

fn answer(found: &FoundPassages, arguments: &QueryArguments) -> ToolAnswer {
    let all = found.passages.len();
    let kept: Vec<&FoundPassage> =
        found.passages.iter().filter(|passage| passage.score >= arguments.min_score).collect();
    let mut text = match kept.len() {
        0 => "nothing was found".to_owned(),
        1 => "1 passage".to_owned(),
        count => format!("{count} passages"),
    };
    if kept.len() < all {
        text.push_str(&format!(
            "; {} of a score below minScore {} were left out (scores are raw here)",
            all - kept.len(),
            arguments.min_score
        ));
    }
    for passage in &kept {
        let section = passage.section.join(" > ");
        let place = [passage.title.as_str(), section.as_str()].join(" · ");
        text.push_str(&format!(
            "\n\n#{} {:.4} {}\n{}\n{}",
            passage.id,
            passage.score,
            place,
            passage.source,
            snippet(passage)
        ));
    }
    let results: Vec<Value> = kept.into_iter().map(result).collect();
    ToolAnswer { text, value: json!({ "results": results, "trace": found.trace }) }
}

fn result(passage: &FoundPassage) -> Value {
    json!({
        "docid": format!("#{}", passage.id),
        "file": passage.source,
        "title": passage.title,
        "score": passage.score,
        "context": passage.context,
        "snippet": snippet(passage),
        "section": passage.section,
        "pages": passage.pages,
        "rank": passage.rank,
        "bm25": passage.bm25,
        "dense": passage.dense,
    })
}

fn snippet(passage: &FoundPassage) -> String {
    let mut letters = passage.text.chars();
    let snippet: String = letters.by_ref().take(SNIPPET).collect();
    if letters.next().is_some() { format!("{snippet}…") } else { snippet }
}
