//! SmolLM3 (Bakouch et al. 2025): every fourth layer doesn't rotate.

use super::{Architecture, RotaryLayers, Windows};

pub static SMOLLM3: Architecture = Architecture {
    name: "SmolLM3",
    model_type: "smollm3",
    class: "SmolLM3ForCausalLM",
    gguf: Some("smollm3"),
    windows: Windows::WithoutRotation,
    reads_layer_types: true,
    rotary_layers: RotaryLayers::AllBut { every: 4 },
    rope_theta: 2e6,
    is_tied: true,
    ..Architecture::LLAMA
};
