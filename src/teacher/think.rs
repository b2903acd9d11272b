//! Thoughts for records, by a student.

use anyhow::Result;
use serde_json::json;

use super::extract::{AnswerShape, FoundFields};
use super::gauge::Gauge;
use super::job::{
    Assignment, Drawing, LABEL, QuestionOutcome, RecordQuestion, THOUGHT, ask_and_read, text_field,
};
use super::prompt::Prompt;
use super::request::Request;
use super::{AskError, Speaker};
use crate::domain::thought::{Thought, estimated_tokens};

/// The job's prompts and settings.
pub struct Think {
    pub assignment: Assignment,
    pub prompt: Prompt,
    pub again: Prompt,
    pub drawing: Drawing,
}

impl Think {
    /// What is asked for a record.
    ///
    /// # Errors
    /// Where the prompt can't be filled in.
    pub fn request(&self, question: &RecordQuestion) -> Result<Request> {
        let messages = self.prompt.turns(self.assignment.values(json!({"question": question.text})))?;
        let Drawing { max_tokens, temperature } = self.drawing;
        Ok(Request { messages, max_tokens, temperature, schema: Some(("thought", self.schema())), draw: 0 })
    }

    fn schema(&self) -> serde_json::Value {
        object_schema(&[THOUGHT], &self.assignment)
    }

    /// A thought for one record. Where its conclusion says another label than it is given with, whichever is true, the
    /// student is told so once.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn think(
        &self,
        speaker: &dyn Speaker,
        question: &RecordQuestion,
    ) -> std::result::Result<QuestionOutcome<Thought>, AskError> {
        self.think_with(speaker, question, None).await
    }

    /// The same, where a model also reads the thought, and has to find its label the likeliest.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn think_with(
        &self,
        speaker: &dyn Speaker,
        question: &RecordQuestion,
        gauge: Option<&dyn Gauge>,
    ) -> std::result::Result<QuestionOutcome<Thought>, AskError> {
        let request = self.request(question).map_err(|error| AskError::Local(format!("{error:#}")))?;
        let shape = AnswerShape {
            fields: vec![
                text_field(THOUGHT, &["thought", "reasoning", "chain_of_thought"]),
                self.assignment.label_field(),
            ],
        };
        let agrees = |found: &FoundFields| match (found.get(LABEL), found.get(THOUGHT)) {
            (Some(label), Some(text)) => {
                let problem = self.assignment.contradiction((THOUGHT, text), label, question, gauge);
                problem.map_or(Ok(()), Err)
            }
            _ => Ok(()),
        };
        let found = ask_and_read(speaker, &request, &shape, &self.again, agrees).await?;
        Ok(found.map(|mut found| {
            let text = found.remove(THOUGHT).unwrap_or_default();
            Thought {
                record: question.record,
                label: found.remove(LABEL).unwrap_or_default(),
                truth: question.truth.clone(),
                tokens: estimated_tokens(&text),
                text,
                model: speaker.name(),
                prompt: self.prompt.version(),
            }
        }))
    }
}

/// The JSON schema of an object with these texts and a label, in this order.
pub(super) fn object_schema(texts: &[&str], assignment: &Assignment) -> serde_json::Value {
    let labels: Vec<&str> = assignment.classes.iter().map(|class| class.name.as_str()).collect();
    let mut properties: serde_json::Map<String, serde_json::Value> =
        texts.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    properties.insert(LABEL.to_owned(), json!({"type": "string", "enum": labels}));
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
