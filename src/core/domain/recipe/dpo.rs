//! The `[dpo]` part of a recipe.

use serde::{Deserialize, Serialize};

use super::{Method, Recipe, keys};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DpoPart {
    /// How much the model is kept near the reference: low lets it go further.
    pub beta: f64,
    pub loss_type: PreferenceLosses,
    /// One for each loss; empty means 1 for all.
    pub loss_weights: Vec<f64>,
    /// The share of pairs that are taken to be the wrong way round.
    pub label_smoothing: f64,
    pub reference: ReferenceModel,
}

impl DpoPart {
    /// A weight for each loss.
    pub fn weights(&self) -> impl Iterator<Item = f64> {
        (0..self.loss_type.kinds().len()).map(|at| self.loss_weights.get(at).copied().unwrap_or(1.0))
    }
}

/// TRL's names of losses; what each is stands where it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreferenceLoss {
    Sigmoid,
    SigmoidNorm,
    Robust,
    Hinge,
    Ipo,
    ExoPair,
    NcaPair,
    SppoHard,
    ApoZero,
    ApoDown,
    Orpo,
    Sft,
}

impl PreferenceLoss {
    pub const ALL: [Self; 12] = [
        Self::Sigmoid,
        Self::SigmoidNorm,
        Self::Robust,
        Self::Hinge,
        Self::Ipo,
        Self::ExoPair,
        Self::NcaPair,
        Self::SppoHard,
        Self::ApoZero,
        Self::ApoDown,
        Self::Orpo,
        Self::Sft,
    ];
}

/// One loss, or several that are added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PreferenceLosses {
    One(PreferenceLoss),
    Several(Vec<PreferenceLoss>),
}

impl PreferenceLosses {
    #[must_use]
    pub const fn kinds(&self) -> &[PreferenceLoss] {
        match self {
            Self::One(kind) => std::slice::from_ref(kind),
            Self::Several(kinds) => kinds.as_slice(),
        }
    }
}

/// What the trained model is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceModel {
    /// The model with the adapter as the run begins.
    Start,
    /// The model without an adapter.
    Base,
}

/// Of supervised training, about; what moves a model that can answer already learns slower by an order of magnitude.
const SUPERVISED_RATE: f64 = 1e-4;

/// What to say of the learning rate of a run on preferences or rewards that is one for supervised training, as in a recipe
/// that was copied.
#[must_use]
pub fn rate_warning(recipe: &Recipe) -> Option<String> {
    let (method, rate) = (recipe.method, recipe.train.learning_rate);
    let usual = keys::key("train.learning_rate").and_then(|key| key.default_for(method))?;
    let is_high = method != Method::Sft && rate >= SUPERVISED_RATE;
    is_high.then(|| {
        format!(
            "train.learning_rate is {rate}, as supervised training has it: {} moves a model that can answer already and \
             takes about {usual}; without the key that is the default",
            method.name()
        )
    })
}
