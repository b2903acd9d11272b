//! From values to dots: what the y-axis spans, linear or logarithmic.

use super::grid::{ACROSS, DOWN};
use super::trace::Point;
use super::view::{Clip, Scale};

/// The y-axis of one chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct YScale {
    /// Linear where a logarithm was asked for but no value is positive.
    pub scale: Scale,
    /// As logarithms where the scale is one.
    pub low: f64,
    pub high: f64,
}

impl YScale {
    /// Spans the points inside a window; nothing where there are none.
    #[must_use]
    pub fn of(traces: &[Vec<Point>], window: (f64, f64), scale: Scale, clip: Clip) -> Option<Self> {
        let mut values: Vec<f64> = traces
            .iter()
            .flatten()
            .filter(|point| point.x >= window.0 && point.x <= window.1)
            .filter_map(|point| point.y)
            .flat_map(|span| [span.min, span.max])
            .collect();
        if values.is_empty() {
            // Zoomed in between two points: the line between them still crosses.
            values = traces
                .iter()
                .flatten()
                .filter_map(|point| point.y)
                .flat_map(|span| [span.min, span.max])
                .collect();
        }
        let any_positive = values.iter().any(|value| *value > 0.0);
        let scale = if any_positive { scale } else { Scale::Linear };
        if scale == Scale::Log {
            values.retain(|value| *value > 0.0);
            for value in &mut values {
                *value = value.log10();
            }
        }
        values.sort_unstable_by(f64::total_cmp);
        let share = match clip {
            Clip::None => 0.0,
            Clip::Outliers => 0.02,
        };
        let low = quantile(&values, share)?;
        let high = quantile(&values, 1.0 - share)?;
        if low == 0.0 && high == 0.0 && scale == Scale::Linear {
            // What is always 0 is mostly a share or a count: it is seen on the axis, and nothing below it.
            return Some(Self { scale, low: -0.04, high: 1.0 });
        }
        let pad = if high - low > 1e-9 * (low.abs() + high.abs()) {
            (high - low) * 0.04
        } else {
            // One value: a tenth of it around it; around a logarithm of 0, one each way.
            if high == 0.0 { 1.0 } else { high.abs() * 0.1 }
        };
        Some(Self { scale, low: low - pad, high: high + pad })
    }

    /// Onto the axis; nothing where a logarithm has no value.
    #[must_use]
    pub fn place(&self, value: f64) -> Option<f64> {
        match self.scale {
            Scale::Linear => Some(value),
            Scale::Log => (value > 0.0).then(|| value.log10()),
        }
    }

    /// The value at a place on the axis.
    #[must_use]
    pub fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
        }
    }
}

/// From both axes to dots.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    pub window: (f64, f64),
    pub y: YScale,
    /// In cells.
    pub columns: u16,
    pub rows: u16,
}

impl Projection {
    /// The dot column of a place; at most one width outside.
    #[must_use]
    pub fn x(&self, x: f64) -> i64 {
        let dots = f64::from(self.columns) * ACROSS as f64;
        let share = (x - self.window.0) / (self.window.1 - self.window.0);
        (share * (dots - 1.0)).round().clamp(-dots, 2.0 * dots) as i64
    }

    /// The dot row of a value, from the top; at most one height outside.
    #[must_use]
    pub fn y(&self, value: f64) -> Option<i64> {
        let dots = f64::from(self.rows) * DOWN as f64;
        let share = (self.y.high - self.y.place(value)?) / (self.y.high - self.y.low);
        Some((share * (dots - 1.0)).round().clamp(-dots, 2.0 * dots) as i64)
    }

    /// The place of a cell's column, counted from the left of the plot.
    #[must_use]
    pub fn place(&self, column: u16) -> f64 {
        let share = (f64::from(column) + 0.5) / f64::from(self.columns.max(1));
        self.window.0 + (self.window.1 - self.window.0) * share
    }
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}
