//! Chat templates, rendered as the model ships them. Knows no tokenizer and no file.
//!
//! Follows `apply_chat_template` of Hugging Face transformers: Jinja with `trim_blocks` and `lstrip_blocks`,
//! Python's string and dictionary methods, `raise_exception`, `strftime_now`, a `tojson` that writes as Python's
//! `json.dumps`, and `{% generation %}` blocks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Local};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

use crate::data::shown;
use crate::domain::message::{Conversation, Message};

/// Stand at a generation block's two ends while a mask is made. Unicode keeps both free of meaning.
pub(crate) const BLOCK_START: char = '\u{FDD0}';
pub(crate) const BLOCK_END: char = '\u{FDD1}';

/// The tokens that templates name, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    pub bos: Option<String>,
    pub eos: Option<String>,
    pub pad: Option<String>,
    pub unknown: Option<String>,
}

/// How a rendering ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After the last turn.
    Complete,
    /// With the head of an assistant's turn, for the model to go on from.
    GenerationPrompt,
}

/// A model's chat template, compiled.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    environment: Environment<'static>,
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
    /// Where the template does not parse.
    pub fn new(source: &str, special: SpecialTokens) -> Result<Self> {
        let thought = shown::thought_key(source);
        let (source, marked) = with_generation_blocks(source);
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.context("set up the template language")?);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<Value, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_filter("tojson", to_json);
        environment.add_template_owned(NAME, source).context("compile the model's chat template")?;
        Ok(Self { environment, special, variables: BTreeMap::new(), marked, thought }.at(Local::now()))
    }

    /// Fixes the time that `strftime_now` tells, so that a resumed run renders what it rendered before.
    #[must_use]
    pub fn at(mut self, time: DateTime<Local>) -> Self {
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
    pub fn render<'c>(&self, conversation: impl Into<Conversation<'c>>, ending: Ending) -> Result<String> {
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
        self.render_values(conversation, Ending::Complete, Marks::Shown)
    }

    /// The tokens that the template names.
    pub fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// Renders with the arguments of tool calls as objects, as most templates want them; else as they stand.
    fn render_values(&self, conversation: Conversation<'_>, ending: Ending, marks: Marks) -> Result<String> {
        let turns = shown::turns(conversation.messages, self.thought);
        let rendered = self.render_turns(&turns, conversation.tools, ending, marks);
        match (rendered, turns) {
            (Err(_), Cow::Owned(_)) => {
                self.render_turns(conversation.messages, conversation.tools, ending, marks)
            }
            (rendered, _) => rendered,
        }
    }

    fn render_turns(
        &self,
        messages: &[Message],
        tools: &[serde_json::Value],
        ending: Ending,
        marks: Marks,
    ) -> Result<String> {
        let mut context: BTreeMap<&str, Value> =
            self.variables.iter().map(|(name, value)| (name.as_str(), Value::from(Serde(value)))).collect();
        context.insert("messages", Value::from(Serde(messages)));
        context.insert("add_generation_prompt", Value::from(ending == Ending::GenerationPrompt));
        let tools = if tools.is_empty() { Value::from(()) } else { Value::from(Serde(tools)) };
        context.insert("tools", tools);
        context.insert("documents", Value::from(()));
        let special = &self.special;
        let tokens = [
            ("bos_token", &special.bos),
            ("eos_token", &special.eos),
            ("pad_token", &special.pad),
            ("unk_token", &special.unknown),
        ];
        for (name, token) in tokens {
            if let Some(token) = token {
                context.insert(name, Value::from(token.as_str()));
            }
        }
        if marks == Marks::Shown {
            context.insert("_block_start", Value::from(String::from(BLOCK_START)));
            context.insert("_block_end", Value::from(String::from(BLOCK_END)));
        }
        let template = self.environment.get_template(NAME).context("find the compiled chat template")?;
        template.render(context).map_err(|error| {
            anyhow::anyhow!("the model's chat template refuses this conversation: {}", reason(&error))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Shown,
    Hidden,
}

fn reason(error: &Error) -> String {
    let line = error.line().map(|line| format!(" (line {line} of the template)")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{detail}{line}"),
        None => format!("{}{line}", error.kind()),
    }
}

/// Turns `{% generation %}` blocks, which minijinja does not know, into conditions that also write the marks. The
/// outer tags keep the white-space signs, so that the text around comes out as it would with the block.
fn with_generation_blocks(source: &str) -> (String, bool) {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    let mut marked = false;
    while let Some((before, tag)) = rest.split_once("{%") {
        let Some((inside, after)) = tag.split_once("%}") else { break };
        let sign = |signed: bool| if signed { "-" } else { "" };
        let (left, right) = (sign(inside.starts_with('-')), sign(inside.ends_with('-')));
        out.push_str(before);
        match inside.trim_matches(|sign: char| sign.is_whitespace() || "-+".contains(sign)) {
            "generation" => {
                marked = true;
                out.extend(["{%", left, " if true %}{{ _block_start }}{% if true ", right, "%}"]);
            }
            "endgeneration" => {
                out.extend(["{%", left, " endif %}{{ _block_end }}{% endif ", right, "%}"]);
            }
            _ => out.extend(["{%", inside, "%}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    (out, marked)
}

/// `json.dumps(value, ensure_ascii=False)`, with Python's spaces after commas and colons.
#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
fn to_json(value: &Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let _: (Option<bool>, Option<bool>, Option<Value>) =
        (options.get("ensure_ascii")?, options.get("sort_keys")?, options.get("separators")?);
    options.assert_all_used()?;
    let mut bytes = Vec::new();
    let written = match indent {
        Some(width) => {
            let spaces = vec![b' '; width];
            value
                .serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(&spaces)))
        }
        None => value.serialize(&mut Serializer::with_formatter(&mut bytes, PythonSpacing)),
    };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())).and_then(|()| {
        String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    })
}

struct PythonSpacing;

impl Formatter for PythonSpacing {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}
