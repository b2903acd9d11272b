//! The rotary part of a `config.json`: `rope_theta` with `rope_scaling` (transformers 4), or `rope_parameters`
//! (transformers 5; with a part for each kind of layer in Gemma 3).

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::config::HfKeys;
use crate::model::architecture::Architecture;
use crate::model::config::{Rope, RopeScaling};

/// What a file says about rotation.
pub(super) struct Ropes {
    pub(super) whole: Rope,
    pub(super) local: Option<Rope>,
    /// The longest sequence, as far as the scaling that is used here reaches.
    pub(super) context: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    rope_theta: Option<f32>,
    rope_type: Option<String>,
    /// The older name of `rope_type`; some files have both.
    r#type: Option<String>,
    factor: Option<f32>,
    low_freq_factor: Option<f32>,
    high_freq_factor: Option<f32>,
    original_max_position_embeddings: Option<usize>,
    short_factor: Option<Vec<f32>>,
    attention_factor: Option<f32>,
    partial_rotary_factor: Option<f32>,
}

impl Ropes {
    pub(super) fn read(keys: &HfKeys, architecture: &Architecture, head_dim: usize) -> Result<Self> {
        let (whole, local) = by_kind(keys, architecture)?;
        let theta = whole.rope_theta.or(keys.rope_theta).unwrap_or(architecture.rope_theta);
        let partial = whole.partial_rotary_factor.or(keys.partial_rotary_factor);
        let partial = partial.filter(|_| architecture.has_partial_rope).unwrap_or(1.0);
        let dimensions = (head_dim as f32 * partial) as usize;
        let (scaling, limit) = scaling(keys, &whole, dimensions)?;
        let local = architecture.has_local_rope.then(|| Rope {
            theta: local.rope_theta.or(keys.rope_local_base_freq).unwrap_or(1e4),
            dimensions: head_dim,
            scaling: RopeScaling::None,
        });
        let context = limit.or(keys.max_position_embeddings);
        Ok(Self { whole: Rope { theta, dimensions, scaling }, local, context })
    }
}

/// The parameters of all layers, and those of layers with a window where these have their own.
fn by_kind(keys: &HfKeys, architecture: &Architecture) -> Result<(Parameters, Parameters)> {
    let there = |given: &Option<Value>| {
        let empty = given.as_ref().and_then(Value::as_object).is_some_and(serde_json::Map::is_empty);
        given.clone().filter(|given| !given.is_null() && !empty)
    };
    let (scaling, given) = (there(&keys.rope_scaling), there(&keys.rope_parameters));
    let nested = given.as_ref().is_some_and(|given| {
        given.get("full_attention").is_some() || given.get("sliding_attention").is_some()
    });
    if architecture.has_local_rope {
        ensure!(
            scaling.is_none() || given.is_none(),
            "it has rope_scaling beside rope_parameters, which Dojo doesn't read together"
        );
        ensure!(given.is_none() || nested, "its rope_parameters don't tell layers with a window from others");
    } else {
        ensure!(
            !nested,
            "its rope_parameters differ between kinds of layers, which Dojo doesn't support for it"
        );
    }
    if let Some(given) = given.as_ref().filter(|_| nested) {
        let local = parameters(given.get("sliding_attention"))?;
        let kind = local.rope_type.as_ref().or(local.r#type.as_ref());
        ensure!(
            kind.is_none_or(|kind| kind == "default"),
            "its layers with a window scale their rotation, which Dojo doesn't support"
        );
        return Ok((parameters(given.get("full_attention"))?, local));
    }
    // Where both are there, transformers takes the older one.
    Ok((parameters(scaling.as_ref().or(given.as_ref()))?, Parameters::default()))
}

fn parameters(given: Option<&Value>) -> Result<Parameters> {
    match given {
        None | Some(Value::Null) => Ok(Parameters::default()),
        Some(given) => Parameters::deserialize(given).context("read the rope scaling"),
    }
}

/// The scaling, and the context where it limits that.
fn scaling(keys: &HfKeys, given: &Parameters, dimensions: usize) -> Result<(RopeScaling, Option<usize>)> {
    let factor = || {
        let factor = given.factor.context("the rope scaling's factor is missing")?;
        ensure!(factor > 0.0, "the rope scaling's factor is {factor}");
        Ok(factor)
    };
    Ok(match given.rope_type.as_ref().or(given.r#type.as_ref()).map(String::as_str) {
        None | Some("default") => (RopeScaling::None, None),
        Some("linear") => (RopeScaling::Linear(factor()?), None),
        Some("llama3") => (llama3(keys, given, factor()?)?, None),
        Some("longrope" | "su") => long(keys, given, dimensions)?,
        Some(other) => bail!("its rope scaling, {other}, isn't supported"),
    })
}

fn llama3(keys: &HfKeys, given: &Parameters, factor: f32) -> Result<RopeScaling> {
    let missing =
        "the rope scaling lacks low_freq_factor, high_freq_factor or original_max_position_embeddings";
    let low_frequency = given.low_freq_factor.context(missing)?;
    let high_frequency = given.high_freq_factor.context(missing)?;
    let (inside, beside) = (given.original_max_position_embeddings, keys.original_max_position_embeddings);
    if let (Some(inside), Some(beside)) = (inside, beside) {
        // The one inside counts in transformers 4, the one beside in transformers 5.
        ensure!(
            inside == beside,
            "its original_max_position_embeddings is {inside} in the rope scaling and {beside} beside it, and which one \
             counts depends on the version of transformers: leave one"
        );
    }
    let original_context = beside.or(inside).context(missing)?;
    ensure!(
        low_frequency > 0.0 && high_frequency > low_frequency && original_context > 0,
        "the rope scaling's factors make no sense"
    );
    Ok(RopeScaling::Llama3 { factor, low_frequency, high_frequency, original_context })
}

/// Phi's scaling (`LongRoPE`, Ding et al. 2024) has divisors for short and for long sequences. The short ones are
/// used, which are right up to the context of the model's first training; so that is the context here.
fn long(keys: &HfKeys, given: &Parameters, dimensions: usize) -> Result<(RopeScaling, Option<usize>)> {
    let original = keys
        .original_max_position_embeddings
        .or(given.original_max_position_embeddings)
        .context("original_max_position_embeddings is missing")?;
    let divisors = given.short_factor.clone().context("the rope scaling's short_factor is missing")?;
    ensure!(
        divisors.len() == dimensions / 2 && divisors.iter().all(|divisor| *divisor > 0.0),
        "the rope scaling's short_factor doesn't hold {} positive numbers",
        dimensions / 2
    );
    let longest = keys.max_position_embeddings.unwrap_or(original);
    let growth = given.factor.unwrap_or(longest as f32 / original as f32);
    let computed = if growth <= 1.0 { 1.0 } else { (1.0 + growth.ln() / (original as f32).ln()).sqrt() };
    let attention_factor = given.attention_factor.unwrap_or(computed);
    Ok((RopeScaling::PerFrequency { divisors, attention_factor }, Some(original)))
}
