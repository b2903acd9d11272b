//! Granite 3 (IBM 2024): Llama's layers with four multipliers, of embeddings, scores, what a block adds, and logits.

use super::{Architecture, GgufRotation, Scales};

pub static GRANITE: Architecture = Architecture {
    name: "Granite",
    model_type: "granite",
    class: "GraniteForCausalLM",
    gguf: Some("granite"),
    gguf_rotation: GgufRotation::Divisors,
    scales: Scales::Multipliers,
    ..Architecture::LLAMA
};
