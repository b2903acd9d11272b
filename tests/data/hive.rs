//! Columns in the names of folders.

use dojo_studio::data::import::{ImportBatch, ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use serde_json::json;
use tempfile::TempDir;

use super::world::write;

fn read(files: &[(&str, &str)], on_malformed: OnMalformed) -> ImportBatch {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in files {
        write(&folder, &format!("data/{name}"), text.as_bytes());
    }
    read_all(&folder.path().join("data"), &ImportOptions::default(), on_malformed).expect("read")
}

const PAIR: &str = "{\"premise\":\"p\",\"hypothesis\":\"h\"}\n";

#[test]
fn a_column_in_a_folders_name_is_that_of_every_row_in_it() {
    let read = read(
        &[
            ("label=entailment/part-0.jsonl", PAIR),
            ("label=not%20known/part-0.jsonl", PAIR),
            ("label=neutral/split=test/a.csv", "premise,hypothesis\np,h\n"),
            ("label=neutral/split=train/a.csv", "premise,hypothesis\np,h\n"),
        ],
        OnMalformed::Fail,
    );
    let mut found: Vec<(Option<String>, Option<String>)> =
        read.records.iter().map(|record| (record.label.clone(), record.split.clone())).collect();
    found.sort();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        found,
        [
            (text("entailment"), None),
            (text("neutral"), text("test")),
            (text("neutral"), text("train")),
            (text("not known"), None),
        ]
    );
}

#[test]
fn a_number_is_a_number_and_no_value_is_none() {
    let row = "{\"prompt\":\"q\",\"completion\":\"a\"}\n";
    let read = read(
        &[("year=2024/month=07/a.jsonl", row), ("year=__HIVE_DEFAULT_PARTITION__/b.jsonl", row)],
        OnMalformed::Fail,
    );
    let mut fields: Vec<_> = read.records.iter().map(|record| json!(record.fields)).collect();
    fields.sort_by_key(|row| row["year"].is_null());
    assert_eq!(fields[0], json!({"prompt": "q", "completion": "a", "year": 2024, "month": "07"}));
    assert_eq!(fields[1], json!({"prompt": "q", "completion": "a", "year": null}));
}

#[test]
fn a_row_that_contradicts_its_folder_is_refused_by_both() {
    let rows = "{\"premise\":\"p\",\"hypothesis\":\"h\",\"label\":\"neutral\"}\n\
                {\"premise\":\"p\",\"hypothesis\":\"h\",\"label\":\"entailment\"}\n";
    let read = read(&[("label=entailment/a.jsonl", rows)], OnMalformed::Skip);
    assert_eq!(read.records.len(), 1);
    let reasons: Vec<&str> = read.malformed.iter().map(|bad| bad.reason.as_str()).collect();
    let both =
        "its folder says label=entailment and the row itself label: neutral; only one of them can be right";
    assert_eq!(reasons, [both]);
}

#[test]
fn other_folders_are_no_columns() {
    let row = "{\"prompt\":\"q\",\"completion\":\"a\"}\n";
    let read =
        read(&[("1=2/a.jsonl", row), ("plain/b.jsonl", row), ("k=v/plain/c.jsonl", row)], OnMalformed::Fail);
    assert!(read.records.iter().all(|record| record.fields.len() == 2), "{:?}", read.records);
}
