//! Characters that were lost on the way, or that nobody typed.

use super::{FindingKind, texts};
use crate::domain::record::Record;

/// What is odd about a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Odd {
    /// U+FFFD: something could not be decoded. What it was is not known.
    Lost,
    Control,
    /// Changes the direction of writing, or is invisible.
    Hidden,
}

fn odd(character: char) -> Option<Odd> {
    match character {
        '\u{FFFD}' => Some(Odd::Lost),
        '\n' | '\t' | '\r' => None,
        c if c.is_control() => Some(Odd::Control),
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Some(Odd::Hidden)
        }
        '\u{FDD0}'..='\u{FDEF}' | '\u{FFFE}' | '\u{FFFF}' => Some(Odd::Control),
        _ => None,
    }
}

pub(super) fn check(record: &Record, find: &mut impl FnMut(FindingKind, String)) {
    let mut counts = [0_u32; 3];
    let mut first = None;
    for character in texts(record).flat_map(|text| text.chars().collect::<Vec<_>>()) {
        let index = match odd(character) {
            None => continue,
            Some(Odd::Lost) => 0,
            Some(Odd::Control) => 1,
            Some(Odd::Hidden) => 2,
        };
        if let Some(count) = counts.get_mut(index) {
            *count += 1;
        }
        first.get_or_insert(character);
    }
    let Some(first) = first else { return };
    let names = ["that could not be decoded", "of control", "that are invisible"];
    let told: Vec<String> = counts
        .iter()
        .zip(names)
        .filter(|(count, _)| **count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    find(
        FindingKind::Characters,
        format!("characters: {} (the first is U+{:04X})", told.join(", "), u32::from(first)),
    );
}

/// Takes out control and invisible characters, the safe part of what [`FindingKind::Characters`] finds. Says whether
/// anything changed.
pub fn clean(record: &mut Record) -> bool {
    let mut changed = false;
    let mut strip = |text: &mut String| {
        let before = text.len();
        text.retain(|character| !matches!(odd(character), Some(Odd::Control | Odd::Hidden)));
        changed |= text.len() != before;
    };
    let pair = record.preference.iter_mut().flat_map(|pair| pair.chosen.iter_mut().chain(&mut pair.rejected));
    record.messages.iter_mut().chain(pair).for_each(|turn| strip(&mut turn.content));
    record.text.iter_mut().for_each(strip);
    changed
}
