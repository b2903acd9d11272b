//! A recipe's examples: read from files or a session, split by prompt, encoded.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Error, Result, bail, ensure};
use serde_json::Value;

use super::cut::Cut;
use super::encoding::{EncodedItem, encode};
use super::items::TokenItems;
use super::pairs::{of_method, of_session_method};
use super::prompts;
use crate::app::review::sets;
use crate::config::Folders;
use crate::data::import::{self, ImportOptions};
use crate::data::mask;
use crate::data::noticed;
use crate::data::split::{SplitSettings, Use, assign};
use crate::domain::filter::parse;
use crate::domain::recipe::source::{self, ExampleSource};
use crate::domain::recipe::{DataPart, GrpoPart, OnMalformed, Recipe, SetOrder};
use crate::domain::record::{Record, RecordId, Status};
use crate::engine::model::OpenModel;
use crate::engine::train::course::GoOn;
use crate::session::{Access, Purpose, Seen, Session, SessionError};

/// All examples of a run, encoded.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub train: TokenItems,
    pub eval: TokenItems,
    /// What to ask for samples: the recipe's prompts, else the first held-out one, else the first of all.
    pub prompts: Vec<String>,
    /// Training and held-out examples that were cut to the longest length allowed.
    pub truncated: usize,
    /// Examples that lost their whole answer when they were cut, and are left out.
    pub lost: usize,
    /// What is left out: lines that are no records, records that can't be trained on, and thoughts that contradict their
    /// label; each with place and reason.
    pub malformed: Vec<String>,
    /// What a person should know of the examples before they are trained on, in sentences.
    pub warnings: Vec<String>,
    /// Files of a folder that were not read, each with its reason; that preference pairs are left out; and that corrections
    /// conclude another label.
    pub left_out: Vec<String>,
    /// Exactly what was read: which version of which record, to train on and to evaluate on.
    pub seen: Vec<Seen>,
}

impl Dataset {
    /// How many rows can't be trained on, of how many, and why the first can't.
    pub(crate) fn told_of_malformed(&self) -> Option<String> {
        let first = self.malformed.first()?;
        let (count, all) = (self.malformed.len(), self.malformed.len() + self.seen.len());
        let are = if count == 1 { "is" } else { "are" };
        Some(format!("{count} of {all} rows can't be trained on and {are} left out; the first: {first}"))
    }

    /// The share of examples that were cut: 0 to 1.
    #[must_use]
    pub fn truncated_fraction(&self) -> f64 {
        self.truncated as f64 / (self.train.len() + self.eval.len()).max(1) as f64
    }
}

