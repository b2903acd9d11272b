//! What a run on preferences compares its model with: log-probabilities of both answers of each pair that the run's steps
//! will draw, computed once before the first step and kept in the run's folder, so that a run that goes on computes none
//! again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::data::Dataset;
use super::host::RunHost;
use super::items::TokenItems;
use super::{Prepared, TrainJob, adapter};
use crate::domain::batch::TokenPair;
use crate::domain::recipe::{Recipe, ReferenceModel};
use crate::engine::adapter::Adapter;
use crate::engine::train::batch_sampler::BatchSampler;
use crate::engine::train::host::Host;
use crate::engine::train::objective::{
    Objective, Preferences, ReferencePair, Supervised, preference_fingerprint, reference_log_probabilities,
};
use crate::engine::train::student::Student;

/// In the run's folder: a line that says of what, then one for each pair that was read. Pairs have numbers, the training
/// pairs' first.
const FILE: &str = "reference.jsonl";

/// What the lines of the file are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReferenceHeading {
    /// Of the tokens of all pairs.
    pairs: u64,
    reference: ReferenceModel,
}

/// A line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ReferenceLine {
    pair: usize,
    log_probabilities: ReferencePair,
}

/// Of a pair that no step draws. Were it drawn, the loss would be no number, and the run would end at once.
const UNREAD: ReferencePair = ReferencePair([f64::NAN; 2]);

/// The reference's log-probabilities; empty unless the method compares.
pub(super) struct Reference {
    train: Vec<ReferencePair>,
    eval: Vec<ReferencePair>,
}

impl Reference {
    /// What the run learns.
    ///
    /// # Errors
    /// Where the method is not built.
    pub(super) fn objective<'a>(
        &'a self,
        recipe: &'a Recipe,
        data: &'a Dataset,
    ) -> Result<Box<dyn Objective + 'a>> {
        match (&data.train, &data.eval, &recipe.dpo) {
            (TokenItems::Answers(train), TokenItems::Answers(eval), None) => {
                Ok(Box::new(Supervised { train, eval }))
            }
            (TokenItems::Pairs(train), TokenItems::Pairs(eval), Some(dpo)) => Ok(Box::new(Preferences {
                train,
                eval,
                train_reference: &self.train,
                eval_reference: &self.eval,
                dpo,
            })),
            _ => bail!("the data was not read for method = {:?}", recipe.method.name()),
        }
    }
}

/// Reads what the run has, and computes what is missing; nothing if the run is to stop.
///
/// # Errors
/// Where the file can't be read or written, or the device fails.
pub(super) fn of_run(
    job: &TrainJob,
    prepared: &Prepared,
    student: &mut dyn Student,
    host: &mut RunHost,
) -> Result<Option<Reference>> {
    let (TokenItems::Pairs(train), TokenItems::Pairs(eval), Some(dpo)) =
        (&prepared.data.train, &prepared.data.eval, &job.recipe.dpo)
    else {
        return Ok(Some(Reference { train: Vec::new(), eval: Vec::new() }));
    };
    let pairs: Vec<TokenPair> = train.iter().chain(eval).cloned().collect();
    let heading = ReferenceHeading { pairs: preference_fingerprint(&pairs), reference: dpo.reference };
    let mut kept = KeptReference::open(job.folder.path(), &heading, pairs.len())?;
    let wanted: Vec<usize> = drawn(&job.recipe, &prepared.data.train)?
        .into_iter()
        // Held-out pairs are evaluated all together.
        .chain(train.len()..pairs.len())
        .collect();
    let missing: Vec<usize> = wanted.iter().copied().filter(|&pair| !kept.has(pair)).collect();
    let adapter = adapter_of(&job.recipe, prepared, dpo.reference)?;
    let size = job.recipe.eval.per_device_eval_batch_size.max(1);
    let mut read = wanted.len() - missing.len();
    for numbers in missing.chunks(size) {
        host.doing(&format!("comparing: {read} of {} pairs read by the reference", wanted.len()));
        if host.is_to_stop() {
            return Ok(None);
        }
        let next: Vec<TokenPair> = numbers.iter().filter_map(|&pair| pairs.get(pair).cloned()).collect();
        let brake = host.brake();
        let found = reference_log_probabilities(student, &adapter, &next, &*brake)
            .context("compute the reference's log-probabilities")?;
        let Some(found) = found else { return Ok(None) };
        kept.add(numbers, &found)?;
        read += numbers.len();
    }
    let eval = kept.found.split_off(train.len().min(kept.found.len()));
    let or_unread =
        |found: Vec<Option<ReferencePair>>| found.into_iter().map(|one| one.unwrap_or(UNREAD)).collect();
    Ok(Some(Reference { train: or_unread(kept.found), eval: or_unread(eval) }))
}

