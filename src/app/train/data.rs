//! A recipe's examples: read, split by prompt, encoded.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::data::chat::{ChatTemplate, SpecialTokens};
use crate::data::encode::{EncodedSet, Encoder};
use crate::data::hash;
use crate::data::import::{self, ImportOptions, OnMalformed};
use crate::domain::batch::TokenExample;
use crate::domain::recipe::{DataPart, Malformed, Recipe};
use crate::domain::record::Record;
use crate::engine::model::OpenModel;

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
}

/// Reads what a recipe trains on, for a model.
///
/// # Errors
/// Where a file can't be read or holds no record, a line is malformed and the recipe says to fail, or an example has
/// nothing to train on; the message names the line.
pub fn read(recipe: &Recipe, model: &OpenModel) -> Result<Dataset> {
    let data = &recipe.data;
    let mut malformed = Vec::new();
    let records = records(&data.train, data.malformed, &mut malformed)?;
    let (train, eval) = match &data.eval {
        Some(eval) => (records, self::records(eval, data.malformed, &mut malformed)?),
        None => split(records, data),
    };
    ensure!(!train.is_empty(), "all examples of {} are held out: lower data.split", data.train);
    let longest = data.max_length.min(model.config.context);
    let encode = |records: &[Record]| encode(records, model, longest, data);
    let (encoded, held_out) = (encode(&train)?, encode(&eval)?);
    Ok(Dataset {
        prompts: prompts(recipe, &train, &eval),
        truncated: encoded.truncated + held_out.truncated,
        train: encoded.examples,
        eval: held_out.examples,
        malformed,
    })
}

fn records(path: &str, on_malformed: Malformed, malformed: &mut Vec<String>) -> Result<Vec<Record>> {
    let on_malformed = match on_malformed {
        Malformed::Skip => OnMalformed::Skip,
        Malformed::Fail => OnMalformed::Fail,
    };
    let batch = import::read_all(Path::new(path), &ImportOptions::default(), on_malformed)
        .with_context(|| format!("read the examples in {path}"))?;
    malformed
        .extend(batch.malformed.iter().map(|bad| format!("{}:{}: {}", bad.source, bad.line, bad.reason)));
    Ok(batch.records)
}

/// Holds out a share of the distinct prompts, so that no prompt stands on both sides.
fn split(records: Vec<Record>, data: &DataPart) -> (Vec<Record>, Vec<Record>) {
    let distinct: BTreeSet<&str> = records.iter().map(Record::prompt).collect();
    let mut prompts: Vec<(u64, String)> = distinct
        .into_iter()
        .map(|prompt| (hash::seeded(data.split_seed, prompt), prompt.to_owned()))
        .collect();
    prompts.sort_unstable();
    let count = (data.split * prompts.len() as f64).round() as usize;
    let held_out: BTreeSet<String> = prompts.into_iter().take(count).map(|(_, prompt)| prompt).collect();
    records.into_iter().partition(|record| !held_out.contains(record.prompt()))
}

/// A model's own chat template, where it has one.
fn template(model: &OpenModel) -> Result<Option<ChatTemplate>> {
    let source = &model.template;
    let special = SpecialTokens {
        bos: source.bos_token.clone(),
        eos: source.eos_token.clone(),
        ..SpecialTokens::default()
    };
    source.text.as_ref().map(|text| ChatTemplate::new(text, special)).transpose()
}

fn encode(records: &[Record], model: &OpenModel, longest: usize, data: &DataPart) -> Result<EncodedSet> {
    let template = template(model)?;
    let end = model.template.eos_token.as_deref();
    let mut set = Encoder::new(&model.tokenizer, template.as_ref(), end, longest)?.encode_all(records)?;
    if !data.assistant_only_loss {
        for example in &mut set.examples {
            example.trained.iter_mut().skip(1).for_each(|trained| *trained = true);
        }
    }
    Ok(set)
}

fn prompts(recipe: &Recipe, train: &[Record], eval: &[Record]) -> Vec<String> {
    if !recipe.sample.prompts.is_empty() {
        return recipe.sample.prompts.clone();
    }
    let first = eval.iter().chain(train).map(Record::prompt).find(|prompt| !prompt.is_empty());
    first.map(str::to_owned).into_iter().collect()
}
