//! A merged folder's `config.json` and `generation_config.json`: the base's own with what the training changed; made of the
//! model's configuration if the base is a GGUF.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::tensors::NormForm;
use crate::model::architecture::{ActivationKey, Architecture, MISTRAL, RotaryLayers, Scales};
use crate::model::config::{Activation, Rope, RopeScaling};
use crate::model::files::ModelStorage;
use crate::model::{ModelConfig, OpenModel, hf};
use dojo_core::data::regular::is_there;

const GENERATION: &str = "generation_config.json";

/// The form of norms that folders have.
pub(super) const NORMS: NormForm = NormForm::Offset;

/// `config.json` for weights of a number type (`bfloat16`).
///
/// # Errors
/// If the base's can't be read, or the model has what no `config.json` says.
pub(super) fn of(model: &OpenModel, dtype: &str) -> Result<Value> {
    let mut config: Map<String, Value> = match &model.files.form {
        ModelStorage::HuggingFace(folder) => hf::json(&folder.join("config.json"))?,
        ModelStorage::Gguf(_) => made(&model.config)?,
    };
    config.insert("vocab_size".to_owned(), model.config.vocabulary.into());
    config.insert("tie_word_embeddings".to_owned(), model.config.tied_embeddings.into());
    let known = if config.contains_key("dtype") { "dtype" } else { "torch_dtype" };
    config.insert(known.to_owned(), dtype.into());
    config.entry("architectures").or_insert_with(|| json!([model.config.architecture.class]));
    // The weights are plain now, whatever they were to be rounded by while they are loaded.
    for key in ["quantization_config", "compression_config"] {
        config.remove(key);
    }
    Ok(Value::Object(config))
}

/// `generation_config.json`, with every token that ends an answer.
///
/// # Errors
/// If the base's can't be read.
pub(super) fn generation(model: &OpenModel) -> Result<Value> {
    let mut keys: Map<String, Value> = match &model.files.form {
        ModelStorage::HuggingFace(folder) => hf::optional_json(&folder.join(GENERATION))?.unwrap_or_default(),
        ModelStorage::Gguf(_) => Map::new(),
    };
    if let Some(bos) = model.config.bos {
        keys.entry("bos_token_id").or_insert(bos.into());
    }
    let ends = match model.config.eos.as_slice() {
        [] => Value::Null,
        [one] => (*one).into(),
        several => several.into(),
    };
    keys.insert("eos_token_id".to_owned(), ends);
    Ok(Value::Object(keys))
}

