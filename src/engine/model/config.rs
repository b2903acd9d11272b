//! What a decoder looks like: read once from `config.json` or a GGUF header, and trusted from then on.

use anyhow::{Result, ensure};

use super::architecture::Architecture;
use super::layer::LayerPlan;

/// A decoder-only transformer of the Llama family, as far as its layers differ between architectures.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    pub architecture: &'static Architecture,
    pub vocabulary: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width inside the feed-forward block.
    pub intermediate: usize,
    pub layers: usize,
    pub heads: usize,
    /// Grouped-query attention: this many key/value heads, a divisor of `heads`.
    pub kv_heads: usize,
    pub head_dim: usize,
    /// Longest sequence that the model was made for, in tokens.
    pub context: usize,
    pub norm_epsilon: f32,
    pub rope: Rope,
    /// Rotary embedding of the layers with a local window, where it differs (Gemma 3).
    pub local_rope: Option<Rope>,
    /// Tokens that each layer looks back at most, itself included; `None` is all. One entry a layer.
    pub windows: Vec<Option<usize>>,
    /// Whether a layer rotates at all (SmolLM3 leaves some out). One entry a layer.
    pub rotary_layers: Vec<bool>,
    pub activation: Activation,
    pub layer: LayerPlan,
    /// The embedding is multiplied by this (Gemma: the square root of the width; most others 1). If an architecture
    /// multiplies what its blocks add to the residual stream, by m, then the stream is held divided by m: what a norm makes of
    /// it is the same, with this scale divided by m and the norms' epsilon by m².
    pub embedding_scale: f32,
    /// Scores are multiplied by this before the softmax; usually `1 / sqrt(head_dim)`.
    pub attention_scale: f32,
    /// `cap * tanh(score / cap)`, where the architecture has it (Gemma 2).
    pub attention_softcap: Option<f32>,
    pub logit_softcap: Option<f32>,
    /// Logits are multiplied by this, by way of the norm before the output layer; usually 1.
    pub logit_scale: f32,
    /// The output layer is the embedding's transpose.
    pub tied_embeddings: bool,
    pub bos: Option<u32>,
    /// Any of these ends a generation.
    pub eos: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `silu(gate) * up`
    SwiGlu,
    /// `gelu(gate) * up`, gelu by its tanh form (`gelu_pytorch_tanh`)
    GeGlu,
}

/// Rotary position embedding. Angles are `position / theta^(2i / dimensions) * scaling`, halves rotated together
/// (Hugging Face's layout: `i` pairs with `i + dimensions / 2`).
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    pub theta: f32,
    /// How many of a head's dimensions rotate (Phi's `partial_rotary_factor`); usually `head_dim`.
    pub dimensions: usize,
    pub scaling: RopeScaling,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    None,
    /// Positions divided by the factor.
    Linear(f32),
    /// Llama 3.1's piecewise scaling of frequencies.
    Llama3 {
        factor: f32,
        low_frequency: f32,
        high_frequency: f32,
        original_context: usize,
    },
    /// A divisor per frequency (Phi's long factors, or a GGUF's `rope_freqs`): (dimensions / 2), and the factor
    /// that cos and sin are multiplied by.
    PerFrequency {
        divisors: Vec<f32>,
        attention_factor: f32,
    },
}

impl ModelConfig {
    /// Width of all query heads together.
    #[must_use]
    pub const fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all key (or value) heads together.
    #[must_use]
    pub const fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Numbers of the matrices of a layer: what a token is multiplied with there.
    #[must_use]
    pub const fn layer_weights(&self) -> usize {
        self.hidden * (2 * self.query_width() + 2 * self.kv_width() + 3 * self.intermediate)
    }

    /// The rotary embedding of a layer, if it rotates.
    #[must_use]
    pub fn layer_rope(&self, layer: usize) -> Option<&Rope> {
        if !self.rotary_layers.get(layer).copied().unwrap_or(true) {
            return None;
        }
        let local = self.windows.get(layer).copied().flatten().is_some();
        Some(if local { self.local_rope.as_ref().unwrap_or(&self.rope) } else { &self.rope })
    }

