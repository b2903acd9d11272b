//! Mistral 7B (Jiang et al. 2023): Llama's layers with a sliding window in each. Its GGUFs say "llama".

use super::{Architecture, GgufRotation, Windows};

pub static MISTRAL: Architecture = Architecture {
    name: "Mistral",
    model_type: "mistral",
    class: "MistralForCausalLM",
    gguf: None,
    gguf_rotation: GgufRotation::Divisors,
    defaults: &[("sliding_window", 4096.0)],
    windows: Windows::All,
    reads_layer_types: true,
    ..Architecture::LLAMA
};
