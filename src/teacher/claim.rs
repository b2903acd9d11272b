//! Whether one claim of an answer is in the passages that the answer was given from, by a judge.

use serde::Serialize;
use serde_json::json;

use super::extract::{AnswerField, AnswerShape, Class, FieldKind, Need};
use super::job::{Aside, Drawing, QuestionOutcome, ask_and_read};
use super::prompt::Prompt;
use super::request::Request;
use super::{AskError, Speaker};
use crate::domain::retrieval::FoundPassage;

/// The job's prompts and settings.
pub struct ClaimJudge {
    pub prompt: Prompt,
    pub again: Prompt,
    pub drawing: Drawing,
}

/// A claim to be judged, with what it is to be judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim<'a> {
    pub question: &'a str,
    /// All of the answer, so that "it" can be understood.
    pub answer: &'a str,
    pub text: &'a str,
    /// By their numbers from 1.
    pub passages: &'a [FoundPassage],
}

/// What a judge found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimVerdict {
    Supported,
    Contradicted,
    NotStated,
}

/// A claim's verdict, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgedClaim {
    pub verdict: ClaimVerdict,
    pub reasons: String,
}

const VERDICT: &str = "verdict";
const REASONS: &str = "reasons";

impl ClaimVerdict {
    const ALL: [Self; 3] = [Self::Supported, Self::Contradicted, Self::NotStated];

    /// As the prompt calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Contradicted => "contradicted",
            Self::NotStated => "not stated",
        }
    }

    fn class(self) -> Class {
        let words: &[&str] = match self {
            Self::Supported => &["supports", "entailed", "entailment"],
            Self::Contradicted => &["contradicts", "contradiction"],
            Self::NotStated => {
                &["not_stated", "not-stated", "unstated", "unsupported", "not supported", "neutral"]
            }
        };
        Class::new(self.name(), words)
    }
}

impl ClaimJudge {
    /// What is asked of the judge first.
    ///
    /// # Errors
    /// Where the prompt can't be filled in.
    pub fn request(&self, claim: Claim<'_>) -> anyhow::Result<Request> {
        let passages = (1..).zip(claim.passages).map(|(number, passage): (u32, _)| {
            json!({
                "number": number,
                "title": passage.title,
                "section": passage.section.join(" › "),
                "text": passage.text,
            })
        });
        let messages = self.prompt.turns(json!({
            "passages": passages.collect::<Vec<_>>(),
            "question": claim.question,
            "answer": claim.answer,
            "claim": claim.text,
        }))?;
        let names = ClaimVerdict::ALL.map(ClaimVerdict::name);
        let schema = json!({
            "type": "object",
            "properties": {REASONS: {"type": "string"}, VERDICT: {"type": "string", "enum": names}},
            "required": [REASONS, VERDICT],
            "additionalProperties": false,
        });
        let Drawing { max_tokens, temperature } = self.drawing;
        Ok(Request { messages, max_tokens, temperature, schema: Some(("verdict", schema)), draw: 0 })
    }

    /// Judges one claim; what can't be read is asked for once more.
    ///
    /// # Errors
    /// What ends the job.
    pub async fn judge(
        &self,
        judge: &dyn Speaker,
        claim: Claim<'_>,
    ) -> Result<QuestionOutcome<JudgedClaim>, AskError> {
        let request = self.request(claim).map_err(|error| AskError::Local(format!("{error:#}")))?;
        let shape = AnswerShape {
            fields: vec![
                AnswerField {
                    name: REASONS.into(),
                    aliases: &["reason", "explanation"],
                    kind: FieldKind::Text,
                    need: Need::Optional,
                },
                AnswerField {
                    name: VERDICT.into(),
                    aliases: &["label", "judgement"],
                    kind: FieldKind::Label(ClaimVerdict::ALL.map(ClaimVerdict::class).to_vec()),
                    need: Need::Required,
                },
            ],
        };
        let found = ask_and_read(judge, &request, &shape, &self.again, |_| Ok(())).await?;
        Ok(found.and_then(|mut found| {
            let named = found.remove(VERDICT).unwrap_or_default();
            let verdict = ClaimVerdict::ALL.into_iter().find(|verdict| verdict.name() == named);
            let reasons = found.remove(REASONS).unwrap_or_default();
            verdict
                .map(|verdict| JudgedClaim { verdict, reasons })
                .ok_or_else(|| Aside { reason: "wrong-value".to_owned(), raw: named })
        }))
    }
}
