//! Checkpoints: all that a run needs to go on as if it had never stopped. A folder `checkpoints/step-N/` holds
//! `optimizer.safetensors` (the trained numbers and AdamW's means, to the bit), `trainer_state.json`, and the adapter as
//! a PEFT folder for others to load.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::optimizer::AdamW;
use super::seal::{self, Seal, SealCheck};
use crate::adapter::Adapter;
use dojo_core::domain::run::RunFolder;
use dojo_core::ground::files;
use dojo_core::ground::folders;

const NUMBERS: &str = "optimizer.safetensors";
const STATE: &str = "trainer_state.json";
const KEPT: &str = "rollout.json";

/// `trainer_state.json`: where the run stands, beside the adapter and the optimizer. Data order and dropout follow
/// from the seed and the step, so there is no generator's state to keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainerState {
    /// Optimizer steps done.
    pub step: u64,
    pub epoch: f64,
    pub seed: u64,
    /// Tells the examples apart from others: [`fingerprint`](super::trainer::fingerprint).
    pub examples: u64,
    /// Tokens read so far.
    pub num_tokens: u64,
    pub best: Option<Best>,
    /// Evaluations since the best one.
    pub evaluations_without_gain: u64,
    /// The step of the last evaluation and of the last samples.
    pub evaluated: Option<u64>,
    pub sampled: Option<u64>,
    /// Bytes of `metrics.jsonl` and `samples.jsonl` at this point.
    pub metrics_bytes: u64,
    pub samples_bytes: u64,
}

impl TrainerState {
    /// Before the first step.
    #[must_use]
    pub const fn fresh(seed: u64, examples: u64) -> Self {
        Self {
            step: 0,
            epoch: 0.0,
            seed,
            examples,
            num_tokens: 0,
            best: None,
            evaluations_without_gain: 0,
            evaluated: None,
            sampled: None,
            metrics_bytes: 0,
            samples_bytes: 0,
        }
    }
}

/// The evaluation with the lowest loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub step: u64,
    pub eval_loss: f64,
    /// The same to the bit; decimal notation may lose the last one.
    pub eval_loss_bits: u64,
}

impl Best {
    #[must_use]
    pub fn new(step: u64, loss: f64) -> Self {
        Self { step, eval_loss: loss, eval_loss_bits: loss.to_bits() }
    }

    #[must_use]
    pub const fn loss(&self) -> f64 {
        f64::from_bits(self.eval_loss_bits)
    }
}

/// Writes an adapter as a PEFT folder.
pub type SaveAdapter<'a> = &'a dyn Fn(&Adapter, &Path) -> Result<()>;

/// What a checkpoint holds.
pub struct Content<'a> {
    pub state: &'a TrainerState,
    pub adapter: &'a Adapter,
    pub optimizer: &'a AdamW,
    pub save_adapter: SaveAdapter<'a>,
    /// What the method needs besides.
    pub kept: Option<Vec<u8>>,
}

/// Writes a checkpoint beside its place, flushes it, and renames it, so that it is either whole or not there; then
/// removes the oldest beyond `keep`, but never the best.
///
/// # Errors
/// Where the disk is full; earlier checkpoints are then as they were, and nothing half-written remains.
pub fn save(run: &RunFolder, content: &Content<'_>, keep: usize) -> Result<()> {
    let state = content.state;
    let place = folder(run, state.step);
    let partial = folders::partial_folder(&place);
    let written = write(&partial, content).and_then(|()| folders::replace_folder(&partial, &place));
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&partial);
        let kept = match steps(run)?.last() {
            Some(step) => format!("the checkpoint of step {step} is intact; make room and resume the run"),
            None => "there is no earlier checkpoint; make room and start again".to_owned(),
        };
        return Err(error.context(format!("save the checkpoint of step {} ({kept})", state.step)));
    }
    prune(run, keep, state.best.map(|best| best.step))
}

fn write(partial: &Path, content: &Content<'_>) -> Result<()> {
    remove_if_there(partial)?;
    fs::create_dir_all(partial).with_context(|| format!("create {}", partial.display()))?;
    (content.save_adapter)(content.adapter, partial)?;
    files::write_flushed(&partial.join(NUMBERS), &numbers_bytes(content.adapter, content.optimizer)?)?;
    if let Some(kept) = &content.kept {
        files::write_flushed(&partial.join(KEPT), kept)?;
    }
    // Last of all: the folder is whole where this is.
    files::write_flushed(&partial.join(STATE), seal::sealed(content.state, partial)?.as_bytes())?;
    files::flush_folder(partial)
}

