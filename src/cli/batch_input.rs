//! The prompts of `dojo generate --input`: what a line asks, and what beside it is refused or told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

use super::print;
use crate::data::mapping::is_unsaid;
use crate::data::rows::{kind_of, parse_row};
use crate::domain::message::{Message, Role};
use crate::domain::record::Fields;

/// One input line, numbered from 1.
pub(super) struct InputLine {
    pub(super) number: usize,
    pub(super) messages: Vec<Message>,
}

/// Keys that ask, with turns or with a text.
const TURNS: &str = "messages";
const ASKS: [&str; 4] = ["prompt", "input", "question", "instruction"];

/// Keys that change what is asked or how, and what to do with one of them. None of these is read.
const CHANGING: [(&[&str], &str); 4] = [
    (
        &[
            "system",
            "system_prompt",
            "system_message",
            "system_instruction",
            "instructions",
            "developer",
            "developer_message",
        ],
        "write it as the first turn of `messages`, or give all lines one by --system",
    ),
    (
        &[
            "context",
            "contexts",
            "history",
            "chat_history",
            "conversation",
            "conversations",
            "dialog",
            "dialogue",
            "turns",
            "documents",
            "document",
            "passage",
            "passages",
            "article",
            "examples",
            "few_shot",
            "query",
            "premise",
            "hypothesis",
            "options",
            "choices",
            "prefix",
            "body",
        ],
        "write it into the prompt or into `messages`",
    ),
    (
        &[
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "max_tokens",
            "max_new_tokens",
            "max_completion_tokens",
            "max_output_tokens",
            "min_tokens",
            "max_length",
            "stop",
            "stop_sequences",
            "stop_token_ids",
            "seed",
            "n",
            "best_of",
            "do_sample",
            "num_beams",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "response_format",
            "response_schema",
            "json_schema",
            "schema",
            "grammar",
            "regex",
            "guided_json",
            "guided_regex",
            "guided_choice",
            "guided_grammar",
            "sampling",
            "sampling_params",
            "parameters",
            "generation_config",
            "adapter",
        ],
        "take it out; what `dojo generate --help` has an option for is set so for all lines",
    ),
    (
        &[
            "tools",
            "functions",
            "tool_choice",
            "function_call",
            "parallel_tool_calls",
            "chat_template_kwargs",
            "chat_template",
            "template",
            "enable_thinking",
            "thinking",
            "reasoning_effort",
            "add_generation_prompt",
            "continue_final_message",
            "image",
            "images",
            "image_url",
            "audio",
            "audios",
            "video",
            "videos",
            "file",
            "files",
            "attachments",
            "prefill",
            "assistant_prefix",
            "suffix",
        ],
        "take it out: prompts of a file are texts and turns alone",
    ),
];

/// The prompts of a file; `system` begins those that have no system turn.
///
/// # Errors
/// Names the line that can't be asked as it stands.
pub(super) fn read_lines(system: Option<&str>, input: &Path) -> Result<Vec<InputLine>> {
    let file = std::fs::File::open(input).with_context(|| format!("open {}", input.display()))?;
    let mut lines = Vec::new();
    let mut unread = BTreeMap::new();
    for (index, text) in BufReader::new(file).lines().enumerate() {
        let text = text.with_context(|| format!("read {}", input.display()))?;
        if text.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let mut messages = conversation(&text, &mut unread)
            .with_context(|| format!("line {number} of {} can't be read as a prompt", input.display()))?;
        let has_system = messages.first().is_some_and(|message| message.role == Role::System);
        if let Some(system) = system.filter(|_| !has_system) {
            messages.insert(0, Message::new(Role::System, system));
        }
        lines.push(InputLine { number, messages });
    }
    ensure!(!lines.is_empty(), "{} holds no prompts", input.display());
    if !unread.is_empty() {
        let names: Vec<String> = unread.iter().map(|(name, rows)| format!("{name:?} ({rows})")).collect();
        print::complain(&format!(
            "{} has keys that are not asked and not copied into the answers, with how many lines have them: {}; an \
             answer's `line` says which line it is of",
            input.display(),
            names.join(", ")
        ));
    }
    Ok(lines)
}

