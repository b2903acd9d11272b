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
use crate::domain::run::RunFolder;
use crate::engine::adapter::Adapter;
use crate::engine::files;

const NUMBERS: &str = "optimizer.safetensors";
const STATE: &str = "trainer_state.json";

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
#[derive(Clone, Copy)]
pub struct Content<'a> {
    pub state: &'a TrainerState,
    pub adapter: &'a Adapter,
    pub optimizer: &'a AdamW,
    pub save_adapter: SaveAdapter<'a>,
}

/// Writes a checkpoint beside its place, flushes it, and renames it, so that it is either whole or not there; then
/// removes the oldest beyond `keep`, but never the best.
///
/// # Errors
/// Where the disk is full; earlier checkpoints are then as they were, and nothing half-written remains.
pub fn save(run: &RunFolder, content: Content<'_>, keep: usize) -> Result<()> {
    let state = content.state;
    let place = folder(run, state.step);
    let partial = run.checkpoints().join(format!(".step-{}.partial", state.step));
    let written = write(&partial, content).and_then(|()| put(&partial, &place));
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&partial);
        let kept = match steps(run)?.last() {
            Some(step) => format!("the checkpoint of step {step} is intact; make room and resume the run"),
            None => "there is no earlier checkpoint; make room and start again".to_owned(),
        };
        return Err(error.context(format!("save the checkpoint of step {} ({kept})", state.step)));
    }
    files::flush_folder(&run.checkpoints())?;
    prune(run, keep, state.best.map(|best| best.step))
}

fn write(partial: &Path, content: Content<'_>) -> Result<()> {
    remove_if_there(partial)?;
    fs::create_dir_all(partial).with_context(|| format!("create {}", partial.display()))?;
    (content.save_adapter)(content.adapter, partial)?;
    files::write_flushed(&partial.join(NUMBERS), &numbers_bytes(content.adapter, content.optimizer)?)?;
    files::write_flushed(&partial.join(STATE), &serde_json::to_vec_pretty(content.state)?)?;
    files::flush_folder(partial)
}

fn put(partial: &Path, place: &Path) -> Result<()> {
    remove_if_there(place)?;
    fs::rename(partial, place).with_context(|| format!("put {} in its place", place.display()))
}

fn remove_if_there(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn prune(run: &RunFolder, keep: usize, best: Option<u64>) -> Result<()> {
    let steps = steps(run)?;
    let old = steps.len().saturating_sub(keep);
    for &step in steps.iter().take(old).filter(|&&step| Some(step) != best) {
        remove_if_there(&folder(run, step))?;
    }
    Ok(())
}

/// The folder of a step's checkpoint.
#[must_use]
pub fn folder(run: &RunFolder, step: u64) -> PathBuf {
    run.checkpoints().join(format!("step-{step}"))
}

/// The steps that have a checkpoint, rising.
///
/// # Errors
/// Where the folder can't be read.
pub fn steps(run: &RunFolder) -> Result<Vec<u64>> {
    let entries = match fs::read_dir(run.checkpoints()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", run.checkpoints().display())),
    };
    let names = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut steps: Vec<u64> = names.filter_map(|name| name.strip_prefix("step-")?.parse().ok()).collect();
    steps.sort_unstable();
    Ok(steps)
}

/// Reads the newest checkpoint into adapter and optimizer; gives back its state, or `None` where there is none.
///
/// # Errors
/// Where a file is missing, damaged, or of another adapter.
pub fn load_newest(
    run: &RunFolder,
    adapter: &mut Adapter,
    optimizer: &mut AdamW,
) -> Result<Option<TrainerState>> {
    let Some(&step) = steps(run)?.last() else { return Ok(None) };
    let place = folder(run, step);
    let path = place.join(STATE);
    let text = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let state: TrainerState =
        serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    ensure!(state.step == step, "{} says step {}, not {step}", path.display(), state.step);
    let AdamW { mean, square, .. } = optimizer;
    let wanted = [("values", &mut adapter.values), ("exp_avg", mean), ("exp_avg_sq", square)];
    read_numbers(&place.join(NUMBERS), wanted)?;
    optimizer.steps = step;
    Ok(Some(state))
}

/// Reads the trained numbers of a step's checkpoint.
///
/// # Errors
/// Where a file is missing, damaged, or of another adapter.
pub fn load_adapter(run: &RunFolder, step: u64, adapter: &mut Adapter) -> Result<()> {
    read_numbers(&folder(run, step).join(NUMBERS), [("values", &mut adapter.values)])
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

fn read_numbers<const N: usize>(path: &Path, wanted: [(&str, &mut Vec<f32>); N]) -> Result<()> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let tensors = SafeTensors::deserialize(&bytes).with_context(|| format!("read {}", path.display()))?;
    for (name, place) in wanted {
        let tensor = tensors.tensor(name).with_context(|| format!("read {}", path.display()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != [place.len()] {
            let (form, shape) = (tensor.dtype(), tensor.shape());
            bail!(
                "{}: {name} is {form:?} {shape:?}, but the run trains {} numbers",
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
