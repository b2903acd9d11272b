//! Granite 3 (IBM 2024): Llama's layers with four multipliers, of embeddings, scores, what a block adds, and logits.

use super::{Architecture, Scales};

pub static GRANITE: Architecture = Architecture {
    name: "Granite",
    model_type: "granite",
    gguf: Some("granite"),
    scales: Scales::Multipliers,
    ..Architecture::LLAMA
};
