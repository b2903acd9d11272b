//! What the Train pane says of a run that has not gone far, and of what runs differ in.

use std::collections::BTreeMap;
use std::sync::Arc;

use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::protocol::{Command, DataCommand, DataEvent, Event, RunsCommand, RunsEvent};
use dojo_studio::domain::run::{Phase, RunCommand, RunState};
use dojo_studio::domain::run_info::RunInfo;
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;
use super::world;

/// A run of the harness's session, changed.
fn run(name: &str, phase: Phase, step: u64, change: impl FnOnce(&mut RunInfo, &mut RunState)) -> Event {
    let Event::Runs(RunsEvent::Seen(info)) = world::run(name, phase, step) else { panic!("a run") };
    let mut info = (*info).clone();
    let mut state = info.state.take().expect("a state");
    change(&mut info, &mut state);
    info.state = Some(state);
    Event::Runs(RunsEvent::Seen(Arc::new(info)))
}

fn words(studio: &mut Harness) -> String {
    let screen = studio.screen().replace(['│', '\n'], " ");
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn asked_to_stop(event: Event) -> String {
    let mut studio = Harness::new().with(event);
    studio.keys("3 x");
    words(&mut studio)
}

#[test]
fn the_question_before_a_stop_says_what_is_left_of_the_run_as_far_as_it_is() {
    let said = asked_to_stop(run("sft-0001", Phase::Starting, 0, |_, _| {}));
    assert!(said.contains("It has taken no step yet") && said.contains("without an adapter"), "{said}");
    let said = asked_to_stop(run("sft-0001", Phase::Queued, 0, |_, _| {}));
    assert!(said.contains("It has taken no step yet"), "{said}");
    let said = asked_to_stop(run("sft-0001", Phase::Starting, 40, |_, state| {
        state.checkpoint_step = Some(40);
    }));
    assert!(
        said.contains("It stays at its last checkpoint") || said.contains("it stays at its last"),
        "{said}"
    );
    let said = asked_to_stop(run("sft-0001", Phase::Running, 0, |_, _| {}));
    assert!(said.contains("It is at its first step"), "{said}");
    let said = asked_to_stop(run("sft-0001", Phase::Running, 7, |_, _| {}));
    assert!(said.contains("It ends with the steps that it has taken"), "{said}");
}

#[test]
fn a_run_that_goes_on_says_what_it_does_before_its_first_step() {
    let mut studio = Harness::new().with(run("sft-0001", Phase::Starting, 40, |_, state| {
        state.checkpoint_step = Some(40);
        state.why = Some("loading the weights".into());
    }));
    studio.keys("3");
    let said = words(&mut studio);
    assert!(said.contains("sft-0001 continues from step 40"), "{said}");
    assert!(said.contains("Now: loading the weights"), "{said}");
    assert!(!said.contains("Reading the run"), "{said}");
}

#[test]
fn values_that_differ_are_shown_whole_however_long_they_are() {
    let records = |part: &str| {
        format!("session:is:approved and tag:{part} -split:test is:counted tokens<2048 end-{part}")
    };
    let mut studio = Harness::new();
    for (name, part, started) in [("sft-0001", "one", 0.0), ("sft-0002", "two", 10.0)] {
        studio.apply(run(name, Phase::Done, 100, |info, state| {
            state.started += started;
            info.settings = [("data.train".to_owned(), records(part))].into();
        }));
    }
    studio.keys("3");
    for name in ["sft-0001", "sft-0002"] {
        studio.apply(Event::Runs(RunsEvent::Restarted(world::run_id(name))));
    }
    studio.keys("d d enter");
    let screen = studio.screen();
    for part in ["end-one", "end-two"] {
        assert!(screen.contains(part), "{screen}");
    }
    assert!(!screen.contains("is:approved…") && screen.contains("what differs"), "{screen}");
}

#[test]
fn a_note_that_is_left_or_not_saved_is_a_draft_and_goes_on_where_it_was() {
    let run = || run("sft-0001", Phase::Running, 7, |_, _| {});
    let of = DraftOf::RunNote("runs/sft-0001".to_owned());
    let mut studio = Harness::new().with(run()).with(drafts(BTreeMap::new()));
    studio.keys("3 n");
    let effects = studio.text("#warm");
    let kept = effects.iter().rev().find_map(|effect| match effect {
        Effect::Send(Command::Data(DataCommand::KeepDraft(place, draft))) => Some((place, draft.clone())),
        _ => None,
    });
    let (place, draft) = kept.expect("a draft");
    assert_eq!((place, draft.map(|draft| draft.text)), (&of, Some("#warm".to_owned())));
    studio.keys("esc n");
    assert!(studio.screen().contains("#warm"), "{}", studio.screen());
    let effects = studio.keys("enter");
    assert!(effects.contains(&Effect::Send(Command::Data(DataCommand::KeepDraft(of.clone(), None)))));
    let noted = |effect: &Effect| matches!(effect, Effect::Send(Command::Runs(RunsCommand::Note(..))));
    assert!(effects.iter().any(noted), "{effects:?}");
    // In another time of the program.
    let kept = KeptDraft { base: String::new(), text: "#cold".to_owned(), at: 7 };
    let mut studio = Harness::new().with(run()).with(drafts(BTreeMap::from([(of, kept)])));
    let said = format!("{:?}", studio.keys("3"));
    assert!(said.contains("a note of sft-0001 was typed and not saved"), "{said}");
    studio.keys("n");
    assert!(studio.screen().contains("#cold"), "{}", studio.screen());
}

#[test]
fn a_run_that_is_to_pause_says_so_in_list_and_header_until_the_same_key_takes_it_back() {
    let mut studio = Harness::new().size(140, 40).with(run("sft-0001", Phase::Running, 7, |_, _| {}));
    studio.keys("3");
    let tell = |command| [Effect::Send(Command::Runs(RunsCommand::Tell(world::run_id("sft-0001"), command)))];
    assert_eq!(studio.keys("space"), tell(RunCommand::Pause));
    studio.apply(run("sft-0001", Phase::Running, 7, |_, state| state.pausing_after_this()));
    assert!(studio.line(0).contains("● sft-0001 pausing 7% 6m"), "{}", studio.line(0));
    let screen = studio.screen();
    assert!(screen.contains("pausing after this step"), "{screen}");
    assert!(screen.lines().last().is_some_and(|footer| footer.contains("go on")), "{screen}");
    assert_eq!(studio.keys("space"), tell(RunCommand::Resume));
    studio.keys("f3");
    assert!(studio.screen().matches("pausing after this step").count() > 1, "{}", studio.screen());
    studio.apply(run("sft-0001", Phase::Running, 7, |_, state| state.stopping_after_this()));
    assert!(studio.line(0).contains("stopping 7%"), "{}", studio.line(0));
}

#[test]
fn what_is_wrong_with_a_filter_is_read_whole_on_every_screen() {
    let wrong = "learning_rate_of_the_second_phase>=1e-4";
    for size in [(60, 16), (80, 24), (120, 36), (200, 60)] {
        let mut studio = Harness::new().with(run("sft-0001", Phase::Done, 7, |_, _| {}));
        studio.keys("3 f");
        studio.text(wrong);
        studio.resize(size.0, size.1);
        // The list is a column of its own where it is wide.
        let screen = studio.screen();
        let rows = screen.lines().skip(2).map(|line| line.split("  ").next().unwrap_or_default().trim());
        let said: String = rows.collect::<String>().split_whitespace().collect();
        let whole = format!("✗{wrong}:norun'srecipehasakey'learning_rate_of_the_second_phase'");
        assert!(said.contains(&whole), "{size:?}\n{screen}");
    }
}

fn drafts(all: BTreeMap<DraftOf, KeptDraft>) -> Event {
    Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), all))
}

