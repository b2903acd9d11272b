//! What a Hugging Face folder asks for beyond what is computed: how answers are sampled, and weights that would be
//! quantised when they are loaded.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{json, optional_json};
use crate::model::notices::ModelNotices;
use dojo_core::data::mapping::is_unsaid;
use dojo_core::domain::name::shown;

const GENERATION: &str = "generation_config.json";

/// When a key of `generation_config.json` changes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Always,
    /// With `do_sample`.
    WhenSampling,
    /// With more beams than one.
    WithBeams,
}

/// The keys of transformers that change what is answered, with the number that changes nothing.
const ANSWERS: [(&str, Option<f64>, Counts); 40] = [
    ("repetition_penalty", Some(1.0), Counts::Always),
    ("encoder_repetition_penalty", Some(1.0), Counts::Always),
    ("no_repeat_ngram_size", Some(0.0), Counts::Always),
    ("encoder_no_repeat_ngram_size", Some(0.0), Counts::Always),
    ("bad_words_ids", None, Counts::Always),
    ("force_words_ids", None, Counts::Always),
    ("constraints", None, Counts::Always),
    ("suppress_tokens", None, Counts::Always),
    ("begin_suppress_tokens", None, Counts::Always),
    ("forced_bos_token_id", None, Counts::Always),
    ("forced_eos_token_id", None, Counts::Always),
    ("forced_decoder_ids", None, Counts::Always),
    ("sequence_bias", None, Counts::Always),
    ("min_length", Some(0.0), Counts::Always),
    ("min_new_tokens", Some(0.0), Counts::Always),
    ("max_length", Some(20.0), Counts::Always),
    ("max_new_tokens", None, Counts::Always),
    ("max_time", None, Counts::Always),
    ("stop_strings", None, Counts::Always),
    ("exponential_decay_length_penalty", None, Counts::Always),
    ("guidance_scale", Some(1.0), Counts::Always),
    ("penalty_alpha", Some(0.0), Counts::Always),
    ("dola_layers", None, Counts::Always),
    ("watermarking_config", None, Counts::Always),
    ("token_healing", Some(0.0), Counts::Always),
    ("low_memory", Some(0.0), Counts::WithBeams),
    ("num_beams", Some(1.0), Counts::Always),
    ("num_beam_groups", Some(1.0), Counts::WithBeams),
    ("diversity_penalty", Some(0.0), Counts::WithBeams),
    ("length_penalty", Some(1.0), Counts::WithBeams),
    ("early_stopping", Some(0.0), Counts::WithBeams),
    ("do_sample", Some(0.0), Counts::Always),
    ("temperature", Some(1.0), Counts::WhenSampling),
    ("top_k", Some(0.0), Counts::WhenSampling),
    ("top_p", Some(1.0), Counts::WhenSampling),
    ("top_h", None, Counts::WhenSampling),
    ("min_p", Some(0.0), Counts::WhenSampling),
    ("typical_p", Some(1.0), Counts::WhenSampling),
    ("epsilon_cutoff", Some(0.0), Counts::WhenSampling),
    ("eta_cutoff", Some(0.0), Counts::WhenSampling),
];

/// Methods that transformers would round plain weights by while it loads them.
const WHILE_LOADING: [&str; 5] = ["bitsandbytes", "quanto", "hqq", "torchao", "eetq"];

/// # Errors
/// If a file is damaged, or plain weights are said to be quantised already.
pub(crate) fn notices(folder: &Path) -> Result<ModelNotices> {
    let config: Map<String, Value> = json(&folder.join("config.json"))?;
    let generation: Option<Map<String, Value>> = optional_json(&folder.join(GENERATION))?;
    // Older folders have these keys beside the model's own.
    let (file, keys) = generation.as_ref().map_or(("config.json", &config), |keys| (GENERATION, keys));
    let weights: Vec<String> = quantised(&config, folder)?.into_iter().chain(adapter_in(folder)).collect();
    Ok(ModelNotices {
        adapters: Vec::new(),
        weights: (!weights.is_empty()).then(|| weights.join("; ")),
        tokens: None,
        generation: ModelNotices::of_answers(file, &of_answers(keys)),
    })
}

/// An adapter in the model's own folder: transformers would load it with the model.
fn adapter_in(folder: &Path) -> Option<String> {
    let path = folder.join("adapter_config.json");
    path.exists().then(|| {
        format!(
            "{} lies in the model's folder, and transformers would apply that adapter with the model; Dojo opens the model \
             without it: name the folder as the adapter too, or take its files out",
            path.display()
        )
    })
}

