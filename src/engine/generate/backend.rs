//! The seam between the scheduler, which knows sequences and pages, and what computes: the processor's kernels or a
//! device's tensors.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;

use super::cache::PageId;
use super::lora::Lora;
use super::team::Team;
use crate::adapter::Projection;
use crate::model::ModelConfig;

/// New tokens of one sequence.
pub(crate) struct SequenceSpan {
    /// Pages for positions from 0 to the last new one.
    pub pages: Vec<PageId>,
    /// Position of the first new token.
    pub start: usize,
    /// Its rows in the step.
    pub rows: Range<usize>,
}

/// Everything a step computes.
#[derive(Default)]
pub(crate) struct Step {
    /// (rows)
    pub tokens: Vec<u32>,
    /// In the order of their rows, covering all.
    pub spans: Vec<SequenceSpan>,
    /// Adapters and the rows that they change, apart from each other, rising.
    pub adapters: Vec<(Arc<Lora>, Range<usize>)>,
    /// Rows whose logits are wanted, rising.
    pub wanted: Vec<usize>,
}

impl Step {
    /// The adapter that changes a row, if any.
    pub(crate) fn lora(&self, row: usize) -> Option<&Lora> {
        let (lora, _) = self.adapters.iter().find(|(_, rows)| rows.contains(&row))?;
        Some(lora)
    }

    /// Places among the wanted rows that lie in a range of rows.
    pub(crate) fn places(&self, rows: &Range<usize>) -> Range<usize> {
        let wanted = &self.wanted;
        wanted.partition_point(|&row| row < rows.start)..wanted.partition_point(|&row| row < rows.end)
    }
}

/// The logits that a step wanted, in its order.
pub(crate) struct Logits<'a> {
    /// Rows of `stride`.
    pub values: &'a mut [f32],
    /// The vocabulary, or a little more.
    pub stride: usize,
}

/// A model's weights with its keys and values, and what multiplies them.
pub(crate) trait Backend: Send {
    fn config(&self) -> &ModelConfig;

    /// Bytes of a page of keys and values.
    fn page_bytes(&self) -> usize;

    /// Told how many pages there will be at most.
    fn expect_pages(&mut self, most: usize);

    /// Computes a step.
    ///
    /// # Errors
    /// Where a device fails or its memory is short.
    fn forward(&mut self, team: &mut Team, step: &Step) -> Result<()>;

    /// What the last step wanted.
    fn logits(&mut self) -> Logits<'_>;

    /// Gives a page the keys and values of another.
    ///
    /// # Errors
    /// As [`Backend::forward`].
    fn copy_page(&mut self, from: PageId, to: PageId) -> Result<()>;

    /// A frozen projection's numbers: (outputs, inputs). None where the model has no such layer.
    ///
    /// # Errors
    /// As [`Backend::forward`].
    fn projection(&self, layer: usize, projection: Projection) -> Result<Option<Vec<f32>>>;
}
