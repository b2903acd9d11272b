//! Examples for the cells of a blueprint: what is asked of a teacher for a seed, and what it wrote. Knows no session and
//! none of the other examples.

mod checks;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::extract::{AnswerField, AnswerShape, FieldKind, FoundFields, Need};
use super::job::{ask_and_read, text_field};
use super::prompt::Prompt;
use super::request::Request;
use super::{AskError, Speaker};
use crate::blueprint::{Blueprint, Form, FormBody, QUESTION, Seed, section_key};

pub use checks::{WrittenProblem, look};

/// The name of the schema that an example's answer has.
pub const EXAMPLE: &str = "example";
/// The key of an answer without parts.
const ANSWER: &str = "answer";
/// Tokens of an answer whose form says no words.
const USUAL_TOKENS: u32 = 1024;

/// The job's prompts and settings.
pub struct Expand<'b> {
    pub blueprint: &'b Blueprint,
    pub prompt: Prompt,
    pub again: Prompt,
    /// The longest answer; by the form's words where nobody says.
    pub max_tokens: Option<u32>,
    pub temperature: f64,
}

/// An example as a teacher wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub question: String,
    pub answer: String,
}

/// An answer that can't be an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A short name, for counting: `length`, `near-duplicate`, `cut-off`.
    pub reason: String,
    /// What is wrong with it, in words; empty where the name says it.
    pub words: String,
    /// What was written.
    pub raw: String,
}

impl Expand<'_> {
    /// What is asked for a seed.
    ///
    /// # Errors
    /// Where the prompt or one of the blueprint's templates can't be filled in.
    pub fn request(&self, seed: &Seed) -> Result<Request> {
        let form = self.form(seed)?;
        let question = self.blueprint.question(seed)?;
        let messages = self.prompt.turns(self.values(seed, form, question.as_deref())?)?;
        let schema = schema(form, question.as_deref());
        Ok(Request {
            messages,
            max_tokens: self.max_tokens.unwrap_or_else(|| room(form)),
            temperature: self.temperature,
            schema: Some((EXAMPLE, schema)),
            // Two seeds of a cell may have the same values: each is an answer of its own.
            draw: seed.number,
        })
    }

    /// Tokens that an answer is expected to have, for estimates.
    ///
    /// # Errors
    /// Where the seed is of another blueprint.
    pub fn expected_tokens(&self, seed: &Seed) -> Result<u32> {
        let form = self.form(seed)?;
        let expected = form.words.map_or(200, |(least, most)| u64::midpoint(least, most) * 4 / 3 + 40);
        Ok(u32::try_from(expected).unwrap_or(u32::MAX).min(self.max_tokens.unwrap_or_else(|| room(form))))
    }

    /// An example for a seed. What doesn't keep to the form is asked for once more, with what is wrong.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn write(
        &self,
        speaker: &dyn Speaker,
        seed: &Seed,
    ) -> std::result::Result<std::result::Result<Written, Rejection>, AskError> {
        let asked = || Ok((self.form(seed)?, self.blueprint.question(seed)?, self.request(seed)?));
        let (form, question, request) =
            asked().map_err(|error: anyhow::Error| AskError::Local(format!("{error:#}")))?;
        let shape = shape(form, question.as_deref());
        let sound = |found: &FoundFields| {
            let written = assembled(form, question.as_deref(), found);
            look(self.blueprint, form, &written).map_or(Ok(()), |problem| Err(problem.words))
        };
        let found = ask_and_read(speaker, &request, &shape, &self.again, sound).await?;
        Ok(match found {
            Err(aside) => Err(Rejection { reason: aside.reason, words: String::new(), raw: aside.raw }),
            Ok(found) => {
                let written = assembled(form, question.as_deref(), &found);
                match look(self.blueprint, form, &written) {
                    None => Ok(written),
                    Some(problem) => Err(written.rejected(problem)),
                }
            }
        })
    }

    fn form(&self, seed: &Seed) -> Result<&Form> {
        let form = self.blueprint.form(seed.cell);
        form.ok_or_else(|| anyhow::anyhow!("find the form of a seed: it is of another blueprint"))
    }

    fn values(&self, seed: &Seed, form: &Form, question: Option<&str>) -> Result<Value> {
        let blueprint = self.blueprint;
        let principles = &blueprint.principles;
        let mut values = blueprint.values(seed);
        let stages: Vec<Value> = blueprint
            .evolutions
            .iter()
            .map(|stage| json!({"name": stage.name, "about": stage.about}))
            .collect();
        let columns = blueprint.columns.iter().zip(&seed.columns);
        let columns: Vec<Value> =
            columns.map(|(column, value)| json!({"name": column.name, "value": value})).collect();
        let own = json!({
            "keys": keys(form, question),
            "principles": {
                "final": principles.final_principle,
                "explanatory": principles.explanatory,
                "core_logic": principles.core_logic,
                "compression": principles.compression,
            },
            "stages": stages,
            "columns": columns,
            "voice": blueprint.voice.trim_end_matches('.'),
            "constraints": blueprint.constraints,
            "language": blueprint.language.name,
            "question": question,
            "write": blueprint.instruction(seed)?,
            "words": form.words.map(|(least, most)| json!({"least": least, "most": most})),
        });
        if let Value::Object(own) = own {
            values.extend(own);
        }
        Ok(Value::Object(values))
    }
}

