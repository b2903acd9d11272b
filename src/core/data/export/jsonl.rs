//! JSON Lines.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::file;
use super::flat::flat;
use super::held::HeldNumbers;
use super::{Added, Sink};
use crate::data::mapping::{PROMPT_TURNS, SETTINGS};
use crate::data::rows::write_row;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;
use crate::ground::files::WholeFile;

type JsonObject = Map<String, Value>;

/// Makes a line's object, or says why the record does not fit.
type MakeObject = fn(&Record) -> Result<JsonObject, String>;

pub(super) struct JsonlWriter {
    file: WholeFile,
    shape: MakeObject,
}

impl JsonlWriter {
    pub(super) fn create(path: &Path, shape: MakeObject) -> Result<Self> {
        Ok(Self { file: file::create(path)?, shape })
    }
}

impl Sink for JsonlWriter {
    fn add(&mut self, record: &Record) -> Result<Added> {
        let object = match (self.shape)(record) {
            Ok(object) => object,
            Err(reason) => return Ok(Added::LeftOut(reason)),
        };
        let numbers = HeldNumbers::of(record).places(&object);
        let mut line = write_row(&object, &numbers).with_context(|| format!("write {}", record.place()))?;
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .with_context(|| format!("write {}", self.file.path().display()))?;
        Ok(Added::Written)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        file::finish(self.file)
    }
}

/// `messages`; plain text has `text` instead. A preference pair gives its chosen answer. Where the first turns are a
/// prompt, `prompt_turns` says how many.
pub(super) fn messages(record: &Record) -> Result<JsonObject, String> {
    let mut object = JsonObject::new();
    let chosen = record.preference.iter().flat_map(|pair| &pair.chosen);
    let turns: Vec<_> = record.messages.iter().chain(chosen).collect();
    match &record.text {
        Some(text) if turns.is_empty() => object.insert("text".into(), json!(text)),
        _ if turns.is_empty() => return Err("it has no conversation".into()),
        _ => object.insert("messages".into(), json!(turns)),
    };
    add_tools(&mut object, record);
    // What both answers of a pair share is not learnt either.
    let shared = record.preference.as_ref().map(|_| record.messages.len()).filter(|turns| *turns > 0);
    if let Some(turns) = shared.or_else(|| record.prompt_and_completion().map(|_| record.prompt_turns)) {
        object.insert(PROMPT_TURNS.into(), json!(turns));
    }
    add_rest(&mut object, record);
    Ok(object)
}

/// A conversation whose first turns are a prompt has both as turns, as TRL reads them; any other is one question with
/// its answer.
pub(super) fn prompt_completion(record: &Record) -> Result<JsonObject, String> {
    if let Some((prompt, completion)) = record.prompt_and_completion().or_else(|| with_extras(record)) {
        let mut object = JsonObject::new();
        object.insert("prompt".into(), json!(prompt));
        object.insert("completion".into(), json!(completion));
        add_tools(&mut object, record);
        add_rest(&mut object, record);
        return Ok(object);
    }
    let flat = flat(record)?;
    let completion = flat.completion.ok_or("it has no answer")?;
    let mut object = JsonObject::new();
    if let Some(system) = flat.system {
        object.insert("system".into(), json!(system));
    }
    object.insert("prompt".into(), json!(flat.prompt));
    object.insert("completion".into(), json!(completion));
    add_rest(&mut object, record);
    Ok(object)
}

pub(super) fn preference(record: &Record) -> Result<JsonObject, String> {
    let pair = record.preference.as_ref().ok_or("it is no preference pair")?;
    let mut object = JsonObject::new();
    object.insert("prompt".into(), json!(record.messages));
    object.insert("chosen".into(), json!(pair.chosen));
    object.insert("rejected".into(), json!(pair.rejected));
    add_tools(&mut object, record);
    add_rest(&mut object, record);
    Ok(object)
}

/// One question and one answer that have more than a text (tool calls, thoughts): they stay turns, so that it is kept.
fn with_extras(record: &Record) -> Option<(&[Message], &[Message])> {
    let answers = record.messages.iter().filter(|turn| turn.role == Role::Assistant).count();
    let parts = record.messages.split_at_checked(record.messages.len().saturating_sub(1));
    parts.filter(|(prompt, answer)| {
        record.has_more_than_texts()
            && answers == 1
            && !prompt.is_empty()
            && record.preference.is_none()
            && answer.iter().all(|turn| turn.role == Role::Assistant)
    })
}

fn add_tools(object: &mut JsonObject, record: &Record) {
    if !record.tools.is_empty() {
        object.insert("tools".into(), json!(record.tools));
    }
    if !record.settings.is_empty() {
        object.insert(SETTINGS.into(), json!(record.settings));
    }
}

fn add_rest(object: &mut JsonObject, record: &Record) {
    if let Some(label) = &record.label {
        object.insert("label".into(), json!(label));
    }
    if let Some(split) = &record.split {
        object.insert("split".into(), json!(split));
    }
    if !record.tags.is_empty() {
        object.insert("tags".into(), json!(record.tags));
    }
}
