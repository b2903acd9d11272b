//! The reward bench: keys in, effects and a screen out.

use std::sync::Arc;

use dojo_studio::domain::protocol::rewards::{
    BenchCompletions, BenchId, BenchOrder, CompletionTry, OpenedBench, ScoredBench, ShownRow,
    TriedCompletion, TryId,
};
use dojo_studio::domain::protocol::{
    Command, EvalCommand, Event, RewardsCommand, RewardsEvent, SessionsEvent,
};
use dojo_studio::domain::reward::{
    Deduction, RewardComponent, RewardOutcome, RewardPart, RewardScore, RewardTotal,
};
use dojo_studio::domain::reward_scores::{
    DatasetScores, HistogramStep, RewardFigures, ScoredRecord, VersionComparison, ascending,
};
use dojo_studio::domain::session::{SessionFile, SessionInfo};
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;

const ANSWER: &str = "lex: fix wifi router\nvec: how do I repair a wireless connection?";

fn send(command: RewardsCommand) -> Effect {
    Effect::Send(Command::Rewards(command))
}

fn event(event: RewardsEvent) -> Event {
    Event::Rewards(event)
}

fn session() -> Harness {
    Harness::empty().with(Event::Sessions(SessionsEvent::Opened(SessionInfo {
        name: "query-expansion".into(),
        path: "sessions/query-expansion".into(),
        file: SessionFile { task: "query-expansion".into(), ..SessionFile::default() },
    })))
}

fn opened(bench: u64, against: Option<&str>) -> Event {
    event(RewardsEvent::Opened(Box::new(OpenedBench {
        bench: BenchId(bench),
        task: "query-expansion".into(),
        against: against.map(str::to_owned),
        rows: 104,
        taken: vec!["completions: the records' own answers".into()],
    })))
}

fn shown(bench: u64, row: usize, completion: &str) -> Event {
    event(RewardsEvent::Shown(Box::new(ShownRow {
        bench: BenchId(bench),
        row,
        place: format!("data.jsonl:{}", row + 1),
        prompt: "Expand this search query: fix wifi".into(),
        completion: Some(completion.into()),
    })))
}

fn total(value: f64) -> RewardTotal {
    let score = RewardScore {
        value,
        components: vec![
            RewardComponent::number("percentage", 68.3),
            RewardComponent::word("rating", "Good"),
            RewardComponent::number("format", 30.0),
            RewardComponent::number("diversity", 20.0),
        ],
        deductions: vec![Deduction {
            component: "quality".into(),
            points: -3.0,
            why: "no lex line quotes a phrase".into(),
        }],
    };
    let scored =
        RewardPart { name: "query-expansion".into(), weight: 1.0, outcome: RewardOutcome::Scored(score) };
    let lacking = RewardPart {
        name: "near".into(),
        weight: 0.5,
        outcome: RewardOutcome::does_not_apply("it needs a model for embeddings: name one with --embedder"),
    };
    RewardTotal { value: Some(value), parts: vec![scored, lacking] }
}

fn tried(bench: u64, question: u64, value: f64, against: Option<f64>) -> Event {
    event(RewardsEvent::Tried(Box::new(TriedCompletion {
        bench: BenchId(bench),
        question: TryId(question),
        total: total(value),
        against: against.map(total),
    })))
}

fn order(task: &str, against: Option<&str>) -> BenchOrder {
    BenchOrder { task: task.into(), against: against.map(str::to_owned), ..BenchOrder::default() }
}

fn asked(bench: u64, question: u64, row: usize, completion: &str) -> Effect {
    send(RewardsCommand::Try(CompletionTry {
        bench: BenchId(bench),
        question: TryId(question),
        row,
        completion: completion.into(),
    }))
}

/// The bench with its first row in front, and scored.
pub(super) fn typical() -> Harness {
    let mut studio = session();
    assert_eq!(studio.keys("5"), [Effect::Send(Command::Eval(EvalCommand::List))]);
    assert_eq!(studio.keys("b"), [send(RewardsCommand::Open(BenchId(1), order("query-expansion", None)))]);
    studio.apply(opened(1, None));
    assert_eq!(studio.draw(), [send(RewardsCommand::Show(BenchId(1), 0))]);
    studio.apply(shown(1, 0, ANSWER));
    assert_eq!(studio.draw(), [asked(1, 2, 0, ANSWER)]);
    studio.apply(tried(1, 2, 0.6833, None));
    studio
}

#[test]
fn a_completion_stands_beside_its_score_with_each_component_and_each_deduction() {
    let mut studio = typical();
    insta::assert_snapshot!(studio.screen());
    insta::assert_snapshot!("narrow", typical().size(70, 24).screen());
}

#[test]
fn every_letter_asks_for_the_score_anew_and_a_late_answer_changes_nothing() {
    let mut studio = typical();
    assert_eq!(studio.keys("e"), []);
    assert_eq!(studio.text("x"), [asked(1, 3, 0, &format!("x{ANSWER}"))]);
    assert!(studio.screen().contains("scoring ..."), "{}", studio.screen());
    assert_eq!(studio.text("y"), [asked(1, 4, 0, &format!("xy{ANSWER}"))]);
    studio.apply(tried(1, 4, 0.25, None));
    studio.apply(tried(1, 3, 0.75, None));
    let screen = studio.screen();
    assert!(screen.contains("0.2500") && !screen.contains("0.7500"), "{screen}");
    assert!(screen.contains("changed: alt-o puts it back"), "{screen}");
    // Back to what the row has, which is asked about again.
    assert_eq!(studio.keys("alt-o"), [asked(1, 5, 0, ANSWER)]);
    assert_eq!(studio.keys("esc"), []);
}

