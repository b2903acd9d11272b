//! A request's events, gathered into whole answers.

use serde_json::{Value, json};
use tokenizers::Tokenizer;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::generate::{ChosenToken, Event, Finish, RequestId, Usage, What};

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

/// Waits for all choices.
pub(crate) async fn gather(mut events: UnboundedReceiver<Event>, count: usize) -> Vec<Choice> {
    let mut choices = vec![Choice::default(); count];
    while let Some(event) = events.recv().await {
        let Some(choice) = choices.get_mut(event.choice) else { continue };
        choice.request = Some(event.request);
        match event.what {
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
    choices
}

/// OpenAI's word for why a choice ended.
pub(crate) const fn finish_reason(why: Finish) -> &'static str {
    match why {
        Finish::EndToken | Finish::StopText => "stop",
        Finish::Length | Finish::Context | Finish::Cancelled => "length",
    }
}

/// What a request took: its prompt counts once.
pub(crate) fn usage(of: &[Usage]) -> Value {
    let prompt = of.first().map_or(0, |usage| usage.prompt_tokens);
    let cached = of.first().map_or(0, |usage| usage.cached_tokens);
    let completion: usize = of.iter().map(|usage| usage.completion_tokens).sum();
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": { "cached_tokens": cached },
    })
}

/// A token's text by itself; bytes that aren't whole characters show as replacement characters.
pub(crate) fn token_text(tokenizer: &Tokenizer, id: u32) -> String {
    // Some of the library's decoders fail over a number without a token.
    let is_known = tokenizer.id_to_token(id).is_some();
    if is_known { tokenizer.decode(&[id], false).unwrap_or_default() } else { String::new() }
}
