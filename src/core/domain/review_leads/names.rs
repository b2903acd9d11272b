//! Whether a conclusion gives a label by its name, where the labels are none of natural language inference.

use super::words::{sentences, spoken};

/// For each name whether the conclusion gives it (`so it is a complaint`), refuses it, or leaves it out.
pub(super) fn names_said(conclusion: &str, names: &[String]) -> Vec<Option<bool>> {
    let mut found = vec![None; names.len()];
    for sentence in sentences(conclusion) {
        let words = spoken(&sentence);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Longer names first: `very positive` is no `positive`.
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(names.get(*at).map_or(0, String::len)));
        let mut taken = vec![false; words.len()];
        let mut here = vec![None; names.len()];
        for at in order {
            let (Some(name), Some(place)) = (names.get(at), here.get_mut(at)) else { continue };
            *place = name_said(&words, &spoken(name), &mut taken);
        }
        if here.iter().any(Option::is_some) {
            // The last sentence that names any counts.
            found = here;
        }
    }
    found
}

/// Whether a sentence gives a label's name (`so it is a complaint`), refuses it, or leaves it out. `taken`: words that
/// a longer name has taken already.
fn name_said(words: &[&str], name: &[String], taken: &mut [bool]) -> Option<bool> {
    let bare = |word: &str, other: &str| word == other || word.strip_suffix('s') == Some(other);
    let mut said = None;
    for start in 0..words.len() {
        let here = words.get(start..start + name.len()).unwrap_or_default();
        let is = here.len() == name.len()
            && !name.is_empty()
            && here.iter().zip(name).all(|(word, own)| bare(word, own));
        let Some(free) =
            taken.get_mut(start..start + name.len()).filter(|free| is && free.iter().all(|taken| !taken))
        else {
            continue;
        };
        free.fill(true);
        let given = given(words, start, start + name.len(), name);
        if given.is_some() && said.is_some() && given != said {
            return None;
        }
        said = given.or(said);
    }
    said
}

fn given(words: &[&str], start: usize, end: usize, name: &[String]) -> Option<bool> {
    const LEADING: [&str; 15] = [
        "is",
        "are",
        "be",
        "label",
        "labeled",
        "labelled",
        "class",
        "category",
        "answer",
        "as",
        ":",
        "counts",
        "means",
        "sentiment",
        "classified",
    ];
    let before = words.get(..start).unwrap_or_default();
    let near: Vec<&str> = before.iter().rev().take(6).take_while(|word| **word != ",").copied().collect();
    let refused = near
        .iter()
        .take(4)
        .any(|word| ["not", "no", "never", "nor", "neither", "than", "of", "hardly"].contains(word))
        || (before.contains(&"neither")
            && before.last().is_some_and(|word| ["nor", "a", "an"].contains(word)));
    let short = name.iter().map(|word| word.chars().count()).sum::<usize>() < 4;
    let next = words.get(end).copied().unwrap_or(".");
    let closes = [".", ",", ")", "because", "since", "\""].contains(&next);
    let leads = near.iter().any(|word| LEADING.contains(word));
    let close = near.first().is_some_and(|word| LEADING.contains(word));
    match (refused, short) {
        (true, true) => (leads && closes).then_some(false),
        (true, false) => near.iter().any(|word| *word != "of").then_some(false),
        (false, true) => (close && closes).then_some(true),
        (false, false) => leads.then_some(true),
    }
}
