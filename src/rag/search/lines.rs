//! Several lines for one question: words for BM25, questions and passages that look like the answer for the
//! embeddings. A query-expansion model writes them, or an assistant.

use crate::domain::retrieval::{LineKind, QueryLine};

/// The lines of a text: those that begin with `lex:`, `vec:` or `hyde:`. Nothing if any other says something: it is
/// plain words then.
#[must_use]
pub fn typed(text: &str) -> Option<Vec<QueryLine>> {
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Option<Vec<QueryLine>> = said.map(line).collect();
    lines.filter(|lines| !lines.is_empty())
}

/// One line, if it is typed.
#[must_use]
pub fn line(text: &str) -> Option<QueryLine> {
    let (kind, text) = text.split_once(':')?;
    let kind = LineKind::of_name(kind.trim().to_lowercase().as_str())?;
    Some(QueryLine { kind, text: text.trim().to_owned() })
}
