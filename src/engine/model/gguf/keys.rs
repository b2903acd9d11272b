//! The keys of a GGUF's header that decide what is computed: each is read, says nothing but what is computed anyhow, or is
//! refused by name. What llama.cpp's converter writes is known; what isn't known is refused unless it is off.

use anyhow::{Result, bail, ensure};

use super::{GgufValue, Header};
use crate::model::architecture::{Architecture, Scales, Windows};
use crate::model::config::{Activation, ModelConfig, RopeScaling};
use dojo_core::domain::name::shown;

/// Keys that the configuration is read from, after the architecture's name. Their kinds are checked where they are read.
const READ: [&str; 15] = [
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "rope.freq_base",
    "rope.dimension_count",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scale_linear",
];

/// Keys that change nothing that is computed: what the tensors say by themselves, where a file comes from, what only `YaRN`
/// (which is refused by its type) or a mixture of experts would need, and how embeddings would be pooled.
const DESCRIBES: [&str; 9] = [
    "vocab_size",
    "tensor_data_layout",
    "attention.layer_norm_epsilon",
    "rope.scaling.original_context_length",
    "rope.scaling.finetuned",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "rope.scaling.yarn_log_multiplier",
    "pooling_type",
];

/// Beginnings of keys of what isn't computed: experts where there are none, and the towers beside the decoder.
const BESIDE: [&str; 4] = ["expert_", "vision.", "audio.", "mm."];

/// A window that is computed and that llama.cpp passes over for this architecture, in a sentence: longer texts come out
/// otherwise there.
pub(crate) fn unheeded_window(header: &Header) -> Option<String> {
    let prefix = header.text("general.architecture")?;
    let heeded = matches!(Architecture::of_gguf(prefix)?.windows, Windows::AllBut { .. });
    let count = |name: &str| header.count(&format!("{prefix}.{name}")).ok().flatten();
    let window = count("attention.sliding_window").filter(|window| *window > 0)?;
    let matters = count("context_length").is_none_or(|context| window < context);
    (matters && !heeded).then(|| {
        format!(
            "its header has a window of {window} tokens ({prefix}.attention.sliding_window), and its layers look back no \
             farther here; llama.cpp passes over it for this architecture, so longer texts come out otherwise there"
        )
    })
}

/// # Errors
/// If the file holds no whole model: an adapter, a vocabulary alone, another part of a model, one piece of several.
pub(super) fn refuse_other_files(header: &Header) -> Result<()> {
    if let Some(value) = header.metadata.get("split.count")
        && number(value).is_none_or(|pieces| pieces > 1.0)
    {
        bail!(
            "it is one of {} pieces of a model (split.count): put them together with llama.cpp's llama-gguf-split --merge",
            told(value)
        );
    }
    let kind = match header.metadata.get("general.type") {
        None => None,
        Some(GgufValue::Text(kind)) => Some(kind.as_str()),
        Some(other) => bail!("general.type is {}, not a text", told(other)),
    };
    let adapts = header.metadata.keys().find(|key| key.starts_with("adapter."));
    match (kind, adapts) {
        (Some("adapter"), _) => bail!(
            "it is an adapter, not a model (general.type): adapters are read as PEFT writes them, a folder with \
             adapter_config.json and adapter_model.safetensors"
        ),
        (_, Some(key)) => {
            bail!(
                "it holds {}, so it is an adapter or has one in it, which Dojo doesn't read from a GGUF",
                shown(key)
            )
        }
        (None | Some("" | "model"), None) => Ok(()),
        (Some(other), None) => bail!(
            "it holds no model: its general.type is {} (Dojo reads model); take the GGUF of the model itself",
            shown(other)
        ),
    }
}

/// What a header asks of answers, key by key.
pub(crate) fn of_answers(header: &Header) -> Vec<String> {
    const SAMPLING: &str = "general.sampling.";
    let sampling = header.metadata.iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(SAMPLING)?;
        Some(format!("{} {}", shown(name), told(value)))
    });
    let suppressed = header.metadata.get("tokenizer.ggml.suppress_tokens").filter(|value| match value {
        GgufValue::Integers(ids) => !ids.is_empty(),
        GgufValue::Integer(_)
        | GgufValue::Float(_)
        | GgufValue::Bool(_)
        | GgufValue::Text(_)
        | GgufValue::Floats(_)
        | GgufValue::Bools(_)
        | GgufValue::Texts(_) => true,
    });
    sampling.chain(suppressed.map(|value| format!("suppress_tokens {}", told(value)))).collect()
}

