//! A recipe: everything about one training run, as one TOML file. Reads text and gives back typed values or issues
//! with their lines; opens no file and knows no model.

pub mod check;
mod dpo;
pub mod edit;
mod grpo;
pub mod keys;
pub mod parse;
pub mod source;
mod together;

use serde::{Deserialize, Serialize};

pub use check::Issue;
pub use dpo::{DpoPart, PreferenceLoss, PreferenceLosses, ReferenceModel, rate_warning};
pub use grpo::{GrpoPart, ImportanceLevel, PolicyLoss, RewardAggregation, RewardScale, RewardTable};
pub use parse::Override;
pub use source::{Balance, ExampleSource, SetKind, SetOrder};

/// A recipe with every key resolved. Names and meanings stand in [`keys`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub method: Method,
    /// Of a recipe whose method is grpo; those of its task, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewards: Option<RewardTable>,
    pub model: ModelPart,
    pub data: DataPart,
    pub lora: LoraPart,
    pub train: TrainPart,
    /// Of a recipe whose method is dpo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpo: Option<DpoPart>,
    /// Of a recipe whose method is grpo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpo: Option<GrpoPart>,
    pub eval: EvalPart,
    pub save: SavePart,
    pub sample: SamplePart,
    pub compute: ComputePart,
}

impl Recipe {
    /// Reads a recipe's text. `origin` names it in messages (`recipe sft.toml`).
    ///
    /// # Errors
    /// All that is wrong with it, in the order of the text, as one error; [`parse::parse`] gives the issues one by one.
    pub fn parse(text: &str, overrides: &[Override], origin: &str) -> Result<Self, RecipeError> {
        parse::parse(text, overrides).map_err(|issues| RecipeError { origin: origin.to_owned(), issues })
    }

    /// The resolved form: every key with its value, in the order of the table.
    #[must_use]
    pub fn to_toml(&self) -> String {
        edit::print(self)
    }
}

/// Why a recipe was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipeError {
    pub origin: String,
    /// At least one.
    pub issues: Vec<Issue>,
}

impl std::error::Error for RecipeError {}

impl std::fmt::Display for RecipeError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, issue) in self.issues.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            match issue.line {
                Some(line) => write!(out, "{separator}{}, line {line}: {}", self.origin, issue.message)?,
                None => write!(out, "{separator}{}: {}", self.origin, issue.message)?,
            }
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Sft,
    Dpo,
    Grpo,
}

impl Method {
    pub const ALL: [Self; 3] = [Self::Sft, Self::Dpo, Self::Grpo];

    /// The method of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sft => "sft",
            Self::Dpo => "dpo",
            Self::Grpo => "grpo",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPart {
    pub base: String,
    pub adapter: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPart {
    pub train: String,
    pub eval: Option<String>,
    pub session: Option<String>,
    pub split: f64,
    pub split_seed: u64,
    /// `part=column`, over what a file's own columns tell.
    pub map: Vec<String>,
    pub malformed: OnMalformed,
    pub max_length: usize,
    pub packing: Packing,
    pub assistant_only_loss: bool,
}

/// What to do with lines that are not valid records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMalformed {
    /// Leave them out and count them.
    #[default]
    Skip,
    /// The first one is an error.
    Fail,
}

/// TRL's `packing` and `packing_strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    #[default]
    Off,
    /// Whole examples, best-fit decreasing.
    Bfd,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraPart {
    pub r: usize,
    pub lora_alpha: f64,
    pub lora_dropout: f64,
    pub target_modules: TargetModules,
    pub use_rslora: bool,
    pub use_dora: bool,
    /// Modules trained whole, by the ends of their Hugging Face paths.
    pub modules_to_save: Vec<String>,
    /// Texts of tokens whose rows of the embedding are trained.
    pub trained_tokens: Vec<String>,
}

/// Which linear layers are adapted, by PEFT's names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TargetModules {
    /// `"all-linear"`.
    Named(AllLinear),
    /// Names from [`check::PROJECTIONS`].
    List(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AllLinear {
    #[serde(rename = "all-linear")]
    AllLinear,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainPart {
    pub learning_rate: f64,
    pub lr_scheduler_type: Scheduler,
    pub warmup_steps: u64,
    pub num_train_epochs: f64,
    /// Optimizer steps; -1 and 0 leave it to the epochs.
    pub max_steps: i64,
    pub per_device_train_batch_size: usize,
    pub gradient_accumulation_steps: usize,
    pub max_grad_norm: f64,
    pub weight_decay: f64,
    pub adam_beta1: f64,
    pub adam_beta2: f64,
    pub adam_epsilon: f64,
    pub loraplus_lr_ratio: f64,
    pub learning_rates: Vec<PatternRate>,
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    Cosine,
    Linear,
    Constant,
}

/// A highest learning rate for the tensors whose PEFT names fit a pattern (`*` stands for anything).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternRate {
    pub pattern: String,
    pub learning_rate: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvalPart {
    pub eval_steps: u64,
    pub eval_on_start: bool,
    pub per_device_eval_batch_size: usize,
    pub early_stopping_patience: u64,
    pub early_stopping_threshold: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavePart {
    pub save_steps: u64,
    pub save_total_limit: usize,
    pub load_best_model_at_end: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplePart {
    pub sample_steps: u64,
    pub prompts: Vec<String>,
    pub max_new_tokens: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputePart {
    /// `auto`, `cpu`, `metal`, `cuda` or `cuda:N`.
    pub device: String,
    pub dtype: Dtype,
    pub base_format: BaseFormat,
    pub activation_memory: ActivationMemory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    F32,
    Bf16,
    F16,
}

/// How frozen weights are held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaseFormat {
    /// Expanded once, 4 bytes a parameter.
    #[default]
    F32,
    /// In the blocks of the file: a GGUF's quantised ones, which makes this QLoRA, or 16-bit floats.
    Stored,
    /// In NF4 with double quantisation (Dettmers et al. 2023), from any source.
    Nf4,
}

/// Whether activations are kept for the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActivationMemory {
    /// Keep if it fits into the memory that is free, else recompute.
    #[default]
    Auto,
    Keep,
    /// Keep each layer's input and run its forward again in the backward: a third more arithmetic.
    Recompute,
}
