//! What the next step computes: a token of every sequence that generates, and parts of prompts, shared so that a short
//! prompt doesn't wait until a long one is read.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::backend::{SequenceSpan, Step};
use super::cache::PAGE;
use super::generator::{Generator, Guesses};
use super::guess::MOST;
use super::sequence::Sequence;
use super::share::{Budget, ReadingPrompt, share_out};

/// Tokens of a prompt that is scored, in one step at most: their logits are all in memory.
const SCORED: usize = 64;
/// How often the first that waits is passed by others that need less room.
pub(super) const OVERTAKEN: usize = 64;

/// One part in so many of the sequences and pages is left to short answers.
const KEPT: usize = 8;
/// Tokens of a short answer at most, and of the prompt before it: one that is read for long holds its room as long.
const SHORT: usize = 512;
const SHORT_PROMPT: usize = 1024;
/// Answers to one prompt that are few: many take the places that single questions would have.
const FEW: usize = 2;

/// Tokens that an answer finds room for when it begins or goes on. Most end long before what they may ask for; where too
/// few do, the youngest is set aside.
const AHEAD: usize = 256;

/// Tokens of prompts in a shared step before the machine's pace is known.
const UNMEASURED: usize = 4 * PAGE;

/// Guessed tokens of all sequences in one step at most: more would take time of their own.
const GUESSED: usize = 12;

/// One sequence's part of a step.
pub(super) struct SequenceStep {
    /// Its place among the active sequences.
    pub index: usize,
    /// New tokens of it.
    pub count: usize,
    /// Places of its logits among those that the step wants.
    pub wanted: Range<usize>,
}

impl Generator {
    /// Lets waiting requests begin, as far as the pages fit that they soon need.
    pub(super) fn admit(&mut self) {
        while let Some(place) = self.next_to_begin() {
            let Some(sequence) = self.waiting.remove(place) else { return };
            self.begin(sequence);
        }
        while self.make_way() {}
        self.waiting.iter_mut().for_each(|sequence| sequence.waited += 1);
    }

    /// Lets a sequence begin, or go on after it was set aside.
    pub(super) fn begin(&mut self, mut sequence: Sequence) {
        // A prompt that is scored is computed whole: what is in the cache has no logits.
        if !sequence.is_scored() {
            let reusable = sequence.tokens.len() - 1;
            let head = sequence.tokens.get(..reusable).unwrap_or_default();
            sequence.pages = self.cache.find(sequence.adapter(), head);
        }
        sequence.computed = sequence.pages.len() * PAGE;
        sequence.remembered = sequence.pages.len();
        sequence.generated_before = sequence.generated;
        if sequence.generated == 0 {
            sequence.cached = sequence.computed;
        }
        self.active.push(sequence);
    }

    /// The first that fits. The one at the front is passed by so many only. Long answers leave a part of the room to
    /// short ones, which never wait for them.
    fn next_to_begin(&mut self) -> Option<usize> {
        let all = self.taken(|_| true);
        let of_short = self.taken(Sequence::is_short);
        let (whole, kept, of_long) = (self.room(), self.kept(), self.of_long());
        let fits = |sequence: &Sequence| {
            let after = all.with(self.room_of(sequence));
            after.is_within(if sequence.is_short() { whole } else { of_long })
        };
        let front = self.waiting.front()?;
        if fits(front) || all.sequences == 0 {
            return Some(0);
        }
        // Those that take what the front may not have anyway don't pass it.
        let beside = |sequence: &Sequence| {
            !front.is_short() && sequence.is_short() && of_short.with(self.room_of(sequence)).is_within(kept)
        };
        let may_pass = front.overtaken < OVERTAKEN;
        let found =
            self.waiting.iter().position(|sequence| fits(sequence) && (may_pass || beside(sequence)))?;
        if !self.waiting.get(found).is_some_and(beside) {
            self.waiting.front_mut()?.overtaken += 1;
        }
        Some(found)
    }

    /// All that there is.
    pub(super) const fn room(&self) -> CacheRoom {
        CacheRoom { sequences: self.limits.sequences, pages: self.cache.limit() }
    }

    /// What is left to short answers.
    fn kept(&self) -> CacheRoom {
        let whole = self.room();
        CacheRoom { sequences: whole.sequences / KEPT, pages: whole.pages / KEPT }
    }

    /// What long answers may have.
    pub(super) fn of_long(&self) -> CacheRoom {
        self.room().without(self.kept())
    }

    /// What some of those that have begun may soon need.
    pub(super) fn taken(&self, which: impl Fn(&Sequence) -> bool) -> CacheRoom {
        let some = self.active.iter().filter(|sequence| which(sequence));
        some.fold(CacheRoom::default(), |sum, sequence| sum.with(self.room_of(sequence)))
    }

    pub(super) fn room_of(&self, sequence: &Sequence) -> CacheRoom {
        CacheRoom { sequences: 1 + sequence.siblings.len(), pages: self.reserve(sequence) }
    }

    /// Pages that a sequence and its siblings may soon need; all that they ever need where it can't be set aside.
    fn reserve(&self, sequence: &Sequence) -> usize {
        let left = sequence.options.max_tokens - sequence.generated.min(sequence.options.max_tokens);
        let ahead = if sequence.is_scored() { left } else { left.min(AHEAD) };
        let longest = (sequence.tokens.len() + ahead).min(self.context);
        (1 + sequence.siblings.len()) * (longest / PAGE + 1)
    }

