//! Tiled attention against the definition, with borders, shared key/value heads and windows.

use dojo_studio::engine::kernels::attention::{
    AttentionScratch, AttentionShape, Gradients, attention, attention_backward,
};

use super::{near, numbers, slopes};

fn plain(shape: &AttentionShape<'_>, qkv: &[f32]) -> Vec<f32> {
    let (dim, row, group) = (shape.head_dim, shape.row(), shape.heads / shape.kv_heads);
    let tokens = *shape.borders.last().unwrap();
    let mut out = vec![0.0; tokens * shape.heads * dim];
    for pair in shape.borders.windows(2) {
        for query in pair[0]..pair[1] {
            for head in 0..shape.heads {
                let first =
                    shape.window.map_or(pair[0], |window| pair[0].max((query + 1).saturating_sub(window)));
                let q = &qkv[query * row + head * dim..][..dim];
                let key = |token: usize| &qkv[token * row + (shape.heads + head / group) * dim..][..dim];
                let at_value = (shape.heads + shape.kv_heads + head / group) * dim;
                let scores: Vec<f64> = (first..=query)
                    .map(|token| {
                        let dot: f64 = q.iter().zip(key(token)).map(|(a, b)| f64::from(a * b)).sum();
                        let score = dot * f64::from(shape.scale);
                        let capped = shape.soft_cap.map_or(score, |cap| {
                            let cap = f64::from(cap);
                            cap * (score / cap).tanh()
                        });
                        capped.exp()
                    })
                    .collect();
                let sum: f64 = scores.iter().sum();
                for d in 0..dim {
                    let value = |token: usize| f64::from(qkv[token * row + at_value + d]);
                    let mixed: f64 = scores.iter().zip(first..).map(|(s, token)| s * value(token)).sum();
                    out[(query * shape.heads + head) * dim + d] = (mixed / sum) as f32;
                }
            }
        }
    }
    out
}

fn forward(shape: AttentionShape<'_>, qkv: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let tokens = *shape.borders.last().unwrap();
    let mut out = vec![0.0; tokens * shape.heads * shape.head_dim];
    let mut log_sums = vec![0.0; tokens * shape.heads];
    attention(shape, qkv, &mut out, &mut log_sums, &mut Vec::new());
    (out, log_sums)
}

fn backward(shape: AttentionShape<'_>, qkv: &[f32], grad_out: &[f32]) -> Vec<f32> {
    let (out, log_sums) = forward(shape, qkv);
    let mut grad = vec![f32::NAN; qkv.len()];
    let scratch = &mut AttentionScratch::default();
    let given = Gradients { qkv, out: &out, log_sums: &log_sums, grad_out, scratch };
    attention_backward(shape, given, &mut grad);
    grad
}

const fn shape(borders: &[usize], window: Option<usize>) -> AttentionShape<'_> {
    let stems = &[];
    AttentionShape { heads: 4, kv_heads: 2, head_dim: 8, scale: 0.35, soft_cap: None, window, borders, stems }
}

#[test]
fn tiles_give_what_the_definition_gives() {
    for window in [None, Some(7), Some(200)] {
        // Longer than a tile of queries, longer than a tile of keys, one token, and an empty example.
        let shape = shape(&[0, 70, 71, 71, 700], window);
        let qkv = numbers(3, 700 * shape.row());
        near("attention", &forward(shape, &qkv).0, &plain(&shape, &qkv), 1e-5);
    }
}

#[test]
fn examples_do_not_see_each_other() {
    let together = shape(&[0, 40, 100], None);
    let qkv = numbers(4, 100 * together.row());
    let alone = forward(shape(&[0, 60], None), &qkv[40 * together.row()..]).0;
    assert_eq!(forward(together, &qkv).0[40 * 32..], alone);
}

#[test]
fn the_backward_is_the_slope_of_the_forward() {
    for window in [None, Some(3)] {
        let shape = shape(&[0, 5, 12], window);
        let qkv = numbers(5, 12 * shape.row());
        let weights = numbers(6, 12 * 32);
        let expected = slopes(&qkv, &weights, |qkv| plain(&shape, qkv));
        near("gradient", &backward(shape, &qkv, &weights), &expected, 2e-3);
    }
}

