//! 4-bit `NormalFloat` with double quantisation (Dettmers et al. 2023, QLoRA), as bitsandbytes defines it.
//!
//! Blocks of 64 numbers share a scale, their largest absolute value; each number is the nearest of 16 levels times
//! it, the first of two in the high half of a byte. The scales, less their mean, are themselves quantised to 8 bits in
//! blocks of 256 with a dynamic code book. Together 4.127 bits a number.

use std::sync::LazyLock;

use anyhow::{Result, ensure};
use rayon::prelude::*;

/// Numbers that share a scale.
pub const BLOCK: usize = 64;

/// Scales that share a scale.
pub const SCALE_BLOCK: usize = 256;

/// Blocks that one task expands.
const BLOCKS_PER_TASK: usize = 256;

/// Quantiles of the normal distribution, with an exact zero (QLoRA, appendix E).
pub const LEVELS: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// The code of an exact zero.
const ZERO: u8 = 7;

/// Numbers in NF4.
#[derive(Debug, Clone, PartialEq)]
pub struct Nf4 {
    length: usize,
    /// Two numbers a byte.
    codes: Vec<u8>,
    /// One a block, as a code of [`dynamic_levels`].
    scales: Vec<u8>,
    /// One for every [`SCALE_BLOCK`] scales.
    scale_scales: Vec<f32>,
    /// The scales' mean.
    offset: f32,
}

impl Nf4 {
    /// Quantises numbers, on all threads.
    #[must_use]
    pub fn quantise(numbers: &[f32]) -> Self {
        let largest: Vec<f32> = numbers.par_chunks(BLOCK).map(largest).collect();
        let codes = numbers
            .par_chunks(BLOCK)
            .zip(&largest)
            .flat_map_iter(|(block, &scale)| {
                block.chunks(2).map(move |pair| {
                    let code = |place: usize| pair.get(place).map_or(ZERO, |&number| level(number, scale));
                    (code(0) << 4) | code(1)
                })
            })
            .collect();
        let offset =
            (largest.iter().map(|&scale| f64::from(scale)).sum::<f64>() / largest.len().max(1) as f64) as f32;
        let centred: Vec<f32> = largest.iter().map(|scale| scale - offset).collect();
        let scale_scales: Vec<f32> = centred.chunks(SCALE_BLOCK).map(self::largest).collect();
        let scales = centred
            .chunks(SCALE_BLOCK)
            .zip(&scale_scales)
            .flat_map(|(block, &scale)| block.iter().map(move |&number| dynamic_level(number, scale)))
            .collect();
        Self { length: numbers.len(), codes, scales, scale_scales, offset }
    }

    /// How many numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.codes.len() + self.scales.len() + size_of_val(self.scale_scales.as_slice()) + size_of::<Self>()
    }

    /// The parts: codes, two numbers a byte; scales, one for each [`BLOCK`] of numbers; those scales' own scales, one for
    /// each [`SCALE_BLOCK`] of them; and what is added to a scale.
    pub(crate) fn parts(&self) -> (&[u8], &[u8], &[f32], f32) {
        (&self.codes, &self.scales, &self.scale_scales, self.offset)
    }

    /// Expands all numbers, on all threads.
    ///
    /// # Errors
    /// Where `out` has another length.
    pub fn expand(&self, out: &mut [f32]) -> Result<()> {
        ensure!(out.len() == self.length, "{} values don't fit into {}", self.length, out.len());
        out.par_chunks_mut(BLOCK * BLOCKS_PER_TASK)
            .zip(self.codes.par_chunks(BLOCK / 2 * BLOCKS_PER_TASK))
            .enumerate()
            .for_each(|(task, (out, codes))| {
                let blocks = out.chunks_mut(BLOCK).zip(codes.chunks(BLOCK / 2));
                for (block, (out, codes)) in blocks.enumerate() {
                    let scale = self.scale(task * BLOCKS_PER_TASK + block);
                    expand_block(out, codes, &LEVELS.map(|level| level * scale));
                }
            });
        Ok(())
    }

    /// The scale of a block.
    fn scale(&self, block: usize) -> f32 {
        let code = self.scales.get(block).copied().unwrap_or_default();
        let level = DYNAMIC.get(usize::from(code)).copied().unwrap_or_default();
        level * self.scale_scales.get(block / SCALE_BLOCK).copied().unwrap_or_default() + self.offset
    }
}

/// 256 levels from -0.993 to 1, dense near zero: bitsandbytes' signed dynamic map with seven exponent bits.
#[must_use]
pub fn dynamic_levels() -> &'static [f32] {
    DYNAMIC.as_slice()
}

static DYNAMIC: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut levels = vec![0.0, 1.0];
    for exponent in 0..7 {
        // The middles of 2^exponent equal parts of 0.1 to 1.
        let parts = 1 << exponent;
        let power = 10.0_f64.powi(exponent - 6);
        for part in 0..parts {
            let middle = 0.1 + 0.9 * (f64::from(part) + 0.5) / f64::from(parts);
            levels.extend([(power * middle) as f32, (-power * middle) as f32]);
        }
    }
    levels.sort_by(f32::total_cmp);
    levels
});

fn largest(block: &[f32]) -> f32 {
    block.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

/// The nearest of the sixteen levels; of two equally near, the lower.
fn level(number: f32, scale: f32) -> u8 {
    if scale == 0.0 {
        return ZERO;
    }
    nearest(&LEVELS, number / scale)
}

fn dynamic_level(number: f32, scale: f32) -> u8 {
    nearest(&DYNAMIC, if scale == 0.0 { 0.0 } else { number / scale })
}

/// The place of the nearest of rising levels.
fn nearest(levels: &[f32], number: f32) -> u8 {
    let above = levels.partition_point(|&level| level < number).min(levels.len().saturating_sub(1));
    let below = above.saturating_sub(1);
    let distance = |place: usize| levels.get(place).map_or(f32::INFINITY, |level| (level - number).abs());
    (if distance(below) <= distance(above) { below } else { above }) as u8
}

fn expand_block(out: &mut [f32], codes: &[u8], levels: &[f32; 16]) {
    for (pair, code) in out.chunks_mut(2).zip(codes) {
        let halves = [code >> 4, code & 15];
        for (number, half) in pair.iter_mut().zip(halves) {
            // The mask lets the compiler see that the place is within the sixteen.
            *number = levels[usize::from(half & 15)];
        }
    }
}