/// A file stands in the way of a folder: not ours to remove.
fn remove_if_there(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn prune(run: &RunFolder, keep: usize, best: Option<u64>) -> Result<()> {
    let whole = steps(run)?;
    let old = whole.len().saturating_sub(keep);
    let Some(&oldest) = whole.get(old) else { return Ok(()) };
    // What is older and not whole is of no use either.
    for step in named(run)?.into_iter().filter(|&step| step < oldest && Some(step) != best) {
        folders::remove_folder(&folder(run, step))?;
    }
    Ok(())
}

/// Finishes or undoes what a killed process had begun: a checkpoint that was whole and not yet in its place is put
/// there, one that was set aside comes back where its successor is missing, and what was half built or half removed
/// goes. Nobody else may be writing checkpoints of the run.
///
/// # Errors
/// Where a folder can't be renamed or removed.
pub fn recover(run: &RunFolder) -> Result<()> {
    let mut left: Vec<(folders::Leftover, String, PathBuf)> = entries(run)?
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let (kind, place) = folders::Leftover::of(&name)?;
            place.strip_prefix("step-")?.parse::<u64>().ok()?;
            Some((kind, place.to_owned(), path))
        })
        .collect();
    // A whole successor before its predecessor.
    left.sort();
    for (kind, name, path) in left {
        let place = run.checkpoints().join(name);
        if whole(&place, SealCheck::Bytes).is_err() && is_wanted(run, kind, &place, &path)? {
            files::remove_if_there(&place)?;
            fs::rename(&path, &place).with_context(|| format!("put {} in its place", place.display()))?;
            files::flush_folder(&run.checkpoints())?;
        } else {
            files::remove_if_there(&path)?;
        }
    }
    Ok(())
}

/// Whether what a killed process left of a checkpoint takes the place of one that is missing or damaged.
fn is_wanted(run: &RunFolder, kind: folders::Leftover, place: &Path, path: &Path) -> Result<bool> {
    let Ok(found) = whole(path, SealCheck::Bytes) else { return Ok(false) };
    Ok(match kind {
        folders::Leftover::Removed => false,
        folders::Leftover::Replaced => true,
        // Earlier versions left such folders and went on without them: beside whole checkpoints it may be of any age.
        folders::Leftover::Partial => found.sealed || place.exists() || steps(run)?.is_empty(),
    })
}

/// The folder of a step's checkpoint.
#[must_use]
pub fn folder(run: &RunFolder, step: u64) -> PathBuf {
    run.checkpoints().join(format!("step-{step}"))
}

/// Whether there is any checkpoint of the run, be it damaged or half in its place.
#[must_use]
pub fn is_any(run: &RunFolder) -> bool {
    entries(run).map_or(true, |entries| !entries.is_empty())
}

/// The steps that have a whole checkpoint, rising.
///
/// # Errors
/// Where the folder can't be read.
pub fn steps(run: &RunFolder) -> Result<Vec<u64>> {
    Ok(named(run)?.into_iter().filter(|&step| whole(&folder(run, step), SealCheck::Sizes).is_ok()).collect())
}

/// The steps that have a folder, whole or not, rising.
fn named(run: &RunFolder) -> Result<Vec<u64>> {
    let name = |path: PathBuf| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok();
    let mut steps: Vec<u64> = entries(run)?.into_iter().filter_map(name).collect();
    steps.sort_unstable();
    Ok(steps)
}

fn entries(run: &RunFolder) -> Result<Vec<PathBuf>> {
    match fs::read_dir(run.checkpoints()) {
        Ok(entries) => Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("read {}", run.checkpoints().display())),
    }
}

/// A checkpoint all of whose files are there.
struct WholeCheckpoint {
    state: TrainerState,
    /// Whether it says their sizes, as those of earlier versions don't.
    sealed: bool,
}

/// Files without which a folder is no checkpoint, whatever it says of itself.
const NEEDED: [&str; 2] = [NUMBERS, "adapter_model.safetensors"];

/// The state of a checkpoint all of whose files are there, as they were written as far as is looked at.
fn whole(place: &Path, look: SealCheck) -> Result<WholeCheckpoint> {
    let path = place.join(STATE);
    let text = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let text = String::from_utf8(text).with_context(|| format!("read {}", path.display()))?;
    let parse = || Ok((serde_json::from_str(&text)?, serde_json::from_str(&text)?));
    let parsed: Result<(TrainerState, Seal)> = parse();
    let (state, seal) = parsed.with_context(|| format!("read {}", path.display()))?;
    let found = seal::sizes(place)?;
    seal.check(place, (&path, &text), &found, look)?;
    for name in NEEDED {
        ensure!(found.contains_key(name), "{} is missing", place.join(name).display());
    }
    Ok(WholeCheckpoint { state, sealed: seal.is_there() })
}

