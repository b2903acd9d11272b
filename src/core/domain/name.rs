//! Names that people give and that become a file's or a folder's.

/// Longest name, in bytes: a folder's may have 255 on most systems, and what is written beside it has a longer one.
const LONGEST: usize = 128;

/// Checks that a name is a plain one: no path, nothing hidden, nothing that can't be seen or steers a terminal.
///
/// # Errors
/// Where it isn't; the sentence says of what it can't be the name, and shows no more of it than is safe.
pub fn check(of_what: &str, name: &str) -> Result<(), String> {
    let sound = !name.is_empty()
        && !name.starts_with(['.', '-'])
        && name.trim() == name
        && name.len() <= LONGEST
        && name.chars().all(is_plain);
    if sound {
        return Ok(());
    }
    Err(format!(
        "{} can't be a {of_what}'s name: use letters, digits, spaces inside and signs like '-', '_', '.', '=' and '+', at \
         most {LONGEST} bytes, and no '.' or '-' at the beginning",
        shown(name)
    ))
}

/// Letters and digits of any language, the space, and ASCII signs that neither make a path nor a pattern of a shell.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || " -_.=+,@#%()[]:".contains(character)
}

/// A name that [`check`] accepts, made of any text.
#[must_use]
pub fn made_of(text: &str) -> String {
    let mut name: String = text.chars().map(|c| if is_plain(c) && c != ' ' { c } else { '-' }).collect();
    // Room for a number behind it.
    while name.len() > LONGEST / 2 {
        name.pop();
    }
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "run".to_owned() } else { name.to_owned() }
}

/// As [`shown`], without the quotes.
#[must_use]
pub fn plain(text: &str) -> String {
    shown(text).trim_matches('\'').to_owned()
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

/// A message that quotes what was read, on one line and of bearable length: its beginning and its end, where libraries
/// say what they expected and at which place.
#[must_use]
pub fn one_line(message: &str) -> String {
    const BEGINNING: usize = 450;
    const END: usize = 150;
    let line = |signs: &str| signs.chars().flat_map(escaped).collect::<String>();
    let Some((cut, _)) = message.char_indices().nth(BEGINNING) else { return line(message) };
    let (beginning, rest) = message.split_at(cut);
    match rest.char_indices().rev().nth(END) {
        Some((end, _)) => format!("{} ... {}", line(beginning), line(rest.get(end..).unwrap_or_default())),
        None => line(message),
    }
}

/// Control characters, and those that turn the direction of writing, as `\u{...}`.
fn escaped(character: char) -> Vec<char> {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    if character.is_control() || turns { character.escape_default().collect() } else { vec![character] }
}
