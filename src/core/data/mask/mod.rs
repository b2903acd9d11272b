//! Which tokens of a conversation are trained on. Knows the tokenizer and the template, no file and no model.
//!
//! The mask covers, in every turn of the assistant, what the model itself has to write: everything after the
//! generation prompt, up to and with the token that ends the turn (`<|im_end|>`, `</s>`, ...). What a template puts
//! behind that token (a newline, say) is written by the template when the conversation goes on, never by the model,
//! and is not trained on; neither are system, user and tool turns.
//!
//! Where the template has `{% generation %}` blocks, they decide, as in transformers' `return_assistant_tokens_mask`,
//! but for two things: the head of a turn inside a block is not trained on, since the model never writes it, and the
//! token that ends the turn always is. Otherwise the borders are found by rendering: a turn begins where the rendering
//! of the turns before it with a generation prompt ends, and its text lies between what two renderings that differ in
//! that turn alone have in common. What a tool says inside of the assistant's turn, as some templates write it, is cut
//! out of it. The conversation is tokenised once, as a whole; a token counts as trained when it
//! holds any of the mask's characters, and the last one when it begins there. A control token's name in what somebody says is text: see [`Controls`].

mod begun;
mod frame;
mod hidden;
mod joined;
mod others;
mod parts;
mod spans;
mod start;
mod unshown;
mod warnings;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use anyhow::{Result, bail};
use tokenizers::Tokenizer;

use crate::data::chat::{ChatTemplate, RenderEnding};
use crate::data::control::{Controls, Shielded, TokenizedText};
use crate::data::shown;
use crate::domain::message::{Conversation, Message, Role};

pub use begun::{BegunAnswer, Otherwise, begun_otherwise};
use hidden::SearchedText;
pub use hidden::{Hidden, Unlearnt};
use spans::{By, LearntSpan};
pub use unshown::Unshown;
pub(in crate::data) use warnings::Whole;
pub use warnings::warnings;

/// A tokenised conversation with its loss mask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masked {
    /// Token ids, (time).
    pub tokens: Vec<u32>,
    /// Whether a token is trained on, (time).
    pub trained: Vec<bool>,
    /// What the template leaves out of the assistant's turns.
    pub unlearnt: Unlearnt,
}

/// Masks conversations for one model.
#[derive(Debug, Clone)]
pub struct Masker<'a> {
    template: &'a ChatTemplate,
    tokenizer: &'a Tokenizer,
    special: HashSet<u32>,
    /// Begins a text, or in some models a turn; never ends one.
    bos: Option<u32>,
    controls: Arc<Controls>,
    /// See [`Masker::turn_end`].
    turn_end: OnceLock<Option<u32>>,
    /// See [`Masker::heads`].
    heads: OnceLock<HashSet<u32>>,
    opening: OnceLock<start::Opening>,
    /// What the template adds for the model to answer, where no settings are given.
    prompt: OnceLock<Option<begun::GenerationPrompt>>,
}

impl<'a> Masker<'a> {
    pub fn new(template: &'a ChatTemplate, tokenizer: &'a Tokenizer) -> Self {
        Self::with(template, tokenizer, Arc::new(Controls::new(tokenizer)))
    }

    /// With what is known of the tokenizer's control tokens already.
    pub fn with(template: &'a ChatTemplate, tokenizer: &'a Tokenizer, controls: Arc<Controls>) -> Self {
        let named = template.special();
        let id = |token: &Option<String>| token.as_deref().and_then(|token| tokenizer.token_to_id(token));
        let mut special: HashSet<u32> = controls.ids().collect();
        special.extend(id(&named.eos));
        let bos = id(&named.bos).filter(|bos| Some(*bos) != id(&named.eos));
        Self {
            template,
            tokenizer,
            special,
            bos,
            controls,
            turn_end: OnceLock::new(),
            heads: OnceLock::new(),
            opening: OnceLock::new(),
            prompt: OnceLock::new(),
        }
    }

