//! Gated units (Shazeer 2020): `activation(gate) * up`, with gate and up side by side in one row.

use rayon::prelude::*;

use super::isa::by_isa;
use super::lanes::{Kernel, LaneIsa, Lanes, exponential};
use super::math::{sigmoid, tanh};
use crate::model::config::Activation;

/// Rows that one task takes.
const ROWS: usize = 16;

/// `y = activation(gate) * up`; `gate_up` is (rows, 2 width), y is (rows, width).
pub fn glu(activation: Activation, gate_up: &[f32], width: usize, y: &mut [f32]) {
    let isa = LaneIsa::best();
    gate_up.par_chunks(2 * width * ROWS).zip(y.par_chunks_mut(width * ROWS)).for_each(|(gate_up, y)| {
        for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
            let (x, up) = row.split_at(width);
            let (x, up, out) = (x.as_ptr(), up.as_ptr(), y.as_mut_ptr());
            // SAFETY: all three were cut to the width.
            unsafe { isa.run(Gate { x, up, out, width, activation }) };
        }
    });
}

/// [`glu`] on this thread.
///
/// # Panics
/// If the rows have other widths.
pub fn gate_rows(activation: Activation, gate_up: &[f32], width: usize, y: &mut [f32]) {
    assert!(gate_up.len() == 2 * y.len() && y.len().is_multiple_of(width), "rows of another gate");
    let isa = LaneIsa::best();
    for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
        let (x, up) = row.split_at(width);
        let (x, up, out) = (x.as_ptr(), up.as_ptr(), y.as_mut_ptr());
        // SAFETY: all three were cut to the width.
        unsafe { isa.run(Gate { x, up, out, width, activation }) };
    }
}

/// Replaces gate and up by their gradients, from y's gradient.
pub fn glu_backward(activation: Activation, gate_up: &mut [f32], width: usize, grad_y: &[f32]) {
    gate_up.par_chunks_mut(2 * width * ROWS).zip(grad_y.par_chunks(width * ROWS)).for_each(
        |(gate_up, grad_y)| {
            for (row, grad_y) in gate_up.chunks_exact_mut(2 * width).zip(grad_y.chunks_exact(width)) {
                let (gate, up) = row.split_at_mut(width);
                match activation {
                    Activation::SwiGlu => swiglu_backward_row(gate, up, grad_y),
                    Activation::GeGlu => geglu_backward_row(gate, up, grad_y),
                }
            }
        },
    );
}

by_isa! {
    fn swiglu_backward_row(gate: &mut [f32], up: &mut [f32], grad_y: &[f32]) {
        for ((gate, up), grad) in gate.iter_mut().zip(up).zip(grad_y) {
            let s = sigmoid(*gate);
            let value = *gate * s;
            let slope = s + value * (1.0 - s);
            (*gate, *up) = (grad * *up * slope, grad * value);
        }
    }
}

/// sqrt(2 / pi)
const TANH_SCALE: f32 = 0.797_884_6;
const CUBE: f32 = 0.044_715;

by_isa! {
    fn geglu_backward_row(gate: &mut [f32], up: &mut [f32], grad_y: &[f32]) {
        for ((gate, up), grad) in gate.iter_mut().zip(up).zip(grad_y) {
            let g = *gate;
            let t = tanh(TANH_SCALE * (g + CUBE * g * g * g));
            let inner = TANH_SCALE * (1.0 + 3.0 * CUBE * g * g);
            let slope = 0.5 * (1.0 + t) + 0.5 * g * (1.0 - t * t) * inner;
            (*gate, *up) = (grad * *up * slope, grad * 0.5 * g * (1.0 + t));
        }
    }
}

/// `out = activation(x) * up`, one row.
pub(crate) struct Gate {
    /// (width) each
    pub x: *const f32,
    pub up: *const f32,
    pub out: *mut f32,
    pub width: usize,
    pub activation: Activation,
}

impl Kernel for Gate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let whole = self.width / 16 * 16;
        let left = self.width - whole;
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            for at in (0..whole).step_by(16) {
                let gated = gated::<L>(self.activation, L::load(self.x.add(at)), L::load(self.up.add(at)));
                L::store(self.out.add(at), gated);
            }
            if left > 0 {
                let (mut x, mut up) = ([0.0; 16], [0.0; 16]);
                x.as_mut_ptr().copy_from_nonoverlapping(self.x.add(whole), left);
                up.as_mut_ptr().copy_from_nonoverlapping(self.up.add(whole), left);
                let gated = gated::<L>(self.activation, L::load(x.as_ptr()), L::load(up.as_ptr()));
                L::store(x.as_mut_ptr(), gated);
                self.out.add(whole).copy_from_nonoverlapping(x.as_ptr(), left);
            }
        }
    }
}

/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn gated<L: Lanes>(activation: Activation, gate: L::Floats, up: L::Floats) -> L::Floats {
    // SAFETY: the caller promises the instruction set; no memory is touched.
    unsafe {
        // silu(x) = x * sigmoid(x); gelu's tanh form is x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 x^3)).
        let slope = match activation {
            Activation::SwiGlu => gate,
            Activation::GeGlu => {
                let cube = L::multiply(L::multiply(gate, gate), gate);
                let inner = L::fused(cube, L::splat(CUBE), gate);
                L::multiply(inner, L::splat(2.0 * TANH_SCALE))
            }
        };
        let decay = exponential::<L>(L::multiply(slope, L::splat(-1.0)));
        let value = L::divide(gate, L::add(L::splat(1.0), decay));
        L::multiply(value, up)
    }
}
