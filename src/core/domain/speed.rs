//! Tokens per second of an answer, where it is long enough to tell.

/// Tokens after the first step at least: the time of fewer is that of one or two steps, or of none.
const FEWEST: usize = 3;

/// Speed by the tokens that came after the first step, and the time from there to the last. None where they are too few.
#[must_use]
pub fn tokens_per_second(after_first: usize, seconds: f64) -> Option<f64> {
    (after_first >= FEWEST && seconds > 0.0).then(|| after_first as f64 / seconds)
}
