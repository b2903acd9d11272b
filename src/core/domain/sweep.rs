//! A sweep: one recipe trained with several values of some of its keys. What is tried, and which runs are worth more steps.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::recipe::Override;

/// Runs that one sweep may have: more is a mistake of a comma.
pub const MOST_RUNS: usize = 256;

/// A key of the recipe and the values that it takes: `lora.r=8,16,32`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweptKey {
    pub key: String,
    pub values: Vec<String>,
}

impl FromStr for SweptKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Override { key, value } = text.parse()?;
        let values = at_commas(&value);
        if values.iter().any(String::is_empty) {
            return Err(format!("`{text}` has an empty value: write {key}=A,B,C"));
        }
        let twice =
            values.iter().enumerate().find(|(index, one)| values.iter().take(*index).any(|e| e == *one));
        match twice {
            Some((_, twice)) => Err(format!("`{text}` has {twice} twice")),
            None => Ok(Self { key, values }),
        }
    }
}

/// Parts of a text between commas that stand in no list, table or quotes.
fn at_commas(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quote) = (0_usize, None);
    for letter in text.chars() {
        match (letter, quote) {
            (',', None) if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            ('"' | '\'', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepRun {
    pub name: String,
    /// Keys and their values, in the order in which they were given.
    pub set: Vec<(String, String)>,
}

impl SweepRun {
    /// What differs from the recipe, for [`crate::domain::recipe::Recipe`].
    #[must_use]
    pub fn overrides(&self) -> Vec<Override> {
        self.set.iter().map(|(key, value)| Override { key: key.clone(), value: value.clone() }).collect()
    }

    /// `lora.r=8 train.learning_rate=1e-4`
    #[must_use]
    pub fn settings(&self) -> String {
        self.set.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// Every combination of the keys' values, the last key changing fastest; runs are named after the sweep.
///
/// # Errors
/// Where a key is given twice, or there are none or too many runs.
pub fn combinations(sweep: &str, keys: &[SweptKey]) -> Result<Vec<SweepRun>, String> {
    if let Some(key) = keys.iter().enumerate().find_map(|(index, one)| {
        keys.iter().take(index).any(|earlier| earlier.key == one.key).then_some(&one.key)
    }) {
        return Err(format!("{key} is given twice: write all its values in one --set, with commas"));
    }
    let count = keys.iter().try_fold(1_usize, |count, key| count.checked_mul(key.values.len()));
    let count = count.filter(|count| *count <= MOST_RUNS);
    let count = count.ok_or_else(|| format!("these are more than {MOST_RUNS} runs: leave values out"))?;
    if keys.is_empty() || count < 2 {
        return Err("a sweep has two runs or more: give a key several values, --set lora.r=8,16".to_owned());
    }
    let mut sets: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for key in keys {
        let longer = |set: &Vec<_>| {
            let with = |value: &String| {
                let mut set = set.clone();
                set.push((key.key.clone(), value.clone()));
                set
            };
            key.values.iter().map(with).collect::<Vec<_>>()
        };
        sets = sets.iter().flat_map(longer).collect();
    }
    let named = |(index, set)| SweepRun { name: format!("{sweep}-{:02}", index + 1), set };
    Ok(sets.into_iter().enumerate().map(named).collect())
}

/// Successive halving (Jamieson and Talwalkar 2016): how many of `runs` go on to which share of their steps. Each round
/// keeps the better half and doubles the steps; in the last, the rest goes to its end.
#[must_use]
pub fn rounds(runs: usize) -> Vec<HalvingRound> {
    let mut left = vec![runs];
    while let Some(last) = left.last().copied().filter(|last| *last > 1) {
        left.push(last.div_ceil(2));
    }
    // The last two go to the end together: which is better is what the sweep is asked.
    if left.len() > 2 {
        left.pop();
    }
    let last = left.len().saturating_sub(1);
    let share = |index: usize| 0.5_f64.powi(i32::try_from(last - index).unwrap_or(i32::MAX));
    left.iter().enumerate().map(|(index, runs)| HalvingRound { runs: *runs, share: share(index) }).collect()
}

/// A round of successive halving.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalvingRound {
    /// Runs that take part.
    pub runs: usize,
    /// Of each run's steps, from 0 to 1.
    pub share: f64,
}

/// The places of the `keep` lowest losses, best first; what has none, or none that is a number, comes last.
#[must_use]
pub fn best(losses: &[Option<f64>], keep: usize) -> Vec<usize> {
    let worth = |index: &usize| {
        losses.get(*index).copied().flatten().filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY)
    };
    let mut places: Vec<usize> = (0..losses.len()).collect();
    places.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
    places.truncate(keep);
    places
}
