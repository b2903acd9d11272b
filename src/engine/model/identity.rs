//! What tells one model from another of the same name: its configuration as it is read, and of each tensor its shape,
//! its number type and a sample of its bytes. A few milliseconds, however large the model is.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{ModelConfig, Weights};

/// A model as it was at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// What is computed with, by the names of `config.json` as far as it has them.
    config: BTreeMap<String, String>,
    /// A hash of each tensor, by its name in the file.
    tensors: BTreeMap<String, String>,
}

/// Longer values are told by their name alone.
const TOLD: usize = 40;

impl ModelIdentity {
    /// # Errors
    /// Where a tensor can't be read.
    pub fn of(config: &ModelConfig, weights: &dyn Weights) -> Result<Self> {
        let config = facts(config).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let written = |(name, hash): (String, u64)| (name, format!("{hash:016x}"));
        Ok(Self { config, tensors: weights.samples()?.into_iter().map(written).collect() })
    }

    /// How a model differs that should be this one. What only one of two versions of Dojo looks at is no difference.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        let other = |(name, before): (&String, &String)| {
            let after = now.config.get(name).filter(|after| *after != before)?;
            let short = before.len().max(after.len()) <= TOLD;
            Some(if short {
                format!("{name} is {after} and was {before}")
            } else {
                format!("another {name}")
            })
        };
        let config = self.config.iter().find_map(other);
        config
            .map(|told| format!("its configuration has changed ({told})"))
            .or_else(|| self.other_tensors(now))
    }

    fn other_tensors(&self, now: &Self) -> Option<String> {
        let changed = self.tensors.iter().filter(|(name, hash)| now.tensors.get(*name) != Some(hash));
        let new = now.tensors.iter().filter(|(name, _)| !self.tensors.contains_key(*name));
        let mut names = changed.chain(new).map(|(name, _)| name);
        let first = names.next()?;
        let (count, all) = (1 + names.count(), self.tensors.len());
        Some(format!("its weights have changed ({count} of {all} tensors, such as {first})"))
    }
}

/// What tokens there are and which end a text shows in the examples; a layer's plan follows from the architecture and the
/// tensors.
fn facts(config: &ModelConfig) -> Vec<(&'static str, String)> {
    let ModelConfig {
        architecture,
        vocabulary,
        hidden,
        intermediate,
        layers,
        heads,
        kv_heads,
        head_dim,
        context: _,
        norm_epsilon,
        rope,
        local_rope,
        windows,
        rotary_layers,
        activation,
        layer: _,
        embedding_scale,
        attention_scale,
        attention_softcap,
        logit_softcap,
        logit_scale,
        tied_embeddings,
        bos: _,
        eos: _,
    } = config;
    vec![
        ("architecture", architecture.model_type.to_owned()),
        ("vocab_size", vocabulary.to_string()),
        ("hidden_size", hidden.to_string()),
        ("intermediate_size", intermediate.to_string()),
        ("num_hidden_layers", layers.to_string()),
        ("num_attention_heads", heads.to_string()),
        ("num_key_value_heads", kv_heads.to_string()),
        ("head_dim", head_dim.to_string()),
        ("rms_norm_eps", format!("{norm_epsilon:?}")),
        ("rope_theta", format!("{:?}", rope.theta)),
        ("rotary size", rope.dimensions.to_string()),
        ("rope_scaling", format!("{:?}", rope.scaling)),
        ("rotary embedding of local layers", format!("{local_rope:?}")),
        ("sliding windows", format!("{windows:?}")),
        ("layers that rotate", format!("{rotary_layers:?}")),
        ("hidden_act", format!("{activation:?}")),
        ("embedding scale", format!("{embedding_scale:?}")),
        ("attention scale", format!("{attention_scale:?}")),
        ("attn_logit_softcapping", format!("{attention_softcap:?}")),
        ("final_logit_softcapping", format!("{logit_softcap:?}")),
        ("logit scale", format!("{logit_scale:?}")),
        ("tie_word_embeddings", tied_embeddings.to_string()),
    ]
}