/// Reads what a recipe trains on, for a model. `folders` hold the prompts that a review's sets are asked by. `go_on` is
/// asked between blocks of examples, with the share that is encoded.
///
/// # Errors
/// When `go_on` says no. Where a file or the session can't be read or holds no record, where a line is malformed or an example can't be
/// trained on and the recipe says to fail, and where no example is left; the message names the lines.
pub fn read(recipe: &Recipe, model: &OpenModel, folders: &Folders, go_on: GoOn<'_>) -> Result<Dataset> {
    let data = &recipe.data;
    let (mut malformed, mut left_out) = (Vec::new(), Vec::new());
    let mut rows = |source: &str| match source::of_session(source) {
        Some(words) => of_session((source, words), recipe, folders, (&mut malformed, &mut left_out)),
        None => of_files(source, recipe, &mut malformed, &mut left_out),
    };
    let mut notes = Vec::new();
    let train = of_use(rows(&data.train)?, &data.train, Use::Training, &mut notes)?;
    let (train, eval) = match &data.eval {
        Some(eval) => (train, of_use(rows(eval)?, eval, Use::HeldOut, &mut notes)?),
        None => split(train, data)?,
    };
    ensure!(!train.is_empty(), "all examples of {} are held out: lower data.split", data.train);
    if let Some(grpo) = &recipe.grpo {
        let dataset = Dataset { warnings: notes, left_out, malformed, ..Dataset::default() };
        return of_prompts(dataset, (train, eval), model, (recipe, grpo), go_on);
    }
    let longest = data.max_length.min(model.config.context);
    let (mut lost, all) = (0, train.len() + eval.len());
    let mut cut = |rows, before: usize| {
        let so_far = |done: usize| go_on((before + done) as f64 / all as f64);
        encode(rows, (model, longest), recipe, (&mut malformed, &mut lost), &so_far)
    };
    let trained = train.len();
    let (train, encoded) = cut(train, 0)?;
    let (eval, held_out) = cut(eval, trained)?;
    if data.malformed == OnMalformed::Fail && !malformed.is_empty() {
        bail!("{} (data.malformed is \"fail\")", named(&malformed));
    }
    ensure!(!train.is_empty(), "no example of {} can be trained on: {}", data.train, named(&malformed));
    let learnt = encoded.iter().chain(&held_out);
    let learnt = learnt.map(|item| &item.learnt);
    notes.extend(mask::warnings(learnt.map(|one| (one.example.source.as_str(), &one.unlearnt))));
    let truncated = encoded.iter().chain(&held_out).filter(|one| one.is_truncated()).count();
    notes.extend(
        Cut {
            examples: all,
            cut: truncated + lost,
            looked: truncated + lost,
            lost,
            at: longest,
            limit: data.max_length,
        }
        .told(),
    );
    Ok(Dataset {
        warnings: notes,
        prompts: prompts_of(recipe, &train, &eval),
        truncated,
        lost,
        seen: [seen(&train, Purpose::Train)?, seen(&eval, Purpose::Eval)?].concat(),
        train: EncodedItem::tokens(encoded, recipe.method),
        eval: EncodedItem::tokens(held_out, recipe.method),
        malformed,
        left_out,
    })
}

/// The data of a run on rewards: prompts.
fn of_prompts(
    mut dataset: Dataset,
    (train, eval): (Vec<SourcedRecord>, Vec<SourcedRecord>),
    model: &OpenModel,
    (recipe, grpo): (&Recipe, &GrpoPart),
    go_on: GoOn<'_>,
) -> Result<Dataset> {
    let all = (train.len() + eval.len()) as f64;
    let malformed = &mut dataset.malformed;
    let mut encode = |rows, before: usize| {
        let so_far = |done: usize| go_on((before + done) as f64 / all);
        prompts::encode(rows, model, (recipe, grpo), malformed, &so_far)
    };
    let trained = train.len();
    let (train, learnt) = encode(train, 0)?;
    let (eval, held_out) = encode(eval, trained)?;
    if recipe.data.malformed == OnMalformed::Fail && !dataset.malformed.is_empty() {
        bail!("{} (data.malformed is \"fail\")", named(&dataset.malformed));
    }
    let of = &recipe.data.train;
    ensure!(!learnt.is_empty(), "no prompt of {of} can be answered: {}", named(&dataset.malformed));
    dataset.warnings.extend(recipe.model.adapter.is_none().then(|| prompts::NO_START.to_owned()));
    dataset.prompts = prompts_of(recipe, &train, &eval);
    dataset.seen = [seen(&train, Purpose::Train)?, seen(&eval, Purpose::Eval)?].concat();
    dataset.train = TokenItems::Prompts(learnt);
    dataset.eval = TokenItems::Prompts(held_out);
    Ok(dataset)
}

/// Exactly which records are read.
fn seen(rows: &[SourcedRecord], purpose: Purpose) -> Result<Vec<Seen>, SessionError> {
    rows.iter().map(|row| row.seen(purpose)).collect()
}

/// A record, and what is known of where it comes from.
pub(super) struct SourcedRecord {
    pub(super) record: Record,
    /// Its number, where it is one of a session.
    id: Option<RecordId>,
    /// Of a row of a review's set.
    provenance: Option<Value>,
    /// The split that it is of, where it or its file says so; none where splits were asked for by name.
    split: Option<String>,
}