    /// Renders, tokenises and masks a conversation. Assistant turns before `first_turn` are context only (the turns
    /// that both answers of a preference pair share); 0 trains on all of them.
    ///
    /// # Errors
    /// Where the template refuses the conversation or can't be masked, and where no assistant speaks.
    pub fn mask<'c>(&self, conversation: impl Into<Conversation<'c>>, first_turn: usize) -> Result<Masked> {
        let conversation = conversation.into();
        check_answered(conversation.messages.get(first_turn..).unwrap_or_default())?;
        shown::check(self.template, conversation)?;
        let shielded = self.controls.shield(conversation, || self.frame());
        let conversation = shielded.as_ref().map_or(conversation, Shielded::conversation);
        let text = self.template.render(conversation, RenderEnding::Complete)?;
        let TokenizedText { tokens, begins } = self.controls.pieces(self.tokenizer, &text)?;
        let mut trained = vec![false; tokens.len()];
        let unread = shown::unread(self.template, conversation, &text);
        let mut unlearnt = Unlearnt { unread, ..Unlearnt::default() };
        let learnt = |turn: usize| {
            turn >= first_turn && conversation.messages.get(turn).is_some_and(Message::is_learnt)
        };
        let mut spans = self.spans(conversation, &text)?;
        spans.retain(|(turn, _)| learnt(*turn));
        let learnt_spans: Vec<LearntSpan> = spans.iter().flat_map(|(_, spans)| spans).copied().collect();
        let shown = SearchedText::new(&text, &learnt_spans, self.template.is_marked());
        for (turn, spans) in spans {
            if let Some(message) = conversation.messages.get(turn) {
                unlearnt.look(turn, message, &spans, &shown);
            }
            if let Some(first) = spans.first().filter(|_| unlearnt.begun.is_none()) {
                unlearnt.begun = self.begun(conversation, turn, *first, &text);
            }
            for (index, span) in spans.iter().enumerate() {
                let last = index + 1 == spans.len();
                let Some((first, last)) = self.trained_range(&tokens, &begins, *span, &text, last)? else {
                    continue;
                };
                if index == 0 && unlearnt.begun.is_none() {
                    let begin = begins.get(first).copied().unwrap_or(span.start);
                    unlearnt.begun = self.joined(turn, begin, *span, &text);
                }
                if let Some(stretch) = trained.get_mut(first..=last) {
                    stretch.fill(true);
                }
            }
        }
        let is_learnt = |turn: usize| {
            let role = conversation.messages.get(turn).map(|message| message.role);
            role == Some(Role::Assistant) && learnt(turn)
        };
        let sources = (text.as_str(), self.template.source());
        let others = unshown::unshown(conversation.messages, sources, &learnt_spans, is_learnt);
        unlearnt.unshown = others.unshown;
        if self.template.is_marked() {
            unlearnt.taught = others.taught;
        }
        Ok(Masked { tokens, trained, unlearnt })
    }

    /// How many tokens a conversation has; nobody has to answer in it.
    ///
    /// # Errors
    /// Where the template refuses the conversation.
    pub fn length<'c>(&self, conversation: impl Into<Conversation<'c>>) -> Result<usize> {
        Ok(self.tokens(conversation.into(), RenderEnding::Complete)?.len())
    }

    /// A conversation's tokens.
    ///
    /// # Errors
    /// Where the template refuses the conversation.
    pub fn tokens(&self, conversation: Conversation<'_>, ending: RenderEnding) -> Result<Vec<u32>> {
        let shielded = self.controls.shield(conversation, || self.frame());
        let conversation = shielded.as_ref().map_or(conversation, Shielded::conversation);
        let text = self.template.render(conversation, ending)?;
        Ok(self.controls.pieces(self.tokenizer, &text)?.tokens)
    }

    /// The token that a model trained with this template writes at the end of its turn, found by masking a small
    /// conversation. None where the template can't be masked.
    #[must_use]
    pub fn turn_end(&self) -> Option<u32> {
        *self.turn_end.get_or_init(|| {
            let turns = [Role::System, Role::User, Role::Assistant].map(|role| Message::new(role, "Yes"));
            let masked = self.mask_plainly(&turns[1..]).or_else(|_| self.mask_plainly(&turns)).ok()?;
            let learnt = masked.tokens.iter().zip(&masked.trained).rev();
            let ends = learnt.skip_while(|(_, trained)| !**trained).take_while(|(_, trained)| **trained);
            // White space may follow the token that ends the turn, and so may a second one.
            let ends = ends.map(|(token, _)| *token).skip_while(|token| !self.special.contains(token));
            ends.take_while(|token| self.special.contains(token)).last()
        })
    }

    /// As [`Masker::mask`], of a conversation of our own, that has no control tokens in it.
    fn mask_plainly<'c>(&self, conversation: impl Into<Conversation<'c>>) -> Result<Masked> {
        let conversation = conversation.into();
        let text = self.template.render(conversation, RenderEnding::Complete)?;
        let TokenizedText { tokens, begins } = self.controls.pieces(self.tokenizer, &text)?;
        let mut trained = vec![false; tokens.len()];
        for (_, spans) in self.spans(conversation, &text)? {
            for (index, span) in spans.iter().enumerate() {
                let last = index + 1 == spans.len();
                let range = self.range(&tokens, &begins, *span, &text, (last, None, &HashSet::new()))?;
                if let Some(stretch) = range.and_then(|(first, last)| trained.get_mut(first..=last)) {
                    stretch.fill(true);
                }
            }
        }
        Ok(Masked { tokens, trained, unlearnt: Unlearnt::default() })
    }

    /// The first and last token that the model writes in a span; none of a span without tokens.
    fn trained_range(
        &self,
        tokens: &[u32],
        begins: &[usize],
        span: LearntSpan,
        text: &str,
        last: bool,
    ) -> Result<Option<(usize, usize)>> {
        self.range(tokens, begins, span, text, (last, self.turn_end(), self.heads()))
    }

    /// Control tokens that begin turns: none of them ends the assistant's.
    fn heads(&self) -> &HashSet<u32> {
        self.heads.get_or_init(|| {
            let asked = [Role::System, Role::User].map(|role| Message::new(role, "Hi"));
            let prompt = |turns: &[Message]| self.template.render(turns, RenderEnding::GenerationPrompt).ok();
            let prompts = [prompt(&asked), prompt(&asked[1..])];
            let names = prompts.iter().flatten().flat_map(|text| self.controls.heads(text));
            let ids = names.filter_map(|name| self.tokenizer.token_to_id(&name));
            ids.filter(|id| Some(*id) != self.turn_end()).collect()
        })
    }

    /// `last`: the turn ends with this span. `usual`: the token that ends turns, where it is known.
    fn range(
        &self,
        tokens: &[u32],
        begins: &[usize],
        span: LearntSpan,
        text: &str,
        (last, usual, heads): (bool, Option<u32>, &HashSet<u32>),
    ) -> Result<Option<(usize, usize)>> {
        let after = |byte: usize| begins.partition_point(|&begin| begin < byte);
        let at = |index: usize| begins.get(index).copied().unwrap_or(text.len());
        let blank = |from: usize, to: usize| text.get(from..to).is_some_and(|gap| gap.trim().is_empty());
        let is_special = |index: usize| tokens.get(index).is_some_and(|token| self.special.contains(token));
        let is_end = |index: usize| is_special(index) && tokens.get(index).copied() != self.bos;
        let is_usual = |index: usize| tokens.get(index).copied() == usual;
        let first = match span.by {
            // As in transformers, a token that a block begins within belongs to it.
            By::Block if span.start < span.end => {
                begins.partition_point(|&at| at <= span.start).saturating_sub(1)
            }
            By::Rendering | By::Block | By::Interrupted => self.first_token(tokens, begins, span.start, text),
        };
        let behind = after(span.end);
        // White space may stand after the token that ends the turn, inside of the span, and a token that separates texts.
        let ends_or_says =
            |index: &usize| is_end(*index) || !(is_special(*index) || blank(at(*index), at(*index + 1)));
        let inside = (first..behind).rev().find(ends_or_says);
        let inside = inside.filter(|&index| is_end(index));
        let outside = (behind..tokens.len()).find(|&index| is_end(index));
        let outside = outside.filter(|&index| {
            let is_head = tokens.get(index).is_some_and(|token| heads.contains(token));
            blank(span.end, at(index).max(span.end)) && !is_head
        });
        let until = behind.checked_sub(1).filter(|&until| until >= first);
        if span.by == By::Interrupted {
            // Nothing of the last token may be somebody else's.
            let whole = (first..behind).rev().find(|&index| at(index + 1) <= span.end);
            return Ok(whole.map(|until| (first, until)));
        }
        if !last {
            return Ok(until.map(|until| (first, until)));
        }
        let end = match (inside, outside) {
            // A call may end with a token of its own, before the one that ends the turn.
            (Some(inside), Some(outside)) if is_usual(outside) && !is_usual(inside) => Some(outside),
            (Some(inside), _) if span.by == By::Block => until.max(Some(inside)),
            (Some(inside), _) => Some(inside),
            (None, outside) => outside,
        };
        match end {
            Some(end) => Ok(Some((first, end))),
            None => bail!(
                "the chat template writes no end-of-turn token behind an assistant's answer, so a model trained with \
                 it would not learn to stop; give the model a template that ends the assistant's turns"
            ),
        }
    }
}

/// Fails where no assistant says anything that is to be learnt.
///
/// # Errors
/// Names the weight, where the data gives the answers none.
pub(crate) fn check_answered(turns: &[Message]) -> Result<()> {
    let mut answers = turns.iter().filter(|turn| turn.role == Role::Assistant).peekable();
    let Some(first) = answers.peek() else { bail!("there is no assistant turn to train on") };
    let weight = first.no_weight();
    match weight.filter(|_| answers.all(|turn| !turn.is_learnt())) {
        Some((key, value)) => bail!(
            "there is no assistant turn to train on: the data gives what the assistant says no weight ({key}: {value})"
        ),
        None => Ok(()),
    }
}
