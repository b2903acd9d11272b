//! Log-probabilities of pairs under the model that training starts from.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::adapter::Adapter;
use crate::train::course::GoOn;
use crate::train::student::Student;
use dojo_core::domain::batch::{PackedBatch, TokenPair};

/// Summed log-probabilities of the chosen and of the rejected answer, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReferencePair(pub [f64; 2]);

/// Of a few pairs, in one pass; nothing when `go_on` says no.
///
/// # Errors
/// Where the device fails or memory is short.
pub fn reference_log_probabilities(
    student: &mut dyn Student,
    adapter: &Adapter,
    pairs: &[TokenPair],
    go_on: GoOn<'_>,
) -> Result<Option<Vec<ReferencePair>>> {
    let answers: Vec<_> = pairs.iter().flat_map(|pair| [&pair.chosen, &pair.rejected]).collect();
    let batch = PackedBatch::pack_sharing(&answers);
    let Some(rows) = student.evaluate_rows(adapter, &batch, go_on)? else { return Ok(None) };
    let mut rows = rows.iter();
    let mut of =
        |answer: usize| -> f64 { -rows.by_ref().take(answer).map(|row| f64::from(row.nll)).sum::<f64>() };
    let found =
        pairs.iter().map(|pair| ReferencePair([of(pair.chosen.targets()), of(pair.rejected.targets())]));
    Ok(Some(found.collect()))
}