/// Reads the newest checkpoint that is whole into adapter and optimizer, after [`recover`]; gives back its state, or
/// `None` where there has never been one.
///
/// # Errors
/// Where all that there are are damaged (the message names the newest one's file), or it is of another adapter.
pub fn load_newest(
    run: &RunFolder,
    adapter: &mut Adapter,
    optimizer: &mut AdamW,
) -> Result<Option<TrainerState>> {
    recover(run)?;
    let mut newest_damage = None;
    for step in named(run)?.into_iter().rev() {
        let (mut state, bytes) = match read(run, step) {
            Ok(read) => read,
            Err(damage) => {
                tracing::warn!("the checkpoint of step {step} is damaged and left alone: {damage:#}");
                newest_damage.get_or_insert(damage);
                continue;
            }
        };
        let AdamW { mean, square, .. } = optimizer;
        let wanted = [("values", &mut adapter.values), ("exp_avg", mean), ("exp_avg_sq", square)];
        read_numbers(&folder(run, step).join(NUMBERS), &bytes, wanted)?;
        optimizer.steps = step;
        // Further back, the best one may have been removed for a better one that is lost.
        let lost =
            |best: &Best| best.step != step && whole(&folder(run, best.step), SealCheck::Bytes).is_err();
        if newest_damage.is_some() && state.best.as_ref().is_some_and(lost) {
            state.best = None;
        }
        return Ok(Some(state));
    }
    let Some(damage) = newest_damage else { return Ok(None) };
    Err(damage.context("no checkpoint of this run is whole, so it can't go on; start a new run"))
}

/// A step's checkpoint: its state, and the file of its numbers, checked to be one.
fn read(run: &RunFolder, step: u64) -> Result<(TrainerState, Vec<u8>)> {
    let place = folder(run, step);
    let state = whole(&place, SealCheck::Bytes)?.state;
    let path = place.join(STATE);
    ensure!(state.step == step, "{} says step {}, not {step}", path.display(), state.step);
    let path = place.join(NUMBERS);
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    SafeTensors::deserialize(&bytes).with_context(|| format!("read {}", path.display()))?;
    Ok((state, bytes))
}

/// What the method kept in a step's checkpoint besides.
///
/// # Errors
/// Where it can't be read.
pub fn kept(run: &RunFolder, step: u64) -> Result<Option<Vec<u8>>> {
    let path = folder(run, step).join(KEPT);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// Reads the trained numbers of a step's checkpoint.
///
/// # Errors
/// Where a file is missing, damaged, or of another adapter.
pub fn load_adapter(run: &RunFolder, step: u64, adapter: &mut Adapter) -> Result<()> {
    let place = folder(run, step);
    whole(&place, SealCheck::Bytes)
        .with_context(|| format!("read the checkpoint of step {step}, which has the best values"))?;
    let path = place.join(NUMBERS);
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    read_numbers(&path, &bytes, [("values", &mut adapter.values)])
}

fn numbers_bytes(adapter: &Adapter, optimizer: &AdamW) -> Result<Vec<u8>> {
    let named =
        [("values", &adapter.values), ("exp_avg", &optimizer.mean), ("exp_avg_sq", &optimizer.square)];
    let bytes = named.map(|(name, numbers)| {
        (name, numbers.len(), numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
    });
    let views = bytes
        .iter()
        .map(|(name, length, bytes)| Ok((*name, TensorView::new(Dtype::F32, vec![*length], bytes)?)));
    let views = views.collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize(views, None::<HashMap<String, String>>)?)
}

fn read_numbers<const N: usize>(path: &Path, bytes: &[u8], wanted: [(&str, &mut Vec<f32>); N]) -> Result<()> {
    let tensors = SafeTensors::deserialize(bytes).with_context(|| format!("read {}", path.display()))?;
    for (name, place) in wanted {
        let tensor = tensors.tensor(name).with_context(|| format!("read {}", path.display()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != [place.len()] {
            let (form, shape) = (tensor.dtype(), tensor.shape());
            bail!(
                "{}: {name} is {form:?} {shape:?}, but the run trains {} parameters",
                path.display(),
                place.len()
            );
        }
        let (numbers, _) = tensor.data().as_chunks::<4>();
        for (number, bytes) in place.iter_mut().zip(numbers) {
            *number = f32::from_le_bytes(*bytes);
        }
    }
    Ok(())
}
