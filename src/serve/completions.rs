//! `POST /v1/completions`: plain text, continued.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::SharedService;
use super::asked::ReceivedRequest;
use super::error::ApiError;
use super::fields::{Fields, texts, wrong};
use super::hosted::Generates;
use super::library;
use super::options::{Options, most_tokens};
use super::reply::{CompletionReply, Style};
use super::shelf::ModelInUse;
use crate::engine::generate::GenerateRequest;

/// Tokens where a client names no number, as OpenAI has it.
const MAX_TOKENS: usize = 16;
/// Prompts of one request at most, as OpenAI has it, and choices of all of them.
const PROMPTS: usize = 2048;
const CHOICES: usize = 2048;

pub(crate) async fn create(
    State(service): State<SharedService>,
    asked: ReceivedRequest,
) -> Result<Response, ApiError> {
    let name = asked.model().map(str::to_owned);
    let model = service.shelf.model(name.as_deref()).await?;
    let (requests, reply, options) = asked.read(move |fields| read(model, name, fields)).await?;
    let events = reply.model.start(requests, "prompt", &options).await?;
    let cut = service.cut.clone();
    Ok(if options.stream {
        reply.streamed(events, cut, options.with_usage)
    } else {
        reply.whole(events).await
    })
}

fn read(
    model: ModelInUse,
    name: Option<String>,
    mut fields: Fields,
) -> Result<(Vec<GenerateRequest>, CompletionReply, Options), ApiError> {
    library::refuse(&mut fields)?;
    let prompts = prompts(&model, &mut fields)?;
    let mut options = Options::read(&mut fields, model.words.tokenizer())?;
    if prompts.len() * options.choices > CHOICES {
        let message = format!(
            "{} prompts with n {} ask for more than {CHOICES} answers: send them in several requests",
            prompts.len(),
            options.choices
        );
        return Err(ApiError::bad(message).parameter("n"));
    }
    let likeliest = fields.count("logprobs")?;
    if let Some(likeliest) = likeliest {
        options.ask_log_probabilities(likeliest, "logprobs")?;
    }
    let echo = fields.flag("echo")?.unwrap_or(false);
    let most = most_tokens(&mut fields, "max_tokens")?.unwrap_or(MAX_TOKENS);
    fields.only("best_of", &[json!(options.choices)])?;
    fields.only("suffix", &[json!("")])?;
    fields.finish()?;
    let mut requests = Vec::with_capacity(prompts.len());
    for (prompt, _) in &prompts {
        let most = most.min(model.room(prompt, "prompt")?);
        let mut request = options.request(prompt.clone(), most);
        request.adapter = model.adapter;
        request.prompt_log_probabilities = likeliest.filter(|_| echo);
        requests.push(request);
    }
    let mut reply = CompletionReply::new(Style::Plain, model, name, options.choices);
    reply.log_probabilities = likeliest.is_some();
    reply.prompts = prompts.into_iter().map(|(_, text)| text).collect();
    reply.echo = echo;
    reply.constraint = options.constraint_field();
    Ok((requests, reply, options))
}

/// The prompts of a request, each as tokens and as text.
fn prompts(model: &Generates, fields: &mut Fields) -> Result<Vec<(Vec<u32>, String)>, ApiError> {
    let refuse = |error: anyhow::Error| ApiError::bad(format!("{error:#}")).parameter("prompt");
    let of_text = |text: String| -> Result<(Vec<u32>, String), ApiError> {
        let tokens = model.prompter.raw(&text).and_then(|tokens| model.prompter.given(tokens));
        Ok((tokens.map_err(refuse)?, text))
    };
    let of_tokens = |tokens: Vec<u32>| -> Result<(Vec<u32>, String), ApiError> {
        let tokens = model.prompter.given(tokens).map_err(refuse)?;
        let text = model.words.text(&tokens);
        Ok((tokens, text))
    };
    let value = fields.value("prompt").ok_or_else(|| fields.missing("prompt"))?;
    let Value::Array(values) = value else {
        let Value::String(text) = value else { return Err(not_a_prompt(&value)) };
        return Ok(vec![of_text(text)?]);
    };
    if let Some(tokens) = tokens(&values) {
        return Ok(vec![of_tokens(tokens)?]);
    }
    if values.is_empty() || values.len() > PROMPTS {
        let message = format!("prompt holds {} prompts, and may hold from 1 to {PROMPTS}", values.len());
        return Err(ApiError::bad(message).parameter("prompt"));
    }
    if let Some(texts) = texts(&values) {
        return texts.into_iter().map(of_text).collect();
    }
    let lists = values.iter().map(|value| match value {
        Value::Array(ids) => tokens(ids).ok_or_else(|| not_a_prompt(value)).and_then(of_tokens),
        other => Err(not_a_prompt(other)),
    });
    lists.collect()
}

fn not_a_prompt(value: &Value) -> ApiError {
    wrong("prompt", "a text, a list of texts, a list of token ids or a list of such lists", value)
}

/// Token ids, if all values are; none are no list of ids.
pub(crate) fn tokens(values: &[Value]) -> Option<Vec<u32>> {
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    values.iter().map(id).collect::<Option<Vec<u32>>>().filter(|ids| !ids.is_empty())
}
