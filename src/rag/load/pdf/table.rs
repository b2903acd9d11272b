//! Rows of tables and of contents.

use super::line::PdfLine;

/// Whether the line at this place is a row: several cells, and a neighbour that has as many or nearly.
pub(super) fn is_row(lines: &[PdfLine], at: usize) -> bool {
    let cells =
        |index: Option<usize>| index.and_then(|index| lines.get(index)).map_or(0, PdfLine::cell_count);
    let own = cells(Some(at));
    let beside = cells(at.checked_sub(1)).max(cells(at.checked_add(1)));
    (own >= 3 && beside >= 2) || (own == 2 && beside >= 3)
}

/// A line of a table of contents, whose dots lead to a page's number.
pub(super) fn is_contents(text: &str) -> bool {
    text.contains(". . . .") || text.contains(".....")
}

/// Without the dots.
pub(super) fn without_leaders(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.chars().all(|c| c == '.'));
    let words: Vec<String> = words.map(|word| word.split("....").next().unwrap_or(word).to_owned()).collect();
    words.join(" ")
}

/// Whether a line of a table of contents ends with a page's number, far right of its words.
pub(super) fn leads_to_page(line: &PdfLine) -> bool {
    let [.., words, number] = line.spans.as_slice() else { return false };
    let text = number.text.trim();
    let far = number.x0 - words.x1 > 3.0 * line.size;
    far && !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the line above or below it is a row.
pub(super) fn beside_row(lines: &[PdfLine], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|above| is_row(lines, above)) || is_row(lines, at + 1)
}
