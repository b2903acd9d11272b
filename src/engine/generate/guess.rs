//! Guessing what comes next from what was there: after the same tokens the same often follows (prompt look-up decoding,
//! Saxena 2023). A guess costs a row of a step; a wrong one changes nothing else, since each token is chosen from the
//! same logits as without it. So it is a matter of time alone, and a token is guessed only if the time that it saves,
//! if it is right, outweighs that of its row.

/// Tokens that must have been there before, at most and at least.
const LONGEST: usize = 3;
const SHORTEST: usize = 2;
/// Tokens of a guess at most.
pub(super) const MOST: usize = 12;
/// The part of guessed tokens that is taken to be right before any was seen.
const FIRST: f64 = 0.75;
/// A new token's part in the mean of those that were right.
const NEW: f64 = 0.15;
/// Tokens without a guess after one that didn't pay, at most.
const PAUSE: usize = 64;

/// One sequence's guesses.
pub(super) struct Guesser {
    /// How often a guessed token is right, if all before it were.
    right: f64,
    /// What a guessed token costs, as a part of what a right one saves.
    cost: f64,
    /// Tokens until the next guess, and how many it was the last time.
    wait: usize,
    pause: usize,
}

impl Default for Guesser {
    fn default() -> Self {
        Self { right: FIRST, cost: 1.0, wait: 0, pause: 0 }
    }
}

impl Guesser {
    /// What followed when the last tokens were there before: `most` tokens at most, none if they weren't. `cost` is
    /// what each takes, as a part of what it saves if it is right.
    pub(super) fn guess(&mut self, tokens: &[u32], most: usize, cost: f64) -> Vec<u32> {
        if self.wait > 0 {
            self.wait -= 1;
            return Vec::new();
        }
        self.cost = cost;
        // One at least, to see whether it pays by now: the pause bounds what that costs.
        let most = self.worthwhile().max(1).min(most);
        let found = (SHORTEST..=LONGEST).rev().find_map(|length| after_the_same(tokens, length));
        found.map_or_else(Vec::new, |after| after.iter().copied().take(most).collect())
    }

    /// Learns how many tokens of a guess were right.
    pub(super) fn learn(&mut self, guessed: usize, right: usize) {
        for _ in 0..right {
            self.right += NEW * (1.0 - self.right);
        }
        if right < guessed {
            self.right -= NEW * self.right;
        }
        if right > 0 && self.worthwhile() > 0 {
            self.pause = 0;
        } else {
            self.pause = (self.pause * 2 + 1).min(PAUSE);
            self.wait = self.pause;
        }
    }

    /// How many tokens pay: the chance that the last and all before it are right is above its cost.
    fn worthwhile(&self) -> usize {
        let pay = self.cost.ln() / self.right.min(0.999).ln();
        (pay as usize).min(MOST)
    }
}

/// What followed the last `length` tokens when they were there last.
fn after_the_same(tokens: &[u32], length: usize) -> Option<&[u32]> {
    let (before, last) = tokens.split_at_checked(tokens.len().checked_sub(length)?)?;
    let ends = (length..=before.len()).rev();
    let end = ends.into_iter().find(|&end| tokens.get(end - length..end) == Some(last))?;
    tokens.get(end..)
}
