//! Control tokens whose names stand in what somebody says: they are text. Knows the tokenizer, no file and no model.
//!
//! A tokenizer finds `<|im_end|>` wherever it stands, so a user's text could end its own turn and forge another. Only
//! the marks that the template itself writes are control tokens of turns and roles. So a sign is put into every such
//! name before a conversation is rendered. In the rendering, names without the sign are the template's own; those with
//! it are cut into the tokens of their letters. Tokens that aren't special (`<think>` and `<tool_call>` in most models,
//! those that a recipe adds) stay tokens everywhere; special ones that the template knows for marks of thoughts or calls,
//! and writes around no turn, stay tokens in what the assistant says, since a model writes them itself.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use tokenizers::{AddedToken, Tokenizer};

use crate::data::stretch::Joint;
use crate::domain::message::{Conversation, Message, Role};

/// Put into a control token's name where it is text. Unicode keeps it free of meaning.
const SIGN: char = '\u{FDD2}';
/// Around the number that stands for one of the template's own marks while a text is cut.
const ALIAS: char = '\u{FDD3}';

/// Bytes of what finds the names; some tokenizers have a thousand.
const FINDER_BYTES: usize = 64 << 20;

/// The control tokens of a tokenizer.
#[derive(Debug)]
pub struct Controls {
    /// With their ids, the longest name first.
    tokens: Vec<(u32, AddedToken)>,
    /// Finds their names; none where there are no control tokens.
    names: Option<Regex>,
    /// What cuts texts in which a name is text; made when the first one comes.
    plain: OnceLock<PlainTextTokenizer>,
    /// See [`Frame`]; found when the first text with a name comes.
    frame: OnceLock<Frame>,
    joint: Joint,
}

/// How a template's own marks stand to those of its model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// Control tokens that the model writes itself.
    pub written: HashSet<String>,
}

/// A text in tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenizedText {
    pub tokens: Vec<u32>,
    /// Where each token begins, in bytes of the text.
    pub begins: Vec<usize>,
}

/// A conversation in which no name of a control token is more than text.
pub(crate) struct Shielded {
    messages: Vec<Message>,
    tools: Vec<Value>,
    settings: Option<Map<String, Value>>,
}

impl Shielded {
    pub(crate) fn conversation(&self) -> Conversation<'_> {
        Conversation { messages: &self.messages, tools: &self.tools, settings: self.settings.as_ref() }
    }
}

impl Controls {
    pub fn new(tokenizer: &Tokenizer) -> Self {
        let added = tokenizer.get_added_tokens_decoder().into_iter();
        let mut tokens: Vec<(u32, AddedToken)> =
            added.filter(|(_, token)| token.special && token.content.chars().count() > 1).collect();
        // The first alternative wins, so the longest must come first.
        tokens.sort_by(|(a, x), (b, y)| y.content.len().cmp(&x.content.len()).then(a.cmp(b)));
        let names: Vec<String> = tokens.iter().map(|(_, token)| regex::escape(&token.content)).collect();
        let finder = || RegexBuilder::new(&names.join("|")).size_limit(FINDER_BYTES).build().ok();
        let names = (!names.is_empty()).then(finder).flatten();
        let joint = Joint::of(tokenizer);
        Self { tokens, names, plain: OnceLock::new(), frame: OnceLock::new(), joint }
    }

    /// Where long texts may be cut before they become tokens.
    pub(crate) const fn joint(&self) -> &Joint {
        &self.joint
    }

