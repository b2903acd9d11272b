//! From a blueprint's text to its parts, collecting every mistake with its line.

use sha2::{Digest, Sha256};
use toml_edit::{Document, Item};

use super::check;
use super::parse_columns::columns;
use super::reader::{Issues, TableReader, WEIGHTS, few};
use super::{Blueprint, EVOLUTIONS, Evolution, Form, FormBody, LANGUAGES, Language, Principles, Subtopic};
use crate::domain::name;
use crate::domain::recipe::Issue;
use crate::domain::reward::RewardUse;

/// Bytes of a file.
const LARGEST: usize = 1 << 20;
/// Examples of one plan.
const MOST_EXAMPLES: u64 = 1_000_000;
/// Words of an answer.
const MOST_WORDS: u64 = 20_000;

pub(super) fn parse(text: &str) -> Result<Blueprint, Vec<Issue>> {
    let issues = Issues::new(text);
    if text.len() > LARGEST {
        issues.add("", None, format!("it is larger than {} KiB, which no blueprint is", LARGEST >> 10));
        return Err(issues.take());
    }
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let line = issues.line(error.span());
            let message = error.message().replace('\n', "; ");
            issues.add("", line, format!("this is not valid TOML: {message}"));
            return Err(issues.take());
        }
    };
    let top = TableReader::new(document.as_table(), "", None, &issues);
    let blueprint = whole(&top, text);
    top.finish();
    check::names(&blueprint, &top, &issues);
    check::templates(&blueprint, &top);
    let found = issues.take();
    if found.is_empty() { Ok(blueprint) } else { Err(found) }
}

fn whole(top: &TableReader<'_>, text: &str) -> Blueprint {
    let name = top.text("name", "a short name, which its records and files carry");
    if let Err(why) = name::check("blueprint", &name)
        && !name.is_empty()
    {
        top.wrong("name", &format!("is {why}"));
    }
    let domain = top.text("domain", "what the domain is, in a sentence or two");
    let language = language(top);
    let principles = principles(top);
    let (topic, evolutions, subtopics) = map(top);
    let forms: Vec<Form> = few(top, "forms", top.tables("forms").iter().map(form).collect());
    let (voice, constraints) = style(top);
    let columns = columns(top, &subtopics, &evolutions, &forms);
    let (count, seed) = plan(top);
    let (near_duplicate, least_reward, rewards) = checks(top);
    let digest = Sha256::digest(text.as_bytes());
    let version = digest.iter().take(4).fold(String::new(), |short, byte| format!("{short}{byte:02x}"));
    Blueprint {
        name,
        domain,
        language,
        principles,
        topic,
        evolutions,
        subtopics,
        forms,
        voice,
        constraints,
        columns,
        count,
        seed,
        near_duplicate,
        rewards,
        least_reward,
        version,
    }
}

fn language(top: &TableReader<'_>) -> Language {
    let code = top.text_or("language", LANGUAGES[0].code);
    let found = LANGUAGES.into_iter().find(|language| language.code == code);
    found.unwrap_or_else(|| {
        let known: Vec<&str> = LANGUAGES.iter().map(|language| language.code).collect();
        top.wrong("language", &format!("is {code:?}; answers can be checked for {}", known.join(", ")));
        LANGUAGES[0]
    })
}

fn principles(top: &TableReader<'_>) -> Principles {
    let Some(table) = top.table("principles") else {
        top.wrong(
            "principles",
            "is missing: write [principles] with final, explanatory, core_logic and compression",
        );
        return Principles::default();
    };
    let read = Principles {
        final_principle: table.text("final", "the one sentence that everything here follows from"),
        explanatory: table.text("explanatory", "the mechanism: why the final principle holds"),
        core_logic: table.text("core_logic", "how one reasons from it to a case"),
        compression: table.text("compression", "the short form that is kept in mind"),
    };
    table.finish();
    read
}

fn map(top: &TableReader<'_>) -> (String, Vec<Evolution>, Vec<Subtopic>) {
    let Some(table) = top.table("map") else {
        top.wrong("map", "is missing: write [map] with topic, four evolutions and subtopics");
        return (String::new(), Vec::new(), Vec::new());
    };
    let topic = table.text("topic", "the core topic that the subtopics are parts of");
    let evolutions: Vec<Evolution> = table
        .tables("evolutions")
        .iter()
        .map(|table| {
            let evolution = Evolution {
                name: table.text("name", "a stage's name, such as classical"),
                about: table.text("about", "what is known and done at this stage"),
                weight: table.number("weight", WEIGHTS, 1.0),
            };
            table.finish();
            evolution
        })
        .collect();
    if !evolutions.is_empty() && evolutions.len() != EVOLUTIONS {
        let message =
            format!("has {} entries; it needs {EVOLUTIONS}, from the first stage on", evolutions.len());
        table.wrong("evolutions", &message);
    }
    let subtopics = few(&table, "subtopics", table.tables("subtopics").iter().map(subtopic).collect());
    table.finish();
    (topic, evolutions, subtopics)
}