impl SourcedRecord {
    fn seen(&self, purpose: Purpose) -> Result<Seen, SessionError> {
        Ok(Seen { provenance: self.provenance.clone(), ..Seen::of(self.id, &self.record, purpose)? })
    }
}

fn of_session(
    (source, words): (&str, &str),
    recipe: &Recipe,
    folders: &Folders,
    (malformed, left_out): (&mut Vec<String>, &mut Vec<String>),
) -> Result<Vec<SourcedRecord>> {
    let folder = recipe.data.session.as_deref().with_context(|| {
        format!("{source:?} names records of a session, and the recipe says of none: set data.session to its folder")
    })?;
    ensure!(
        Path::new(folder).is_dir(),
        "data.session is {folder:?}, and no such folder is there: it must be the folder of a session"
    );
    let told = || format!("read {source:?} of the session in {folder}");
    let session = Session::open(Path::new(folder), Access::Read).with_context(told)?;
    let is_asked = ExampleSource::parse(source).map_err(Error::msg).with_context(told)?.names_split();
    let split = |record: &Record| record.split.clone().filter(|_| !is_asked);
    let order = SetOrder::parse(words).map_err(Error::msg).with_context(told)?;
    let rows: Vec<SourcedRecord> = if let Some(order) = order {
        malformed.extend(sets::left_out(&session, &order).with_context(told)?);
        let rows = sets::rows(folders, &session, &order).with_context(told)?;
        left_out.extend(sets::told(&session, &rows).with_context(told)?);
        rows.into_iter()
            .map(|row| SourcedRecord {
                split: split(&row.record),
                record: row.record,
                id: Some(row.id),
                provenance: Some(row.provenance),
            })
            .collect()
    } else {
        let mut rows: Vec<SourcedRecord> = session
            .training_set(words)
            .with_context(told)?
            .into_iter()
            .map(|(id, record)| SourcedRecord {
                split: split(&record),
                record,
                id: Some(id),
                provenance: None,
            })
            .collect();
        if leaves_rejected_out(words) {
            let all = rows.len();
            rows.retain(|row| row.record.status != Status::Rejected);
            let rejected = all - rows.len();
            ensure!(rejected == 0 || !rows.is_empty(), "all {all} records of {source} are rejected");
            left_out.extend((rejected > 0).then(|| rejected_left_out(rejected, source)));
        }
        rows
    };
    let rows = of_session_method(recipe.method, rows, (source, words), left_out).map_err(Error::msg)?;
    ensure!(!rows.is_empty(), "nothing of the session in {folder} matches {source:?}");
    let told = noticed::told_of(rows.iter().map(|row| &row.record));
    left_out.extend(told.iter().map(|told| format!("{source}: {told}")));
    Ok(rows)
}

/// Whether a filter of records says nothing of a person's verdicts: what was rejected isn't learnt then.
fn leaves_rejected_out(filter: &str) -> bool {
    parse(filter).is_ok_and(|filter| !filter.speaks_of_status())
}

fn rejected_left_out(rejected: usize, source: &str) -> String {
    let (records, are) = if rejected == 1 { ("record", "is") } else { ("records", "are") };
    format!(
        "{rejected} rejected {records} of {source} {are} left out; a source that speaks of status: takes what it names, \
         such as session:status:rejected OR status:new OR status:approved"
    )
}

fn of_files(
    path: &str,
    recipe: &Recipe,
    malformed: &mut Vec<String>,
    left_out: &mut Vec<String>,
) -> Result<Vec<SourcedRecord>> {
    let options = ImportOptions { map: recipe.data.map.clone(), ..ImportOptions::default() };
    // Whether one is fatal is decided when all of them are known.
    let batch = import::read_all(Path::new(path), &options, OnMalformed::Skip)
        .with_context(|| format!("read the examples in {path}"))?;
    left_out.extend(batch.left_out.iter().map(ToString::to_string));
    left_out.extend(batch.notes.iter().chain(&batch.idle).map(|note| format!("{path}: {note}")));
    malformed
        .extend(batch.malformed.iter().map(|bad| format!("{}:{}: {}", bad.source, bad.line, bad.reason)));
    let records = of_method(recipe.method, batch.records, path, left_out).map_err(Error::msg)?;
    let row =
        |record: Record| SourcedRecord { split: record.split.clone(), record, id: None, provenance: None };
    Ok(records.into_iter().map(row).collect())
}

