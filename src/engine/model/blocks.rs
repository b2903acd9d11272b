//! ggml's number formats as bytes: their sizes, and their expansion to f32.

use anyhow::{Result, bail, ensure};
use candle_core::quantized::k_quants::{
    BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K, BlockQ8_0,
};
use candle_core::quantized::{GgmlDType, GgmlType};
use half::{bf16, f16};
use rayon::prelude::*;

/// Numbers that one task expands: a multiple of every block size, large enough to hide the hand-over.
const NUMBERS_PER_TASK: usize = 16 * 1024;

/// Bytes that so many numbers take, or `None` where they fill no whole blocks (or more than fits an address).
#[must_use]
pub fn size_in_bytes(format: GgmlDType, numbers: usize) -> Option<usize> {
    let block = format.block_size();
    numbers.is_multiple_of(block).then(|| (numbers / block).checked_mul(format.type_size())).flatten()
}

/// Expands blocks into f32, on all threads.
///
/// # Errors
/// Where the lengths don't match, or the format is one that no file stores (`Q8_1`, `Q8K`).
pub fn expand(format: GgmlDType, bytes: &[u8], out: &mut [f32]) -> Result<()> {
    ensure!(
        size_in_bytes(format, out.len()) == Some(bytes.len()),
        "{} bytes of {format:?} don't hold {} values",
        bytes.len(),
        out.len()
    );
    match format {
        GgmlDType::F32 => expand_as::<f32>(bytes, out),
        GgmlDType::F16 => expand_as::<f16>(bytes, out),
        GgmlDType::BF16 => expand_as::<bf16>(bytes, out),
        GgmlDType::Q4_0 => expand_as::<BlockQ4_0>(bytes, out),
        GgmlDType::Q4_1 => expand_as::<BlockQ4_1>(bytes, out),
        GgmlDType::Q5_0 => expand_as::<BlockQ5_0>(bytes, out),
        GgmlDType::Q5_1 => expand_as::<BlockQ5_1>(bytes, out),
        GgmlDType::Q8_0 => expand_as::<BlockQ8_0>(bytes, out),
        GgmlDType::Q2K => expand_as::<BlockQ2K>(bytes, out),
        GgmlDType::Q3K => expand_as::<BlockQ3K>(bytes, out),
        GgmlDType::Q4K => expand_as::<BlockQ4K>(bytes, out),
        GgmlDType::Q5K => expand_as::<BlockQ5K>(bytes, out),
        GgmlDType::Q6K => expand_as::<BlockQ6K>(bytes, out),
        GgmlDType::Q8_1 | GgmlDType::Q8K => bail!("{format:?} is a format for products, not for storage"),
    }
    Ok(())
}

fn expand_as<B: GgmlType>(bytes: &[u8], out: &mut [f32]) {
    let bytes_per_task = NUMBERS_PER_TASK / B::BLCK_SIZE * size_of::<B>();
    bytes
        .par_chunks(bytes_per_task)
        .zip(out.par_chunks_mut(NUMBERS_PER_TASK))
        .for_each(|(bytes, out)| with_blocks(bytes, |blocks: &[B]| B::to_float(blocks, out)));
}

/// Looks at bytes as blocks; copies them first where a file laid them at an odd address.
fn with_blocks<B: GgmlType>(bytes: &[u8], read: impl FnOnce(&[B])) {
    let count = bytes.len() / size_of::<B>();
    if bytes.as_ptr().cast::<B>().is_aligned() {
        // SAFETY: the pointer is aligned and `count` blocks lie within `bytes`; blocks are made of integers and
        // floats without padding (candle asserts their sizes), so every bit pattern is a value.
        return read(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<B>(), count) });
    }
    let mut blocks = vec![B::zeros(); count];
    // SAFETY: both sides hold `count` whole blocks and don't overlap; every bit pattern is a value, as above.
    unsafe {
        std::ptr::copy_nonoverlapping(
            bytes.as_ptr(),
            blocks.as_mut_ptr().cast::<u8>(),
            count * size_of::<B>(),
        );
    }
    read(&blocks);
}
