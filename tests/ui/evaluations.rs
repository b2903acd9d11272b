//! Evaluations in the Eval pane: keys in, effects and a screen out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use dojo_studio::domain::evaluation::{
    ConfusionMatrix, EvaluatedAnswer, EvaluatedModel, EvaluationItem, EvaluationOrder, EvaluationPart,
    EvaluationReport, EvaluationSummary, KeptEvaluation, MetricDirection, MetricFigure, MetricUnit,
    ModelComparison, ModelResult, PairedTest,
};
use dojo_studio::domain::protocol::system::{Job, JobEnd, JobId, OnQuit, Progress, Unit};
use dojo_studio::domain::protocol::{
    Command, EvalCommand, EvalEvent, Event, SessionsEvent, SystemCommand, SystemEvent,
};
use dojo_studio::domain::session::{SessionFile, SessionInfo};
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;

fn send(command: EvalCommand) -> Effect {
    Effect::Send(Command::Eval(command))
}

fn event(event: EvalEvent) -> Event {
    Event::Eval(event)
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from("/home/me/evals").join(name)
}

fn session() -> Harness {
    let mut studio = Harness::empty().with(Event::Sessions(SessionsEvent::Opened(SessionInfo {
        name: "nli".into(),
        path: "sessions/nli".into(),
        file: SessionFile { task: "nli-cot".into(), ..SessionFile::default() },
    })));
    assert_eq!(studio.keys("5"), [send(EvalCommand::List)]);
    studio
}

fn summary(name: &str, models: &[&str], unfinished: bool) -> EvaluationSummary {
    EvaluationSummary {
        name: name.into(),
        folder: folder(name),
        made: 0.0,
        models: models.iter().map(|name| (*name).to_owned()).collect(),
        tasks: vec!["nli-cot".into()],
        items: 300,
        best: String::new(),
        unfinished,
    }
}

fn figure(metric: &str, unit: MetricUnit, value: f64, (low, high): (f64, f64)) -> MetricFigure {
    MetricFigure {
        metric: metric.into(),
        unit,
        better: MetricDirection::Higher,
        value: Some(value),
        interval: Some((low, high)),
        items: 300,
        why: None,
    }
}

fn result(model: usize, accuracy: f64, cut: u64) -> ModelResult {
    ModelResult {
        model,
        answered: 300,
        cut,
        figures: vec![
            figure("accuracy", MetricUnit::Share, accuracy, (accuracy - 0.055, accuracy + 0.055)),
            figure("length", MetricUnit::Tokens, 84.2, (80.0, 88.5)),
        ],
        confusion: Some(ConfusionMatrix {
            labels: vec!["0".into(), "1".into()],
            counts: vec![vec![120, 60, 20], vec![30, 60, 10]],
        }),
        ..ModelResult::default()
    }
}

fn comparison(told: &str, p: f64) -> ModelComparison {
    ModelComparison {
        metric: "accuracy".into(),
        first: 0,
        second: 1,
        difference: 0.358,
        interval: None,
        p,
        adjusted_p: p,
        among: 1,
        test: PairedTest::McNemar,
        items: 300,
        only_first: Some(5),
        only_second: Some(112),
        told: told.into(),
    }
}

fn kept() -> KeptEvaluation {
    let model = |name: &str, failed: Option<&str>| EvaluatedModel {
        name: name.into(),
        failed: failed.map(str::to_owned),
        ..EvaluatedModel::default()
    };
    let item = |line: u64| EvaluationItem {
        part: 0,
        place: format!("test.jsonl:{line}"),
        version: String::new(),
        prompt: format!("Premise: a man sleeps ({line}).\nHypothesis: a man is awake."),
        truth: Some("0".into()),
        reference: None,
    };
    let answer = |item: usize, model: usize, right: bool| EvaluatedAnswer {
        item,
        model,
        answer: format!("{{\"predicted_label\": {}}}", u8::from(!right)),
        read: Some(if right { "0" } else { "1" }.into()),
        right: Some(right),
        tokens: 40,
        failed: None,
        values: BTreeMap::new(),
    };
    KeptEvaluation {
        report: EvaluationReport {
            name: "eval-0002".into(),
            models: vec![
                model("smollm2-135m", None),
                model("sft-0004", None),
                model("gone", Some("there is no model gone")),
            ],
            parts: vec![EvaluationPart {
                task: "nli-cot".into(),
                prompt: "own".into(),
                data: "nli_cad/test.jsonl".into(),
                items: 300,
                metrics: vec!["accuracy".into(), "length".into()],
                results: vec![result(0, 0.538, 12), result(1, 0.896, 0)],
                comparisons: vec![comparison(
                    "sft-0004 against smollm2-135m: the difference in accuracy, +35.8 points, is unlikely to be chance \
                     (p < 0.001; 300 items; 5 only smollm2-135m has right, 112 only sft-0004)",
                    1e-9,
                )],
                ..EvaluationPart::default()
            }],
            notes: vec!["300 of 1972 records of nli_cad/test.jsonl are drawn by the seed 0".into()],
            ..EvaluationReport::default()
        },
        items: vec![item(3), item(8), item(9)],
        answers: vec![
            answer(0, 0, false),
            answer(1, 0, true),
            answer(2, 0, false),
            answer(0, 1, true),
            answer(1, 1, true),
            answer(2, 1, true),
        ],
    }
}

