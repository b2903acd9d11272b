//! All series of one run.

use std::collections::HashMap;
use std::sync::Arc;

use super::{RUN_BUCKETS, RUN_SERIES, SERIES_BUCKETS, Series};

/// Lines of a metrics file, by column: what the follower hands to the store.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricChunk {
    pub columns: Vec<MetricColumn>,
    /// Lines that became values.
    pub lines: u64,
    /// The step of the last of them.
    pub last_step: u64,
    /// Lines that are no object of names and numbers with a step; they are left out.
    pub unreadable: u64,
}

/// The values of one metric in a chunk, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricColumn {
    pub name: Arc<str>,
    pub steps: Vec<u64>,
    pub values: Vec<f64>,
}

impl MetricChunk {
    /// The lowest and the highest step that has a value.
    #[must_use]
    pub fn range(&self) -> Option<(u64, u64)> {
        let ends = self.columns.iter().filter_map(|column| {
            let first = *column.steps.first()?;
            let wider = |(low, high): (u64, u64), &step: &u64| (low.min(step), high.max(step));
            Some(column.steps.iter().fold((first, first), wider))
        });
        ends.reduce(|(low, high), (first, last)| (low.min(first), high.max(last)))
    }
}

impl MetricColumn {
    /// Steps and values.
    fn logged(&self) -> impl Iterator<Item = (u64, f64)> {
        self.steps.iter().copied().zip(self.values.iter().copied())
    }
}

/// Every metric of one run.
#[derive(Debug, Clone, Default)]
pub struct RunSeries {
    /// In the order in which the names first appeared.
    series: Vec<(Arc<str>, Series)>,
    index: HashMap<Arc<str>, usize>,
    lines: u64,
    unreadable: u64,
    left_out: u64,
    last_step: u64,
    elapsed: Series,
    clock: Clock,
}

/// Where [`RunSeries::elapsed`] stands.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    seconds: f64,
    tokens: f64,
    /// Of the first value, for runs that log the time of day.
    start: Option<f64>,
}

/// Names under which programs log the time, in seconds.
const TIMES: [&str; 4] = ["elapsed_seconds", "train_runtime", "time", "timestamp"];

impl RunSeries {
    /// Appends lines in the order of the file.
    pub fn append(&mut self, chunk: &MetricChunk) {
        self.advance_clock(chunk);
        self.lines += chunk.lines;
        self.unreadable += chunk.unreadable;
        if chunk.lines > 0 {
            self.last_step = chunk.last_step;
        }
        for column in &chunk.columns {
            let Some(series) = self.entry(&column.name) else { continue };
            series.extend(column.logged());
        }
    }

    /// Names and series in the order in which the names first appeared.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Series)> {
        self.series.iter().map(|(name, series)| (&**name, series))
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Series> {
        let at = *self.index.get(name)?;
        self.series.get(at).map(|(_, series)| series)
    }

    /// The last logged value of a metric.
    #[must_use]
    pub fn latest(&self, name: &str) -> Option<f64> {
        Some(self.get(name)?.latest()?.1)
    }

    /// The step of the last line.
    #[must_use]
    pub const fn last_step(&self) -> u64 {
        self.last_step
    }

    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    #[must_use]
    pub const fn unreadable_lines(&self) -> u64 {
        self.unreadable
    }

    /// Columns that came after [`RUN_SERIES`] names were known.
    #[must_use]
    pub const fn names_left_out(&self) -> u64 {
        self.left_out
    }

    /// Seconds since the run began, by step: as logged, else tokens over tokens a second, which leaves out evaluation
    /// and pauses. Empty where a run logs neither.
    #[must_use]
    pub const fn elapsed(&self) -> &Series {
        &self.elapsed
    }

    /// Whether buckets of some series hold several values.
    #[must_use]
    pub fn is_coarse(&self) -> bool {
        self.series.iter().any(|(_, series)| series.values_per_bucket() > 1)
    }

    /// Bytes held by the series, for the memory bound.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.series.iter().map(|(_, series)| series.bytes()).sum::<usize>() + self.elapsed.bytes()
    }

    fn advance_clock(&mut self, chunk: &MetricChunk) {
        let column = |name: &str| chunk.columns.iter().find(|column| &*column.name == name);
        if let Some(times) = TIMES.iter().find_map(|name| column(name)) {
            let start = *self.clock.start.get_or_insert(times.values.first().copied().unwrap_or_default());
            // The time of day, not the time since the start.
            let start = if start > 1e9 { start } else { 0.0 };
            self.elapsed.extend(times.logged().map(|(step, time)| (step, time - start)));
            return;
        }
        let (Some(tokens), Some(speeds)) = (column("num_tokens"), column("tokens_per_second")) else {
            return;
        };
        let mut speeds = speeds.logged().peekable();
        let clock = &mut self.clock;
        self.elapsed.extend(tokens.logged().filter_map(|(step, tokens)| {
            while speeds.next_if(|(at, _)| *at < step).is_some() {}
            let (_, speed) = speeds.next_if(|(at, _)| *at == step)?;
            let new = (tokens - clock.tokens).max(0.0);
            if speed > 0.0 && new.is_finite() {
                clock.seconds += new / speed;
            }
            clock.tokens = tokens;
            Some((step, clock.seconds))
        }));
    }

    fn entry(&mut self, name: &Arc<str>) -> Option<&mut Series> {
        if let Some(&at) = self.index.get(name) {
            return self.series.get_mut(at).map(|(_, series)| series);
        }
        if self.series.len() >= RUN_SERIES {
            self.left_out += 1;
            return None;
        }
        self.index.insert(Arc::clone(name), self.series.len());
        self.series.push((Arc::clone(name), Series::default()));
        let share = RUN_BUCKETS / self.series.len().next_power_of_two();
        for (_, series) in &mut self.series {
            series.bound(share.min(SERIES_BUCKETS));
        }
        self.series.last_mut().map(|(_, series)| series)
    }
}
