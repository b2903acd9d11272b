//! What differs between runs, and which of them are a study.

use std::collections::BTreeMap;

use dojo_studio::domain::run::{Phase, RunState};
use dojo_studio::domain::run_compare::{before, compare, study};
use dojo_studio::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};

fn run(name: &str, rate: &str, started: f64, loss: Option<f64>) -> RunInfo {
    let state = RunState {
        earlier: None,
        left_out: None,
        phase: Phase::Done,
        why: None,
        process: 1,
        host: String::new(),
        heartbeat: started,
        started,
        step: 10,
        total_steps: 10,
        checkpoint_step: None,
        best_eval_loss: loss,
        tokens_per_second: None,
        seconds_left: None,
        start_share: None,
    };
    let settings = [("model.base", "smollm2-135m"), ("train.learning_rate", rate)];
    RunInfo {
        id: RunId::new(format!("runs/{name}")),
        origin: RunOrigin::Session,
        state: Some(state),
        life: Life::Sound,
        settings: settings.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        notes: Notes::default(),
        problem: None,
    }
}

#[test]
fn keys_that_differ_come_apart_from_those_that_all_share() {
    let (one, mut two) = (run("a", "1e-4", 1.0, None), run("b", "2e-4", 2.0, None));
    two.settings.insert("lora.r".into(), "8".into());
    let compared = compare(&[&one, &two]);
    let some = |value: &str| Some(value.to_owned());
    assert_eq!(
        compared.differing,
        [
            ("lora.r".to_owned(), vec![None, some("8")]),
            ("train.learning_rate".to_owned(), vec![some("1e-4"), some("2e-4")]),
        ]
    );
    assert_eq!(compared.same, [("model.base".to_owned(), "smollm2-135m".to_owned())]);
}

#[test]
fn the_run_before_is_the_one_started_last_before_it() {
    let runs = [run("a", "1", 1.0, None), run("c", "1", 3.0, None), run("b", "1", 2.0, None)];
    let all: Vec<&RunInfo> = runs.iter().collect();
    assert_eq!(before(&runs[1], &all).map(|run| run.id.name()), Some("b".to_owned()));
    assert_eq!(before(&runs[0], &all), None);
}

#[test]
fn three_runs_with_one_changed_key_are_a_study_the_best_first() {
    let mut other = run("d", "1e-4", 4.0, Some(1.0));
    other.settings = BTreeMap::new();
    let runs = [
        run("a", "1e-4", 1.0, Some(1.9)),
        run("b", "2e-4", 2.0, Some(1.8)),
        run("c", "4e-4", 3.0, None),
        other,
    ];
    let all: Vec<&RunInfo> = runs.iter().collect();
    let found = study(&runs[2], &all).expect("a study");
    assert!(found.is_over());
    let words = "train.learning_rate of 3 runs: 2e-4 eval 1.800 · 1e-4 eval 1.900 · 4e-4 –";
    assert_eq!(found.summary(), words);
    assert_eq!(study(&runs[3], &all), None);
}