/// Two evaluations, the newest open.
pub(super) fn typical() -> Harness {
    let mut studio = session();
    let listed = vec![
        summary("eval-0002", &["smollm2-135m", "sft-0004", "gone"], false),
        summary("eval-0001", &["smollm2-135m"], true),
    ];
    studio.apply(event(EvalEvent::Listed(listed)));
    assert_eq!(studio.draw(), [send(EvalCommand::Open(folder("eval-0002")))]);
    studio.apply(event(EvalEvent::Opened(folder("eval-0002"), Arc::new(kept()))));
    studio
}

#[test]
fn an_evaluation_shows_its_intervals_and_whether_the_difference_could_be_chance() {
    let mut studio = typical();
    insta::assert_snapshot!(studio.screen());
    insta::assert_snapshot!("evaluations_narrow", typical().size(80, 24).screen());
}

#[test]
fn items_that_two_models_answered_differently_open_one_by_one() {
    let mut studio = typical();
    assert_eq!(studio.keys("enter"), []);
    insta::assert_snapshot!(studio.screen());
    studio.keys("down");
    let screen = studio.screen();
    assert!(screen.contains("a man sleeps (9)") && screen.contains("2 items differ"), "{screen}");
    studio.keys("esc");
    assert!(studio.screen().contains("89.6%"), "{}", studio.screen());
}

#[test]
fn without_evaluations_it_says_what_they_are_and_what_begins_one() {
    let mut studio = session();
    studio.apply(event(EvalEvent::Listed(Vec::new())));
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_line_begins_an_evaluation_that_can_be_stopped_and_resumed() {
    let mut studio = typical();
    assert_eq!(studio.keys("n"), []);
    assert!(studio.screen().contains("--task nli-cot --limit 200"), "{}", studio.screen());
    assert_eq!(studio.keys("enter"), []);
    assert!(studio.screen().contains("name a model, or several to compare them"), "{}", studio.screen());
    studio.text(" smollm2-135m sft-0004 --filter \"label:1 tokens<40\" --max-new-tokens 150");
    let order = EvaluationOrder {
        models: vec!["smollm2-135m".into(), "sft-0004".into()],
        tasks: vec!["nli-cot".into()],
        data: vec!["session:".into()],
        filters: vec!["label:1 tokens<40".into()],
        limit: Some(200),
        max_new_tokens: 150,
        ..EvaluationOrder::default()
    };
    assert_eq!(studio.keys("enter"), [send(EvalCommand::Start(Box::new(order)))]);
    let progress = Progress { done: 30, total: Some(400), unit: Unit::Items, note: "smollm2-135m".into() };
    studio.apply(Event::System(SystemEvent::JobStarted(Job {
        id: JobId(7),
        what: "evaluate eval-0003".into(),
        progress,
        started: 0.0,
        on_quit: OnQuit::Ask,
        opening: None,
    })));
    assert!(studio.screen().contains("30 of 400"), "{}", studio.screen());
    assert_eq!(studio.keys("x"), [Effect::Send(Command::System(SystemCommand::StopJob(JobId(7))))]);
    studio.apply(Event::System(SystemEvent::JobEnded(JobId(7), JobEnd::Stopped)));
    assert_eq!(studio.keys("down"), [send(EvalCommand::Open(folder("eval-0001")))]);
    assert_eq!(studio.keys("r"), [send(EvalCommand::Resume(folder("eval-0001")))]);
}

#[test]
fn what_goes_wrong_is_said_above_the_list() {
    let mut studio = typical();
    studio.apply(event(EvalEvent::Failed("there is no task \"nope\"; there are chat".into())));
    assert!(studio.screen().contains("✗ there is no task \"nope\""), "{}", studio.screen());
}
