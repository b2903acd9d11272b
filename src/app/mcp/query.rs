//! The tool `query`.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::arguments::QueryArguments;
use super::desk::McpDesk;
use super::tools::ToolAnswer;
use crate::app::library::open::{QuestionVectors, Reranking};
use crate::domain::retrieval::{
    FoundPassage, FoundPassages, Fusion, LibraryFilter, LineKind, PassageQuery, QueryLine,
};
use crate::rag::search::{MOST, RERANKED_UNLESS_SAID, TypedQuery, typed};

/// Lines of one search at most.
pub(super) const MOST_LINES: usize = 10;
/// Results at most.
const MOST_RESULTS: usize = 100;
/// Characters of a passage in a result: `get` reads all of it.
const SNIPPET: usize = 600;

pub(super) fn query(desk: &mut McpDesk, arguments: &QueryArguments) -> Result<ToolAnswer> {
    let query = passage_query(arguments)?;
    let by_words = !query.lines.is_empty() && query.lines.iter().all(|line| line.kind == LineKind::Lex);
    let vectors = if by_words { QuestionVectors::NotNeeded } else { QuestionVectors::Wanted };
    let reranking = match arguments.rerank {
        Some(false) => Reranking::Left,
        Some(true) if !desk.reranks() => bail!(
            "nothing reranks here: leave rerank out, or name a model in settings.toml ([search] rerank = \"MODEL\")"
        ),
        Some(true) | None => Reranking::AsSet,
    };
    let found = desk.open.search(vectors, query, reranking)?;
    Ok(answer(&found, arguments))
}

/// What is searched for: plain words, or lines and what is meant by them.
fn asked(arguments: &QueryArguments) -> Result<(String, TypedQuery)> {
    let QueryArguments { searches, query, intent, .. } = arguments;
    let intent = intent.clone().filter(|intent| !intent.trim().is_empty());
    ensure!(
        searches.len() <= MOST_LINES,
        "searches holds {} lines, and may hold {MOST_LINES}",
        searches.len()
    );
    if !searches.is_empty() {
        ensure!(query.is_none(), "give searches or query, not both");
        let line = |search: &super::arguments::TypedSearch| {
            let kind = LineKind::of_name(&search.kind).with_context(|| {
                format!("a search's type is {:?}, and must be lex, vec or hyde", search.kind)
            })?;
            Ok(QueryLine { kind, text: search.query.clone() })
        };
        let lines = searches.iter().map(line).collect::<Result<_>>()?;
        return Ok((String::new(), TypedQuery { lines, intent }));
    }
    let words = query.as_deref().map(str::trim).filter(|words| !words.is_empty());
    let words = words.context("say what to search for: searches, or query")?;
    let Some(TypedQuery { lines, intent: said }) = typed(words)? else {
        return Ok((words.to_owned(), TypedQuery { lines: Vec::new(), intent }));
    };
    ensure!(lines.len() <= MOST_LINES, "query holds {} lines, and may hold {MOST_LINES}", lines.len());
    ensure!(said.is_none() || intent.is_none(), "the intent is said twice: in query, and beside it");
    Ok((words.to_owned(), TypedQuery { lines, intent: said.or(intent) }))
}

fn passage_query(arguments: &QueryArguments) -> Result<PassageQuery> {
    let (words, TypedQuery { lines, intent }) = asked(arguments)?;
    ensure!((1..=MOST_RESULTS).contains(&arguments.limit), "limit is from 1 to {MOST_RESULTS}");
    if let Some(candidates) = arguments.candidate_limit {
        ensure!(
            (1..=MOST).contains(&candidates),
            "candidateLimit is from 1 to {MOST}; without it {RERANKED_UNLESS_SAID} are reranked and all are kept"
        );
    }
    let tags = arguments.collections.clone().unwrap_or_default();
    ensure!(tags.len() <= 1, "collections holds {} tags: one can be asked for at a time", tags.len());
    // Scores of lines are too different to be added.
    let fusion = if lines.is_empty() { Fusion::default() } else { Fusion::RANKS };
    Ok(PassageQuery {
        words,
        lines,
        intent,
        top: arguments.limit,
        candidates: arguments.candidate_limit,
        filter: LibraryFilter { tags, ..LibraryFilter::default() },
        fusion,
        ..PassageQuery::default()
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
    for notice in found.trace.all_notices() {
        text.push_str(&format!("\n({notice})"));
    }
    for passage in &kept {
        let section = passage.section.join(" > ");
        let place = [passage.title.as_str(), section.as_str()].join(" · ");
        let context = passage.context.as_ref().map(|context| format!("\n({context})")).unwrap_or_default();
        text.push_str(&format!(
            "\n\n#{} {:.4} {}\n{}{context}\n{}",
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
        "lists": passage.lists,
        "reranked": passage.reranked,
    })
}

fn snippet(passage: &FoundPassage) -> String {
    let mut letters = passage.text.chars();
    let snippet: String = letters.by_ref().take(SNIPPET).collect();
    if letters.next().is_some() { format!("{snippet}…") } else { snippet }
}
