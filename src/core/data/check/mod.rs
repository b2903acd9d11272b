//! What may be wrong with a dataset, with the records that it is about. Knows no session and no file.
//!
//! Adding a check: a file here, a row in [`FindingKind`], and its call in [`Checker`].

mod characters;
mod control;
mod duplicates;
mod lengths;
mod minhash;
mod near_index;
mod nulls;
mod secrets;
mod template;
mod turns;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::data::encode::Encoder;
use crate::data::mask::{Unlearnt, Whole};
use crate::data::split::Use;
use crate::domain::message::Message;
use crate::domain::record::{Record, RecordId};

pub use characters::clean;
use minhash::Signature;
pub use minhash::Sketch;
pub use near_index::{NearIndex, NearText};
use template::unread;
pub(in crate::data) use turns::out_of_order;

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The same content as an earlier record.
    Duplicate,
    /// Almost the same content as an earlier record.
    NearDuplicate,
    /// A held-out record whose prompt is in the training data.
    Leakage,
    /// A held-out record whose prompt is almost one of the training data.
    NearLeakage,
    /// Turns without text, or missing.
    Turns,
    /// Turns in an order that no chat template expects.
    Order,
    /// Both answers of a preference pair are the same.
    Pair,
    /// Much longer or shorter than the others.
    Length,
    /// Longer than the model is trained with, or not fit for its template.
    Truncation,
    /// Characters that were lost or that nobody typed.
    Characters,
    /// Keys, passwords, addresses and numbers of people.
    Secret,
    /// Names of the model's control tokens in what somebody says.
    ControlToken,
    /// A part of a turn that the model's chat template leaves out.
    Hidden,
    /// Nulls in tools and calls, where a table may have put them.
    Null,
}

impl FindingKind {
    pub const ALL: [Self; 14] = [
        Self::Duplicate,
        Self::NearDuplicate,
        Self::Leakage,
        Self::NearLeakage,
        Self::Turns,
        Self::Order,
        Self::Pair,
        Self::Length,
        Self::Truncation,
        Self::Characters,
        Self::Secret,
        Self::ControlToken,
        Self::Hidden,
        Self::Null,
    ];

    /// The name that filters and the command line use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::NearDuplicate => "near-duplicate",
            Self::Leakage => "leakage",
            Self::NearLeakage => "near-leakage",
            Self::Turns => "turns",
            Self::Order => "order",
            Self::Pair => "pair",
            Self::Length => "length",
            Self::Truncation => "truncation",
            Self::Characters => "characters",
            Self::Secret => "secret",
            Self::ControlToken => "control-token",
            Self::Hidden => "hidden",
            Self::Null => "null",
        }
    }
}

/// Something about one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: FindingKind,
    pub record: RecordId,
    /// The record that it repeats, where it repeats one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<RecordId>,
    pub what: String,
}

/// What to check by.
#[derive(Debug, Clone, Default)]
pub struct CheckSettings<'e> {
    /// Counts tokens and finds what would be cut; without it, lengths are characters.
    pub encoder: Option<Encoder<'e>>,
    /// Leave out what takes longest: near-duplicates and near leakage.
    pub exact_only: ExactOnly,
}

/// Whether near matches are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExactOnly {
    Yes,
    #[default]
    No,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    pub records: u64,
    pub distinct_prompts: u64,
    /// Of each check that found something.
    pub counts: BTreeMap<&'static str, u64>,
    /// Labels with their records, most first.
    pub labels: Vec<(String, u64)>,
    pub lengths: lengths::Lengths,
    /// Sentences about the dataset as a whole.
    pub notes: Vec<String>,
    /// In the order of checks and records.
    pub findings: Vec<Finding>,
}

/// Takes records in, batch by batch, keeping a digest of each (some 600 bytes at most).
pub struct Checker<'e> {
    settings: CheckSettings<'e>,
    digests: Vec<Digested>,
    /// Training data that the records are compared with, and not checked itself.
    trained: Vec<Digested>,
    findings: Vec<Finding>,
    labels: BTreeMap<String, u64>,
    /// Keys of turns that the model's chat template doesn't read, with their records.
    unread: BTreeMap<String, u64>,
    whole: Whole,
}

