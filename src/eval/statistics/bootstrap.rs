//! The bootstrap (Efron 1979): items are drawn again with replacement, and how a figure varies over the draws is how far
//! it can be trusted. The interval is the percentile one; the test of a difference draws the same items for both
//! (paired, as Koehn 2004) and centres the draws on no difference.

use rayon::prelude::*;

use crate::ground::random::{self, SplitMix64};

/// Draws of all items.
pub const RESAMPLES: u64 = 2000;
/// The share of draws within an interval.
pub const CONFIDENCE: f64 = 0.95;

/// The normal distribution's quantile of 0.975.
const Z: f64 = 1.959_963_984_540_054;

/// Where a figure likely is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// A difference of two figures over the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    pub difference: f64,
    pub interval: Interval,
    /// How often chance alone makes a difference as large as this, to either side.
    pub p: f64,
}

/// The interval of a figure of `items` items. `value` gets the places of the items that it is of, some of them several
/// times, and gives nothing if the figure can't be had of them.
#[must_use]
pub fn interval(
    items: usize,
    seed: u64,
    value: &(dyn Fn(&[usize]) -> Option<f64> + Sync),
) -> Option<Interval> {
    percentiles(draws(items, seed, value))
}

/// The difference of two figures of the same items, with its interval and whether it could be chance.
#[must_use]
pub fn paired(
    items: usize,
    seed: u64,
    difference: &(dyn Fn(&[usize]) -> Option<f64> + Sync),
) -> Option<PairedDifference> {
    let all: Vec<usize> = (0..items).collect();
    let found = difference(&all)?;
    let drawn = draws(items, seed, difference);
    // Sums in another order differ in the last bits.
    let as_far = |draw: &&f64| (*draw - found).abs() >= found.abs() * (1.0 - 1e-9);
    let beyond = drawn.iter().filter(as_far).count() as f64;
    let p = if found == 0.0 { 1.0 } else { (1.0 + beyond) / (1.0 + drawn.len() as f64) };
    let interval = percentiles(drawn)?;
    Some(PairedDifference { difference: found, interval, p })
}

/// The figure of each draw.
fn draws(items: usize, seed: u64, value: &(dyn Fn(&[usize]) -> Option<f64> + Sync)) -> Vec<f64> {
    if items == 0 {
        return Vec::new();
    }
    let draw = |number: u64| {
        let mut random = SplitMix64::new(random::combine(&[seed, number]));
        let rows: Vec<usize> = (0..items).map(|_| below(items, &mut random)).collect();
        value(&rows)
    };
    (0..RESAMPLES).into_par_iter().filter_map(draw).collect()
}

fn below(items: usize, random: &mut SplitMix64) -> usize {
    ((u128::from(random.next()) * items as u128) >> 64) as usize
}

fn percentiles(mut draws: Vec<f64>) -> Option<Interval> {
    draws.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Interval { low: quantile(&draws, tail)?, high: quantile(&draws, 1.0 - tail)? })
}

/// Between two values by the distance from them, as NumPy does.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, rest) = (place.floor(), place.fract());
    let low = *sorted.get(below as usize)?;
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    Some(low + (high - low) * rest)
}

/// Wilson's interval (1927) of a share: for shares that draws say nothing of, since all items are alike.
#[must_use]
pub fn wilson(hits: u64, items: u64) -> Option<Interval> {
    if items == 0 {
        return None;
    }
    let n = items as f64;
    let share = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / scale;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    Some(Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
}