    /// Their ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u32> {
        self.tokens.iter().map(|(id, _)| *id)
    }

    /// Their names and ids, the longest name first.
    pub fn named(&self) -> Vec<(String, u32)> {
        self.tokens.iter().map(|(id, token)| (token.content.clone(), *id)).collect()
    }

    /// The names in a text, each once.
    #[must_use]
    pub fn names(&self, text: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for found in self.names.iter().flat_map(|names| names.find_iter(text)) {
            if !names.iter().any(|name| name == found.as_str()) {
                names.push(found.as_str().to_owned());
            }
        }
        names
    }

    /// The names at a text's beginning or right behind another name: those that begin something.
    pub(crate) fn heads(&self, text: &str) -> Vec<String> {
        let mut heads = Vec::new();
        let mut reached = 0;
        for found in self.names.iter().flat_map(|names| names.find_iter(text)) {
            if text.get(reached..found.start()).is_some_and(|gap| gap.trim().is_empty()) {
                heads.push(found.as_str().to_owned());
            }
            reached = found.end();
        }
        heads
    }

    /// Whether a text is a control token's name.
    pub(crate) fn is_name(&self, text: &str) -> bool {
        self.tokens.iter().any(|(_, token)| token.content == text)
    }

    /// Whether a text has nothing but white space and control tokens.
    pub(crate) fn is_blank(&self, text: &str) -> bool {
        let words = self.names.as_ref().map_or(Cow::Borrowed(text), |names| names.replace_all(text, ""));
        words.trim().is_empty()
    }

    /// Whether a text begins with a control token's name.
    pub(crate) fn begins(&self, text: &str) -> bool {
        self.names.as_ref().and_then(|names| names.find(text)).is_some_and(|found| found.start() == 0)
    }

    /// A conversation with the sign in every name; none where there is no name in it.
    pub(crate) fn shield(
        &self,
        conversation: Conversation<'_>,
        frame: impl FnOnce() -> Frame,
    ) -> Option<Shielded> {
        let names = self.names.as_ref()?;
        let Conversation { messages, tools, settings } = conversation;
        let found = |text: &str| names.is_match(text);
        let any = messages.iter().any(|message| {
            found(&message.content)
                || message.extra.iter().any(|(key, value)| found(key) || any_text(value, &found))
        });
        let mut beside = tools.iter().chain(settings.into_iter().flat_map(Map::values));
        if !any && !beside.any(|value| any_text(value, &found)) {
            return None;
        }
        let written = self.written(frame);
        let shield_all = |text: &str| self.with_signs(text, &HashSet::new());
        let shield_answer = |text: &str| self.with_signs(text, written);
        let turn = |message: &Message| {
            let shield: &dyn Fn(&str) -> String =
                if message.role == Role::Assistant { &shield_answer } else { &shield_all };
            let mut turn = message.clone();
            turn.content = shield(&message.content);
            let extra = message.extra.iter();
            turn.extra = extra.map(|(key, value)| (key.clone(), with_texts(value, shield))).collect();
            turn
        };
        Some(Shielded {
            messages: messages.iter().map(turn).collect(),
            tools: tools.iter().map(|tool| with_texts(tool, &shield_all)).collect(),
            settings: settings.map(|settings| {
                let shielded =
                    |(key, value): (&String, &Value)| (key.clone(), with_texts(value, &shield_all));
                settings.iter().map(shielded).collect()
            }),
        })
    }

    /// The control tokens that a model writes itself. `frame` finds them, once.
    pub(crate) fn written(&self, frame: impl FnOnce() -> Frame) -> &HashSet<String> {
        &self.frame.get_or_init(frame).written
    }

    fn with_signs(&self, text: &str, but: &HashSet<String>) -> String {
        let Some(names) = &self.names else { return text.to_owned() };
        let replaced = names.replace_all(text, |found: &regex::Captures<'_>| {
            let name = found.get(0).map_or("", |name| name.as_str());
            let first = name.chars().next().filter(|_| !but.contains(name));
            match first {
                Some(first) => format!("{first}{SIGN}{}", name.get(first.len_utf8()..).unwrap_or_default()),
                None => name.to_owned(),
            }
        });
        replaced.into_owned()
    }

    /// Cuts what somebody says into tokens, of which none is a control token; `special` adds those that the tokenizer
    /// puts around a text.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub(crate) fn said(&self, tokenizer: &Tokenizer, text: &str, special: bool) -> Result<Vec<u32>> {
        let cut = |tokenizer: &Tokenizer| self.joint.tokens(tokenizer, text, special);
        let tokens = if self.names.as_ref().is_some_and(|names| names.is_match(text)) {
            cut(&self.plain.get_or_init(|| PlainTextTokenizer::new(tokenizer, &self.tokens)).tokenizer)
        } else {
            cut(tokenizer)
        };
        tokens.context("tokenise the text")
    }

    /// Cuts a rendering into tokens. Where a name has the sign in it, it is text; the sign itself has no token.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub(crate) fn pieces(&self, tokenizer: &Tokenizer, text: &str) -> Result<TokenizedText> {
        if !text.contains(SIGN) {
            return self.joint.pieces(tokenizer, text).context("tokenise the conversation");
        }
        let plain = self.plain.get_or_init(|| PlainTextTokenizer::new(tokenizer, &self.tokens));
        plain.cut(text, self.names.as_ref(), &self.joint)
    }
}

