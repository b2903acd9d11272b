//! Weights at random, of any shape and without a file: to measure what a model of that shape takes.

use anyhow::{Context, Result, ensure};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::architecture::MISTRAL;
use super::blocks::size_in_bytes;
use super::config::{Activation, ModelConfig, Rope, RopeScaling};
use super::weights::{Stored, Weights};

/// Different numbers; tensors repeat them.
const NUMBERS: usize = 1 << 20;

/// The largest number: uniform up to this has the standard deviation 0.02, as fresh models have.
const LARGEST: f32 = 0.034_64;

/// Norms of one, everything else uniform; stored as `Q4_K`.
pub struct RandomWeights {
    numbers: Vec<f32>,
    blocks: Vec<u8>,
}

impl RandomWeights {
    /// # Errors
    /// Where the numbers can't be quantised.
    pub fn new() -> Result<Self> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            LARGEST * ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0)
        };
        let numbers: Vec<f32> = (0..NUMBERS).map(|_| next()).collect();
        let tensor = Tensor::from_slice(&numbers, NUMBERS, &Device::Cpu)?;
        let blocks = QTensor::quantize(&tensor, FORMAT)?.data()?.into_owned();
        Ok(Self { numbers, blocks })
    }
}

const FORMAT: GgmlDType = GgmlDType::Q4K;

/// So many elements, the source again and again.
fn repeated<T: Copy>(source: &[T], length: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        let left = (length - out.len()).min(source.len());
        out.extend_from_slice(source.get(..left).unwrap_or(source));
    }
    out
}

impl Weights for RandomWeights {
    fn has(&self, _name: &str) -> bool {
        true
    }

    fn f32(&self, _name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let length = shape.iter().product();
        Ok(if shape.len() == 1 { vec![1.0; length] } else { repeated(&self.numbers, length) })
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        let length: usize = shape.iter().product();
        let bytes = size_in_bytes(FORMAT, length);
        let bytes = bytes.with_context(|| format!("tensor {name}: {shape:?} is no whole blocks"))?;
        ensure!(!self.blocks.is_empty(), "no blocks");
        Ok(Stored { format: FORMAT, bytes: repeated(&self.blocks, bytes) })
    }
}

/// The shape of Mistral 7B (version 0.1 without its window): 7.24 thousand million parameters.
#[must_use]
pub fn mistral_7b() -> ModelConfig {
    let layers = 32;
    ModelConfig {
        architecture: &MISTRAL,
        vocabulary: 32_000,
        hidden: 4096,
        intermediate: 14_336,
        layers,
        heads: 32,
        kv_heads: 8,
        head_dim: 128,
        context: 32_768,
        norm_epsilon: 1e-5,
        rope: Rope { theta: 1e4, dimensions: 128, scaling: RopeScaling::None },
        local_rope: None,
        windows: vec![None; layers],
        rotary_layers: vec![true; layers],
        activation: Activation::SwiGlu,
        layer: MISTRAL.layer,
        embedding_scale: 1.0,
        attention_scale: 1.0 / 128_f32.sqrt(),
        attention_softcap: None,
        logit_softcap: None,
        logit_scale: 1.0,
        tied_embeddings: false,
        bos: Some(1),
        eos: vec![2],
    }
}
