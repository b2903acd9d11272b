//! Grades for answers, and whether one sentence follows from another: what rewards ask a judge.

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::Speaker;
use super::extract::{AnswerField, AnswerShape, FieldKind, FoundFields, Need};
use super::job::{Drawing, ask_and_read};
use super::prompt::Prompt;
use super::request::Request;

/// The two prompts, and how answers are drawn.
pub struct Grader {
    pub grade: Prompt,
    pub entail: Prompt,
    pub again: Prompt,
    pub drawing: Drawing,
}

const SCORE: &str = "score";
const FOLLOWS: &str = "follows";
const REASONS: &str = "reasons";

impl Grader {
    /// A grade from 1 to 5, and the reasons.
    ///
    /// # Errors
    /// Where there is no answer, or none that can be read.
    pub async fn grade(
        &self,
        speaker: &dyn Speaker,
        question: &str,
        answer: &str,
        reference: Option<&str>,
        criteria: &str,
    ) -> Result<(u8, String)> {
        let values =
            json!({"question": question, "answer": answer, "reference": reference, "criteria": criteria});
        self.ask(speaker, &self.grade, &values, SCORE, 1, 5).await
    }

    /// 1 if the hypothesis follows from the premise, else 0, and the reasons.
    ///
    /// # Errors
    /// As [`Self::grade`].
    pub async fn entails(
        &self,
        speaker: &dyn Speaker,
        premise: &str,
        hypothesis: &str,
    ) -> Result<(u8, String)> {
        let values = json!({"premise": premise, "hypothesis": hypothesis});
        self.ask(speaker, &self.entail, &values, FOLLOWS, 0, 1).await
    }

    async fn ask(
        &self,
        speaker: &dyn Speaker,
        prompt: &Prompt,
        values: &Value,
        name: &'static str,
        least: u8,
        most: u8,
    ) -> Result<(u8, String)> {
        let Drawing { max_tokens, temperature } = self.drawing;
        let numbers: Vec<u8> = (least..=most).collect();
        let schema = json!({
            "type": "object",
            "properties": {REASONS: {"type": "string"}, name: {"type": "integer", "enum": numbers}},
            "required": [REASONS, name],
            "additionalProperties": false,
        });
        let messages = prompt.turns(values)?;
        let request = Request { messages, max_tokens, temperature, schema: Some((name, schema)), draw: 0 };
        let range = FieldKind::Whole { least: least.into(), most: most.into() };
        let shape = AnswerShape {
            fields: vec![
                AnswerField {
                    name: REASONS.into(),
                    aliases: &["reason", "explanation"],
                    kind: FieldKind::Text,
                    need: Need::Optional,
                },
                AnswerField { name: name.into(), aliases: &[], kind: range, need: Need::Required },
            ],
        };
        let found = ask_and_read(speaker, &request, &shape, &self.again, |_: &FoundFields| Ok(())).await?;
        let mut found = found.map_err(|aside| anyhow!("its answer can't be used ({})", aside.reason))?;
        let number = found.remove(name).and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| anyhow!("its answer holds no {name}"))?;
        Ok((number, found.remove(REASONS).unwrap_or_default()))
    }
}
