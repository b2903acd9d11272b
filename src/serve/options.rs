//! The settings that all endpoints that generate share, from a request's fields to the generator's own.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use super::error::ApiError;
use super::fields::{Fields, wrong};
use crate::engine::generate::{Constraint, EndTokens, GenerateRequest, Sampling};
use crate::ground::clock;

/// Choices that a client may ask for, as OpenAI has it.
const CHOICES: usize = 128;
/// Texts that may end an answer, and bytes of each.
const STOPS: usize = 64;
const STOP_BYTES: usize = 1024;
/// Tokens that a client may make likelier or less likely.
const BIASES: usize = 1024;
/// Values of a bias, from minus this.
const BIAS: f32 = 100.0;
/// Likeliest tokens that a client may ask for.
const LIKELIEST: usize = 20;

/// Texts of OpenAI's that change nothing here: who asks, what they call it, and how their provider treats it.
const OF_THE_CLIENT: [&str; 5] =
    ["user", "safety_identifier", "service_tier", "prompt_cache_key", "prompt_cache_retention"];

/// Passes over what changes nothing, once it is of its kind: a client that mixes fields up is told.
fn pass_over_the_clients_own(fields: &mut Fields) -> Result<(), ApiError> {
    for name in OF_THE_CLIENT {
        fields.text(name)?;
    }
    fields.object("metadata")?;
    fields.object("prediction")?;
    fields.flag("cache_prompt")?;
    Ok(())
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    sampling: Sampling,
    pub choices: usize,
    stop: Vec<String>,
    end: EndTokens,
    constraint: Option<(&'static str, Constraint)>,
    pub stream: bool,
    /// Whether a stream ends with what it took.
    pub with_usage: bool,
    /// A field that the model's chat template has no use for.
    pub unused: Option<&'static str>,
}

impl Options {
    pub(crate) fn read(fields: &mut Fields, tokenizer: &Tokenizer) -> Result<Self, ApiError> {
        pass_over_the_clients_own(fields)?;
        fields.only("store", &[Value::Bool(false)])?;
        let choices = fields.count("n")?.unwrap_or(1);
        if choices == 0 || choices > CHOICES {
            let message = format!("n is {choices}, and must be from 1 to {CHOICES}");
            return Err(ApiError::bad(message).parameter("n"));
        }
        let with_usage = match fields.object("stream_options")? {
            None => false,
            Some(mut options) => {
                options.flag("include_obfuscation")?;
                let wanted = options.flag("include_usage")?.unwrap_or(false);
                options.finish()?;
                wanted
            }
        };
        let ignores_end = fields.flag("ignore_eos")?.unwrap_or(false);
        Ok(Self {
            sampling: sampling(fields, tokenizer)?,
            choices,
            stop: stop(fields)?,
            end: if ignores_end { EndTokens::Ignored } else { EndTokens::AtEndToken },
            constraint: constraint(fields)?,
            stream: fields.flag("stream")?.unwrap_or(false),
            with_usage,
            unused: None,
        })
    }

    /// Asks for log-probabilities, and those of so many likeliest tokens; `field` asked for them.
    pub(crate) fn ask_log_probabilities(
        &mut self,
        likeliest: usize,
        field: &'static str,
    ) -> Result<(), ApiError> {
        if likeliest > LIKELIEST {
            let message = format!("{field} is {likeliest}, and may be {LIKELIEST} at most");
            return Err(ApiError::bad(message).parameter(field));
        }
        self.sampling.log_probabilities = Some(likeliest);
        Ok(())
    }

    /// The schema of answers, if the client holds them to one; what else it holds them to leaves no room for calls.
    pub(crate) fn take_schema(&mut self) -> Result<Option<Value>, ApiError> {
        match self.constraint.take() {
            None => Ok(None),
            Some((_, Constraint::JsonObject)) => Ok(Some(json!({ "type": "object" }))),
            Some((_, Constraint::JsonSchema(schema))) => Ok(Some(schema)),
            Some((field, Constraint::Regex(_) | Constraint::Grammar(_) | Constraint::Choice(_))) => {
                Err(both(field, "tools"))
            }
        }
    }

    /// Holds the answer to what a field says, if no other has said anything before.
    pub(crate) fn hold_to(&mut self, field: &'static str, constraint: Constraint) -> Result<(), ApiError> {
        if let Some((other, _)) = &self.constraint {
            return Err(both(other, field));
        }
        self.constraint = Some((field, constraint));
        Ok(())
    }

    /// The field that says what the answer is held to.
    pub(crate) fn constraint_field(&self) -> Option<&'static str> {
        self.constraint.as_ref().map(|(field, _)| *field)
    }

    /// An answer that says which field had no use.
    pub(crate) fn noted(&self, mut response: Response) -> Response {
        if let Some(field) = self.unused {
            response.headers_mut().insert("x-dojo-unused", HeaderValue::from_static(field));
        }
        response
    }

    /// A request for a prompt.
    pub(crate) fn request(&self, prompt: Vec<u32>, max_tokens: usize) -> GenerateRequest {
        GenerateRequest {
            choices: self.choices,
            sampling: self.sampling.clone(),
            stop: self.stop.clone(),
            end: self.end,
            constraint: self.constraint.as_ref().map(|(_, constraint)| constraint.clone()),
            ..GenerateRequest::new(prompt, max_tokens)
        }
    }
}

