//! A low-rank adapter (Hu et al. 2021) as PEFT defines it: `y = W x + scale * B (A dropout(x))`; with magnitudes (DoRA,
//! Liu et al. 2024) `y = m / ||W + scale B A|| * (W + scale B A) x`. Beside it, whole modules and single tokens' rows of
//! the embedding can be trained.
//!
//! All trained numbers stand in one flat vector, so that the optimizer, clipping and checkpoints are one pass each;
//! [`Slot`]s say which part belongs to which tensor.

pub(crate) mod dora;
mod extend;
mod fused;
mod initial;
mod linears;
mod merge;
mod own_tokenizer;
pub(crate) mod peft;
pub mod whole;

use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::model::ModelConfig;
pub use extend::{TOKENIZER, wants_own_rows};
pub use linears::AdaptedLinear;
pub use whole::{Module, TokenRows, WholeModule};

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
    /// Train a magnitude for each output, too (DoRA).
    #[serde(default)]
    pub use_dora: bool,
}

impl LoraConfig {
    /// What the adapter's output is multiplied by.
    #[must_use]
    pub fn scale(&self) -> f32 {
        let rank = self.r as f32;
        self.lora_alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    /// Checks that the values are in range.
    ///
    /// # Errors
    /// Where one isn't; the message names it.
    pub fn validate(&self) -> Result<()> {
        ensure!(self.r > 0, "r is 0; it must be at least 1");
        ensure!(
            self.lora_alpha.is_finite() && self.lora_alpha > 0.0,
            "lora_alpha is {}; it must be above 0",
            self.lora_alpha
        );
        ensure!(
            (0.0..1.0).contains(&self.lora_dropout),
            "lora_dropout is {}; it must be at least 0 and below 1",
            self.lora_dropout
        );
        ensure!(!self.target_modules.is_empty(), "target_modules is empty: there is nothing to train");
        Ok(())
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

    /// (outputs, inputs) of its weight in a model.
    #[must_use]
    pub const fn shape(self, model: &ModelConfig) -> (usize, usize) {
        match self {
            Self::QProj => (model.query_width(), model.hidden),
            Self::KProj | Self::VProj => (model.kv_width(), model.hidden),
            Self::OProj => (model.hidden, model.query_width()),
            Self::GateProj | Self::UpProj => (model.intermediate, model.hidden),
            Self::DownProj => (model.hidden, model.intermediate),
        }
    }

    /// The projections that names stand for, as PEFT's `target_modules` gives them: `q_proj`, ..., Phi's fused
    /// `qkv_proj` and `gate_up_proj`, or `all-linear`. Each once, in the order of [`Projection::ALL`].
    ///
    /// # Errors
    /// Where a name is none of these.
    pub fn parse_targets<S: AsRef<str>>(names: &[S]) -> Result<Vec<Self>> {
        let mut wanted = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            match name {
                "all-linear" => wanted.extend(Self::ALL),
                "qkv_proj" => wanted.extend([Self::QProj, Self::KProj, Self::VProj]),
                "gate_up_proj" => wanted.extend([Self::GateProj, Self::UpProj]),
                name => wanted.push(name.parse()?),
            }
        }
        Ok(Self::ALL.into_iter().filter(|projection| wanted.contains(projection)).collect())
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

impl FromStr for Projection {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        if let Some(projection) = Self::ALL.into_iter().find(|projection| projection.name() == name) {
            return Ok(projection);
        }
        let nearest = Self::ALL
            .into_iter()
            .map(|projection| (strsim::jaro_winkler(projection.name(), name), projection));
        let nearest = nearest.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(similarity, _)| *similarity > 0.8);
        let hint = nearest
            .map_or_else(String::new, |(_, projection)| format!("; did you mean {}?", projection.name()));
        bail!(
            "there is no linear layer {name:?} (known: q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, \
             down_proj, all-linear){hint}"
        )
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
    /// Where the magnitudes start, (outputs), if it has any.
    pub magnitudes: Option<usize>,
}

/// Slots one behind the other, and the numbers that they need together.
fn lay_out(
    places: impl Iterator<Item = (usize, Projection)>,
    config: &LoraConfig,
    model: &ModelConfig,
) -> (Vec<Slot>, usize) {
    let mut end = 0;
    let slots = places.map(|(layer, projection)| {
        let (outputs, inputs) = projection.shape(model);
        let (a, b) = (end, end + config.r * inputs);
        end = b + outputs * config.r;
        let magnitudes = config.use_dora.then_some(end);
        end += if config.use_dora { outputs } else { 0 };
        Slot { layer, projection, inputs, outputs, a, b, magnitudes }
    });
    (slots.collect(), end)
}

/// An adapter's configuration and numbers.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub config: LoraConfig,
    /// The model that it was made for, as PEFT's `base_model_name_or_path`.
    pub base: String,
    pub slots: Vec<Slot>,
    /// Modules that are trained whole.
    pub modules: Vec<WholeModule>,
    /// Rows of the embedding, or of the output layer, that are trained.
    pub rows: Vec<TokenRows>,
    pub values: Vec<f32>,
}

impl Adapter {
    /// An adapter of zeros: every target of every layer has a slot, A before B.
    ///
    /// # Errors
    /// Where the configuration is out of range.
    pub fn zeros(config: LoraConfig, base: impl Into<String>, model: &ModelConfig) -> Result<Self> {
        config.validate()?;
        if let Some(module) = fused::half_adapted(model, &config.target_modules).filter(|_| config.use_dora) {
            bail!(
                "the model's {} is one layer, whose rows DoRA measures together: name all of {} as target_modules",
                module.path,
                module.parts.iter().map(|part| part.name()).collect::<Vec<_>>().join(", ")
            );
        }
        let places =
            (0..model.layers).flat_map(|layer| config.target_modules.iter().map(move |&to| (layer, to)));
        let (slots, length) = lay_out(places, &config, model);
        let (modules, rows) = (Vec::new(), Vec::new());
        Ok(Self { base: base.into(), slots, modules, rows, values: vec![0.0; length], config })
    }

    /// The slot of a projection, if it is adapted.
    #[must_use]
    pub fn slot(&self, layer: usize, projection: Projection) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.layer == layer && slot.projection == projection)
    }

    /// So many of the trained numbers from a place on; none where there are fewer.
    #[must_use]
    pub fn part(&self, start: usize, length: usize) -> &[f32] {
        self.values.get(start..start + length).unwrap_or_default()
    }
}
