//! Text of strangers, as a terminal may be given it.

use std::borrow::Cow;

/// A text with what a terminal would obey shown as signs: control characters as Unicode's pictures of them (ESC is `␛`),
/// the upper ones and those that turn the direction of writing by their numbers.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            _ if !is_obeyed(character) => shown.push(character),
            '\u{7f}' => shown.push('␡'),
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(character))),
            _ => shown.push_str(&format!("<U+{:04X}>", u32::from(character))),
        }
    }
    Cow::Owned(shown)
}

const fn is_obeyed(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // C0 and DEL, C1, and Unicode's marks for the direction of writing.
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        _ => false,
    }
}
