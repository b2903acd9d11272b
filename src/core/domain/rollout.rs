//! What a run on rewards drew: prompts, and `completions/step-N.jsonl` of its folder, a [`RolledGroup`] a line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::reward::{RewardOutcome, RewardPart, RewardTotal};
use super::run::RunFolder;

impl RunFolder {
    /// What a run on rewards drew in its steps: a file each.
    #[must_use]
    pub fn completions(&self) -> PathBuf {
        self.path().join("completions")
    }

    /// What it drew for a step, counted from 1.
    #[must_use]
    pub fn completions_of(&self, step: u64) -> PathBuf {
        self.completions().join(format!("step-{step}.jsonl"))
    }
}

/// A prompt to draw completions of.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenPrompt {
    /// Token ids, the head of the answer's turn among them.
    pub tokens: Vec<u32>,
    /// What rewards are asked about.
    pub record: Record,
}

/// The completions of one prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolledGroup {
    pub step: u64,
    pub prompt: String,
    /// Where the prompt is from.
    pub place: String,
    /// Why nothing is learnt of it, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    pub completions: Vec<RolledCompletion>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolledCompletion {
    pub text: String,
    pub tokens: usize,
    /// It went on past the longest completion.
    pub cut: bool,
    pub reward: Option<f64>,
    pub advantage: f64,
    pub parts: Vec<RolledPart>,
}

/// What one reward said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RolledPart {
    pub name: String,
    pub value: Option<f64>,
    /// Why it does not apply, or why its value is no higher.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// What it is made of, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<(String, String)>,
}

/// Characters of a text that are kept.
const LONGEST: usize = 8_000;
/// Reasons of one reward that are kept.
const REASONS: usize = 8;

/// A text as far as it is kept.
#[must_use]
pub fn bounded(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl RolledPart {
    #[must_use]
    pub fn all(total: &RewardTotal) -> Vec<Self> {
        total.parts.iter().map(Self::of).collect()
    }

    fn of(part: &RewardPart) -> Self {
        let (mut why, mut components) = (Vec::new(), Vec::new());
        match &part.outcome {
            RewardOutcome::Scored(score) => {
                why.extend(
                    score
                        .deductions
                        .iter()
                        .map(|lost| format!("{} {}: {}", lost.points, lost.component, lost.why)),
                );
                components
                    .extend(score.components.iter().map(|one| (one.name.to_string(), one.value.to_string())));
            }
            RewardOutcome::DoesNotApply { does_not_apply } => why.push(does_not_apply.clone()),
        }
        why.truncate(REASONS);
        Self { name: part.name.clone(), value: part.outcome.value(), why, components }
    }
}

/// The groups of a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StepGroups {
    /// The step that was asked for.
    pub asked: u32,
    /// The one that drew them, which may lie before it; none if nothing was drawn yet.
    pub step: Option<u64>,
    pub groups: Vec<RolledGroup>,
}

impl StepGroups {
    #[must_use]
    pub fn none(asked: u32) -> Self {
        Self { asked, ..Self::default() }
    }
}
