//! A part of a run value by value, where the whole is held in buckets of several values.

use super::{MetricChunk, RunSeries, Series};

/// Steps of one detail, at most; a wider view has more values than a screen has places for.
pub const DETAIL_STEPS: u32 = 1 << 14;

/// The values between two steps, both included.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    first: u32,
    last: u32,
    series: RunSeries,
}

impl Detail {
    /// Of the lines between two steps, in the order of the file.
    #[must_use]
    pub fn new((first, last): (u32, u32), lines: &MetricChunk) -> Self {
        let mut series = RunSeries::default();
        series.append(lines);
        Self { first, last, series }
    }

    /// Takes in lines that follow those that were there up to step `newest`; false where it no longer says what the
    /// file does, value by value.
    pub fn follow(&mut self, newest: u64, lines: &MetricChunk) -> bool {
        let Some((lowest, highest)) = lines.range() else { return true };
        if lowest <= newest && lowest <= u64::from(self.last) {
            return false;
        }
        if u64::from(self.last) >= newest {
            self.series.append(lines);
            self.last = self.last.max(step(highest));
        }
        self.last - self.first <= 4 * DETAIL_STEPS && !self.series.is_coarse()
    }

    /// A metric, where all there is between two steps (both included) is known value by value. `newest` is the last
    /// step that the run has logged.
    #[must_use]
    pub fn get(&self, name: &str, (first, last): (u32, u32), newest: u64) -> Option<&Series> {
        self.covers((first, last), newest).then(|| self.series.get(name)).flatten()
    }

    /// Whether all there is between two steps is known.
    #[must_use]
    pub fn covers(&self, (first, last): (u32, u32), newest: u64) -> bool {
        self.first <= first && last.min(step(newest)) <= self.last
    }

    /// Bytes held, for the memory bound.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.series.bytes()
    }
}

/// As series hold it.
fn step(step: u64) -> u32 {
    u32::try_from(step).unwrap_or(u32::MAX)
}
