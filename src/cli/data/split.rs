//! `dojo data split`: which records are trained on and which are held out.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{DataContext, each_page};
use crate::data::split::{SplitSettings, Strata, assign, key};
use crate::domain::record::RecordId;

/// Arguments of `dojo data split`.
#[derive(Args)]
pub(super) struct SplitArguments {
    /// Which records; all, where nothing is said.
    filter: Vec<String>,
    /// The share that is held out to evaluate on.
    #[arg(long, default_value_t = 0.1)]
    eval: f64,
    /// The share that is held out for the last test.
    #[arg(long, default_value_t = 0.0)]
    test: f64,
    /// Keep records together that are equal in this column; without it, those with the same first question.
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Keep every label's share.
    #[arg(long)]
    stratify: bool,
    /// Another seed holds out others.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Leave records alone that have a split already.
    #[arg(long)]
    only_new: bool,
}

pub(super) fn run(place: &DataContext, arguments: &SplitArguments) -> Result<()> {
    let mut parts = vec![("eval".to_owned(), arguments.eval)];
    if arguments.test > 0.0 {
        parts.push(("test".to_owned(), arguments.test));
    }
    let strata = if arguments.stratify { Strata::ByLabel } else { Strata::None };
    let settings = SplitSettings::new("train", parts, arguments.seed, strata)?;
    let mut ids: Vec<RecordId> = Vec::new();
    let mut keys: Vec<(String, Option<String>)> = Vec::new();
    let mut known: HashMap<String, String> = HashMap::new();
    each_page(&place.reader()?, &arguments.filter, |page| {
        for (id, record) in page {
            let key = key(&record, arguments.by.as_deref()).into_owned();
            if let Some(split) = record.split.filter(|_| arguments.only_new) {
                known.insert(key, split);
            } else {
                ids.push(id);
                keys.push((key, record.label));
            }
        }
        Ok(())
    })?;
    if ids.is_empty() {
        bail!("no record is left to split");
    }
    let rows: Vec<(&str, Option<&str>)> =
        keys.iter().map(|(key, label)| (key.as_str(), label.as_deref())).collect();
    let mut assigned = assign(&rows, &settings);
    // A new record goes where those of its key are already.
    for (part, (key, _)) in assigned.iter_mut().zip(&keys) {
        *part = known.get(key).map_or(*part, String::as_str);
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for part in &assigned {
        *counts.entry(*part).or_default() += 1;
    }
    let splits: Vec<(RecordId, String)> =
        ids.into_iter().zip(&assigned).map(|(id, part)| (id, (*part).to_owned())).collect();
    let changed = place.writer()?.assign_splits("split", &splits)?;
    let json = json!({"records": splits.len(), "changed": changed, "splits": counts});
    let people = || {
        let told: Vec<String> = counts.iter().map(|(part, count)| format!("{part} {count}")).collect();
        format!("{} records: {}; {changed} of them changed", splits.len(), told.join(", "))
    };
    place.print(people, &json)?;
    Ok(())
}
