//! What all jobs share: many questions at once, each asked, read, asked once more where it can't be read, and kept.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::json;

use super::echo::echoes;
use super::extract::{AnswerField, AnswerShape, Class, FieldKind, FoundFields, Need, Unreadable, extract};
use super::prompt::Prompt;
use super::request::{LENGTH, Request};
use super::{AskError, Speaker};
use crate::domain::message::{Message, Role};
use crate::domain::record::RecordId;

/// A record as a job asks about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuestion {
    pub record: RecordId,
    /// The user's turn: premise and hypothesis, a problem, a text to label.
    pub text: String,
    pub truth: Option<String>,
}

/// What the questions of a job have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// One sentence.
    pub task: String,
    pub classes: Vec<Class>,
    pub examples: Examples,
}

/// Which examples a prompt shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examples {
    /// Of another task: little is known of this one.
    General,
    /// Of natural language inference with the labels 0 and 1.
    Entailment,
    /// Of natural language inference with three labels.
    Relations(Relations),
}

/// The session's own names of the three labels of natural language inference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relations {
    pub entailment: String,
    pub neutral: String,
    pub contradiction: String,
}

impl Assignment {
    /// What every prompt may name, and what is its own.
    pub(super) fn values(&self, own: serde_json::Value) -> serde_json::Value {
        let relations = match &self.examples {
            Examples::Relations(relations) => Some(relations),
            Examples::General | Examples::Entailment => None,
        };
        let mut values = json!({
            "task": self.task,
            "labels": self.label_names(),
            "entailment": self.examples == Examples::Entailment,
            "relations": relations,
        });
        if let (Some(values), serde_json::Value::Object(own)) = (values.as_object_mut(), own) {
            values.extend(own);
        }
        values
    }

    fn label_names(&self) -> String {
        self.classes.iter().map(|class| class.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn label_field(&self) -> AnswerField {
        AnswerField {
            name: LABEL.into(),
            aliases: &["label", "answer", "final_label", "prediction"],
            kind: FieldKind::Label(self.classes.clone()),
            need: Need::Required,
        }
    }
}

pub(super) const LABEL: &str = "predicted_label";
pub(super) const THOUGHT: &str = "thought_process";
pub(super) const IMPROVED: &str = "improved_thought_process";
pub(super) const ANALYSIS: &str = "error_analysis";

pub(super) fn text_field(
    name: impl Into<Cow<'static, str>>,
    aliases: &'static [&'static str],
) -> AnswerField {
    AnswerField { name: name.into(), aliases, kind: FieldKind::Text, need: Need::Required }
}

/// A question whose answer could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// A short name, for counting.
    pub reason: String,
    /// The last answer as it came; empty where there was none.
    pub raw: String,
}

/// What came of one question, unless it ends the job.
pub type QuestionOutcome<T> = std::result::Result<T, Aside>;

/// How answers are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawing {
    pub max_tokens: u32,
    pub temperature: f64,
}

impl Default for Drawing {
    fn default() -> Self {
        Self { max_tokens: 512, temperature: 0.0 }
    }
}

/// Asks, reads, and where it can't be read, asks once more with the reason.
pub(super) async fn ask_and_read(
    speaker: &dyn Speaker,
    request: &Request,
    shape: &AnswerShape,
    again: &Prompt,
    accept: impl Fn(&FoundFields) -> std::result::Result<(), String>,
) -> std::result::Result<QuestionOutcome<FoundFields>, AskError> {
    let mut request = request.clone();
    let asked = request.messages.clone();
    let mut kept: Option<FoundFields> = None;
    for last in [false, true] {
        let answer = match speaker.ask(&request).await {
            Ok(answer) => answer,
            Err(error) if error.stops_job() => return Err(error),
            Err(error) => {
                return Ok(kept.ok_or(Aside { reason: error.name().to_owned(), raw: error.to_string() }));
            }
        };
        let read = extract(&answer.text, shape).and_then(|found| own_words(found, shape, &asked));
        let (problem, reason) = match read {
            Ok(found) => match accept(&found) {
                Ok(()) => return Ok(Ok(found)),
                Err(problem) => {
                    kept = Some(found);
                    (problem, "not-accepted")
                }
            },
            Err(unreadable) => (explain(&unreadable, &answer.finish), unreadable.name()),
        };
        if last {
            // What can be read but isn't what was asked for is for a person to judge.
            return Ok(kept.ok_or(Aside { reason: reason.to_owned(), raw: answer.text }));
        }
        request.messages.push(Message::new(Role::Assistant, answer.text));
        let turns = again
            .turns(json!({"problem": problem}))
            .map_err(|error| AskError::Local(format!("{error:#}")))?;
        request.messages.extend(turns);
    }
    Ok(Err(Aside { reason: "unread".to_owned(), raw: String::new() }))
}

/// Refuses a thought that is one of the prompt's own. A judge's reasons may be in the words of its scale.
fn own_words(
    found: FoundFields,
    shape: &AnswerShape,
    asked: &[Message],
) -> std::result::Result<FoundFields, Unreadable> {
    let texts = shape.fields.iter().filter(|field| [THOUGHT, IMPROVED].contains(&field.name.as_ref()));
    let echo =
        texts.filter(|field| found.get(&field.name).is_some_and(|text| echoes(text, asked))).count() > 0;
    if echo { Err(Unreadable::Echo) } else { Ok(found) }
}

fn explain(reason: &Unreadable, finish: &str) -> String {
    if finish == LENGTH { format!("{reason}, because it was too long") } else { reason.to_string() }
}
