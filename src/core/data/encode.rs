//! Records become tokenised examples with a loss mask. Knows no file and no model.

use std::borrow::Borrow;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;
use serde_json::Value;
use tokenizers::Tokenizer;

use crate::data::chat::ChatTemplate;
use crate::data::control::Controls;
use crate::data::mask::{Masked, Masker, Unlearnt, check_answered};
use crate::data::turn_marks;
use crate::data::vocabulary::check_rows;
use crate::domain::batch::TokenExample;
use crate::domain::message::{Conversation, Message, Role};
use crate::domain::name::one_line;
use crate::domain::record::Record;

/// So many columns are named at most.
const NAMED: usize = 12;

/// Encodes records for one model.
#[derive(Debug, Clone)]
pub struct Encoder<'a> {
    tokenizer: &'a Tokenizer,
    masker: Option<Masker<'a>>,
    controls: Arc<Controls>,
    /// Ends a text that has no template to end it.
    end: Option<u32>,
    max_length: usize,
    /// Tokens from here on have no row in the model's embedding.
    rows: usize,
}

/// An example, and how long it was before it was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub example: TokenExample,
    /// Tokens before truncation to the longest length allowed.
    pub full_length: usize,
    /// What the template leaves out of the assistant's turns.
    pub unlearnt: Unlearnt,
}

impl Encoded {
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.full_length > self.example.tokens.len()
    }
}

impl<'a> Encoder<'a> {
    /// `template` is the model's own; without one, plain text and single questions with answers still encode, as
    /// they stand. `end_token` is the end-of-sequence token's text. Examples are cut to `max_length` tokens.
    ///
    /// # Errors
    /// Where the end token is not in the tokenizer, or `max_length` is below 2.
    pub fn new(
        tokenizer: &'a Tokenizer,
        template: Option<&'a ChatTemplate>,
        end_token: Option<&str>,
        max_length: usize,
    ) -> Result<Self> {
        Self::with(tokenizer, template, end_token, max_length, Arc::new(Controls::new(tokenizer)))
    }

    /// The same, with what is known of the tokenizer's control tokens already.
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub fn with(
        tokenizer: &'a Tokenizer,
        template: Option<&'a ChatTemplate>,
        end_token: Option<&str>,
        max_length: usize,
        controls: Arc<Controls>,
    ) -> Result<Self> {
        ensure!(max_length >= 2, "max_length is {max_length}; an example needs at least 2 tokens");
        let end = match end_token {
            Some(text) => Some(
                tokenizer
                    .token_to_id(text)
                    .with_context(|| format!("the tokenizer does not know the end token {text:?}"))?,
            ),
            None => None,
        };
        Ok(Self {
            tokenizer,
            masker: template.map(|template| Masker::with(template, tokenizer, Arc::clone(&controls))),
            controls,
            end,
            max_length,
            rows: usize::MAX,
        })
    }

    /// The control tokens of the tokenizer.
    #[must_use]
    pub fn controls(&self) -> &Controls {
        &self.controls
    }

    /// Whether a control token is one that the model writes itself: its name stays a token in what the assistant says.
    #[must_use]
    pub fn is_written(&self, name: &str) -> bool {
        self.masker.as_ref().is_some_and(|masker| masker.written().contains(name))
    }

    /// Whether a name is a token of the model.
    pub(in crate::data) fn is_token(&self, name: &str) -> bool {
        self.tokenizer.token_to_id(name).is_some()
    }

    /// Refuses examples with a token that an embedding of so many rows has none for.
    #[must_use]
    pub fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// One record for supervised training. A preference pair trains on its chosen answer.
    ///
    /// # Errors
    /// Where the record has nothing to train on, also after it was cut, or can't be rendered or masked. The message
    /// names the record.
    pub fn encode(&self, record: &Record) -> Result<Encoded> {
        let place = record.place();
        let masked = check(record).and_then(|()| match (&record.preference, &record.text) {
            (Some(pair), _) => self.answer(record, &pair.chosen),
            (None, Some(text)) if record.messages.is_empty() => self.plain(text),
            _ => self.conversation(of(record, &record.messages), record.prompt_turns),
        });
        let mut encoded = self.finish(place.clone(), masked.with_context(|| place)?)?;
        let (is_token, is_written) = (|name: &str| self.is_token(name), |name: &str| self.is_written(name));
        encoded.unlearnt.letters = turn_marks::letters(record, &self.controls, is_token, is_written);
        encoded.unlearnt.tokens = turn_marks::tokens_of_text(record, &self.controls);
        Ok(encoded)
    }

