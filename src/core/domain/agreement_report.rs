//! Where thoughts go wrong: agreement by split, tag, model and length, and where two reviewers disagree.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::agreement::{Agreement, LENGTHS, kappa};
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::thought::Thought;

/// Right ones and all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub right: u64,
    pub all: u64,
}

impl Share {
    /// Nothing where there is nothing.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        (self.all > 0).then(|| self.right as f64 / self.all as f64)
    }

    fn add(&mut self, right: bool) {
        self.right += u64::from(right);
        self.all += 1;
    }
}

/// Tokens that a point of the curve stands for.
pub const CURVE_STEP: u32 = 25;
/// Points of the curve; longer thoughts count in the last.
const CURVE_POINTS: usize = 24;

/// How thoughts agree with the true labels, by everything that may explain it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgreementReport {
    pub overall: Agreement,
    /// By name; a record without a split stands under `–`, one with several tags under each.
    pub by_split: BTreeMap<String, Share>,
    pub by_tag: BTreeMap<String, Share>,
    pub by_model: BTreeMap<String, Share>,
    /// Each point stands for [`CURVE_STEP`] tokens, from 0 on.
    pub curve: Vec<Share>,
    pub reviewers: Vec<ReviewerPair>,
    /// Answers that could not be used: by job and reason.
    pub set_aside: BTreeMap<String, u64>,
}

impl AgreementReport {
    /// Takes in a thought with what is known of its record.
    pub fn add(&mut self, thought: &Thought, split: Option<&str>, tags: &[String]) {
        self.overall.add(thought);
        let Some(right) = thought.is_right() else { return };
        self.by_split.entry(split.unwrap_or("–").to_owned()).or_default().add(right);
        self.by_model.entry(thought.model.clone()).or_default().add(right);
        for tag in tags {
            self.by_tag.entry(tag.clone()).or_default().add(right);
        }
        let point = ((thought.tokens / CURVE_STEP) as usize).min(CURVE_POINTS - 1);
        if self.curve.len() <= point {
            self.curve.resize(point + 1, Share::default());
        }
        if let Some(share) = self.curve.get_mut(point) {
            share.add(right);
        }
    }

    /// By length, each with its name: `0-100` to `301+`.
    #[must_use]
    pub fn by_length(&self) -> Vec<(String, Share)> {
        let name = |(least, most): (u32, u32)| {
            if most == u32::MAX { format!("{least}+") } else { format!("{least}-{most}") }
        };
        let share = |(right, all): (u64, u64)| Share { right, all };
        LENGTHS.into_iter().map(name).zip(self.overall.by_length.into_iter().map(share)).collect()
    }
}

/// Two people who decided on the same reflections.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewerPair {
    pub one: String,
    pub other: String,
    /// Reflections that both decided on.
    pub shared: usize,
    /// Of those, how many both accepted or both didn't.
    pub agreed: usize,
    /// Cohen's kappa over accepted or not.
    pub kappa: Option<f64>,
}

/// The last word of each person on each reflection.
pub type LastWords = BTreeMap<ReflectionId, BTreeMap<String, Verdict>>;

/// All pairs of people who share a reflection, those who share most first.
#[must_use]
pub fn reviewer_pairs(words: &LastWords) -> Vec<ReviewerPair> {
    let people: BTreeSet<&String> = words.values().flat_map(BTreeMap::keys).collect();
    let mut pairs = Vec::new();
    for one in &people {
        for other in people.iter().filter(|other| *other > one) {
            let both: Vec<(bool, bool)> = words
                .values()
                .filter_map(|said| Some((said.get(*one)?.is_accepted(), said.get(*other)?.is_accepted())))
                .collect();
            if !both.is_empty() {
                pairs.push(ReviewerPair {
                    one: (*one).clone(),
                    other: (*other).clone(),
                    shared: both.len(),
                    agreed: both.iter().filter(|(one, other)| one == other).count(),
                    kappa: kappa(&both),
                });
            }
        }
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.shared));
    pairs
}