/// # Errors
/// If a key asks for something that isn't computed; the message names the first, and how many more there are.
pub(super) fn check(header: &Header, prefix: &str, config: &ModelConfig) -> Result<()> {
    let own = header.metadata.iter().filter_map(|(key, value)| {
        let name = key.strip_prefix(prefix)?.strip_prefix('.')?;
        Some((key, name, value))
    });
    let mut refused = own.filter(|(_, name, value)| !is_computed(name, value, config));
    if let Some((key, _, value)) = refused.next() {
        let more = match refused.count() {
            0 => String::new(),
            1 => " (and 1 more key that Dojo doesn't read)".to_owned(),
            others => format!(" (and {others} more keys that Dojo doesn't read)"),
        };
        bail!(
            "its header sets {} to {}, which Dojo doesn't compute with{more}, so another model would be trained and asked \
             than its maker's; take the model's own folder (config.json and safetensors), or another file of it",
            shown(key),
            told(value)
        );
    }
    for key in
        ["add_bos_token", "add_eos_token", "add_space_prefix"].map(|name| format!("tokenizer.ggml.{name}"))
    {
        let kind = header.metadata.get(&key);
        ensure!(
            matches!(kind, None | Some(GgufValue::Bool(_))),
            "{key} is {}, neither true nor false",
            kind.map(told).unwrap_or_default()
        );
    }
    for name in ["normalizer.lowercase", "normalizer.strip_accents"] {
        let key = format!("tokenizer.ggml.{name}");
        ensure!(
            header.metadata.get(&key).is_none_or(is_off),
            "its header sets {key}, which Dojo's tokenizer doesn't do, so it would read other tokens than the model's own"
        );
    }
    Ok(())
}

/// Whether what a key says is what is computed.
fn is_computed(name: &str, value: &GgufValue, config: &ModelConfig) -> bool {
    let is = |expected: f32| {
        let expected = f64::from(expected);
        number(value).is_some_and(|number| (number - expected).abs() <= 1e-5 * expected.abs())
    };
    let multiplies = config.architecture.scales == Scales::Multipliers;
    match name {
        // llama.cpp reads them of these families alone.
        "attn_logit_softcapping" | "final_logit_softcapping" => {
            config.architecture.scales == Scales::Gemma || is_off(value)
        }
        _ if READ.contains(&name) || DESCRIBES.contains(&name) => true,
        _ if BESIDE.iter().any(|begin| name.starts_with(begin)) => true,
        "attention.rope_pattern" => *value == GgufValue::Bools(config.rotary_layers.clone()),
        "attention.causal" => *value == GgufValue::Bool(true),
        "attention.value_length" | "attention.key_length_swa" | "attention.value_length_swa" => {
            is(config.head_dim as f32)
        }
        "embedding_length_out" => is(config.hidden as f32),
        "rope.dimension_count_swa" => is(config.rope.dimensions as f32),
        "rope.freq_base_swa" => config.local_rope.is_some() || is(config.rope.theta),
        "rope.scaling.attn_factor" => match &config.rope.scaling {
            RopeScaling::PerFrequency { attention_factor, .. } => is(*attention_factor),
            RopeScaling::None | RopeScaling::Linear(_) | RopeScaling::Llama3 { .. } => is(1.0),
        },
        "rope.scaling.yarn_attn_factor" => is(1.0),
        "rope.scaling.yarn_ext_factor" => number(value).is_some_and(|factor| factor <= 0.0),
        "attention.scale" => multiplies || is_off(value) || is(config.attention_scale),
        "embedding_scale" | "residual_scale" | "logit_scale" => multiplies || is_off(value) || is(1.0),
        "hidden_activation" => match (value, config.activation) {
            (GgufValue::Text(named), Activation::SwiGlu) => matches!(named.as_str(), "silu" | "swish"),
            (GgufValue::Text(named), Activation::GeGlu) => {
                matches!(named.as_str(), "gelu_pytorch_tanh" | "gelu")
            }
            _ => false,
        },
        _ => is_off(value),
    }
}

/// Whether a value asks for nothing.
fn is_off(value: &GgufValue) -> bool {
    match value {
        GgufValue::Integer(number) => *number == 0,
        GgufValue::Float(number) => *number == 0.0,
        GgufValue::Bool(on) => !on,
        GgufValue::Text(text) => text.is_empty() || text == "none",
        GgufValue::Integers(numbers) => numbers.iter().all(|number| *number == 0),
        GgufValue::Floats(numbers) => numbers.iter().all(|number| *number == 0.0),
        GgufValue::Bools(all) => !all.contains(&true),
        GgufValue::Texts(texts) => texts.is_empty(),
    }
}

/// A number, also if it is given once for each layer and is always the same.
fn number(value: &GgufValue) -> Option<f64> {
    match value {
        GgufValue::Integer(number) => Some(*number as f64),
        GgufValue::Float(number) => Some(*number),
        GgufValue::Integers(numbers) => {
            let (first, rest) = numbers.split_first()?;
            rest.iter().all(|number| number == first).then_some(*first as f64)
        }
        GgufValue::Floats(numbers) => {
            let (first, rest) = numbers.split_first()?;
            rest.iter().all(|number| number.total_cmp(first).is_eq()).then_some(*first)
        }
        GgufValue::Bool(_) | GgufValue::Text(_) | GgufValue::Bools(_) | GgufValue::Texts(_) => None,
    }
}

/// A value, for messages to people.
fn told(value: &GgufValue) -> String {
    match value {
        GgufValue::Integer(number) => number.to_string(),
        GgufValue::Float(number) => number.to_string(),
        GgufValue::Bool(on) => on.to_string(),
        GgufValue::Text(text) => shown(text),
        GgufValue::Integers(numbers) => format!("a list of {} numbers", numbers.len()),
        GgufValue::Floats(numbers) => format!("a list of {} numbers", numbers.len()),
        GgufValue::Bools(all) => format!("a list of {} flags", all.len()),
        GgufValue::Texts(texts) => format!("a list of {} texts", texts.len()),
    }
}
