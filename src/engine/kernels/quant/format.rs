//! The stored formats: ggml's blocks read into groups of 32 small numbers, and what each becomes in memory.
//!
//! Layouts are ggml's (`ggml-quants.c`). A value is `scale * (number - offset)` or `scale * number + minimum`.

use anyhow::{Result, bail};
use candle_core::quantized::GgmlDType;
use half::f16;

/// What a matrix is kept as in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightFormat {
    F32,
    F16,
    Bf16,
    /// 8 bits, one scale for 32 (`Q8_0`).
    Q8,
    /// 4 bits around 8, one scale for 32 (`Q4_0`).
    Q4,
    /// 4 bits, scale and minimum for 32 (`Q4_1`, `Q4_K`).
    Q4Minimum,
    /// 5 bits around 16, one scale for 32 (`Q5_0`).
    Q5,
    /// 5 bits, scale and minimum for 32 (`Q5_1`, `Q5_K`).
    Q5Minimum,
    /// 6 bits around 32, one scale for 16 (`Q6_K`).
    Q6,
}

impl WeightFormat {
    /// What a stored format becomes, where there are kernels for it.
    pub const fn of(format: GgmlDType) -> Option<Self> {
        Some(match format {
            GgmlDType::F32 => Self::F32,
            GgmlDType::F16 => Self::F16,
            GgmlDType::BF16 => Self::Bf16,
            GgmlDType::Q8_0 => Self::Q8,
            GgmlDType::Q4_0 => Self::Q4,
            GgmlDType::Q4_1 | GgmlDType::Q4K => Self::Q4Minimum,
            GgmlDType::Q5_0 => Self::Q5,
            GgmlDType::Q5_1 | GgmlDType::Q5K => Self::Q5Minimum,
            GgmlDType::Q6K => Self::Q6,
            GgmlDType::Q8_1 | GgmlDType::Q2K | GgmlDType::Q3K | GgmlDType::Q8K => return None,
        })
    }

    /// Whether it is one of the plain floating-point kinds.
    pub const fn is_dense(self) -> bool {
        matches!(self, Self::F32 | Self::F16 | Self::Bf16)
    }
}

/// 32 weights of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct WeightGroup {
    /// The small numbers, unsigned.
    pub numbers: [u8; 32],
    /// One scale for each half.
    pub scales: [f32; 2],
    /// Added to every value; zero for formats around an offset.
    pub minimum: f32,
}

fn half_at(bytes: &[u8], at: usize) -> f32 {
    match bytes.get(at..at + 2) {
        Some(&[low, high]) => f16::from_le_bytes([low, high]).to_f32(),
        _ => 0.0,
    }
}

/// Numbers of 16 bytes: the low nibbles, then the high ones.
fn nibbles(bytes: &[u8]) -> [u8; 32] {
    let mut numbers = [0; 32];
    let (low, high) = numbers.split_at_mut(16);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
        (*low, *high) = (byte & 15, byte >> 4);
    }
    numbers
}

fn add_fifth_bits(numbers: &mut [u8; 32], bits: &[u8]) {
    let mask = bits.iter().take(4).rev().fold(0u32, |mask, &byte| (mask << 8) | u32::from(byte));
    for (index, number) in numbers.iter_mut().enumerate() {
        *number |= (((mask >> index) & 1) as u8) << 4;
    }
}

/// The six-bit scale and minimum of one of eight groups of a K block (`get_scale_min_k4`).
fn six_bits(packed: &[u8], group: usize) -> (f32, f32) {
    let at = |index: usize| packed.get(index).copied().unwrap_or(0);
    let (scale, minimum) = if group < 4 {
        (at(group) & 63, at(group + 4) & 63)
    } else {
        let shared = at(group + 4);
        ((shared & 15) | ((at(group - 4) >> 6) << 4), (shared >> 4) | ((at(group) >> 6) << 4))
    };
    (f32::from(scale), f32::from(minimum))
}

