//! A series as points along the x-axis: down-sampled to what the screen can show with every spike kept, smoothed,
//! broken where values are missing. Draws nothing.

use crate::domain::series::{Bucket, Series};

/// What a chart counts along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum XAxis {
    #[default]
    Step,
    /// Seconds since the run began.
    Time,
    Tokens,
}

impl XAxis {
    /// As the screen says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Time => "time",
            Self::Tokens => "tokens",
        }
    }

    /// The one after it, around.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Step => Self::Time,
            Self::Time => Self::Tokens,
            Self::Tokens => Self::Step,
        }
    }
}

/// Where on the x-axis a step lies.
#[derive(Debug, Clone, Copy)]
pub enum XMap<'a> {
    Step,
    /// Through a series that grows with the steps: elapsed seconds, tokens.
    Through(&'a Series),
}

impl XMap<'_> {
    /// Of a step, between the neighbours that were logged.
    #[must_use]
    pub fn x(&self, step: u32) -> f64 {
        let Self::Through(series) = self else { return f64::from(step) };
        let finest = series.finest();
        let at = finest.partition_point(|bucket| bucket.last < step);
        let before = at.checked_sub(1).and_then(|at| finest.get(at));
        match (before, finest.get(at)) {
            (Some(before), Some(after)) => {
                let share = f64::from(step.saturating_sub(before.last))
                    / f64::from((after.last - before.last).max(1));
                f64::from(before.close) + (f64::from(after.close) - f64::from(before.close)) * share
            }
            (None, Some(after)) if after.last > 0 => {
                f64::from(after.close) * f64::from(step) / f64::from(after.last)
            }
            (Some(only), None) | (None, Some(only)) => f64::from(only.close),
            (None, None) => f64::from(step),
        }
    }

    /// The steps between two places, both included.
    #[must_use]
    pub fn steps(&self, (low, high): (f64, f64)) -> (u32, u32) {
        (self.step(low), self.step(high).saturating_add(1))
    }

    /// The step at a place, rounded down; the inverse of [`XMap::x`].
    #[must_use]
    pub fn step(&self, x: f64) -> u32 {
        let Self::Through(series) = self else { return x.clamp(0.0, f64::from(u32::MAX)) as u32 };
        let finest = series.finest();
        let at = finest.partition_point(|bucket| f64::from(bucket.close) < x);
        match (at.checked_sub(1).and_then(|at| finest.get(at)), finest.get(at)) {
            (Some(before), Some(after)) => {
                let span = f64::from(after.close) - f64::from(before.close);
                let share = if span > 0.0 { (x - f64::from(before.close)) / span } else { 0.0 };
                before.last + (f64::from(after.last - before.last) * share) as u32
            }
            (Some(last), None) => last.last,
            (None, Some(first)) => first.first,
            (None, None) => 0,
        }
    }
}

/// One bucket on its way to the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    /// Finite values only; `None` where there was none.
    pub y: Option<BucketSpan>,
    /// Whether a NaN or an infinity was logged here.
    pub bad: bool,
    /// Exponential moving average up to here; `None` before the first finite value, or where smoothing is off.
    pub smooth: Option<f64>,
}

/// From the lowest to the highest value of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BucketSpan {
    pub min: f64,
    pub max: f64,
    pub close: f64,
}

/// The points between two places on the x-axis, one bucket more on either side, and at least `columns` of them where
/// the series has as many. They come from `detail` where that is given: the same series there, value by value.
///
/// The moving average is debiased (it starts at the first value, not at 0) and begins early enough before the left
/// border that its past is forgotten to 1 part in 10,000. Where a bucket holds several values they count as that many
/// times their mean.
#[must_use]
pub fn trace(
    (series, detail): (&Series, Option<&Series>),
    map: XMap<'_>,
    range: (f64, f64),
    columns: usize,
    smoothing: f64,
) -> Vec<Point> {
    let (first, last) = map.steps(range);
    let near = detail.unwrap_or(series);
    let level = near.level_for(first, last, columns.max(2));
    let shown = near.between(level, first, last);
    let Some(start) = shown.first().map(|bucket| bucket.first) else { return Vec::new() };
    let mut average = Average::new(smoothing);
    if smoothing > 0.0 {
        let all = series.between(if detail.is_some() { 0 } else { level }, 0, last);
        let before = all.partition_point(|bucket| bucket.first < start);
        let needed = past(all.get(..before).unwrap_or_default(), average.memory());
        for bucket in needed {
            average.take(bucket);
        }
    }
    shown
        .iter()
        .map(|bucket| Point {
            x: map.x(bucket.first.midpoint(bucket.last)),
            y: (bucket.count > 0).then(|| BucketSpan {
                min: f64::from(bucket.min),
                max: f64::from(bucket.max),
                close: f64::from(bucket.close),
            }),
            bad: bucket.bad > 0,
            smooth: average.take(bucket).filter(|_| smoothing > 0.0),
        })
        .collect()
}

/// The last buckets that hold at least this many values together.
fn past(buckets: &[Bucket], values: f64) -> &[Bucket] {
    let mut held = 0.0;
    let from = buckets.iter().rposition(|bucket| {
        held += f64::from(bucket.count);
        held >= values
    });
    buckets.get(from.unwrap_or(0)..).unwrap_or_default()
}

/// A debiased exponential moving average (Kingma & Ba, Adam, section 3: the correction by `1 - decay^t`).
#[derive(Debug, Clone, Copy)]
struct Average {
    decay: f64,
    sum: f64,
    weight: f64,
}

impl Average {
    fn new(decay: f64) -> Self {
        Self { decay: decay.clamp(0.0, 0.9999), sum: 0.0, weight: 0.0 }
    }

    /// Values after which the past weighs less than 1 in 10,000.
    fn memory(&self) -> f64 {
        if self.decay > 0.0 { 1e-4f64.ln() / self.decay.ln() } else { 0.0 }
    }

    fn take(&mut self, bucket: &Bucket) -> Option<f64> {
        if bucket.count > 0 {
            let kept = self.decay.powf(f64::from(bucket.count));
            self.sum = self.sum * kept + f64::from(bucket.mean) * (1.0 - kept);
            self.weight = self.weight * kept + (1.0 - kept);
        }
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}
