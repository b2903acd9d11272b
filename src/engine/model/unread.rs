//! Tensors that a model's file holds and the decoder of its configuration doesn't compute with. Where the file was made
//! to be computed with them, another model would be trained and asked than its maker's; so they are refused by name.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::config::ModelConfig;
use super::weights::Weights;
use dojo_core::domain::name::shown;

/// The matrices of a layer, by their Hugging Face paths.
const MATRICES: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// Ends of names that hold nothing learnt: tables and masks that follow from the configuration, and how an fp8 cache would
/// round.
const BUFFERS: [&str; 13] = [
    "rotary_emb.inv_freq",
    "rotary_emb.original_inv_freq",
    "rotary_emb.cos_cached",
    "rotary_emb.sin_cached",
    "attn.masked_bias",
    "attn.bias",
    "attn.k_scale",
    "attn.v_scale",
    "position_ids",
    // In a GGUF; the long factors are of texts that are refused as too long.
    "rope_freqs.weight",
    "rope_factors_short.weight",
    "rope_factors_long.weight",
    "attn_rot_embd.weight",
];

/// Beginnings of names of what stands beside the decoder and changes nothing of what it computes: heads that guess further
/// tokens or give a number, and towers for images and sounds.
const BESIDE: [&str; 11] = [
    "mtp.",
    "model.mtp",
    "v_head.",
    "value_head.",
    "score.",
    "classifier.",
    "reward_head.",
    "v.",
    "mm.",
    "a.",
    "nextn.",
];

/// Ends of names that come with numbers in a quantised form that isn't read.
const QUANTISED: [&str; 9] = [
    "SCB",
    "absmax",
    "quant_map",
    "weight_scale",
    "weight_scale_inv",
    "qzeros",
    "g_idx",
    "scales",
    "input_scale",
];

/// # Errors
/// Where the file holds a tensor that would be computed with if the configuration or the architecture were another; the
/// message names the first, and how many more there are.
pub(super) fn check(config: &ModelConfig, weights: &dyn Weights) -> Result<()> {
    let unread = weights.unread(&read_of(config));
    let (beside, refused): (Vec<&String>, Vec<&String>) =
        unread.iter().filter(|name| !is_buffer(name)).partition(|name| is_beside(name, config, &unread));
    if let Some(first) = refused.first() {
        let UnreadReason { why, then } = told(first, config);
        bail!(
            "it holds {}, which {why}{}, so Dojo would compute something else than what the file was made for; {then}",
            shown(first),
            match refused.len() - 1 {
                0 => String::new(),
                others => format!(" (and {} that Dojo doesn't read)", more(others)),
            }
        );
    }
    if let Some(first) = beside.first() {
        tracing::warn!(
            "the model's file holds tensors beside the decoder that Dojo doesn't use: {} and {} of them",
            shown(first),
            more(beside.len() - 1)
        );
    }
    Ok(())
}

/// Every tensor that a decoder may be read from. The output layer is one in any case: whether it counts is another matter.
fn read_of(config: &ModelConfig) -> BTreeSet<String> {
    let mut names: BTreeSet<String> =
        ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"].map(str::to_owned).into();
    let norms = config.layer.norms();
    let biased = if config.layer.qkv_bias { MATRICES.get(..3).unwrap_or_default() } else { &[] };
    for layer in 0..config.layers {
        let at = |part: &str, kind: &str| format!("model.layers.{layer}.{part}.{kind}");
        names.extend(MATRICES.iter().map(|part| at(part, "weight")));
        names.extend(biased.iter().map(|part| at(part, "bias")));
        names.extend(norms.iter().map(|norm| at(norm.path(), "weight")));
    }
    names
}

fn is_buffer(name: &str) -> bool {
    BUFFERS.iter().any(|end| name.ends_with(end))
}

fn is_beside(name: &str, config: &ModelConfig, unread: &[String]) -> bool {
    if BESIDE.iter().any(|begin| name.starts_with(begin)) || name.contains(".nextn.") {
        return true;
    }
    // A further layer that guesses the token after the next one says so by the projection of its two inputs.
    layer_of(name).is_some_and(|layer| {
        let projects = |other: &String| other.ends_with(".eh_proj.weight") && layer_of(other) == Some(layer);
        layer >= config.layers && unread.iter().any(projects)
    })
}

/// The number of the layer that a tensor is of, counted from 0.
fn layer_of(name: &str) -> Option<usize> {
    let rest = name.strip_prefix("model.layers.").or_else(|| name.strip_prefix("blk."))?;
    rest.split_once('.')?.0.parse().ok()
}

struct UnreadReason {
    why: String,
    then: &'static str,
}

fn told(name: &str, config: &ModelConfig) -> UnreadReason {
    let ModelConfig { architecture, layers, .. } = config;
    if let Some(layer) = layer_of(name).filter(|layer| layer >= layers) {
        return UnreadReason {
            why: format!("is of layer {}, beyond the last one of its configuration, {layers}", layer + 1),
            then: "set the number of layers right (num_hidden_layers), or save the model anew without what lies beyond",
        };
    }
    if QUANTISED.iter().any(|end| name.ends_with(end)) {
        return UnreadReason {
            why: "belongs to numbers in a quantised form that Dojo doesn't read".to_owned(),
            then: "take the model in bf16, f16 or f32, or as a GGUF",
        };
    }
    UnreadReason {
        why: format!("isn't part of a model of the kind {} by its configuration", architecture.name),
        then: "set the configuration right (model_type and the keys of biases and norms), or, where the model shall be \
               computed without it, save the model anew with transformers, which leaves it out",
    }
}

fn more(count: usize) -> String {
    if count == 1 { "1 more tensor".to_owned() } else { format!("{count} more tensors") }
}
