//! Figures of a step or an evaluation, summed over its batches.

use crate::train::metrics::number;
use dojo_core::domain::run::MetricLine;

/// Named sums with what they are to be divided by, in the order in which they were first named.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricSums(Vec<MetricSum>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct MetricSum {
    name: &'static str,
    sum: f64,
    over: f64,
}

impl MetricSums {
    /// Adds to a figure.
    pub fn add(&mut self, name: &'static str, sum: f64, over: f64) {
        match self.0.iter_mut().find(|one| one.name == name) {
            Some(one) => {
                one.sum += sum;
                one.over += over;
            }
            None => self.0.push(MetricSum { name, sum, over }),
        }
    }

    /// The mean of a figure; not a number if nothing was added to it.
    #[must_use]
    pub fn mean(&self, name: &str) -> f64 {
        self.0.iter().find(|one| one.name == name).map_or(f64::NAN, |one| one.sum / one.over)
    }

    /// Writes every mean into a line, each name after a prefix.
    pub fn write(&self, prefix: &str, line: &mut MetricLine) {
        for one in &self.0 {
            line.insert(format!("{prefix}{}", one.name), number(one.sum / one.over));
        }
    }
}

impl std::ops::AddAssign for MetricSums {
    fn add_assign(&mut self, other: Self) {
        for one in other.0 {
            self.add(one.name, one.sum, one.over);
        }
    }
}
