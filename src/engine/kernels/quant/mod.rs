//! Matrix products over weights in ggml's formats: quantised weights against activations rounded to 8 bits, plain
//! weights against f32. Knows nothing of models.

pub(crate) mod activation;
mod format;
mod pack;
pub(crate) mod panel;
mod unpack;

pub use activation::Activations;
pub use format::WeightFormat;
pub use pack::Packed;

use super::lanes::LaneIsa;
use panel::{PanelOutput, PanelProduct, Write};

/// `W x` for every row of `input`, on this thread: (rows, `matrix.rows()`), row by row.
pub fn product(isa: LaneIsa, matrix: &Packed, input: &mut Activations) -> Vec<f32> {
    let rows = input.rows();
    let mut out = vec![0.0; rows * matrix.rows()];
    let output = PanelOutput { to: out.as_mut_ptr(), stride: matrix.rows(), write: Write::Replace };
    let mut scratch = Vec::new();
    if input.columns() != matrix.columns() {
        return out;
    }
    let at = input.at();
    for panel in 0..matrix.panels() {
        // SAFETY: `input` and `out` have `rows` rows of the matrix's widths, and nobody else uses them.
        unsafe {
            isa.run(PanelProduct { matrix, panel, input: at, rows, output, scratch: &mut scratch });
        }
    }
    out
}
