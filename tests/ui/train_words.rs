//! What the Train pane says of a run that has not gone far, and of what runs differ in.

use std::sync::Arc;

use dojo_studio::domain::protocol::{Event, RunsEvent};
use dojo_studio::domain::run::{Phase, RunState};
use dojo_studio::domain::run_info::RunInfo;

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
    assert!(said.contains("It has taken no step yet") && said.contains("without a checkpoint"), "{said}");
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
    assert!(said.contains("It ends with its next step"), "{said}");
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
