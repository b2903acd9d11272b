//! A recipe's examples: read from files or a session, split by prompt, encoded.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::recipe::session_filter;
use crate::app::cutter;
use crate::data::encode::{EncodedSet, Encoder};
use crate::data::hash;
use crate::data::import::{self, ImportOptions, OnMalformed};
use crate::domain::batch::TokenExample;
use crate::domain::recipe::{DataPart, Malformed, Recipe};
use crate::domain::record::{Record, RecordId};
use crate::engine::model::OpenModel;
use crate::session::{Access, Purpose, Seen, Session};

/// All examples of a run, encoded.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    pub train: Vec<TokenExample>,
    pub eval: Vec<TokenExample>,
    /// What to ask for samples: the recipe's prompts, else the first held-out one, else the first of all.
    pub prompts: Vec<String>,
    /// Training and held-out examples that were cut to the longest length allowed.
    pub truncated: usize,
    /// Lines that were no records, each with place and reason.
    pub malformed: Vec<String>,
    /// Exactly what was read: which version of which record, to train on and to evaluate on.
    pub seen: Vec<Seen>,
}

impl Dataset {
    /// The share of examples that were cut: 0 to 1.
    #[must_use]
    pub fn truncated_fraction(&self) -> f64 {
        self.truncated as f64 / (self.train.len() + self.eval.len()).max(1) as f64
    }
}

/// Reads what a recipe trains on, for a model.
///
/// # Errors
/// Where a file or the session can't be read or holds no record, a line is malformed and the recipe says to fail, or
/// an example has nothing to train on; the message names the line.
pub fn read(recipe: &Recipe, model: &OpenModel) -> Result<Dataset> {
    let data = &recipe.data;
    let mut malformed = Vec::new();
    let records = records(&data.train, data, &mut malformed)?;
    let (train, eval) = match &data.eval {
        Some(eval) => (records, self::records(eval, data, &mut malformed)?),
        None => split(records, data),
    };
    ensure!(!train.is_empty(), "all examples of {} are held out: lower data.split", data.train);
    let longest = data.max_length.min(model.config.context);
    let encode = |records: &[Numbered]| encode(records, model, longest, data);
    let (encoded, held_out) = (encode(&train)?, encode(&eval)?);
    let seen = |records: &[Numbered], part| {
        records.iter().map(|(id, record)| Seen::of(*id, record, part)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Dataset {
        prompts: prompts(recipe, &train, &eval),
        truncated: encoded.truncated + held_out.truncated,
        seen: [seen(&train, Purpose::Train)?, seen(&eval, Purpose::Eval)?].concat(),
        train: encoded.examples,
        eval: held_out.examples,
        malformed,
    })
}

/// A record, and its number where it is one of a session.
type Numbered = (Option<RecordId>, Record);

fn records(source: &str, data: &DataPart, malformed: &mut Vec<String>) -> Result<Vec<Numbered>> {
    match session_filter(source) {
        Some(filter) => of_session(source, filter, data),
        None => of_files(source, data.malformed, malformed),
    }
}

fn of_session(source: &str, filter: &str, data: &DataPart) -> Result<Vec<Numbered>> {
    let folder = data.session.as_deref().with_context(|| {
        format!("{source:?} names records of a session, and the recipe says of none: set data.session")
    })?;
    let told = || format!("read {source:?} of the session in {folder}");
    let session = Session::open(Path::new(folder), Access::Read).with_context(told)?;
    let records = session.training_set(filter).with_context(told)?;
    ensure!(!records.is_empty(), "no record of the session in {folder} matches {source:?}");
    Ok(records.into_iter().map(|(id, record)| (Some(id), record)).collect())
}

fn of_files(path: &str, on_malformed: Malformed, malformed: &mut Vec<String>) -> Result<Vec<Numbered>> {
    let on_malformed = match on_malformed {
        Malformed::Skip => OnMalformed::Skip,
        Malformed::Fail => OnMalformed::Fail,
    };
    let batch = import::read_all(Path::new(path), &ImportOptions::default(), on_malformed)
        .with_context(|| format!("read the examples in {path}"))?;
    malformed
        .extend(batch.malformed.iter().map(|bad| format!("{}:{}: {}", bad.source, bad.line, bad.reason)));
    Ok(batch.records.into_iter().map(|record| (None, record)).collect())
}

/// Holds out a share of the distinct prompts, so that no prompt stands on both sides.
fn split(records: Vec<Numbered>, data: &DataPart) -> (Vec<Numbered>, Vec<Numbered>) {
    let distinct: BTreeSet<&str> = records.iter().map(|(_, record)| record.prompt()).collect();
    let mut prompts: Vec<(u64, String)> = distinct
        .into_iter()
        .map(|prompt| (hash::seeded(data.split_seed, prompt), prompt.to_owned()))
        .collect();
    prompts.sort_unstable();
    let count = (data.split * prompts.len() as f64).round() as usize;
    let held_out: BTreeSet<String> = prompts.into_iter().take(count).map(|(_, prompt)| prompt).collect();
    records.into_iter().partition(|(_, record)| !held_out.contains(record.prompt()))
}

fn encode(records: &[Numbered], model: &OpenModel, longest: usize, data: &DataPart) -> Result<EncodedSet> {
    let records: Vec<&Record> = records.iter().map(|(_, record)| record).collect();
    let template = cutter::template(model)?;
    let end = model.template.eos_token.as_deref();
    let mut set = Encoder::new(&model.tokenizer, template.as_ref(), end, longest)?.encode_all(&records)?;
    if !data.assistant_only_loss {
        for example in &mut set.examples {
            example.trained.iter_mut().skip(1).for_each(|trained| *trained = true);
        }
    }
    Ok(set)
}

fn prompts(recipe: &Recipe, train: &[Numbered], eval: &[Numbered]) -> Vec<String> {
    if !recipe.sample.prompts.is_empty() {
        return recipe.sample.prompts.clone();
    }
    let first = eval.iter().chain(train).map(|(_, record)| record.prompt()).find(|prompt| !prompt.is_empty());
    first.map(str::to_owned).into_iter().collect()
}
