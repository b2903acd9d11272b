//! Norms, gates, rotation, dropout and the loss.

use dojo_studio::engine::kernels::cross_entropy::Head;
use dojo_studio::engine::kernels::dropout::Dropout;
use dojo_studio::engine::kernels::gemm::MatmulPrecision;
use dojo_studio::engine::kernels::glu::{glu, glu_backward};
use dojo_studio::engine::kernels::norm::{rms_norm, rms_norm_backward, rms_norm_recompute};
use dojo_studio::engine::kernels::rope::{Heads, Rotation, RotationDirection};
use dojo_studio::engine::model::config::Activation;

use super::{near, numbers, slopes};

fn normed(x: &[f32], weight: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (mut y, mut inverse) = (vec![0.0; x.len()], vec![0.0; x.len() / weight.len()]);
    rms_norm(x, weight, 1e-5, &mut y, &mut inverse);
    (y, inverse)
}

#[test]
fn rms_norm_is_its_definition() {
    let (x, weight) = (numbers(1, 40 * 37), numbers(2, 37));
    let expected: Vec<f32> = x
        .chunks(37)
        .flat_map(|row| {
            let mean = row.iter().map(|x| f64::from(x * x)).sum::<f64>() / 37.0;
            let root = (mean + 1e-5).sqrt();
            row.iter().zip(&weight).map(move |(x, w)| (f64::from(*x) / root * f64::from(*w)) as f32)
        })
        .collect();
    let (y, inverse) = normed(&x, &weight);
    near("norm", &y, &expected, 1e-6);
    let mut again = vec![0.0; x.len()];
    rms_norm_recompute(&x, &weight, &inverse, &mut again);
    assert_eq!(again, y);
}

#[test]
fn rms_norms_backward_is_the_slope_and_is_added() {
    let (x, weight, along) = (numbers(3, 2 * 19), numbers(4, 19), numbers(5, 2 * 19));
    let mut grad = vec![1.0; x.len()];
    rms_norm_backward(&x, &weight, &normed(&x, &weight).1, &along, &mut grad);
    let expected: Vec<f32> =
        slopes(&x, &along, |x| normed(x, &weight).0).iter().map(|slope| slope + 1.0).collect();
    near("gradient", &grad, &expected, 2e-3);
}

#[test]
fn gates_are_their_definitions_and_their_backward_is_the_slope() {
    for activation in [Activation::SwiGlu, Activation::GeGlu] {
        let x: Vec<f32> = numbers(6, 3 * 2 * 21).iter().map(|x| x * 4.0).collect();
        let value = |x: &[f32]| {
            let mut y = vec![0.0; x.len() / 2];
            glu(activation, x, 21, &mut y);
            y
        };
        let plain = |gate: f64| match activation {
            Activation::SwiGlu => gate / (1.0 + (-gate).exp()),
            Activation::GeGlu => {
                0.5 * gate * (1.0 + (0.797_884_560_8 * (gate + 0.044_715 * gate.powi(3))).tanh())
            }
        };
        let expected: Vec<f32> = x
            .chunks(42)
            .flat_map(|row| (0..21).map(|i| (plain(f64::from(row[i])) * f64::from(row[21 + i])) as f32))
            .collect();
        near("gate", &value(&x), &expected, 1e-5);
        let along = numbers(7, 3 * 21);
        let mut grad = x.clone();
        glu_backward(activation, &mut grad, 21, &along);
        near("gradient", &grad, &slopes(&x, &along, value), 2e-3);
    }
}

#[test]
fn turning_back_undoes_turning() {
    let rotation = Rotation::new(&[1.0, 0.1, 0.01], 1.0, 50);
    let heads = Heads { row: 20, first: 2, count: 2, width: 8 };
    let before = numbers(8, 3 * 20);
    let mut rows = before.clone();
    rotation.apply(&mut rows, heads, &[0, 7, 49], RotationDirection::Forward);
    assert_eq!(rows[..20], before[..20], "position 0 does not turn");
    assert_eq!(rows[28..30], before[28..30], "dimensions past the rotary ones stay");
    let expected = before[22] * 7f32.cos() - before[25] * 7f32.sin();
    assert!((rows[22] - expected).abs() < 1e-6);
    rotation.apply(&mut rows, heads, &[0, 7, 49], RotationDirection::Back);
    near("turned there and back", &rows, &before, 1e-6);
}

#[test]
fn dropout_drops_its_share_scales_the_rest_and_repeats() {
    let dropout = Dropout { seed: 11, rate: 0.3 }.at(5);
    let x = vec![1.0; 200 * 500];
    let mut y = vec![0.0; x.len()];
    dropout.apply(&x, 500, &mut y);
    let dropped = y.iter().filter(|&&y| y == 0.0).count() as f32 / y.len() as f32;
    assert!((dropped - 0.3).abs() < 0.01, "{dropped}");
    assert!(y.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.7).abs() < 1e-6));
    let mut again = vec![0.0; x.len()];
    dropout.add(&x, 500, &mut again);
    assert_eq!(y, again);
    let mut elsewhere = vec![0.0; x.len()];
    Dropout { seed: 11, rate: 0.3 }.at(6).apply(&x, 500, &mut elsewhere);
    let both = y.iter().zip(&elsewhere).filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f32;
    assert!((both / y.len() as f32 - 0.09).abs() < 0.01, "masks of two places are independent");
}

#[test]
fn the_loss_is_its_definition_and_its_gradient_the_slope() {
    let (width, vocabulary, rows) = (6, 45, 3);
    let (weight, targets) = (numbers(9, vocabulary * width), [4u32, 44, 0]);
    let x: Vec<f32> = numbers(10, rows * width).iter().map(|x| x * 3.0).collect();
    for softcap in [None, Some(2.0)] {
        let head = Head { weight: &weight, vocabulary, width, softcap, products: MatmulPrecision::F32 };
        let plain = |x: &[f32]| -> Vec<(f32, f32)> {
            let row = |(x, &target): (&[f32], &u32)| {
                let dot = |w: &[f32]| w.iter().zip(x).map(|(w, x)| f64::from(w * x)).sum::<f64>();
                let cap = |z: f64| softcap.map_or(z, |cap: f32| f64::from(cap) * (z / f64::from(cap)).tanh());
                let logits: Vec<f64> = weight.chunks(width).map(|w| cap(dot(w))).collect();
                let log_sum = logits.iter().map(|z| z.exp()).sum::<f64>().ln();
                let entropy: f64 = logits.iter().map(|z| (z - log_sum).exp() * (log_sum - z)).sum();
                ((log_sum - logits[target as usize]) as f32, entropy as f32)
            };
            x.chunks(width).zip(&targets).map(row).collect()
        };
        let mut gradient = vec![0.0; x.len()];
        let losses = head.losses(&x, &targets, Some((&mut gradient, 0.25)), &mut Vec::new());
        let (nll, entropy): (Vec<f32>, Vec<f32>) = plain(&x).into_iter().unzip();
        near("nll", &losses.iter().map(|loss| loss.nll).collect::<Vec<_>>(), &nll, 1e-5);
        near("entropy", &losses.iter().map(|loss| loss.entropy).collect::<Vec<_>>(), &entropy, 1e-5);
        let expected = slopes(&x, &[0.25; 3], |x| plain(x).into_iter().map(|(nll, _)| nll).collect());
        near("gradient", &gradient, &expected, 3e-3);
    }
}
