//! Writing files that others read, and reading them again.

use std::path::Path;

use dojo_studio::data::export::{Added, ExportFormat, Exporter, Splits};
use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::message::Message;
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::{Preference, Record};
use dojo_studio::domain::unseen::is_unseen;
use proptest::prelude::*;
use tempfile::TempDir;

use super::world::{assistant, record, system, user};

fn export(records: &[Record], path: &Path, form: ExportFormat, splits: Splits) -> anyhow::Result<u64> {
    let mut exporter = Exporter::create(path, form, splits)?;
    for record in records {
        exporter.add(record)?;
    }
    Ok(exporter.finish()?.written)
}

/// What a round trip has to keep.
type Kept =
    (Vec<Message>, usize, Option<Preference>, Option<String>, Option<String>, Option<String>, Vec<String>);

fn kept(record: &Record) -> Kept {
    let Record { messages, prompt_turns, preference, text, label, split, tags, .. } = record.clone();
    (messages, prompt_turns, preference, text, label, split, tags.into_iter().collect())
}

fn round_trip(records: &[Record], name: &str, form: ExportFormat) -> Vec<Kept> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(name);
    export(records, &path, form, Splits::Together).expect("export");
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    read.records.iter().map(kept).collect()
}

fn conversations() -> Vec<Record> {
    let mut first = record(&[system("s"), user("a, \"b\"\nc"), assistant("ü 🦀")]);
    first.label = Some("1".into());
    first.split = Some("train".into());
    first.tags = ["x", "y"].map(str::to_owned).into();
    let second = record(&[user(""), assistant("a")]);
    vec![first, second]
}

fn pair() -> Record {
    let mut pair = record(&[user("a"), assistant("b"), user("c")]);
    pair.preference = Some(Preference { chosen: vec![assistant("good")], rejected: vec![assistant("bad")] });
    pair
}

#[test]
fn conversations_come_back_from_every_form() {
    let records = conversations();
    let expected: Vec<Kept> = records.iter().map(kept).collect();
    for (name, form) in [
        ("a.jsonl", ExportFormat::Messages),
        ("a.jsonl", ExportFormat::PromptCompletion),
        ("a.csv", ExportFormat::Csv),
        ("a.parquet", ExportFormat::Parquet),
    ] {
        assert_eq!(round_trip(&records, name, form), expected, "{form:?}");
    }
}

#[test]
fn longer_conversations_preference_pairs_and_texts_come_back() {
    let long = vec![record(&[user("a"), assistant("b"), user("c"), assistant("d")])];
    assert_eq!(round_trip(&long, "a.jsonl", ExportFormat::Messages), [kept(&long[0])]);
    assert_eq!(round_trip(&long, "a.parquet", ExportFormat::Parquet), [kept(&long[0])]);
    let shots = vec![Record { prompt_turns: 3, ..long[0].clone() }];
    for (name, form) in [
        ("a.jsonl", ExportFormat::PromptCompletion),
        ("a.jsonl", ExportFormat::Messages),
        ("a.parquet", ExportFormat::Parquet),
    ] {
        assert_eq!(round_trip(&shots, name, form), [kept(&shots[0])], "{form:?}");
    }
    let pairs = vec![pair()];
    assert_eq!(round_trip(&pairs, "a.jsonl", ExportFormat::Preference), [kept(&pairs[0])]);
    assert_eq!(round_trip(&pairs, "a.parquet", ExportFormat::Parquet), [kept(&pairs[0])]);
    let texts = vec![Record { text: Some("plain\ntext".into()), ..record(&[]) }];
    for (name, form) in [
        ("a.jsonl", ExportFormat::Messages),
        ("a.csv", ExportFormat::Csv),
        ("a.parquet", ExportFormat::Parquet),
    ] {
        assert_eq!(round_trip(&texts, name, form), [kept(&texts[0])], "{form:?}");
    }
}

#[test]
fn pairs_of_which_one_answer_is_written_are_counted() {
    let folder = TempDir::new().expect("a folder");
    for (form, count) in [(ExportFormat::Messages, 1), (ExportFormat::Preference, 0)] {
        let mut exporter =
            Exporter::create(&folder.path().join("a.jsonl"), form, Splits::Together).expect("begin");
        assert_eq!(exporter.add(&pair()).expect("add"), Added::Written);
        assert_eq!(exporter.finish().expect("finish").chosen_only, count, "{form:?}");
    }
}

#[test]
fn what_does_not_fit_a_form_is_left_out_with_a_reason() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let mut exporter =
        Exporter::create(&path, ExportFormat::PromptCompletion, Splits::Together).expect("begin");
    assert_eq!(exporter.add(&conversations()[0]).expect("add"), Added::Written);
    assert_eq!(exporter.add(&pair()).expect("add"), Added::LeftOut("it is a preference pair".into()));
    let exported = exporter.finish().expect("finish");
    assert_eq!((exported.written, exported.left_out), (1, 1));
    assert_eq!(exported.reasons, ["a.jsonl:3: it is a preference pair"]);
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    for (name, form) in [
        ("a.jsonl", ExportFormat::Messages),
        ("a.csv", ExportFormat::Csv),
        ("a.parquet", ExportFormat::Parquet),
    ] {
        let bytes = |turn: &str| {
            let path = folder.path().join(format!("{turn}-{name}"));
            export(&conversations(), &path, form, Splits::Together).expect("export");
            std::fs::read(path).expect("read")
        };
        assert_eq!(bytes("first"), bytes("second"), "{form:?}");
    }
}

