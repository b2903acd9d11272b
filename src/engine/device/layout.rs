//! How blocks and adapters lie in a device's memory, for training and for generation alike.

use std::borrow::Cow;

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{Device, Result, Shape};

/// One of the matrices that share an input.
pub(crate) struct Below<'a> {
    pub(crate) outputs: usize,
    /// B of its adapter, (outputs, rank) row by row; empty where it has none.
    pub(crate) b: &'a [f32],
}

/// B of all adapters of one input in one matrix, (outputs, ranks) row by row: each in its block along the diagonal, the
/// rest zero. With A below one another, all of them are one product.
pub(crate) fn diagonal(all: &[Below<'_>], ranks: usize) -> Vec<f32> {
    let outputs: usize = all.iter().map(|one| one.outputs).sum();
    let mut numbers = vec![0.0; outputs * ranks];
    let (mut first_output, mut first_rank) = (0, 0);
    for one in all {
        let rank = one.b.len() / one.outputs.max(1);
        for (output, row) in one.b.chunks_exact(rank.max(1)).enumerate() {
            let at = (first_output + output) * ranks + first_rank;
            numbers[at..at + rank].copy_from_slice(row);
        }
        first_output += one.outputs;
        first_rank += rank;
    }
    numbers
}

/// A file's own blocks on a device, as they are.
///
/// # Errors
/// Where the bytes are no blocks of that format and shape, or the device's memory is short.
pub(crate) fn blocks(
    format: GgmlDType,
    bytes: &[u8],
    shape: impl Into<Shape>,
    device: &Device,
) -> Result<QTensor> {
    QTensor::new(QStorage::from_data(Cow::Borrowed(bytes), device, format)?, shape)
}
