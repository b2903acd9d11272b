//! Prompts as token ids, and what a tokenizer and a template say.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::{ParityRow, ParityVerdict, prompts};
use crate::generate::Prompter;
use crate::model::OpenModel;
use crate::model::ends::KNOWN;
use dojo_core::domain::message::Message;
use dojo_core::ground::hash;

/// Added tokens that prompts are made of, at most.
const MOST_ADDED: usize = 8;

/// Renders prompts by both models' templates and tokenizers; gives back the trained model's tokens of them.
pub(super) fn prompts(
    trained: &OpenModel,
    exported: &OpenModel,
    given: &[Vec<Message>],
    rows: &mut Vec<ParityRow>,
) -> Result<Vec<Vec<u32>>> {
    let own = prompts::own(&plain_added(trained));
    let given = if given.is_empty() { own.as_slice() } else { given };
    let (one, other) = (Prompter::new(trained)?, Prompter::new(exported)?);
    let (mut same, mut first_refusal, mut first_other) = (Vec::new(), None, None);
    let mut asked = 0;
    for turns in given {
        match (rendered(&one, turns), rendered(&other, turns)) {
            (Ok(tokens), Ok(others)) if tokens == others => same.push(tokens),
            (Ok(tokens), Ok(others)) => {
                first_other.get_or_insert_with(|| {
                    (shown(trained, &tokens, &others), shown(exported, &others, &tokens))
                });
            }
            (Ok(_), Err(error)) => {
                first_other.get_or_insert_with(|| ("a prompt".to_owned(), format!("refused ({error:#})")));
            }
            // Some templates want turns of their own kind, and refuse these alike.
            (Err(error), Err(_)) => {
                first_refusal.get_or_insert(error);
                continue;
            }
            (Err(error), Ok(_)) => {
                first_other.get_or_insert_with(|| (format!("refused ({error:#})"), "a prompt".to_owned()));
            }
        }
        asked += 1;
    }
    if let (0, Some(error)) = (asked, first_refusal) {
        bail!(error.context("none of the prompts can be rendered by the model's chat template"));
    }
    // A short text, with what the tokenizer puts around it.
    let texts = (ids(&one.raw("Hello")?), ids(&other.raw("Hello")?));
    let row =
        |what, trained: String, exported: String, verdict| ParityRow { what, trained, exported, verdict };
    rows.push(match first_other {
        None => {
            row("prompts as tokens", format!("{asked}"), format!("{} alike", same.len()), ParityVerdict::Same)
        }
        Some((one, other)) => row("prompts as tokens", one, other, ParityVerdict::Broken),
    });
    rows.push(row("text with its beginning token", texts.0.clone(), texts.1.clone(), of(texts.0 == texts.1)));
    Ok(same)
}

const fn of(same: bool) -> ParityVerdict {
    if same { ParityVerdict::Same } else { ParityVerdict::Broken }
}

/// By the chat template; as text, turn by turn, if there is none.
fn rendered(prompter: &Prompter, turns: &[Message]) -> Result<Vec<u32>> {
    if prompter.has_template() {
        return prompter.chat(turns);
    }
    let text: Vec<&str> = turns.iter().map(|turn| turn.content.as_str()).collect();
    prompter.raw(&text.join("\n"))
}

fn ids(tokens: &[u32]) -> String {
    tokens.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}

/// Where two lists of tokens part, with the tokens there.
fn shown(model: &OpenModel, tokens: &[u32], others: &[u32]) -> String {
    let at = tokens.iter().zip(others).take_while(|(one, other)| one == other).count();
    let some: Vec<String> =
        tokens.iter().skip(at.saturating_sub(1)).take(4).map(|&id| text(model, id)).collect();
    format!("{} tokens, from {at}: {}", tokens.len(), some.join(" "))
}

fn text(model: &OpenModel, id: u32) -> String {
    let text = model.tokenizer.id_to_token(id).unwrap_or_default();
    format!("{id} {text:?}")
}

