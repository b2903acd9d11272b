//! One figure of an evaluation: its value with an interval, its unit, and how people read it.

use serde::{Deserialize, Serialize};

/// A figure with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricFigure {
    pub metric: String,
    pub unit: MetricUnit,
    pub better: MetricDirection,
    pub value: Option<f64>,
    /// Where it likely is: 95 of 100 such intervals hold it.
    pub interval: Option<(f64, f64)>,
    /// Items that it is of.
    pub items: u64,
    /// Why there is none, or why it is of fewer items.
    pub why: Option<String>,
}

impl MetricFigure {
    /// The value as people read it; a dash if there is none.
    #[must_use]
    pub fn told(&self) -> String {
        self.value.map_or_else(|| "–".to_owned(), |value| self.unit.told(value))
    }

    /// The value with its interval.
    #[must_use]
    pub fn told_with_interval(&self) -> String {
        match self.interval {
            Some((low, high)) => {
                format!("{} [{}, {}]", self.told(), self.unit.bare(low), self.unit.bare(high))
            }
            None => self.told(),
        }
    }
}

/// How a figure is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricUnit {
    /// 0 to 1, told in percent.
    Share,
    /// 0 to 100.
    Points,
    /// A number of its own.
    Number,
    Tokens,
}

impl MetricUnit {
    #[must_use]
    pub fn told(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1}%", value * 100.0),
            Self::Points | Self::Number | Self::Tokens => self.bare(value),
        }
    }

    /// Without a sign of the unit.
    #[must_use]
    pub fn bare(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1}", value * 100.0),
            Self::Points | Self::Tokens => format!("{value:.1}"),
            Self::Number => format!("{value:.3}"),
        }
    }

    /// A difference, with its sign and unit.
    #[must_use]
    pub fn difference(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:+.1} points", value * 100.0),
            Self::Points => format!("{value:+.1} points"),
            Self::Number => format!("{value:+.3}"),
            Self::Tokens => format!("{value:+.1} tokens"),
        }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricDirection {
    Higher,
    Lower,
    /// Neither: a length.
    Neither,
}
