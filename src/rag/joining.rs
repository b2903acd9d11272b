//! Hits that follow each other in a document, made one passage.

use crate::domain::retrieval::FoundPassage;

/// Bytes that two chunks share at most: what an overlap comes to.
const OVERLAP: usize = 4096;

/// Adds a passage to the one before or after it; the place and scores stay those of the first, which is the better one.
pub(super) fn joined(passage: &mut FoundPassage, other: &FoundPassage) {
    let (before, after) =
        if other.chunks.0 < passage.chunks.0 { (other, &*passage) } else { (&*passage, other) };
    let text = text(&before.text, &after.text);
    let pages = match (before.pages, after.pages) {
        (Some((first, _)), Some((_, last))) => Some((first, last)),
        (one, other) => one.or(other),
    };
    // The headings that both stand under.
    let shared = before.section.iter().zip(&after.section).take_while(|(a, b)| a == b);
    let section = shared.map(|(heading, _)| heading.clone()).collect();
    let chunks = (before.chunks.0, after.chunks.1);
    (passage.text, passage.pages, passage.section, passage.chunks) = (text, pages, section, chunks);
}

/// Two chunks' texts without what both have.
fn text(before: &str, after: &str) -> String {
    match shared(before, after) {
        0 => format!("{before}\n\n{after}"),
        bytes => format!("{before}{}", after.get(bytes..).unwrap_or_default()),
    }
}

/// Bytes that a chunk begins with and the one before it ends with.
pub(super) fn shared(before: &str, after: &str) -> usize {
    let longest = before.len().min(after.len()).min(OVERLAP);
    let same = (1..=longest)
        .rev()
        .filter(|&bytes| after.is_char_boundary(bytes))
        .find(|&bytes| after.get(..bytes).is_some_and(|head| before.ends_with(head)));
    same.unwrap_or(0)
}