/// The number of tokens that a client allows; -1 is as many as there is room for.
pub(crate) fn most_tokens(fields: &mut Fields, name: &'static str) -> Result<Option<usize>, ApiError> {
    match fields.whole(name)? {
        None => Ok(None),
        Some(-1) => Ok(Some(usize::MAX)),
        Some(count) => usize::try_from(count).map(Some).map_err(|_| {
            let message = format!("{name} is {count}, and must be at least 1, or -1 for all that fits");
            ApiError::bad(message).parameter(name)
        }),
    }
}

fn sampling(fields: &mut Fields, tokenizer: &Tokenizer) -> Result<Sampling, ApiError> {
    let neutral = Sampling::default();
    let sampling = Sampling {
        temperature: fields.number("temperature")?.unwrap_or(1.0),
        top_k: top_k(fields)?,
        top_p: fields.number("top_p")?.unwrap_or(neutral.top_p),
        min_p: fields.number("min_p")?.unwrap_or(neutral.min_p),
        repetition_penalty: fields.number("repetition_penalty")?.unwrap_or(neutral.repetition_penalty),
        frequency_penalty: fields.number("frequency_penalty")?.unwrap_or(neutral.frequency_penalty),
        presence_penalty: fields.number("presence_penalty")?.unwrap_or(neutral.presence_penalty),
        seed: seed(fields)?,
        logit_bias: logit_bias(fields, tokenizer)?,
        log_probabilities: None,
        log_probabilities_of: neutral.log_probabilities_of,
    };
    sampling.check().map_err(|error| {
        let message = error.to_string();
        let field = message.split(' ').next().unwrap_or_default().to_owned();
        ApiError::bad(message).parameter(field)
    })?;
    Ok(sampling)
}

/// So many likeliest tokens; 0 and -1 are all.
fn top_k(fields: &mut Fields) -> Result<usize, ApiError> {
    match fields.whole("top_k")? {
        None | Some(-1) => Ok(0),
        Some(count) => usize::try_from(count).map_err(|_| {
            let message = format!("top_k is {count}, and must be at least 1, or -1 for all tokens");
            ApiError::bad(message).parameter("top_k")
        }),
    }
}

/// Any whole number of 64 bits, with a sign or without: clients draw them at random.
fn seed(fields: &mut Fields) -> Result<u64, ApiError> {
    /// From here on floats stand for larger numbers than that.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let Some(value) = fields.value("seed") else { return Ok(fresh_seed()) };
    let whole = value.as_i64().map(i64::cast_unsigned).or_else(|| value.as_u64());
    let is_whole = |number: &f64| number.fract() == 0.0 && (-END..END).contains(number);
    let float = || value.as_f64().filter(is_whole).map(|number| (number as i64).cast_unsigned());
    whole.or_else(float).ok_or_else(|| wrong("seed", "a whole number of 64 bits", &value))
}

fn stop(fields: &mut Fields) -> Result<Vec<String>, ApiError> {
    let stop = fields.texts("stop")?.unwrap_or_default();
    let refuse = |message: String| Err(ApiError::bad(message).parameter("stop"));
    if stop.len() > STOPS || stop.iter().any(|stop| stop.len() > STOP_BYTES) {
        return refuse(format!("stop may hold {STOPS} texts of {STOP_BYTES} bytes at most"));
    }
    if stop.iter().any(String::is_empty) {
        return refuse("stop holds an empty text, which would end every answer".to_owned());
    }
    Ok(stop)
}

