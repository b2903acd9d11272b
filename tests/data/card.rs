//! What a dataset's description says and its rows don't.

use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use tempfile::TempDir;

use super::world::write;

/// What an import of a folder leaves out, in sentences.
fn left_out(files: &[(&str, &str)]) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in files {
        write(&folder, &format!("data/{name}"), text.as_bytes());
    }
    let read =
        read_all(&folder.path().join("data"), &ImportOptions::default(), OnMalformed::Fail).expect("read");
    read.left_out.iter().map(|one| one.reason.to_owned()).collect()
}

const CLASSES: &str = "---\nfeatures:\n- name: label\n  dtype:\n    class_label:\n      names:\n        '0': calm\n---\n# Moods\n";
const SPLITS: &str =
    "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: second.csv\n---\n";
const ROWS: &str = "text,label\nA quiet sea.,0\n";

#[test]
fn classes_that_only_the_card_names_are_told() {
    let told = left_out(&[("README.md", CLASSES), ("train.csv", ROWS)]);
    assert!(told.len() == 1 && told[0].contains("dojo data label"), "{told:?}");
    let told =
        left_out(&[("dataset_infos.json", "{\"label\": {\"_type\": \"ClassLabel\"}}"), ("train.csv", ROWS)]);
    assert_eq!(told.len(), 1, "{told:?}");
    // Prose isn't read as a card's head.
    assert_eq!(
        left_out(&[("README.md", "Columns: label, a class_label."), ("train.csv", ROWS)]),
        Vec::<String>::new()
    );
}

#[test]
fn classes_that_the_card_beside_a_single_file_names_are_told() {
    let folder = TempDir::new().expect("a folder");
    write(&folder, "moods/README.md", CLASSES.as_bytes());
    let inner = write(&folder, "moods/data/train.csv", ROWS.as_bytes());
    let beside = write(&folder, "moods/train.csv", ROWS.as_bytes());
    let other = write(&folder, "moods/other/train.csv", ROWS.as_bytes());
    let told = |path: &std::path::Path| {
        read_all(path, &ImportOptions::default(), OnMalformed::Fail).expect("read").left_out.len()
    };
    assert_eq!([inner, beside, other].map(|path| told(&path)), [1, 1, 0]);
}

#[test]
fn splits_that_only_the_card_tells_are_told() {
    let told = left_out(&[("README.md", SPLITS), ("first.csv", ROWS), ("second.csv", ROWS)]);
    assert!(told.len() == 1 && told[0].contains("train.csv and test.csv"), "{told:?}");
    let named = left_out(&[("README.md", SPLITS), ("train.csv", ROWS), ("test.csv", ROWS)]);
    assert_eq!(named, Vec::<String>::new(), "their names say it already");
}
