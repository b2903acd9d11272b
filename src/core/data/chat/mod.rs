//! Chat templates, rendered as the model ships them. Knows no tokenizer and no file.
//!
//! Follows `apply_chat_template` of Hugging Face transformers: Jinja with `trim_blocks` and `lstrip_blocks`,
//! Python's string and dictionary methods, `raise_exception`, `strftime_now`, a `tojson` that writes as Python's
//! `json.dumps`, and `{% generation %}` blocks.

mod blocks;
pub mod fence;
mod json;
mod limits;
mod methods;
mod python;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{DateTime, FixedOffset, Local};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

use crate::data::shown::{self, Arguments};
use crate::domain::message::{Conversation, Message};

use blocks::with_generation_blocks;
pub(crate) use blocks::{BLOCK_END, BLOCK_START};
use json::to_json;
use limits::Rendering;

/// The tokens that templates name, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    pub bos: Option<String>,
    pub eos: Option<String>,
    /// Further ones by the names that templates have for them: `pad_token`, `image_token`, ...
    pub others: BTreeMap<String, String>,
    /// Those without a name of their own, which templates know as `additional_special_tokens`.
    pub additional: Vec<String>,
}

/// How a rendering ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenderEnding {
    /// After the last turn.
    Complete,
    /// With the head of an assistant's turn, for the model to go on from.
    GenerationPrompt,
}

/// A model's chat template, compiled.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// As the model ships it.
    source: Arc<str>,
    /// What its runs are kept under.
    name: u64,
    special: SpecialTokens,
    variables: BTreeMap<String, serde_json::Value>,
    marked: bool,
    /// The key of a turn's thought that the template reads.
    thought: Option<&'static str>,
}

const NAME: &str = "chat";

impl ChatTemplate {
    /// Compiles a template. `strftime_now` tells the time of this call; see [`ChatTemplate::at`].
    ///
    /// # Errors
    /// Where the template does not parse, or is longer or deeper than any that models ship.
    pub fn new(source: &str, special: SpecialTokens) -> Result<Self> {
        limits::check_source(source)?;
        let (thought, name) = (shown::thought_key(source), limits::name(source));
        // As Jinja reads it, whatever the lines of the file end with.
        let lines = source.replace("\r\n", "\n").replace('\r', "\n");
        let (text, marked) = with_generation_blocks(&lines);
        let environment = limits::run(name, source.len(), move || compile(text))?;
        let variables = BTreeMap::new();
        let source = Arc::from(source);
        Ok(Self { environment, source, name, special, variables, marked, thought }.at(Local::now()))
    }

    /// Fixes the time that `strftime_now` tells, so that a resumed run renders what it rendered before.
    #[must_use]
    pub fn at(mut self, time: impl Into<DateTime<FixedOffset>>) -> Self {
        let time = time.into();
        self.environment.add_function("strftime_now", move |format: &str| -> Result<String, Error> {
            use std::fmt::Write as _;
            let mut text = String::new();
            write!(text, "{}", time.format(format)).map_err(|_| {
                Error::new(ErrorKind::InvalidOperation, format!("strftime_now cannot read {format:?}"))
            })?;
            Ok(text)
        });
        self
    }

