//! Runs whose `state.json` is lost or damaged while their checkpoints are whole: what can be said of them, so that they are
//! found and go on. Knows run folders, not what happens inside a run.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::domain::run::{Phase, RunFolder, RunState};
use crate::engine::train::checkpoint;
use crate::ground::process;

/// A state in the place of one that isn't there, from the recipe and the newest whole checkpoint; none where one of the two
/// is missing.
pub(super) fn state_of(folder: &RunFolder) -> Option<RunState> {
    let started = written(&folder.recipe())?;
    let step = checkpoint::steps(folder).ok()?.pop()?;
    let heartbeat = written(&checkpoint::folder(folder, step)).unwrap_or(started);
    let how = if folder.state().exists() { "damaged" } else { "lost" };
    let name = folder.state().file_name().map(|name| name.to_string_lossy().into_owned());
    let why = format!(
        "its {} is {how}, and the checkpoint of step {step} is whole: resume the run to go on from there",
        name.unwrap_or_default()
    );
    Some(RunState {
        why: Some(why),
        // There was a process, and nobody knows which.
        process: u32::MAX,
        host: process::host_name(),
        heartbeat,
        step,
        checkpoint_step: Some(step),
        ..RunState::begun(Phase::Failed, started.min(heartbeat))
    })
}

/// When a file or folder was written last, in seconds since 1970.
fn written(path: &Path) -> Option<f64> {
    let time = fs::metadata(path).and_then(|found| found.modified()).ok()?;
    Some(time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()))
}
