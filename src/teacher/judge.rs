//! Scores for corrected thoughts, by a judge; what scores low is improved and judged again.

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::extract::{AnswerField, AnswerShape, FieldKind, FoundFields, Need};
use super::job::{
    Aside, Assignment, Drawing, IMPROVED, LABEL, QuestionOutcome, RecordQuestion, THOUGHT, ask_and_read,
    text_field,
};
use super::prompt::Prompt;
use super::request::Request;
use super::think::object_schema;
use super::{AskError, Speaker};

/// The job's prompts and settings.
pub struct Judge {
    pub assignment: Assignment,
    pub prompt: Prompt,
    pub improve: Prompt,
    pub again: Prompt,
    /// Below this score a thought is improved.
    pub threshold: u8,
    /// Improvements at most.
    pub rounds: u32,
    pub drawing: Drawing,
}

/// A thought to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub question: RecordQuestion,
    pub text: String,
    pub label: String,
    pub truth: String,
}

/// What a judge said in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// 1 to 5.
    pub score: u8,
    pub reasons: String,
    /// The improved text, the label that it leads to and who wrote it, where there was a better one.
    pub improved: Option<(String, String, String)>,
    /// Improvements that were asked for.
    pub rounds: u32,
}

const SCORE: &str = "score";
const REASONS: &str = "reasons";

impl Judge {
    /// What is asked of the judge first.
    ///
    /// # Errors
    /// Where the prompt can't be filled in.
    pub fn request(&self, candidate: &Candidate) -> Result<Request> {
        let messages = self.prompt.turns(self.assignment.values(json!({
            "question": candidate.question.text,
            "truth": candidate.truth,
            "thought": candidate.text,
            "label": candidate.label,
        })))?;
        let schema = json!({
            "type": "object",
            "properties": {REASONS: {"type": "string"}, SCORE: {"type": "integer", "enum": [1, 2, 3, 4, 5]}},
            "required": [REASONS, SCORE],
            "additionalProperties": false,
        });
        Ok(self.asking(messages, ("judgement", schema)))
    }

    fn asking(
        &self,
        messages: Vec<crate::domain::message::Message>,
        schema: (&'static str, serde_json::Value),
    ) -> Request {
        let Drawing { max_tokens, temperature } = self.drawing;
        Request { messages, max_tokens, temperature, schema: Some(schema), draw: 0 }
    }

    /// Judges one thought, and improves it while it scores below the threshold. The first improver is asked in the
    /// first round, the next in the next (a stronger one, for instance), the last in all that follow.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn judge(
        &self,
        judge: &dyn Speaker,
        improvers: &[&dyn Speaker],
        candidate: &Candidate,
    ) -> std::result::Result<QuestionOutcome<Judgement>, AskError> {
        let mut best = match self.score(judge, candidate).await? {
            Ok((score, reasons)) => Judgement { score, reasons, improved: None, rounds: 0 },
            Err(aside) => return Ok(Err(aside)),
        };
        let mut candidate = candidate.clone();
        let mut reasons = best.reasons.clone();
        while best.score < self.threshold && best.rounds < self.rounds {
            let round = usize::try_from(best.rounds).unwrap_or(usize::MAX);
            let Some(improver) = improvers.get(round).or(improvers.last()) else { break };
            best.rounds += 1;
            let Ok((text, label)) = self.improved(*improver, &candidate, &reasons).await? else { break };
            candidate.text.clone_from(&text);
            candidate.label.clone_from(&label);
            let Ok((score, said)) = self.score(judge, &candidate).await? else { break };
            reasons.clone_from(&said);
            let asked = &candidate.question;
            let sound = self.assignment.contradiction((IMPROVED, &text), &label, asked, None).is_none();
            // A worse version is not kept, but the next round goes on from what was said of it.
            if score > best.score && label == candidate.truth && sound {
                best = Judgement {
                    score,
                    reasons: said,
                    improved: Some((text, label, improver.name())),
                    rounds: best.rounds,
                };
            }
        }
        Ok(Ok(best))
    }

    async fn score(
        &self,
        judge: &dyn Speaker,
        candidate: &Candidate,
    ) -> std::result::Result<QuestionOutcome<(u8, String)>, AskError> {
        let request = self.request(candidate).map_err(|error| local(&error))?;
        let shape = AnswerShape {
            fields: vec![
                AnswerField {
                    name: REASONS.into(),
                    aliases: &["reason", "explanation"],
                    kind: FieldKind::Text,
                    need: Need::Optional,
                },
                AnswerField {
                    name: SCORE.into(),
                    aliases: &["rating"],
                    kind: FieldKind::Whole { least: 1, most: 5 },
                    need: Need::Required,
                },
            ],
        };
        let found = ask_and_read(judge, &request, &shape, &self.again, |_| Ok(())).await?;
        Ok(found.and_then(|mut found| {
            let score = found.remove(SCORE).and_then(|score| score.parse().ok());
            let score =
                score.ok_or_else(|| Aside { reason: "wrong-value".to_owned(), raw: String::new() })?;
            Ok((score, found.remove(REASONS).unwrap_or_default()))
        }))
    }

    async fn improved(
        &self,
        improver: &dyn Speaker,
        candidate: &Candidate,
        reasons: &str,
    ) -> std::result::Result<QuestionOutcome<(String, String)>, AskError> {
        let values = self.improving(candidate, reasons);
        let messages = self.improve.turns(values).map_err(|error| local(&error))?;
        let request = self.asking(messages, ("improvement", object_schema(&[IMPROVED], &self.assignment)));
        let shape = AnswerShape {
            fields: vec![text_field(IMPROVED, &["improved_thought", THOUGHT]), self.assignment.label_field()],
        };
        let agrees = |found: &FoundFields| match (found.get(LABEL), found.get(IMPROVED)) {
            (Some(label), Some(text)) => {
                let asked = &candidate.question;
                self.assignment.contradiction((IMPROVED, text), label, asked, None).map_or(Ok(()), Err)
            }
            _ => Ok(()),
        };
        let found = ask_and_read(improver, &request, &shape, &self.again, agrees).await?;
        Ok(found.map(|mut found| {
            (found.remove(IMPROVED).unwrap_or_default(), found.remove(LABEL).unwrap_or_default())
        }))
    }

    fn improving(&self, candidate: &Candidate, reasons: &str) -> impl Serialize {
        self.assignment.values(json!({
            "question": candidate.question.text,
            "truth": candidate.truth,
            "thought": candidate.text,
            "reasons": reasons,
        }))
    }
}

fn local(error: &anyhow::Error) -> AskError {
    AskError::Local(format!("{error:#}"))
}
