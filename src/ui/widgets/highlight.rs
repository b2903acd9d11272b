//! What a search matched, in the text that is shown.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Span;

use crate::domain::filter::{Filter, Highlight, WordEnd};

/// Texts longer than this are shown without highlights, so that drawing stays quick.
const LONGEST: usize = 64 << 10;

/// Letters of a question's word that is worth marking.
const SHORTEST: usize = 4;
/// Words of a question that are marked at most.
const MOST_WORDS: usize = 24;

/// Compiled once for each filter.
#[derive(Debug, Default)]
pub(crate) struct Highlights(Vec<regex::Regex>);

impl Highlights {
    pub(crate) fn of(filter: &Filter) -> Self {
        let patterns = filter.highlights().into_iter().filter_map(|highlight| match highlight {
            Highlight::Pattern(pattern) => pattern.compiled().ok(),
            Highlight::Words(words) => {
                let parts: Vec<String> = words
                    .text
                    .split(|c: char| !c.is_alphanumeric())
                    .filter(|part| !part.is_empty())
                    .map(regex::escape)
                    .collect();
                let begin = if words.stands_anywhere() { "" } else { r"\b" };
                let end = if words.end == WordEnd::Whole { begin } else { "" };
                let pattern = format!(r"(?i){begin}{}{end}", parts.join(r"[^\p{L}\p{N}]+"));
                if parts.is_empty() { None } else { regex::Regex::new(&pattern).ok() }
            }
        });
        Self(patterns.collect())
    }

    /// Of what a person types to find: whatever its case, as it stands.
    pub(crate) fn literal(text: &str) -> Self {
        let pattern = format!("(?i){}", regex::escape(text));
        let pattern = if text.is_empty() { None } else { regex::Regex::new(&pattern).ok() };
        Self(pattern.into_iter().collect())
    }

    /// Of a question: its words in any of their forms (`tides` and `tidal`), as the search by words found them. Short
    /// words are in every text.
    pub(crate) fn of_question(question: &str) -> Self {
        let words = question.split(|letter: char| !letter.is_alphanumeric());
        let long = words.filter(|word| word.chars().count() >= SHORTEST || word.parse::<f64>().is_ok());
        let patterns = long.take(MOST_WORDS).filter_map(|word| {
            let letters = word.chars().count();
            let stem: String = word.chars().take(if letters > 5 { letters - 2 } else { letters }).collect();
            regex::Regex::new(&format!(r"(?i)\b{}\w*", regex::escape(&stem))).ok()
        });
        Self(patterns.collect())
    }

    /// Whether a text holds any of it, however long it is.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(text))
    }

    /// Where a text matched, in order, without overlaps.
    pub(crate) fn found(&self, text: &str) -> Vec<Range<usize>> {
        if self.0.is_empty() || text.len() > LONGEST {
            return Vec::new();
        }
        let hits = self.0.iter().flat_map(|pattern| pattern.find_iter(text).map(|hit| hit.range()));
        let mut found: Vec<Range<usize>> = hits.filter(|hit| !hit.is_empty()).collect();
        found.sort_unstable_by_key(|hit| (hit.start, hit.end));
        let mut at = 0;
        found.retain_mut(|hit| {
            hit.start = hit.start.max(at);
            at = at.max(hit.end);
            hit.start < hit.end
        });
        found
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something in a text matched.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        text.len() <= LONGEST && self.0.iter().any(|pattern| pattern.is_match(text))
    }

    /// A text in spans: what matched in one style, the rest in another.
    pub(crate) fn spans<'t>(&self, text: &'t str, plain: Style, matched: Style) -> Vec<Span<'t>> {
        let found = self.found(text);
        let mut spans = Vec::with_capacity(found.len() * 2 + 1);
        let mut at = 0;
        for hit in found {
            spans.push(Span::styled(text.get(at..hit.start).unwrap_or_default(), plain));
            at = hit.end;
            spans.push(Span::styled(text.get(hit).unwrap_or_default(), plain.patch(matched)));
        }
        spans.push(Span::styled(text.get(at..).unwrap_or_default(), plain));
        spans
    }
}