    /// How many tokens a record has before it is cut: [`Encoded::full_length`], without finding what is trained on. Also
    /// of a prompt without an answer.
    ///
    /// # Errors
    /// Where the record has no text, or the template refuses it.
    pub fn length(&self, record: &Record) -> Result<usize> {
        let chosen = record.preference.as_ref().map_or(&[][..], |pair| &pair.chosen);
        let messages = [record.messages.as_slice(), chosen].concat();
        match (&self.masker, &record.text) {
            (_, Some(text)) if messages.is_empty() => Ok(self.plain(text)?.tokens.len()),
            _ if messages.is_empty() => bail!("{}: there is no text", record.place()),
            (Some(masker), _) => masker.length(of(record, &messages)),
            (None, _) => Ok(self.conversation(of(record, &messages), 0)?.tokens.len()),
        }
    }

    /// A preference pair's chosen and rejected example. Only the answers are trained on, not the turns they share.
    ///
    /// # Errors
    /// As [`Encoder::encode`], and where the record is no preference pair.
    pub fn encode_preference(&self, record: &Record) -> Result<(Encoded, Encoded)> {
        let place = record.place();
        let pair = record.preference.as_ref().with_context(|| format!("{place}: not a preference pair"))?;
        let answer = |answer: &[Message]| {
            let masked = self.answer(record, answer).with_context(|| place.clone())?;
            self.finish(place.clone(), masked)
        };
        Ok((answer(&pair.chosen)?, answer(&pair.rejected)?))
    }

    /// Each record, in their order, on all cores: its example, or why it has none.
    pub fn encode_each<R: Borrow<Record> + Sync>(&self, records: &[R]) -> Vec<Result<Encoded>> {
        records.par_iter().map(|record| self.encode(record.borrow())).collect()
    }

    fn answer(&self, record: &Record, answer: &[Message]) -> Result<Masked> {
        let messages = [record.messages.as_slice(), answer].concat();
        self.conversation(of(record, &messages), record.messages.len())
    }

    fn conversation(&self, conversation: Conversation<'_>, first_turn: usize) -> Result<Masked> {
        if let Some(masker) = &self.masker {
            return masker.mask(conversation, first_turn);
        }
        check_answered(conversation.messages.get(first_turn..).unwrap_or_default())?;
        let plain = |message: &Message| message.said_beside().next().is_none();
        match conversation.messages {
            [question, answer]
                if question.role == Role::User
                    && answer.role == Role::Assistant
                    && conversation.messages.iter().all(plain)
                    && conversation.tools.is_empty()
                    && conversation.settings.is_none()
                    && answer.is_learnt() =>
            {
                self.answered(&question.content, &answer.content)
            }
            _ => bail!(
                "the model has no chat template, so only plain text or one question with its answer can be encoded"
            ),
        }
    }

    /// A text as it stands, and the end token; all of it is trained on. The names of control tokens in it are tokens: it
    /// is no turn of anybody.
    fn plain(&self, text: &str) -> Result<Masked> {
        let tokens = self.controls.joint().tokens(self.tokenizer, text, true).context("tokenise")?;
        Ok(self.ended(Masked { trained: vec![true; tokens.len()], tokens, ..Masked::default() }))
    }

    /// A question and its answer, one right behind the other, and the end token.
    fn answered(&self, question: &str, answer: &str) -> Result<Masked> {
        let said = |text: &str, special: bool| self.controls.said(self.tokenizer, text, special);
        let mut tokens = said(question, true)?;
        // Some tokenizers end every text with the end token; the question goes on.
        tokens.pop_if(|last| Some(*last) == self.end);
        let trained = vec![false; tokens.len()];
        tokens.extend(said(answer, false)?);
        let unlearnt = Unlearnt { joint: joint(question, answer), ..Unlearnt::default() };
        Ok(self.ended(Masked { tokens, trained, unlearnt }))
    }

    fn ended(&self, mut masked: Masked) -> Masked {
        if masked.tokens.last().copied() != self.end {
            masked.tokens.extend(self.end);
        }
        masked.trained.resize(masked.tokens.len(), true);
        masked
    }

