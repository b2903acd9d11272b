//! Bounded metric series with a min-max pyramid. Knows nothing of files or widgets.
//!
//! The bound: the finest level of a series holds at most [`SERIES_BUCKETS`] buckets, and a run at most
//! [`RUN_BUCKETS`] over all its series. A series that outgrows its share has neighbouring buckets merged in pairs,
//! which halves its resolution and keeps every minimum, maximum and NaN; so a spike is never lost, and a run that is
//! followed for days takes no more memory than one followed for an hour.

mod detail;
mod run;

pub use self::detail::{DETAIL_STEPS, Detail};
pub use self::run::{MetricChunk, MetricColumn, RunSeries};

/// Most buckets in the finest level of one series.
pub const SERIES_BUCKETS: usize = 1 << 16;
/// Most finest-level buckets of one run; each bucket is 32 bytes, and the pyramid above adds a third.
pub const RUN_BUCKETS: usize = 1 << 20;
/// Most series of one run; further names are counted in [`RunSeries::names_left_out`].
pub const RUN_SERIES: usize = 512;

/// Buckets of one level that one bucket of the next covers.
const FAN: usize = 4;
/// A level is worth having once the one below is longer than this.
const LEVEL_FROM: usize = 64;

/// What was logged between two steps, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub first: u32,
    pub last: u32,
    /// Over the finite values; meaningless where `count` is 0.
    pub min: f32,
    pub max: f32,
    pub mean: f32,
    /// The last finite value.
    pub close: f32,
    /// Finite values.
    pub count: u32,
    /// NaN and infinite values.
    pub bad: u32,
}

impl Bucket {
    fn of(step: u32, value: f64) -> Self {
        let value = value as f32;
        if value.is_finite() {
            Self {
                first: step,
                last: step,
                min: value,
                max: value,
                mean: value,
                close: value,
                count: 1,
                bad: 0,
            }
        } else {
            Self {
                first: step,
                last: step,
                min: f32::INFINITY,
                max: f32::NEG_INFINITY,
                mean: 0.0,
                close: 0.0,
                count: 0,
                bad: 1,
            }
        }
    }

    /// Takes in the bucket that follows.
    fn absorb(&mut self, next: &Self) {
        self.last = next.last;
        self.bad += next.bad;
        if next.count == 0 {
            return;
        }
        let share = f64::from(next.count) / f64::from(self.count + next.count);
        self.mean = (f64::from(self.mean) + (f64::from(next.mean) - f64::from(self.mean)) * share) as f32;
        self.count += next.count;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.close = next.close;
    }

    /// Values of any kind.
    #[must_use]
    pub const fn logged(&self) -> u32 {
        self.count + self.bad
    }
}

/// The values of one metric over the steps of one run.
#[derive(Debug, Clone)]
pub struct Series {
    /// Finest first; a bucket of level k + 1 covers [`FAN`] of level k.
    levels: Vec<Vec<Bucket>>,
    /// Logged values that a full finest bucket holds; doubles when the series outgrows its bound.
    width: u32,
    most: usize,
    latest: Option<(u64, f64)>,
}

impl Default for Series {
    fn default() -> Self {
        Self { levels: vec![Vec::new()], width: 1, most: SERIES_BUCKETS, latest: None }
    }
}

impl Series {
    /// Appends a value: [`Series::extend`] by one.
    pub fn push(&mut self, step: u64, value: f64) {
        self.extend([(step, value)]);
    }

    /// Appends values with their steps. A step that is not beyond the last one replaces what was logged from that step
    /// on: the later line of a step counts, and what a resumed run left behind is dropped. Steps above `u32::MAX` are
    /// held as that.
    ///
    /// Only the finest level is touched value by value; those above it are brought up to date once, at the end.
    pub fn extend(&mut self, logged: impl IntoIterator<Item = (u64, f64)>) {
        // The first finest bucket that the levels above don't know as it is now.
        let mut changed = self.finest().len().saturating_sub(1);
        for (step, value) in logged {
            self.latest = Some((step, value));
            let step = u32::try_from(step).unwrap_or(u32::MAX);
            let (most, width) = (self.most, self.width);
            let Some(finest) = self.levels.first_mut() else { return };
            if finest.last().is_some_and(|tail| step <= tail.last) {
                cut(finest, step);
                changed = changed.min(finest.len().saturating_sub(1));
            }
            let new = Bucket::of(step, value);
            match finest.last_mut().filter(|tail| tail.logged() < width) {
                Some(tail) => tail.absorb(&new),
                None => finest.push(new),
            }
            if finest.len() >= most {
                self.halve();
                changed = 0;
            }
        }
        self.stack(changed);
    }

