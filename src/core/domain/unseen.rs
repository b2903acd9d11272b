//! Signs of which nothing is seen.

/// Nothing is drawn for it (Unicode: `Default_Ignorable_Code_Point`).
#[must_use]
pub const fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Drawn as an empty place, though Unicode doesn't call it white space: Braille without a dot, notes and hieroglyphs that
/// are left empty, and what annotations stand between.
const fn is_drawn_empty(character: char) -> bool {
    matches!(
        character,
        '\u{2800}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{13441}'..='\u{13442}'
            | '\u{16fe4}'
            | '\u{1d159}'
    )
}

/// Whether a text is nothing but white space, control characters and signs of which nothing is seen, such as U+200B or
/// U+2800.
#[must_use]
pub fn is_unseen(text: &str) -> bool {
    let is_unseen =
        |sign: char| sign.is_whitespace() || sign.is_control() || is_ignorable(sign) || is_drawn_empty(sign);
    text.chars().all(is_unseen)
}