    /// What the next step computes, and for each sequence that takes part its part.
    pub(super) fn plan(&mut self) -> Result<(Step, Vec<SequenceStep>)> {
        self.active.sort_by_key(Sequence::adapter);
        let shares = self.shares_that_fit();
        let (guessing, cost) = self.guessing();
        let mut step = Step::default();
        let mut parts = Vec::new();
        for (index, sequence) in self.active.iter_mut().enumerate() {
            let pending = sequence.pending();
            let count = if pending == 1 { 1 } else { shares.get(&index).copied().unwrap_or(0) };
            if count == 0 {
                continue;
            }
            sequence.guess(if pending == 1 { guessing } else { 0 }, cost, self.context);
            let end = sequence.computed + count;
            let guessed_end = end + sequence.guessed.len();
            while sequence.pages.len() * PAGE < guessed_end {
                let page = self.cache.take().context("the cache of keys and values is full")?;
                sequence.pages.push(page);
            }
            let start = step.tokens.len();
            step.tokens.extend_from_slice(sequence.tokens.get(sequence.computed..end).unwrap_or_default());
            step.tokens.extend_from_slice(&sequence.guessed);
            let rows = start..step.tokens.len();
            let first = step.wanted.len();
            if sequence.is_scored() && sequence.generated == 0 {
                step.wanted.extend(rows.clone());
            } else if count == pending {
                step.wanted.extend(rows.end - 1 - sequence.guessed.len()..rows.end);
            }
            let wanted = first..step.wanted.len();
            if let Some(lora) = &sequence.lora {
                match step.adapters.last_mut() {
                    Some((last, covered)) if last.serial == lora.serial => covered.end = rows.end,
                    _ => step.adapters.push((Arc::clone(lora), rows.clone())),
                }
            }
            step.spans.push(SequenceSpan { pages: sequence.pages.clone(), start: sequence.computed, rows });
            parts.push(SequenceStep { index, count, wanted });
        }
        Ok((step, parts))
    }

    /// How many tokens of each sequence may be guessed in the next step, and what each costs, as a part of what it
    /// saves if it is right: a step for each of those that generate.
    fn guessing(&self) -> (usize, f64) {
        let decoding = self.active.iter().filter(|sequence| sequence.pending() == 1).count();
        match self.limits.guesses {
            Guesses::Few if decoding > 0 => {
                let cost = self.pace.cost_of_a_row(decoding) * decoding as f64;
                ((GUESSED / decoding).min(MOST), cost.min(1.0))
            }
            Guesses::Few | Guesses::None => (0, 1.0),
        }
    }

    /// How much of prompts the next step computes. What a step's time allows holds for a prompt that is alone too:
    /// whoever comes meanwhile waits for the step's end.
    fn budget(&self) -> Budget {
        let decoding = || self.active.iter().filter(|sequence| sequence.pending() == 1);
        let most = self.limits.prompt_chunk.max(PAGE) / if decoding().next().is_some() { 2 } else { 1 };
        let Some(time) = self.step_time else { return Budget { tokens: most, cost: None } };
        let Some(all) = self.pace.read_within(time) else {
            return Budget { tokens: UNMEASURED.min(most), cost: None };
        };
        let taken: f64 = decoding().map(|sequence| self.cost.at(sequence.tokens.len())).sum();
        Budget { tokens: most, cost: Some((all - taken).max(PAGE as f64)) }
    }

    /// How many tokens of each prompt the next step computes, by its place among the active sequences.
    pub(super) fn shares(&self) -> BTreeMap<usize, usize> {
        let budget = self.budget();
        let prompts = self.active.iter().enumerate().filter(|(_, sequence)| sequence.pending() > 1);
        let prompts = prompts.map(|(index, sequence)| ReadingPrompt {
            index,
            request: sequence.request,
            left: sequence.pending(),
            most: if sequence.is_scored() { SCORED } else { usize::MAX },
            cost: self.cost.at(sequence.computed),
        });
        share_out(prompts.collect(), budget)
    }

    /// What a step's rows cost.
    pub(super) fn cost_of(&self, step: &Step) -> f64 {
        step.spans.iter().map(|span| self.cost.of_tokens(span.start, span.rows.len())).sum()
    }
}

/// What sequences may come to need.
#[derive(Clone, Copy, Default)]
pub(super) struct CacheRoom {
    sequences: usize,
    pages: usize,
}

impl CacheRoom {
    pub(super) const fn with(self, other: Self) -> Self {
        Self { sequences: self.sequences + other.sequences, pages: self.pages + other.pages }
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self { sequences: self.sequences - other.sequences, pages: self.pages - other.pages }
    }

    pub(super) const fn is_within(self, most: Self) -> bool {
        self.sequences <= most.sequences && self.pages <= most.pages
    }
}

impl Sequence {
    /// Whether it is soon read and done, and its siblings with it.
    pub(super) fn is_short(&self) -> bool {
        let prompt = self.tokens.len().saturating_sub(self.generated);
        self.options.choices <= FEW && self.options.max_tokens <= SHORT && prompt <= SHORT_PROMPT
    }
}
