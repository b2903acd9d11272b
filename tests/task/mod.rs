//! `src/task`.

use std::path::PathBuf;

use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::message::Role;
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Record;
use dojo_studio::task::{Task, check_records, find, names};
use proptest::prelude::*;
use serde_json::json;

use crate::data::world::{assistant, record, user, write};

fn task(name: &str) -> Task {
    find(name, None).expect("a shipped task")
}

fn row(row: &serde_json::Value, label: Option<&str>) -> Record {
    let fields = row.as_object().expect("an object").clone();
    Record { fields, label: label.map(str::to_owned), ..record(&[]) }
}

fn pair(label: &str) -> Record {
    row(
        &json!({"premise": "p", "hypothesis": "h", "explanation": "step 1: a. step 2: b. step 3: c."}),
        Some(label),
    )
}

#[test]
fn the_shipped_tasks_are_all_readable() {
    assert_eq!(
        names(None),
        ["chat", "math", "nli-cot", "paraphrase", "query-expansion", "query-expansion-guarded"]
    );
    for name in names(None) {
        assert!(!task(&name).about.is_empty(), "{name} says what it is");
    }
}

#[test]
fn a_pair_becomes_a_prompt_and_an_answer_that_reads_back() {
    let task = task("nli-cot");
    let turns = task.conversation(&pair("entailment")).expect("a conversation");
    assert_eq!(turns.iter().map(|turn| turn.role).collect::<Vec<_>>(), [Role::User, Role::Assistant]);
    assert!(turns[0].content.starts_with("Premise: p\nHypothesis: h\n\n"), "{}", turns[0].content);
    assert_eq!(
        turns[1].content,
        r#"{"thought_process": "step 1: a. step 2: b. step 3: c.", "predicted_label": 1}"#
    );
    let read = task.read(&turns[1].content);
    assert!(read.is_well_formed(), "{:?}", read.problems);
    assert_eq!(read.label.as_deref(), Some("1"));
    assert_eq!(read.thought.as_deref(), Some("step 1: a. step 2: b. step 3: c."));
}

#[test]
fn labels_have_many_names() {
    let task = task("nli-cot");
    assert!(task.same("Entailment", "1"));
    assert!(task.same(" contradiction. ", "0"));
    assert!(!task.same("neutral", "1"));
    assert!(!task.knows("maybe"));
}

#[test]
fn json_is_found_behind_words_and_mended_where_it_breaks_off() {
    let task = task("nli-cot");
    let read = |text: &str| {
        let answer = task.read(text);
        (answer.label, answer.problems)
    };
    let good = r#"{"thought_process": "step 1: x step 2: y step 3: z", "predicted_label": 0}"#;
    assert_eq!(read(good), (Some("0".into()), vec![]));
    assert_eq!(
        read(&format!("Sure!\n```json\n{good}\n```")),
        (Some("0".into()), vec!["words stand around the JSON".into()])
    );
    let broken = "{\"thought_process\": \"step 1: x\nstep 2: y step 3: z\", \"predicted_label\": 1,}";
    assert_eq!(read(broken), (Some("1".into()), vec!["the JSON is damaged".into()]));
    assert_eq!(read("I think it follows."), (None, vec!["it holds no JSON object".into()]));
    let two_steps = r#"{"thought_process": "step 1: x", "predicted_label": 7}"#;
    assert_eq!(
        read(two_steps),
        (
            Some("7".into()),
            vec![
                "\"thought_process\" has not the form that was asked for".into(),
                "\"predicted_label\" is not one of 0, 1".into()
            ]
        )
    );
}

#[test]
fn results_of_sums_are_read_and_compared_as_numbers() {
    let task = task("math");
    let read = |text: &str| {
        let answer = task.read(text);
        (answer.label.clone(), answer.is_well_formed())
    };
    assert_eq!(read("2 + 2 = 4\n#### 4"), (Some("4".into()), true));
    assert_eq!(read("so it is \\boxed{1,234}"), (Some("1,234".into()), false));
    assert_eq!(read("The answer is 12."), (Some("12".into()), false));
    assert_eq!(read("no idea"), (None, false));
    assert!(task.same("$1,234.00", "1234"));
    assert!(task.same("3/4", "0.75"));
    assert!(!task.same("12", "13"));
    let sum = record(&[user("q"), assistant("6 * 3 = <<6*3=18>>18\n#### 18")]);
    assert_eq!(task.true_label(&sum).as_deref(), Some("18"));
}

#[test]
fn expansions_are_checked_line_by_line() {
    let task = task("query-expansion");
    let record = row(&json!({"query": "q", "output": [["lex", "a"], ["hyde", "b c"]]}), None);
    assert_eq!(task.answer_to_learn(&record).expect("an answer").as_deref(), Some("lex: a\nhyde: b c"));
    assert_eq!(task.prompt(&record).expect("a prompt")[0].content, "Expand this search query: q");
    assert_eq!(task.read("lex: a\nthe rest").problems, ["line 2 has not the form that was asked for"]);
}

