//! The bench: datasets scored and compared, and rewards attacked.

use std::sync::Arc;

use dojo_studio::domain::record::Fields;
use dojo_studio::reward::RewardSet;
use dojo_studio::reward::bench::{
    Adversary, AuditVerdict, BenchColumns, BenchRow, CompletionWanted, audit, compare, samples, score_rows,
};
use dojo_studio::reward::helpers::Helpers;
use serde_json::json;

use super::world::{row, set, task};

fn verdicts(found: &dojo_studio::reward::bench::Audit) -> Vec<Adversary> {
    found.rows.iter().filter(|row| row.verdict == AuditVerdict::Cheats).map(|row| row.adversary).collect()
}

#[test]
fn the_shipped_rewards_hold_on_their_samples() {
    for name in ["math", "nli-cot", "query-expansion-guarded"] {
        let task = task(name);
        let set = RewardSet::of_task(&task, &Helpers::default()).expect("a set");
        let found = audit(&task, &set, &samples(name), 100).expect("an audit");
        assert_eq!(found.problems, Vec::<String>::new(), "{name}: {:#?}", found.rows);
        assert!(
            found
                .rows
                .iter()
                .all(|row| row.verdict == AuditVerdict::Fine || row.verdict == AuditVerdict::NotTried)
        );
    }
}

/// It is the published reward, exactly; what it pays for is said before an hour is spent on it.
#[test]
fn the_published_query_expansion_reward_pays_for_answers_to_other_queries_and_for_nothing() {
    let task = task("query-expansion");
    let set = RewardSet::of_task(&task, &Helpers::default()).expect("a set");
    let found = audit(&task, &set, &samples("query-expansion"), 200).expect("an audit");
    assert!(verdicts(&found).contains(&Adversary::AnothersAnswer), "{:?}", found.problems);
    assert!(
        found.problems.contains(&"empty answers score 0.47: not at the floor".to_owned()),
        "{:?}",
        found.problems
    );
}

#[test]
fn a_reward_that_can_be_cheated_is_named_with_how() {
    let task = task("math");
    let records = samples("math");
    let form = set(&task, json!({"format": 1.0}));
    let found = audit(&task, &form, &records, 100).expect("an audit");
    // The prompt ends with the form that it asks for.
    assert_eq!(verdicts(&found), [Adversary::PromptEcho, Adversary::AnothersAnswer]);
    assert!(
        found.problems.contains(
            &"another record's answer cheats the reward: it scores 1.00, reference answers 1.00".to_owned()
        ),
        "{:?}",
        found.problems
    );
    let short = set(&task, json!({"length": {"least": 0, "most": 3, "fade": 1000}}));
    let found = audit(&task, &short, &records, 100).expect("an audit");
    assert!(
        found.problems.contains(&"reference answers score no higher than empty ones".to_owned()),
        "{:?}",
        found.problems
    );
    let always = set(&task, json!({"length": {"least": 0, "most": 1_000_000}}));
    let found = audit(&task, &always, &records, 100).expect("an audit");
    assert!(
        found.problems.contains(&"empty answers score 1.00: not at the floor".to_owned()),
        "{:?}",
        found.problems
    );
}

#[test]
fn an_audit_needs_reference_answers_and_a_reward_that_applies() {
    let task = task("math");
    let answer = set(&task, json!(["answer"]));
    let error =
        audit(&task, &answer, &[row(json!({"question": "q"}))], 10).expect_err("no answers").to_string();
    assert_eq!(error, "none of the 1 records has a reference answer under the task math");
    let label = set(&task, json!(["similarity"]));
    let error = audit(&task, &label, &samples("math"), 10).expect_err("nothing applies").to_string();
    assert_eq!(
        error,
        "no reward says anything of the reference answers: similarity: it needs a model for embeddings: name one with \
         --embedder"
    );
}

fn answers() -> Vec<Fields> {
    let row = |n: usize| json!({"question": "q", "answer": "#### 2", "completion": "w ".repeat(n)});
    [1, 2, 4, 8].map(row).iter().filter_map(|row| row.as_object().cloned()).collect()
}

fn read(rows: &[Fields], map: &[&str]) -> Vec<BenchRow> {
    let (task, map) = (task("math"), map.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    let columns = BenchColumns::find(&task, rows, &map, CompletionWanted::FromColumn).expect("columns");
    rows.iter().map(|row| columns.row(row, &[])).collect()
}

#[test]
fn a_dataset_has_its_figures_and_its_worst_and_best() {
    let task = task("math");
    let length = set(&task, json!({"length": {"most": 2, "fade": 4}}));
    let mut rows = answers();
    rows.push(json!({"question": "q"}).as_object().expect("an object").clone());
    let scores = score_rows(&task, &length, &read(&rows, &[])).expect("scores");
    assert_eq!((scores.records, scores.without_completion, scores.without_score), (5, 1, 0));
    assert_eq!((scores.mean, scores.lowest, scores.highest), (0.625, 0.0, 1.0));
    assert!((scores.standard_deviation - 0.478_713_553_878_169).abs() < 1e-12);
    let counts: Vec<u64> = scores.histogram.iter().map(|step| step.count).collect();
    assert_eq!(counts, [1, 0, 0, 0, 0, 1, 0, 0, 0, 2]);
    let (worst, best) = scores.extremes(1);
    assert_eq!((worst[0].completion.len(), best[0].total.value), (16, Some(1.0)));
    let nothing = [BenchRow::default()];
    let error = score_rows(&task, &length, &nothing).expect_err("no completion").to_string();
    assert_eq!(error, "none of the 1 records has a completion to score");
}

#[test]
fn two_versions_are_compared_on_the_same_completions() {
    let task = task("math");
    let version = |most: u64| {
        let set = set(&task, json!({"length": {"most": most, "fade": 4}}));
        score_rows(&task, &set, &read(&answers(), &[])).expect("scores")
    };
    let (old, new) = (version(2), version(4));
    let found = compare(&old, &new).expect("a comparison");
    assert_eq!((found.mean, found.other_mean, found.higher, found.lower, found.same), (0.625, 0.75, 1, 0, 3));
    assert_eq!(found.changes, [2]);
    let same = compare(&old, &old).expect("a comparison");
    assert!(same.correlation.is_some_and(|value| (value - 1.0).abs() < 1e-12));
    let column = set(&task, json!(["length"]));
    let other = score_rows(&task, &column, &read(&answers(), &["completion=answer"])).expect("scores");
    assert!(compare(&old, &other).is_err());
}

#[test]
fn every_sample_of_a_shipped_task_fits_it() {
    for name in ["math", "nli-cot", "paraphrase", "query-expansion"] {
        let task: Arc<_> = task(name);
        let records = samples(name);
        assert!(records.len() >= 6, "{name} has {} samples", records.len());
        let report = dojo_studio::task::check_records(&task, &records);
        assert_eq!((report.answers, report.wrong), (report.records, 0), "{name}: {:?}", report.problems);
    }
    assert!(samples("chat").is_empty());
}