#[test]
fn another_row_brings_its_completion() {
    let mut studio = typical();
    assert_eq!(studio.keys("down"), [send(RewardsCommand::Show(BenchId(1), 1))]);
    studio.apply(shown(1, 1, "lex: other"));
    assert_eq!(studio.draw(), [asked(1, 3, 1, "lex: other")]);
    assert!(studio.screen().contains("row 2 of 104"), "{}", studio.screen());
}

#[test]
fn another_version_scores_what_is_written() {
    let mut studio = typical();
    studio.keys("e");
    studio.text("x");
    studio.keys("esc t");
    studio.text(" query-expansion-guarded");
    let wanted = order("query-expansion", Some("query-expansion-guarded"));
    assert_eq!(studio.keys("enter"), [send(RewardsCommand::Open(BenchId(4), wanted))]);
    studio.apply(opened(4, Some("query-expansion-guarded")));
    let text = format!("x{ANSWER}");
    assert_eq!(studio.draw(), [send(RewardsCommand::Show(BenchId(4), 0)), asked(4, 5, 0, &text)]);
    studio.apply(shown(4, 0, ANSWER));
    studio.apply(tried(4, 5, 0.6833, Some(0.4)));
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_wrong_line_says_what_is_wrong_and_stays() {
    let mut studio = typical();
    studio.keys("t");
    studio.text(" --embeder x");
    assert_eq!(studio.keys("enter"), []);
    let screen = studio.screen();
    assert!(
        screen.contains("\"--embeder\" is not known: there are --embedder, --judge and --tokenizer"),
        "{screen}"
    );
    studio.keys("esc d");
    studio.text("out.jsonl completion=said");
    let wanted = BenchOrder {
        data: Some("out.jsonl".into()),
        map: vec!["completion=said".into()],
        completions: BenchCompletions::OfColumn,
        ..order("query-expansion", None)
    };
    assert_eq!(studio.keys("enter"), [send(RewardsCommand::Open(BenchId(3), wanted))]);
    let why = "read out.jsonl: no row has a column \"said\" for the part \"completion\"; there are query";
    studio.apply(event(RewardsEvent::Failed(BenchId(3), why.into())));
    let screen = studio.screen();
    assert!(screen.contains("no row has a column") && screen.contains("d other rows"), "{screen}");
}

fn scores(task: &str, values: &[f64]) -> DatasetScores {
    let scored = values.iter().enumerate().map(|(row, value)| ScoredRecord {
        place: format!("data.jsonl:{}", row + 1),
        completion: format!("lex: completion {row}\nvec: and more of it"),
        row,
        total: total(*value),
    });
    let scored: Vec<ScoredRecord> = scored.collect();
    let count = values.len() as u64;
    DatasetScores {
        task: task.into(),
        order: ascending(&scored),
        scored,
        records: count + 1,
        without_completion: 1,
        without_score: 0,
        mean: values.iter().sum::<f64>() / values.len() as f64,
        standard_deviation: 0.25,
        lowest: values.iter().copied().fold(f64::INFINITY, f64::min),
        highest: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        histogram: (0..10)
            .map(|step| {
                let (from, to) = (f64::from(step) / 10.0, f64::from(step + 1) / 10.0);
                let within = |value: &&f64| **value >= from && (**value < to || step == 9);
                HistogramStep { from, to, count: values.iter().filter(within).count() as u64 }
            })
            .collect(),
        rewards: vec![RewardFigures {
            name: "query-expansion".into(),
            weight: 1.0,
            applies: count,
            mean: Some(0.55),
            reasons: vec![("the record has no query".into(), 1)],
        }],
    }
}

#[test]
fn all_rows_have_their_histogram_the_worst_and_best_and_what_changed_most() {
    let mut studio = typical();
    assert_eq!(studio.keys("s"), [send(RewardsCommand::Score(BenchId(1)))]);
    assert!(studio.screen().contains("Scoring all rows"), "{}", studio.screen());
    let own = scores("query-expansion", &[0.1, 0.9, 0.45, 0.5, 0.95]);
    let other = scores("query-expansion-guarded", &[0.0, 0.9, 0.05, 0.5, 0.9]);
    let comparison = VersionComparison {
        mean: own.mean,
        other_mean: other.mean,
        higher: 0,
        lower: 3,
        same: 2,
        one_sided: 0,
        correlation: Some(0.912),
        changes: vec![2, 0, 4],
    };
    let scored = ScoredBench {
        bench: BenchId(1),
        scores: Arc::new(own),
        against: Some((Arc::new(other), comparison)),
    };
    studio.apply(event(RewardsEvent::Scored(Box::new(scored))));
    insta::assert_snapshot!(studio.screen());
    // The largest change is taken to the bench.
    assert_eq!(studio.keys("enter"), [send(RewardsCommand::Show(BenchId(1), 2))]);
    assert!(studio.screen().contains("row 3 of 104"), "{}", studio.screen());
    assert_eq!(studio.keys("s"), [send(RewardsCommand::Score(BenchId(1)))]);
}

#[test]
fn a_task_without_rewards_says_what_to_do() {
    let mut studio = session();
    studio.keys("5 b");
    let why = "read the rewards of the task chat: the task chat names no rewards: add [score.rewards] with a line such as \
               `length = 1.0`";
    studio.apply(event(RewardsEvent::Failed(BenchId(1), why.into())));
    let screen = studio.screen();
    assert!(screen.contains("names no rewards") && screen.contains("t names other rewards"), "{screen}");
}
