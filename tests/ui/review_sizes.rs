//! The Review pane at every size: nothing that matters is off the screen.

use dojo_studio::domain::protocol::ReviewEvent;
use dojo_studio::domain::protocol::review::QueueId;
use dojo_studio::domain::review::Glimpse;

use super::review::{event, row, studio};
use super::review_by_hand::nearly_done;
use crate::ui::harness::Harness;

const SIZES: [(u16, u16); 5] = [(60, 16), (80, 24), (120, 36), (140, 40), (200, 60)];

#[test]
fn approve_and_reject_are_in_the_footer_at_every_size() {
    let mut studio = studio();
    for (columns, rows) in SIZES {
        studio.resize(columns, rows);
        let screen = studio.screen();
        let footer = screen.lines().last().unwrap_or_default();
        for words in ["approve", "e edit", "reject", "? help"] {
            assert!(footer.contains(words), "{words} at {columns}x{rows}: {footer}");
        }
    }
}

#[test]
fn why_it_went_wrong_stands_right_below_the_texts_at_every_size() {
    let mut studio = studio();
    for (columns, rows) in SIZES {
        studio.resize(columns, rows);
        let screen = studio.screen();
        let lines: Vec<&str> = screen.lines().collect();
        let at = lines.iter().position(|line| line.contains("why it went wrong"));
        let at = at.unwrap_or_else(|| panic!("it is not shown at {columns}x{rows}:\n{screen}"));
        assert!(lines[at + 1].contains("In step 2 the student"), "{columns}x{rows}:\n{screen}");
        assert!(lines[at - 1].trim() != "", "a gap above it at {columns}x{rows}:\n{screen}");
    }
}

#[test]
fn the_texts_can_be_read_without_marks() {
    let mut studio = studio();
    studio.keys("c");
    let screen = studio.screen();
    assert!(!screen.contains("[+") && !screen.contains("[-"), "{screen}");
    insta::assert_snapshot!(studio.size(80, 24).screen());
}

#[test]
fn a_thought_without_a_correction_is_read_on_small_screens() {
    insta::assert_snapshot!("at_80", nearly_done().size(80, 24).screen());
    insta::assert_snapshot!("at_60", nearly_done().size(60, 16).screen());
}

#[test]
fn on_a_small_screen_the_field_that_is_written_has_all_the_room() {
    let mut studio = studio().size(60, 16);
    studio.keys("e");
    insta::assert_snapshot!("writing_at_60", studio.screen());
    let mut studio = studio.size(80, 24);
    studio.keys("tab");
    insta::assert_snapshot!("writing_at_80", studio.screen());
}

pub(super) fn table() -> Harness {
    let mut studio = studio();
    studio.keys("z");
    let begins = |id: i64| Glimpse {
        question: format!("Record {id}: a Bombay looks like a small panther / Is it because of its looks?"),
        text: "step 1: The premise says that a Bombay cat resembles a small black panther.".to_owned(),
    };
    let seen = (1..=6).map(|id| (row(id).id, begins(id))).collect();
    studio.apply(event(ReviewEvent::Glanced(seen)));
    studio
}

#[test]
fn the_queue_shows_how_the_texts_begin_at_every_size() {
    for (columns, rows) in SIZES {
        let screen = table().size(columns, rows).screen();
        let shown = screen.lines().take(9).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(format!("queue_at_{columns}"), shown);
    }
}

#[test]
fn how_rows_begin_is_asked_once_for_each_block_of_them() {
    let mut studio = studio();
    let rows = (1..=1_000).map(row).collect();
    studio.apply(event(ReviewEvent::Queued { queue: QueueId(1), rows }));
    let glances = |effects: Vec<dojo_studio::ui::pane::Effect>| {
        effects.iter().filter(|effect| format!("{effect:?}").contains("Glance(")).count()
    };
    assert_eq!(glances(studio.keys("z")), 1);
    assert_eq!(glances(studio.keys("down down down up")), 0);
    assert_eq!(glances(studio.keys("end")), 1);
}

#[test]
fn what_is_wrong_with_a_filter_is_read_whole_on_every_screen() {
    for size in [(60, 16), (80, 24), (120, 36)] {
        let mut studio = studio();
        studio.keys("f");
        studio.text("chekc:any");
        studio.resize(size.0, size.1);
        let screen = studio.screen();
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("there is no field 'chekc'; there are verdict, label,"), "{size:?}\n{screen}");
        assert!(words.contains("by, split, tag, record"), "{size:?}\n{screen}");
    }
}

#[test]
fn no_word_of_a_thought_without_a_correction_is_cut_at_any_width() {
    use super::review_by_hand::thought_item;
    let words: Vec<String> =
        (100..160).map(|number| format!("zq{number}{}", "x".repeat(number % 7))).collect();
    let mut item = thought_item();
    item.thought.text = words.join(" ");
    let id = item.id;
    let mut studio = nearly_done();
    studio.apply(event(ReviewEvent::Opened(id, Some(Box::new(item)))));
    for columns in 96..=200 {
        studio.resize(columns, 60);
        let screen = studio.screen();
        let seen: Vec<&str> = screen.split(|sign: char| !sign.is_ascii_alphanumeric()).collect();
        for word in &words {
            assert!(seen.contains(&word.as_str()), "{word} at {columns} columns:\n{screen}");
        }
    }
}

#[test]
fn everything_at_once_is_offered_only_while_something_waits() {
    let footer = |studio: &mut Harness| studio.screen().lines().last().unwrap_or_default().to_owned();
    assert!(footer(&mut studio().size(200, 40)).contains("A approve all"));
    let mut done = nearly_done().size(200, 40);
    assert!(!footer(&mut done).contains("approve all"), "{}", footer(&mut done));
    let effects = format!("{:?}", done.keys("A"));
    assert!(effects.contains("nothing in this filter waits"), "{effects}");
}
