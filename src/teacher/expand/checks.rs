//! Whether what a teacher wrote can be an example: whole, as long as asked, in its language, and no refusal.

use whatlang::Detector;

use super::Written;
use crate::blueprint::{Blueprint, Form, FormBody};
use crate::task::Schema;

/// What is wrong with an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenProblem {
    /// A short name, for counting.
    pub reason: &'static str,
    /// For the teacher and for people.
    pub words: String,
}

fn problem(reason: &'static str, words: impl Into<String>) -> WrittenProblem {
    WrittenProblem { reason, words: words.into() }
}

/// Letters from which on a text tells its language.
const LETTERS: usize = 60;
/// Letters that a part has at least.
const SHORTEST_PART: usize = 12;

/// How a model begins that declines.
const DECLINES: [&str; 18] = [
    "i'm sorry",
    "i am sorry",
    "i'm unable",
    "i am unable",
    "i'm not able",
    "i am not able",
    "sorry, i",
    "sorry, but",
    "i can't help",
    "i can't assist",
    "i can't provide",
    "i can't answer",
    "i cannot help",
    "i cannot assist",
    "i cannot provide",
    "i cannot answer",
    "i won't",
    "unfortunately, i c",
];
/// How a model speaks of itself.
const OF_ITSELF: [&str; 5] = [
    "as an ai language model",
    "as an ai assistant",
    "as an ai,",
    "as a large language model",
    "as a language model",
];

fn refuses(text: &str) -> bool {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let begins = text.trim_start_matches(|letter: char| !letter.is_alphabetic());
    DECLINES.iter().any(|words| begins.starts_with(words))
        || OF_ITSELF.iter().any(|words| text.contains(words))
}

/// What is wrong with an example, the gravest first; nothing if it can be one.
#[must_use]
pub fn look(blueprint: &Blueprint, form: &Form, written: &Written) -> Option<WrittenProblem> {
    refusal(form, written)
        .or_else(|| incomplete(form, written))
        .or_else(|| not_of_the_schema(form, written))
        .or_else(|| length(form, written))
        .or_else(|| language(blueprint, form, written))
}

fn refusal(form: &Form, written: &Written) -> Option<WrittenProblem> {
    let first = form.body.sections().first();
    let text = first.and_then(|first| written.answer.strip_prefix(&format!("{first}:\n")));
    let refused = refuses(text.unwrap_or(&written.answer)) || refuses(&written.question);
    refused.then(|| problem("refusal", "the answer refuses or speaks of being a model instead of answering"))
}

fn incomplete(form: &Form, written: &Written) -> Option<WrittenProblem> {
    if written.question.trim().is_empty() || written.answer.trim().is_empty() {
        return Some(problem("incomplete", "the question or the answer is empty"));
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = written.answer.as_str();
    let sections = form.body.sections();
    for (index, section) in sections.iter().enumerate() {
        let head = if index == 0 { format!("{section}:\n") } else { format!("\n\n{section}:\n") };
        let Some((before, after)) = rest.split_once(&head) else {
            return Some(problem("incomplete", format!("the part \"{section}\" is missing")));
        };
        if index > 0 {
            parts.push(before.trim());
        }
        rest = after;
    }
    if !sections.is_empty() {
        parts.push(rest.trim());
    }
    for (index, (part, section)) in parts.iter().zip(sections).enumerate() {
        let letters = part.chars().filter(|letter| letter.is_alphabetic()).count();
        if letters < SHORTEST_PART {
            return Some(problem("incomplete", format!("the part \"{section}\" says nothing: {part:?}")));
        }
        if parts.iter().take(index).any(|other| other == part) {
            return Some(problem("incomplete", format!("the part \"{section}\" repeats an earlier one")));
        }
    }
    None
}

fn not_of_the_schema(form: &Form, written: &Written) -> Option<WrittenProblem> {
    let FormBody::Json(schema) = &form.body else { return None };
    let value = match serde_json::from_str(&written.answer) {
        Ok(value) => value,
        Err(error) => return Some(problem("schema", format!("the answer is no JSON: {error}"))),
    };
    // Blueprints with a schema that can't be read are refused.
    let problems = Schema::parse(schema).ok()?.problems(&value);
    problems.into_iter().next().map(|first| problem("schema", first))
}

fn length(form: &Form, written: &Written) -> Option<WrittenProblem> {
    let (least, most) = form.words?;
    let words = written.answer.split_whitespace().count() as u64;
    let wrong = words < least || words > most;
    wrong.then(|| {
        problem("length", format!("the answer has {words} words; it needs between {least} and {most} in all"))
    })
}

/// Told by the letters of a long text; what can't be told passes.
fn language(blueprint: &Blueprint, form: &Form, written: &Written) -> Option<WrittenProblem> {
    if matches!(form.body, FormBody::Json(_)) {
        // Keys are in the schema's language.
        return None;
    }
    let text = format!("{}\n{}", written.question, without_code(&written.answer));
    if text.chars().filter(|letter| letter.is_alphabetic()).count() < LETTERS {
        return None;
    }
    let found = Detector::new().detect(&text).filter(whatlang::Info::is_reliable)?;
    let other = found.lang().code() != blueprint.language.long_code;
    other.then(|| {
        let (is, wanted) = (found.lang().eng_name(), blueprint.language.name);
        problem("language", format!("it is in {is}, not in {wanted}"))
    })
}

/// A text without its fenced blocks of code.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect::<Vec<_>>().join("\n")
}
