//! The settings that chat and plain completions share, from JSON to the generator's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::Value;

use super::error::ApiError;
use crate::engine::generate::{Constraint, Request, Sampling};

/// Likeliest tokens that a client may ask for.
const TOP_LOG_PROBABILITIES: usize = 20;
/// Choices that a client may ask for.
const CHOICES: usize = 64;
/// Texts that may end an answer, and bytes of each.
const STOPS: usize = 64;
const STOP_BYTES: usize = 1024;
/// Tokens that a client may make likelier or less likely.
const BIASES: usize = 1024;
/// Values of a bias, from minus this.
const BIAS: f32 = 100.0;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Options {
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub n: Option<usize>,
    pub stop: Option<OneOrMany>,
    pub seed: Option<i64>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub logit_bias: Option<BTreeMap<String, f32>>,
    #[serde(default)]
    pub stream: bool,
    pub stream_options: Option<StreamOptions>,
    pub response_format: Option<Value>,
    // Not OpenAI's, but common among servers of open models.
    pub top_k: Option<i64>,
    pub min_p: Option<f32>,
    pub repetition_penalty: Option<f32>,
    pub guided_regex: Option<String>,
    pub guided_choice: Option<Vec<String>>,
    pub guided_grammar: Option<String>,
    pub guided_json: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Options {
    /// Whether a stream ends with what it took.
    pub(crate) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage)
    }

    /// Fills in a request.
    pub(crate) fn apply(
        &self,
        request: &mut Request,
        log_probabilities: Option<usize>,
    ) -> Result<(), ApiError> {
        let choices = self.n.unwrap_or(1);
        if choices == 0 || choices > CHOICES {
            return Err(
                ApiError::bad(format!("n is {choices}, and must be from 1 to {CHOICES}")).parameter("n")
            );
        }
        if log_probabilities.is_some_and(|count| count > TOP_LOG_PROBABILITIES) {
            let message = format!("at most {TOP_LOG_PROBABILITIES} likeliest tokens can be given");
            return Err(ApiError::bad(message).parameter("top_logprobs"));
        }
        request.choices = choices;
        request.sampling = Sampling {
            temperature: self.temperature.unwrap_or(1.0),
            top_k: self.top_k.and_then(|count| usize::try_from(count).ok()).unwrap_or(0),
            top_p: self.top_p.unwrap_or(1.0),
            min_p: self.min_p.unwrap_or(0.0),
            repetition_penalty: self.repetition_penalty.unwrap_or(1.0),
            frequency_penalty: self.frequency_penalty.unwrap_or(0.0),
            presence_penalty: self.presence_penalty.unwrap_or(0.0),
            seed: self.seed.map_or_else(fresh_seed, i64::cast_unsigned),
            logit_bias: self.logit_bias()?,
            log_probabilities,
        };
        request.stop = match &self.stop {
            None => Vec::new(),
            Some(OneOrMany::One(stop)) => vec![stop.clone()],
            Some(OneOrMany::Many(stops)) => stops.clone(),
        };
        if request.stop.len() > STOPS || request.stop.iter().any(|stop| stop.len() > STOP_BYTES) {
            let message = format!("stop may hold {STOPS} texts of {STOP_BYTES} bytes at most");
            return Err(ApiError::bad(message).parameter("stop"));
        }
        if request.stop.iter().any(String::is_empty) {
            return Err(
                ApiError::bad("stop holds an empty text, which would end every answer").parameter("stop")
            );
        }
        request.constraint = self.constraint()?;
        Ok(())
    }

    fn logit_bias(&self) -> Result<Vec<(u32, f32)>, ApiError> {
        let entries = self.logit_bias.iter().flatten();
        if self.logit_bias.as_ref().is_some_and(|entries| entries.len() > BIASES) {
            let message = format!("logit_bias may hold {BIASES} tokens at most");
            return Err(ApiError::bad(message).parameter("logit_bias"));
        }
        let read = |(token, &bias): (&String, &f32)| match token.parse() {
            Ok(_) if !(-BIAS..=BIAS).contains(&bias) => {
                let message = format!("logit_bias of {token} is {bias}, and must be from -{BIAS} to {BIAS}");
                Err(ApiError::bad(message).parameter("logit_bias"))
            }
            Ok(token) => Ok((token, bias)),
            Err(_) => {
                Err(ApiError::bad(format!("{token:?} in logit_bias isn't a token id"))
                    .parameter("logit_bias"))
            }
        };
        entries.map(read).collect()
    }

    fn constraint(&self) -> Result<Option<Constraint>, ApiError> {
        if let Some(schema) = &self.guided_json {
            return Ok(Some(Constraint::JsonSchema(schema.clone())));
        }
        if let Some(pattern) = &self.guided_regex {
            return Ok(Some(Constraint::Regex(pattern.clone())));
        }
        if let Some(choices) = &self.guided_choice {
            return Ok(Some(Constraint::Choice(choices.clone())));
        }
        if let Some(grammar) = &self.guided_grammar {
            return Ok(Some(Constraint::Grammar(grammar.clone())));
        }
        let Some(format) = &self.response_format else { return Ok(None) };
        match format.get("type").and_then(Value::as_str) {
            Some("text") => Ok(None),
            Some("json_object") => Ok(Some(Constraint::JsonObject)),
            Some("json_schema") => {
                match format.pointer("/json_schema/schema") {
                    Some(schema) => Ok(Some(Constraint::JsonSchema(schema.clone()))),
                    None => Err(ApiError::bad("response_format lacks json_schema.schema")
                        .parameter("response_format")),
                }
            }
            _ => {
                let message = "response_format's type must be text, json_object or json_schema";
                Err(ApiError::bad(message).parameter("response_format"))
            }
        }
    }
}

/// A different one for every request, without reading more than the clock.
fn fresh_seed() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let nanoseconds = clock.map_or(0, |since| since.as_nanos() as u64);
    nanoseconds.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
