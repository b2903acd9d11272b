//! What of the assistant's turns a template leaves out, so that it isn't learnt.

use std::collections::{BTreeMap, BTreeSet};

use super::begun::{Begun, begun_otherwise};
use super::spans::Span;
use super::unshown::Unshown;
use crate::data::control::without_signs;
use crate::data::tally::more;
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
    /// The first part of it.
    pub first: Option<Hidden>,
    /// Turns with a thought, and of these, those whose thought isn't learnt.
    pub thoughts: usize,
    pub hidden_thoughts: usize,
    /// Keys of its turns that the template doesn't read.
    pub unread: BTreeSet<String>,
    /// The first answer that begins otherwise than the model is asked to.
    pub begun: Option<Begun>,
    /// What isn't in the rendering of the turns that aren't learnt: one for each role.
    pub unshown: Vec<Unshown>,
}

/// Bytes before a turn that are looked at too.
const HEAD: usize = 32;
/// Characters of a hidden part that are told.
const TOLD: usize = 80;
/// Keys that are told by name.
const KEYS: usize = 6;

impl Unlearnt {
    /// Takes in a turn of the assistant and where it is in the rendering.
    pub(super) fn look(&mut self, turn: usize, message: &Message, spans: &[Span], text: &str) {
        let end = spans.last().map_or(0, |span| span.end);
        let start = spans.first().map_or(end, |span| span.start);
        let ink = |from: usize| -> String {
            text.get(from..end).unwrap_or_default().chars().filter(|&character| is_ink(character)).collect()
        };
        // The head may begin a thought that the answer begins too.
        let before = (start.saturating_sub(HEAD)..=start).find(|&at| text.is_char_boundary(at));
        let (shown, whole) = (ink(start), ink(before.unwrap_or(start)));
        let apart = message.thought().unwrap_or_default();
        let hidden_apart = hidden(apart, &shown, &whole);
        let hidden = hidden(&message.content, &shown, &whole);
        let thinks = |text: &str| MARKS.iter().any(|(_, end)| text.contains(end));
        self.thoughts += usize::from(!apart.is_empty() || thinks(&message.content));
        self.hidden_thoughts += usize::from(hidden_apart.is_some() || hidden.is_some_and(thinks));
        let first = hidden_apart.or(hidden).filter(|_| self.first.is_none());
        if let Some(text) = first {
            self.first = Some(Hidden { turn: turn + 1, text: without_signs(text).into_owned() });
        }
    }
}

pub(super) fn is_ink(character: char) -> bool {
    !character.is_whitespace()
}

/// The part of a text between what is shown of its beginning and of its end. White space doesn't count: templates lay
/// it out anew.
fn hidden<'t>(text: &'t str, shown: &str, with_head: &str) -> Option<&'t str> {
    let ink: String = text.chars().filter(|&character| is_ink(character)).collect();
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

/// What a run on examples would not learn, a sentence for each kind; none when all of it is learnt. Each example is its
/// place and what is left out of it.
pub fn warnings<'e>(examples: impl IntoIterator<Item = (&'e str, &'e Unlearnt)>) -> Vec<String> {
    let (mut all, mut hidden, mut thinking, mut thoughtless, mut keyed) =
        (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    let mut first = None;
    let mut begun: Option<(usize, &str, &Begun)> = None;
    let mut unread: BTreeSet<&str> = BTreeSet::new();
    let mut unshown: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for (place, unlearnt) in examples {
        all += 1;
        thinking += usize::from(unlearnt.thoughts > 0);
        thoughtless += usize::from(unlearnt.thoughts > 0 && unlearnt.hidden_thoughts == unlearnt.thoughts);
        keyed += usize::from(!unlearnt.unread.is_empty());
        unread.extend(unlearnt.unread.iter().map(String::as_str));
        for one in &unlearnt.unshown {
            let first = || (0, format!("{place}: {}", one.part.told()));
            unshown.entry(one.role.name()).or_insert_with(first).0 += 1;
        }
        if let Some(one) = &unlearnt.begun {
            let (count, ..) = begun.get_or_insert((0, place, one));
            *count += 1;
        }
        if let Some(part) = &unlearnt.first {
            hidden += 1;
            first.get_or_insert_with(|| format!("{place}: {}", part.told()));
        }
    }
    let hides = first.map(|first| {
        let thoughts = match thoughtless {
            0 => String::new(),
            _ => format!("; nothing of a thought would be learnt in {thoughtless} of the {thinking} with one"),
        };
        format!(
            "the model's chat template hides a part of what the assistant says in {hidden} of {all} examples, and \
             it isn't learnt{thoughts}; the first is {first}"
        )
    });
    let keys: Vec<String> = unread.iter().take(KEYS).map(|key| format!("{key:?}")).collect();
    let more = more(unread.len().saturating_sub(KEYS), false);
    let skips = (keyed > 0).then(|| {
        format!(
            "the model's chat template doesn't read {}{more} of the turns in {keyed} of {all} examples; nothing of \
             it is learnt",
            keys.join(", ")
        )
    });
    let begins = begun.map(|(count, place, first)| begun_otherwise(count, all, place, first));
    hides.into_iter().chain(not_shown(&unshown, all)).chain(skips).chain(begins).collect()
}

/// Of each role, in how many examples its turns aren't there as they stand, and the first.
fn not_shown(unshown: &BTreeMap<&str, (usize, String)>, all: usize) -> Vec<String> {
    let told = |(role, (count, first)): (&&str, &(usize, String))| {
        format!(
            "the model's chat template leaves out or changes what {role} turns say in {count} of {all} examples, and \
             the model doesn't read it; give the model a template that writes it, or change the data; the first is \
             {first}"
        )
    };
    unshown.iter().map(told).collect()
}
