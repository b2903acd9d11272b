//! Which language a document is in, by the words and letters of its prose.

use whatlang::{Detector, Lang};

use crate::domain::library::{BlockKind, DocumentBlock};

/// Characters of prose that are looked at, and the fewest that say anything.
const LOOKED_AT: usize = 4000;
const LEAST: usize = 80;

/// Languages as ISO 639-1 writes them. Stemmers know most of them; papers are written in the others too.
const KNOWN: &[(Lang, &str)] = &[
    (Lang::Eng, "en"),
    (Lang::Deu, "de"),
    (Lang::Fra, "fr"),
    (Lang::Spa, "es"),
    (Lang::Ita, "it"),
    (Lang::Por, "pt"),
    (Lang::Nld, "nl"),
    (Lang::Swe, "sv"),
    (Lang::Dan, "da"),
    (Lang::Nob, "no"),
    (Lang::Fin, "fi"),
    (Lang::Hun, "hu"),
    (Lang::Ron, "ro"),
    (Lang::Tur, "tr"),
    (Lang::Rus, "ru"),
    (Lang::Ukr, "uk"),
    (Lang::Pol, "pl"),
    (Lang::Ces, "cs"),
    (Lang::Ell, "el"),
    (Lang::Ara, "ar"),
    (Lang::Heb, "he"),
    (Lang::Hin, "hi"),
    (Lang::Tam, "ta"),
    (Lang::Cmn, "zh"),
    (Lang::Jpn, "ja"),
    (Lang::Kor, "ko"),
    (Lang::Cat, "ca"),
];

/// All languages that are told apart.
pub(in crate::rag) fn all() -> Vec<Lang> {
    KNOWN.iter().map(|(language, _)| *language).collect()
}

/// The language of most of the text; none if there is too little, or it can't be told.
pub(super) fn of(blocks: &[DocumentBlock]) -> Option<String> {
    let mut text = String::new();
    for block in blocks.iter().filter(|block| matches!(block.kind, BlockKind::Prose | BlockKind::ListItem)) {
        text.push_str(&block.text);
        text.push(' ');
        if text.len() > LOOKED_AT * 4 {
            break;
        }
    }
    let start: String = text.chars().take(LOOKED_AT).collect();
    let letters = start.chars().filter(|c| c.is_alphabetic());
    // A character of Chinese says as much as three or four letters.
    let weight: usize = letters.map(|c| if c >= '\u{2e80}' { 4 } else { 1 }).sum();
    if weight < LEAST {
        return None;
    }
    let found = Detector::with_allowlist(all()).detect(&start).filter(|info| info.confidence() > 0.5)?;
    KNOWN.iter().find(|(language, _)| *language == found.lang()).map(|(_, code)| (*code).to_owned())
}
