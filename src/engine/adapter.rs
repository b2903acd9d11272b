//! A low-rank adapter (Hu et al. 2021) as PEFT defines it: `y = W x + scale * B (A dropout(x))`.
//!
//! All trained numbers stand in one flat vector, so that the optimizer, clipping and checkpoints are one pass each;
//! [`Slot`]s say which part belongs to which tensor.

use serde::{Deserialize, Serialize};

/// What to adapt, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    pub r: usize,
    pub lora_alpha: f32,
    pub lora_dropout: f32,
    /// Names of linear layers (`q_proj`, ...).
    pub target_modules: Vec<Projection>,
    /// Scale by `alpha / sqrt(r)` instead of `alpha / r` (Kalajdzievski 2023).
    pub use_rslora: bool,
}

impl LoraConfig {
    /// What the adapter's output is multiplied by.
    #[must_use]
    pub fn scale(&self) -> f32 {
        let rank = self.r as f32;
        self.lora_alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }
}

/// A linear layer of a decoder layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    QProj,
    KProj,
    VProj,
    OProj,
    GateProj,
    UpProj,
    DownProj,
}

impl Projection {
    pub const ALL: [Self; 7] =
        [Self::QProj, Self::KProj, Self::VProj, Self::OProj, Self::GateProj, Self::UpProj, Self::DownProj];

    /// Its name in Hugging Face models and in PEFT's `target_modules`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
        }
    }

    /// The block that it belongs to: `self_attn` or `mlp`.
    #[must_use]
    pub const fn block(self) -> &'static str {
        match self {
            Self::QProj | Self::KProj | Self::VProj | Self::OProj => "self_attn",
            Self::GateProj | Self::UpProj | Self::DownProj => "mlp",
        }
    }
}

/// One adapted projection's place in the flat vector of trained numbers: A is (r, inputs), B is (outputs, r), both
/// row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub layer: usize,
    pub projection: Projection,
    pub inputs: usize,
    pub outputs: usize,
    /// Where A starts.
    pub a: usize,
    /// Where B starts.
    pub b: usize,
}

/// An adapter's configuration and numbers.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub config: LoraConfig,
    /// The model that it was made for, as PEFT's `base_model_name_or_path`.
    pub base: String,
    pub slots: Vec<Slot>,
    pub values: Vec<f32>,
}

impl Adapter {
    /// The slot of a projection, if it is adapted.
    #[must_use]
    pub fn slot(&self, layer: usize, projection: Projection) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.layer == layer && slot.projection == projection)
    }
}