#[test]
fn an_export_that_is_given_up_leaves_nothing_behind() {
    let folder = TempDir::new().expect("a folder");
    for (name, form) in [
        ("a.jsonl", ExportFormat::Messages),
        ("a.parquet", ExportFormat::Parquet),
        ("a", ExportFormat::Folder),
    ] {
        let mut exporter =
            Exporter::create(&folder.path().join(name), form, Splits::Together).expect("begin");
        exporter.add(&conversations()[0]).expect("add");
        drop(exporter);
        assert_eq!(std::fs::read_dir(folder.path()).expect("look").count(), 0, "{form:?}");
    }
    let error = export(&[], &folder.path().join("a.jsonl"), ExportFormat::Messages, Splits::Together)
        .expect_err("nothing");
    assert_eq!(error.to_string(), "there is no record to export");
}

#[test]
fn a_file_that_is_there_stays_until_the_new_one_is_whole() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.jsonl");
    std::fs::write(&path, "old").expect("write");
    let mut exporter = Exporter::create(&path, ExportFormat::Messages, Splits::Together).expect("begin");
    exporter.add(&conversations()[0]).expect("add");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "old");
    exporter.finish().expect("finish");
    assert!(std::fs::read_to_string(&path).expect("read").starts_with("{\"messages\":"));
}

#[test]
fn splits_can_have_files_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let mut exporter =
        Exporter::create(&folder.path().join("a.jsonl"), ExportFormat::Messages, Splits::Apart)
            .expect("begin");
    for record in conversations() {
        exporter.add(&record).expect("add");
    }
    let files = exporter.finish().expect("finish").files;
    assert_eq!(files, [folder.path().join("a.jsonl"), folder.path().join("a.train.jsonl")]);
}

#[test]
fn a_dataset_folder_has_a_card_that_names_its_files() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("my-data");
    let mut held_out = record(&[user("q"), assistant("a")]);
    held_out.split = Some("eval".into());
    let records = [conversations(), vec![held_out]].concat();
    export(&records, &path, ExportFormat::Folder, Splits::Together).expect("export");
    let card = std::fs::read_to_string(path.join("README.md")).expect("read the card");
    for line in [
        "  - split: eval\n    path: data/eval.parquet\n",
        "# my-data\n\n3 records",
        "| train | 2 |",
        "| a.jsonl | 3 |",
    ] {
        assert!(card.contains(line), "{line:?} is not in:\n{card}");
    }
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    assert_eq!(read.records.len(), 3);
    let again =
        Exporter::create(&path, ExportFormat::Folder, Splits::Together).err().expect("refused").to_string();
    assert!(again.ends_with("my-data exists already; name a folder that does not"), "{again}");
}

#[test]
fn what_a_table_would_lose_is_left_out_of_it_by_name() {
    let folder = TempDir::new().expect("a folder");
    for (at, record, reason) in [
        (1, record(&[system(""), user("q"), assistant("a")]), "its system turn is empty"),
        (2, record(&[user("q\0"), assistant("a")]), "it holds a character NUL"),
        (3, record(&[user("q"), assistant("a\0b")]), "it holds a character NUL"),
    ] {
        let path = folder.path().join(format!("{at}.csv"));
        let mut exporter = Exporter::create(&path, ExportFormat::Csv, Splits::Together).expect("begin");
        let added = format!("{:?}", exporter.add(&record).expect("add"));
        assert!(added.contains(reason) && added.contains("export as messages"), "{added}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_comes_back(rows in proptest::collection::vec(("(?s).{1,30}", "(?s).{0,30}"), 1..10)) {
        let says = |(_, answer): &&(String, String)| !is_unseen(answer);
        let records: Vec<Record> =
            rows.iter().filter(says).map(|(question, answer)| record(&[user(question), assistant(answer)])).collect();
        if records.is_empty() {
            return Ok(());
        }
        let expected: Vec<Kept> = records.iter().map(kept).collect();
        prop_assert_eq!(&round_trip(&records, "a.jsonl", ExportFormat::Messages), &expected);
        prop_assert_eq!(&round_trip(&records, "a.parquet", ExportFormat::Parquet), &expected);
    }

    #[test]
    fn a_corrupt_parquet_file_is_an_error_and_no_panic(at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000) {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("a.parquet");
        export(&conversations(), &path, ExportFormat::Parquet, Splits::Together).expect("export");
        let mut bytes = std::fs::read(&path).expect("read");
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - if cut % 2 == 0 { cut % bytes.len() } else { 0 });
        std::fs::write(&path, bytes).expect("write");
        let _ = read_all(&path, &ImportOptions::default(), OnMalformed::Skip);
    }
}
