//! A model that is asked whether a passage answers a question: how much likelier it finds "yes" than "no", as
//! Qwen3-Reranker is made for and any chat model can be asked.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;

use crate::app::local_model::PromptedModel;
use crate::engine::model::ModelFiles;
use crate::rag::answer::plain;
use crate::teacher::prompt::Prompt;

/// Behind a prompt of a model without chat template.
const LEAD: &str = "\n\nAnswer:";

pub(super) struct YesOrNo {
    model: PromptedModel,
    prompt: Prompt,
    /// What it may answer: yes, no.
    answers: Vec<Vec<u32>>,
}

impl YesOrNo {
    pub(super) fn open(files: &ModelFiles, adapter: Option<&Path>, prompt: Prompt) -> Result<Self> {
        let adapter = adapter.map(|folder| folder.to_string_lossy().into_owned());
        let model = PromptedModel::open(files, adapter.as_deref())?;
        // A turn begins without a space; a text goes on with one.
        let space = if model.prompter.has_template() { "" } else { " " };
        let answers = ["yes", "no"].map(|answer| model.prompter.continuation(&format!("{space}{answer}")));
        let answers = answers.into_iter().collect::<Result<_>>()?;
        Ok(Self { model, prompt, answers })
    }

    /// The log-odds of yes against no, in nats. A passage that is too long for the model is cut.
    pub(super) fn score(&mut self, question: &str, passage: &str) -> Result<f64> {
        let mut passage = passage;
        let longest = self.answers.iter().map(Vec::len).max().unwrap_or(1);
        let prompt = loop {
            let values = json!({ "question": plain(question), "passage": plain(passage) });
            let prompt = self.model.prompt(&self.prompt.turns(values)?, LEAD)?;
            let room = self.model.generator.context().saturating_sub(longest);
            if prompt.len() <= room {
                break prompt;
            }
            ensure!(!passage.is_empty(), "the question alone is longer than the {room} tokens that it reads");
            // Letters go as the tokens that are too many do, and a few more.
            let share = room as f64 / prompt.len() as f64 * 0.9;
            let bytes = (passage.len() as f64 * share) as usize;
            passage = passage.get(..passage.floor_char_boundary(bytes)).unwrap_or_default();
        };
        let found = self.model.generator.log_likelihoods_of(&prompt, &self.answers, self.model.adapter)?;
        let [yes, no] = found.as_slice() else { return Ok(0.0) };
        Ok(yes - no)
    }
}
