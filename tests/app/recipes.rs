//! The recipe that a session gets when it has none.

use dojo_studio::app::recipes::{Outlook, Suited};
use dojo_studio::config::Folders;
use dojo_studio::domain::counted::{counted, noun};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::protocol::models::ModelKind;
use dojo_studio::domain::recipe::Recipe;
use dojo_studio::domain::record::{Fields, Provenance, Record, Status};
use dojo_studio::session::Session;

fn suited(examples: u64, tokens: Option<u32>) -> Suited {
    Suited {
        model: "smollm2-135m".into(),
        source: "session:".into(),
        examples,
        tokens,
        longest: tokens,
        pairs: 0,
    }
}

fn recipe(examples: u64, tokens: Option<u32>) -> Recipe {
    Recipe::parse(&suited(examples, tokens).recipe(), &[], "made").expect("a recipe that can be read")
}

#[test]
fn its_values_follow_from_the_records() {
    let values = |examples, tokens| {
        let made = recipe(examples, tokens);
        let train = made.train;
        (
            made.data.max_length,
            train.per_device_train_batch_size,
            train.gradient_accumulation_steps,
            train.num_train_epochs,
            train.max_steps,
        )
    };
    assert_eq!(values(500, Some(227)), (256, 8, 1, 2.0, -1));
    assert_eq!(values(500, Some(700)), (768, 5, 1, 2.0, -1));
    assert_eq!(values(24, Some(40)), (64, 3, 1, 3.0, -1));
    assert_eq!(values(1, None), (1024, 1, 1, 3.0, -1));
    assert_eq!(values(200_000, Some(90_000)), (2048, 2, 4, 3.0, 2000));
}

#[test]
fn no_example_is_cut_because_most_are_shorter() {
    let few_are_long = Suited { longest: Some(900), ..suited(500, Some(100)) };
    let made = Recipe::parse(&few_are_long.recipe(), &[], "made").expect("a recipe that can be read");
    assert_eq!((made.data.max_length, made.train.per_device_train_batch_size), (960, 8));
    assert!(few_are_long.recipe().contains("the longest example has 900 tokens"));
    let too_long = Suited { longest: Some(9000), ..suited(500, Some(100)) };
    assert!(
        too_long.recipe().contains("longer examples than max_length are cut; the longest has 9000 tokens"),
        "{}",
        too_long.recipe()
    );
}

#[test]
fn what_is_one_is_said_in_the_singular() {
    let one = Suited { longest: Some(1), ..suited(1, Some(1)) };
    let made = one.recipe();
    assert!(made.contains("the longest example has 1 token."), "{made}");
    assert_eq!(
        [1, 2, 1200].map(|number| counted(number, "example")),
        ["1 example", "2 examples", "1,200 examples"]
    );
    assert_eq!([noun(1, "step"), noun(0, "step")], ["step", "steps"]);
    let many = Suited { longest: Some(9000), ..suited(500, Some(100)) };
    assert!(many.recipe().contains("the longest has 9000 tokens."));
}

#[test]
fn a_recipe_as_it_was_made_says_what_it_was_made_for_and_a_changed_one_says_nothing() {
    for made in [suited(500, Some(227)), suited(3, None), suited(200_000, Some(90_000))] {
        assert_eq!(Suited::untouched(&made.recipe()), Some(made.clone()));
        let with_pairs = Suited { pairs: 2, ..made.clone() };
        assert_eq!(Suited::untouched(&with_pairs.recipe()), Some(with_pairs.clone()));
        assert!(with_pairs.recipe().contains("; 2 preference pairs are left out"));
        let changed = made.recipe().replace("3e-4", "1e-4");
        assert_eq!(Suited::untouched(&changed), None);
        let changed = made.recipe().replace("base = \"smollm2-135m\"", "base = \"smollm2-360m\"");
        assert_eq!(Suited::untouched(&changed), None);
    }
}

