//! Whether an exported model is the one that was trained: the same tokens for the same conversations, the same end, and the
//! same logits but for what its number format rounds. Read back from the file by Dojo's own readers.
//!
//! What differs is told apart by a third model: the trained one with its numbers rounded in memory as the format rounds
//! them. The file must compute what that one does; how far that one is from the trained one is the format's own matter.

mod logits;
mod prompts;
mod tokens;

use std::fmt::Write as _;

use anyhow::{Result, bail};
use chrono::Local;
use serde::Serialize;

use super::trained::TrainedModel;
use crate::model::OpenModel;
use dojo_core::domain::message::Message;
use logits::GreedyAnswers;
pub use logits::memory_bytes;

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParityRow {
    pub what: &'static str,
    pub trained: String,
    pub exported: String,
    pub verdict: ParityVerdict,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParityVerdict {
    Same,
    /// Another, as every file of this format has it.
    Format,
    Broken,
}

/// All that was compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParityReport {
    pub rows: Vec<ParityRow>,
}

/// How far the check goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParityDepth {
    /// Tokens, ends and template.
    Tokens,
    /// Logits too: the models are loaded, one after the other, in f32.
    Logits,
}

/// How far the numbers of a format may move the answers: above it something else is wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct FormatBounds {
    /// The mean divergence from the trained model, in nats; none if a format of few bits is as good as it is.
    pub(super) divergence: Option<f64>,
}

/// Compares a trained model with its export.
///
/// # Errors
/// If a model can't be computed, or no prompt can be rendered.
pub(super) fn compare(
    trained: &TrainedModel,
    (rounded, mut exported): (&OpenModel, OpenModel),
    prompts: &[Vec<Message>],
    (depth, bounds): (ParityDepth, FormatBounds),
) -> Result<ParityReport> {
    let moment = Some(Local::now().fixed_offset());
    let mut reference = trained.reference.clone();
    reference.template.moment = moment;
    exported.template.moment = moment;
    let mut rows = Vec::new();
    let tokens = tokens::prompts(&reference, &exported, prompts, &mut rows)?;
    tokens::facts((&reference, &trained.merged), &exported, &mut rows);
    let sound = rows.iter().all(|row| row.verdict != ParityVerdict::Broken);
    if depth == ParityDepth::Logits && sound {
        let answers = GreedyAnswers::of(&reference, trained.adapter.as_ref(), &tokens)?;
        let expected = answers.again(rounded)?;
        let found = answers.again(&exported)?;
        logits::rows(&answers, (&expected, &found), bounds, &mut rows);
    }
    Ok(ParityReport { rows })
}

impl ParityReport {
    /// # Errors
    /// If something differs that isn't the format's own; the message names all that does.
    pub fn check(&self) -> Result<()> {
        let broken: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.verdict == ParityVerdict::Broken)
            .map(|row| format!("{}: trained {}, exported {}", row.what, row.trained, row.exported))
            .collect();
        if broken.is_empty() {
            return Ok(());
        }
        bail!("the exported model isn't the trained one, so it isn't kept: {}", broken.join("; "))
    }

    /// As a table of Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("| compared | trained | exported | |\n| --- | --- | --- | --- |\n");
        for ParityRow { what, trained, exported, verdict } in &self.rows {
            let verdict = match verdict {
                ParityVerdict::Same => "same",
                ParityVerdict::Format => "the format's own",
                ParityVerdict::Broken => "DIFFERS",
            };
            let _ = writeln!(text, "| {what} | {trained} | {exported} | {verdict} |");
        }
        text
    }
}
