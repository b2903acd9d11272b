//! Setting sequences aside: a short question doesn't wait until long answers have come to their end, and these go on
//! where they were. Nothing changes but the time: what was chosen stays, and keys and values come from the cache or are
//! computed again.

use super::generator::{Generator, release};
use super::plan::OVERTAKEN;
use super::sequence::Sequence;

/// Steps that a short question waits for room before others make it.
const PATIENCE: usize = 2;
/// Tokens that a sequence has written at least, since it began or went on, when it is set aside.
const TURN: usize = 8;
/// One written token pays for so many that have to be read again.
const READ_AGAIN: usize = 8;

impl Generator {
    /// Lets a short question begin that has waited for too long, if those that have written more than it may ask for
    /// hold enough room. True if one has begun.
    pub(super) fn make_way(&mut self) -> bool {
        let Some(front) = self.waiting.front() else { return false };
        // One at the front that was passed often enough waits for what is done now, and only the part that is left to
        // short ones is none of its concern.
        let (has_waited, is_short) = (front.overtaken >= OVERTAKEN, front.is_short());
        let may_go = |sequence: &Sequence| !has_waited || (!is_short && sequence.is_short());
        let mut waiting = self.waiting.iter().enumerate().filter(|(_, sequence)| sequence.may_displace());
        let found = waiting.find_map(|(place, newcomer)| Some((place, self.displaced_by(newcomer, may_go)?)));
        let Some((place, displaced)) = found else { return false };
        let Some(newcomer) = self.waiting.remove(place) else { return false };
        if place > 0
            && let Some(front) = self.waiting.front_mut()
        {
            front.overtaken += 1;
        }
        for index in displaced {
            self.set_aside(index);
        }
        self.begin(newcomer);
        true
    }

    /// The places, from the last, of those that have to go for it; nothing if nobody has to, or if that wouldn't be
    /// enough.
    fn displaced_by(&self, newcomer: &Sequence, may_go: impl Fn(&Sequence) -> bool) -> Option<Vec<usize>> {
        let mut needed = self.taken(|_| true).with(self.room_of(newcomer));
        let mut candidates: Vec<(usize, &Sequence)> = self.active.iter().enumerate().collect();
        candidates.retain(|(_, sequence)| may_go(sequence) && sequence.has_had_its_turn(newcomer));
        candidates.sort_by_key(|(_, sequence)| std::cmp::Reverse(sequence.generated));
        let mut displaced = Vec::new();
        for (index, sequence) in candidates {
            if needed.is_within(self.room()) {
                break;
            }
            needed = needed.without(self.room_of(sequence));
            displaced.push(index);
        }
        displaced.sort_unstable_by(|one, other| other.cmp(one));
        (!displaced.is_empty() && needed.is_within(self.room())).then_some(displaced)
    }

    /// Lets go of its pages: those that are full stay in the cache as long as there is room. It waits by its age.
    fn set_aside(&mut self, index: usize) {
        let mut sequence = self.active.remove(index);
        release(&mut self.cache, &mut sequence.pages);
        sequence.computed = 0;
        sequence.remembered = 0;
        sequence.overtaken += 1;
        let place = self.waiting.partition_point(|other| other.request < sequence.request);
        self.waiting.insert(place, sequence);
    }
}

impl Sequence {
    /// Whether others make way for it.
    fn may_displace(&self) -> bool {
        self.generated == 0 && self.waited >= PATIENCE && self.is_short()
    }

    /// Whether it has had as much as the newcomer asks for, and enough since it last went on that reading it again pays.
    fn has_had_its_turn(&self, newcomer: &Sequence) -> bool {
        let since = self.generated - self.generated_before;
        let turn = TURN.max(self.tokens.len() / READ_AGAIN).max(newcomer.options.max_tokens);
        // Siblings that have not begun, and the scores of a prompt, hang on what it has computed.
        let is_alone = self.siblings.is_empty() && !self.is_scored();
        is_alone && since >= turn && self.overtaken < OVERTAKEN
    }
}
