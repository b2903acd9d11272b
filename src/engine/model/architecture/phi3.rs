//! Phi-3, Phi-3.5 and Phi-4 (Abdin et al. 2024): queries, keys and values in one tensor, gate and up in another; some
//! rotate a part of each head.

use super::{Architecture, GgufRotation, Windows};
use crate::model::layer::LayerPlan;

pub static PHI3: Architecture = Architecture {
    name: "Phi-3",
    model_type: "phi3",
    class: "Phi3ForCausalLM",
    gguf: Some("phi3"),
    gguf_rotation: GgufRotation::Factors,
    layer: LayerPlan { fused_projections: true, ..LayerPlan::LLAMA },
    defaults: &[("rms_norm_eps", 1e-5)],
    windows: Windows::All,
    has_partial_rope: true,
    ..Architecture::LLAMA
};
