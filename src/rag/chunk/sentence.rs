//! Where sentences end: Unicode's rules, and the abbreviations that they don't know.

use unicode_segmentation::UnicodeSegmentation as _;

/// What ends in a dot and is no sentence's end before a capital, in papers and in plain prose.
const ABBREVIATIONS: &[&str] = &[
    "al", "fig", "figs", "eq", "eqs", "sec", "secs", "tab", "ref", "refs", "app", "ch", "no", "nos", "vol",
    "pp", "e.g", "i.e", "cf", "vs", "viz", "resp", "approx", "dr", "mr", "mrs", "ms", "prof", "st", "jr",
    "sr", "inc", "ltd", "co", "dept", "univ", "proc", "conf", "trans", "ed", "eds", "thm", "lem", "def",
    "prop", "z.b", "bzw", "vgl", "abb", "nr", "bspw", "d.h", "u.a",
];

/// A text's sentences, without the space between them.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for bound in text.split_sentence_bounds() {
        end += bound.len();
        let Some(so_far) = text.get(start..end) else { continue };
        // A line's end is none of a sentence's; an empty line is.
        let broken = !so_far.ends_with("\n\n") && !ends_sentence(so_far);
        if end < text.len() && broken {
            continue;
        }
        if !so_far.trim().is_empty() {
            sentences.push(so_far.trim());
        }
        start = end;
    }
    sentences
}

fn ends_sentence(text: &str) -> bool {
    let closed =
        |c: char| matches!(c, '"' | '\'' | '\u{201d}' | '\u{2019}' | '\u{bb}' | ')' | ']' | '\u{300d}');
    let text = text.trim_end();
    let open = text.trim_end_matches(closed);
    let Some(stem) = open.strip_suffix('.') else {
        return open.ends_with(['!', '?', '\u{2026}', '\u{3002}', '\u{ff01}', '\u{ff1f}']);
    };
    let word = stem.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[')).next().unwrap_or_default();
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}
