//! Whether a thought leads to its own label: by its words, and by how likely a model finds each label after it. What
//! contradicts itself is asked for once more with the reason.

use anyhow::Result;
use serde_json::json;

use super::job::{Assignment, RecordQuestion};
use super::prompt::Prompt;
use crate::domain::message::Message;
use crate::domain::review_leads::{LabelMeanings, Leads, Odds, PremisePairs, hypothesis};

/// A model that reads a question and a thought and says how likely each label is then.
pub trait Gauge {
    /// # Errors
    /// Where the text doesn't fit the model's context, or the model fails.
    fn odds(&self, question: &RecordQuestion, thought: &str) -> Result<Odds>;
}

impl Assignment {
    /// The labels, and what each means for this question.
    pub(super) fn labels(&self, question: &RecordQuestion) -> LabelMeanings {
        let names: Vec<String> = self.classes.iter().map(|class| class.name.clone()).collect();
        let pairs = if hypothesis(&question.text).is_some() { PremisePairs::Yes } else { PremisePairs::No };
        LabelMeanings::of(&names, pairs)
    }

    /// What a model is told before it is asked how likely each label is.
    ///
    /// # Errors
    /// Where the prompt can't be filled in.
    pub fn gauging(&self, prompt: &Prompt, question: &str, thought: &str) -> Result<Vec<Message>> {
        prompt.turns(self.values(json!({"question": question, "thought": thought})))
    }

    /// What is wrong with a thought that is given with this label; nothing where it leads there, or nowhere that is known.
    pub(super) fn contradiction(
        &self,
        (field, thought): (&str, &str),
        label: &str,
        question: &RecordQuestion,
        gauge: Option<&dyn Gauge>,
    ) -> Option<String> {
        let labels = self.labels(question);
        let words = labels.of_thought(thought, hypothesis(&question.text), label);
        if let Leads::Elsewhere(other) = words {
            return Some(format!(
                "the conclusion of {field} says {other}, but its label is {label}: what the last step concludes and \
                 the label must be the same"
            ));
        }
        let odds = match gauge?.odds(question, thought) {
            Ok(odds) => odds,
            Err(error) => {
                // Not measured is no complaint.
                tracing::warn!("the odds of a thought's label were not measured: {error:#}");
                return None;
            }
        };
        let Leads::Elsewhere(other) = odds.leads(label) else { return None };
        Some(format!(
            "whoever reads {field} would take its label for {other}, not {label}: let its steps lead to {label} plainly"
        ))
    }

    /// What is wrong with an error analysis that argues for another label than the true one.
    pub(super) fn wrong_analysis(
        &self,
        analysis: &str,
        truth: &str,
        question: &RecordQuestion,
    ) -> Option<String> {
        match self.labels(question).of_analysis(analysis, truth) {
            Leads::Elsewhere(other) => {
                Some(format!("error_analysis argues for {other}, but the true label is {truth}"))
            }
            Leads::ToLabel | Leads::Undecided => None,
        }
    }
}