/// What is kept of a record.
struct Digested {
    id: RecordId,
    /// Where it stands, for one that has no number in the dataset that is checked.
    place: Option<Box<str>>,
    side: SplitSide,
    content: u128,
    prompt: u128,
    length: u32,
    near_content: Option<Signature>,
    near_prompt: Option<Signature>,
}

/// Which side of the split a record is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SplitSide {
    Train,
    HeldOut,
    Unknown,
}

impl<'e> Checker<'e> {
    #[must_use]
    pub fn new(settings: CheckSettings<'e>) -> Self {
        Self {
            settings,
            digests: Vec::new(),
            trained: Vec::new(),
            findings: Vec::new(),
            labels: BTreeMap::new(),
            unread: BTreeMap::new(),
            whole: Whole::default(),
        }
    }

    /// Takes records in. Of the splits, `train` is what the others are compared with.
    pub fn add(&mut self, records: &[(RecordId, Record)]) {
        let settings = &self.settings;
        let digested: Vec<(Digested, Vec<Finding>, Unlearnt)> =
            records.par_iter().map(|(id, record)| digest(*id, record, settings)).collect();
        for ((one, findings, unlearnt), (id, _)) in digested.into_iter().zip(records) {
            self.digests.push(one);
            self.findings.extend(findings);
            self.whole.look(&format!("record {}", id.0), &unlearnt);
            for key in unlearnt.unread {
                *self.unread.entry(key).or_default() += 1;
            }
        }
        for (_, record) in records {
            if let Some(label) = &record.label {
                *self.labels.entry(label.clone()).or_default() += 1;
            }
        }
    }

    /// Takes in training data of elsewhere: held-out records should not have its prompts. It is not checked itself.
    pub fn compare_with(&mut self, training: &[Record]) {
        let settings = CheckSettings { encoder: None, exact_only: self.settings.exact_only };
        let digested = training.par_iter().map(|record| {
            let (one, ..) = digest(RecordId(0), record, &settings);
            Digested { side: SplitSide::Train, place: Some(record.place().into()), near_content: None, ..one }
        });
        self.trained.extend(digested.collect::<Vec<_>>());
    }

    /// Compares the records with each other.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let mut report = Report { records: self.digests.len() as u64, ..Report::default() };
        let prompts: HashSet<u128> = self.digests.iter().map(|one| one.prompt).collect();
        report.distinct_prompts = prompts.len() as u64;
        self.findings.extend(duplicates::exact(&self.digests));
        let all: Vec<&Digested> = self.trained.iter().chain(&self.digests).collect();
        self.findings.extend(duplicates::leaked(&all));
        if self.settings.exact_only == ExactOnly::No {
            self.findings.extend(duplicates::near(&self.digests));
            self.findings.extend(duplicates::nearly_leaked(&all));
        }
        let unit =
            if self.settings.encoder.is_some() { lengths::Unit::Tokens } else { lengths::Unit::Characters };
        let lengths: Vec<(RecordId, u32)> = self.digests.iter().map(|one| (one.id, one.length)).collect();
        let (lengths, outliers) = lengths::measure(&lengths, unit);
        report.lengths = lengths;
        self.findings.extend(outliers);
        self.findings.sort_by_key(|finding| (finding.check, finding.record));
        for finding in &self.findings {
            *report.counts.entry(finding.check.name()).or_default() += 1;
        }
        report.labels = self.labels.into_iter().collect();
        report.labels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        report.notes = notes(&report);
        report.notes.extend(unread(&self.unread));
        report.notes.extend(self.whole.told(self.digests.len()));
        report.findings = self.findings;
        report
    }
}

/// Checks records that are all in memory.
#[must_use]
pub fn check(records: &[(RecordId, Record)], settings: CheckSettings<'_>) -> Report {
    let mut checker = Checker::new(settings);
    checker.add(records);
    checker.finish()
}

