//! Layers over weights that are laid out once, what follows them, and attention within a text.

use dojo_studio::engine::kernels::attention::text::{TextHeads, TextScratch, TextSight};
use dojo_studio::engine::kernels::layer_norm::layer_norm;
use dojo_studio::engine::kernels::linear::{After, Linear};

use super::{near, numbers};

/// `x W^T + b`, row by row.
fn plain(x: &[f32], weight: &[f32], bias: &[f32], inputs: usize) -> Vec<f32> {
    let row = |x: &[f32]| -> Vec<f32> {
        let output = |(weight, bias): (&[f32], &f32)| {
            let sum: f64 = weight.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
            (sum + f64::from(*bias)) as f32
        };
        weight.chunks(inputs).zip(bias).map(output).collect()
    };
    x.chunks(inputs).flat_map(row).collect()
}

#[test]
fn a_layer_is_its_definition_for_any_sizes_and_is_added_if_asked() {
    for (rows, inputs, outputs) in [(1, 7, 5), (4, 16, 16), (13, 400, 37), (30, 1000, 48), (5, 1, 1)] {
        let (x, weight) = (numbers(1, rows * inputs), numbers(2, outputs * inputs));
        let bias = numbers(3, outputs);
        let layer = Linear::new(&weight, &bias, inputs);
        let expected = plain(&x, &weight, &bias, inputs);
        let mut y = vec![9.0; rows * outputs];
        layer.apply(&x, &mut y, After::Nothing);
        near("replaced", &y, &expected, 1e-5);
        layer.apply(&x, &mut y, After::Add);
        near("added", &y, &expected.iter().map(|value| 2.0 * value).collect::<Vec<_>>(), 1e-5);
    }
}

#[test]
fn a_row_is_the_same_alone_and_among_others() {
    let (rows, inputs, outputs) = (29, 500, 40);
    let x = numbers(4, rows * inputs);
    let layer = Linear::new(&numbers(5, outputs * inputs), &numbers(6, outputs), inputs);
    let mut together = vec![0.0; rows * outputs];
    layer.apply(&x, &mut together, After::Gelu);
    for (x, together) in x.chunks(inputs).zip(together.chunks(outputs)) {
        let mut alone = vec![0.0; outputs];
        layer.apply(x, &mut alone, After::Gelu);
        assert_eq!(alone, together);
    }
}

#[test]
fn the_gaussian_unit_is_that_of_scipys_error_function() {
    let values = [
        (-8.0, 0.0),
        (-5.5, -1.044_426e-7),
        (-5.2, -5.181_502e-7),
        (-3.0, -0.004_049_694),
        (-1.5, -0.100_210_8),
        (-0.4, -0.137_831_3),
        (0.0, 0.0),
        (0.3, 0.185_373_43),
        (1.0, 0.841_344_7),
        (2.5, 2.484_475_8),
        (4.0, 3.999_873_3),
        (5.4, 5.399_999_8),
        (9.0, 9.0),
    ];
    let layer = Linear::new(&[1.0], &[0.0], 1);
    for (x, expected) in values {
        let mut y = [0.0];
        layer.apply(&[x], &mut y, After::Gelu);
        assert!((y[0] - expected).abs() < 1.5e-6, "gelu({x}) is {}, and not {expected}", y[0]);
    }
}

#[test]
fn a_layer_norm_is_its_definition() {
    let (weight, bias) = (numbers(7, 37), numbers(8, 37));
    let mut x = numbers(9, 5 * 37);
    let row = |row: &[f32]| -> Vec<f32> {
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / 37.0;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 37.0;
        let normed = row.iter().map(|x| (f64::from(*x) - mean) / (variance + 1e-5).sqrt());
        normed.zip(&weight).zip(&bias).map(|((x, w), b)| (x * f64::from(*w) + f64::from(*b)) as f32).collect()
    };
    let expected: Vec<f32> = x.chunks(37).flat_map(row).collect();
    layer_norm(&mut x, &weight, &bias, 1e-5);
    near("layer norm", &x, &expected, 1e-5);
}

#[test]
fn a_token_sees_those_before_it_and_shares_its_keys_with_other_heads() {
    let mut scratch = TextScratch::default();
    for (tokens, heads, kv_heads, head_dim) in [(40, 4, 2, 16), (1, 2, 1, 8), (29, 6, 2, 20), (16, 3, 3, 32)]
    {
        let shape = TextHeads { heads, kv_heads, head_dim, sight: TextSight::Before };
        let qkv = numbers(tokens as u64 + 7, tokens * shape.row());
        let mut out = vec![9.0; tokens * heads * head_dim];
        shape.attend(&qkv, &mut out, &mut scratch);
        // Each token is the last of the text that ends with it, in which all is seen, head by head.
        let mut expected = Vec::new();
        for last in 0..tokens {
            for head in 0..heads {
                let kv = head / (heads / kv_heads);
                let mut alone = Vec::new();
                for row in qkv.chunks(shape.row()).take(last + 1) {
                    for part in [head, heads + kv, heads + kv_heads + kv] {
                        alone.extend_from_slice(&row[part * head_dim..][..head_dim]);
                    }
                }
                let seen = attended(&alone, 1, head_dim);
                expected.extend_from_slice(&seen[last * head_dim..]);
            }
        }
        near("attention", &out, &expected, 1e-5);
    }
}

/// Softmax of the scores of every query with all keys, then the values' sum.
fn attended(qkv: &[f32], heads: usize, dim: usize) -> Vec<f32> {
    let width = heads * dim;
    let of = |row: &[f32], part: usize, head: usize| row[part * width + head * dim..][..dim].to_vec();
    let rows: Vec<&[f32]> = qkv.chunks(3 * width).collect();
    let one = |query: &[f32], head: usize| -> Vec<f32> {
        let query = of(query, 0, head);
        let score = |row: &&[f32]| -> f64 {
            of(row, 1, head).iter().zip(&query).map(|(k, q)| f64::from(*k) * f64::from(*q)).sum::<f64>().exp()
        };
        let shares: Vec<f64> = rows.iter().map(score).collect();
        let total: f64 = shares.iter().sum();
        let mut out = vec![0.0; dim];
        for (row, share) in rows.iter().zip(&shares) {
            for (out, value) in out.iter_mut().zip(of(row, 2, head)) {
                *out += share / total * f64::from(value);
            }
        }
        out.into_iter().map(|value| value as f32).collect()
    };
    rows.iter().flat_map(|query| (0..heads).flat_map(|head| one(query, head)).collect::<Vec<_>>()).collect()
}

#[test]
fn every_token_of_a_text_sees_all_of_it() {
    // One scratch for all: what an earlier text left there must not matter.
    let mut scratch = TextScratch::default();
    for (tokens, heads, dim) in [(40, 2, 32), (1, 3, 8), (17, 1, 20), (16, 2, 64), (5, 2, 7)] {
        let qkv = numbers(tokens as u64, tokens * 3 * heads * dim);
        let mut out = vec![9.0; tokens * heads * dim];
        TextHeads::of_encoder(heads, dim).attend(&qkv, &mut out, &mut scratch);
        near("attention", &out, &attended(&qkv, heads, dim), 1e-5);
    }
}
