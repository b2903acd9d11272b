//! `POST /v1/responses`: the newer form of chats. Nothing is kept between requests.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::SharedService;
use super::asked::ReceivedRequest;
use super::error::ApiError;
use super::fields::{Fields, wrong};
use super::library::Libraries;
use super::messages::{Speakers, content, role};
use super::options::{Options, Schema, constraint_of, most_tokens};
use super::question::{BegunAnswer, PutQuestion, ReadQuestion};
use super::responses_reply::{Echo, ResponsesReply};
use super::results::{self, CallNames};
use super::shelf::ModelInUse;
use super::sources::CITATIONS;
use super::template_settings::TemplateSettings;
use super::tool_choice::ToolForm;
use super::tools::{PieceReader, Tools};
use crate::domain::message::{Message, Role, TOOL_CALLS};
use crate::engine::generate::{Constraint, Prompter};

pub(crate) async fn create(
    State(service): State<SharedService>,
    asked: ReceivedRequest,
) -> Result<Response, ApiError> {
    let name = asked.model().map(str::to_owned);
    let model = service.shelf.model(name.as_deref()).await?;
    let libraries = service.libraries.clone();
    let (question, echo) = asked.read(move |fields| read(model, &libraries, fields)).await?;
    let BegunAnswer { model, events, options, form, sources, is_refusal } = question.begin().await?;
    let mut reply = ResponsesReply::new(model, name, echo, PieceReader::of(form.as_ref()));
    reply.constraint = options.constraint_field();
    (reply.sources, reply.is_refusal) = (sources, is_refusal);
    let cut = service.cut.clone();
    let response = if options.stream { reply.streamed(events, cut) } else { reply.whole(events).await };
    Ok(options.noted(response))
}

fn read(
    model: ModelInUse,
    libraries: &Libraries,
    mut fields: Fields,
) -> Result<(PutQuestion, Echo), ApiError> {
    let library = libraries.asked(&mut fields)?;
    let asked = Echo::of(&fields);
    let instructions = fields.text("instructions")?;
    let mut messages = input(&mut fields)?;
    if let Some(text) = &instructions {
        messages.insert(0, Message::new(Role::System, text.as_str()));
    }
    let settings = reasoning(&mut fields, &model.prompter)?;
    let format = format(&mut fields)?;
    // What would be kept, or was: nothing is.
    fields.flag("store")?;
    fields.count("max_tool_calls")?;
    fields.flag("include_obfuscation")?;
    fields.only("include", &[json!([]), json!(["reasoning.encrypted_content"])])?;
    fields.only("truncation", &[json!("disabled")])?;
    fields.only("background", &[json!(false)])?;
    fields.only("top_logprobs", &[json!(0)])?;
    let kept = "is kept by no server of this kind: send the conversation itself as input";
    for name in ["previous_response_id", "conversation", "prompt"] {
        if fields.value(name).is_some() {
            return Err(ApiError::bad(format!("{name} {kept}")).parameter(name));
        }
    }
    let most = most_tokens(&mut fields, "max_output_tokens")?;
    if most == Some(0) {
        let message = "max_output_tokens is 0, and must be at least 1";
        return Err(ApiError::bad(message).parameter("max_output_tokens"));
    }
    let mut options = Options::read(&mut fields, model.words.tokenizer())?;
    options.unused = settings.unused;
    if options.choices != 1 {
        return Err(ApiError::bad("n can't be given here").parameter("n"));
    }
    if let Some(constraint) = format {
        options.hold_to("text.format", constraint)?;
    }
    let tools = Tools::read(&mut fields, ToolForm::Flat)?;
    fields.finish()?;
    let (field, settings) = ("input", settings.values);
    let question = ReadQuestion { model, field, messages, tools, settings, most, options };
    Ok((question.put(library)?, asked))
}