    fn finish(&self, source: String, mut masked: Masked) -> Result<Encoded> {
        let full_length = masked.tokens.len();
        masked.tokens.truncate(self.max_length);
        masked.trained.truncate(self.max_length);
        masked.tokens.shrink_to_fit();
        masked.trained.shrink_to_fit();
        check_rows(&masked.tokens, self.rows, self.tokenizer).with_context(|| source.clone())?;
        if let Some(first) = masked.trained.first_mut() {
            *first = false;
        }
        if !masked.trained.contains(&true) {
            if full_length > self.max_length {
                bail!(
                    "{source}: nothing is left to train on after cutting {full_length} tokens to {}; raise max_length \
                     or leave the example out",
                    self.max_length
                );
            }
            bail!("{source}: there is nothing to train on");
        }
        let example = TokenExample { source, tokens: masked.tokens, trained: masked.trained };
        Ok(Encoded { example, full_length, unlearnt: masked.unlearnt })
    }
}

/// Characters on both sides of the border of a question and an answer that are told.
const AROUND: usize = 20;

/// What stands around the border of a question and its answer, where no white space parts them.
fn joint(question: &str, answer: &str) -> Option<String> {
    let (last, first) = (question.chars().next_back()?, answer.chars().next()?);
    if last.is_whitespace() || first.is_whitespace() {
        return None;
    }
    let from = question.char_indices().rev().map(|(at, _)| at).nth(AROUND - 1).unwrap_or(0);
    let answer: String = answer.chars().take(AROUND).collect();
    Some(format!("{}{answer}", question.get(from..).unwrap_or_default()))
}

/// Whether a record has something to learn, whatever the model: [`Encoder::encode`] refuses in the same words.
///
/// # Errors
/// Says what is missing.
pub fn check(record: &Record) -> Result<()> {
    let (answers, before) = match (&record.preference, &record.text) {
        (Some(pair), _) => (pair.chosen.as_slice(), record.messages.len()),
        (None, Some(_)) if record.messages.is_empty() => return Ok(()),
        _ => {
            check_columns(record)?;
            (record.messages.get(record.prompt_turns..).unwrap_or_default(), record.prompt_turns)
        }
    };
    check_said(answers, before)?;
    check_answered(answers)
}

/// Fails where one of these turns, after so many others, is an answer that says nothing, or a thought without an end.
fn check_said(turns: &[Message], before: usize) -> Result<()> {
    for (turn, number) in turns.iter().zip(before + 1..) {
        ensure!(
            !turn.is_learnt_as_nothing(),
            "turn {number} (the assistant's) is empty, so a model would learn to end at once; write the answer, or leave \
             the example out"
        );
        if let Some((mark, end)) = turn.unended_thought() {
            bail!(
                "turn {number} (the assistant's) begins a thought with {mark:?} that nothing ends, so the thought would \
                 be learnt as the answer; write {end:?} and the answer behind it, or leave the example out"
            );
        }
    }
    Ok(())
}

/// Turns of a record, with its tools and settings.
fn of<'m>(record: &'m Record, messages: &'m [Message]) -> Conversation<'m> {
    let settings = Some(&record.settings).filter(|settings| !settings.is_empty());
    Conversation { messages, tools: &record.tools, settings }
}

/// Fails where a row was read without an answer, or as nothing at all, though its columns may hold one.
fn check_columns(record: &Record) -> Result<()> {
    let answers = record.messages.iter().any(|turn| turn.role == Role::Assistant);
    // Without a question's column beside it, a conversation says itself who speaks.
    let is_turns = |value: &Value| {
        value.as_array().is_some_and(|turns| !turns.is_empty() && turns.iter().all(Value::is_object))
    };
    if answers
        || record.fields.is_empty()
        || record.fields.values().any(is_turns) && !record.messages.is_empty()
    {
        return Ok(());
    }
    let mut names: Vec<&str> = record.fields.keys().map(String::as_str).take(NAMED + 1).collect();
    if names.len() > NAMED {
        names.truncate(NAMED);
        names.push("...");
    }
    let names = one_line(&names.join(", "));
    if record.messages.is_empty() {
        bail!(
            "no column is known by its name as a conversation, a question with its answer, or a text; the columns are \
             {names}: say what they are with --map part=column (data.map in a recipe), such as --map prompt=COLUMN \
             --map completion=COLUMN"
        );
    }
    bail!(
        "there is no assistant turn to train on; the columns are {names}: if one holds the answer, say which with \
         --map completion=COLUMN (data.map in a recipe)"
    )
}
