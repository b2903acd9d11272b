//! Which examples are held out. By prompt or another key, not by row, so that repeats stay together.
//!
//! Keys are ordered by their seeded hash and cut by rank, so that a share is kept exactly, and so is every label's if
//! that is asked for. When rows are added, only keys close to the border can change sides. Training and `dojo data
//! split` both call [`assign`]: the same seed and share hold out the same rows.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, ensure};

use crate::data::hash::seeded;
use crate::domain::record::Record;

/// The parts and their shares.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitSettings {
    /// Has what the others leave.
    pub rest: String,
    pub parts: Vec<(String, f64)>,
    pub seed: u64,
    pub strata: Strata,
}

/// Whether labels keep their shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strata {
    #[default]
    None,
    ByLabel,
}

impl SplitSettings {
    /// `train` and `eval`.
    ///
    /// # Errors
    /// Where the share is not between 0 and 1.
    pub fn holding_out(share: f64, seed: u64) -> Result<Self> {
        Self::new("train", vec![("eval".to_owned(), share)], seed, Strata::None)
    }

    /// # Errors
    /// Where a share is not between 0 and 1, or all together are 1 or more.
    pub fn new(rest: &str, parts: Vec<(String, f64)>, seed: u64, strata: Strata) -> Result<Self> {
        for (name, share) in &parts {
            ensure!(
                (0.0..1.0).contains(share),
                "the share of {name:?} is {share}; it must be at least 0 and below 1"
            );
        }
        let sum: f64 = parts.iter().map(|(_, share)| share).sum();
        ensure!(sum < 1.0, "the shares add up to {sum}; they must leave something for {rest:?}");
        Ok(Self { rest: rest.to_owned(), parts, seed, strata })
    }
}

/// What a split is for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Training,
    /// Evaluation and tests.
    HeldOut,
}

/// Words that name what is held out, and what is for training. Columns, lists in JSON, files and folders are told by them.
const HELD_OUT: [&str; 17] = [
    "test",
    "testing",
    "tst",
    "validation",
    "validate",
    "valid",
    "val",
    "dev",
    "devel",
    "develop",
    "development",
    "devtest",
    "eval",
    "evaluation",
    "heldout",
    "holdout",
    "minival",
];
/// Of these, those that may be about something else.
const LOOSE: [&str; 7] = ["testing", "validate", "valid", "dev", "devel", "develop", "development"];
const TRAINING: [&str; 4] = ["train", "training", "trn", "trainval"];
/// Words that say more of a split: which, and of what.
const BESIDE: [&str; 32] = [
    "set",
    "split",
    "data",
    "public",
    "private",
    "hidden",
    "blind",
    "clean",
    "other",
    "seen",
    "unseen",
    "matched",
    "mismatched",
    "std",
    "standard",
    "challenge",
    "easy",
    "hard",
    "full",
    "mini",
    "small",
    "large",
    "official",
    "final",
    "in",
    "out",
    "of",
    "domain",
    "id",
    "ood",
    "sft",
    "prefs",
];

impl Use {
    /// By the words of a split's or a file's name: `test`, `validation_matched`, `public_test`, `testA`,
    /// `train-00000-of-00002`. The first that says something counts.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let words = words(name);
        let pairs = words.windows(2).map(<[String]>::concat);
        words
            .iter()
            .find_map(|word| Self::of_word(word))
            .or_else(|| pairs.into_iter().find_map(|pair| Self::of_word(&pair)))
    }

    /// By a name that is a split's and nothing else: `test_cases` is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let words = words(name);
        let known = |word: &String| {
            Self::of_word(word).is_some()
                || BESIDE.contains(&word.as_str())
                || word.chars().count() == 1
                || word.bytes().all(|byte| byte.is_ascii_digit())
                || ["held", "hold"].contains(&word.as_str())
        };
        Self::of(name).filter(|_| words.iter().all(known))
    }

    /// Whether the name of what is held out means nothing else: `dev` and `valid` may.
    #[must_use]
    pub fn is_certain(name: &str) -> bool {
        let words = words(name);
        let held_out = |word: &&String| Self::of_word(word) == Some(Self::HeldOut);
        Self::of(name) == Some(Self::HeldOut)
            && words.iter().find(held_out).is_none_or(|word| !LOOSE.contains(&word.as_str()))
    }

    fn of_word(word: &str) -> Option<Self> {
        let bare = ["set", "split", "data"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
        if HELD_OUT.contains(&bare) {
            Some(Self::HeldOut)
        } else if TRAINING.contains(&bare) {
            Some(Self::Training)
        } else {
            None
        }
    }
}

