//! Architectures, as data: what the readers of a model's files have to know of each. One file an architecture, and a
//! line in [`ALL`]; whoever computes layers asks the [`LayerPlan`] and never which architecture it is.

mod gemma3;
mod granite;
mod llama;
mod mistral;
mod phi3;
mod qwen2;
mod qwen3;
mod smollm3;

use super::config::Activation;
use super::layer::LayerPlan;

pub use gemma3::GEMMA3;
pub use granite::GRANITE;
pub use llama::LLAMA;
pub use mistral::MISTRAL;
pub use phi3::PHI3;
pub use qwen2::QWEN2;
pub use qwen3::QWEN3;
pub use smollm3::SMOLLM3;

/// Every architecture that Dojo trains and runs.
pub static ALL: [&Architecture; 8] = [&LLAMA, &MISTRAL, &QWEN2, &QWEN3, &GEMMA3, &PHI3, &SMOLLM3, &GRANITE];

/// A decoder-only transformer of the Llama family, as far as its files differ from those of its relatives.
#[derive(Debug, PartialEq)]
pub struct Architecture {
    /// For messages to people.
    pub name: &'static str,
    /// `model_type` of a `config.json`.
    pub model_type: &'static str,
    /// transformers' class.
    pub class: &'static str,
    /// `general.architecture` of a GGUF; none if llama.cpp has no name of its own for it.
    pub gguf: Option<&'static str>,
    /// Scaled rotations that llama.cpp looks for in a GGUF of it; with others it refuses to load the file.
    pub gguf_rotation: GgufRotation,
    /// Whether llama.cpp computes its windows.
    pub gguf_windows: bool,
    pub layer: LayerPlan,
    /// What transformers takes for a key that a `config.json` doesn't have, if that isn't what it takes for most.
    pub defaults: &'static [(&'static str, f64)],
    pub windows: Windows,
    /// Whether `layer_types` counts for the windows.
    pub reads_layer_types: bool,
    pub rotary_layers: RotaryLayers,
    /// Base of the rotary angles, if the file names none.
    pub rope_theta: f32,
    /// Whether layers with a window rotate by a base of their own.
    pub has_local_rope: bool,
    /// Whether `partial_rotary_factor` counts.
    pub has_partial_rope: bool,
    pub activation: Activation,
    pub activation_key: ActivationKey,
    pub scales: Scales,
    /// Whether the output layer is the embedding, if the file doesn't say.
    pub is_tied: bool,
}

/// How the tensors of a GGUF may say that a rotation is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GgufRotation {
    None,
    /// By short and long factors (Phi-3's `LongRoPE`).
    Factors,
    /// By those, or by a divisor for each frequency (Llama 3.1).
    Divisors,
}

/// Which layers look back at a window only, if the file doesn't name them one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    None,
    All,
    /// From this layer on, or from `max_window_layers`; and only with `use_sliding_window`.
    From(usize),
    /// All but every so many-th, or by `sliding_window_pattern`.
    AllBut {
        every: usize,
    },
    /// Those that don't rotate, with `use_sliding_window`.
    WithoutRotation,
}

/// Which layers rotate queries and keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotaryLayers {
    All,
    /// All but every so many-th, or by `no_rope_layer_interval` and `no_rope_layers`.
    AllBut {
        every: usize,
    },
}

/// Under which key the activation is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivationKey {
    HiddenAct,
    HiddenActivation,
}

/// What embeddings, scores and logits are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scales {
    /// Scores by `1 / sqrt(head_dim)`, and nothing else.
    Usual,
    /// Embeddings by the square root of their width, scores by `1 / sqrt(query_pre_attn_scalar)`; logits have a soft cap.
    Gemma,
    /// By the four multipliers that the file names.
    Multipliers,
}

impl Architecture {
    /// What is usual; an architecture names what differs.
    const LLAMA: Self = Self {
        name: "Llama",
        model_type: "llama",
        class: "LlamaForCausalLM",
        gguf: Some("llama"),
        gguf_rotation: GgufRotation::None,
        gguf_windows: false,
        layer: LayerPlan { interleaved_in_gguf: true, ..LayerPlan::LLAMA },
        defaults: &[],
        windows: Windows::None,
        reads_layer_types: false,
        rotary_layers: RotaryLayers::All,
        rope_theta: 1e4,
        has_local_rope: false,
        has_partial_rope: false,
        activation: Activation::SwiGlu,
        activation_key: ActivationKey::HiddenAct,
        scales: Scales::Usual,
        is_tied: false,
    };

    /// Of a `config.json`.
    #[must_use]
    pub fn of_model_type(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|known| known.model_type == name)
    }

    /// Of a GGUF.
    #[must_use]
    pub fn of_gguf(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|known| known.gguf == Some(name))
    }

    /// What Dojo can train and run, for messages to people.
    #[must_use]
    pub fn known() -> String {
        ALL.map(|known| known.name).join(", ")
    }
}