impl Written {
    /// What it is when something is wrong with it.
    #[must_use]
    pub fn rejected(self, problem: WrittenProblem) -> Rejection {
        Rejection { reason: problem.reason.to_owned(), words: problem.words, raw: self.as_text() }
    }

    /// The question, then the answer.
    #[must_use]
    pub fn as_text(&self) -> String {
        format!("{}\n\n{}", self.question, self.answer)
    }
}

/// Tokens that the longest answer of a form may take: twice its words, and room for the JSON around them.
fn room(form: &Form) -> u32 {
    let tokens = form.words.map_or(u64::from(USUAL_TOKENS), |(_, most)| most * 2 + 200);
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// The keys of an answer and what each holds, in words.
fn keys(form: &Form, question: Option<&str>) -> Vec<Value> {
    let own = question
        .is_none()
        .then(|| json!({"name": QUESTION, "what": "the question, as a person would ask it"}));
    let parts: Vec<Value> = match &form.body {
        FormBody::Text => vec![json!({"name": ANSWER, "what": "the answer"})],
        FormBody::Sections(sections) => sections
            .iter()
            .map(|section| {
                let what = format!("the text of the part \"{section}\", without that heading");
                json!({"name": section_key(section), "what": what})
            })
            .collect(),
        FormBody::Json(schema) => {
            vec![json!({"name": ANSWER, "what": format!("the answer, JSON of the schema {schema}")})]
        }
    };
    own.into_iter().chain(parts).collect()
}

fn schema(form: &Form, question: Option<&str>) -> Value {
    let text = || json!({"type": "string"});
    let mut properties = Map::new();
    if question.is_none() {
        properties.insert(QUESTION.to_owned(), text());
    }
    match &form.body {
        FormBody::Text => drop(properties.insert(ANSWER.to_owned(), text())),
        FormBody::Sections(sections) => {
            properties.extend(sections.iter().map(|section| (section_key(section), text())));
        }
        FormBody::Json(schema) => drop(properties.insert(ANSWER.to_owned(), schema.clone())),
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn shape(form: &Form, question: Option<&str>) -> AnswerShape {
    let own = question.is_none().then(|| text_field(QUESTION, &["prompt", "user"]));
    let parts = match &form.body {
        FormBody::Text => vec![text_field(ANSWER, &["response", "text", "assistant"])],
        FormBody::Sections(sections) => {
            sections.iter().map(|section| text_field(section_key(section), &[])).collect()
        }
        FormBody::Json(_) => vec![AnswerField {
            name: ANSWER.into(),
            aliases: &[],
            kind: FieldKind::Json,
            need: Need::Required,
        }],
    };
    AnswerShape { fields: own.into_iter().chain(parts).collect() }
}

/// The question and the answer with its headings: what a record's turns say.
fn assembled(form: &Form, question: Option<&str>, found: &FoundFields) -> Written {
    let get = |key: &str| found.get(key).map(|text| text.trim()).unwrap_or_default();
    let answer = match &form.body {
        FormBody::Text | FormBody::Json(_) => get(ANSWER).to_owned(),
        FormBody::Sections(sections) => {
            let part = |section: &String| {
                let text = get(&section_key(section));
                // Many write the heading again in spite of what they were told.
                let text = text
                    .strip_prefix(section.as_str())
                    .map_or(text, |rest| rest.trim_start_matches([':', ' ', '\n']));
                format!("{section}:\n{text}")
            };
            sections.iter().map(part).collect::<Vec<_>>().join("\n\n")
        }
    };
    Written { question: question.map_or_else(|| get(QUESTION).to_owned(), str::to_owned), answer }
}
