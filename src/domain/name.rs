//! Names that people give and that become a file's or a folder's.

/// Longest name, in characters.
const LONGEST: usize = 64;

/// Checks that a name is a plain one: no path, nothing hidden, nothing that steers a terminal.
///
/// # Errors
/// Where it isn't; the sentence says of what it can't be the name, and shows no more of it than is safe.
pub fn check(of_what: &str, name: &str) -> Result<(), String> {
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let sound = !name.is_empty()
        && !name.starts_with(['.', '-'])
        && name.chars().count() <= LONGEST
        && name.len() <= 3 * LONGEST
        && name.chars().all(plain);
    if sound {
        return Ok(());
    }
    Err(format!(
        "{} can't be a {of_what}'s name: use letters, digits, '-', '_' and '.', at most {LONGEST}, and no '.' or '-' \
         at the beginning",
        shown(name)
    ))
}

/// A text from elsewhere as it may stand in a sentence: in quotes, cut after some characters, with everything that
/// steers a terminal spelt out.
#[must_use]
pub fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut safe: String = text.chars().take(MOST).flat_map(escaped).collect();
    if text.chars().nth(MOST).is_some() {
        safe += &format!("... ({} bytes)", text.len());
    }
    format!("'{safe}'")
}

/// A message of a library that quotes what it read, on one line and of bearable length.
#[must_use]
pub fn one_line(message: &str) -> String {
    const MOST: usize = 1_000;
    let mut line: String = message.chars().take(MOST).flat_map(escaped).collect();
    if message.chars().nth(MOST).is_some() {
        line += "...";
    }
    line
}

/// Control characters, and those that turn the direction of writing, as `\u{...}`.
fn escaped(character: char) -> Vec<char> {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    if character.is_control() || turns { character.escape_default().collect() } else { vec![character] }
}