/// Labels beyond so many are rather answers than classes.
const MOST_CLASSES: usize = 50;

fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.distinct_prompts < report.records {
        notes.push(format!(
            "{} records share {} distinct prompts: split by prompt, not by row",
            report.records, report.distinct_prompts
        ));
    }
    if let [(most, many), .., (least, few)] = report.labels.as_slice()
        && report.labels.len() <= MOST_CLASSES
        && *many >= few * 3
    {
        notes.push(format!("labels are out of balance: {many} x {most:?}, {few} x {least:?}"));
    }
    let labelled: u64 = report.labels.iter().map(|(_, count)| count).sum();
    if labelled > 0 && labelled < report.records {
        notes.push(format!("{} of {} records have no label", report.records - labelled, report.records));
    }
    notes
}

fn digest(id: RecordId, record: &Record, settings: &CheckSettings<'_>) -> (Digested, Vec<Finding>, Unlearnt) {
    let (mut findings, mut unlearnt) = (Vec::new(), Unlearnt::default());
    let mut find = |check, what| findings.push(Finding { check, record: id, other: None, what });
    turns::check(record, &mut find);
    nulls::check(record, &mut find);
    characters::check(record, &mut find);
    secrets::check(record, &mut find);
    control::check(record, settings.encoder.as_ref(), &mut find);
    let characters = texts(record).map(|text| text.chars().count()).sum::<usize>();
    let length = match settings.encoder.as_ref().map(|encoder| encoder.encode(record)) {
        None => characters,
        Some(Ok(encoded)) => {
            if encoded.is_truncated() {
                let (all, kept) = (encoded.full_length, encoded.example.tokens.len());
                find(FindingKind::Truncation, format!("{all} tokens are cut to {kept}"));
            }
            template::unlearnt(&encoded.unlearnt, &mut find);
            unlearnt = encoded.unlearnt;
            encoded.full_length
        }
        Some(Err(error)) => {
            find(FindingKind::Truncation, format!("can't be trained on: {error:#}"));
            0
        }
    };
    let side = match record.split.as_deref().map(Use::of) {
        Some(Some(Use::Training)) => SplitSide::Train,
        Some(Some(Use::HeldOut) | None) => SplitSide::HeldOut,
        None => SplitSide::Unknown,
    };
    let near = settings.exact_only == ExactOnly::No;
    let prompt = record.prompt();
    let digested = Digested {
        id,
        place: None,
        side,
        content: content_hash(record),
        prompt: hash([prompt.trim()]),
        length: u32::try_from(length).unwrap_or(u32::MAX),
        near_content: if near { Signature::of(texts(record)) } else { None },
        near_prompt: if near { Signature::of([prompt]) } else { None },
    };
    (digested, findings, unlearnt)
}

/// Every text of a record, in reading order.
fn texts(record: &Record) -> impl Iterator<Item = Cow<'_, str>> {
    record.turns().map(Message::text).chain(record.text.as_deref().map(Cow::Borrowed))
}

fn content_hash(record: &Record) -> u128 {
    let turns = record.turns().flat_map(|turn| [Cow::Borrowed(turn.role.name()), turn.text()]);
    let rest = [record.text.as_deref().unwrap_or_default(), record.label.as_deref().unwrap_or_default()];
    let empty = record.messages.is_empty() && record.text.is_none();
    // Where only columns are known, they are the content.
    let columns =
        if empty { serde_json::to_string(&record.fields).unwrap_or_default() } else { String::new() };
    hash(turns.chain(rest.map(Cow::Borrowed)).chain([Cow::Borrowed(columns.as_str())]))
}

fn hash<'t>(texts: impl IntoIterator<Item = impl Into<Cow<'t, str>>>) -> u128 {
    let mut hasher = Sha256::new();
    for text in texts {
        let text: Cow<'_, str> = text.into();
        hasher.update(text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
}