fn logit_bias(fields: &mut Fields, tokenizer: &Tokenizer) -> Result<Vec<(u32, f32)>, ApiError> {
    let Some(biases) = fields.object("logit_bias")? else { return Ok(Vec::new()) };
    let refuse = |message: String| ApiError::bad(message).parameter("logit_bias");
    let entries = biases.rest();
    if entries.len() > BIASES {
        return Err(refuse(format!("logit_bias may hold {BIASES} tokens at most")));
    }
    let read = |(token, value): (&String, &Value)| {
        let id: u32 = token
            .parse()
            .ok()
            .filter(|id| tokenizer.id_to_token(*id).is_some())
            .ok_or_else(|| refuse(format!("{token:?} in logit_bias isn't a token id of this model")))?;
        let bias = value.as_f64().ok_or_else(|| wrong(&biases.place(token), "a number", value))? as f32;
        if !(-BIAS..=BIAS).contains(&bias) {
            return Err(refuse(format!(
                "logit_bias of {token} is {bias}, and must be from -{BIAS} to {BIAS}"
            )));
        }
        Ok((id, bias))
    };
    entries.iter().map(read).collect()
}

fn constraint(fields: &mut Fields) -> Result<Option<(&'static str, Constraint)>, ApiError> {
    let mut found: Option<(&'static str, Constraint)> = None;
    let asked = [
        ("guided_json", fields.value("guided_json").map(schema)),
        ("guided_regex", fields.text("guided_regex")?.map(Constraint::Regex)),
        ("guided_choice", fields.texts("guided_choice")?.map(Constraint::Choice)),
        ("guided_grammar", fields.text("guided_grammar")?.map(Constraint::Grammar)),
        ("response_format", response_format(fields)?),
    ];
    for (field, constraint) in asked {
        let Some(constraint) = constraint else { continue };
        if let Some((other, _)) = found {
            return Err(both(other, field));
        }
        found = Some((field, constraint));
    }
    Ok(found)
}

fn both(one: &str, other: &'static str) -> ApiError {
    ApiError::bad(format!("{one} and {other} can't both be kept to: give one of them")).parameter(other)
}

/// A schema, which some clients send as a text.
fn schema(value: Value) -> Constraint {
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    Constraint::JsonSchema(parsed.unwrap_or(value))
}

fn response_format(fields: &mut Fields) -> Result<Option<Constraint>, ApiError> {
    let asked = fields.object("response_format")?;
    asked.map_or(Ok(None), |asked| constraint_of(asked, "response_format", Schema::Below))
}

/// Where the schema of a format is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Below `json_schema`, as chats have it.
    Below,
    /// Beside the format's type, as the Responses API has it.
    Beside,
}

/// What the format in a field holds an answer to.
pub(crate) fn constraint_of(
    mut format: Fields,
    field: &'static str,
    place: Schema,
) -> Result<Option<Constraint>, ApiError> {
    let found = match (format.text("type")?.as_deref(), place) {
        (Some("text"), _) => None,
        (Some("json_object"), _) => Some(Constraint::JsonObject),
        (Some("json_schema"), Schema::Below) => {
            let mut asked = format.object("json_schema")?.ok_or_else(|| format.missing("json_schema"))?;
            let schema = schema_of(&mut asked)?;
            asked.finish()?;
            Some(schema)
        }
        (Some("json_schema"), Schema::Beside) => Some(schema_of(&mut format)?),
        _ => {
            let message = format!("{field}'s type must be text, json_object or json_schema");
            return Err(ApiError::bad(message).parameter(field));
        }
    };
    format.finish()?;
    Ok(found)
}

/// The schema of an object that has a name and one.
fn schema_of(asked: &mut Fields) -> Result<Constraint, ApiError> {
    asked.text("name")?;
    asked.text("description")?;
    asked.flag("strict")?;
    asked.value("schema").map(Constraint::JsonSchema).ok_or_else(|| asked.missing("schema"))
}

/// A different one for every request, without reading more than the clock.
pub(crate) fn fresh_seed() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    clock::nanoseconds()
        .wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}