/// A tokenizer that takes the names of control tokens for text, and aliases for the tokens.
#[derive(Debug)]
struct PlainTextTokenizer {
    tokenizer: Tokenizer,
    /// From a name to what stands for it.
    aliases: HashMap<String, String>,
    /// From what stands for a token to its id.
    ids: HashMap<u32, u32>,
}

impl PlainTextTokenizer {
    fn new(tokenizer: &Tokenizer, tokens: &[(u32, AddedToken)]) -> Self {
        let mut tokenizer = tokenizer.clone();
        tokenizer.set_encode_special_tokens(true);
        let alias = |id: u32| format!("{ALIAS}{id}{ALIAS}");
        // It takes the white space around it as the token does.
        let stand_in = |(id, token): &(u32, AddedToken)| AddedToken {
            content: alias(*id),
            special: false,
            normalized: false,
            ..token.clone()
        };
        // Fails for none: their texts are neither empty nor known.
        let _ = tokenizer.add_tokens(tokens.iter().map(stand_in));
        let ids =
            tokens.iter().filter_map(|(id, _)| Some((tokenizer.token_to_id(&alias(*id))?, *id))).collect();
        let aliases = tokens.iter().map(|(id, token)| (token.content.clone(), alias(*id))).collect();
        Self { tokenizer, aliases, ids }
    }

    fn cut(&self, text: &str, names: Option<&Regex>, joint: &Joint) -> Result<TokenizedText> {
        let mut aliased = String::with_capacity(text.len());
        // Where both texts go on alike: (byte of the aliased one, byte of the text).
        let mut places = vec![(0, 0)];
        let mut reached = 0;
        let own = names.into_iter().flat_map(|names| names.find_iter(text)).map(|name| (name.range(), true));
        let signs = text.match_indices(SIGN).map(|(at, sign)| (at..at + sign.len(), false));
        let mut cuts: Vec<(std::ops::Range<usize>, bool)> = own.chain(signs).collect();
        cuts.sort_by_key(|(range, _)| range.start);
        for (range, is_mark) in cuts {
            aliased.push_str(text.get(reached..range.start).unwrap_or_default());
            let name = text.get(range.clone()).unwrap_or_default();
            if let Some(alias) = self.aliases.get(name).filter(|_| is_mark) {
                aliased.push_str(alias);
            }
            reached = range.end;
            places.push((aliased.len(), reached));
        }
        aliased.push_str(text.get(reached..).unwrap_or_default());
        let mut pieces = joint.pieces(&self.tokenizer, &aliased).context("tokenise the conversation")?;
        pieces.tokens.iter_mut().for_each(|id| *id = *self.ids.get(id).unwrap_or(id));
        let place = |at: usize| {
            let before = places.partition_point(|(aliased, _)| *aliased <= at).saturating_sub(1);
            let (aliased, own) = places.get(before).copied().unwrap_or_default();
            own + (at - aliased)
        };
        pieces.begins.iter_mut().for_each(|begin| *begin = place(*begin));
        Ok(pieces)
    }
}

/// Whether any text in a value is meant.
fn any_text(value: &Value, meant: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => meant(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, meant)),
        Value::Object(map) => map.iter().any(|(key, value)| meant(key) || any_text(value, meant)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A value with every text in it changed.
fn with_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(values) => values.iter().map(|value| with_texts(value, change)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (change(key), with_texts(value, change))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A text without the signs.
pub(crate) fn without_signs(text: &str) -> Cow<'_, str> {
    if text.contains(SIGN) { Cow::Owned(text.replace(SIGN, "")) } else { Cow::Borrowed(text) }
}
