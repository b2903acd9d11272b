//! Qwen3 (Yang et al. 2025): no biases, and a norm of each query and key head.

use super::{Architecture, Windows};
use crate::model::layer::LayerPlan;

pub static QWEN3: Architecture = Architecture {
    name: "Qwen3",
    model_type: "qwen3",
    class: "Qwen3ForCausalLM",
    gguf: Some("qwen3"),
    layer: LayerPlan { head_norms: LayerPlan::HEAD_NORMS, ..LayerPlan::LLAMA },
    defaults: &[("head_dim", 128.0), ("sliding_window", 4096.0)],
    windows: Windows::From(28),
    reads_layer_types: true,
    ..Architecture::LLAMA
};
