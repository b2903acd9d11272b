//! Layer normalisation (Ba et al. 2016) of rows, in place: `(x - mean) / sqrt(variance + epsilon) * weight + bias`.

use super::isa::by_isa;
use super::math::sum2;

by_isa! {
    /// x is (rows, width), weight and bias (width).
    pub fn layer_norm(x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
        let width = weight.len();
        for x in x.chunks_exact_mut(width) {
            let mean = sum2(x, x, |a, _| a) / width as f32;
            let variance = sum2(x, x, |a, _| (a - mean) * (a - mean)) / width as f32;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
                *x = (*x - mean) * scale * weight + bias;
            }
        }
    }
}