    /// Sets a variable that the template reads, such as `enable_thinking`.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: serde_json::Value) -> Self {
        self.variables.insert(name.into(), value);
        self
    }

    /// The text of a conversation as the model sees it.
    ///
    /// # Errors
    /// Where the template refuses the conversation, for example because roles do not alternate.
    pub fn render<'c>(
        &self,
        conversation: impl Into<Conversation<'c>>,
        ending: RenderEnding,
    ) -> Result<String> {
        self.render_values(conversation.into(), ending, Marks::Hidden)
    }

    /// Whether the template itself says what the model writes, in `{% generation %}` blocks.
    pub(crate) const fn is_marked(&self) -> bool {
        self.marked
    }

    /// The rendering with [`BLOCK_START`] and [`BLOCK_END`] around what stands in generation blocks.
    pub(crate) fn render_marked(&self, conversation: Conversation<'_>) -> Result<String> {
        let clash =
            conversation.messages.iter().any(|message| message.content.contains([BLOCK_START, BLOCK_END]));
        ensure!(!clash, "a message contains the noncharacter U+FDD0 or U+FDD1, which marks the loss mask");
        self.render_values(conversation, RenderEnding::Complete, Marks::Shown)
    }

    /// The template as the model ships it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The tokens that the template names.
    pub fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// Renders with the arguments of tool calls as objects, as most templates want them, where that changes none of
    /// them or the template doesn't write texts as they are; else as they stand. Null contents are empty texts where a
    /// template fails over them or would write a word for them; TRL leaves them out, which comes to the same.
    fn render_values(
        &self,
        conversation: Conversation<'_>,
        ending: RenderEnding,
        marks: Marks,
    ) -> Result<String> {
        let messages = conversation.messages;
        let render = |turns: &[Message]| {
            self.render_turns(Conversation { messages: turns, ..conversation }, ending, marks)
        };
        let mut turns = shown::turns(messages, self.thought, Arguments::Exact);
        let mut rendered = render(&turns);
        if !shown::shows_arguments(rendered.as_deref().ok(), messages) {
            turns = shown::turns(messages, self.thought, Arguments::Read);
            rendered = render(&turns);
        }
        let null = turns.iter().any(Message::is_null);
        let without_null = || null.then(|| render(&shown::without_null(&turns)).ok()).flatten();
        let as_written = || match &turns {
            Cow::Owned(_) => render(messages).ok(),
            Cow::Borrowed(_) => None,
        };
        let text = match rendered {
            // Nobody says the word that a template writes for a null; an empty text stays empty.
            Ok(text) => without_null().filter(|empty| nothings(empty) < nothings(&text)).unwrap_or(text),
            // A template that joins texts fails over a null content, where an empty one says the same.
            Err(error) => as_written().or_else(without_null).ok_or(error)?,
        };
        shown::check_developer(&text, messages)?;
        python::check_numbers(&text, conversation)?;
        Ok(text)
    }

    fn render_turns(
        &self,
        conversation: Conversation<'_>,
        ending: RenderEnding,
        marks: Marks,
    ) -> Result<String> {
        let Conversation { messages, tools, settings } = conversation;
        let bytes = bytes_of(conversation);
        let mut environment = self.environment.clone();
        let turns = messages.len() + tools.len();
        environment.set_fuel(Some(limits::steps(turns, bytes)));
        let mut context: BTreeMap<&str, Value> =
            self.variables.iter().map(|(name, value)| (name.as_str(), Value::from(Serde(value)))).collect();
        context.insert("documents", Value::from(()));
        // What a row says is meant for it more than what is said for all.
        let settings = settings.into_iter().flatten();
        context.extend(settings.map(|(name, value)| (name.as_str(), Value::from(Serde(value)))));
        context.insert("messages", Value::from(Serde(messages)));
        context.insert("add_generation_prompt", Value::from(ending == RenderEnding::GenerationPrompt));
        let tools = if tools.is_empty() { Value::from(()) } else { Value::from(Serde(tools)) };
        context.insert("tools", tools);
        let special = &self.special;
        for (name, token) in [("bos_token", &special.bos), ("eos_token", &special.eos)] {
            if let Some(token) = token {
                context.insert(name, Value::from(token.as_str()));
            }
        }
        for (name, token) in &special.others {
            context.entry(name.as_str()).or_insert_with(|| Value::from(token.as_str()));
        }
        if !special.additional.is_empty() {
            let all = Value::from(special.additional.clone());
            context.entry("additional_special_tokens").or_insert(all);
        }
        if marks == Marks::Shown {
            context.insert("_block_start", Value::from(String::from(BLOCK_START)));
            context.insert("_block_end", Value::from(String::from(BLOCK_END)));
        }
        let context: BTreeMap<String, Value> =
            context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        limits::run(self.name, bytes, move || {
            let template = environment.get_template(NAME).context("find the compiled chat template")?;
            let mut rendering = Rendering::new(turns, bytes);
            template.render_captured_to(context, &mut rendering).map_err(|error| {
                anyhow!("the model's chat template refuses this conversation: {}", reason(&error))
            })?;
            rendering.text()
        })
    }
}

fn compile(source: String) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.context("set up the template language")?);
    methods::add_to(&mut environment);
    environment.set_formatter(python::print);
    environment.add_filter("string", python::string);
    environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_filter("tojson", to_json);
    // In Jinja, what has a length and places is.
    environment.add_test("sequence", |value: &Value| {
        matches!(value.kind(), ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Undefined)
    });
    // In Jinja, none isn't.
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment
        .add_template_owned(NAME, source)
        .map_err(|error| anyhow!("compile the model's chat template: {}", reason(&error)))?;
    Ok(environment)
}

/// How often a text has one of the words that stand for nothing: Jinja's, or JSON's.
fn nothings(text: &str) -> usize {
    ["None", "none", "null"].iter().map(|word| text.matches(word).count()).sum()
}

/// Bytes of a conversation, roughly.
fn bytes_of(Conversation { messages, tools, settings }: Conversation<'_>) -> usize {
    let turn =
        |message: &Message| message.content.len() + message.extra.values().map(value_bytes).sum::<usize>();
    let beside = tools.iter().chain(settings.into_iter().flat_map(serde_json::Map::values));
    messages.iter().map(turn).chain(beside.map(value_bytes)).sum()
}

fn value_bytes(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(values) => values.iter().map(value_bytes).sum(),
        serde_json::Value::Object(map) => map.iter().map(|(key, value)| key.len() + value_bytes(value)).sum(),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => 8,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Shown,
    Hidden,
}

fn reason(error: &Error) -> String {
    let line = error.line().map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
    if error.kind() == ErrorKind::OutOfFuel {
        return format!("it doesn't come to an end within the steps that it is given{line}");
    }
    // What the writer says of a rendering that is too long.
    if error.kind() == ErrorKind::WriteFailure
        && let Some(cause) = std::error::Error::source(error)
    {
        return limits::words(&cause.to_string());
    }
    match error.detail() {
        Some(detail) => format!("{}{line}", limits::words(detail)),
        None => format!("{}{line}", error.kind()),
    }
}