/// The rows of a source without those whose split is for something else: what is held out isn't trained on, and where
/// some rows are held out, the others aren't evaluated on. Says in a sentence which these are.
fn of_use(
    rows: Vec<SourcedRecord>,
    source: &str,
    wanted: Use,
    notes: &mut Vec<String>,
) -> Result<Vec<SourcedRecord>> {
    let of = |row: &SourcedRecord| row.split.as_deref().and_then(Use::of);
    let (other, doing, part) = match wanted {
        Use::Training => (Use::HeldOut, "training", "train"),
        Use::HeldOut => (Use::Training, "the evaluation", "eval"),
    };
    if wanted == Use::HeldOut && !rows.iter().any(|row| of(row) == Some(wanted)) {
        return Ok(rows);
    }
    let all = rows.len();
    let (rows, others): (Vec<SourcedRecord>, Vec<SourcedRecord>) =
        rows.into_iter().partition(|row| of(row) != Some(other));
    if others.is_empty() {
        return Ok(rows);
    }
    let names: BTreeSet<&str> = others.iter().filter_map(|row| row.split.as_deref()).collect();
    let names: Vec<String> = names.into_iter().take(SPLITS_NAMED).map(|name| format!("{name:?}")).collect();
    let anyway = if source::of_session(source).is_some() {
        format!(
            "name the split in data.{part} to have them, such as split:{}",
            names.join(",").replace('"', "")
        )
    } else {
        "data.map = [\"split=\"] takes them as all others".to_owned()
    };
    let told = format!("of the split {}", names.join(", "));
    ensure!(!rows.is_empty(), "every example of {source} is {told}, which is not for {doing}; {anyway}");
    let (count, are) = (others.len(), if others.len() == 1 { "is" } else { "are" });
    notes.push(format!(
        "{count} of {all} examples of {source} {are} {told}, and left out of {doing}; {anyway}"
    ));
    Ok(rows)
}

/// Splits that a sentence names.
const SPLITS_NAMED: usize = 4;

/// Holds out a share of the distinct prompts, so that no prompt is on both sides.
fn split(rows: Vec<SourcedRecord>, data: &DataPart) -> Result<(Vec<SourcedRecord>, Vec<SourcedRecord>)> {
    let settings = SplitSettings::holding_out(data.split, data.split_seed)?;
    let prompts: Vec<_> = rows.iter().map(|row| (row.record.prompt(), None)).collect();
    let is_kept: Vec<bool> = assign(&prompts, &settings).iter().map(|part| *part == settings.rest).collect();
    let mut is_kept = is_kept.into_iter();
    Ok(rows.into_iter().partition(|_| is_kept.next().unwrap_or(true)))
}

/// Reasons that a message gives in full.
const NAMED: usize = 20;

/// What is left out, in one sentence.
pub(crate) fn named(malformed: &[String]) -> String {
    let mut told: Vec<String> = malformed.iter().take(NAMED).cloned().collect();
    if malformed.len() > NAMED {
        told.push(format!("and {} more", malformed.len() - NAMED));
    }
    told.join("; ")
}

fn prompts_of(recipe: &Recipe, train: &[SourcedRecord], eval: &[SourcedRecord]) -> Vec<String> {
    if !recipe.sample.prompts.is_empty() {
        return recipe.sample.prompts.clone();
    }
    let first = eval.iter().chain(train).map(|row| row.record.prompt()).find(|prompt| !prompt.is_empty());
    first.map(str::to_owned).into_iter().collect()
}
