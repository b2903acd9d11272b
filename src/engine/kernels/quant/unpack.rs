//! Panels back into rows, a whole matrix at a time: for training, which multiplies by the weights that generation holds.

use half::f16;
use rayon::prelude::*;

use super::format::WeightFormat;
use super::pack::{LANES, Packed};
use crate::model::weights::SharedMatrix;

impl SharedMatrix for Packed {
    fn count(&self) -> usize {
        self.rows() * self.columns()
    }

    fn size(&self) -> usize {
        self.bytes()
    }

    fn expand(&self, out: &mut [f32]) {
        let columns = self.columns();
        out.par_chunks_mut(columns * LANES).enumerate().for_each(|(panel, rows)| {
            let bytes = self.panel_bytes(panel).unwrap_or_default();
            match self.kind() {
                WeightFormat::F32 => spread(bytes, rows, columns, f32::from_le_bytes),
                WeightFormat::Bf16 => {
                    spread(bytes, rows, columns, |[low, high]: [u8; 2]| {
                        f32::from_le_bytes([0, 0, low, high])
                    });
                }
                WeightFormat::F16 => {
                    spread(bytes, rows, columns, |half: [u8; 2]| f16::from_le_bytes(half).to_f32());
                }
                WeightFormat::Q8
                | WeightFormat::Q4
                | WeightFormat::Q4Minimum
                | WeightFormat::Q5
                | WeightFormat::Q5Minimum
                | WeightFormat::Q6 => {
                    for (lane, row) in rows.chunks_exact_mut(columns).enumerate() {
                        self.read_row(panel * LANES + lane, row);
                    }
                }
            }
        });
    }
}

/// Columns that are turned together: sixteen rows of them lie in few cache lines.
const BLOCK: usize = 16;

/// Writes a plain panel, which is column by column, as rows.
fn spread<const N: usize>(panel: &[u8], rows: &mut [f32], columns: usize, read: impl Fn([u8; N]) -> f32) {
    let (numbers, _) = panel.as_chunks::<N>();
    let blocks = numbers.chunks(LANES * BLOCK).take(columns.div_ceil(BLOCK));
    for (block, numbers) in blocks.enumerate() {
        for (lane, row) in rows.chunks_exact_mut(columns).enumerate() {
            let Some(to) = row.get_mut(block * BLOCK..) else { continue };
            for (to, column) in to.iter_mut().zip(numbers.chunks_exact(LANES)) {
                *to = read(column[lane]);
            }
        }
    }
}
