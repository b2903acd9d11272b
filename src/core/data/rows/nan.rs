//! Python's names for numbers that JSON has none for: `NaN`, `Infinity`, `-Infinity`, as `json.dumps` writes them. A NaN is
//! what pandas has where nothing is.

use super::exact::end_of_text;

/// Below these keys what stands there is written again as JSON, so that no other value may stand for it.
const CALLED: [&str; 5] =
    ["\"tools\"", "\"tool_calls\"", "\"functions\"", "\"function_call\"", "\"arguments\""];

/// A row with null for each NaN, and the name as a text for the others; `None` where there is none of them.
pub(super) fn named(bytes: &[u8]) -> Option<Vec<u8>> {
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    if !has("NaN") && !has("Infinity") || CALLED.iter().any(|key| has(key)) {
        return None;
    }
    let (mut row, mut at) = (Vec::with_capacity(bytes.len() + 16), 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"\"") {
            let end = end_of_text(bytes, at + 1);
            row.extend_from_slice(bytes.get(at..end).unwrap_or_default());
            at = end;
            continue;
        }
        let known: [(&[u8], &[u8]); 3] =
            [(b"NaN", b"null"), (b"-Infinity", b"\"-Infinity\""), (b"Infinity", b"\"Infinity\"")];
        if let Some((name, written)) = known.into_iter().find(|(name, _)| rest.starts_with(name)) {
            row.extend_from_slice(written);
            at += name.len();
        } else {
            row.extend(rest.first());
            at += 1;
        }
    }
    Some(row)
}
