//! The byte 0x0a, which ctrl-j sends and which ends the lines of what is pasted into a terminal without brackets.

use super::harness::Harness;
use super::{chat, data, review, train};

fn typed(mut studio: Harness, open: &str) -> String {
    studio.keys(open);
    studio.text("qqaa");
    studio.keys("ctrl-j");
    studio.text("qqbb");
    studio.screen()
}

#[test]
fn in_every_text_it_begins_a_new_line_and_takes_nothing_away() {
    let texts: [(&str, Harness, &str); 4] = [
        ("Data", data::studio(), "1 e"),
        ("Review", review::studio(), "e"),
        ("Train", train::typical(), "e E"),
        ("Chat", chat::opened(chat::asked()), "c"),
    ];
    for (pane, studio, open) in texts {
        let screen = typed(studio, open);
        let line = |word: &str| screen.lines().position(|line| line.contains(word));
        let (first, second) = (line("qqaa"), line("qqbb"));
        assert!(first.is_some() && first < second, "{pane}: {first:?} {second:?}\n{screen}");
    }
}

#[test]
fn in_a_line_it_is_a_space_as_in_what_is_pasted() {
    let lines: [(&str, Harness, &str); 4] = [
        ("Data", data::studio(), "1 f"),
        ("Review", review::studio(), "f"),
        ("Train", train::typical(), "f"),
        ("Models", data::studio(), "6 p"),
    ];
    for (pane, studio, open) in lines {
        let screen = typed(studio, open);
        assert!(screen.contains("qqaa qqbb"), "{pane}: {screen}");
    }
}

#[test]
fn the_help_of_a_text_says_so() {
    let mut studio = data::studio();
    studio.keys("1 e f1");
    let mut seen = studio.screen();
    for _ in 0..6 {
        studio.keys("pagedown");
        seen.push_str(&studio.screen());
    }
    assert!(seen.contains("Begin a new line"), "{seen}");
    assert!(!seen.contains("Delete what the line has before"), "{seen}");
}
