//! What a search matched, in the text that is shown.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::domain::filter::{Filter, Highlight, WordEnd};

/// Texts longer than this are shown without highlights, so that drawing stays quick.
const LONGEST: usize = 64 << 10;

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
                let end = if words.end == WordEnd::Whole { r"\b" } else { "" };
                let pattern = format!(r"(?i)\b{}{end}", parts.join(r"[^\p{L}\p{N}]+"));
                if parts.is_empty() { None } else { regex::Regex::new(&pattern).ok() }
            }
        });
        Self(patterns.collect())
    }

    /// A text in spans: what matched in one style, the rest in another.
    pub(crate) fn spans<'t>(&self, text: &'t str, plain: Style, matched: Style) -> Vec<Span<'t>> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        if text.len() <= LONGEST {
            for pattern in &self.0 {
                found.extend(
                    pattern.find_iter(text).map(|hit| (hit.start(), hit.end())).filter(|hit| hit.0 < hit.1),
                );
            }
        }
        found.sort_unstable();
        let mut spans = Vec::with_capacity(found.len() * 2 + 1);
        let mut at = 0;
        for (start, end) in found {
            if end <= at {
                continue;
            }
            let start = start.max(at);
            spans.push(Span::styled(text.get(at..start).unwrap_or_default(), plain));
            spans.push(Span::styled(text.get(start..end).unwrap_or_default(), plain.patch(matched)));
            at = end;
        }
        spans.push(Span::styled(text.get(at..).unwrap_or_default(), plain));
        spans
    }
}
