//! Each fused operation, forward and backward, against candle's autograd over plain tensor operations.

use candle_core::Tensor;
use dojo_studio::engine::kernels::attention::{
    AttentionScratch, AttentionShape, Gradients, attention, attention_backward,
};
use dojo_studio::engine::kernels::cross_entropy::Head;
use dojo_studio::engine::kernels::gemm::MatmulPrecision;
use dojo_studio::engine::kernels::glu::{glu, glu_backward};
use dojo_studio::engine::kernels::norm::{rms_norm, rms_norm_backward};
use dojo_studio::engine::kernels::rope::{Heads, Rotation, RotationDirection};
use dojo_studio::engine::model::config::Activation;

use super::{near, numbers};
use crate::support::autograd::{self, gradients, tensor, values, var};

#[test]
fn rms_norm_is_autograds() {
    let (x, weight, along) = (numbers(1, 70 * 96), numbers(2, 96), numbers(3, 70 * 96));
    let (mut y, mut inverse, mut grad) = (vec![0.0; x.len()], vec![0.0; 70], vec![0.0; x.len()]);
    rms_norm(&x, &weight, 1e-5, &mut y, &mut inverse);
    rms_norm_backward(&x, &weight, &inverse, &along, &mut grad);
    let plain = var(&x, &[70, 96]);
    let out = autograd::rms_norm(&plain, &tensor(&weight, &[96]), 1e-5).unwrap();
    near("norm", &y, &values(&out), 1e-6);
    near("gradient", &grad, &values(gradients(&out, &along).get(&plain).unwrap()), 1e-5);
}

#[test]
fn gates_are_autograds() {
    for activation in [Activation::SwiGlu, Activation::GeGlu] {
        let x: Vec<f32> = numbers(6, 37 * 2 * 50).iter().map(|x| x * 5.0).collect();
        let along = numbers(7, 37 * 50);
        let (mut y, mut grad) = (vec![0.0; 37 * 50], x.clone());
        glu(activation, &x, 50, &mut y);
        glu_backward(activation, &mut grad, 50, &along);
        let plain = var(&x, &[37, 100]);
        let (gate, up) = (plain.narrow(1, 0, 50).unwrap(), plain.narrow(1, 50, 50).unwrap());
        let gate = match activation {
            Activation::SwiGlu => autograd::silu(&gate).unwrap(),
            Activation::GeGlu => autograd::gelu(&gate).unwrap(),
        };
        let out = (gate * up).unwrap();
        near("gate", &y, &values(&out), 1e-5);
        near("gradient", &grad, &values(gradients(&out, &along).get(&plain).unwrap()), 1e-5);
    }
}

#[test]
fn rotary_positions_are_autograds() {
    let frequencies = [1.0, 0.3, 0.05, 0.002];
    let positions = [0u32, 3, 17, 99];
    let heads = Heads { row: 24, first: 0, count: 3, width: 8 };
    let (x, along) = (numbers(8, 4 * 24), numbers(9, 4 * 24));
    let rotation = Rotation::new(&frequencies, 1.0, 100);
    let (mut turned, mut grad) = (x.clone(), along.clone());
    rotation.apply(&mut turned, heads, &positions, RotationDirection::Forward);
    rotation.apply(&mut grad, heads, &positions, RotationDirection::Back);
    let plain = var(&x, &[4, 3, 8]);
    let out = autograd::rope(&plain, &positions, &frequencies).unwrap();
    near("turned", &turned, &values(&out), 1e-5);
    near("gradient", &grad, &values(gradients(&out, &along).get(&plain).unwrap()), 1e-5);
}

#[test]
fn attention_is_autograds() {
    let borders = [0, 70, 71, 300];
    for window in [None, Some(40)] {
        let shape = AttentionShape {
            heads: 6,
            kv_heads: 2,
            head_dim: 16,
            scale: 0.25,
            window,
            soft_cap: None,
            borders: &borders,
            stems: &[],
        };
        let (tokens, row) = (300, 10 * 16);
        let (qkv, along) = (numbers(10, tokens * row), numbers(11, tokens * 96));
        let (mut out, mut log_sums) = (vec![0.0; tokens * 96], vec![0.0; tokens * 6]);
        attention(shape, &qkv, &mut out, &mut log_sums, &mut Vec::new());
        let mut grad = vec![f32::NAN; qkv.len()];
        let scratch = &mut AttentionScratch::default();
        let given = Gradients { qkv: &qkv, out: &out, log_sums: &log_sums, grad_out: &along, scratch };
        attention_backward(shape, given, &mut grad);
        let plain = var(&qkv, &[tokens, row]);
        let part = |first: usize, heads: usize| -> Tensor {
            plain.narrow(1, first * 16, heads * 16).unwrap().reshape((tokens, heads, 16)).unwrap()
        };
        let expected =
            autograd::attention((&part(0, 6), &part(6, 2), &part(8, 2)), &borders, window, 0.25).unwrap();
        near("attention", &out, &values(&expected), 1e-5);
        near("gradient", &grad, &values(gradients(&expected, &along).get(&plain).unwrap()), 1e-5);
    }
}

#[test]
fn the_loss_is_autograds() {
    let (width, vocabulary, rows) = (24, 1000, 50);
    let (x, weight) = (numbers(12, rows * width), numbers(13, vocabulary * width));
    let targets: Vec<u32> = (0..rows as u32).map(|row| (row * 379) % vocabulary as u32).collect();
    let head = Head { weight: &weight, vocabulary, width, softcap: None, products: MatmulPrecision::F32 };
    let mut grad = vec![0.0; x.len()];
    let losses = head.losses(&x, &targets, Some((&mut grad, 0.02)), &mut Vec::new());
    let plain = var(&x, &[rows, width]);
    let logits = plain.matmul(&tensor(&weight, &[vocabulary, width]).t().unwrap()).unwrap();
    let out = autograd::cross_entropy(&logits, &targets).unwrap();
    near("loss", &losses.iter().map(|loss| loss.nll).collect::<Vec<_>>(), &values(&out), 1e-5);
    near("gradient", &grad, &values(gradients(&out, &vec![0.02; rows]).get(&plain).unwrap()), 1e-5);
}
