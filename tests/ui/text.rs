//! Text as it is: indentation kept, broken where it may break, never wider than its room.

use dojo_studio::ui::widgets::text::{shorten, shorten_path, width, wrap};
use dojo_studio::ui::widgets::visible::visible;
use proptest::prelude::*;

/// A man, a woman, a girl and a boy, in one picture.
const FAMILY: &str = "👨\u{200d}👩\u{200d}👧\u{200d}👦";

#[test]
fn a_line_keeps_the_spaces_that_it_begins_with() {
    assert_eq!(wrap("{\n  \"a\": [\n    1\n  ]\n}", 20), ["{", "  \"a\": [", "    1", "  ]", "}"]);
}

#[test]
fn further_rows_stand_below_the_first_word() {
    assert_eq!(wrap("    if a and b:", 10), ["    if a", "    and b:"]);
    // Half of the columns stay for the text, however deep it is.
    assert_eq!(wrap(&format!("{}x = yes", " ".repeat(40)), 10), ["     x =", "     yes"]);
}

#[test]
fn spaces_within_a_line_stay_and_those_at_a_break_go() {
    assert_eq!(wrap("a   b     c", 6), ["a   b", "c"]);
    assert_eq!(wrap("one two ", 7), ["one two"]);
}

#[test]
fn a_word_that_is_too_long_is_cut() {
    assert_eq!(wrap("see https://example.org", 8), ["see", "https://", "example.", "org"]);
}

#[test]
fn no_row_begins_with_what_closes_or_ends_with_what_opens_if_that_can_be() {
    assert_eq!(wrap("abcdefgh, ij", 8), ["abcdefg", "h, ij"]);
    assert_eq!(wrap("(abcdefghij)", 11), ["(abcdefghi", "j)"]);
    assert_eq!(wrap("aa bbbbbbbb(c", 9), ["aa", "bbbbbbbb", "(c"]);
    assert_eq!(wrap("aaaa.bbbb.cccc", 4), ["aaa", "a.bb", "bb.c", "ccc"]);
    assert_eq!(wrap("日本「語」", 6), ["日本", "「語」"]);
    // Nothing but such signs is cut all the same.
    assert_eq!(wrap("..........", 4), ["....", "....", ".."]);
}

#[test]
fn pictures_of_many_parts_are_two_columns_and_marks_are_none() {
    assert_eq!((width(FAMILY), width("e\u{301}"), width("日本"), width("🇬🇧"), width("👍🏽")), (2, 1, 4, 2, 2));
    assert_eq!(wrap(&FAMILY.repeat(3), 4), [FAMILY.repeat(2), FAMILY.to_owned()]);
    assert_eq!(shorten(&FAMILY.repeat(3), 5), format!("{}…", FAMILY.repeat(2)));
}

#[test]
fn chinese_and_japanese_break_between_signs_but_not_before_a_full_stop() {
    assert_eq!(wrap("日本語の文章です。終わり", 8), ["日本語の", "文章で", "す。終わ", "り"]);
    assert_eq!(wrap("he said 「日本」 twice", 11), ["he said", "「日本」", "twice"]);
    // A wide sign that doesn't fit is not cut in two.
    assert_eq!(wrap("a日本", 4), ["a日", "本"]);
}

#[test]
fn tabs_reach_their_stops_and_line_ends_of_other_systems_are_no_signs() {
    assert_eq!(wrap("\tx\r\na\tb\r\n", 20), ["    x", "a   b", ""]);
}

#[test]
fn what_would_turn_or_hide_text_is_shown() {
    assert_eq!(wrap("a\u{202e}b\u{200b}c\u{1b}[2J", 60), ["a<U+202E>b<U+200B>c␛[2J"]);
    assert_eq!(shorten("line\nbreak\u{7}", 60), "line break␇");
}

#[test]
fn a_long_text_is_cut_with_an_ellipsis_and_a_fitting_one_is_not() {
    assert_eq!(shorten("abcd", 4), "abcd");
    assert_eq!(shorten("abcde", 4), "abc…");
    assert_eq!(shorten("日本語", 4), "日…");
    assert_eq!(shorten("日本語", 6), "日本語");
    assert_eq!((shorten("ab", 0), shorten("ab", 1)), (String::new(), "…".to_owned()));
}

