//! Llama (Touvron et al. 2023): a norm before each block, rotary positions, a gated feed-forward block. The others are
//! told by how they differ from it.

use super::{Architecture, GgufRotation};

pub static LLAMA: Architecture =
    Architecture { gguf_rotation: GgufRotation::Divisors, ..Architecture::LLAMA };
