//! What a run on rewards drew for a step, read from its folder.

use std::io::Read;

use anyhow::{Context, Result};

use crate::domain::rollout::StepGroups;
use crate::domain::run::RunFolder;

/// A file of completions is read up to here.
const MOST_BYTES: u64 = 64 << 20;

/// The newest groups that were drawn up to a step; none if there are none. A line that is none is passed over.
///
/// # Errors
/// Where the folder or the file can't be read.
pub(crate) fn read(run: &RunFolder, asked: u32) -> Result<StepGroups> {
    let place = run.completions();
    let entries = match std::fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(StepGroups::none(asked)),
        Err(error) => return Err(error).with_context(|| format!("read {}", place.display())),
    };
    let step = |name: std::ffi::OsString| -> Option<u64> {
        name.to_str()?.strip_prefix("step-")?.strip_suffix(".jsonl")?.parse().ok()
    };
    let steps = entries.filter_map(|entry| step(entry.ok()?.file_name()));
    let Some(step) = steps.filter(|step| *step <= u64::from(asked)).max() else {
        return Ok(StepGroups::none(asked));
    };
    let path = run.completions_of(step);
    let told = || format!("read {}", path.display());
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes))
        .with_context(told)?;
    // The bound may fall into the middle of a letter: that line is none then.
    let groups =
        String::from_utf8_lossy(&bytes).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Ok(StepGroups { asked, step: Some(step), groups })
}
