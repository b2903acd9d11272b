//! Guessing what comes next from what was there: after the same tokens the same often follows (prompt look-up decoding,
//! Saxena 2023). A guess costs a row of a step whose time is that of reading the weights; a wrong one changes nothing
//! else, since each token is chosen from the same logits as without it.

/// Tokens that must have been there before, at most and at least.
const LONGEST: usize = 3;
const SHORTEST: usize = 2;
/// Tokens of a first guess, and of any.
const FIRST: usize = 3;
pub(super) const MOST: usize = 12;
/// Tokens without a guess after a wrong one, at most.
const PAUSE: usize = 64;

/// One sequence's guesses.
pub(super) struct Guesser {
    /// Tokens of the next guess.
    length: usize,
    /// Tokens until then, and how many it was the last time.
    wait: usize,
    pause: usize,
}

impl Default for Guesser {
    fn default() -> Self {
        Self { length: FIRST, wait: 0, pause: 0 }
    }
}

impl Guesser {
    /// What followed when the last tokens were there before: `most` tokens at most, none if they weren't.
    pub(super) fn guess(&mut self, tokens: &[u32], most: usize) -> Vec<u32> {
        if self.wait > 0 {
            self.wait -= 1;
            return Vec::new();
        }
        let most = self.length.min(most);
        let found = (SHORTEST..=LONGEST).rev().find_map(|length| after_the_same(tokens, length));
        found.map_or_else(Vec::new, |after| after.iter().copied().take(most).collect())
    }

    /// Learns how many tokens of a guess were right.
    pub(super) fn learn(&mut self, guessed: usize, right: usize) {
        if right == guessed {
            self.length = (self.length * 2).min(MOST);
            self.pause = 0;
        } else if right > 0 {
            self.length = (right + 1).min(MOST);
            self.pause = 0;
        } else {
            self.length = (self.length / 2).max(1);
            self.pause = (self.pause * 2 + 1).min(PAUSE);
            self.wait = self.pause;
        }
    }
}

/// What followed the last `length` tokens when they were there last.
fn after_the_same(tokens: &[u32], length: usize) -> Option<&[u32]> {
    let (before, last) = tokens.split_at_checked(tokens.len().checked_sub(length)?)?;
    let ends = (length..=before.len()).rev();
    let end = ends.into_iter().find(|&end| tokens.get(end - length..end) == Some(last))?;
    tokens.get(end..)
}
