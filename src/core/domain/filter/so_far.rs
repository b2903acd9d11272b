//! What a filter means while it is typed. Knows the grammar's brackets only.

use super::{Filter, FilterError, parse};

/// What a line means so far: as it is, with what is open in it closed, or else the longest beginning of whole words that
/// can be read.
#[must_use]
pub fn so_far(line: &str) -> Filter {
    let line = line.trim_end();
    let words = line.char_indices().rev().filter(|(at, _)| is_start(line, *at)).map(|(at, _)| at);
    let ends = [line.len(), line.trim_end_matches([',', '|']).len()].into_iter().chain(words);
    let mut read = ends.filter_map(|end| {
        let begun = line.get(..end)?.trim_end();
        // An empty bracket would stand for everything.
        if begun.ends_with('(') { None } else { parse(&closed(begun)).ok() }
    });
    read.next().unwrap_or(Filter::Everything)
}

/// Whether a line that can't be read is only not finished yet.
#[must_use]
pub fn goes_on(line: &str, error: &FilterError) -> bool {
    error.span.end >= line.trim_end().len() || parse(&closed(line)).is_ok()
}

/// Whether a word begins there: after a space or a parenthesis, or as one.
fn is_start(line: &str, at: usize) -> bool {
    let before = line.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|before| before.is_whitespace() || before == '(')
}

/// The line with the quote and the parentheses closed that are open at its end.
fn closed(line: &str) -> String {
    let (mut open, mut quoted) = (0_usize, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            '\\' if quoted => drop(letters.next()),
            '(' if !quoted => open += 1,
            ')' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    let quote = if quoted { "\"" } else { "" };
    format!("{line}{quote}{}", ")".repeat(open))
}
