//! Matrix products of every stored format and instruction set, against the same arithmetic in plain f32.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use dojo_studio::engine::kernels::lanes::LaneIsa;
use dojo_studio::engine::kernels::quant::{Activations, Packed, product};
use dojo_studio::engine::model::blocks::expand;
use dojo_studio::engine::model::weights::Stored;

const FORMATS: [GgmlDType; 13] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::BF16,
    GgmlDType::Q8_0,
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q2K,
    GgmlDType::Q3K,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

const ROWS: usize = 37;
const COLUMNS: usize = 512;

/// Numbers that look like weights: around zero, a few large.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|index| next() * next() * if index % 97 == 0 { 6.0 } else { 1.0 }).collect()
}

fn stored(values: &[f32], format: GgmlDType) -> Stored {
    let tensor = Tensor::from_slice(values, (values.len() / COLUMNS, COLUMNS), &Device::Cpu).unwrap();
    let quantised = QTensor::quantize(&tensor, format).unwrap();
    Stored { format, bytes: quantised.data().unwrap().into_owned() }
}

/// Activations as the kernels round them against quantised weights.
fn rounded(values: &[f32]) -> Vec<f32> {
    let groups = values.chunks(32).flat_map(|group| {
        let largest = group.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        let scale = largest / 127.0;
        group.iter().map(move |value| (value * 127.0 / largest).round_ties_even() * scale)
    });
    groups.collect()
}

fn plain_product(weights: &[f32], inputs: &[f32]) -> Vec<f32> {
    let row = |input: &[f32], weights: &[f32]| {
        let sum: f64 = input.iter().zip(weights).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
        sum as f32
    };
    let rows = inputs.chunks(COLUMNS).flat_map(|input| weights.chunks(COLUMNS).map(move |w| row(input, w)));
    rows.collect()
}

#[test]
fn every_format_and_instruction_set_multiplies_as_plain_arithmetic_does() {
    let values = numbers(ROWS * COLUMNS, 1);
    let inputs = numbers(11 * COLUMNS, 2);
    for format in FORMATS {
        let stored = stored(&values, format);
        let mut expanded = vec![0.0; values.len()];
        expand(format, &stored.bytes, &mut expanded).unwrap();
        let packed = Packed::new(&stored, ROWS, COLUMNS).unwrap();
        let seen = if packed.kind().is_dense() { inputs.clone() } else { rounded(&inputs) };
        let expected = plain_product(&expanded, &seen);
        let size = (expected.iter().map(|value| value * value).sum::<f32>() / expected.len() as f32).sqrt();
        // K formats' scales are products of two numbers, kept as one half float.
        let allowed =
            if matches!(format, GgmlDType::Q4K | GgmlDType::Q5K | GgmlDType::Q6K) { 5e-3 } else { 1e-3 };
        for isa in LaneIsa::available() {
            let mut input = Activations::from_values(&inputs, COLUMNS, isa);
            let found = product(isa, &packed, &mut input);
            for (found, expected) in found.iter().zip(&expected) {
                let error = (found - expected).abs() / size;
                assert!(error < allowed, "{format:?} by {}: {found} and {expected}", isa.name());
            }
        }
    }
}

#[test]
fn a_row_gives_the_same_bits_whatever_is_computed_beside_it() {
    let values = numbers(ROWS * COLUMNS, 3);
    let inputs = numbers(11 * COLUMNS, 4);
    for format in FORMATS {
        let packed = Packed::new(&stored(&values, format), ROWS, COLUMNS).unwrap();
        for isa in LaneIsa::available() {
            let together = product(isa, &packed, &mut Activations::from_values(&inputs, COLUMNS, isa));
            for (input, expected) in inputs.chunks(COLUMNS).zip(together.chunks(ROWS)) {
                let alone = product(isa, &packed, &mut Activations::from_values(input, COLUMNS, isa));
                assert_eq!(alone, expected, "{format:?} by {}", isa.name());
            }
        }
    }
}

#[test]
fn a_row_reads_back_as_it_was_stored() {
    let values = numbers(ROWS * COLUMNS, 5);
    for format in FORMATS {
        let stored = stored(&values, format);
        let mut expanded = vec![0.0; values.len()];
        expand(format, &stored.bytes, &mut expanded).unwrap();
        let packed = Packed::new(&stored, ROWS, COLUMNS).unwrap();
        for row in [0, 15, 16, 36] {
            let mut found = vec![0.0; COLUMNS];
            packed.read_row(row, &mut found);
            for (found, expected) in found.iter().zip(&expanded[row * COLUMNS..]) {
                assert!((found - expected).abs() < 2e-3, "{format:?} row {row}: {found} and {expected}");
            }
        }
    }
}

#[test]
fn bytes_that_dont_fill_the_shape_are_refused() {
    let stored = stored(&numbers(16 * COLUMNS, 6), GgmlDType::Q4K);
    assert!(Packed::new(&stored, 17, COLUMNS).is_err());
    assert!(Packed::new(&stored, 16, COLUMNS + 32).is_err());
}