#[test]
fn a_recipe_says_what_its_model_and_its_data_miss_before_a_run_finds_out() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let at = |name: &str| home.path().join(name);
    let missing = |base: &str| {
        let text = format!("[model]\nbase = {base:?}\n[data]\ntrain = \"rows.jsonl\"\n");
        std::fs::write(at("sft.toml"), text).expect("write");
        Outlook::of(&folders, &at("sft.toml")).missing
    };
    std::fs::write(at("rows.jsonl"), r#"{"prompt": "p", "completion": "c"}"#).expect("write");
    assert_eq!(missing("smollm2-135m"), None);
    assert_eq!(Outlook::of(&folders, &at("sft.toml")).fetches.as_deref(), Some("smollm2-135m"));
    let said = |base: &str| missing(base).expect("something is missing");
    assert!(said("smollm9").contains("there is no model"), "{}", said("smollm9"));
    std::fs::create_dir(at("base")).expect("a folder");
    assert!(said("base").contains("neither config.json nor a GGUF file"), "{}", said("base"));
    std::fs::write(at("base/config.json"), "{}").expect("write");
    assert!(said("base").contains("tokenizer.json"), "{}", said("base"));
    std::fs::write(at("base/tokenizer.json"), "{}").expect("write");
    assert!(said("base").contains("no weights"), "{}", said("base"));
    std::fs::write(at("base/model.safetensors"), "").expect("write");
    assert_eq!(missing("base"), None);
    assert_eq!(Outlook::of(&folders, &at("sft.toml")).fetches, None);
    std::fs::write(at("rows.jsonl"), [0u8, 159, 146, 150, 0, 1, 2, 3]).expect("write");
    assert!(said("base").contains("rows.jsonl"), "{}", said("base"));
}

#[test]
fn a_recipe_whose_model_only_embeds_texts_is_not_ready() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let at = |name: &str| home.path().join(name);
    std::fs::write(at("rows.jsonl"), r#"{"prompt": "p", "completion": "c"}"#).expect("write");
    let missing = |base: &str| {
        let text = format!("[model]\nbase = {base:?}\n[data]\ntrain = \"rows.jsonl\"\n");
        std::fs::write(at("sft.toml"), text).expect("write");
        Outlook::of(&folders, &at("sft.toml"))
    };
    // By the table, before it is fetched.
    let Outlook { missing: why, fetches } = missing("all-minilm-l6-v2");
    let why = why.expect("a reason");
    assert!(why.contains("all-minilm-l6-v2 is for retrieval only") && fetches.is_none(), "{why}");
    // By its files, also in the lists.
    let models = folders.models();
    let write = |name: &str, config: &str, more: &[&str]| {
        let folder = models.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.json"), config).expect("write");
        for file in ["tokenizer.json", "model.safetensors"].iter().chain(more) {
            std::fs::write(folder.join(file), "{}").expect("write");
        }
        let receipt = serde_json::json!({"name": name, "base": name, "source": "here", "files": []});
        std::fs::write(folder.join("dojo.json"), receipt.to_string()).expect("a receipt");
        folder.display().to_string()
    };
    let embedding = [
        write("tiny-bert", r#"{"model_type": "bert"}"#, &[]),
        write("roberta", r#"{"model_type": "xlm-roberta", "architectures": ["XLMRobertaModel"]}"#, &[]),
        write("mpnet", r#"{"model_type": "mpnet", "architectures": ["MPNetModel"]}"#, &[]),
        write(
            "decoder",
            r#"{"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}"#,
            &["modules.json"],
        ),
    ];
    for base in embedding {
        let told = missing(&base).missing.expect("a reason");
        assert!(told.contains("is for retrieval only"), "{told}");
    }
    let answering = r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}"#;
    assert_eq!(missing(&write("answers", answering, &[])).missing, None);
    let listed = dojo_studio::app::models::list(&folders, None).expect("a list");
    let bases: Vec<&str> = listed
        .iter()
        .filter(|model| model.kind == ModelKind::Base)
        .map(|model| model.name.as_str())
        .collect();
    assert_eq!(bases, ["answers"]);
    let speakers = dojo_studio::app::review::speakers(&folders).expect("names");
    assert_eq!(speakers, ["local:answers"]);
}

#[test]
fn a_recipe_over_records_of_columns_alone_is_not_ready_and_says_what_to_do() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let mut session = Session::create(&home.path().join("s")).expect("a session");
    let record = |text: Option<&str>, line| Record {
        fields: Fields::from_iter([("ticket_body".to_owned(), serde_json::json!(line))]),
        text: text.map(str::to_owned),
        provenance: Provenance { line, ..Provenance::default() },
        ..Record::default()
    };
    session.add("import", vec![record(None, 1), record(None, 2)]).expect("records");
    let (model, path) = (home.path().join("base"), home.path().join("sft.toml"));
    std::fs::create_dir(&model).expect("a folder");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::write(model.join(file), "{}").expect("write");
    }
    let data = format!("train = \"session:\"\nsession = {:?}", home.path().join("s"));
    std::fs::write(&path, format!("[model]\nbase = {model:?}\n[data]\n{data}\n")).expect("write");
    let missing = || Outlook::of(&folders, &path).missing;
    let said = missing().expect("something is missing");
    assert!(said.contains("none of the 2 records of session:") && said.contains("data.map"), "{said}");
    session.add("write", vec![record(Some("to be learnt"), 3)]).expect("a record");
    assert_eq!(missing(), None);
}

