//! `POST /v1/chat/completions`.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::SharedService;
use super::asked::ReceivedRequest;
use super::error::ApiError;
use super::fields::Fields;
use super::library::Libraries;
use super::messages;
use super::options::{Options, most_tokens};
use super::question::{BegunAnswer, PutQuestion, ReadQuestion};
use super::reply::{CompletionReply, Style};
use super::shelf::ModelInUse;
use super::template_settings::TemplateSettings;
use super::tool_choice::ToolForm;
use super::tools::Tools;

/// What a client wants to be told of an answer.
struct ChatWishes {
    name: Option<String>,
    log_probabilities: bool,
}

pub(crate) async fn create(
    State(service): State<SharedService>,
    asked: ReceivedRequest,
) -> Result<Response, ApiError> {
    let name = asked.model().map(str::to_owned);
    let model = service.shelf.model(name.as_deref()).await?;
    let libraries = service.libraries.clone();
    let (question, wishes) = asked.read(move |fields| read(model, name, &libraries, fields)).await?;
    let BegunAnswer { model, events, options, form, sources, is_refusal } = question.begin().await?;
    let mut reply = CompletionReply::new(Style::Chat, model, wishes.name, options.choices);
    reply.calls = form;
    reply.constraint = options.constraint_field();
    reply.log_probabilities = wishes.log_probabilities;
    (reply.sources, reply.is_refusal) = (sources, is_refusal);
    let cut = service.cut.clone();
    let response = if options.stream {
        reply.streamed(events, cut, options.with_usage)
    } else {
        reply.whole(events).await
    };
    Ok(options.noted(response))
}

fn read(
    model: ModelInUse,
    name: Option<String>,
    libraries: &Libraries,
    mut fields: Fields,
) -> Result<(PutQuestion, ChatWishes), ApiError> {
    let library = libraries.asked(&mut fields)?;
    let messages = messages::read(&mut fields)?;
    let mut settings = TemplateSettings::read(&mut fields, &model.prompter)?;
    settings.read_effort((&mut fields, "reasoning_effort"), "reasoning_effort", &model.prompter)?;
    let mut options = Options::read(&mut fields, model.words.tokenizer())?;
    options.unused = settings.unused;
    let log_probabilities = fields.flag("logprobs")?.unwrap_or(false);
    match fields.count("top_logprobs")? {
        None if log_probabilities => options.ask_log_probabilities(0, "top_logprobs")?,
        Some(likeliest) if log_probabilities => {
            options.ask_log_probabilities(likeliest, "top_logprobs")?;
        }
        // Some clients send 0 who want none.
        None | Some(0) => {}
        Some(_) => {
            let message = "top_logprobs is given only if logprobs is true";
            return Err(ApiError::bad(message).parameter("top_logprobs"));
        }
    }
    let most = most(&mut fields)?;
    let tools = Tools::read(&mut fields, ToolForm::Nested)?;
    fields.only("modalities", &[json!(["text"])])?;
    fields.only("verbosity", &[json!("medium")])?;
    fields.finish()?;
    let (field, settings) = ("messages", settings.values);
    let question = ReadQuestion { model, field, messages, tools, settings, most, options };
    Ok((question.put(library)?, ChatWishes { name, log_probabilities }))
}

/// The number of tokens that a client allows, by the newer name or the older one.
fn most(fields: &mut Fields) -> Result<Option<usize>, ApiError> {
    let (newer, older) = ("max_completion_tokens", "max_tokens");
    let asked = [(newer, most_tokens(fields, newer)?), (older, most_tokens(fields, older)?)];
    if let [(_, Some(one)), (_, Some(other))] = asked
        && one != other
    {
        let message = format!("{newer} and {older} are given, and differ: give one of them");
        return Err(ApiError::bad(message).parameter(older));
    }
    let given = asked.into_iter().find_map(|(name, most)| Some((name, most?)));
    match given {
        Some((name, 0)) => {
            let message = format!("{name} is 0, and must be at least 1, or -1 for all that fits");
            Err(ApiError::bad(message).parameter(name))
        }
        _ => Ok(given.map(|(_, most)| most)),
    }
}
