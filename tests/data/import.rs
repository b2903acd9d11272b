//! Records from rows: what is recognised, what can be changed, what is counted.

use std::path::PathBuf;

use dojo_studio::data::import::{Import, ImportOptions, read_all};
use dojo_studio::data::mapping::{Mapping, MappingKind};
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::{Fields, Record};
use serde_json::json;
use tempfile::TempDir;

use super::world::{assistant, system, user, write};

fn fields(row: &serde_json::Value) -> Fields {
    row.as_object().expect("an object").clone()
}

fn recognised(row: &serde_json::Value) -> (MappingKind, Record) {
    let row = fields(row);
    let mapping = Mapping::detect(std::slice::from_ref(&row));
    let record = mapping.apply(&row).expect("a record");
    (mapping.kind(), record)
}

fn reason(row: &serde_json::Value, map: &[&str]) -> String {
    let row = fields(row);
    let mut mapping = Mapping::detect(std::slice::from_ref(&row));
    for assignment in map {
        mapping.set(assignment).expect("a mapping");
    }
    mapping.apply(&row).expect_err("no record")
}

#[test]
fn messages_are_recognised_with_all_their_forms_of_content() {
    let (kind, record) = recognised(&json!({"messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c", "tool_calls": []},
    ]}));
    assert_eq!(
        (kind, record.messages),
        (MappingKind::Messages, vec![system("s"), user("ab"), assistant("c")])
    );
}

