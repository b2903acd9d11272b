//! What a terminal would obey is shown to its reader.

use std::borrow::Cow;

use dojo_studio::ui::widgets::visible::visible;

#[test]
fn control_characters_are_shown_as_signs_and_other_text_is_left_alone() {
    assert!(matches!(visible("a\n\tb ü 日 🦀"), Cow::Borrowed(_)));
    assert_eq!(visible("\u{1b}]52;c;aGk=\u{7}\r\u{7f}"), "␛]52;c;aGk=␇␍␡");
    assert_eq!(visible("\u{9b}2J\u{202e}x\u{2066}"), "<U+009B>2J<U+202E>x<U+2066>");
}
