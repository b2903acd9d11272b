//! The splits of a folder's files, by their names.

use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use tempfile::TempDir;

use super::world::write;

/// The split of each file's row, in the order of the names.
fn splits(names: &[&str], map: &[&str]) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    for name in names {
        write(&folder, &format!("test/{name}"), b"{\"prompt\":\"q\",\"completion\":\"a\"}\n");
    }
    let map = map.iter().map(|told| (*told).to_owned()).collect();
    let options = ImportOptions { map, ..ImportOptions::default() };
    let read = read_all(&folder.path().join("test"), &options, OnMalformed::Fail).expect("read");
    let named = |source: &str| source.rsplit_once("/test/").map(|(_, name)| name.to_owned()).expect("a name");
    let mut found: Vec<(String, String)> = read
        .records
        .into_iter()
        .map(|record| (named(&record.provenance.source), record.split.unwrap_or_default()))
        .collect();
    let place = |name: &str| names.iter().position(|own| *own == name);
    found.sort_by_key(|(name, _)| place(name));
    found.into_iter().map(|(_, split)| split).collect()
}

#[test]
fn a_file_that_is_called_by_a_held_out_split_is_held_out_beside_others() {
    for (names, known) in [
        (&["train-0.jsonl", "test.jsonl", "more.jsonl"][..], &["train", "test", ""][..]),
        (&["train/0.jsonl", "validation/0.jsonl"], &["train", "validation"]),
        (&["data.jsonl", "test.jsonl"], &["", "test"]),
        (&["data.jsonl", "dev.jsonl"], &["", "dev"]),
        (&["cooking.jsonl", "validation.jsonl"], &["", "validation"]),
        (&["part-1.jsonl", "test-00000-of-00001.jsonl"], &["", "test"]),
        (
            &["train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl", "test-00000-of-00001.jsonl"],
            &["train", "train", "test"],
        ),
        (&["squad-train.jsonl", "squad-test.jsonl"], &["train", "test"]),
        (&["train_squad.jsonl", "dev_squad.jsonl"], &["train", "dev"]),
        (&["squad.jsonl", "squad_test.jsonl"], &["", "test"]),
        (&["data/train.jsonl", "data/held_out.jsonl"], &["train", "held_out"]),
        (&["a.jsonl", "public_test.jsonl"], &["", "public_test"]),
        (&["snli_1.0_train.jsonl", "snli_1.0_dev.jsonl", "snli_1.0_test.jsonl"], &["train", "dev", "test"]),
        (&["squad-train.jsonlines", "squad-test.jsonlines"], &["train", "test"]),
        (&["data.train.jsonl", "data.test.jsonl"], &["data.train", "data.test"]),
    ] {
        assert_eq!(splits(names, &[]), known, "{names:?}");
        assert!(splits(names, &["split="]).iter().all(String::is_empty), "{names:?}");
    }
}

#[test]
fn a_file_whose_name_only_has_such_a_word_is_not() {
    for names in [
        &["test.jsonl", "dev.jsonl"][..],
        &["train.jsonl", "dev-blog.jsonl"],
        &["train.jsonl", "unit-test.jsonl"],
        &["blog.jsonl", "dev-blog.jsonl"],
        &["design.jsonl", "dev.jsonl"],
        &["invalid.jsonl", "valid.jsonl"],
        &["data.jsonl", "test_cases.jsonl"],
        &["a.jsonl", "testimonials.jsonl"],
        &["test.jsonl"],
    ] {
        let found = splits(names, &[]);
        assert!(found.iter().all(|split| split.is_empty() || split == "train"), "{names:?} {found:?}");
    }
}

#[test]
fn what_a_row_says_of_its_split_counts_before_its_file() {
    let folder = TempDir::new().expect("a folder");
    write(&folder, "train.jsonl", b"{\"prompt\":\"q\",\"completion\":\"a\",\"split\":\"test\"}\n");
    write(&folder, "test.jsonl", b"{\"prompt\":\"q\",\"completion\":\"b\"}\n");
    let read = read_all(folder.path(), &ImportOptions::default(), OnMalformed::Fail).expect("read");
    assert!(read.records.iter().all(|record| record.split.as_deref() == Some("test")));
}
