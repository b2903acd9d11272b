//! A key that the footer or the help names does something, or says why it can't.

use dojo_studio::domain::chat::TurnId;
use dojo_studio::domain::protocol::chat::Phase;
use dojo_studio::domain::protocol::review::QueueId;
use dojo_studio::domain::protocol::{ChatEvent, Event, ReviewEvent};
use dojo_studio::domain::reflection::Verdict;
use dojo_studio::domain::run::Phase as RunPhase;
use dojo_studio::ui::pane::Effect;

use super::chat::asked;
use super::harness::Harness;
use super::world;

fn said(effects: &[Effect]) -> String {
    let words = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(notice) => Some(notice.text.clone()),
        _ => None,
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Whether a row of the help is of this key.
fn names(help: &str, letter: char) -> bool {
    let keys = |line: &str| {
        // Some commands have no key: their rows begin with what they do, further right.
        let row = line.split('│').nth(1).filter(|row| !row.starts_with("    "))?;
        Some(row.trim_start().split("  ").next()?.to_owned())
    };
    help.lines().filter_map(keys).any(|keys| keys.split(' ').any(|key| key == letter.to_string()))
}

#[test]
fn every_letter_of_every_empty_pane_does_something_or_says_why_not() {
    for pane in ["1", "2", "3", "4", "6"] {
        let letters = ('a'..='z').chain('A'..='Z').filter(|letter| !"hjklqGJKHLg".contains(*letter));
        for letter in letters {
            let mut studio = Harness::new().size(120, 60);
            studio.keys(pane);
            studio.keys("?");
            let named = studio.screen();
            studio.keys("esc");
            let before = studio.screen();
            let effects =
                studio.press(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(letter)));
            let silent = effects.is_empty() && studio.screen() == before;
            assert!(!silent || !names(&named, letter), "{letter} on pane {pane} is silent:\n{named}");
        }
    }
}

#[test]
fn a_key_that_can_do_nothing_here_says_what_it_would_take() {
    let mut studio = Harness::new();
    studio.keys("4");
    assert_eq!(
        said(&studio.keys("u")),
        "no vote, kept answer or correction of this chat is left to take back"
    );
    assert_eq!(said(&studio.keys("R")), "no chat is open: h finds an earlier one");
    studio.keys("3");
    assert!(said(&studio.keys("c")).contains("there is no run yet"));
    studio.keys("1");
    assert!(said(&studio.keys("y")).contains("there is nothing for it here now"));
    studio.keys("6");
    assert!(said(&studio.keys("y")).contains("no model is here yet"));
}

#[test]
fn what_was_copied_is_said_wherever_it_was() {
    let mut studio = Harness::new().with(asked());
    studio.keys("4");
    assert!(said(&studio.keys("y")).contains("copied the turn"));
    for event in super::review::reflections() {
        studio.apply(event);
    }
    studio.keys("2");
    let effects = studio.keys("y");
    let copied = effects.iter().any(|effect| matches!(effect, Effect::Copy(_)));
    assert!(!copied || said(&effects).starts_with("copied: "), "{effects:?}");
    assert!(!said(&effects).is_empty(), "{effects:?}");
}

#[test]
fn a_question_that_waits_for_an_answer_says_so() {
    let mut studio = Harness::new().with(asked());
    studio.keys("4 i");
    assert!(said(&studio.keys("enter")).contains("there is no question yet to send"));
    studio.text("and then?");
    studio.apply(Event::Chat(ChatEvent::Waits { turn: TurnId(2), phase: Phase::Loading }));
    assert!(
        said(&studio.keys("enter")).contains("an answer is being written: ⏎ sends this when it has ended")
    );
    assert!(studio.screen().contains("and then?"), "{}", studio.screen());
}

#[test]
fn a_model_that_is_fetched_is_seen_on_the_pane_of_models() {
    let mut studio = Harness::new().with(world::models());
    for event in world::jobs() {
        studio.apply(event);
    }
    studio.keys("6");
    let screen = studio.screen();
    assert!(screen.contains("fetching smollm2-135m") && screen.contains("49 MB of 98 MB"), "{screen}");
}

#[test]
fn deciding_on_all_that_wait_says_so_when_none_does() {
    let mut studio = super::review::studio();
    studio.keys("2");
    // As if each had been decided.
    for event in super::review::reflections() {
        let Event::Review(ReviewEvent::Queued { mut rows, .. }) = event else { continue };
        for row in &mut rows {
            row.verdict = Verdict::Approved;
        }
        studio.apply(Event::Review(ReviewEvent::Queued { queue: QueueId(1), rows }));
    }
    for key in ["A", "X"] {
        assert!(said(&studio.keys(key)).contains("nothing in this filter waits"), "{key}");
    }
}

#[test]
fn ctrl_u_takes_back_what_was_typed_last_in_a_question_as_in_a_record() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("4 enter");
    studio.text("one two");
    studio.keys("ctrl-w");
    assert!(!studio.screen().contains("one two"), "{}", studio.screen());
    studio.keys("ctrl-u");
    assert!(studio.screen().contains("one two"), "{}", studio.screen());
}

#[test]
fn a_pause_that_is_asked_of_a_run_that_has_not_begun_leaves_a_mark() {
    for phase in [RunPhase::Starting, RunPhase::Queued] {
        let mut studio = Harness::new().with(world::run("sft-0412", phase, 0));
        studio.keys("3");
        assert!(!studio.screen().contains("pauses when it begins"));
        studio.keys("space");
        assert!(studio.screen().contains("pauses when it begins"), "{}", studio.screen());
        studio.keys("space");
        assert!(!studio.screen().contains("pauses when it begins"), "{}", studio.screen());
    }
}
