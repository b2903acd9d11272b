//! Figures over a set of records, as the session counts them and panes show them.

use serde::Serialize;

/// Counts and distributions.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Statistics {
    pub records: u64,
    /// New, approved, rejected.
    pub statuses: [u64; 3],
    pub labels: Balance,
    pub splits: Balance,
    pub characters: u64,
    /// Records whose tokens have been counted; the figures below speak of these.
    pub counted: u64,
    pub tokens: u64,
    pub median: Option<u32>,
    pub longest: Option<u32>,
    /// The length at which training would cut.
    pub limit: Option<u32>,
    /// Records longer than that.
    pub over_limit: Option<u64>,
    pub bins: TokenBins,
    pub distinct_prompts: u64,
    /// Records whose imported row equals another's, beyond the first of each.
    pub equal_rows: u64,
}

/// How often each name occurs, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Balance {
    /// `None`: records that have none.
    pub named: Vec<(Option<String>, u64)>,
    pub distinct: u64,
    /// Records whose name is not in the list.
    pub others: u64,
}

/// A histogram of token counts with bins of equal width, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TokenBins {
    /// Tokens in a bin.
    pub width: u32,
    pub counts: Vec<u64>,
}

impl TokenBins {
    /// At most so many.
    const MOST: usize = 24;

    /// Of counts in rising order. The bins end at the 99th of 100, so that one giant doesn't flatten the rest; the
    /// last one holds everything longer.
    #[must_use]
    pub fn of(sorted: &[u32]) -> Self {
        let Some(&high) = sorted.get(sorted.len().saturating_sub(1) * 99 / 100) else {
            return Self::default();
        };
        let width = (high / Self::MOST as u32 + 1).max(1);
        let mut counts = vec![0; Self::MOST];
        for tokens in sorted {
            let bin = ((tokens / width) as usize).min(Self::MOST - 1);
            if let Some(count) = counts.get_mut(bin) {
                *count += 1;
            }
        }
        Self { width, counts }
    }
}
