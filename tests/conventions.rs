//! What the repository promises besides its code: the samples teach what they say, and the documents are true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::recipe::Recipe;
use dojo_studio::domain::session::SessionFile;
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(session: &str) -> PathBuf {
    root().join("sessions").join(session)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

fn rows<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let parse = |(index, line): (usize, &str)| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{}, line {}: {error}", path.display(), index + 1))
    };
    text(path).lines().enumerate().map(parse).collect()
}

#[derive(Deserialize)]
struct Explanation {
    messages: Vec<Message>,
    tags: BTreeSet<String>,
}

#[test]
fn first_principles_holds_at_least_120_distinct_explanations_in_its_two_forms() {
    let rows: Vec<Explanation> = rows(&sample("first-principles").join("data.jsonl"));
    assert!(rows.len() >= 120, "{} explanations", rows.len());
    let mut prompts = BTreeSet::new();
    let mut domains = BTreeSet::new();
    for row in &rows {
        let [user, assistant] = row.messages.as_slice() else { panic!("two turns: {:?}", row.messages) };
        assert_eq!((user.role, assistant.role), (Role::User, Role::Assistant));
        assert!(prompts.insert(&user.content), "asked twice: {}", user.content);
        let form: &[&str] = if row.tags.contains("principles") {
            &[
                "Final Principle:",
                "\n\nExplanatory Principle:",
                "\n\nCore Logic Principle:",
                "\n\nPrinciples Compression:",
            ]
        } else {
            assert!(row.tags.contains("systems"), "{:?}", row.tags);
            &[
                "Core Topic:",
                "\n\nCore Subtopics:\n1. ",
                "\n\nEvolutions:\n- Evolution 1 – ",
                "\n- Evolution 2 – ",
                "\n- Evolution 3 – ",
                "\n- Evolution 4 – ",
            ]
        };
        let places: Vec<Option<usize>> = form.iter().map(|part| assistant.content.find(part)).collect();
        assert_eq!(places.first(), Some(&Some(0)), "{}", assistant.content);
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{}", assistant.content);
        domains.extend(row.tags.iter().filter(|tag| *tag != "principles" && *tag != "systems"));
    }
    assert!(domains.len() >= 10, "{domains:?}");
}

#[derive(Deserialize)]
struct Pair {
    id: u64,
    premise: String,
    hypothesis: String,
    label: u8,
}

#[derive(Deserialize)]
struct Thought {
    id: u64,
    #[serde(rename = "thought_process")]
    text: String,
    predicted_label: u8,
    true_label: u8,
    correct: bool,
}

#[derive(Deserialize)]
struct Reflection {
    id: u64,
    thought_process: String,
    predicted_label: u8,
    true_label: u8,
    error_analysis: String,
    improved_thought_process: String,
    verdict: String,
}

/// `step 1: … step 2: … step 3: …`, and nothing after a fourth.
fn has_exactly_three_steps(thought: &str) -> bool {
    let places: Vec<Option<usize>> = (1..=3).map(|step| thought.find(&format!("step {step}: "))).collect();
    places.first() == Some(&Some(0))
        && places.iter().all(Option::is_some)
        && places.is_sorted()
        && !thought.contains("step 4")
}

#[test]
fn nli_reflection_holds_balanced_pairs_with_right_and_wrong_thoughts() {
    let folder = sample("nli-reflection");
    let pairs: Vec<Pair> = rows(&folder.join("data.jsonl"));
    let labels: BTreeMap<u64, u8> = pairs.iter().map(|pair| (pair.id, pair.label)).collect();
    assert!(labels.len() >= 100 && labels.len() == pairs.len(), "{} pairs", pairs.len());
    let distinct: BTreeSet<_> = pairs.iter().map(|pair| (&pair.premise, &pair.hypothesis)).collect();
    assert_eq!(distinct.len(), pairs.len());
    let entailed = pairs.iter().filter(|pair| pair.label == 1).count();
    assert!(entailed.abs_diff(pairs.len() - entailed) <= 2, "{entailed} of {} entailed", pairs.len());

    let thoughts: Vec<Thought> = rows(&folder.join("thoughts.jsonl"));
    for thought in &thoughts {
        assert_eq!(labels.get(&thought.id), Some(&thought.true_label), "pair {}", thought.id);
        assert_eq!(thought.correct, thought.predicted_label == thought.true_label, "pair {}", thought.id);
        assert!(has_exactly_three_steps(&thought.text), "pair {}", thought.id);
    }
    assert!(
        thoughts.iter().any(|thought| thought.correct) && thoughts.iter().any(|thought| !thought.correct)
    );
}

