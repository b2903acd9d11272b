//! Gated units (Shazeer 2020): `activation(gate) * up`, with gate and up side by side in one row.

use rayon::prelude::*;

use super::isa::by_isa;
use super::lanes::{Kernel, Lanes, exponential};
use super::math::{sigmoid, tanh};
use crate::engine::model::config::Activation;

/// Rows that one task takes.
const ROWS: usize = 16;

/// `y = activation(gate) * up`; `gate_up` is (rows, 2 width), y is (rows, width).
pub fn glu(activation: Activation, gate_up: &[f32], width: usize, y: &mut [f32]) {
    gate_up.par_chunks(2 * width * ROWS).zip(y.par_chunks_mut(width * ROWS)).for_each(|(gate_up, y)| {
        for (row, y) in gate_up.chunks_exact(2 * width).zip(y.chunks_exact_mut(width)) {
            let (gate, up) = row.split_at(width);
            match activation {
                Activation::SwiGlu => swiglu_row(gate, up, y),
                Activation::GeGlu => geglu_row(gate, up, y),
            }
        }
    });
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
    fn swiglu_row(gate: &[f32], up: &[f32], y: &mut [f32]) {
        for ((y, &gate), up) in y.iter_mut().zip(gate).zip(up) {
            *y = gate * sigmoid(gate) * up;
        }
    }
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
    fn geglu_row(gate: &[f32], up: &[f32], y: &mut [f32]) {
        for ((y, &gate), up) in y.iter_mut().zip(gate).zip(up) {
            let t = tanh(TANH_SCALE * (gate + CUBE * gate * gate * gate));
            *y = 0.5 * gate * (1.0 + t) * up;
        }
    }
}

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

/// `out = activation(x) * up` (Shazeer 2020).
pub(crate) struct Gate {
    pub x: *const f32,
    pub up: *const f32,
    pub out: *mut f32,
    /// A multiple of 16, or all three may be read and written up to one.
    pub width: usize,
    pub activation: Activation,
}

impl Kernel for Gate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            for at in (0..self.width).step_by(16) {
                let (gate, up) = (L::load(self.x.add(at)), L::load(self.up.add(at)));
                // silu(x) = x * sigmoid(x); gelu's tanh form is x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 x^3)).
                let slope = match self.activation {
                    Activation::SwiGlu => gate,
                    Activation::GeGlu => {
                        let cube = L::multiply(L::multiply(gate, gate), gate);
                        let inner = L::fused(cube, L::splat(0.044_715), gate);
                        L::multiply(inner, L::splat(1.595_769))
                    }
                };
                let decay = exponential::<L>(L::multiply(slope, L::splat(-1.0)));
                let value = L::divide(gate, L::add(L::splat(1.0), decay));
                L::store(self.out.add(at), L::multiply(value, up));
            }
        }
    }
}