/// Lines of many scripts, pictures, tabs, marks, control characters.
fn anything() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        6 => prop::char::range(' ', '~').prop_map(String::from),
        4 => Just(" ".to_owned()),
        2 => prop::char::range('一', '龥').prop_map(String::from),
        2 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec![
            FAMILY, "🇬🇧", "👍🏽", "e\u{301}\u{302}", "ｶﾞ", "नमस्ते", "क्ष्म्य", "لا", "한국", "。", "「", "\t", "\r", "\u{1b}",
            "\u{202e}", "\u{200b}", "\u{fe0f}", "\u{301}", "   ",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(sign, 0..60).prop_map(|signs| signs.concat().replace('\n', " "))
}

/// The text without any space: what may never get lost.
fn solid(text: &str) -> String {
    text.chars().filter(|sign| !matches!(sign, ' ' | '\t')).collect()
}

#[test]
fn a_path_that_is_cut_keeps_its_end() {
    let path = "/home/me/some-long-folder/with-another/rows.jsonl";
    assert_eq!(shorten_path(path, 60), path);
    assert_eq!(shorten_path(path, 30), "…/with-another/rows.jsonl");
    assert_eq!(shorten_path(path, 14), "…/rows.jsonl");
    assert_eq!(shorten_path(path, 8), "…s.jsonl");
    assert_eq!(shorten_path("日本語/データ", 7), "…データ");
    assert_eq!(shorten_path("/a/folder/", 9), "…/folder/");
    assert_eq!((shorten_path("ab", 0), shorten_path("ab", 1)), (String::new(), "…".to_owned()));
}

#[test]
fn a_mark_behind_a_tab_stands_on_a_sign_of_its_own_and_not_on_the_space() {
    assert_eq!(shorten("\t\u{301}", 1), "…");
    assert_eq!(shorten("\t\u{301}", 2), " ◌\u{301}");
    assert_eq!(shorten("a\n\u{301}", 9), "a ◌\u{301}");
}

proptest! {
    #[test]
    fn wrapped_lines_are_never_too_wide_and_together_they_are_the_text(text in anything(), columns in 2_usize..40) {
        let lines = wrap(&text, columns);
        for line in &lines {
            prop_assert!(width(line) <= columns, "{line:?} has {} columns of {columns}", width(line));
        }
        let shown = visible(text.strip_suffix('\r').unwrap_or(&text)).into_owned();
        prop_assert_eq!(solid(&lines.concat()), solid(&shown));
    }

    #[test]
    fn a_line_that_fits_is_left_alone(text in "[ -~]{0,30}") {
        let indent = text.len() - text.trim_start_matches(' ').len();
        prop_assume!(indent <= 15);
        prop_assert_eq!(wrap(&text, 30), [text]);
    }

    #[test]
    fn a_break_takes_nothing_but_spaces(text in "[a-c ]{0,80}", columns in 2_usize..20) {
        let body = text.trim_start_matches(' ');
        let mut rest = body;
        for line in wrap(body, columns) {
            rest = rest.trim_start_matches(' ');
            prop_assert!(rest.starts_with(&line), "{line:?} of {rest:?}");
            rest = &rest[line.len()..];
        }
        prop_assert_eq!(rest.trim(), "");
    }

    #[test]
    fn what_is_shortened_fits_and_begins_as_the_text_does(text in anything(), columns in 0_usize..40) {
        let short = shorten(&text, columns);
        prop_assert!(width(&short) <= columns, "{short:?} has {} columns of {columns}", width(&short));
        let line = visible(text.strip_suffix('\r').unwrap_or(&text)).replace('\t', " ");
        let begin = short.strip_suffix('…').unwrap_or(&short);
        prop_assert!(line.starts_with(begin) || text.contains('…'), "{begin:?} of {line:?}");
    }

    #[test]
    fn what_is_visible_holds_nothing_that_a_terminal_obeys(text in any::<String>()) {
        let obeyed = |sign: char| (sign.is_control() && !matches!(sign, '\n' | '\t'))
            || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        prop_assert!(!visible(&text).contains(obeyed));
    }
}
