//! Decoders that embed (Qwen3-Embedding, Zhang et al. 2025): the layers of a chat model without its output, whose last token
//! has seen the whole text. Read here; their arithmetic is in `layers`.

mod layers;

use std::path::Path;

use anyhow::{Result, ensure};

pub(super) use self::layers::{DecoderEncoder, DecoderScratch};
use self::layers::{DecoderEncoderLayer, HeadNorms};
use crate::kernels::attention::text::{TextHeads, TextSight};
use crate::kernels::linear::Linear;
use crate::kernels::rope::Rotation;
use crate::model::layer::{LayerNorm, final_norm, layer_norm, qkv_bias};
use crate::model::{ModelConfig, Weights, open_body};

/// Tokens of a text at most, whatever the model was made for: a longer one takes more memory than a question is worth.
const LONGEST: usize = 8192;

/// A model's layers, laid out.
pub(super) struct LoadedDecoder {
    pub(super) encoder: DecoderEncoder,
    pub(super) vocabulary: usize,
    /// Tokens of a text at most.
    pub(super) longest: usize,
}

/// Reads all weights as f32 and lays them out.
///
/// # Errors
/// If a file is damaged, or its layers are of a kind that isn't computed here.
pub(super) fn load(folder: &Path) -> Result<LoadedDecoder> {
    let (config, weights) = open_body(folder)?;
    let windows = config.windows.iter().flatten().copied().min();
    ensure!(
        config.attention_softcap.is_none()
            && config.rotary_layers.iter().all(|&rotates| rotates)
            && config.local_rope.is_none()
            && config.layer.attention.after.is_none()
            && config.layer.feed_forward.after.is_none(),
        "its architecture is {}, and decoders that embed are read as Qwen3, Qwen2, Llama and Mistral",
        config.architecture.name
    );
    let (frequencies, factor) = config.rope.frequencies();
    let longest = config.context.min(LONGEST).min(windows.unwrap_or(LONGEST));
    let weights: &dyn Weights = weights.as_ref();
    let mut words = weights.f32("model.embed_tokens.weight", &[config.vocabulary, config.hidden])?;
    words.iter_mut().for_each(|value| *value *= config.embedding_scale);
    let encoder = DecoderEncoder {
        words,
        layers: (0..config.layers).map(|index| layer(&config, weights, index)).collect::<Result<_>>()?,
        norm: final_norm(&config, weights)?,
        epsilon: config.norm_epsilon,
        activation: config.activation,
        intermediate: config.intermediate,
        heads: TextHeads {
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
            sight: TextSight::Before,
        },
        rotation: Rotation::new(&frequencies, factor, longest),
    };
    Ok(LoadedDecoder { encoder, vocabulary: config.vocabulary, longest })
}

fn layer(config: &ModelConfig, weights: &dyn Weights, index: usize) -> Result<DecoderEncoderLayer> {
    let (hidden, query, kv) = (config.hidden, config.query_width(), config.kv_width());
    let read = |part: &str, outputs: usize, inputs: usize| {
        weights.f32(&format!("model.layers.{index}.{part}.weight"), &[outputs, inputs])
    };
    let plain =
        |weight: &[f32], outputs: usize, inputs: usize| Linear::new(weight, &vec![0.0; outputs], inputs);
    let norm = |norm: LayerNorm| layer_norm(config, weights, index, norm);
    let mut head_norms = match config.layer.head_norms {
        Some([of_query, of_key]) => Some(HeadNorms { query: norm(of_query)?, key: norm(of_key)? }),
        None => None,
    };
    let mut qkv = read("self_attn.q_proj", query, hidden)?;
    qkv.extend(read("self_attn.k_proj", kv, hidden)?);
    qkv.extend(read("self_attn.v_proj", kv, hidden)?);
    let mut bias = qkv_bias(config, weights, index)?.unwrap_or_else(|| vec![0.0; query + 2 * kv]);
    // Scores are scaled by their queries: rotation leaves a factor as it is, a norm takes it away.
    let scale = config.attention_scale;
    let scaled = |values: &mut [f32]| values.iter_mut().for_each(|value| *value *= scale);
    if let Some(norms) = &mut head_norms {
        scaled(&mut norms.query);
    } else {
        scaled(qkv.get_mut(..query * hidden).unwrap_or_default());
        scaled(bias.get_mut(..query).unwrap_or_default());
    }
    let mut gate_up = read("mlp.gate_proj", config.intermediate, hidden)?;
    gate_up.extend(read("mlp.up_proj", config.intermediate, hidden)?);
    Ok(DecoderEncoderLayer {
        attention_norm: norm(config.layer.attention.before)?,
        qkv: Linear::new(&qkv, &bias, hidden),
        head_norms,
        out: plain(&read("self_attn.o_proj", hidden, query)?, hidden, query),
        output_norm: norm(config.layer.feed_forward.before)?,
        gate_up: plain(&gate_up, 2 * config.intermediate, hidden),
        down: plain(&read("mlp.down_proj", hidden, config.intermediate)?, hidden, config.intermediate),
    })
}
