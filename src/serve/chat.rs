//! `POST /v1/chat/completions`.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::Shared;
use super::error::ApiError;
use super::fields::Fields;
use super::messages;
use super::options::{Options, most_tokens};
use super::reply::{Reply, Style};
use super::tools::Tools;
use crate::domain::message::Conversation;
use crate::engine::generate::CallForm;

pub(crate) async fn create(State(service): State<Shared>, mut fields: Fields) -> Result<Response, ApiError> {
    let model = fields.text("model")?;
    let adapter = service.adapter(model.as_deref())?;
    let messages = messages::read(&mut fields)?;
    let settings = settings(&mut fields)?;
    let mut options = Options::read(&mut fields, service.words.tokenizer())?;
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
    let shown = tools.as_ref().map_or(&[][..], |tools| &tools.list);
    let conversation = Conversation { messages: &messages, tools: shown, settings: settings.as_ref() };
    let prompt = service
        .prompter
        .conversation(conversation)
        .map_err(|error| ApiError::bad(format!("{error:#}")).parameter("messages"))?;
    let room = service.room(&prompt, "messages")?;
    if most == Some(0) {
        let message = "max_tokens is 0, and must be at least 1, or -1 for all that fits";
        return Err(ApiError::bad(message).parameter("max_tokens"));
    }
    let form = tools.map(|tools| hold(&service, &mut options, tools)).transpose()?;
    let mut request = options.request(prompt, most.map_or(room, |most| most.min(room)));
    request.adapter = adapter;
    if form.is_some() {
        request.shown = service.prompter.call_controls();
    }
    let mut reply = Reply::new(Style::Chat, service, model, options.choices);
    reply.calls = form;
    reply.log_probabilities = wants_log_probabilities;
    let events = reply.service.start(vec![request], "messages", &options).await?;
    Ok(if options.stream { reply.streamed(events, options.with_usage) } else { reply.whole(events).await })
}

/// Holds the answer's calls to the template's form and to the tools.
pub(crate) fn hold(service: &Shared, options: &mut Options, mut tools: Tools) -> Result<CallForm, ApiError> {
    let form = service.prompter.call_form().cloned().ok_or_else(|| {
        let message = "the model's chat template writes calls of tools in a form that this server can't read";
        ApiError::bad(message).parameter("tools")
    })?;
    tools.calls.answer = options.take_schema()?;
    options.hold_to("tools", tools.calls.constraint(&form, service.words.tokenizer()));
    Ok(form)
}

/// What is said to the template beside the conversation.
fn settings(fields: &mut Fields) -> Result<Option<Map<String, Value>>, ApiError> {
    let mut settings = fields.object("chat_template_kwargs")?.map(|settings| settings.rest().clone());
    if let Some(effort) = fields.text("reasoning_effort")? {
        settings.get_or_insert_default().entry("reasoning_effort").or_insert(Value::from(effort));
    }
    Ok(settings)
}