/// A `config.json` that says what a GGUF's header said.
fn made(config: &ModelConfig) -> Result<Map<String, Value>> {
    let windowed = config.windows.iter().any(Option::is_some);
    // Mistral's GGUFs say "llama".
    let is_mistral = windowed && config.architecture.model_type == "llama";
    let architecture = if is_mistral { &MISTRAL } else { config.architecture };
    let activation = match config.activation {
        Activation::SwiGlu => "silu",
        Activation::GeGlu => "gelu_pytorch_tanh",
    };
    let activation_key = match architecture.activation_key {
        ActivationKey::HiddenAct => "hidden_act",
        ActivationKey::HiddenActivation => "hidden_activation",
    };
    let mut keys = json!({
        "architectures": [architecture.class],
        "model_type": architecture.model_type,
        "vocab_size": config.vocabulary,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "max_position_embeddings": config.context,
        "rms_norm_eps": config.norm_epsilon,
        "rope_theta": config.rope.theta,
        "rope_scaling": rope_scaling(&config.rope, config.context),
        "attention_bias": config.layer.qkv_bias,
        "tie_word_embeddings": config.tied_embeddings,
        "bos_token_id": config.bos,
        "eos_token_id": config.eos,
    });
    keys[activation_key] = activation.into();
    windows(&mut keys, config, windowed)?;
    scales(&mut keys, config, architecture)?;
    if let Some(local) = &config.local_rope {
        keys["rope_local_base_freq"] = local.theta.into();
    }
    if config.rope.dimensions != config.head_dim {
        ensure!(
            architecture.has_partial_rope,
            "{} has no key for heads of which a part rotates",
            architecture.name
        );
        keys["partial_rotary_factor"] = (config.rope.dimensions as f64 / config.head_dim as f64).into();
    }
    if let RotaryLayers::AllBut { .. } = architecture.rotary_layers {
        keys["no_rope_layers"] = config.rotary_layers.iter().map(|&on| u8::from(on)).collect();
    }
    match keys {
        Value::Object(keys) => Ok(keys.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        _ => bail!("a configuration is no object"),
    }
}

fn windows(keys: &mut Value, config: &ModelConfig, windowed: bool) -> Result<()> {
    let kind = |window: &Option<usize>| if window.is_some() { "sliding_attention" } else { "full_attention" };
    // Said even if there are none: some architectures have windows unless a file says otherwise.
    if windowed || config.architecture.reads_layer_types {
        keys["layer_types"] = config.windows.iter().map(kind).collect();
    }
    if !windowed {
        return Ok(());
    }
    let mut sizes: Vec<usize> = config.windows.iter().flatten().copied().collect();
    sizes.dedup();
    let [window] = sizes.as_slice() else {
        bail!("its layers have windows of several sizes, which no config.json says")
    };
    keys["sliding_window"] = (*window).into();
    keys["use_sliding_window"] = true.into();
    Ok(())
}

fn scales(keys: &mut Value, config: &ModelConfig, architecture: &Architecture) -> Result<()> {
    match architecture.scales {
        Scales::Usual => {}
        Scales::Gemma => {
            keys["query_pre_attn_scalar"] =
                (1.0 / (config.attention_scale * config.attention_scale)).round().into();
            keys["final_logit_softcapping"] = config.logit_softcap.into();
        }
        Scales::Multipliers => {
            // The embedding's scale and the norms' epsilon have taken in what the residual stream is multiplied by.
            keys["embedding_multiplier"] = config.embedding_scale.into();
            keys["residual_multiplier"] = 1.0.into();
            keys["attention_multiplier"] = config.attention_scale.into();
            keys["logits_scaling"] = (1.0 / config.logit_scale).into();
        }
    }
    ensure!(
        config.attention_softcap.is_none(),
        "it caps its scores, which no config.json of {} says",
        architecture.name
    );
    Ok(())
}

/// Divisors for each frequency are said as `LongRoPE` says them, the same for long texts.
fn rope_scaling(rope: &Rope, context: usize) -> Value {
    match &rope.scaling {
        RopeScaling::None => Value::Null,
        RopeScaling::Linear(factor) => json!({"rope_type": "linear", "factor": factor}),
        RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context } => json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low_frequency,
            "high_freq_factor": high_frequency,
            "original_max_position_embeddings": original_context,
        }),
        RopeScaling::PerFrequency { divisors, attention_factor } => json!({
            "rope_type": "longrope",
            "short_factor": divisors,
            "long_factor": divisors,
            "attention_factor": attention_factor,
            "factor": 1.0,
            "original_max_position_embeddings": context,
        }),
    }
}

/// The names of what else a folder's tokenizer and prompts are read from.
pub(super) const BESIDE: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "LICENSE",
];

/// Copies what a folder holds beside its weights.
///
/// # Errors
/// If a file can't be read or written.
pub(super) fn copy_beside(from: &Path, to: &Path) -> Result<()> {
    for name in BESIDE {
        let path = from.join(name);
        if is_there(&path) {
            let bytes = hf::read_bounded(&path, MOST_BYTES)?;
            dojo_core::ground::files::write_atomically(&to.join(name), &bytes)?;
        }
    }
    Ok(())
}

/// A tokenizer's file has tens of megabytes.
const MOST_BYTES: u64 = 256 << 20;
