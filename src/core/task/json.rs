//! Finds the JSON in what a model wrote: behind words, in a code block, cut off, or a little wrong.

use serde_json::Value;

/// The last JSON object in a text that parses, or parses once it is mended; and whether it was there as it should be.
pub(super) fn find(text: &str) -> Option<(Value, Quality)> {
    let trimmed = text.trim();
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(trimmed) {
        return Some((value, Quality::Clean));
    }
    let objects = objects(text);
    let parsed = |object: &&str| serde_json::from_str::<Value>(object).ok().filter(Value::is_object);
    if let Some(value) = objects.iter().rev().find_map(parsed) {
        return Some((value, Quality::AmongWords));
    }
    let mended = |object: &&str| serde_json::from_str::<Value>(&mend(object)).ok().filter(Value::is_object);
    objects.iter().rev().find_map(mended).map(|value| (value, Quality::Mended))
}

/// How well an answer kept to the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    /// The answer is JSON and nothing else.
    Clean,
    /// Words or a code block stand around it.
    AmongWords,
    /// It is no JSON as it stands.
    Mended,
}

/// Objects in a text that wrote more than this are looked for no further.
const MOST: usize = 64;

/// Every outermost `{...}`, and last one that is not closed.
fn objects(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = text.get(rest..).and_then(|tail| tail.find('{')).map(|at| rest + at) {
        let tail = text.get(start..).unwrap_or_default();
        let Some(length) = balanced(tail) else {
            found.push(tail);
            break;
        };
        found.extend(tail.get(..length));
        rest = start + length;
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// Where the object at the beginning of a text ends.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_u32, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' if !in_text => depth += 1,
            b'}' if !in_text => {
                depth -= 1;
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Escapes line breaks within texts, takes out commas before a closing bracket, and closes what is open.
fn mend(object: &str) -> String {
    let mut out = String::with_capacity(object.len() + 8);
    let mut open: Vec<char> = Vec::new();
    let (mut in_text, mut escaped) = (false, false);
    for character in object.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '\n' if in_text => {
                out.push_str("\\n");
                continue;
            }
            c if in_text && c.is_control() => continue,
            '{' if !in_text => open.push('}'),
            '[' if !in_text => open.push(']'),
            '}' | ']' if !in_text => {
                let kept = out.trim_end().trim_end_matches(',').len();
                out.truncate(kept);
                open.pop();
            }
            _ => {}
        }
        out.push(character);
    }
    if in_text {
        out.push('"');
    }
    let kept = out.trim_end().trim_end_matches([',', ':']).len();
    if !open.is_empty() {
        out.truncate(kept);
    }
    out.extend(open.into_iter().rev());
    out
}
