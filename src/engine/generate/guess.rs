//! Guessing what comes next from what was there: after the same tokens the same often follows (prompt look-up decoding,
//! Saxena 2023). A guess costs a row of a step; a wrong one changes nothing else, since each token is chosen from the
//! same logits as without it. So it is a matter of time alone, and a token is guessed only if the time that it saves,
//! if it is right, outweighs that of its row.
//!
//! The more of the last tokens were there before, the more often what followed follows again: the chance is learnt for
//! each length of such a match. (With one chance for all, a JSON list gained 3 to 13%, with these 10 to 20%, where a
//! row costs a third of a step.)

/// Tokens that must have been there before, at least.
const SHORTEST: usize = 2;
/// A longer match is looked for up to this length, so that the likeliest place is found.
const LONGEST: usize = 16;
/// From this length on, a match tells no more.
const TELLING: usize = 8;
/// Tokens of a guess at most.
pub(super) const MOST: usize = 12;
/// A new token's part in the mean of those that were right.
const NEW: f64 = 0.15;
/// Where guessing doesn't pay, one token in so many is guessed all the same, to see whether it pays by now.
const TRIED: usize = 16;

/// One sequence's guesses.
pub(super) struct Guesser {
    /// After a match of 2, 3, ... tokens.
    chances: [Chance; TELLING - SHORTEST + 1],
    /// The match of the last guess.
    matched: usize,
}

/// How often a guessed token is right, if all before it were.
#[derive(Clone, Copy)]
struct Chance {
    right: f64,
    /// Guesses left out since the last one.
    left_out: usize,
}

impl Default for Guesser {
    fn default() -> Self {
        let chance = |place| Chance { right: 0.55 + 0.04 * (place + SHORTEST) as f64, left_out: 0 };
        Self { chances: std::array::from_fn(chance), matched: SHORTEST }
    }
}

impl Guesser {
    /// What followed when the last tokens were there before: `most` tokens at most, none if they weren't. `cost` is
    /// what each takes, as a part of what it saves if it is right.
    pub(super) fn guess(&mut self, tokens: &[u32], most: usize, cost: f64) -> Vec<u32> {
        let Some((after, matched)) = after_the_same(tokens) else { return Vec::new() };
        self.matched = matched;
        let chance = self.chance();
        let pays = chance.worthwhile(cost);
        chance.left_out = if pays > 0 { 0 } else { (chance.left_out + 1) % TRIED };
        let length = if pays == 0 && chance.left_out == 0 { 1 } else { pays };
        after.iter().copied().take(length.min(most)).collect()
    }

    /// Learns how many tokens of the last guess were right.
    pub(super) fn learn(&mut self, guessed: usize, right: usize) {
        let chance = self.chance();
        for _ in 0..right {
            chance.right += NEW * (1.0 - chance.right);
        }
        if right < guessed {
            chance.right -= NEW * chance.right;
        }
    }

    fn chance(&mut self) -> &mut Chance {
        let place = self.matched.clamp(SHORTEST, TELLING) - SHORTEST;
        &mut self.chances[place]
    }
}

impl Chance {
    /// How many tokens pay: the chance that the last and all before it are right is above its cost.
    fn worthwhile(self, cost: f64) -> usize {
        let pay = cost.ln() / self.right.min(0.999).ln();
        (pay as usize).min(MOST)
    }
}

/// What followed the last tokens when most of them were there before, the last time of several, and how many were.
fn after_the_same(tokens: &[u32]) -> Option<(&[u32], usize)> {
    let (&last, before) = tokens.split_last()?;
    let mut found: Option<(usize, usize)> = None;
    for (place, _) in before.iter().enumerate().rev().filter(|(_, token)| **token == last) {
        let same = before.iter().rev().zip(before[..place].iter().rev());
        let matched = 1 + same.take(LONGEST - 1).take_while(|(one, other)| one == other).count();
        if matched > found.map_or(SHORTEST - 1, |(_, best)| best) {
            found = Some((place, matched));
        }
        if matched == LONGEST {
            break;
        }
    }
    found.and_then(|(place, matched)| Some((tokens.get(place + 1..)?, matched)))
}