/// The numbers of the training pairs that the run's steps draw, each once, in the order in which they are first drawn.
fn drawn(recipe: &Recipe, train: &TokenItems) -> Result<Vec<usize>> {
    let (count, longest) = (train.len(), train.longest(recipe.data.max_length));
    let mut order = BatchSampler::new(train.lengths(), longest, recipe)?;
    let (mut seen, mut drawn) = (vec![false; count], Vec::new());
    for step in 0..order.total_steps(recipe) {
        if drawn.len() == count {
            break;
        }
        for pair in order.micro_batches(step)?.into_iter().flatten() {
            if seen.get_mut(pair).is_some_and(|seen| !std::mem::replace(seen, true)) {
                drawn.push(pair);
            }
        }
    }
    Ok(drawn)
}

/// The adapter that the model is compared with, or kept near.
///
/// # Errors
/// Where an adapter that changes nothing can't be made.
pub(super) fn adapter_of(recipe: &Recipe, prepared: &Prepared, reference: ReferenceModel) -> Result<Adapter> {
    match (reference, &recipe.model.adapter) {
        (ReferenceModel::Base, Some(_)) => {
            let mut recipe = recipe.clone();
            recipe.model.adapter = None;
            recipe.lora.modules_to_save.clear();
            // Before its first step, an adapter changes nothing.
            adapter::first(&recipe, &prepared.model, &[]).context("make an adapter that changes nothing")
        }
        _ => Ok(prepared.adapter.clone()),
    }
}

/// The file, and what is in it.
struct KeptReference {
    path: PathBuf,
    file: fs::File,
    /// Of each pair, if it was read.
    found: Vec<Option<ReferencePair>>,
}

impl KeptReference {
    /// Opens the file, or begins it anew where it is of other pairs; a line that was not written to its end is cut off.
    fn open(folder: &Path, heading: &ReferenceHeading, pairs: usize) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        let mut whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let first = whole.next().unwrap_or_default();
        let is_same = serde_json::from_str::<ReferenceHeading>(first).is_ok_and(|found| found == *heading);
        let mut length = if is_same { first.len() } else { 0 };
        let mut found = vec![None; pairs];
        for line in whole.take_while(|_| is_same) {
            let Ok(ReferenceLine { pair, log_probabilities }) = serde_json::from_str(line) else { break };
            let Some(place) = found.get_mut(pair) else { break };
            *place = Some(log_probabilities);
            length += line.len();
        }
        let open = fs::OpenOptions::new().create(true).append(true).truncate(false).open(&path);
        let file = open.with_context(|| format!("open {}", path.display()))?;
        file.set_len(length as u64).with_context(|| format!("cut {} to its whole lines", path.display()))?;
        let mut kept = Self { path, file, found };
        if !is_same {
            kept.write(&[heading])?;
        }
        Ok(kept)
    }

    fn has(&self, pair: usize) -> bool {
        self.found.get(pair).is_some_and(Option::is_some)
    }

    fn add(&mut self, pairs: &[usize], found: &[ReferencePair]) -> Result<()> {
        let line = |(&pair, &log_probabilities)| ReferenceLine { pair, log_probabilities };
        let lines: Vec<ReferenceLine> = pairs.iter().zip(found).map(line).collect();
        self.write(&lines)?;
        for (&pair, &log_probabilities) in pairs.iter().zip(found) {
            if let Some(place) = self.found.get_mut(pair) {
                *place = Some(log_probabilities);
            }
        }
        Ok(())
    }

    fn write(&mut self, lines: &[impl Serialize]) -> Result<()> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line).context("write a line as JSON")?;
            bytes.push(b'\n');
        }
        self.file.write_all(&bytes).with_context(|| format!("append to {}", self.path.display()))
    }
}
