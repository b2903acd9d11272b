//! The `[grpo]` part of a recipe, and its table of rewards.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ReferenceModel;
use crate::domain::reward::RewardUse;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpoPart {
    /// What prompts and answers are: a task's name or file.
    pub task: String,
    /// Groups in a step.
    pub prompts_per_step: usize,
    /// Completions of a prompt, which are compared with each other.
    pub num_generations: usize,
    pub max_completion_length: usize,
    pub temperature: f64,
    pub top_p: f64,
    /// 0 is all.
    pub top_k: usize,
    pub min_p: f64,
    pub repetition_penalty: f64,
    pub loss_type: PolicyLoss,
    pub beta: f64,
    pub reference: ReferenceModel,
    /// Steps on the same completions.
    pub num_iterations: u64,
    pub epsilon: f64,
    pub epsilon_high: Option<f64>,
    pub importance_sampling_level: ImportanceLevel,
    pub scale_rewards: RewardScale,
    pub multi_objective_aggregation: RewardAggregation,
    pub mask_truncated_completions: bool,
    /// How often a group that teaches nothing is replaced by that of another prompt.
    pub dynamic_sampling: usize,
    pub embedder: Option<String>,
    pub judge: Option<String>,
}

/// What cispo clips at where nothing is said: as in `ScaleRL` (Khatri et al. 2025).
const CISPO_HIGH: f64 = 5.0;

impl GrpoPart {
    /// What ratios are clipped at from above: for cispo the ratio itself, else how far it is over 1.
    #[must_use]
    pub fn epsilon_high(&self) -> f64 {
        let usual = if self.loss_type == PolicyLoss::Cispo { CISPO_HIGH } else { self.epsilon };
        self.epsilon_high.unwrap_or(usual)
    }
}

/// TRL's names of losses; what each is stands where it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLoss {
    Dapo,
    Grpo,
    DrGrpo,
    Bnpo,
    Cispo,
}

impl PolicyLoss {
    pub const ALL: [Self; 5] = [Self::Dapo, Self::Grpo, Self::DrGrpo, Self::Bnpo, Self::Cispo];
}

/// Of what the policy's likelihood is compared with the sampler's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportanceLevel {
    Token,
    /// GSPO (Zheng et al. 2025).
    Sequence,
}

/// What the differences of rewards are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RewardScale {
    /// The group's standard deviation.
    Group,
    /// That of all completions of the step.
    Batch,
    None,
}

/// How several rewards become one advantage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardAggregation {
    SumThenNormalize,
    /// GDPO: each is brought to the same spread first.
    NormalizeThenSum,
}

/// `[rewards]`: checked for its form; which rewards there are and which keys they have is known where they are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct RewardTable {
    written: Value,
    rows: Vec<RewardUse>,
}

impl RewardTable {
    #[must_use]
    pub fn rows(&self) -> &[RewardUse] {
        &self.rows
    }
}

impl TryFrom<Value> for RewardTable {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, String> {
        let rows = RewardUse::table(&written)?;
        if rows.is_empty() {
            return Err("`rewards` names no reward: write one, such as `length = 1.0`".to_owned());
        }
        Ok(Self { written, rows })
    }
}

impl From<RewardTable> for Value {
    fn from(table: RewardTable) -> Self {
        table.written
    }
}
