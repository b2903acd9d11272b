//! Matrix products over weights in ggml's formats: quantised weights against activations rounded to 8 bits, plain
//! weights against f32. Knows nothing of models.

pub(crate) mod activation;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod isa;
pub(crate) mod lanes;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
pub(crate) mod panel;
mod portable;

pub use activation::Activations;
pub use format::WeightFormat;
pub use isa::Isa;
pub use pack::Packed;

use panel::{PanelOutput, PanelProduct, Write};

/// `W x` for every row of `input`, on this thread: (rows, `matrix.rows()`), row by row.
pub fn product(isa: Isa, matrix: &Packed, input: &mut Activations) -> Vec<f32> {
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
