//! Gated units (Shazeer 2020): `activation(gate) * up`, with gate and up side by side in one row.

use rayon::prelude::*;

use super::isa::by_isa;
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