/// Added tokens that aren't control tokens: those of reasoning tags, for example.
fn plain_added(model: &OpenModel) -> Vec<String> {
    let added: BTreeMap<u32, _> = model.tokenizer.get_added_tokens_decoder().into_iter().collect();
    let plain = added.into_values().rev().filter(|token| !token.special && !token.content.trim().is_empty());
    plain.map(|token| token.content).take(MOST_ADDED).collect()
}

/// Template, ends, added tokens, rows and output layer.
pub(super) fn facts(
    (trained, merged): (&OpenModel, &OpenModel),
    exported: &OpenModel,
    rows: &mut Vec<ParityRow>,
) {
    let mut push = |what, trained: String, exported: String, verdict| {
        rows.push(ParityRow { what, trained, exported, verdict });
    };
    let hash = |model: &OpenModel| {
        let text = model.template.text.as_ref();
        text.map_or_else(
            || "none".to_owned(),
            |text| format!("{:016x}", hash::of_bytes(text.trim().as_bytes())),
        )
    };
    let (one, other) = (hash(trained), hash(exported));
    push("chat template", one.clone(), other.clone(), of(one == other));
    let (lacking, more) = (added_only_in(trained, exported), added_only_in(exported, trained));
    let verdict = match (lacking.is_empty(), more.is_empty()) {
        (true, true) => ParityVerdict::Same,
        (true, false) => ParityVerdict::Format,
        (false, _) => ParityVerdict::Broken,
    };
    push("added tokens", told(trained, &lacking), told(exported, &more), verdict);
    push(
        "end tokens",
        ends(&trained.config.eos, trained),
        ends(&exported.config.eos, exported),
        end_verdict(trained, exported),
    );
    let (one, other) = (merged.config.vocabulary, exported.config.vocabulary);
    push("rows of the embedding", one.to_string(), other.to_string(), of(one == other));
    let output = |model: &OpenModel| if model.config.tied_embeddings { "the embedding" } else { "its own" };
    let (one, other) = (output(merged), output(exported));
    push("output layer", one.to_owned(), other.to_owned(), of(one == other));
}

fn ends(ends: &[u32], model: &OpenModel) -> String {
    ends.iter().map(|&id| text(model, id)).collect::<Vec<_>>().join(", ")
}

/// All ends must be there; a GGUF has those too that every reader of one knows by their text.
fn end_verdict(trained: &OpenModel, exported: &OpenModel) -> ParityVerdict {
    let (one, other): (BTreeSet<u32>, BTreeSet<u32>) =
        (trained.config.eos.iter().copied().collect(), exported.config.eos.iter().copied().collect());
    let is_known =
        |id: &u32| exported.tokenizer.id_to_token(*id).is_some_and(|text| KNOWN.contains(&text.as_str()));
    match (one == other, one.is_subset(&other) && other.difference(&one).all(is_known)) {
        (true, _) => ParityVerdict::Same,
        (false, true) => ParityVerdict::Format,
        (false, false) => ParityVerdict::Broken,
    }
}

/// The added tokens with a row in both models that another model lacks, or has under another number or of another kind.
fn added_only_in(model: &OpenModel, other: &OpenModel) -> Vec<String> {
    let rows = model.config.vocabulary.min(other.config.vocabulary);
    let of = |model: &OpenModel| -> BTreeSet<(u32, String, bool)> {
        let added = model.tokenizer.get_added_tokens_decoder().into_iter();
        let added = added.filter(|(id, _)| (*id as usize) < rows);
        added.map(|(id, token)| (id, token.content, token.special)).collect()
    };
    let kind = |special: bool| if special { " (control)" } else { "" };
    let only = of(model).difference(&of(other)).cloned().collect::<Vec<_>>();
    only.into_iter().map(|(id, text, special)| format!("{id} {text:?}{}", kind(special))).collect()
}

/// How many added tokens a model has, and the first of those that the other lacks.
fn told(model: &OpenModel, only: &[String]) -> String {
    let count = model.tokenizer.get_added_tokens_decoder().len();
    let first: Vec<&str> = only.iter().take(4).map(String::as_str).collect();
    if first.is_empty() { count.to_string() } else { format!("{count}, here alone {}", first.join(", ")) }
}