    /// Bounds the finest level, from now on, to this many buckets (at least 2).
    pub fn bound(&mut self, most: usize) {
        self.most = most.max(2);
        if self.finest().len() >= self.most {
            self.halve();
            self.stack(0);
        }
    }

    /// The finest level.
    #[must_use]
    pub fn finest(&self) -> &[Bucket] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The coarsest level that still has `want` buckets between two steps (both included), else the finest.
    #[must_use]
    pub fn level_for(&self, first: u32, last: u32, want: usize) -> usize {
        let coarser = self.levels.iter().skip(1);
        coarser.take_while(|level| slice(level, first, last).len() >= want).count()
    }

    /// Buckets of a level between two steps (both included), with one more on either side, so that a line can be
    /// drawn to the border.
    #[must_use]
    pub fn between(&self, level: usize, first: u32, last: u32) -> &[Bucket] {
        self.levels.get(level).map_or(&[], |level| slice(level, first, last))
    }

    /// The finest bucket nearest to a step.
    #[must_use]
    pub fn near(&self, step: u32) -> Option<&Bucket> {
        let finest = self.finest();
        let at = finest.partition_point(|bucket| bucket.last < step);
        let after = finest.get(at);
        let before = at.checked_sub(1).and_then(|at| finest.get(at));
        match (before, after) {
            (Some(before), Some(after)) => {
                let nearer = step - before.last <= after.first.saturating_sub(step);
                Some(if nearer { before } else { after })
            }
            (before, after) => after.or(before),
        }
    }

    /// The last value as it was logged, and its step.
    #[must_use]
    pub const fn latest(&self) -> Option<(u64, f64)> {
        self.latest
    }

    /// Everything in one bucket.
    #[must_use]
    pub fn whole(&self) -> Option<Bucket> {
        merged(self.levels.last()?)
    }

    /// Logged values that share one finest bucket: 1 until the series outgrows its bound.
    #[must_use]
    pub const fn values_per_bucket(&self) -> u32 {
        self.width
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.finest().is_empty()
    }

    /// Bytes held, for the memory bound.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<Bucket>()).sum()
    }

    /// Merges neighbours of the finest level until it is within its bound.
    fn halve(&mut self) {
        while self.finest().len() >= self.most {
            let finest = self.finest().chunks(2).filter_map(merged).collect();
            self.levels = vec![finest];
            self.width = self.width.saturating_mul(2);
        }
    }

    /// Brings the upper levels up to date with the finest, of which the buckets before `changed` are as they were.
    fn stack(&mut self, mut changed: usize) {
        for level in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(level);
            let (Some(below), Some(above)) = (below.last(), above.first_mut()) else { continue };
            changed = (changed / FAN).min(above.len());
            above.truncate(changed);
            above.extend(below.chunks(FAN).skip(changed).filter_map(merged));
        }
        while self.levels.last().is_some_and(|top| top.len() > LEVEL_FROM) {
            let next = self.levels.last().map(|top| top.chunks(FAN).filter_map(merged).collect::<Vec<_>>());
            self.levels.extend(next);
        }
    }
}

/// Drops what was logged at this step and later. Where buckets hold several values, the one on the border keeps its
/// minimum and maximum.
fn cut(finest: &mut Vec<Bucket>, step: u32) {
    let kept = finest.partition_point(|bucket| bucket.first < step);
    finest.truncate(kept);
    if let Some(tail) = finest.last_mut() {
        tail.last = tail.last.min(step.saturating_sub(1));
    }
}

fn merged(buckets: &[Bucket]) -> Option<Bucket> {
    let (first, rest) = buckets.split_first()?;
    let mut merged = *first;
    for bucket in rest {
        merged.absorb(bucket);
    }
    Some(merged)
}

fn slice(buckets: &[Bucket], first: u32, last: u32) -> &[Bucket] {
    let from = buckets.partition_point(|bucket| bucket.last < first).saturating_sub(1);
    let to = (buckets.partition_point(|bucket| bucket.first <= last) + 1).min(buckets.len());
    buckets.get(from..to).unwrap_or(&[])
}