/// The chat template that a folder has, if it has one that isn't the model's: an adapter that was trained with it is asked
/// in other words here.
pub(crate) fn other_template(folder: &Path, own: Option<&str>) -> Result<Option<String>> {
    let beside = super::tokenizer::template(folder)?.text;
    Ok(beside.filter(|beside| Some(beside.trim()) != own.map(str::trim)).map(|_| {
        format!(
            "the adapter {} has a chat template that isn't the model's, and Dojo writes chats by the model's; copy it into \
             the model's folder if the adapter was trained with it",
            folder.display()
        )
    }))
}

/// What the `generation_config.json` beside an adapter asks for, in a sentence: nothing of it is taken. `ends` are the
/// model's.
///
/// # Errors
/// If the file is damaged.
pub(crate) fn beside_adapter(folder: &Path, ends: &[u32]) -> Result<Option<String>> {
    let path = folder.join(GENERATION);
    let Some(keys) = optional_json::<Map<String, Value>>(&path)? else { return Ok(None) };
    let said = keys.get("eos_token_id").cloned().unwrap_or_default();
    let named: Vec<u64> = match &said {
        Value::Array(ids) => ids.iter().filter_map(Value::as_u64).collect(),
        one => one.as_u64().into_iter().collect(),
    };
    let is_other = |id: &u64| !ends.iter().any(|end| u64::from(*end) == *id);
    let other_ends = named.iter().any(is_other).then(|| format!("eos_token_id {}", brief(&said)));
    let asked: Vec<String> = other_ends.into_iter().chain(of_answers(&keys)).collect();
    Ok(ModelNotices::of_answers(&path.display().to_string(), &asked))
}

/// What a file asks of answers, key by key.
fn of_answers(keys: &Map<String, Value>) -> Vec<String> {
    let is_above =
        |name: &str, least: f64| keys.get(name).and_then(number).is_some_and(|value| value > least);
    let (samples, has_beams) = (is_above("do_sample", 0.0), is_above("num_beams", 1.0));
    let asked = ANSWERS.iter().filter_map(|(name, neutral, counts)| {
        let value = keys.get(*name)?;
        let counts = match counts {
            Counts::Always => true,
            Counts::WhenSampling => samples,
            Counts::WithBeams => has_beams,
        };
        let is_neutral = is_unsaid(value) || (neutral.is_some() && number(value) == *neutral);
        (counts && !is_neutral).then(|| format!("{name} {}", brief(value)))
    });
    asked.collect()
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|on| if on { 1.0 } else { 0.0 }))
}

/// A value, for messages to people.
fn brief(value: &Value) -> String {
    const MOST: usize = 40;
    match value {
        Value::String(text) => shown(text),
        Value::Array(items) if value.to_string().len() > MOST => format!("({} values)", items.len()),
        Value::Object(keys) if value.to_string().len() > MOST => format!("({} keys)", keys.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// What a configuration says of quantised weights, beside a file that holds plain ones: tensors of quantised forms are
/// refused before.
fn quantised(config: &Map<String, Value>, folder: &Path) -> Result<Option<String>> {
    const KEYS: [&str; 2] = ["quantization_config", "compression_config"];
    let said = KEYS.iter().find_map(|key| Some((*key, config.get(*key).filter(|value| !is_unsaid(value))?)));
    let Some((key, said)) = said else { return Ok(None) };
    let path = folder.join("config.json");
    let is_on = |flag: &str| said.get(flag) == Some(&Value::Bool(true));
    let by_flag = (is_on("load_in_4bit") || is_on("load_in_8bit")).then_some("bitsandbytes");
    let Some(method) = said.get("quant_method").and_then(Value::as_str).or(by_flag) else {
        bail!(
            "{} has a {key} that names no quant_method, beside plain weights; take it out if the plain weights are meant",
            path.display()
        );
    };
    if !WHILE_LOADING.contains(&method) {
        bail!(
            "{} says by {key} that the weights are quantised by {}, but the file holds plain ones; take the {key} out if \
             the plain weights are meant, or take the model's files anew",
            path.display(),
            shown(method)
        );
    }
    let bits = match (is_on("load_in_4bit"), is_on("load_in_8bit")) {
        (true, _) => " to 4 bits",
        (false, true) => " to 8 bits",
        (false, false) => "",
    };
    Ok(Some(format!(
        "{} asks by {key} for weights that {method} rounds{bits} while they are loaded; Dojo computes with the file's plain \
         weights, so numbers differ from those of transformers (compute.base_format = \"nf4\" trains over 4 bits)",
        path.display()
    )))
}