#[test]
fn what_explains_a_made_recipe_stays_true_when_its_values_are_changed() {
    use dojo_studio::domain::recipe::edit;
    for made in [suited(500, Some(227)).recipe(), suited(200_000, Some(90_000)).recipe()] {
        let explains = |line: &&str| line.starts_with("# As it was made: ");
        let words: Vec<&str> = made.lines().filter(explains).collect();
        assert_eq!(words.len(), 1, "{made}");
        assert!(words[0].contains(" through all "), "{made}");
        // Beside a value, a sentence about it would be wrong as soon as it is changed.
        assert!(made.lines().all(|line| line.starts_with('#') || !line.contains('#')), "{made}");
        let changed = edit::set(&made, "train.num_train_epochs", "7").expect("a value that fits");
        let changed = edit::set(&changed, "data.max_length", "128").expect("a value that fits");
        assert_eq!(changed.lines().filter(explains).collect::<Vec<_>>(), words);
    }
}

/// A recipe over a session, with a model that is there.
struct Ready {
    home: tempfile::TempDir,
    session: Session,
}

impl Ready {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let model = home.path().join("base");
        std::fs::create_dir(&model).expect("a folder");
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            std::fs::write(model.join(file), "{}").expect("write");
        }
        let session = Session::create(&home.path().join("s")).expect("a session");
        Self { home, session }
    }

    fn add(&mut self, answer: &str, status: Status, split: Option<&str>) {
        let messages = vec![Message::new(Role::User, "why?"), Message::new(Role::Assistant, answer)];
        let split = split.map(str::to_owned);
        let record = Record { messages, status, split, ..Record::default() };
        self.session.add("write", vec![record]).expect("a record");
    }

    fn missing(&self, train: &str) -> Option<String> {
        let (path, model) = (self.home.path().join("sft.toml"), self.home.path().join("base"));
        let data = format!("train = {train:?}\nsession = {:?}", self.home.path().join("s"));
        std::fs::write(&path, format!("[model]\nbase = {model:?}\n[data]\n{data}\n")).expect("write");
        Outlook::of(&Folders::under(self.home.path()), &path).missing
    }
}

#[test]
fn a_recipe_is_not_ready_while_none_of_its_records_can_be_trained_on() {
    let mut ready = Ready::new();
    ready.add("", Status::New, None);
    let said = ready.missing("session:").expect("something is missing");
    assert!(said.starts_with("the only record of session: can't be trained on: record 1: turn 2"), "{said}");
    assert!(said.contains("is empty") && said.contains("write the answer"), "{said}");
    ready.add("rejected", Status::Rejected, None);
    ready.add("held out", Status::New, Some("test"));
    let said = ready.missing("session:").expect("something is missing");
    assert!(
        said.starts_with("none of the 2 records of session: can be trained on; the first, record 1"),
        "{said}"
    );
    assert!(said.ends_with("(1 more is rejected)"), "{said}");
    // What the source names itself is taken.
    assert_eq!(ready.missing("session:status:rejected"), None);
    assert_eq!(ready.missing("session:split:test"), None);
    ready.add("so it is", Status::New, None);
    assert_eq!(ready.missing("session:"), None);
}

#[test]
fn a_recipe_over_a_file_whose_answers_are_empty_is_not_ready() {
    let ready = Ready::new();
    let rows = ready.home.path().join("rows.jsonl");
    std::fs::write(&rows, r#"{"prompt": "p", "completion": ""}"#).expect("write");
    let file = rows.display().to_string();
    let said = ready.missing(&file).expect("something is missing");
    assert!(said.contains("rows.jsonl") && said.contains("no row can be trained on"), "{said}");
    std::fs::write(&rows, r#"{"prompt": "p", "completion": "c"}"#).expect("write");
    assert_eq!(ready.missing(&file), None);
}

#[test]
fn a_recipe_over_a_set_of_the_review_says_that_nothing_was_decided_yet() {
    let said = Ready::new().missing("set:reviewed").expect("something is missing");
    assert!(said.contains("Review (2)"), "{said}");
}

#[test]
fn a_source_names_splits_only_where_its_filter_does() {
    use dojo_studio::domain::recipe::source::ExampleSource;
    let names = |text: &str| ExampleSource::parse(text).expect("a source").names_split();
    for source in
        ["session:split:eval", "session:-split:eval", "set:reviewed split:train", "session:a OR Split:eval"]
    {
        assert!(names(source), "{source}");
    }
    for source in [
        "session:",
        "session:\"split:eval\"",
        "session:source:split:1",
        "set:reviewed \"split:x\"",
        "split:a.jsonl",
    ] {
        assert!(!names(source), "{source}");
    }
}
