//! Labels beside answers: answers that are the name of another label than their row's, and labels that may judge the
//! answers that are learnt beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::data::mapping::judged;
use crate::data::tally::{MOST, Tally};
use crate::domain::record::Record;

/// Words that a sentence names.
const NAMED: usize = 4;
/// Bytes of an answer that may be a label.
const LONGEST: usize = 64;

/// Counted while rows are read.
#[derive(Debug, Default)]
pub(in crate::data) struct LabelledAnswers {
    labels: Tally,
    /// Answers that may be labels, each with its row's label, and where the first of them stands.
    pairs: BTreeMap<(String, String), (u64, String)>,
    /// Rows whose answer is too long for a label, or one of too many.
    others: u64,
    /// Labels that say no.
    denied: Tally,
    first_denied: Option<String>,
    rows: u64,
}

impl LabelledAnswers {
    pub(in crate::data) fn look(&mut self, record: &Record) {
        let (Some(label), Some(answer), None) = (&record.label, record.answer(), &record.preference) else {
            return;
        };
        let (label, answer) = (plain(label), plain(answer));
        self.rows += 1;
        self.labels.count(&label);
        if says(&label) == Some(false) && answer != label {
            self.denied.count(&label);
            self.first_denied.get_or_insert_with(|| record.place());
        }
        let is_short = answer.len() <= LONGEST;
        let pair = (answer, label);
        if let Some((count, _)) = self.pairs.get_mut(&pair) {
            *count += 1;
        } else if is_short && self.pairs.len() < MOST {
            self.pairs.insert(pair, (1, record.place()));
        } else {
            self.others += 1;
        }
    }

    pub(in crate::data) fn told(&self) -> Vec<String> {
        [self.contradicted(), self.judged()].into_iter().flatten().collect()
    }

    /// Answers that are labels, and not their row's.
    fn contradicted(&self) -> Option<String> {
        // Single words on both sides are labels, too.
        let is_word = |text: &str| !text.is_empty() && text.chars().all(char::is_alphabetic);
        let are_words = self.others == 0
            && !self.are_words_of_classes()
            && self.pairs.keys().all(|(answer, label)| is_word(answer) && is_word(label));
        let is_label = |answer: &String| are_words || self.labels.named().contains_key(answer);
        let other =
            |((answer, label), _): &(&(String, String), &(u64, String))| answer != label && is_label(answer);
        let found: Vec<_> = self.pairs.iter().filter(other).collect();
        let count: u64 = found.iter().map(|(_, (count, _))| count).sum();
        // Else the answers may be words of another kind that happen to be labels too.
        let agrees = self.pairs.keys().any(|(answer, label)| answer == label);
        let all = || self.others == 0 && self.pairs.keys().all(|(answer, _)| is_label(answer));
        let ((answer, label), (_, first)) = found.first().filter(|_| agrees || all())?;
        Some(format!(
            "the answer isn't the row's own label in {count} of {} rows with a label (the first is {first}: answer \
             {answer:?}, label {label:?}); the answer is learnt as it stands; if it is wrong, mend or take out these rows",
            self.rows
        ))
    }

    /// Labels that all say yes or no, which may be of the answers beside them.
    fn judged(&self) -> Option<String> {
        let first = self.first_denied.as_ref()?;
        let all_judge = self.labels.more(MOST).is_empty()
            && self.labels.named().keys().all(|label| says(label).is_some());
        if !all_judge || self.are_words_of_classes() {
            return None;
        }
        let named: Vec<String> =
            self.denied.named().keys().take(NAMED).map(|label| format!("{label:?}")).collect();
        Some(format!(
            "the label is {} in {} of {} rows with a label (the first is {first}), which is kept as a class, and the answers \
             are learnt all the same; if it says that an answer is wrong or unwanted, take these rows out",
            named.join(" or "),
            self.denied.all(),
            self.rows
        ))
    }

    /// Whether each answer always has the same label, and each label the same answer.
    fn are_words_of_classes(&self) -> bool {
        let answers: BTreeSet<&String> = self.pairs.keys().map(|(answer, _)| answer).collect();
        let labels: BTreeSet<&String> = self.pairs.keys().map(|(_, label)| label).collect();
        let repeats = self.pairs.values().any(|(count, _)| *count > 1);
        self.others == 0
            && repeats
            && labels.len() > 1
            && answers.len() == labels.len()
            && self.pairs.len() == labels.len()
    }
}

/// What a label says of an answer, if it is a judgement.
fn says(label: &str) -> Option<bool> {
    judged(&Value::String(label.to_owned()))
}

fn plain(text: &str) -> String {
    text.trim().trim_end_matches('.').to_lowercase()
}
