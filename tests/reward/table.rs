//! Tables of rewards: weights, sums, and what is refused by name.

use dojo_studio::domain::reward::{Attempt, CompletionScorer, RewardUse, ScoreDetail};
use dojo_studio::reward::helpers::Helpers;
use dojo_studio::reward::{KINDS, RewardSet, Threads, check};
use dojo_studio::task::{Task, names};
use serde_json::json;

use super::world::{close, refusal, row, set, task, total};

#[test]
fn the_shipped_tasks_name_rewards_that_there_are() {
    for name in names(None) {
        check(&task(&name).rewards).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
    let mut kinds: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS.len());
}

#[test]
fn a_total_is_the_weighted_sum_of_what_applies() {
    let task = task("math");
    let set = set(
        &task,
        json!({
            "answer": 2.0,
            "short": {"reward": "length", "weight": 0.5, "most": 3},
            "bleu": -1.0,
        }),
    );
    assert_eq!(
        set.rewards(),
        [("answer".to_owned(), 2.0), ("short".to_owned(), 0.5), ("bleu".to_owned(), -1.0)]
    );
    // Without an answer of its own there is nothing to compare with.
    let given = total(&set, &row(json!({"question": "1 + 1?", "label": "2"})), "#### 2");
    assert_eq!(given.value, Some(2.5));
    assert_eq!(given.parts[2].outcome.reason(), Some("the record has no reference answer"));
    let nothing = total(&super::world::set(&task, json!(["bleu"])), &row(json!({"question": "1?"})), "2");
    assert_eq!(nothing.value, None);
}

#[test]
fn names_keys_and_weights_that_are_unknown_are_refused_by_name() {
    let task = task("math");
    let cases = [
        (json!(["lenght"]), "rewards.lenght: there is no reward \"lenght\"; the nearest is length"),
        (
            json!({"length": {"mots": 3}}),
            "rewards.length.mots: this reward has no such key; the nearest is most",
        ),
        (
            json!({"length": {"most": "3"}}),
            "rewards.length.most is \"3\", but must be a whole number from 1 to 10000000",
        ),
        (
            json!({"length": {"weight": "1"}}),
            "rewards.length.weight is \"1\"; it must be a number from -1000000 to 1000000",
        ),
        (json!({"length": true}), "rewards.length is true; it must be a weight or a table of settings"),
        (json!(["length", "length"]), "the reward \"length\" is named twice"),
        (json!(["Length"]), "\"Length\" is no name: use lower-case letters, digits and hyphens"),
        (json!([]), "the task math names no rewards: add [score.rewards] with a line such as `length = 1.0`"),
        (
            json!({"length": {"least": 9, "most": 3}}),
            "make the reward length: rewards.length.least is 9 and more than most, which is 3",
        ),
        (
            json!({"form": {"reward": "format", "form": false}}),
            "make the reward form: rewards.form asks for nothing",
        ),
        (
            json!({"form": {"reward": "format", "schema": {"oneOf": []}}}),
            "make the reward form: read rewards.form.schema: oneOf = []: this keyword is not known",
        ),
        (
            json!({"mine": {"reward": "command"}}),
            "make the reward mine: rewards.mine needs run, a list such as [\"python3\", \"mine.py\"], or trl",
        ),
        (
            json!({"mine": {"reward": "command", "trl": "a.py"}}),
            "make the reward mine: rewards.mine.trl is \"a.py\", but must be of the form FILE.py:FUNCTION",
        ),
    ];
    for (table, expected) in cases {
        assert_eq!(refusal(&task, table.clone()), expected, "{table}");
    }
    let error =
        Task::parse("t", "[answer]\nform = \"text\"\n[score.rewards]\nlength = \"x\"").expect_err("refused");
    assert_eq!(
        format!("{error:#}"),
        "read score.rewards: rewards.length is \"x\"; it must be a weight or a table of settings"
    );
}

#[test]
fn a_reward_without_what_it_needs_does_not_apply_and_says_what_it_lacks() {
    let task = task("paraphrase");
    let set = RewardSet::of_task(&task, &Helpers::default()).expect("a set");
    let lacking: Vec<(&str, &str)> = set.lacking().collect();
    assert_eq!(
        lacking,
        [
            ("logical-equivalence", "it needs a judge of entailment: name one with --judge"),
            ("similarity", "it needs a model for embeddings: name one with --embedder"),
        ]
    );
    let given =
        total(&set, &row(json!({"sentence1": "The door was opened by Ann."})), "Ann opened the door.");
    let built = given.parts.iter().find(|part| part.name == "syntactic-diversity").expect("a part");
    close(given.value.expect("a value"), 0.3 * built.outcome.value().expect("a value"));
}

#[test]
fn threads_of_its_own_change_no_score() {
    let task = task("query-expansion");
    let records: Vec<_> = (0..50).map(|n| row(json!({"query": format!("fix wifi {n}")}))).collect();
    let completions: Vec<String> =
        (0..50).map(|n| format!("lex: wifi {n} repair\nvec: how do I fix wifi {n}?")).collect();
    let attempts: Vec<Attempt<'_>> =
        records.iter().zip(&completions).map(|(record, completion)| Attempt { record, completion }).collect();
    let rows = RewardUse::table(&json!({"query-expansion": 1.0, "length": 0.5})).expect("a table");
    let scored = |threads| {
        let set = RewardSet::new(&task, &rows, &Helpers::default(), threads).expect("a set");
        set.score(&attempts, ScoreDetail::Reasons)
    };
    assert_eq!(scored(Threads::Shared), scored(Threads::Own(2)));
}

/// What may be in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_document_has_every_reward_with_its_keys() {
    let mut table =
        String::from("| reward, key | may be | default | what it says |\n| --- | --- | --- | --- |\n");
    for kind in KINDS {
        table += &format!("| **`{}`** | | | {} |\n", kind.name, cell(kind.about));
        for key in kind.keys {
            let default = key.default.map_or_else(String::new, |default| format!("`{default}`"));
            let (allowed, help) = (cell(&key.kind.allowed()), cell(key.help));
            table += &format!("| `{}` | {allowed} | {default} | {help} |\n", key.name);
        }
    }
    let document = std::fs::read_to_string("docs/rewards.md").expect("the document");
    assert!(document.contains(&table), "docs/rewards.md should have this table:\n{table}");
}
