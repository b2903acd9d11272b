//! `POST /v1/chat/completions`.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::Shared;
use super::error::ApiError;
use super::fields::Fields;
use super::messages;
use super::options::{Options, most_tokens};
use super::question::Question;
use super::reply::{Reply, Style};
use super::tools::Tools;

pub(crate) async fn create(State(service): State<Shared>, mut fields: Fields) -> Result<Response, ApiError> {
    let name = fields.text("model")?;
    let model = service.shelf.model(name.as_deref()).await?;
    let messages = messages::read(&mut fields)?;
    let settings = settings(&mut fields)?;
    let mut options = Options::read(&mut fields, model.words.tokenizer())?;
    let wants_log_probabilities = fields.flag("logprobs")?.unwrap_or(false);
    match fields.count("top_logprobs")? {
        None if wants_log_probabilities => options.ask_log_probabilities(0, "top_logprobs")?,
        None => {}
        Some(likeliest) if wants_log_probabilities => {
            options.ask_log_probabilities(likeliest, "top_logprobs")?;
        }
        Some(_) => {
            let message = "top_logprobs is given only if logprobs is true";
            return Err(ApiError::bad(message).parameter("top_logprobs"));
        }
    }
    let most = most_tokens(&mut fields, "max_completion_tokens")?.or(most_tokens(&mut fields, "max_tokens")?);
    let tools = Tools::read(&mut fields)?;
    fields.only("modalities", &[json!(["text"])])?;
    fields.only("verbosity", &[json!("medium")])?;
    fields.finish()?;
    if most == Some(0) {
        let message = "max_tokens is 0, and must be at least 1, or -1 for all that fits";
        return Err(ApiError::bad(message).parameter("max_tokens"));
    }
    let question = Question { field: "messages", messages: &messages, tools, settings, most };
    let (request, form) = question.request(&model, &mut options)?;
    let form = form.cloned();
    let mut reply = Reply::new(Style::Chat, model, name, options.choices);
    reply.calls = form;
    reply.log_probabilities = wants_log_probabilities;
    let events = reply.model.start(vec![request], "messages", &options).await?;
    Ok(if options.stream { reply.streamed(events, options.with_usage) } else { reply.whole(events).await })
}

/// What is said to the template beside the conversation.
fn settings(fields: &mut Fields) -> Result<Option<Map<String, Value>>, ApiError> {
    let mut settings = fields.object("chat_template_kwargs")?.map(|settings| settings.rest().clone());
    if let Some(effort) = fields.text("reasoning_effort")? {
        settings.get_or_insert_default().entry("reasoning_effort").or_insert(Value::from(effort));
    }
    Ok(settings)
}