/// The turns of `input`: a text, or a list of items.
fn input(fields: &mut Fields) -> Result<Vec<Message>, ApiError> {
    let items = match fields.value("input").ok_or_else(|| fields.missing("input"))? {
        Value::String(text) => return Ok(vec![Message::new(Role::User, text)]),
        Value::Array(items) if !items.is_empty() => items,
        Value::Array(_) => {
            return Err(ApiError::bad("input is empty: it needs at least one turn").parameter("input"));
        }
        other => return Err(wrong("input", "a text or a list of items", &other)),
    };
    let mut messages: Vec<(String, Message)> = Vec::new();
    // Where each call is.
    let mut calls = HashMap::<String, String>::new();
    for (index, item) in items.into_iter().enumerate() {
        let place = format!("input[{index}]");
        let mut item = Fields::of(item, place.clone())?;
        item.pass_over(&["id", "status", "phase", CITATIONS]);
        let kind = item.text("type")?.unwrap_or_else(|| "message".to_owned());
        match kind.as_str() {
            "message" => messages.push((place, turn(&mut item)?)),
            "function_call" => {
                let id = call(&mut item, place.clone(), &mut messages)?;
                calls.entry(id).or_insert(place);
            }
            "function_call_output" => {
                let id = item.text("call_id")?.ok_or_else(|| item.missing("call_id"))?;
                let output = content(&mut item, "output")?.ok_or_else(|| item.missing("output"))?;
                let mut turn = Message::new(Role::Tool, output);
                turn.extra.insert("tool_call_id".to_owned(), Value::from(id));
                messages.push((place, turn));
            }
            other => {
                let place = item.place("type");
                let message =
                    format!("{place} is {other:?}: this server reads messages and calls of functions");
                return Err(ApiError::bad(message).parameter(place));
            }
        }
        item.finish()?;
    }
    let place = |id: Option<&str>, turn: &str| {
        id.and_then(|id| calls.get(id)).map_or(turn, String::as_str).to_owned()
    };
    results::in_order(messages, &CallNames { id: "call_id", place: &place })
}

fn turn(item: &mut Fields) -> Result<Message, ApiError> {
    let role = role(item, Speakers::People)?;
    let content = content(item, "content")?.ok_or_else(|| item.missing("content"))?;
    Ok(Message::new(role, content))
}

/// A call: of the assistant's turn before it, if that is one. Says its id.
fn call(item: &mut Fields, place: String, messages: &mut Vec<(String, Message)>) -> Result<String, ApiError> {
    let name = item.text("name")?.ok_or_else(|| item.missing("name"))?;
    let id = item.text("call_id")?.ok_or_else(|| item.missing("call_id"))?;
    let arguments = item.text("arguments")?.unwrap_or_else(|| "{}".to_owned());
    let call = json!({ "id": id, "type": "function", "function": { "name": name, "arguments": arguments } });
    if messages.last().is_none_or(|(_, last)| last.role != Role::Assistant) {
        let mut turn = Message::new(Role::Assistant, "");
        turn.extra.insert("content".to_owned(), Value::Null);
        messages.push((place, turn));
    }
    if let Some((_, last)) = messages.last_mut() {
        let calls = last.extra.entry(TOOL_CALLS.to_owned()).or_insert_with(|| json!([]));
        if let Some(calls) = calls.as_array_mut() {
            calls.push(call);
        }
    }
    Ok(id)
}

/// What is said to the template of how much is to be thought.
fn reasoning(fields: &mut Fields, prompter: &Prompter) -> Result<TemplateSettings, ApiError> {
    let mut settings = TemplateSettings::read(fields, prompter)?;
    let Some(mut reasoning) = fields.object("reasoning")? else { return Ok(settings) };
    reasoning.only("summary", &[json!("auto")])?;
    reasoning.only("generate_summary", &[json!("auto")])?;
    settings.read_effort((&mut reasoning, "effort"), "reasoning.effort", prompter)?;
    reasoning.finish()?;
    Ok(settings)
}

/// What the answer must be.
fn format(fields: &mut Fields) -> Result<Option<Constraint>, ApiError> {
    let Some(mut text) = fields.object("text")? else { return Ok(None) };
    text.only("verbosity", &[json!("medium")])?;
    let asked = text.object("format")?;
    text.finish()?;
    asked.map_or(Ok(None), |asked| constraint_of(asked, "text.format", Schema::Beside))
}
