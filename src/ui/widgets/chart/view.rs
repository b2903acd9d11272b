//! How a person looks at charts: zoom, cursor, smoothing, scale. One view serves all charts of a pane, so that they
//! move together.

use super::trace::XAxis;

/// Decays that the smoothing keys step through; 0 is off.
pub const SMOOTHINGS: [f64; 8] = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99];

/// State of the view on charts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChartView {
    pub axis: XAxis,
    /// What is shown of the x-axis; all of it where none.
    pub window: Option<(f64, f64)>,
    /// Decay of the moving average; 0 is off.
    pub smoothing: f64,
    pub scale: Scale,
    pub clip: Clip,
    /// A place on the x-axis.
    pub cursor: Option<f64>,
}

/// How values are laid out along the y-axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    #[default]
    Linear,
    Log,
}

/// What the y-axis spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clip {
    /// Every value.
    #[default]
    None,
    /// From the 2nd to the 98th percentile; what lies outside leaves the chart.
    Outliers,
}

impl ChartView {
    /// The shown part of an extent.
    #[must_use]
    pub fn shown(&self, extent: (f64, f64)) -> (f64, f64) {
        let (low, high) = self.window.unwrap_or(extent);
        if low.is_finite() && high.is_finite() && high > low { (low, high) } else { (0.0, 1.0) }
    }

    /// Shows `factor` times as much around the cursor, or around the right end, where new points appear.
    pub fn zoom(&mut self, factor: f64, extent: (f64, f64)) {
        let (low, high) = self.shown(extent);
        let around = self.cursor.filter(|x| (low..=high).contains(x)).unwrap_or(high);
        self.zoom_around(factor, around, extent);
    }

    /// Shows `factor` times as much, a place staying where it is.
    pub fn zoom_around(&mut self, factor: f64, around: f64, extent: (f64, f64)) {
        let (low, high) = self.shown(extent);
        let whole = extent.1 - extent.0;
        let least = (whole / 1e6).max(if self.axis == XAxis::Step { 4.0 } else { 1e-3 });
        let width = ((high - low) * factor).max(least);
        if width >= whole {
            self.window = None;
            return;
        }
        let share = (around - low) / (high - low);
        self.set(around - width * share, width, extent);
    }

    /// Moves by a share of what is shown.
    pub fn pan(&mut self, share: f64, extent: (f64, f64)) {
        let (low, high) = self.shown(extent);
        if self.window.is_some() {
            self.set(low + (high - low) * share, high - low, extent);
        }
    }

    /// Moves the data cursor by a share of what is shown; the view follows it at the border.
    pub fn move_cursor(&mut self, share: f64, extent: (f64, f64), newest: f64) {
        let (low, high) = self.shown(extent);
        let width = high - low;
        let from = self.cursor.unwrap_or_else(|| newest.clamp(low, high));
        let by = if self.axis == XAxis::Step {
            (width * share.abs()).round().max(1.0) * share.signum()
        } else {
            width * share
        };
        let x = (from + by).clamp(extent.0, newest.max(extent.0));
        let x = if self.axis == XAxis::Step { x.round() } else { x };
        self.cursor = Some(x);
        if x < low {
            self.set(x, width, extent);
        } else if x > high {
            self.set(x - width, width, extent);
        }
    }

    /// Another axis: places on the old one mean nothing there.
    pub fn turn_axis(&mut self) {
        *self = Self { axis: self.axis.next(), window: None, cursor: None, ..*self };
    }

    /// The next stronger or weaker smoothing.
    pub fn smooth(&mut self, up: StepDirection) {
        let at = SMOOTHINGS.iter().position(|&known| known >= self.smoothing - 1e-9).unwrap_or(0);
        let at = match up {
            StepDirection::Up => (at + 1).min(SMOOTHINGS.len() - 1),
            StepDirection::Down => at.saturating_sub(1),
        };
        self.smoothing = SMOOTHINGS.get(at).copied().unwrap_or_default();
    }

    fn set(&mut self, low: f64, width: f64, extent: (f64, f64)) {
        let low = low.min(extent.1 - width).max(extent.0);
        self.window = Some((low, low + width));
    }
}

/// Of a step through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepDirection {
    Up,
    Down,
}