/// A line is JSON with `messages` (up to the last answer) or one of the keys that ask; a JSON string; or plain text.
/// Keys that are not read are counted.
fn conversation(text: &str, unread: &mut BTreeMap<String, usize>) -> Result<Vec<Message>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with(['{', '"']) {
        return Ok(vec![Message::new(Role::User, text)]);
    }
    if text.trim_start().starts_with('"') {
        return Ok(vec![Message::new(Role::User, serde_json::from_str::<String>(text)?)]);
    }
    let (row, _) = parse_row(text)?;
    let said: Vec<(&String, &Value)> = row.iter().filter(|(_, value)| !says_nothing(value)).collect();
    for (key, _) in &said {
        if let Some(what) = mend(key) {
            bail!("{key:?} changes what is asked, and it isn't read here: {what}");
        }
    }
    let asks = |key: &str| key == TURNS || ASKS.contains(&key);
    let mut asking = said.iter().filter(|(key, _)| asks(key));
    // A prompt that is there and empty asks nothing, and is asked as it stands.
    let empty = || row.iter().find(|(key, value)| ASKS.contains(&key.as_str()) && value.is_string());
    let Some((key, value)) = asking.next().copied().or_else(empty) else {
        let nothing = row.get(TURNS).is_some_and(|turns| !turns.is_null());
        ensure!(!nothing, "`messages` holds nothing to answer");
        bail!("it has none of `messages`, `prompt`, `input`, `question`, `instruction`");
    };
    if let Some((other, _)) = asking.next() {
        bail!("{key:?} and {other:?} both say what is asked: keep one of them, with all that is to be asked");
    }
    for (name, _) in said.iter().filter(|(name, _)| !asks(name)) {
        *unread.entry((*name).clone()).or_default() += 1;
    }
    match value {
        turns if key == TURNS => read_turns(turns),
        Value::String(prompt) => Ok(vec![Message::new(Role::User, prompt)]),
        other => bail!("{key:?} holds {}, and a prompt is a text; turns go into `messages`", kind_of(other)),
    }
}

/// Null, and what is empty or blank, asks nothing.
fn says_nothing(value: &Value) -> bool {
    is_unsaid(value) || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// What to do with a key that changes what is asked: `systemPrompt` is `system_prompt`.
fn mend(key: &str) -> Option<&'static str> {
    let letters = |name: &str| name.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let key = letters(key);
    CHANGING.iter().find(|(names, _)| names.iter().any(|name| letters(name) == key)).map(|(_, what)| *what)
}

/// The turns up to the last answer.
fn read_turns(turns: &Value) -> Result<Vec<Message>> {
    let Value::Array(turns) = turns else {
        bail!("`messages` holds {}, and it is a list of turns with role and content", kind_of(turns));
    };
    let mut messages = Vec::with_capacity(turns.len());
    for (turn, number) in turns.iter().zip(1..) {
        messages.extend(read_turn(turn).with_context(|| format!("turn {number} of `messages`"))?);
    }
    if messages.last().is_some_and(|message| message.role == Role::Assistant) {
        messages.pop();
    }
    ensure!(!messages.is_empty(), "`messages` holds nothing to answer");
    Ok(messages)
}

/// A turn; a system turn of nothing is none.
fn read_turn(turn: &Value) -> Result<Option<Message>> {
    let Value::Object(entries) = turn else {
        bail!("it is {}, and a turn is an object with role and content", kind_of(turn));
    };
    let role: Role = match entries.get("role") {
        None => bail!("it has no role: say who speaks, as system, user, assistant or tool"),
        Some(role) => serde_json::from_value(role.clone()).map_err(|_| {
            anyhow!(
                "its role is {role}: write system, developer, user, assistant or tool, as the model knows it"
            )
        })?,
    };
    match (entries.get("content"), role) {
        (None | Some(Value::Null), Role::System | Role::Developer) => return Ok(None),
        (Some(Value::String(_)), _) => {}
        (None | Some(Value::Null), Role::Assistant)
            if !entries.get("tool_calls").is_none_or(says_nothing) => {}
        (None | Some(Value::Null), _) => bail!("it has no content: write what is said, or take the turn out"),
        (Some(Value::Array(_)), _) => bail!(
            "its content is a list of parts, and only texts are read: write it as one text, or take the line out"
        ),
        (Some(other), _) => bail!("its content is {}: write it as a text", kind_of(other)),
    }
    let mut entries: Fields = entries.clone();
    entries.entry("content").or_insert(Value::Null);
    Ok(Some(serde_json::from_value(Value::Object(entries))?))
}
