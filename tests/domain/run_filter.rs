use std::collections::BTreeMap;

use dojo_studio::domain::run::{Phase, RunState};
use dojo_studio::domain::run_filter::RunFilter;
use dojo_studio::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};
use proptest::prelude::*;

fn run(name: &str, settings: &[(&str, &str)], notes: &str) -> RunInfo {
    RunInfo {
        id: RunId::new(format!("runs/{name}")),
        origin: RunOrigin::Session,
        state: Some(RunState {
            earlier: None,
            left_out: None,
            phase: Phase::Done,
            why: None,
            process: 1,
            host: "here".into(),
            heartbeat: 700.0,
            started: 100.0,
            step: 40,
            total_steps: 40,
            checkpoint_step: Some(40),
            best_eval_loss: Some(1.84),
            tokens_per_second: Some(270.0),
            seconds_left: None,
            start_share: None,
        }),
        life: Life::Sound,
        settings: settings
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect::<BTreeMap<_, _>>(),
        notes: Notes::parse(notes),
        problem: None,
    }
}

fn passes(filter: &str) -> bool {
    let settings = [("train.learning_rate", "0.0002"), ("method", "sft"), ("model.base", "smollm2-135m")];
    let run = run("sft-0412", &settings, "#physics long warm-up");
    RunFilter::parse(filter).expect("a filter").matches(&run, 700.0)
}

#[test]
fn tags_settings_states_figures_and_words_are_matched() {
    let yes = [
        "",
        "tag:physics lr>=1e-4 method:sft",
        "SFT-04",
        "warm-up",
        "state:done",
        "eval<1.9 step=40",
        "minutes>=10",
        "base:smol",
        "-state:crashed",
        "train.learning_rate<=0.0002",
    ];
    for filter in yes {
        assert!(passes(filter), "{filter}");
    }
    for filter in ["tag:chem", "lr>1e-3", "method:dpo", "grpo", "-tag:physics", "state:running", "step<40"] {
        assert!(!passes(filter), "{filter}");
    }
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let error = |filter: &str| RunFilter::parse(filter).expect_err("an error");
    assert_eq!(error("lr>=fast"), "lr>=fast: 'fast' is not a number, as 1e-4 or 0.5 are");
    assert_eq!(error(">=3"), ">=3: write a name before the comparison, as in lr>=1e-4");
    assert_eq!(error("tag:"), "tag:: write a name and a value, as in tag:physics or method:sft");
    assert!(error("state:dead").starts_with("state:dead: no such state; there are queued, starting"));
}

#[test]
fn a_name_that_no_run_has_is_named() {
    let run = run("sft-1", &[("train.learning_rate", "0.0002")], "");
    let unknown = |filter: &str| RunFilter::parse(filter).expect("a filter").unknown_name(&[&run]);
    assert_eq!(unknown("lr>1"), None);
    assert_eq!(
        unknown("learning_rat>1").as_deref(),
        Some("learning_rat>1: no run's recipe has a key 'learning_rat'")
    );
}

#[test]
fn a_note_line_reads_back_as_it_was_written() {
    let notes = Notes::parse("#physics  looks good #try-again");
    assert_eq!(notes.tags, ["physics", "try-again"]);
    assert_eq!(notes.line(), "#physics #try-again looks good");
    assert_eq!(Notes::parse(&notes.line()), notes);
}

proptest! {
    #[test]
    fn no_filter_panics(filter in "\\PC{0,40}") {
        if let Ok(filter) = RunFilter::parse(&filter) {
            let _ = filter.matches(&run("a", &[("lr", "1")], "#t n"), 0.0);
        }
    }
}

#[test]
fn a_term_half_typed_hides_no_run_and_a_minus_alone_is_none() {
    let run = run("sft-0412", &[], "");
    for typed in ["sft lr>=", "sft tag:", "sft -", "lr> sft"] {
        assert!(RunFilter::parse(typed).is_err(), "{typed}");
        assert!(RunFilter::so_far(typed).matches(&run, 0.0), "{typed}");
        assert_eq!(RunFilter::so_far(typed), RunFilter::parse("sft").expect("a filter"), "{typed}");
    }
}
