use dojo_studio::data::split::{SplitSettings, Strata, Use, assign, key};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

use super::world::{record, user};

fn settings(share: f64, strata: Strata) -> SplitSettings {
    SplitSettings::new("train", vec![("eval".into(), share)], 7, strata).expect("settings")
}

#[test]
fn repeats_of_a_prompt_stay_together_and_the_share_is_of_prompts() {
    let keys: Vec<String> = (0..400).map(|row| format!("q{}", row % 100)).collect();
    let rows: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let settings = settings(0.2, Strata::None);
    let parts = assign(&rows, &settings);
    let held: BTreeSet<&str> =
        rows.iter().zip(&parts).filter(|(_, part)| **part == "eval").map(|((key, _), _)| *key).collect();
    assert_eq!(held.len(), 20);
    assert!(rows.iter().zip(&parts).all(|((key, _), part)| held.contains(key) == (*part == "eval")));
}

#[test]
fn few_keys_change_sides_when_rows_are_added() {
    let keys: Vec<String> = (0..1000).map(|row| format!("q{row}")).collect();
    let rows = |count: usize| keys.iter().take(count).map(|key| (key.as_str(), None)).collect::<Vec<_>>();
    let settings = settings(0.1, Strata::None);
    let (few, many) = (rows(900), rows(1000));
    let (before, after) = (assign(&few, &settings), assign(&many, &settings));
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(changed <= 9, "{changed} of 900");
}

#[test]
fn another_seed_splits_otherwise() {
    let keys: Vec<String> = (0..100).map(|row| format!("q{row}")).collect();
    let rows: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
    let other = SplitSettings { seed: 8, ..settings(0.3, Strata::None) };
    assert_ne!(assign(&rows, &settings(0.3, Strata::None)), assign(&rows, &other));
}

#[test]
fn a_stratified_split_keeps_the_share_of_every_label() {
    let keys: Vec<String> = (0..330).map(|row| format!("q{row}")).collect();
    let label = |row: usize| if row < 300 { "common" } else { "rare" };
    let rows: Vec<(&str, Option<&str>)> =
        keys.iter().enumerate().map(|(row, key)| (key.as_str(), Some(label(row)))).collect();
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    let settings = settings(0.1, Strata::ByLabel);
    for (part, (_, label)) in assign(&rows, &settings).iter().zip(&rows) {
        *held.entry(label.expect("a label")).or_default() += usize::from(*part == "eval");
    }
    assert_eq!(held, BTreeMap::from([("common", 30), ("rare", 3)]));
}

#[test]
fn a_key_can_be_any_column() {
    let mut row = record(&[user("q")]);
    row.fields.insert("topic".into(), json!(3));
    assert_eq!(key(&row, Some("topic")), "3");
    assert_eq!(key(&row, Some("elsewhere")), "q");
    assert_eq!(key(&row, None), "q");
}

#[test]
fn shares_that_make_no_sense_are_refused() {
    assert_eq!(
        SplitSettings::holding_out(1.5, 0).expect_err("refused").to_string(),
        "the share of \"eval\" is 1.5; it must be at least 0 and below 1"
    );
    let parts = vec![("eval".to_owned(), 0.6), ("test".to_owned(), 0.5)];
    let error = SplitSettings::new("train", parts, 0, Strata::None).expect_err("refused").to_string();
    assert_eq!(error, "the shares add up to 1.1; they must leave something for \"train\"");
}

proptest! {
    #[test]
    fn every_record_gets_a_part_and_shares_are_kept(share in 0.05f64..0.5, seed in any::<u64>()) {
        let keys: Vec<String> = (0..2000).map(|row| format!("q{row}")).collect();
        let rows: Vec<(&str, Option<&str>)> = keys.iter().map(|key| (key.as_str(), None)).collect();
        let settings = SplitSettings { seed, ..settings(share, Strata::None) };
        let held = assign(&rows, &settings).iter().filter(|part| **part == "eval").count() as f64;
        prop_assert!((held - share * 2000.0).abs() <= 0.501, "{held} for {share}");
    }
}

#[test]
fn a_split_is_known_by_the_words_of_its_name() {
    for name in ["train", "Training", "train_sft", "train-00000-of-00002.parquet", "train.jsonl"] {
        assert_eq!(Use::of(name), Some(Use::Training), "{name}");
    }
    for name in [
        "test",
        "TEST",
        "test_sft",
        "validation_matched",
        "valid",
        "val",
        "dev-clean",
        "eval",
        "held_out",
        "held-out",
        "testA",
        "public_test",
        "dev2",
        "devel",
        "testset",
        "in-domain-eval",
    ] {
        assert_eq!(Use::of(name), Some(Use::HeldOut), "{name}");
    }
    for name in ["", "testimonials.jsonl", "trainer", "a", "valuable", "held"] {
        assert_eq!(Use::of(name), None, "{name}");
    }
}

#[test]
fn a_split_under_another_name_is_a_split() {
    let row = |column: &str, value: serde_json::Value| {
        super::beside::record(&serde_json::json!({"prompt": "q", "completion": "a", column: value})).split
    };
    use serde_json::json;
    for column in ["set", "subset", "partition", "data_split", "Split"] {
        assert_eq!(row(column, json!("test")).as_deref(), Some("test"), "{column}");
        assert_eq!(row(column, json!("testA")).as_deref(), Some("testA"));
        assert_eq!(row(column, json!("train")).as_deref(), Some("train"));
    }
    // A subset may be of anything.
    assert_eq!(row("subset", json!("math")), None);
    assert_eq!(row("subset", json!("test_cases")), None);
    for (column, value, split) in [
        ("is_test", json!(true), Some("test")),
        ("is_test", json!("True"), Some("test")),
        ("is_test", json!(false), None),
        ("is_validation", json!(1), Some("validation")),
        ("is_train", json!(false), Some("held_out")),
        ("is_train", json!(true), Some("train")),
        ("held_out", json!(true), Some("held_out")),
        ("in_test_set", json!(true), Some("test_set")),
        ("metadata", json!({"split": "dev"}), Some("dev")),
        ("is_valid", json!(true), None),
        ("test", json!("assert f(1)"), None),
    ] {
        let found = row(column, value.clone());
        assert_eq!(found.as_deref(), split, "{column} {value}");
    }
    let both = json!({"prompt": "q", "completion": "a", "split": "train", "is_test": true});
    assert_eq!(super::beside::record(&both).split.as_deref(), Some("test"));
}

#[test]
fn a_column_that_is_about_something_else_too_names_no_split() {
    use serde_json::json;
    let splits = |values: &[&str]| {
        let rows: Vec<_> =
            values.iter().map(|value| json!({"prompt": "q", "completion": "a", "subset": value})).collect();
        let (records, bad) = super::forms::imported(&rows);
        assert_eq!(bad, []);
        records.into_iter().map(|record| record.split).collect::<Vec<_>>()
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(splits(&["dev", "design"]), [None, None]);
    assert_eq!(splits(&["dev", "train", "design"]), [some("dev"), some("train"), None]);
    assert_eq!(splits(&["dev", "dev"]), [some("dev"), some("dev")]);
    assert_eq!(splits(&["test", "design"]), [some("test"), None]);
}
