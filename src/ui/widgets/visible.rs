//! Text of strangers, as a terminal may be given it and a reader can see it.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthChar;

use crate::domain::unseen::is_ignorable;

/// A text with what a terminal would obey, and what nobody would see, shown as signs: control characters as Unicode's
/// pictures of them (ESC is `␛`); the upper ones, those that turn the direction of writing and those of no width by
/// their numbers. Those that belong to what is seen stay: joiners within emoji and within scripts that need them,
/// variation selectors after what they vary.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut shown: Option<String> = None;
    pieces(text, |at, character, sign| match sign {
        Some(sign) => {
            shown.get_or_insert_with(|| text.get(..at).unwrap_or_default().to_owned()).push_str(&sign);
        }
        None => {
            if let Some(shown) = &mut shown {
                shown.push(character);
            }
        }
    });
    shown.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Where a character of a text is in what [`visible`] makes of it, both counted in characters.
#[must_use]
pub fn column_in_visible(text: &str, column: usize) -> usize {
    let (mut count, mut shown) = (0, 0);
    pieces(text, |_, _, sign| {
        if count < column {
            shown += sign.map_or(1, |sign| sign.chars().count());
        }
        count += 1;
    });
    shown
}

/// Each character with its place in bytes and the sign that is shown for it, if one is.
fn pieces(text: &str, mut piece: impl FnMut(usize, char, Option<String>)) {
    let mut before = None;
    let mut tags = 0;
    for (at, character) in text.char_indices() {
        let flag = before == Some(FLAG);
        tags = if is_tag(character) && (flag || tags > 0) { tags + 1 } else { 0 };
        let place = Surroundings { before, after: text.get(at + character.len_utf8()..), tags };
        piece(at, character, sign(character, &place));
        before = Some(character);
    }
}

/// The last gate before the terminal: cells that still hold what it would obey lose it. Whatever is drawn through
/// [`visible`] passes unchanged.
pub(crate) fn seal(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        // Most cells hold a letter or a line: looked at in every frame, they are passed by at once.
        let harmless = matches!(symbol.as_bytes(), [_] | [0xe2, 0x82..=0xbf, _] | [0xe3..=0xee, _, _]);
        if !harmless && symbol.contains(is_obeyed) {
            let safe: String = symbol.chars().filter(|character| !is_obeyed(*character)).collect();
            cell.set_symbol(if safe.is_empty() { " " } else { &safe });
        }
    }
}

/// What tags make the flag of a country's part of.
const FLAG: char = '\u{1f3f4}';

/// What stands around a character.
struct Surroundings<'t> {
    before: Option<char>,
    after: Option<&'t str>,
    /// Tag characters from a flag up to this one.
    tags: usize,
}

/// What is shown in a character's place; none where it is shown itself.
fn sign(character: char, place: &Surroundings<'_>) -> Option<String> {
    match character {
        '\n' | '\t' => None,
        '\u{7f}' => Some('␡'.into()),
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).map(String::from),
        _ if is_obeyed(character) || (is_ignorable(character) && !belongs(character, place)) => {
            Some(format!("<U+{:04X}>", u32::from(character)))
        }
        _ if is_mark(character) && place.before.is_none_or(char::is_control) => Some(format!("◌{character}")),
        _ => None,
    }
}

/// C0 and DEL, C1, Unicode's marks for the direction of writing, and its own line breaks.
const fn is_obeyed(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{206f}'
        | '\u{fff9}'..='\u{fffb}' => true,
        _ => false,
    }
}

/// A mark over or under the character before it.
fn is_mark(character: char) -> bool {
    character > '\u{2ff}' && !is_ignorable(character) && character.width() == Some(0)
}

const fn is_tag(character: char) -> bool {
    matches!(character, '\u{e0020}'..='\u{e007f}')
}

/// Whether an unseen character changes how its neighbours are drawn, as it is meant to.
fn belongs(character: char, place: &Surroundings<'_>) -> bool {
    let Some(before) = place.before else { return false };
    match character {
        '\u{200c}' => joins_letters(before),
        '\u{200d}' => {
            let next = place.after.and_then(|after| after.chars().next());
            joins_letters(before) || (is_picture(before) && next.is_some_and(is_picture))
        }
        '\u{fe0e}' | '\u{fe0f}' => is_picture(before) || matches!(before, '0'..='9' | '#' | '*' | '©' | '®'),
        '\u{fe00}'..='\u{fe0d}' => !before.is_ascii() && !is_ignorable(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        '\u{e0100}'..='\u{e01ef}' => !is_ignorable(before) && before.width() == Some(2),
        // The flags of England, Scotland, Wales: a black flag and at most six tags with their end.
        _ if is_tag(character) => (1..=7).contains(&place.tags),
        _ => false,
    }
}

/// Scripts in which a joiner decides how letters are joined.
const fn joins_letters(character: char) -> bool {
    matches!(
        character,
        '\u{590}'..='\u{8ff}'
            | '\u{900}'..='\u{109f}'
            | '\u{1780}'..='\u{1cff}'
            | '\u{2d30}'..='\u{2d7f}'
            | '\u{a800}'..='\u{abff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10a00}'..='\u{11fff}'
            | '\u{1e900}'..='\u{1e95f}'
    )
}

/// Pictures and what follows them in one: the selector of a coloured form, a tone of skin.
const fn is_picture(character: char) -> bool {
    matches!(
        character,
        '\u{203c}'
            | '\u{2049}'
            | '\u{2122}'
            | '\u{2139}'
            | '\u{2190}'..='\u{2bff}'
            | '\u{3030}'
            | '\u{303d}'
            | '\u{3297}'
            | '\u{3299}'
            | '\u{fe0f}'
            | '\u{1f000}'..='\u{1faff}'
    )
}