/// The words of a name, in small letters: what is between other signs, digits apart, and `testA` as two.
pub(in crate::data) fn words(name: &str) -> Vec<String> {
    let (mut words, mut before) = (vec![String::new()], None::<char>);
    for sign in name.trim().chars() {
        let begins = before.is_some_and(|before| {
            before.is_lowercase() && sign.is_uppercase() || before.is_alphabetic() != sign.is_alphabetic()
        });
        if begins || !sign.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| sign.is_alphanumeric()) {
            word.extend(sign.to_lowercase());
        }
        before = Some(sign);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// How many of some records are held out, in a sentence; none where none is, or all are.
#[must_use]
pub fn told(records: &[Record]) -> Option<String> {
    let is_held_out = |record: &&Record| record.split.as_deref().and_then(Use::of) == Some(Use::HeldOut);
    told_of(records.iter().filter(is_held_out).count() as u64, records.len() as u64)
}

/// The same, of so many of so many records.
pub(in crate::data) fn told_of(held_out: u64, count: u64) -> Option<String> {
    (held_out > 0).then(|| {
        format!("{held_out} of {count} examples are of a split that is held out; training leaves them out")
    })
}

/// What keeps rows together: a record's value in a column, or without one its first question.
#[must_use]
pub fn key<'a>(record: &'a Record, column: Option<&str>) -> std::borrow::Cow<'a, str> {
    match column.and_then(|column| record.fields.get(column)) {
        Some(serde_json::Value::String(text)) => text.as_str().into(),
        Some(other) => other.to_string().into(),
        None => record.prompt().into(),
    }
}

/// The part of each record, from its key and label, in their order.
#[must_use]
pub fn assign<'s>(records: &[(&str, Option<&str>)], settings: &'s SplitSettings) -> Vec<&'s str> {
    let ranks = ranks(records, settings);
    records
        .iter()
        .map(|(key, _)| ranks.get(key).map_or(settings.rest.as_str(), |rank| part_at(settings, *rank)))
        .collect()
}

fn part_at(settings: &SplitSettings, rank: f64) -> &str {
    let mut border = 0.0;
    for (name, share) in &settings.parts {
        border += share;
        if rank <= border {
            return name;
        }
    }
    &settings.rest
}

/// The rank of each key, between 0 and 1: among all, or among those of its label. A key with several labels counts to
/// its first.
fn ranks<'r>(records: &[(&'r str, Option<&'r str>)], settings: &SplitSettings) -> HashMap<&'r str, f64> {
    let mut labels: HashMap<&str, Option<&str>> = HashMap::new();
    for (key, label) in records {
        let stratum = match settings.strata {
            Strata::None => None,
            Strata::ByLabel => *label,
        };
        labels.entry(key).or_insert(stratum);
    }
    let mut strata: BTreeMap<Option<&str>, Vec<&'r str>> = BTreeMap::new();
    for (key, label) in labels {
        strata.entry(label).or_default().push(key);
    }
    let mut ranks = HashMap::new();
    for keys in strata.values_mut() {
        keys.sort_by_cached_key(|key| (seeded(settings.seed, key), (*key).to_owned()));
        let count = keys.len() as f64;
        // Half a rank in, so that a share is rounded and not cut off.
        ranks.extend(keys.iter().zip(0..).map(|(key, rank)| (*key, (f64::from(rank) + 0.5) / count)));
    }
    ranks
}
