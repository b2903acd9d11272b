//! Setting sequences aside: a question doesn't wait until long answers have come to their end, and these go on where
//! they were; the same where they outgrow the cache together. Nothing changes but the time: what was chosen stays, and
//! keys and values come from the cache or are computed again.

use std::collections::BTreeMap;

use super::cache::PAGE;
use super::generator::{Generator, release};
use super::guess::MOST;
use super::plan::{CacheRoom, OVERTAKEN};
use super::sequence::Sequence;

/// Steps that a question waits for room before others make it, and that an answer that was set aside does.
const PATIENCE: usize = 2;
const PATIENCE_OF_LONG: usize = 64;
/// Tokens that a sequence has written at least, since it began or went on, when it is set aside: for a short question,
/// for a long one, and for one that was itself set aside.
const TURN: usize = 8;
const TURN_BESIDE_LONG: usize = 32;
const TURN_AGAIN: usize = 256;
/// One written token pays for so many that have to be read again.
const READ_AGAIN: usize = 8;

impl Generator {
    /// Lets a question begin that has waited for too long, if those that have had their turn hold enough room. True if
    /// one has begun.
    pub(super) fn make_way(&mut self) -> bool {
        let Some(front) = self.waiting.front() else { return false };
        // One at the front that was passed often enough is the next, and only the part that is left to short ones is
        // none of its concern.
        let (has_waited, is_short) = (front.overtaken >= OVERTAKEN, front.is_short());
        let mut waiting = self.waiting.iter().enumerate().filter(|(_, sequence)| sequence.may_displace());
        let found = waiting.find_map(|(place, newcomer)| {
            let may_go =
                |sequence: &Sequence| place == 0 || !has_waited || (!is_short && sequence.is_short());
            Some((place, self.displaced_by(newcomer, may_go)?))
        });
        let Some((place, displaced)) = found else { return false };
        let Some(newcomer) = self.waiting.remove(place) else { return false };
        if place > 0
            && let Some(front) = self.waiting.front_mut()
        {
            front.overtaken += 1;
        }
        for index in displaced {
            if let Some(sequence) = self.active.get_mut(index) {
                sequence.overtaken += 1;
            }
            self.set_aside(index);
        }
        self.begin(newcomer);
        true
    }

    /// The places, from the last, of those that have to go for it; nothing if nobody has to, or if that wouldn't be
    /// enough. Long ones make each other way within their own part.
    fn displaced_by(&self, newcomer: &Sequence, may_go: impl Fn(&Sequence) -> bool) -> Option<Vec<usize>> {
        let own = self.room_of(newcomer);
        let mut needed = self.taken(|_| true).with(own);
        let mut of_long = self.taken(|sequence| !sequence.is_short()).with(own);
        let fits = |needed: CacheRoom, of_long: CacheRoom| {
            needed.is_within(self.room()) && (newcomer.is_short() || of_long.is_within(self.of_long()))
        };
        let mut candidates: Vec<(usize, &Sequence)> = self.active.iter().enumerate().collect();
        candidates.retain(|(_, sequence)| may_go(sequence) && sequence.has_had_its_turn(newcomer));
        candidates.sort_by_key(|(_, sequence)| std::cmp::Reverse(sequence.generated));
        let mut displaced = Vec::new();
        for (index, sequence) in candidates {
            if fits(needed, of_long) {
                break;
            }
            needed = needed.without(self.room_of(sequence));
            if !sequence.is_short() {
                of_long = of_long.without(self.room_of(sequence));
            }
            displaced.push(index);
        }
        displaced.sort_unstable_by(|one, other| other.cmp(one));
        (!displaced.is_empty() && fits(needed, of_long)).then_some(displaced)
    }

    /// What the next step reads of each prompt. The youngest long ones are set aside while the cache has no pages for all of it.
    pub(super) fn shares_that_fit(&mut self) -> BTreeMap<usize, usize> {
        loop {
            let shares = self.shares();
            let pages = |(index, sequence): (usize, &Sequence)| {
                let count =
                    if sequence.pending() == 1 { 1 } else { shares.get(&index).copied().unwrap_or(0) };
                let end = if count == 0 { 0 } else { sequence.computed + count + MOST };
                end.div_ceil(PAGE).saturating_sub(sequence.pages.len()) + sequence.siblings.len()
            };
            let needed: usize = self.active.iter().enumerate().map(pages).sum();
            if needed <= self.cache.available() || self.active.len() == 1 {
                return shares;
            }
            let may_go = self.active.iter().enumerate().filter(|(_, sequence)| !sequence.is_scored());
            // Short ones are soon done, and give back what they hold: they go last.
            let rank = |sequence: &Sequence| (!sequence.is_short(), sequence.request, sequence.choice);
            let Some((youngest, _)) = may_go.max_by_key(|(_, sequence)| rank(sequence)) else {
                return shares;
            };
            self.set_aside(youngest);
        }
    }

    /// Lets go of its pages: those that are full stay in the cache as long as there is room. It waits by its age.
    fn set_aside(&mut self, index: usize) {
        let mut sequence = self.active.remove(index);
        release(&mut self.cache, &mut sequence.pages);
        sequence.put_off = None;
        sequence.computed = 0;
        sequence.remembered = 0;
        sequence.waited = 0;
        let place = self.waiting.partition_point(|other| other.request < sequence.request);
        self.waiting.insert(place, sequence);
    }
}

impl Sequence {
    /// Whether others make way for it.
    const fn may_displace(&self) -> bool {
        self.waited >= if self.generated == 0 { PATIENCE } else { PATIENCE_OF_LONG }
    }

    /// Whether it has had as much as the newcomer asks for, and enough since it last went on that reading it again pays.
    /// Short ones are soon done: they make way for short ones alone.
    fn has_had_its_turn(&self, newcomer: &Self) -> bool {
        let since = self.generated - self.generated_before;
        let least = match (newcomer.generated, newcomer.is_short()) {
            (0, true) => TURN.max(newcomer.options.max_tokens),
            (0, false) => TURN_BESIDE_LONG,
            (1.., _) => TURN_AGAIN,
        };
        let may_be_asked = newcomer.is_short() || !self.is_short();
        // Siblings that have not begun, and the scores of a prompt, hang on what it has computed.
        let is_alone = self.siblings.is_empty() && !self.is_scored();
        is_alone
            && may_be_asked
            && since >= least.max(self.tokens.len() / READ_AGAIN)
            && self.overtaken < OVERTAKEN
    }
}
