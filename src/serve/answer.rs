//! A request's events, gathered into whole answers.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::error::ApiError;
use crate::engine::generate::{ChosenToken, Event, Fault, Finish, RequestId, Usage, What};

/// One choice, as far as it has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    /// Which request it is of, once something of it came.
    pub request: Option<RequestId>,
    pub text: String,
    pub tokens: Vec<ChosenToken>,
    pub why: Option<Finish>,
    pub usage: Usage,
}

/// Waits for all choices, and for what is told of their prompts: of each its tokens, `each` choices apart.
pub(crate) async fn gather(
    mut events: UnboundedReceiver<Event>,
    (prompts, each): (usize, usize),
) -> (Vec<Choice>, Vec<Vec<ChosenToken>>) {
    let mut choices = vec![Choice::default(); prompts * each];
    let mut scored = vec![Vec::new(); prompts];
    while let Some(event) = events.recv().await {
        let Some(choice) = choices.get_mut(event.choice) else { continue };
        choice.request = Some(event.request);
        match event.what {
            What::Prompt { tokens } => {
                if let Some(prompt) = scored.get_mut(event.choice / each) {
                    prompt.extend(tokens);
                }
            }
            What::Token { text, token } => {
                choice.text.push_str(&text);
                choice.tokens.push(token);
            }
            What::Finished { text, why, usage } => {
                choice.text.push_str(&text);
                (choice.why, choice.usage) = (Some(why), usage);
            }
        }
        if choices.iter().all(|choice| choice.why.is_some()) {
            break;
        }
    }
    (choices, scored)
}

/// OpenAI's word for an answer that the model ended.
pub(crate) const STOP: &str = "stop";

/// OpenAI's word for why a choice ended.
pub(crate) const fn finish_reason(why: Finish) -> &'static str {
    match why {
        Finish::EndToken | Finish::StopText => STOP,
        // A failure is answered with an error, which has no such word.
        Finish::Length | Finish::Context | Finish::Cancelled | Finish::Failed(_) => "length",
    }
}

/// What a client is told whose answer could not be finished; `constraint` is the field that holds it to something.
pub(crate) fn failed(fault: Fault, constraint: Option<&'static str>) -> ApiError {
    let (status, code) = match fault {
        // Asked again it would fail again, as clients do after a 500.
        Fault::Constraint => (StatusCode::BAD_REQUEST, "constraint_failed"),
        Fault::Computation | Fault::Numbers => (StatusCode::INTERNAL_SERVER_ERROR, "generation_failed"),
    };
    let error = ApiError::new(status, fault.sentence()).code(code);
    match fault {
        Fault::Constraint => error.parameter(constraint.unwrap_or_default()),
        Fault::Computation | Fault::Numbers => error,
    }
}

/// Why a choice has no end; nothing if it has one.
pub(crate) const fn fault(why: Option<Finish>) -> Option<Fault> {
    match why {
        Some(Finish::Failed(fault)) => Some(fault),
        None => Some(Fault::Computation),
        Some(_) => None,
    }
}

/// What a request took: each prompt counts once, and `each` choices were made of it; `before` is what was computed before
/// it could be asked.
pub(crate) fn usage(of: &[Usage], each: usize, before: Option<Usage>) -> Value {
    let prompts = || of.iter().step_by(each.max(1)).chain(&before);
    let prompt: usize = prompts().map(|usage| usage.prompt_tokens).sum();
    let cached: usize = prompts().map(|usage| usage.cached_tokens).sum();
    let completion: usize = of.iter().chain(&before).map(|usage| usage.completion_tokens).sum();
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": { "cached_tokens": cached },
    })
}
