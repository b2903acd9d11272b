//! Qwen2 and Qwen2.5 (Yang et al. 2024): a bias on queries, keys and values, and windows in the upper layers if asked for.

use super::{Architecture, Windows};
use crate::model::layer::LayerPlan;

pub static QWEN2: Architecture = Architecture {
    name: "Qwen2",
    model_type: "qwen2",
    class: "Qwen2ForCausalLM",
    gguf: Some("qwen2"),
    layer: LayerPlan { qkv_bias: true, ..LayerPlan::LLAMA },
    defaults: &[("sliding_window", 4096.0)],
    windows: Windows::From(28),
    reads_layer_types: true,
    ..Architecture::LLAMA
};
