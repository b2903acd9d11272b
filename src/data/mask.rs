//! Which tokens of a conversation are trained on. Knows the tokenizer and the template, no file and no model.
//!
//! The mask covers, in every turn of the assistant, what the model itself has to write: everything after the
//! generation prompt, up to and with the token that ends the turn (`<|im_end|>`, `</s>`, ...). What a template puts
//! behind that token (a newline, say) is written by the template when the conversation goes on, never by the model,
//! and is not trained on; neither are system, user and tool turns.
//!
//! Where the template has `{% generation %}` blocks, they decide. Otherwise the borders are found by rendering: a turn
//! begins where the rendering of the turns before it with a generation prompt ends, and its text lies between what
//! two renderings that differ in that turn alone have in common. The conversation is tokenised once, as a whole; a
//! token counts as trained when it begins within the mask.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use tokenizers::Tokenizer;

use crate::data::chat::{BLOCK_END, BLOCK_START, ChatTemplate, Ending};
use crate::data::shown;
use crate::domain::message::{Conversation, Message, Role, THOUGHTS, TOOL_CALLS};

/// A tokenised conversation with its loss mask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masked {
    /// Token ids, (time).
    pub tokens: Vec<u32>,
    /// Whether a token is trained on, (time).
    pub trained: Vec<bool>,
}

/// Masks conversations for one model.
#[derive(Debug, Clone)]
pub struct Masker<'a> {
    template: &'a ChatTemplate,
    tokenizer: &'a Tokenizer,
    special: HashSet<u32>,
    /// Begins a text, or in some models a turn; never ends one.
    bos: Option<u32>,
}

/// What the model writes in one turn, in bytes of the rendered text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// Behind the generation prompt.
    start: usize,
    /// Where the answer's own text begins: `start`, or later where the template writes more (an empty `<think>`).
    content: usize,
    /// Behind the answer's text, before the token that ends the turn.
    end: usize,
}

