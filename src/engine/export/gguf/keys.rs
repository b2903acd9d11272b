//! A header's keys of the architecture: what the decoder looks like, as llama.cpp reads it. What it has no key for is
//! refused by name.

use anyhow::{Context, Result, ensure};

use super::write::Entries;
use crate::model::ModelConfig;
use crate::model::architecture::{RotaryLayers, Scales};
use crate::model::config::RopeScaling;
use crate::model::gguf::GgufValue;

/// The name that Mistral's models have in a GGUF, which has none of its own for them.
const LLAMA: &str = "llama";

/// llama.cpp's name of the architecture.
pub(super) fn prefix(config: &ModelConfig) -> &'static str {
    config.architecture.gguf.unwrap_or(LLAMA)
}

/// The keys that begin with the architecture's name.
///
/// # Errors
/// If llama.cpp computes this architecture otherwise than the model is computed.
pub(super) fn of(config: &ModelConfig) -> Result<Entries> {
    refuse_what_has_no_key(config)?;
    let mut keys = Keys { prefix: prefix(config), entries: Vec::new() };
    keys.count("block_count", config.layers)?;
    keys.count("context_length", config.context)?;
    keys.count("embedding_length", config.hidden)?;
    keys.count("feed_forward_length", config.intermediate)?;
    keys.count("attention.head_count", config.heads)?;
    keys.count("attention.head_count_kv", config.kv_heads)?;
    keys.count("attention.key_length", config.head_dim)?;
    keys.count("attention.value_length", config.head_dim)?;
    keys.count("vocab_size", config.vocabulary)?;
    keys.float("attention.layer_norm_rms_epsilon", config.norm_epsilon);
    keys.float("rope.freq_base", config.rope.theta);
    keys.count("rope.dimension_count", config.rope.dimensions)?;
    if let RopeScaling::Linear(factor) = config.rope.scaling {
        keys.push("rope.scaling.type", GgufValue::Text("linear".to_owned()));
        keys.float("rope.scaling.factor", factor);
    }
    if let Some(local) = &config.local_rope {
        keys.float("rope.freq_base_swa", local.theta);
    }
    keys.windows(config)?;
    if let Some(cap) = config.attention_softcap {
        keys.float("attn_logit_softcapping", cap);
    }
    if let Some(cap) = config.logit_softcap {
        keys.float("final_logit_softcapping", cap);
    }
    if config.architecture.scales == Scales::Multipliers {
        keys.float("embedding_scale", config.embedding_scale);
        // The residual stream is held divided by its factor, which the embedding's scale and the epsilon have taken in.
        keys.float("residual_scale", 1.0);
        keys.float("attention.scale", config.attention_scale);
        keys.float("logit_scale", 1.0 / config.logit_scale);
    }
    Ok(keys.entries)
}

fn refuse_what_has_no_key(config: &ModelConfig) -> Result<()> {
    let architecture = config.architecture;
    let near = |a: f32, b: f32| (a - b).abs() <= 1e-5 * b.abs();
    ensure!(
        config.activation == architecture.activation,
        "a GGUF of {} has no key for its activation, {:?}",
        architecture.name,
        config.activation
    );
    let rotates = |layer: usize| match architecture.rotary_layers {
        RotaryLayers::All => true,
        RotaryLayers::AllBut { every } => !(layer + 1).is_multiple_of(every),
    };
    let usual = config.rotary_layers.iter().enumerate().all(|(layer, &on)| on == rotates(layer));
    ensure!(usual, "a GGUF of {} has no key for which layers rotate", architecture.name);
    let by_head = 1.0 / (config.head_dim as f32).sqrt();
    let expected = match architecture.scales {
        Scales::Multipliers => return Ok(()),
        // llama.cpp tells the 27B model by its number of layers.
        Scales::Gemma if config.layers == 62 => 1.0 / ((config.hidden / config.heads) as f32).sqrt(),
        Scales::Gemma | Scales::Usual => by_head,
    };
    ensure!(
        near(config.attention_scale, expected),
        "a GGUF of {} has no key for the scale of its scores, {} (query_pre_attn_scalar), and llama.cpp would take {expected}",
        architecture.name,
        config.attention_scale
    );
    Ok(())
}

struct Keys {
    prefix: &'static str,
    entries: Entries,
}

impl Keys {
    fn push(&mut self, name: &str, value: GgufValue) {
        self.entries.push((format!("{}.{name}", self.prefix), value));
    }

    fn count(&mut self, name: &str, count: usize) -> Result<()> {
        let count = i64::try_from(count).with_context(|| format!("{name} is {count}"))?;
        self.push(name, GgufValue::Integer(count));
        Ok(())
    }

    fn float(&mut self, name: &str, value: f32) {
        self.push(name, GgufValue::Float(f64::from(value)));
    }

    /// One window for all layers that have one, and which those are, if it isn't all of them.
    fn windows(&mut self, config: &ModelConfig) -> Result<()> {
        let mut sizes: Vec<usize> = config.windows.iter().flatten().copied().collect();
        sizes.dedup();
        let window = match sizes.as_slice() {
            [] => return Ok(()),
            [window] => *window,
            _ => anyhow::bail!("its layers have windows of several sizes, which a GGUF can't say"),
        };
        self.count("attention.sliding_window", window)?;
        if config.windows.iter().any(Option::is_none) {
            let flags = config.windows.iter().map(Option::is_some).collect();
            self.push("attention.sliding_window_pattern", GgufValue::Bools(flags));
        }
        Ok(())
    }
}

/// What llama.cpp passes over, in sentences for whoever takes the file there.
pub(super) fn notices(config: &ModelConfig) -> Vec<String> {
    let windows = config.windows.iter().flatten().min().filter(|_| !config.architecture.gguf_windows);
    let windows = windows.filter(|&&window| window < config.context).map(|window| {
        format!(
            "its layers look back {window} tokens, which llama.cpp doesn't do for {}: ask it no longer texts than that",
            config.architecture.name
        )
    });
    windows.into_iter().collect()
}
