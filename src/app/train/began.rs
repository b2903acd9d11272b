//! `began.json`: when a run began, and what its base model was then. A run that goes on sees the same examples, also
//! where the chat template writes the date, and trains on the same weights.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, FixedOffset, Local};
use serde::{Deserialize, Serialize};

use crate::app::runs;
use crate::domain::run::RunFolder;
use crate::engine::model::{ModelIdentity, OpenModel};
use crate::engine::train::checkpoint;
use crate::ground::files;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Began {
    /// As RFC 3339 has it, to the nanosecond.
    moment: String,
    base: ModelIdentity,
}

/// When a run began: now, where it is new. Runs of earlier versions say it in their state.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn moment(folder: &RunFolder) -> Result<DateTime<FixedOffset>> {
    if let Some(began) = read(folder)? {
        return DateTime::parse_from_rfc3339(&began.moment)
            .with_context(|| format!("read {}: {:?} is no moment", folder.began().display(), began.moment));
    }
    let state = runs::summarise(folder.path()).map(|run| run.state);
    let started = state.and_then(|state| DateTime::from_timestamp(state.started as i64, 0));
    let started = started.filter(|_| is_under_way(folder));
    Ok(started.map_or_else(Local::now, |started| started.with_timezone(&Local)).fixed_offset())
}

/// Writes down what the run begins with, or checks that one that goes on has the same base: what was learnt so far fits
/// no other. Runs of earlier versions go on without.
///
/// # Errors
/// Where the base is another, or the file can't be read or written.
pub(super) fn note_base(folder: &RunFolder, model: &OpenModel, moment: DateTime<FixedOffset>) -> Result<()> {
    let base = ModelIdentity::of(&model.config, model.weights.as_ref())?;
    let Some(before) = read(folder)?.filter(|_| is_under_way(folder)) else {
        // Nothing has been learnt yet, or it isn't known on what.
        if is_under_way(folder) {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&Began { moment: moment.to_rfc3339(), base })?;
        return files::write_atomically(&folder.began(), &text);
    };
    if let Some(difference) = before.base.difference(&base) {
        bail!(
            "the base model {} ({}) is not the one that {} began with: {difference}; put it back as it was, or start a \
             new run",
            model.name,
            model.files.path().display(),
            folder.name()
        );
    }
    Ok(())
}

/// How a model differs from the base that a run began with; nothing if it doesn't, or the run didn't write it down.
///
/// # Errors
/// Where the file or the model can't be read.
pub(in crate::app) fn base_difference(folder: &RunFolder, model: &OpenModel) -> Result<Option<String>> {
    let Some(before) = read(folder)? else { return Ok(None) };
    let now = ModelIdentity::of(&model.config, model.weights.as_ref())?;
    Ok(before.base.difference(&now))
}

/// Whether there is anything that a run has learnt.
fn is_under_way(folder: &RunFolder) -> bool {
    checkpoint::is_any(folder)
}

fn read(folder: &RunFolder) -> Result<Option<Began>> {
    let path = folder.began();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let began = serde_json::from_slice(&bytes).with_context(|| {
        format!("read {}; it is damaged: remove it to go on without comparing the base model", path.display())
    })?;
    Ok(Some(began))
}