#[test]
fn nli_reflection_has_at_least_20_corrections_of_wrong_thoughts_that_wait_for_a_verdict() {
    let folder = sample("nli-reflection");
    let thoughts: Vec<Thought> = rows(&folder.join("thoughts.jsonl"));
    let thoughts: BTreeMap<u64, Thought> =
        thoughts.into_iter().map(|thought| (thought.id, thought)).collect();
    let reflections: Vec<Reflection> = rows(&folder.join("reflections.jsonl"));
    assert!(reflections.len() >= 20, "{} reflections", reflections.len());
    for reflection in &reflections {
        let id = reflection.id;
        assert_eq!(reflection.thought_process, thoughts[&id].text, "pair {id}");
        assert_ne!(reflection.predicted_label, reflection.true_label, "pair {id} was right");
        assert!(has_exactly_three_steps(&reflection.improved_thought_process), "pair {id}");
        assert!(!reflection.error_analysis.is_empty(), "pair {id}");
        assert_eq!(reflection.verdict, "pending", "pair {id}");
        let ending = if reflection.true_label == 1 { "so it follows." } else { "does not follow." };
        let reaches = reflection.improved_thought_process.ends_with(ending)
            || (reflection.true_label == 1 && reflection.improved_thought_process.ends_with("follows."));
        assert!(reaches, "pair {id}: {}", reflection.improved_thought_process);
    }
}

#[derive(Deserialize)]
struct AnswerPair {
    prompt: String,
    chosen: String,
    rejected: String,
}

#[test]
fn nli_reflection_has_pairs_of_the_task_s_form_and_a_recipe_that_learns_from_them() {
    let folder = sample("nli-reflection");
    let pairs: Vec<AnswerPair> = rows(&folder.join("pairs.jsonl"));
    assert!(pairs.len() >= 20, "{} pairs", pairs.len());
    let task = dojo_studio::task::find("nli-cot", None).expect("the task");
    for pair in &pairs {
        let (chosen, rejected) = (task.read(&pair.chosen), task.read(&pair.rejected));
        assert_eq!(
            (chosen.problems, rejected.problems),
            (Vec::<String>::new(), Vec::new()),
            "{}",
            pair.prompt
        );
        assert_ne!(chosen.label, rejected.label, "{}", pair.prompt);
        assert!(pair.prompt.starts_with("Premise: ") && pair.prompt.contains("\nHypothesis: "));
    }
    let recipe = Recipe::parse(&text(&folder.join("recipes/dpo.toml")), &[], "dpo.toml");
    let recipe = recipe.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((recipe.method.name(), recipe.data.train.as_str()), ("dpo", "../pairs.jsonl"));
}

#[derive(Deserialize)]
struct Expansion {
    query: String,
    output: Vec<(String, String)>,
}

#[test]
fn query_expansion_holds_at_least_100_distinct_queries_with_known_line_types() {
    let rows: Vec<Expansion> = rows(&sample("query-expansion").join("data.jsonl"));
    let distinct: BTreeSet<String> = rows.iter().map(|row| row.query.to_lowercase()).collect();
    assert!(distinct.len() >= 100 && distinct.len() == rows.len(), "{} queries", rows.len());
    for row in &rows {
        let kinds: BTreeSet<&str> = row.output.iter().map(|(kind, _)| kind.as_str()).collect();
        let asked = row.query.rsplit_once("/only:").map(|(_, kind)| BTreeSet::from([kind]));
        let expected = asked.unwrap_or_else(|| BTreeSet::from(["hyde", "lex", "vec"]));
        assert_eq!(kinds, expected, "{}", row.query);
        assert!(row.output.iter().all(|(_, line)| !line.trim().is_empty()), "{}", row.query);
    }
}

#[test]
fn every_sample_session_opens_and_its_recipe_is_valid() {
    let mut sessions = 0;
    for entry in std::fs::read_dir(root().join("sessions")).expect("read sessions") {
        let folder = entry.expect("read an entry of sessions").path();
        if !folder.is_dir() {
            continue;
        }
        let file: SessionFile = toml::from_str(&text(&folder.join("session.toml")))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        assert!(!file.title.is_empty() && !file.about.is_empty() && !file.task.is_empty());
        sessions += 1;
        if file.recipe.is_empty() {
            continue;
        }
        let path = folder.join(&file.recipe);
        let recipe = Recipe::parse(&text(&path), &[], &file.recipe).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(recipe.model.base, file.model);
        let data = path.parent().expect("a recipe is in a folder").join(&recipe.data.train);
        assert!(data.is_file(), "{} is missing", data.display());
    }
    assert_eq!(sessions, 3);
}

const DOCUMENTS: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

#[test]
fn every_relative_link_of_the_documents_leads_somewhere() {
    for document in DOCUMENTS {
        let content = text(&root().join(document));
        for link in content.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let file = link.split('#').next().unwrap_or(link);
            assert!(root().join(file).exists(), "{document} links to {link}");
        }
    }
}

#[test]
fn every_dojo_command_in_the_documents_exists() {
    let help =
        std::process::Command::new(env!("CARGO_BIN_EXE_dojo")).arg("--help").output().expect("run dojo");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let known: BTreeSet<&str> = help
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    for document in DOCUMENTS {
        for line in shell_lines(&text(&root().join(document))) {
            let Some(rest) = line.strip_prefix("dojo ") else { continue };
            let command = rest.split_whitespace().next().unwrap_or_default();
            let is_bare = command.is_empty() || command.starts_with(['-', '#']);
            assert!(is_bare || known.contains(command), "{document}: {line}");
        }
    }
}

/// The lines inside fenced `sh` blocks.
fn shell_lines(document: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in document.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            lines.push(line.trim().to_owned());
        }
    }
    lines
}