fn subtopic(table: &TableReader<'_>) -> Subtopic {
    let subtopic = Subtopic {
        name: table.text("name", "the subtopic's name"),
        about: table.text_or("about", ""),
        weight: table.number("weight", WEIGHTS, 1.0),
        evolutions: table.texts("evolutions"),
    };
    if !subtopic.evolutions.is_empty() && subtopic.evolutions.len() != EVOLUTIONS {
        let given = subtopic.evolutions.len();
        table.wrong("evolutions", &format!("has {given} texts; it needs {EVOLUTIONS}, one for each stage"));
    }
    table.finish();
    subtopic
}

fn form(table: &TableReader<'_>) -> Form {
    let name = table.text("name", "the form's name");
    let weight = table.number("weight", WEIGHTS, 1.0);
    let ask = table.texts("ask");
    let write = table.text("write", "what the teacher is told to write");
    let sections = table.texts("sections");
    let schema = schema(table);
    let body = match (sections.is_empty(), schema) {
        (true, None) => FormBody::Text,
        (false, None) => FormBody::Sections(sections),
        (true, Some(schema)) => FormBody::Json(schema),
        (false, Some(_)) => {
            table.wrong("schema", "and `sections` are both there: an answer has parts or is JSON, not both");
            FormBody::Text
        }
    };
    let words = words(table);
    table.finish();
    Form { name, weight, ask, write, body, words }
}

fn schema(table: &TableReader<'_>) -> Option<serde_json::Value> {
    let text = table.item("schema").is_some().then(|| table.text_or("schema", ""))?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(schema) => {
            if let Err(error) = crate::task::Schema::parse(&schema) {
                table.wrong("schema", &format!("can't be used: {error:#}"));
            }
            Some(schema)
        }
        Err(error) => {
            table.wrong("schema", &format!("is no JSON: {error}"));
            None
        }
    }
}

/// `words = [80, 260]`.
fn words(table: &TableReader<'_>) -> Option<(u64, u64)> {
    let item = table.item("words")?;
    let list = item.as_array().map(|list| list.iter().map(toml_edit::Value::as_integer).collect::<Vec<_>>());
    if let Some([Some(least), Some(most)]) = list.as_deref() {
        let (least, most) = (u64::try_from(*least).ok(), u64::try_from(*most).ok());
        if let (Some(least), Some(most)) = (least, most)
            && least <= most
            && (1..=MOST_WORDS).contains(&most)
        {
            return Some((least, most));
        }
    }
    table.wrong("words", &format!("must be [least, most], such as [80, 260], and at most {MOST_WORDS}"));
    None
}

fn style(top: &TableReader<'_>) -> (String, Vec<String>) {
    let Some(table) = top.table("style") else { return (String::new(), Vec::new()) };
    let read = (table.text_or("voice", ""), table.texts("constraints"));
    table.finish();
    read
}

fn plan(top: &TableReader<'_>) -> (u64, u64) {
    let Some(table) = top.table("plan") else { return (COUNT, 0) };
    let read =
        (table.whole("count", (1, MOST_EXAMPLES), COUNT), table.whole("seed", (0, i64::MAX as u64), 0));
    table.finish();
    read
}

/// Examples where a blueprint doesn't say.
const COUNT: u64 = 200;
/// As the checks of records have it.
const NEAR: f64 = 0.8;

fn checks(top: &TableReader<'_>) -> (f64, f64, Vec<RewardUse>) {
    let rewards = match top.item("rewards").and_then(json) {
        None => Vec::new(),
        Some(table) => RewardUse::table(&table).unwrap_or_else(|why| {
            top.wrong("rewards", &format!("can't be used: {why}"));
            Vec::new()
        }),
    };
    let Some(table) = top.table("checks") else { return (NEAR, LEAST_REWARD, rewards) };
    let near = table.number("near_duplicate", (0.5, 1.0), NEAR);
    let least = table.number("least_reward", (-1e6, 1e6), LEAST_REWARD);
    table.finish();
    (near, least, rewards)
}

/// What the rewards have to come to, where a blueprint doesn't say.
const LEAST_REWARD: f64 = 0.5;

/// A table of rewards as JSON: read by serde from its own text.
fn json(item: &Item) -> Option<serde_json::Value> {
    let mut document = toml_edit::DocumentMut::new();
    document.insert("table", item.clone());
    let value: serde_json::Value = toml::from_str(&document.to_string()).ok()?;
    value.get("table").cloned()
}
