//! What was drawn, for people: a file for each step in the run's folder.

use std::fs;

use anyhow::{Context, Result};

use super::sampling::ScoredGroup;
use dojo_core::domain::record::Record;
use dojo_core::domain::rollout::{RolledCompletion, RolledGroup, RolledPart, bounded};
use dojo_core::domain::run::RunFolder;
use dojo_core::ground::files;

/// Steps whose completions are kept, the newest ones.
const KEPT: u64 = 400;

/// A group as it is kept, without advantages.
pub(super) fn group(step: u64, record: &Record, of: &ScoredGroup, left_out: Option<String>) -> RolledGroup {
    let completions = of.drawn.iter().zip(&of.totals).map(|(drawn, total)| RolledCompletion {
        text: bounded(&drawn.text),
        tokens: drawn.tokens.len(),
        cut: drawn.cut,
        reward: total.value,
        advantage: 0.0,
        parts: RolledPart::all(total),
    });
    RolledGroup {
        step,
        prompt: bounded(record.question()),
        place: record.place(),
        left_out,
        completions: completions.collect(),
    }
}

/// Writes a step's groups, and lets go of the oldest steps'.
pub(super) fn keep(folder: &RunFolder, step: u64, groups: &[RolledGroup]) -> Result<()> {
    let place = folder.completions();
    fs::create_dir_all(&place).with_context(|| format!("create {}", place.display()))?;
    let mut bytes = Vec::new();
    for group in groups {
        serde_json::to_writer(&mut bytes, group).context("write completions as JSON")?;
        bytes.push(b'\n');
    }
    files::write_atomically(&folder.completions_of(step), &bytes)?;
    if let Some(old) = step.checked_sub(KEPT) {
        files::remove_if_there(&folder.completions_of(old))?;
    }
    Ok(())
}
