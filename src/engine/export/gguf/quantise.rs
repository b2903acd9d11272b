//! From f32 to ggml's number formats, on all threads.
//!
//! The formats of small blocks are candle's. Of the k-quants with scales of scales, candle's plain search finds coarser
//! scales than llama.cpp's does, so those are found here (`super::blocks`).

use anyhow::{Context, Result, ensure};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use half::{bf16, f16};
use rayon::prelude::*;

use super::blocks;
use crate::model::blocks::size_in_bytes;

/// Numbers that one task rounds: a multiple of every block size.
const NUMBERS_PER_TASK: usize = 64 * 256;

/// Rows of whole blocks as bytes.
///
/// # Errors
/// If the numbers fill no whole blocks, or one of them is no number.
pub(crate) fn encode(format: GgmlDType, numbers: &[f32]) -> Result<Vec<u8>> {
    let size = size_in_bytes(format, numbers.len());
    let size =
        size.with_context(|| format!("{} numbers are no whole blocks of {format:?}", numbers.len()))?;
    ensure!(
        numbers.par_iter().all(|number| number.is_finite()),
        "it holds numbers that are none (infinite, or not a number): the training went wrong there"
    );
    ensure!(
        format != GgmlDType::F16 || numbers.par_iter().all(|&number| f16::from_f32(number).is_finite()),
        "it holds numbers that f16 can't (above 65504): choose bf16 or f32"
    );
    let mut bytes = vec![0; size];
    let task = size_in_bytes(format, NUMBERS_PER_TASK).context("a task is no whole blocks")?;
    bytes
        .par_chunks_mut(task)
        .zip(numbers.par_chunks(NUMBERS_PER_TASK))
        .try_for_each(|(bytes, numbers)| one(format, numbers, bytes))?;
    Ok(bytes)
}

fn one(format: GgmlDType, numbers: &[f32], bytes: &mut [u8]) -> Result<()> {
    match format {
        GgmlDType::F32 => fill(bytes, numbers, f32::to_le_bytes),
        GgmlDType::F16 => fill(bytes, numbers, |number| f16::from_f32(number).to_le_bytes()),
        GgmlDType::BF16 => fill(bytes, numbers, |number| bf16::from_f32(number).to_le_bytes()),
        GgmlDType::Q4K => blocks::encode::<4>(numbers, bytes),
        GgmlDType::Q5K => blocks::encode::<5>(numbers, bytes),
        GgmlDType::Q6K => blocks::encode_q6_k(numbers, bytes),
        other => {
            let tensor = Tensor::from_slice(numbers, numbers.len(), &Device::Cpu)?;
            bytes.copy_from_slice(&QTensor::quantize(&tensor, other)?.data()?);
        }
    }
    Ok(())
}

fn fill<const N: usize>(bytes: &mut [u8], numbers: &[f32], of: impl Fn(f32) -> [u8; N]) {
    for (place, &number) in bytes.chunks_exact_mut(N).zip(numbers) {
        place.copy_from_slice(&of(number));
    }
}
