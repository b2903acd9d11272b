//! Lengths, and records far off the others.

use serde::Serialize;

use super::{Finding, FindingKind};
use crate::domain::record::RecordId;

/// What lengths are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Tokens,
    #[default]
    Characters,
}

impl Unit {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Characters => "characters",
        }
    }
}

/// How long the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Lengths {
    pub unit: Unit,
    pub median: u32,
    /// 95% are at most so long.
    pub p95: u32,
    pub longest: u32,
}

/// Fewer records say nothing about what is usual.
const ENOUGH: usize = 30;

/// Tukey's outer fence: three times the middle half's width beyond it, and at least twice the median; or a twentieth
/// of the median.
pub(super) fn measure(lengths: &[(RecordId, u32)], unit: Unit) -> (Lengths, Vec<Finding>) {
    let mut sorted: Vec<u32> = lengths.iter().map(|(_, length)| *length).collect();
    sorted.sort_unstable();
    let at = |share: f64| {
        sorted.get(((sorted.len().saturating_sub(1)) as f64 * share) as usize).copied().unwrap_or(0)
    };
    let (lower, median, upper) = (at(0.25), at(0.5), at(0.75));
    let summary = Lengths { unit, median, p95: at(0.95), longest: sorted.last().copied().unwrap_or(0) };
    if sorted.len() < ENOUGH {
        return (summary, Vec::new());
    }
    let fence = upper.saturating_add((upper - lower).saturating_mul(3)).max(median.saturating_mul(2));
    let short = median / 20;
    let told = |length: u32| {
        let unit = unit.name();
        if length > fence {
            Some(format!("{length} {unit}, where the median is {median}"))
        } else if length < short {
            Some(format!("only {length} {unit}, where the median is {median}"))
        } else {
            None
        }
    };
    let findings = lengths.iter().filter_map(|&(record, length)| {
        Some(Finding { check: FindingKind::Length, record, other: None, what: told(length)? })
    });
    (summary, findings.collect())
}