impl<'a> Masker<'a> {
    pub fn new(template: &'a ChatTemplate, tokenizer: &'a Tokenizer) -> Self {
        let named = template.special();
        let id = |token: &Option<String>| token.as_deref().and_then(|token| tokenizer.token_to_id(token));
        let mut special: HashSet<u32> = tokenizer
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, _)| id)
            .collect();
        special.extend(id(&named.eos));
        Self { template, tokenizer, special, bos: id(&named.bos).filter(|bos| Some(*bos) != id(&named.eos)) }
    }

    /// Renders, tokenises and masks a conversation. Assistant turns before `first_turn` are context only (the turns
    /// that both answers of a preference pair share); 0 trains on all of them.
    ///
    /// # Errors
    /// Where the template refuses the conversation or can't be masked, and where no assistant speaks.
    pub fn mask<'c>(&self, conversation: impl Into<Conversation<'c>>, first_turn: usize) -> Result<Masked> {
        let conversation = conversation.into();
        let mut turns = conversation.messages.iter().skip(first_turn);
        let speaks = turns.any(|message| message.role == Role::Assistant && message.is_learnt());
        ensure!(speaks, "there is no assistant turn to train on");
        shown::check(self.template, conversation)?;
        let text = self.template.render(conversation, Ending::Complete)?;
        let encoding = self.tokenizer.encode(text.as_str(), false).map_err(anyhow::Error::msg);
        let encoding = encoding.context("tokenise the conversation")?;
        let tokens = encoding.get_ids().to_vec();
        let begins = begins(encoding.get_offsets());
        let mut trained = vec![false; tokens.len()];
        for span in self.spans(conversation, first_turn, &text)? {
            let (first, last) = self.trained_range(&tokens, &begins, span, &text)?;
            if let Some(turn) = trained.get_mut(first..=last) {
                turn.fill(true);
            }
        }
        Ok(Masked { tokens, trained })
    }

    /// How many tokens a conversation has; nobody has to answer in it.
    ///
    /// # Errors
    /// Where the template refuses the conversation.
    pub fn length<'c>(&self, conversation: impl Into<Conversation<'c>>) -> Result<usize> {
        let text = self.template.render(conversation, Ending::Complete)?;
        let encoding = self.tokenizer.encode_fast(text.as_str(), false).map_err(anyhow::Error::msg);
        Ok(encoding.context("tokenise the conversation")?.len())
    }

    fn spans(&self, conversation: Conversation<'_>, first_turn: usize, text: &str) -> Result<Vec<Span>> {
        let messages = conversation.messages;
        let assistant = |(_, message): &(usize, &Message)| message.role == Role::Assistant;
        let turns: Vec<usize> = messages.iter().enumerate().filter(assistant).map(|(turn, _)| turn).collect();
        let spans = if self.template.is_marked() {
            marked_spans(&self.template.render_marked(conversation)?, text)?
        } else {
            turns.iter().map(|&turn| self.rendered_span(conversation, turn, text)).collect::<Result<_>>()?
        };
        ensure!(
            spans.len() == turns.len(),
            "the chat template marks {} of {} assistant turns as generated",
            spans.len(),
            turns.len()
        );
        Ok(turns
            .into_iter()
            .zip(spans)
            .filter(|(turn, _)| *turn >= first_turn && messages.get(*turn).is_some_and(Message::is_learnt))
            .map(|(_, span)| span)
            .collect())
    }

    /// Finds one turn's borders by comparing renderings.
    fn rendered_span(&self, conversation: Conversation<'_>, turn: usize, text: &str) -> Result<Span> {
        let Conversation { messages, tools } = conversation;
        let (before, rest) = messages.split_at(turn);
        // What a turn with calls ends with is the template's own form of them.
        let ends = rest.first().filter(|message| message.tool_calls().is_empty());
        let answer = ends.map(|message| message.content.trim()).unwrap_or_default();
        let mut changed = messages.to_vec();
        if let Some(message) = changed.get_mut(turn) {
            message.content = String::from(BLOCK_START);
            message.extra.retain(|key, _| key != TOOL_CALLS && !THOUGHTS.contains(&key.as_str()));
        }
        let changed = Conversation { messages: &changed, tools };
        let other = self.template.render(changed, Ending::Complete)?;
        let content = common_prefix(text, &other);
        let end = text.len() - common_suffix(text, &other).min(text.len() - content);
        let shown = text.get(content..end).unwrap_or_default().trim();
        let last_line = answer.lines().next_back().unwrap_or_default().trim();
        ensure!(
            shown.ends_with(last_line),
            "the chat template does not show what the assistant says in turn {}, so it can't be masked",
            turn + 1
        );
        let start = self
            .template
            .render(Conversation { messages: before, tools }, Ending::GenerationPrompt)
            .ok()
            .filter(|prompt| prompt.len() <= content && text.starts_with(prompt.as_str()))
            .map_or(content, |prompt| prompt.len());
        Ok(Span { start, content, end })
    }

    /// The first and last token that the model writes in a span.
    fn trained_range(
        &self,
        tokens: &[u32],
        begins: &[usize],
        span: Span,
        text: &str,
    ) -> Result<(usize, usize)> {
        let after = |byte: usize| begins.partition_point(|&begin| begin < byte);
        let is_special = |index: usize| tokens.get(index).is_some_and(|token| self.special.contains(token));
        let is_end = |index: usize| is_special(index) && tokens.get(index).copied() != self.bos;
        // A template that ignores `add_generation_prompt` leaves the turn's own head in front of the answer.
        let has_head = (after(span.start)..after(span.content)).any(is_special);
        let first = after(if has_head { span.content } else { span.start });
        let behind = after(span.end);
        let inside = behind.checked_sub(1).filter(|&last| last >= first && is_end(last));
        let last = inside.or_else(|| (behind..tokens.len()).find(|&index| is_end(index)));
        let ends_here = |last: &usize| {
            let begin = begins.get(*last).copied().unwrap_or(span.end).max(span.end);
            text.get(span.end..begin).is_some_and(|gap| gap.trim().is_empty())
        };
        match last.filter(ends_here) {
            Some(last) => Ok((first, last)),
            None => bail!(
                "the chat template writes no end-of-turn token behind an assistant's answer, so a model trained with \
                 it would not learn to stop; give the model a template that ends the assistant's turns"
            ),
        }
    }
}

/// Reads the spans of generation blocks from a rendering with marks.
fn marked_spans(marked: &str, text: &str) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    let mut start = None;
    let mut position = 0;
    for character in marked.chars() {
        match character {
            BLOCK_START => start = Some(position),
            BLOCK_END => {
                spans.extend(start.take().map(|start| Span { start, content: start, end: position }));
            }
            other => position += other.len_utf8(),
        }
    }
    let same =
        marked.chars().filter(|character| ![BLOCK_START, BLOCK_END].contains(character)).eq(text.chars());
    ensure!(
        same,
        "the chat template renders differently inside its generation blocks, so it can't be masked"
    );
    Ok(spans)
}

/// Where each token begins, in bytes: at the end of the token before it, since some tokenizers leave white space out
/// of a token's own range; the pieces of one character all begin where it does.
fn begins(offsets: &[(usize, usize)]) -> Vec<usize> {
    let mut reached = 0;
    offsets
        .iter()
        .map(|&(start, end)| {
            let begin = start.min(reached);
            reached = reached.max(end);
            begin
        })
        .collect()
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum()
}

fn common_suffix(a: &str, b: &str) -> usize {
    a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum()
}
