//! Reflections on wrong thoughts, by a teacher: what went wrong, and a thought that leads to the true label.

use anyhow::Result;
use serde_json::json;

use super::extract::{AnswerShape, FoundFields};
use super::gauge::Gauge;
use super::job::{
    ANALYSIS, Assignment, Drawing, IMPROVED, LABEL, QuestionOutcome, RecordQuestion, THOUGHT, ask_and_read,
    text_field,
};
use super::prompt::Prompt;
use super::request::Request;
use super::think::object_schema;
use super::{AskError, Speaker};
use crate::domain::reflection::{Reflection, Verdict, repeats};
use crate::domain::thought::{Thought, ThoughtId};

pub use crate::domain::review_job::Guidance;

/// The job's prompts and settings.
pub struct Reflect {
    pub assignment: Assignment,
    pub prompt: Prompt,
    pub again: Prompt,
    pub guidance: Guidance,
    pub drawing: Drawing,
}

/// A wrong thought and the record it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub question: RecordQuestion,
    pub id: ThoughtId,
    pub thought: Thought,
    /// What a reviewer said when an earlier correction was sent back.
    pub comment: String,
}

impl Reflect {
    /// What is asked for a wrong thought.
    ///
    /// # Errors
    /// Where the prompt can't be filled in.
    pub fn request(&self, wrong: &Wrong) -> Result<Request> {
        let messages = self.prompt.turns(self.assignment.values(json!({
            "question": wrong.question.text,
            "truth": wrong.thought.truth,
            "guided": self.guidance == Guidance::Guided,
            "thought": wrong.thought.text,
            "label": wrong.thought.label,
            "comment": wrong.comment,
        })))?;
        let schema = object_schema(&[ANALYSIS, IMPROVED], &self.assignment);
        let Drawing { max_tokens, temperature } = self.drawing;
        Ok(Request { messages, max_tokens, temperature, schema: Some(("reflection", schema)), draw: 0 })
    }

    /// A reflection on one wrong thought. Where the corrected thought misses the true label, concludes another in its
    /// words, or repeats the flawed one, the teacher is told so once; what fails again is kept for a person to see.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn reflect(
        &self,
        speaker: &dyn Speaker,
        wrong: &Wrong,
    ) -> std::result::Result<QuestionOutcome<Reflection>, AskError> {
        self.reflect_with(speaker, wrong, None).await
    }

    /// The same, where a model also reads the corrected thought, and has to find its label the likeliest.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn reflect_with(
        &self,
        speaker: &dyn Speaker,
        wrong: &Wrong,
        gauge: Option<&dyn Gauge>,
    ) -> std::result::Result<QuestionOutcome<Reflection>, AskError> {
        let request = self.request(wrong).map_err(|error| AskError::Local(format!("{error:#}")))?;
        let shape = AnswerShape {
            fields: vec![
                text_field(ANALYSIS, &["analysis", "error", "mistake"]),
                text_field(IMPROVED, &["corrected_thought", "improved_thought", THOUGHT]),
                self.assignment.label_field(),
            ],
        };
        let truth = wrong.thought.truth.clone().unwrap_or_default();
        let corrects = |found: &FoundFields| match (found.get(LABEL), found.get(IMPROVED)) {
            (Some(label), _) if *label != truth => {
                Err(format!("your reasoning leads to the label {label}, but the true label is {truth}"))
            }
            (_, Some(text)) if repeats(text, &wrong.thought.text) => {
                Err("improved_thought_process is the student's flawed reasoning, hardly changed".to_owned())
            }
            (Some(label), Some(text)) => {
                let said = |name| found.get(name).map(String::as_str).unwrap_or_default();
                let asked = &wrong.question;
                let problem = self.assignment.contradiction((IMPROVED, text), label, asked, gauge);
                let problem =
                    problem.or_else(|| self.assignment.wrong_analysis(said(ANALYSIS), &truth, asked));
                problem.map_or(Ok(()), Err)
            }
            _ => Ok(()),
        };
        let found = ask_and_read(speaker, &request, &shape, &self.again, corrects).await?;
        Ok(found.map(|mut found| Reflection {
            record: wrong.question.record,
            thought: wrong.id,
            error_analysis: found.remove(ANALYSIS).unwrap_or_default(),
            corrected: found.remove(IMPROVED).unwrap_or_default(),
            label: found.remove(LABEL).unwrap_or_default(),
            teacher: speaker.name(),
            prompt: self.prompt.version(),
            verdict: Verdict::Pending,
            edited: None,
            score: None,
            reasons: String::new(),
            reviewer: String::new(),
            comment: String::new(),
            judge: String::new(),
            improved_by: String::new(),
        }))
    }
}
