//! Whether a question is expanded, and which of a model's lines are searched for.

use std::time::Instant;

use anyhow::Result;

use super::lists::FoundList;
use super::tools::ExpansionStep;
use super::{SOON, language, milliseconds};
use crate::domain::retrieval::{ExpansionTrace, PassageQuery, PassedOverLine, QueryLine};
use crate::rag::library::Library;

/// BM25 is sure from this ratio on, of the best score to the best of another document. Chosen on `SciFact`'s training
/// queries: of the 189 of 809 that reach it the first is judged relevant in 96.8% (from 1.5 on 226 in 94.2%, from 1.4 on
/// 266 in 91.7%; without a condition 60.2%).
pub const SURE: f32 = 1.6;
/// Lines of an expansion that are searched for at most.
const MOST_LINES: usize = 10;

/// What came of asking a model for lines.
pub(super) struct Expanded {
    pub(super) lines: Vec<QueryLine>,
    pub(super) trace: ExpansionTrace,
    pub(super) milliseconds: f64,
}

impl Library {
    /// The lines that a model adds to a question, unless its words find something for sure already.
    pub(super) fn expanded(
        &mut self,
        query: &PassageQuery,
        asked: &[FoundList],
        step: &mut ExpansionStep<'_>,
    ) -> Result<Expanded> {
        let model = step.expander.name().to_owned();
        let mut trace = ExpansionTrace { model, ..ExpansionTrace::default() };
        trace.passed_over = if query.lines.is_empty() {
            self.sure(asked)?
        } else {
            Some("typed lines are an expansion already".to_owned())
        };
        if trace.passed_over.is_some() {
            return Ok(Expanded { lines: Vec::new(), trace, milliseconds: 0.0 });
        }
        if step.within > SOON {
            self.lend_index();
        }
        let asking = Instant::now();
        let expansion = step.expander.expand(&query.words, query.intent.as_deref(), step.within);
        let milliseconds = milliseconds(asking);
        trace.notice = expansion.notice;
        let (mut lines, other) = language::same(&query.words, expansion.lines);
        trace.passed_over_lines.extend(other);
        let of_mode = |line: QueryLine| {
            let why = if !line.kind.is_asked_in(query.mode) {
                format!("a {} search asks no {} lines", query.mode.name(), line.kind.name())
            } else if line.text == query.words {
                "it is the question itself".to_owned()
            } else {
                return Ok(line);
            };
            Err(PassedOverLine { line, why })
        };
        let (kept, left): (Vec<_>, Vec<_>) = lines.drain(..).map(of_mode).partition(Result::is_ok);
        trace.passed_over_lines.extend(left.into_iter().filter_map(Result::err));
        lines = kept.into_iter().flatten().collect();
        for line in lines.split_off(lines.len().min(MOST_LINES)) {
            let why = format!("{MOST_LINES} lines are searched for at most");
            trace.passed_over_lines.push(PassedOverLine { line, why });
        }
        trace.added = lines.len();
        Ok(Expanded { lines, trace, milliseconds })
    }

    /// Why the question's words alone are enough, if they are: the best chunk stands far above those of any other
    /// document.
    fn sure(&self, asked: &[FoundList]) -> Result<Option<String>> {
        let Some(list) = asked.iter().find(|list| !list.ranked.is_dense) else { return Ok(None) };
        let Some(&(first, best)) = list.ranked.chunks.first() else { return Ok(None) };
        let Some(found) = self.database().chunk(first)? else { return Ok(None) };
        for &(id, score) in list.ranked.chunks.iter().skip(1) {
            let other = self.database().chunk(id)?;
            if other.is_some_and(|other| other.document != found.document) {
                let ratio = best / score.max(f32::MIN_POSITIVE);
                let why = format!(
                    "BM25 is sure: its best score is {best:.4}, that of the next document {score:.4}, {ratio:.2} times \
                     (from {SURE} on)"
                );
                return Ok((ratio >= SURE).then_some(why));
            }
        }
        // Nothing to compare with: a word in common is no certainty.
        Ok(None)
    }
}