fn notices(effects: &[Effect]) -> Vec<&str> {
    let said = effects.iter().filter_map(|effect| match effect {
        Effect::Notify(notice) => Some(notice.text.as_str()),
        _ => None,
    });
    said.collect()
}

fn told(effects: &[Effect]) -> Vec<RunCommand> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Send(Command::Runs(RunsCommand::Tell(_, command))) => Some(*command),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_run_that_still_loads_is_asked_to_pause_and_says_when_it_will() {
    for phase in [Phase::Starting, Phase::Queued] {
        let mut studio = Harness::new().with(run("sft-0001", phase, 0, |_, _| {}));
        studio.keys("3");
        let effects = studio.keys("space");
        assert_eq!(told(&effects), [RunCommand::Pause]);
        let words = "sft-0001 pauses as soon as it has begun; space takes that back";
        assert_eq!(notices(&effects), [words]);
        let effects = studio.keys("space");
        assert_eq!(told(&effects), [RunCommand::Resume]);
        assert!(notices(&effects)[0].contains("it won't pause"), "{effects:?}");
        let effects = studio.keys("c");
        assert_eq!(told(&effects), []);
        assert!(notices(&effects)[0].contains("c writes a checkpoint once it has"), "{effects:?}");
    }
}

#[test]
fn a_model_that_is_fetched_is_named_with_how_much_of_it_is_here() {
    let fetching = |share: f64| {
        run("sft-0001", Phase::Starting, 0, |_, state| {
            state.why = Some(RunState::fetching("smollm2-135m", 98_400_000));
            state.start_share = Some(share);
        })
    };
    let mut studio = Harness::new().with(fetching(0.25));
    studio.keys("3");
    let said = words(&mut studio);
    assert!(said.contains("Now: fetching smollm2-135m, 24.6 of 98.4 MB"), "{said}");
    // What is announced is rounded: a little more may come, and is no more than all.
    studio.apply(fetching(1.07));
    let said = words(&mut studio);
    assert!(said.contains("98.4 of 98.4 MB") && said.contains("100%"), "{said}");
    assert!(!said.contains("107"), "{said}");
}

#[test]
fn laying_a_run_over_the_others_says_what_that_means() {
    let mut studio = Harness::new().with(run("sft-0001", Phase::Done, 100, |_, _| {}));
    studio.keys("3");
    assert!(notices(&studio.keys("m"))[0].contains("stays in the charts"));
    assert!(notices(&studio.keys("m"))[0].contains("no longer laid over"));
}