/// Reads group `index` (of 32 values) of a row's bytes.
///
/// # Errors
/// Where the format has no groups, or the row is too short.
pub(crate) fn group(format: GgmlDType, row: &[u8], index: usize) -> Result<WeightGroup> {
    let (in_block, size) = match format {
        GgmlDType::Q4K | GgmlDType::Q5K | GgmlDType::Q6K => (8, format.type_size()),
        _ => (1, format.type_size()),
    };
    let start = index / in_block * size;
    let Some(block) = row.get(start..start + size) else {
        bail!("a row of {} bytes has no group {index} of {format:?}", row.len());
    };
    let inner = index % in_block;
    let even = |numbers, scale, minimum| WeightGroup { numbers, scales: [scale; 2], minimum };
    Ok(match format {
        GgmlDType::Q8_0 => {
            let mut numbers = [128; 32];
            for (number, &byte) in numbers.iter_mut().zip(block.iter().skip(2)) {
                *number = byte ^ 128;
            }
            even(numbers, half_at(block, 0), 0.0)
        }
        GgmlDType::Q4_0 => even(nibbles(&block[2..]), half_at(block, 0), 0.0),
        GgmlDType::Q4_1 => even(nibbles(&block[4..]), half_at(block, 0), half_at(block, 2)),
        GgmlDType::Q5_0 => {
            let mut numbers = nibbles(&block[6..]);
            add_fifth_bits(&mut numbers, &block[2..]);
            even(numbers, half_at(block, 0), 0.0)
        }
        GgmlDType::Q5_1 => {
            let mut numbers = nibbles(&block[8..]);
            add_fifth_bits(&mut numbers, &block[4..]);
            even(numbers, half_at(block, 0), half_at(block, 2))
        }
        GgmlDType::Q4K => group_q4k(block, inner),
        GgmlDType::Q5K => group_q5k(block, inner),
        GgmlDType::Q6K => group_q6k(block, inner),
        other => bail!("{other:?} is not kept in groups of 32"),
    })
}

fn k_scales(block: &[u8], inner: usize) -> ([f32; 2], f32) {
    let (scale, minimum) = six_bits(&block[4..16], inner);
    ([half_at(block, 0) * scale; 2], -half_at(block, 2) * minimum)
}

/// d, dmin, 12 bytes of scales, 128 bytes of nibbles: 64 values in 32 bytes, low nibbles first.
fn group_q4k(block: &[u8], inner: usize) -> WeightGroup {
    let (scales, minimum) = k_scales(block, inner);
    let mut numbers = [0; 32];
    for (number, byte) in numbers.iter_mut().zip(&block[16 + 32 * (inner / 2)..]) {
        *number = if inner.is_multiple_of(2) { byte & 15 } else { byte >> 4 };
    }
    WeightGroup { numbers, scales, minimum }
}

/// As `Q4_K`, with 32 bytes of fifth bits before the nibbles: bit `inner` of byte `l` belongs to value `l`.
fn group_q5k(block: &[u8], inner: usize) -> WeightGroup {
    let (scales, minimum) = k_scales(block, inner);
    let mut numbers = [0; 32];
    let nibbles = &block[48 + 32 * (inner / 2)..];
    for ((number, byte), fifth) in numbers.iter_mut().zip(nibbles).zip(&block[16..48]) {
        let low = if inner.is_multiple_of(2) { byte & 15 } else { byte >> 4 };
        *number = low | (((fifth >> inner) & 1) << 4);
    }
    WeightGroup { numbers, scales, minimum }
}

/// 128 bytes of nibbles, 64 of bit pairs, 16 scales, d; in two halves of 128 values.
fn group_q6k(block: &[u8], inner: usize) -> WeightGroup {
    let (half, quarter) = (inner / 4, inner % 4);
    let mut numbers = [0; 32];
    let nibbles = &block[64 * half + 32 * (quarter % 2)..];
    let pairs = &block[128 + 32 * half..];
    for ((number, byte), pair) in numbers.iter_mut().zip(nibbles).zip(pairs) {
        let low = if quarter < 2 { byte & 15 } else { byte >> 4 };
        *number = low | (((pair >> (2 * quarter)) & 3) << 4);
    }
    let scale = |half_group: usize| {
        let at = 192 + 8 * half + 2 * quarter + half_group;
        half_at(block, 208) * f32::from(block.get(at).copied().unwrap_or(0).cast_signed())
    };
    WeightGroup { numbers, scales: [scale(0), scale(1)], minimum: 0.0 }
}
