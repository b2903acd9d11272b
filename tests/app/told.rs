//! What is said of runs as they go on.

use dojo_studio::app::follow::told::{Adapters, Awaited, FollowListener};
use dojo_studio::domain::protocol::RunsEvent;
use dojo_studio::domain::run::{Phase, RunState, Standing};
use dojo_studio::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};

fn seen(phase: Phase, checkpoint_step: Option<u64>) -> RunsEvent {
    let state = RunState {
        earlier: None,
        left_out: None,
        phase,
        why: None,
        process: 1,
        host: String::new(),
        heartbeat: 0.0,
        started: 0.0,
        step: 12,
        total_steps: 20,
        checkpoint_step,
        best_eval_loss: None,
        tokens_per_second: None,
        seconds_left: None,
        start_share: None,
    };
    RunsEvent::Seen(std::sync::Arc::new(RunInfo {
        id: RunId::new("runs/sft-0001"),
        origin: RunOrigin::Session,
        state: Some(state),
        life: Life::Sound,
        settings: std::collections::BTreeMap::new(),
        notes: Notes::default(),
        problem: None,
    }))
}

#[test]
fn a_checkpoint_is_told_of_once_and_only_when_it_was_asked_for() {
    let awaited = Awaited::default();
    let mut told = FollowListener::new(awaited.clone());
    told.hear(&seen(Phase::Running, None));
    assert_eq!(told.hear(&seen(Phase::Running, Some(5))), (None, Adapters::Same));
    awaited.add(RunId::new("runs/sft-0001"));
    assert_eq!(told.hear(&seen(Phase::Running, Some(5))), (None, Adapters::Same));
    let (notice, _) = told.hear(&seen(Phase::Running, Some(12)));
    let text = notice.map(|notice| notice.text);
    assert_eq!(text.as_deref(), Some("sft-0001 saved the checkpoint of step 12"));
    assert_eq!(told.hear(&seen(Phase::Running, Some(15))), (None, Adapters::Same));
}

#[test]
fn what_of_the_data_is_left_out_is_told_once() {
    let mut told = FollowListener::new(Awaited::default());
    let with = |left_out: Option<&str>| {
        let RunsEvent::Seen(run) = seen(Phase::Starting, None) else { panic!("a run") };
        let mut run = (*run).clone();
        run.state.as_mut().expect("a state").left_out = left_out.map(str::to_owned);
        RunsEvent::Seen(std::sync::Arc::new(run))
    };
    told.hear(&with(None));
    let (notice, _) = told.hear(&with(Some("2 of 9 rows can't be trained on")));
    assert_eq!(notice.expect("a notice").text, "sft-0001: 2 of 9 rows can't be trained on");
    assert_eq!(told.hear(&with(Some("2 of 9 rows can't be trained on"))), (None, Adapters::Same));
}

#[test]
fn the_end_of_a_run_and_its_deletion_change_the_adapters() {
    let mut told = FollowListener::new(Awaited::default());
    assert_eq!(told.hear(&seen(Phase::Running, None)).1, Adapters::Same);
    let (notice, adapters) = told.hear(&seen(Phase::Done, Some(20)));
    let text = notice.map(|notice| notice.text);
    assert_eq!(text.as_deref(), Some("sft-0001 is done; C on Train chats with it"));
    assert_eq!(adapters, Adapters::Changed);
    assert_eq!(told.hear(&seen(Phase::Done, Some(20))), (None, Adapters::Same));
    let removed = RunsEvent::Removed(RunId::new("runs/sft-0001"));
    assert_eq!(told.hear(&removed), (None, Adapters::Changed));
}

#[test]
fn a_run_that_cannot_go_on_stays_as_it_was_and_says_why() {
    let mut told = FollowListener::new(Awaited::default());
    let RunsEvent::Seen(known) = seen(Phase::Starting, Some(5)) else { unreachable!("a run is seen") };
    let mut run = (*known).clone();
    let state = run.state.as_mut().expect("a state");
    state.earlier = Some(Phase::Stopped);
    // Announced, then taken up by its process: what it was is remembered by both.
    assert_eq!(state.to_return_to(), Some(Phase::Stopped));
    told.hear(&RunsEvent::Seen(std::sync::Arc::new(run.clone())));
    run.state.as_mut().expect("a state").not_continued(Phase::Stopped, "the data is another");
    assert_eq!(run.standing(), Standing::Stopped);
    assert!(run.can_resume());
    let (notice, _) = told.hear(&RunsEvent::Seen(std::sync::Arc::new(run)));
    let text = notice.expect("a notice").text;
    assert_eq!(text, "sft-0001 is not continued and stays as it was: the data is another");
}