#[test]
fn capped_scores_give_what_the_definition_gives_and_its_slopes() {
    let capped = |borders| AttentionShape { soft_cap: Some(0.4), scale: 1.3, ..shape(borders, Some(9)) };
    let long = capped(&[0, 70, 600]);
    let qkv = numbers(9, 600 * long.row());
    near("attention", &forward(long, &qkv).0, &plain(&long, &qkv), 1e-5);
    let short = capped(&[0, 5, 12]);
    let (qkv, weights) = (numbers(10, 12 * short.row()), numbers(11, 12 * 32));
    let expected = slopes(&qkv, &weights, |qkv| plain(&short, qkv));
    near("gradient", &backward(short, &qkv, &weights), &expected, 2e-3);
}

#[test]
fn a_backward_over_several_tiles_of_keys_and_queries_sums_as_single_tiles_do() {
    // A gradient that touches one late query only must reach every key of its example, through all tiles.
    let shape = shape(&[0, 600], None);
    let qkv = numbers(7, 600 * shape.row());
    let mut weights = vec![0.0; 600 * 32];
    weights[599 * 32..].copy_from_slice(&numbers(8, 32));
    let grad = backward(shape, &qkv, &weights);
    for token in [0, 63, 64, 255, 256, 511, 598] {
        let at = token * shape.row() + 4 * 8;
        let mut moved = qkv.clone();
        let expected: Vec<f32> = (0..32)
            .map(|i| {
                let value = |x: &[f32]| -> f64 {
                    let out = plain(&AttentionShape { borders: &[0, 600], ..shape }, x);
                    out[599 * 32..].iter().zip(&weights[599 * 32..]).map(|(y, w)| f64::from(y * w)).sum()
                };
                moved[at + i] = qkv[at + i] + 0.5;
                let above = value(&moved);
                moved[at + i] = qkv[at + i] - 0.5;
                let below = value(&moved);
                moved[at + i] = qkv[at + i];
                (above - below) as f32
            })
            .collect();
        near("gradient of a key or value", &grad[at..at + 32], &expected, 5e-2);
    }
}

#[test]
fn examples_that_go_on_from_one_stem_see_it_as_if_each_had_its_own() {
    // A stem longer than a tile of keys in the backward pass, and windows that end in it, at its end and after it.
    for (stem, ends) in [(300, [340, 341, 500]), (5, [6, 80, 83])] {
        for window in [None, Some(3), Some(60), Some(310)] {
            let borders = [0, 4, 4 + stem, 4 + ends[0], 4 + ends[1], 4 + ends[2], 9 + ends[2]];
            let shared =
                AttentionShape { stems: &[0, 1, 1, 1, 1, 5], soft_cap: Some(2.0), ..shape(&borders, window) };
            let row = shared.row();
            let qkv = numbers(12, borders[6] * row);
            let grad_out = numbers(13, borders[6] * 32);
            let (out, grad) = (forward(shared, &qkv).0, backward(shared, &qkv, &grad_out));
            // Each on its own: the gradients of the stem are the sum of what each gives, and of its own.
            let mut of_stem = vec![0.0; stem * row];
            for child in 2..5 {
                let (first, behind) = (borders[child], borders[child + 1]);
                let joined = |rows: &[f32], width: usize| {
                    [&rows[4 * width..(4 + stem) * width], &rows[first * width..behind * width]].concat()
                };
                let alone = [0, stem + behind - first];
                let alone = AttentionShape { soft_cap: Some(2.0), ..shape(&alone, window) };
                let qkv = joined(&qkv, row);
                let mut grad_out = joined(&grad_out, 32);
                grad_out[..stem * 32].fill(0.0);
                near("out", &out[first * 32..behind * 32], &forward(alone, &qkv).0[stem * 32..], 1e-5);
                let expected = backward(alone, &qkv, &grad_out);
                near("gradient", &grad[first * row..behind * row], &expected[stem * row..], 1e-4);
                of_stem.iter_mut().zip(&expected).for_each(|(sum, one)| *sum += one);
            }
            let alone = [0, stem];
            let alone = AttentionShape { soft_cap: Some(2.0), ..shape(&alone, window) };
            let own = backward(alone, &qkv[4 * row..(4 + stem) * row], &grad_out[4 * 32..(4 + stem) * 32]);
            of_stem.iter_mut().zip(&own).for_each(|(sum, one)| *sum += one);
            near("gradient of the stem", &grad[4 * row..(4 + stem) * row], &of_stem, 1e-4);
        }
    }
}
