//! What a decoder layer is made of, as data: which norms, biases and names it has. An architecture's file says it; training
//! and generation, on the processor and on devices, and the readers of files walk the plan.

use anyhow::Result;

use super::architecture::Architecture;
use super::config::ModelConfig;
use super::weights::Weights;

/// The layers of a model, as far as architectures differ in what they are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerPlan {
    pub attention: BlockNorms,
    pub feed_forward: BlockNorms,
    /// Norms of each query and each key head before rotation (Qwen3, Gemma 3).
    pub head_norms: Option<[LayerNorm; 2]>,
    /// Queries, keys and values have a bias (Qwen2).
    pub qkv_bias: bool,
    /// Queries, keys and values are one tensor in this architecture's files, and so are gate and up (Phi-3).
    pub fused_projections: bool,
    /// ggml rotates neighbours in this architecture's GGUFs, so that each head's halves are interleaved there (Llama).
    pub interleaved_in_gguf: bool,
    /// What a norm's weight has more than the number that files of Hugging Face's form hold (Gemma: 1).
    pub norm_shift: f32,
    /// The same of the files that this model was read from: a GGUF has it added already.
    pub norm_shift_in_file: f32,
}

/// The norms around one of a layer's two blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockNorms {
    /// On what enters the block.
    pub before: LayerNorm,
    /// On what the block adds to the residual stream (Gemma 3).
    pub after: Option<LayerNorm>,
}

/// A norm inside a layer, by its Hugging Face name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LayerNorm {
    Input,
    PostAttention,
    PreFeedForward,
    PostFeedForward,
    Query,
    Key,
}

impl LayerNorm {
    const ALL: [Self; 6] = [
        Self::Input,
        Self::PostAttention,
        Self::PreFeedForward,
        Self::PostFeedForward,
        Self::Query,
        Self::Key,
    ];

    /// Its Hugging Face path inside a layer.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Input => "input_layernorm",
            Self::PostAttention => "post_attention_layernorm",
            Self::PreFeedForward => "pre_feedforward_layernorm",
            Self::PostFeedForward => "post_feedforward_layernorm",
            Self::Query => "self_attn.q_norm",
            Self::Key => "self_attn.k_norm",
        }
    }

    /// The norm of a path inside a layer.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|norm| norm.path() == path)
    }

    /// Floats of its weight.
    #[must_use]
    pub const fn width(self, model: &ModelConfig) -> usize {
        match self {
            Self::Query | Self::Key => model.head_dim,
            Self::Input | Self::PostAttention | Self::PreFeedForward | Self::PostFeedForward => model.hidden,
        }
    }
}

impl LayerPlan {
    /// Llama's: a norm before each block, the second one called the one after attention.
    pub(super) const LLAMA: Self = Self {
        attention: BlockNorms { before: LayerNorm::Input, after: None },
        feed_forward: BlockNorms { before: LayerNorm::PostAttention, after: None },
        head_norms: None,
        qkv_bias: false,
        fused_projections: false,
        interleaved_in_gguf: false,
        norm_shift: 0.0,
        norm_shift_in_file: 0.0,
    };

    pub(super) const HEAD_NORMS: Option<[LayerNorm; 2]> = Some([LayerNorm::Query, LayerNorm::Key]);

    /// The same layers in a GGUF: its norms are whole, and its tensors say whether there are biases and head norms.
    #[must_use]
    pub fn in_gguf(architecture: &Architecture, qkv_bias: bool, has_head_norms: bool) -> Self {
        let head_norms = if has_head_norms { Self::HEAD_NORMS } else { None };
        Self { qkv_bias, head_norms, norm_shift_in_file: 0.0, ..architecture.layer }
    }

    /// A layer's norms, in the order of [`LayerNorm`].
    #[must_use]
    pub fn norms(&self) -> Vec<LayerNorm> {
        let blocks = [self.attention, self.feed_forward];
        let of_blocks = blocks.into_iter().flat_map(|block| [Some(block.before), block.after]).flatten();
        let mut norms: Vec<_> = of_blocks.chain(self.head_norms.into_iter().flatten()).collect();
        norms.sort_unstable();
        norms
    }

    /// A norm's name in a GGUF, if the layer has it.
    #[must_use]
    pub fn gguf_name(&self, norm: LayerNorm) -> Option<&'static str> {
        let is = |other: Option<LayerNorm>| other == Some(norm);
        match norm {
            LayerNorm::Query => Some("attn_q_norm"),
            LayerNorm::Key => Some("attn_k_norm"),
            _ if is(Some(self.attention.before)) => Some("attn_norm"),
            _ if is(self.attention.after) => Some("post_attention_norm"),
            _ if is(Some(self.feed_forward.before)) => Some("ffn_norm"),
            _ if is(self.feed_forward.after) => Some("post_ffw_norm"),
            _ => None,
        }
    }
}

/// The weight of one of a layer's norms: (hidden), or (`head_dim`) for queries and keys.
///
/// # Errors
/// Where the tensor is missing or damaged.
pub fn layer_norm(
    config: &ModelConfig,
    weights: &dyn Weights,
    layer: usize,
    norm: LayerNorm,
) -> Result<Vec<f32>> {
    norm_weight(config, weights, &format!("model.layers.{layer}.{}", norm.path()), norm.width(config))
}

/// The weight of the norm before the output layer, which scales the logits too: (hidden).
///
/// # Errors
/// Where the tensor is missing or damaged.
pub fn final_norm(config: &ModelConfig, weights: &dyn Weights) -> Result<Vec<f32>> {
    let mut weight = norm_weight(config, weights, "model.norm", config.hidden)?;
    weight.iter_mut().for_each(|weight| *weight *= config.logit_scale);
    Ok(weight)
}

fn norm_weight(config: &ModelConfig, weights: &dyn Weights, path: &str, width: usize) -> Result<Vec<f32>> {
    let mut weight = weights.f32(&format!("{path}.weight"), &[width])?;
    weight.iter_mut().for_each(|weight| *weight += config.layer.norm_shift_in_file);
    Ok(weight)
}

/// The bias of queries, keys and values, one after another, if the layers have one: (query width + 2 kv width).
///
/// # Errors
/// Where a tensor is missing or damaged.
pub fn qkv_bias(config: &ModelConfig, weights: &dyn Weights, layer: usize) -> Result<Option<Vec<f32>>> {
    if !config.layer.qkv_bias {
        return Ok(None);
    }
    let (query, kv) = (config.query_width(), config.kv_width());
    let mut bias = Vec::with_capacity(query + 2 * kv);
    for (part, width) in [("q_proj", query), ("k_proj", kv), ("v_proj", kv)] {
        bias.extend(weights.f32(&format!("model.layers.{layer}.self_attn.{part}.bias"), &[width])?);
    }
    Ok(Some(bias))
}
