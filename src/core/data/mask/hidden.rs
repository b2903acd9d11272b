//! What of the assistant's turns a template leaves out, so that it isn't learnt.

use std::collections::BTreeSet;

use super::begun::BegunAnswer;
use super::spans::LearntSpan;
use super::unshown::Unshown;
use crate::data::control::without_signs;
use crate::domain::inline_thought::MARKS;
use crate::domain::message::Message;

/// A part of a turn that isn't in the rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// From 1.
    pub turn: usize,
    pub text: String,
}

/// What an example says that isn't learnt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unlearnt {
    /// The first part of it that the template leaves out.
    pub first: Option<Hidden>,
    /// The first part that is in the rendering, and in none of the blocks that the template marks as generated.
    pub unmarked: Option<Hidden>,
    /// Turns with a thought, and of these, those whose thought isn't learnt.
    pub thoughts: usize,
    pub hidden_thoughts: usize,
    /// Keys of its turns that the template doesn't read.
    pub unread: BTreeSet<String>,
    /// The first answer that begins otherwise than the model is asked to.
    pub begun: Option<BegunAnswer>,
    /// What isn't in the rendering of the turns that aren't learnt: one for each role.
    pub unshown: Vec<Unshown>,
    /// What others say inside of the blocks that the template marks as generated, so that it is learnt: one for each role.
    pub taught: Vec<Unshown>,
    /// Marks of turns in its texts that are learnt as letters.
    pub letters: Vec<String>,
    /// Control tokens in a text that is learnt as it stands.
    pub tokens: Vec<String>,
    /// Where a question and its answer meet with nothing between them, for want of a template.
    pub joint: Option<String>,
}

/// A rendering that answers are looked for in.
pub(super) struct SearchedText<'t> {
    text: &'t str,
    /// All that is learnt, in a template that marks it; white space apart.
    blocks: Option<String>,
}

impl<'t> SearchedText<'t> {
    pub(super) fn new(text: &'t str, learnt: &[LearntSpan], is_marked: bool) -> Self {
        let blocks = || learnt.iter().filter_map(|span| text.get(span.start..span.end)).map(ink).collect();
        Self { text, blocks: is_marked.then(blocks) }
    }
}

/// Bytes before a turn that are looked at too.
const HEAD: usize = 32;
/// Characters of a hidden part that are told.
const TOLD: usize = 80;
impl Unlearnt {
    /// Takes in a turn of the assistant and where it is in the rendering.
    pub(super) fn look(
        &mut self,
        turn: usize,
        message: &Message,
        spans: &[LearntSpan],
        rendering: &SearchedText<'_>,
    ) {
        let text = rendering.text;
        // One block may hold several turns.
        let in_blocks = |said: &str| rendering.blocks.as_ref().is_some_and(|all| all.contains(&ink(said)));
        if spans.is_empty() && in_blocks(&message.content) && message.thought().is_none_or(in_blocks) {
            return;
        }
        // What stands between two spans isn't learnt.
        let shown: String = spans.iter().filter_map(|span| text.get(span.start..span.end)).map(ink).collect();
        // The head may begin a thought that the answer begins too.
        let start = spans.first().map_or(0, |span| span.start);
        let before = (start.saturating_sub(HEAD)..=start).find(|&at| text.is_char_boundary(at));
        let whole = ink(text.get(before.unwrap_or(start)..start).unwrap_or_default()) + &shown;
        let apart = message.thought().unwrap_or_default();
        let hidden_apart = hidden(apart, &shown, &whole);
        let hidden = hidden(&message.content, &shown, &whole);
        let thinks = |text: &str| MARKS.iter().any(|(_, end)| text.contains(end));
        self.thoughts += usize::from(!apart.is_empty() || thinks(&message.content));
        self.hidden_thoughts += usize::from(hidden_apart.is_some() || hidden.is_some_and(thinks));
        let Some(part) = hidden_apart.or(hidden) else { return };
        let is_there = rendering.blocks.is_some() && ink(text).contains(&ink(part));
        let first = if is_there { &mut self.unmarked } else { &mut self.first };
        first.get_or_insert_with(|| Hidden { turn: turn + 1, text: without_signs(part).into_owned() });
    }
}

pub(super) fn is_ink(character: char) -> bool {
    !character.is_whitespace()
}

/// A text without its white space.
pub(super) fn ink(text: &str) -> String {
    text.chars().filter(|&character| is_ink(character)).collect()
}

/// The part of a text between what is shown of its beginning and of its end. White space doesn't count: templates lay
/// it out anew.
fn hidden<'t>(text: &'t str, shown: &str, with_head: &str) -> Option<&'t str> {
    let ink = ink(text);
    if ink.is_empty() || with_head.contains(&ink) {
        return None;
    }
    // The end first: it is what follows a thought.
    let mut until = text.len();
    let mut rest = shown.chars().rev();
    for (at, character) in text.char_indices().rev().filter(|&(_, character)| is_ink(character)) {
        if rest.next() != Some(character) {
            break;
        }
        until = at;
    }
    let mut from = 0;
    let mut rest = shown.chars();
    for (at, character) in text.char_indices().filter(|&(_, character)| is_ink(character)) {
        if at >= until || rest.next() != Some(character) {
            break;
        }
        from = at + character.len_utf8();
    }
    text.get(from..until).map(str::trim).filter(|part| !part.is_empty())
}

impl Hidden {
    /// The hidden part, short and on one line.
    #[must_use]
    pub fn told(&self) -> String {
        let mut told: String = self.text.chars().take(TOLD).collect();
        if self.text.chars().nth(TOLD).is_some() {
            told.push_str(" ...");
        }
        format!("{told:?} in turn {}", self.turn)
    }
}
