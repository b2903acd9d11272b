//! The numbers in square brackets by which an answer says where it is from: `[1]`, `[1][3]`, `[2, 4]`, `[1-3]`.

use crate::domain::cited::Citation;

/// Bytes of a bracket's inside at most: a longer one is no citation.
const LONGEST: usize = 40;
/// Numbers that a range may stand for: `[1-3]` is three passages, `[1990-2020]` are years.
const WIDEST: u32 = 20;

/// The citations of an answer to a question that so many passages were given for. Code holds none: `list[1]` is no
/// passage.
#[must_use]
pub fn citations(answer: &str, passages: u32) -> Vec<Citation> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut code: Option<&str> = None;
    while let Some(rest) = answer.get(at..).filter(|rest| !rest.is_empty()) {
        let fence = fence(rest);
        if !fence.is_empty() {
            let behind = rest.get(fence.len()..).unwrap_or_default();
            if code == Some(fence) {
                code = None;
            } else if code.is_none() && closes(behind, fence) {
                // Backticks that nothing closes are letters.
                code = Some(fence);
            }
            at += fence.len();
            continue;
        }
        let bracket = if code.is_none() { bracket(rest) } else { None };
        if let Some((length, inside)) = bracket
            && let Some(numbers) = numbers(inside)
        {
            let exists = |number: u32| (1..=passages).contains(&number);
            let here = at..at + length;
            found.extend(numbers.into_iter().map(|number| Citation {
                number,
                at: here.clone(),
                exists: exists(number),
            }));
            at += length;
            continue;
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// The backticks that a text begins with.
fn fence(text: &str) -> &str {
    let length = text.bytes().take_while(|byte| *byte == b'`').count();
    text.get(..length).unwrap_or_default()
}

fn closes(mut text: &str, wanted: &str) -> bool {
    while let Some(start) = text.find('`') {
        let rest = text.get(start..).unwrap_or_default();
        let found = fence(rest);
        if found == wanted {
            return true;
        }
        text = rest.get(found.len()..).unwrap_or_default();
    }
    false
}

/// The bracket that a text begins with: its length in bytes, and what is in it.
fn bracket(text: &str) -> Option<(usize, &str)> {
    let (open, close) = if text.starts_with('[') { ('[', ']') } else { ('【', '】') };
    let rest = text.strip_prefix(open)?;
    let end = rest.find(close).filter(|end| *end <= LONGEST)?;
    // A link's text is no citation: `[3](http://...)`.
    let behind = rest.get(end + close.len_utf8()..).unwrap_or_default();
    if behind.starts_with('(') {
        return None;
    }
    Some((open.len_utf8() + end + close.len_utf8(), rest.get(..end)?))
}

/// The numbers that a bracket holds; none if it holds anything else.
fn numbers(inside: &str) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for part in inside.split([',', ';']) {
        let part = part.trim().trim_start_matches('^');
        match part.split_once(['-', '–']) {
            None => found.push(number(part)?),
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last || last - first >= WIDEST {
                    return None;
                }
                found.extend(first..=last);
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A number of a passage: years and the like are longer.
fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