#[test]
fn rows_that_are_no_paraphrases_have_nothing_to_learn() {
    let task = task("paraphrase");
    let pair = |label| row(&json!({"sentence1": "a b", "sentence2": "b a"}), Some(label));
    assert_eq!(task.answer_to_learn(&pair("1")).expect("an answer").as_deref(), Some("b a"));
    assert_eq!(task.answer_to_learn(&pair("0")).expect("no answer"), None);
}

#[test]
fn a_conversation_is_asked_up_to_its_last_question() {
    let task = task("chat");
    let turns = [user("a"), assistant("b"), user("c"), assistant("d")];
    assert_eq!(task.prompt(&record(&turns)).expect("a prompt"), turns[..3]);
    assert_eq!(task.answer_to_learn(&record(&turns)).expect("an answer").as_deref(), Some("d"));
}

#[test]
fn a_record_without_the_columns_is_named_with_what_it_lacks() {
    let error =
        task("nli-cot").prompt(&row(&json!({"premise": "p"}), None)).expect_err("no hypothesis").to_string();
    assert_eq!(
        error,
        "a.jsonl:3: prompt.user: `hypothesis` is undefined; it has no hypothesis (hypothesis, conclusion, sentence2, \
         claim)"
    );
}

#[test]
fn a_session_has_tasks_of_its_own() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let toml = "about = \"Mine\"\n[prompt]\nuser = \"{{ prompt }}?\"\n[answer]\nform = \"text\"\n";
    write(&folder, "tasks/mine.toml", toml.as_bytes());
    assert!(names(Some(folder.path())).contains(&"mine".to_owned()));
    let mine = find("mine", Some(folder.path())).expect("my task");
    assert_eq!(mine.prompt(&record(&[user("why")])).expect("a prompt"), [user("why?")]);
}

#[test]
fn a_task_file_that_is_wrong_is_refused_with_its_key() {
    let refusal = |text: &str| format!("{:#}", Task::parse("t", text).expect_err("refused"));
    let cases = [
        ("[answer]\nform = \"poem\"", "answer.form is \"poem\"; it must be text, pattern, lines or json"),
        ("[answer]\nform = \"pattern\"", "answer.pattern is missing"),
        ("[answer]\nform = \"text\"\n[prompt]\nanswer = \"a\"", "prompt.user is missing"),
        ("[answer]\nform = \"text\"\n[prompt]\nuser = \"{{ a\"", "compile prompt.user"),
        (
            "[answer]\nform = \"json\"\n[answer.schema]\noneOf = []",
            "read answer.schema: oneOf = []: this keyword is not known",
        ),
        ("[answer]\nform = \"lines\"\npattern = \"(\"", "read answer.pattern"),
        ("[answer]\nform = \"text\"\nfrom = 1", "unknown field `from`"),
    ];
    for (text, expected) in cases {
        let told = refusal(text);
        assert!(told.contains(expected), "{told:?} does not say {expected:?}");
    }
    let error = find("nli", None).expect_err("no such task").to_string();
    assert_eq!(
        error,
        "there is no task \"nli\"; there are chat, math, nli-cot, paraphrase, query-expansion, query-expansion-guarded"
    );
}

#[test]
fn a_check_counts_what_fits_and_names_what_does_not() {
    let records = [pair("1"), pair("maybe"), row(&json!({"premise": "p"}), Some("0"))];
    let report = check_records(&task("nli-cot"), &records);
    assert_eq!(
        (report.records, report.prompts, report.answers, report.labels, report.wrong),
        (3, 2, 2, 2, 2)
    );
    assert_eq!(report.problems[0].what, "the label \"maybe\" is not one of the task's");
}

#[test]
fn the_shipped_tasks_fit_the_collected_datasets() {
    let cases = [
        ("math", "gsm8k/test.jsonl"),
        ("query-expansion", "qmd_finetune/data/qmd_expansion_v3_structured.jsonl"),
        ("paraphrase", "paraphrase_paws/dev.jsonl"),
        ("chat", "reasoning_syscd/reasoning_dataset.jsonl"),
        ("nli-cot", "nli_mistral7b_samples/sample.csv"),
    ];
    for (name, path) in cases {
        let path = PathBuf::from("../shared/data").join(path);
        if !path.exists() {
            println!("left out: {} is not here", path.display());
            continue;
        }
        let records = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read").records;
        let report = check_records(&task(name), &records);
        assert_eq!((report.prompts, report.wrong), (report.records, 0), "{name}: {:?}", report.problems);
    }
}

proptest! {
    #[test]
    fn no_answer_makes_a_parser_panic(text in r#"(?s)([{}\[\]",:\\]|"predicted_label"|####|step 1|\n|.){0,60}"#) {
        for name in names(None) {
            let _ = task(&name).read(&text);
        }
    }

    #[test]
    fn a_label_is_found_in_json_among_any_words(before in "[^{}]{0,30}", after in "[^{}]{0,30}", label in 0u8..2) {
        let text = format!("{before}{{\"thought_process\": \"x\", \"predicted_label\": {label}}}{after}");
        prop_assert_eq!(task("nli-cot").read(&text).label, Some(label.to_string()));
    }
}