#[test]
fn sharegpt_conversations_are_recognised() {
    let (kind, record) = recognised(&json!({"system": "s", "conversations": [
        {"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}));
    assert_eq!(
        (kind, record.messages),
        (MappingKind::ShareGpt, vec![system("s"), user("a"), assistant("b")])
    );
}

#[test]
fn alpaca_rows_lay_the_input_below_the_instruction() {
    let (kind, record) = recognised(&json!({"instruction": "Sum up.", "input": "Text", "output": "Sum"}));
    assert_eq!(
        (kind, record.messages),
        (MappingKind::Alpaca, vec![user("Sum up.\n\nText"), assistant("Sum")])
    );
    let (_, record) = recognised(&json!({"instruction": "Sum up.", "input": "", "output": "Sum"}));
    assert_eq!(record.messages, [user("Sum up."), assistant("Sum")]);
}

#[test]
fn what_the_assistant_says_in_a_prompt_given_as_turns_is_not_to_be_learnt() {
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    let shots = [turn("user", "a"), turn("assistant", "b"), turn("user", "c")];
    let (kind, record) = recognised(&json!({"prompt": shots, "completion": [turn("assistant", "d")]}));
    assert_eq!((kind, record.prompt_turns), (MappingKind::PromptCompletion, 3));
    assert_eq!(record.messages, [user("a"), assistant("b"), user("c"), assistant("d")]);
    let (_, single) = recognised(&json!({"prompt": [turn("user", "a")], "completion": "b"}));
    assert_eq!((single.prompt_turns, single.messages), (1, vec![user("a"), assistant("b")]));
    let (_, plain) = recognised(&json!({"prompt": "a", "completion": "b"}));
    assert_eq!((plain.prompt_turns, plain.messages), (0, vec![user("a"), assistant("b")]));
}

#[test]
fn preference_pairs_are_recognised_in_each_of_their_forms() {
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    let rows = [
        json!({"prompt": "q", "chosen": "good", "rejected": "bad"}),
        json!({"prompt": [turn("user", "q")], "chosen": [turn("assistant", "good")], "rejected": [turn("assistant", "bad")]}),
        json!({"conversations": [turn("user", "q")], "chosen": "good", "rejected": {"from": "gpt", "value": "bad"}}),
        json!({"chosen": [turn("user", "q"), turn("assistant", "good")], "rejected": [turn("user", "q"), turn("assistant", "bad")]}),
        json!({"prompt": "q", "chosen": [turn("user", "q"), turn("assistant", "good")], "rejected": [turn("user", "q"), turn("assistant", "bad")]}),
    ];
    for row in rows {
        let (kind, record) = recognised(&row);
        let pair = record.preference.expect("a pair");
        assert_eq!((kind, record.messages), (MappingKind::Preference, vec![user("q")]));
        assert_eq!((pair.chosen, pair.rejected), (vec![assistant("good")], vec![assistant("bad")]));
    }
}

#[test]
fn sentence_pairs_are_recognised_with_label_and_explanation() {
    let (kind, record) =
        recognised(&json!({"premise": "p", "hypothesis": "h", "label": 1, "explanations": ["e", "f"]}));
    assert_eq!(kind, MappingKind::Nli);
    assert_eq!(record.messages, [user("Premise: p\nHypothesis: h"), assistant("e\n1")]);
    assert_eq!(record.label.as_deref(), Some("1"));
}

#[test]
fn questions_queries_and_texts_are_recognised() {
    let (kind, record) =
        recognised(&json!({"question": "q", "options": ["A)1", "B)2"], "rationale": "r", "correct": "A"}));
    assert_eq!((kind, &record.messages[0]), (MappingKind::QuestionAnswer, &user("q\n\nA)1\nB)2")));
    assert_eq!((record.answer(), record.messages[1].thought()), (Some("A"), Some("r")));
    assert_eq!(record.label.as_deref(), Some("A"));
    let (kind, record) = recognised(&json!({"query": "q", "output": [["lex", "a"], ["vec", "b"]]}));
    assert_eq!(
        (kind, record.messages),
        (MappingKind::QueryExpansion, vec![user("q"), assistant("lex: a\nvec: b")])
    );
    let (kind, record) = recognised(&json!({"_id": "1", "title": "t", "text": "body"}));
    assert_eq!((kind, record.text.as_deref(), record.prompt()), (MappingKind::Text, Some("body"), "body"));
}

#[test]
fn a_mapping_can_be_changed_and_remembered() {
    let row = fields(&json!({"frage": "q", "antwort": "a", "quelle": "x"}));
    let mut mapping = Mapping::detect(std::slice::from_ref(&row));
    assert_eq!(mapping.kind(), MappingKind::Columns);
    mapping.set("prompt=frage").expect("set");
    mapping.set("completion=antwort").expect("set");
    let remembered: Mapping =
        serde_json::from_str(&serde_json::to_string(&mapping).expect("write")).expect("read");
    assert_eq!(remembered.to_string(), "prompt = frage, completion = antwort");
    assert_eq!(remembered.apply(&row).expect("a record").messages, [user("q"), assistant("a")]);
    mapping.set("completion=").expect("clear");
    assert_eq!(mapping.kind(), MappingKind::Prompts);
}

#[test]
fn a_wrong_mapping_is_refused_with_what_is_there() {
    let mut mapping = Mapping::default();
    let error = mapping.set("promt=a").expect_err("no such part").to_string();
    assert!(error.starts_with("\"promt\" is no part of a record; did you mean \"prompt\"?"), "{error}");
    mapping.set("prompt=nowhere").expect("set");
    let error = mapping.check(&[fields(&json!({"a": 1, "b": 2}))]).expect_err("no such column").to_string();
    assert_eq!(error, "no row has a column \"nowhere\" for the part \"prompt\"; there are a, b");
}

#[test]
fn what_is_wrong_with_a_row_is_said_with_its_column() {
    assert_eq!(reason(&json!({"a": 1}), &["prompt=q"]), "column \"q\" is missing");
    assert_eq!(reason(&json!({"q": null}), &["prompt=q"]), "column \"q\" is null");
    assert_eq!(reason(&json!({"m": 3}), &["messages=m"]), "column \"m\" holds a number, not turns");
    assert_eq!(reason(&json!({"m": []}), &["messages=m"]), "column \"m\" holds no turns");
    assert_eq!(
        reason(&json!({"m": [{"role": "king", "content": "x"}]}), &["messages=m"]),
        "turn 1 of column \"m\" has the unknown role \"king\""
    );
    assert_eq!(
        reason(&json!({"m": [{"role": "user"}]}), &["messages=m"]),
        "turn 1 of column \"m\" has no content"
    );
}

#[test]
fn equal_rows_are_told_apart_by_their_occurrence_and_known_by_their_hash() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.jsonl", b"{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"completion\":\"b\",\"prompt\":\"a\"}\n{\"prompt\":\"c\",\"completion\":\"b\"}\n");
    let records = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read").records;
    let [first, second, third] = records.as_slice() else { panic!("three records") };
    assert_eq!(first.provenance.hash, second.provenance.hash);
    assert_eq!((first.provenance.occurrence, second.provenance.occurrence), (0, 1));
    assert_ne!(first.provenance.hash, third.provenance.hash);
    assert_eq!(third.place(), format!("{}:3", path.display()));
}

#[test]
fn a_malformed_line_is_fatal_where_the_recipe_says_so() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.jsonl", b"{\"prompt\":\"a\",\"completion\":\"b\"}\nnope\n");
    let skipped = read_all(&path, &ImportOptions::default(), OnMalformed::Skip).expect("read");
    assert_eq!((skipped.records.len(), skipped.malformed.len()), (1, 1));
    let error = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect_err("fatal").to_string();
    assert_eq!(error, format!("{}:2: not JSON: expected ident at column 2", path.display()));
}

#[test]
fn an_empty_dataset_is_an_error() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.jsonl", b"\n\n");
    let error = read_all(&path, &ImportOptions::default(), OnMalformed::Skip).expect_err("empty").to_string();
    assert_eq!(error, format!("{} is empty: it holds no record", path.display()));
}

/// Rows, and what they are recognised as, of every dataset in `../shared/data`, by its SOURCES.md.
const DATASETS: &[(&str, usize, MappingKind)] = &[
    ("nli_snli/train.jsonl", 30_000, MappingKind::Nli),
    ("nli_esnli/dev.jsonl", 9_842, MappingKind::Nli),
    ("nli_esnli/test.jsonl", 9_824, MappingKind::Nli),
    ("nli_cad/train.jsonl", 8_330, MappingKind::Nli),
    ("nli_cad/dev.jsonl", 1_000, MappingKind::Nli),
    ("nli_cad/test.jsonl", 2_000, MappingKind::Nli),
    ("nli_mistral7b_samples/sample.csv", 100, MappingKind::Nli),
    ("nli_mistral7b_samples/sample_ft.jsonl", 100, MappingKind::Text),
    ("nli_mistral7b_samples/sample_thoughts.json", 100, MappingKind::Nli),
    ("nli_mistral7b_samples/sample_reflections.json", 33, MappingKind::Nli),
    ("reasoning_syscd/reasoning_dataset.jsonl", 500, MappingKind::Messages),
    ("gsm8k/train.jsonl", 7_473, MappingKind::QuestionAnswer),
    ("gsm8k/test.jsonl", 1_319, MappingKind::QuestionAnswer),
    ("reasoning_qa/svamp.jsonl", 1_000, MappingKind::QuestionAnswer),
    ("reasoning_qa/theoremqa.jsonl", 747, MappingKind::QuestionAnswer),
    ("reasoning_qa/aqua_rat_dev_test.jsonl", 508, MappingKind::QuestionAnswer),
    ("reasoning_qa/folio.jsonl", 1_208, MappingKind::Nli),
    ("qmd_finetune/data", 3_579, MappingKind::QueryExpansion),
    ("qmd_finetune/evals/queries.txt", 51, MappingKind::Text),
    ("qmd_finetune/test/eval-docs", 6, MappingKind::Text),
    ("qmd_finetune/test/eval-deep-research.jsonl", 25, MappingKind::Prompts),
    ("qmd_finetune/src/bench/fixtures/example.json", 10, MappingKind::Prompts),
    ("paraphrase_paws/dev.jsonl", 8_000, MappingKind::Nli),
    ("paraphrase_paws/test.jsonl", 8_000, MappingKind::Nli),
    ("retrieval_scifact/corpus.jsonl", 5_183, MappingKind::Text),
    ("retrieval_scifact/queries.jsonl", 1_109, MappingKind::Text),
    ("retrieval_scifact/qrels/train.tsv", 919, MappingKind::Columns),
    ("retrieval_scifact/qrels/test.tsv", 339, MappingKind::Columns),
    ("retrieval_scifact/claim_verification.jsonl", 1_217, MappingKind::Nli),
    ("papers_abstracts/pmlr_abstracts.jsonl", 609, MappingKind::Text),
    ("preference_pairs/instruction_preference_1100.jsonl", 1_100, MappingKind::Preference),
    ("preference_pairs/dpo_en_demo_300.jsonl", 300, MappingKind::Preference),
    ("preference_pairs/gsm8k_solution_pairs.jsonl", 2_429, MappingKind::Preference),
];

#[test]
fn every_collected_dataset_is_recognised_with_all_its_rows() {
    let shared = PathBuf::from("../shared/data");
    if !shared.is_dir() {
        println!("left out: {} is not here", shared.display());
        return;
    }
    let read = |name: &str| {
        let mut import = Import::open(&shared.join(name), &ImportOptions::default()).expect("open");
        let kind = import.files().first().expect("a file").mapping.kind();
        assert!(import.files().iter().all(|file| file.mapping.kind() == kind), "{name} is of several kinds");
        let (mut rows, mut bad) = (0, Vec::new());
        while let Some(batch) = import.next_batch().expect("read") {
            rows += batch.records.len();
            bad.extend(batch.malformed);
        }
        assert_eq!(bad, [], "{name}");
        (rows, kind)
    };
    for (name, rows, kind) in DATASETS {
        assert_eq!(read(name), (*rows, *kind), "{name}");
    }
}

#[test]
fn a_file_of_a_folder_of_which_no_row_can_be_read_is_named_with_its_own_reason() {
    let folder = TempDir::new().expect("a folder");
    write(&folder, "set/a.jsonl", b"{\"prompt\":\"q\",\"completion\":\"a\"}\n");
    let path = write(&folder, "set/b.jsonl", b"{\"prompt\":\"q\",\n").parent().expect("a folder").to_owned();
    write(&folder, "set/c.jsonl", b"{\"prompt\":\"q\",\"completion\":\"a\"}\n{\n");
    let import = Import::open(&path, &ImportOptions::default()).expect("open");
    let broken: Vec<Option<(u64, &str)>> = import
        .files()
        .iter()
        .map(|file| file.broken.as_ref().map(|bad| (bad.line, bad.reason.as_str())))
        .collect();
    assert_eq!(broken, [None, Some((1, "the JSON breaks off (EOF while parsing a value)")), None]);
}
