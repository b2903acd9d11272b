//! Gemma 3, its text part (Gemma team 2025): norms before and after each block, written as offsets from 1; five layers with
//! a window and their own rotary base, then one without; embeddings scaled by the square root of their width.

use super::{ActivationKey, Architecture, Scales, Windows};
use crate::model::config::Activation;
use crate::model::layer::{BlockNorms, LayerNorm, LayerPlan};

pub static GEMMA3: Architecture = Architecture {
    name: "Gemma 3 (text)",
    model_type: "gemma3_text",
    class: "Gemma3ForCausalLM",
    gguf: Some("gemma3"),
    gguf_windows: true,
    layer: LayerPlan {
        attention: BlockNorms { before: LayerNorm::Input, after: Some(LayerNorm::PostAttention) },
        feed_forward: BlockNorms {
            before: LayerNorm::PreFeedForward,
            after: Some(LayerNorm::PostFeedForward),
        },
        head_norms: LayerPlan::HEAD_NORMS,
        norm_shift: 1.0,
        norm_shift_in_file: 1.0,
        ..LayerPlan::LLAMA
    },
    defaults: &[("head_dim", 256.0), ("sliding_window", 4096.0), ("query_pre_attn_scalar", 256.0)],
    windows: Windows::AllBut { every: 6 },
    reads_layer_types: true,
    rope_theta: 1e6,
    has_local_rope: true,
    activation: Activation::GeGlu,
    activation_key: ActivationKey::HiddenActivation,
    scales: Scales::Gemma,
    is_tied: true,
    ..Architecture::LLAMA
};
