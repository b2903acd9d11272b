//! NF4 against its definition, and against what bitsandbytes 0.50 gives.

use candle_core::quantized::GgmlDType;
use dojo_studio::domain::recipe::BaseFormat;
use dojo_studio::engine::model::Frozen;
use dojo_studio::engine::model::nf4::{BLOCK, LEVELS, Nf4, SCALE_BLOCK, dynamic_levels};
use proptest::prelude::*;

use crate::support::tiny::Tiny;

/// bitsandbytes' codes for [`example`], two a byte.
const CODES: &str = "04c16e29f3b05d17e29f3c05d18e2af4c16e18e3b05d17e29f3b05d18e2af4c1\
                     6d18e3b04c17e29f3b05d17e2af4c06d18e2a04c16e29f3b05d17e29f3c05d18\
                     e2af4c16e18e3b05d17e29f3b05d18e2af4c16d18e3b04c17e29f3b05d17e2af";

/// Three blocks, their scales far apart.
fn example() -> Vec<f32> {
    let number = |i: usize| (((i * 37) % 101) as f32 - 50.0) / 64.0 * [1.0, 0.25, 3.0][i / BLOCK];
    (0..3 * BLOCK).map(number).collect()
}

fn expanded(numbers: &Nf4) -> Vec<f32> {
    let mut out = vec![f32::NAN; numbers.len()];
    numbers.expand(&mut out).unwrap();
    out
}

#[test]
fn it_gives_what_bitsandbytes_gives() {
    // From bitsandbytes: the scales' codes, their mean, the scale of the scales.
    let (scale_codes, mean, scale_scale) = ([52, 18, 255], 1.106_770_9_f32, 1.236_979_1_f32);
    let ours = expanded(&Nf4::quantise(&example()));
    for (i, &number) in ours.iter().enumerate() {
        let code = usize::from_str_radix(&CODES[i..=i], 16).unwrap();
        let scale = dynamic_levels()[scale_codes[i / BLOCK]] * scale_scale + mean;
        let theirs = LEVELS[code] * scale;
        assert!((number - theirs).abs() <= 1e-6 * scale, "{i}: {number} {theirs}");
    }
    // Some of the numbers that it expands to.
    for (i, theirs) in [(0, -0.783_030_3), (1, -0.222_726_2), (64, -0.017_445_15), (191, 2.343_75)] {
        assert!((ours[i] - theirs).abs() < 1e-6, "{i}: {} {theirs}", ours[i]);
    }
}

/// The definition, step by step and without any of the program's parts but the code book.
fn by_definition(numbers: &[f32]) -> Vec<f32> {
    let nearest = |levels: &[f32], number: f32| {
        let distance = |level: &&f32| (**level - number).abs();
        *levels.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    };
    let largest = |block: &[f32]| block.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    let scales: Vec<f32> = numbers.chunks(64).map(largest).collect();
    let mean = (scales.iter().map(|&scale| f64::from(scale)).sum::<f64>() / scales.len() as f64) as f32;
    let centred: Vec<f32> = scales.iter().map(|scale| scale - mean).collect();
    let coarse: Vec<f32> = centred
        .chunks(256)
        .flat_map(|block| {
            let most = largest(block);
            block
                .iter()
                .map(move |&number| nearest(dynamic_levels(), number / most.max(f32::MIN_POSITIVE)) * most)
        })
        .map(|number| number + mean)
        .collect();
    numbers
        .iter()
        .enumerate()
        .map(|(i, &number)| {
            let scale = scales[i / 64];
            let level = if scale == 0.0 { 0.0 } else { nearest(&LEVELS, number / scale) };
            level * coarse[i / 64]
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_definition(seed in any::<u32>(), length in 1_usize..40_000) {
        let mut state = u64::from(seed) | 1;
        let numbers: Vec<f32> = (0..length)
            .map(|i| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0) * (1.0 + (i / 1000) as f32)
            })
            .collect();
        for (ours, theirs) in expanded(&Nf4::quantise(&numbers)).iter().zip(by_definition(&numbers)) {
            prop_assert!((ours - theirs).abs() <= 1e-6 * (1.0 + theirs.abs()), "{} {}", ours, theirs);
        }
    }
}

#[test]
fn the_code_books_are_those_of_the_paper() {
    assert!(LEVELS.is_sorted() && dynamic_levels().is_sorted());
    assert_eq!((LEVELS[0], LEVELS[7], LEVELS[15]), (-1.0, 0.0, 1.0));
    assert_eq!(dynamic_levels().len(), 256);
    // bitsandbytes' first, middle and last ones.
    let given =
        [(0, -0.992_968_74), (1, -0.978_906_3), (120, -8.875e-5), (127, 0.0), (128, 5.5e-7), (255, 1.0)];
    for (place, level) in given {
        assert!((dynamic_levels()[place] - level).abs() < 1e-7, "{place}");
    }
}

#[test]
fn zeros_stay_zeros_and_the_size_is_as_stated() {
    let numbers = vec![0.0; BLOCK * SCALE_BLOCK * 4];
    let zeros = Nf4::quantise(&numbers);
    assert_eq!(expanded(&zeros), numbers);
    let bits = zeros.bytes() as f64 * 8.0 / numbers.len() as f64;
    assert!((bits - 4.127).abs() < 0.02, "{bits}");
    assert!(zeros.expand(&mut [0.0; 3]).is_err());
    assert!(Nf4::quantise(&[]).is_empty());
}

#[test]
fn frozen_matrices_expand_from_whatever_holds_them() {
    let place = tempfile::tempdir().unwrap();
    let tiny = Tiny::new("llama");
    let model = tiny.open_gguf(&place.path().join("tiny.gguf"), GgmlDType::Q8_0);
    let tensor = |part: &str, rows| (format!("model.layers.0.self_attn.{part}_proj.weight"), [rows, 32]);
    let tensors = [tensor("q", 32), tensor("k", 16)];
    let exact: Vec<f32> =
        tensors.iter().flat_map(|(name, shape)| model.weights.f32(name, shape).unwrap()).collect();
    let expand = |format: BaseFormat| {
        let frozen = Frozen::read(model.weights.as_ref(), &tensors, format).unwrap();
        let mut out = vec![0.0; frozen.len()];
        frozen.expand(&mut out).unwrap();
        assert!(frozen.expand(&mut [0.0]).is_err());
        // A buffer that is longer already, and holds something else.
        assert_eq!(frozen.numbers(&mut vec![7.0; 5000]), out);
        (out, frozen.bytes())
    };
    assert_eq!(expand(BaseFormat::F32), (exact.clone(), 6144));
    assert_eq!(expand(BaseFormat::Stored), (exact.clone(), 1632));
    let (rough, bytes) = expand(BaseFormat::Nf4);
    let worst = exact.iter().zip(&rough).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 0.06 && bytes < 1100, "{worst} {bytes}");
}
