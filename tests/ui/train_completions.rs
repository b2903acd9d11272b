//! The completion browser of a run on rewards.

use std::sync::Arc;

use dojo_studio::domain::protocol::{Event, RunsCommand, RunsEvent};
use dojo_studio::domain::rollout::{RolledCompletion, RolledGroup, RolledPart, StepGroups};
use dojo_studio::domain::run::Phase;
use dojo_studio::domain::series::MetricChunk;

use super::harness::Harness;
use super::train::{column, id, info, sent};

const RUN: &str = "grpo-0007";

fn completion(text: &str, reward: f64, advantage: f64) -> RolledCompletion {
    let part = RolledPart {
        name: "query-expansion".into(),
        value: Some(reward),
        why: Vec::new(),
        components: vec![("format".into(), "30".into()), ("diversity".into(), "25".into())],
    };
    RolledCompletion {
        text: text.into(),
        tokens: 41,
        cut: advantage < -1.0,
        reward: Some(reward),
        advantage,
        parts: vec![part],
    }
}

fn groups() -> StepGroups {
    let good = "lex: bread baking soda\nvec: making a loaf that rises without yeast";
    let group = |prompt: &str, left_out: Option<&str>, completions: Vec<RolledCompletion>| RolledGroup {
        step: 42,
        prompt: prompt.into(),
        place: "data.jsonl:1".into(),
        left_out: left_out.map(str::to_owned),
        completions,
    };
    let learnt = vec![
        completion(good, 0.91, 1.1),
        completion("bread bread bread bread", 0.0, -1.3),
        completion("lex: bread\nlex: soda", 0.5, 0.0),
    ];
    let flat = vec![completion(good, 1.0, 0.0), completion(good, 1.0, 0.0)];
    let why = "no spread: every completion got 1.000";
    StepGroups {
        asked: 44,
        step: Some(42),
        groups: vec![
            group("bake bread without yeast", None, learnt),
            group("deduct home office taxes", Some(why), flat),
        ],
    }
}

/// A run on rewards with its charts.
fn rewarded() -> Harness {
    let mut studio = Harness::new().size(140, 40);
    studio.apply(info(RUN, Phase::Running, |_, state| state.step = 44));
    studio.keys("3");
    let steps = || 1..=44u64;
    let columns = vec![
        column("loss", steps(), |_| 0.0),
        column("reward", steps(), |step| 0.4 + 0.01 * step),
        column("reward_std", steps(), |_| 0.2),
        column("rewards/query-expansion/mean", steps(), |step| 0.4 + 0.01 * step),
        column("kl", steps(), |step| 0.001 * step),
        column("completions/mean_length", steps(), |_| 60.0),
        column("sampling/sampling_logp_difference/max", steps(), |_| 1e-5),
        column("step_time/sample", steps(), |_| 9.0),
    ];
    let chunk = MetricChunk { columns, lines: 44, last_step: 44, unreadable: 0 };
    studio.apply(Event::Runs(RunsEvent::Restarted(id(RUN))));
    studio.apply(Event::Runs(RunsEvent::MetricsAppended(id(RUN), Arc::new(chunk))));
    studio
}

#[test]
fn a_group_is_shown_with_its_completions_side_by_side() {
    let mut studio = rewarded();
    assert_eq!(sent(studio.keys("d")), [RunsCommand::Completions { run: id(RUN), step: 44 }]);
    assert!(studio.screen().contains("reading what was drawn"), "{}", studio.screen());
    studio.apply(Event::Runs(RunsEvent::CompletionsRead(id(RUN), Arc::new(groups()))));
    assert_eq!(sent(studio.keys("enter")), []);
    insta::assert_snapshot!(studio.screen());
    studio.keys("]");
    let screen = studio.screen();
    assert!(
        screen.contains("group 2 of 2") && screen.contains("nothing is learnt of it: no spread"),
        "{screen}"
    );
    studio.keys("[ [");
    assert!(studio.screen().contains("group 1 of 2"), "{}", studio.screen());
    studio.resize(80, 24);
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn the_cursor_of_the_charts_chooses_the_step() {
    let mut studio = rewarded();
    studio.keys("d");
    studio.apply(Event::Runs(RunsEvent::CompletionsRead(id(RUN), Arc::new(groups()))));
    let asked = sent(studio.keys("left"));
    let [RunsCommand::Completions { step, .. }] = asked[..] else { panic!("{asked:?}") };
    assert!(step < 44, "{step}");
}

#[test]
fn a_run_that_draws_nothing_has_no_such_details() {
    let mut studio = super::train::typical();
    studio.keys("d");
    assert!(!studio.screen().contains("completions"), "{}", studio.screen());
}
