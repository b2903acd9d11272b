//! A model's tensors by their Hugging Face names, from whichever file they are in.

use anyhow::Result;
use candle_core::quantized::GgmlDType;

/// Reads tensors by Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, `model.embed_tokens.weight`,
/// `lm_head.weight`, ...). A GGUF's names are translated, and its q and k rows put back in Hugging Face's rotary
/// order, so that no caller ever sees ggml's layout.
pub trait Weights: Send + Sync {
    /// Whether the tensor is there.
    fn has(&self, name: &str) -> bool;

    /// The tensor as f32, row by row, after checking its shape.
    ///
    /// # Errors
    /// Where it is missing, has another shape, or the file is damaged; the message names tensor and file.
    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>>;

    /// The tensor as it is stored: its blocks, row by row, in Hugging Face's row order; and their type.
    ///
    /// # Errors
    /// As [`Weights::f32`].
    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored>;
}

/// A tensor's bytes in one of ggml's formats (plain F32, F16 and BF16 among them).
#[derive(Debug, Clone)]
pub struct Stored {
    pub format: GgmlDType,
    pub bytes: Vec<u8>,
}
