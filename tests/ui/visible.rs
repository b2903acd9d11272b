//! What a terminal would obey is shown to its reader.

use std::borrow::Cow;

use dojo_studio::ui::widgets::visible::{column_in_visible, visible};

#[test]
fn control_characters_are_shown_as_signs_and_other_text_is_left_alone() {
    assert!(matches!(visible("a\n\tb ü 日 🦀"), Cow::Borrowed(_)));
    assert_eq!(visible("\u{1b}]52;c;aGk=\u{7}\r\u{7f}"), "␛]52;c;aGk=␇␍␡");
    assert_eq!(visible("\u{9b}2J\u{202e}x\u{2066}"), "<U+009B>2J<U+202E>x<U+2066>");
}

#[test]
fn what_nobody_would_see_is_shown_unless_it_belongs_to_what_is_seen() {
    // A zero-width space, a soft hyphen, a joiner amid Latin letters, a hidden message in tag characters.
    assert_eq!(visible("a\u{200b}b\u{ad}c\u{200d}d"), "a<U+200B>b<U+00AD>c<U+200D>d");
    assert_eq!(visible("x\u{e0041}\u{e0042}"), "x<U+E0041><U+E0042>");
    assert_eq!(visible("☺\u{fe0f}\u{fe0f}\u{fe01}"), "☺\u{fe0f}\u{fe0f}<U+FE01>");
    // A family, the flag of England, a keycap, Persian with its joiner, a Devanagari half form, a variant of a sign.
    for text in [
        "👨\u{200d}👩\u{200d}👧",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "1\u{fe0f}\u{20e3}",
        "می\u{200c}خواهم",
        "क\u{94d}\u{200d}ष",
        "葛\u{e0100}",
    ] {
        assert!(matches!(visible(text), Cow::Borrowed(_)), "{text:?}");
    }
}

#[test]
fn a_mark_without_a_letter_stands_on_a_circle() {
    assert_eq!(visible("\u{301}a\n\u{301}"), "◌\u{301}a\n◌\u{301}");
    assert_eq!(visible("e\u{301}"), "e\u{301}");
}

#[test]
fn a_place_in_a_text_is_found_in_what_is_shown_of_it() {
    let text = "a\u{200b}b\u{1b}c👨\u{200d}👩";
    let columns: Vec<usize> = (0..=8).map(|column| column_in_visible(text, column)).collect();
    assert_eq!(columns, [0, 1, 9, 10, 11, 12, 13, 14, 15]);
}