    /// Whether a layer's rotary embedding is the one of local windows.
    #[must_use]
    pub fn is_local(&self, rope: &Rope) -> bool {
        self.local_rope.as_ref().is_some_and(|local| std::ptr::eq(local, rope))
    }
}

impl Rope {
    /// Radians per position of each pair, and the factor of cos and sin: (dimensions / 2).
    #[must_use]
    pub fn frequencies(&self) -> (Vec<f32>, f32) {
        let half = self.dimensions / 2;
        let plain = |i: usize| self.theta.powf(-2.0 * i as f32 / self.dimensions as f32);
        match &self.scaling {
            RopeScaling::None => ((0..half).map(plain).collect(), 1.0),
            RopeScaling::Linear(factor) => ((0..half).map(|i| plain(i) / factor).collect(), 1.0),
            RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context } => {
                let original = *original_context as f32;
                let scale = |frequency: f32| {
                    let wavelength = 2.0 * std::f32::consts::PI / frequency;
                    if wavelength < original / high_frequency {
                        frequency
                    } else if wavelength > original / low_frequency {
                        frequency / factor
                    } else {
                        let smooth =
                            (original / wavelength - low_frequency) / (high_frequency - low_frequency);
                        (1.0 - smooth) * frequency / factor + smooth * frequency
                    }
                };
                ((0..half).map(|i| scale(plain(i))).collect(), 1.0)
            }
            RopeScaling::PerFrequency { divisors, attention_factor } => {
                let scaled = (0..half).map(|i| plain(i) / divisors.get(i).copied().unwrap_or(1.0));
                (scaled.collect(), *attention_factor)
            }
        }
    }
}

/// Bounds that no real model exceeds: beyond them a file is damaged, and its sizes would overflow.
const MOST_LAYERS: usize = 1 << 12;
const WIDEST: usize = 1 << 20;
const MOST_TOKENS: usize = 1 << 24;

impl ModelConfig {
    /// Checks that the parts fit together, so that nobody has to later.
    ///
    /// # Errors
    /// Where they don't; the message names the part.
    pub fn validate(&self) -> Result<()> {
        let within = |what: &str, value: usize, most: usize| {
            ensure!(value > 0 && value <= most, "the model's {what} is {value}, expected 1 to {most}");
            Ok(())
        };
        within("number of layers", self.layers, MOST_LAYERS)?;
        within("vocabulary", self.vocabulary, MOST_TOKENS)?;
        within("hidden size", self.hidden, WIDEST)?;
        within("intermediate size", self.intermediate, WIDEST)?;
        within("number of heads", self.heads, WIDEST)?;
        within("number of key/value heads", self.kv_heads, self.heads)?;
        within("head size", self.head_dim, WIDEST / self.heads)?;
        within("context", self.context, usize::MAX)?;
        ensure!(
            self.heads.is_multiple_of(self.kv_heads),
            "{} heads can't share {} key/value heads evenly",
            self.heads,
            self.kv_heads
        );
        for rope in std::iter::once(&self.rope).chain(&self.local_rope) {
            within("rotary size", rope.dimensions, self.head_dim)?;
            ensure!(rope.dimensions.is_multiple_of(2), "the rotary size {} is odd", rope.dimensions);
            ensure!(rope.theta.is_finite() && rope.theta > 0.0, "the rotary base is {}", rope.theta);
        }
        ensure!(
            self.norm_epsilon.is_finite() && self.norm_epsilon >= 0.0,
            "the norms' epsilon is {}",
            self.norm_epsilon
        );
        let scales = [self.attention_scale, self.embedding_scale, self.logit_scale].map(Some);
        for scale in scales.into_iter().chain([self.attention_softcap, self.logit_softcap]).flatten() {
            ensure!(scale.is_finite() && scale > 0.0, "a scale or cap of the model is {scale}");
        }
        ensure!(
            self.windows.len() == self.layers && self.rotary_layers.len() == self.layers,
            "windows and rotary flags don't count {} layers",
            self.layers
        );
        ensure!(self.windows.iter().flatten().all(|&window| window > 0), "a layer's window is 0 tokens");
        Ok(())
    }
}
