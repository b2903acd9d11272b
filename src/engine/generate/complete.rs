//! Many prompts in, all their completions out: for sample completions, evaluation and rollouts.

use std::collections::HashMap;

use anyhow::Result;

use super::generator::Generator;
use super::request::{Event, Finish, GenerateRequest, RequestId, Usage, What};

/// One continuation, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The end token among them, where the model ended it.
    pub tokens: Vec<u32>,
    /// Of each token, where they were asked for.
    pub log_probabilities: Vec<f32>,
    pub text: String,
    pub why: Finish,
    pub usage: Usage,
}

/// Completes all requests together; the same requests always give the same completions. `tick` is called after
/// every step with the number of tokens that the model chose in it; its error ends everything.
///
/// # Errors
/// Where a request is refused, or `tick` fails.
pub fn complete(
    generator: &mut Generator,
    requests: Vec<GenerateRequest>,
    tick: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<Vec<Completion>>> {
    complete_each(generator, requests, &mut |_, _| {}, tick)
}

/// As [`complete`]; `done` is told each request's number and its completions as soon as all of them are whole.
///
/// # Errors
/// As [`complete`].
pub fn complete_each(
    generator: &mut Generator,
    requests: Vec<GenerateRequest>,
    done: &mut dyn FnMut(usize, &[Completion]),
    tick: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<Vec<Completion>>> {
    let mut places = HashMap::new();
    let mut completions = Vec::new();
    for (place, request) in requests.into_iter().enumerate() {
        let empty = Completion {
            tokens: Vec::new(),
            log_probabilities: Vec::new(),
            text: String::new(),
            why: Finish::Cancelled,
            usage: Usage::default(),
        };
        completions.push(vec![empty; request.choices]);
        match generator.submit(request) {
            Ok(id) => _ = places.insert(id, place),
            Err(error) => {
                cancel_all(generator, &places);
                return Err(error.context(format!("request {}", place + 1)));
            }
        }
    }
    let mut left: Vec<usize> = completions.iter().map(Vec::len).collect();
    while generator.unfinished() > 0 {
        let mut chosen = 0;
        for event in generator.step()? {
            let Some(&place) = places.get(&event.request) else { continue };
            let Some(choices) = completions.get_mut(place) else { continue };
            let Some(completion) = choices.get_mut(event.choice) else { continue };
            chosen += usize::from(event.what.is_choice());
            let ended = matches!(event.what, What::Finished { .. });
            apply(completion, event);
            if ended && let Some(left) = left.get_mut(place) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    done(place, choices);
                }
            }
        }
        if let Err(error) = tick(chosen) {
            cancel_all(generator, &places);
            return Err(error);
        }
    }
    Ok(completions)
}

fn cancel_all(generator: &mut Generator, places: &HashMap<RequestId, usize>) {
    for &id in places.keys() {
        generator.cancel(id);
    }
}

fn apply(completion: &mut Completion, event: Event) {
    match event.what {
        What::Prompt { .. } => {}
        What::Token { text, token } => {
            completion.text.push_str(&text);
            completion.tokens.push(token.id);
            completion.log_probabilities.extend(token.log_probability);
        }
        What::Finished { text, why, usage } => {
            completion.text.push_str(&text);
            (completion.why, completion.usage) = (why, usage);
        }
    }
}
