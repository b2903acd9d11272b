//! GGUFs of few bits: which format each tensor has, how near its numbers are, and that they are read as they were written.

use std::collections::BTreeMap;

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::export::GgufType;
use dojo_studio::engine::model::gguf::GgufFile;

use super::{Workshop, numbers, opened, verdicts};
use crate::support::tiny::Tiny;

/// One whose rows fill the large blocks.
fn wide() -> Tiny {
    Tiny {
        hidden: 256,
        intermediate: 512,
        heads: 4,
        kv_heads: 2,
        head_dim: 64,
        layers: 8,
        ..Tiny::new("qwen2")
    }
}

fn formats(path: &std::path::Path) -> BTreeMap<String, GgmlDType> {
    let file = GgufFile::open(path).unwrap();
    file.header().tensors.iter().map(|(name, entry)| (name.clone(), entry.format)).collect()
}

/// The root of the mean squared error, by the root of the mean square.
fn error(exact: &[f32], rounded: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x) * f64::from(x);
    let off: f64 = exact.iter().zip(rounded).map(|(exact, rounded)| square(exact - rounded)).sum();
    (off / exact.iter().map(|&x| square(x)).sum::<f64>()).sqrt()
}

#[test]
fn every_format_reads_back_within_what_its_bits_allow() {
    let workshop = Workshop::of(&wide());
    let trained = workshop.trained(&[]);
    // Of uniform numbers, about 0.29 of a step each: a step is 2/255 of the range with 8 bits, 2/63, 2/31, 2/15.
    let bounds = [0.0, 3e-4, 3e-3, 0.008, 0.03, 0.04, 0.08, 0.1];
    for (kind, most) in GgufType::ALL.into_iter().zip(bounds) {
        let exported = workshop.export(&trained, &format!("gguf:{}", kind.name()), kind.name()).unwrap();
        let (before, after) = (numbers(&trained.merged), numbers(&opened(&exported.model)));
        let errors: Vec<f64> =
            before.iter().zip(&after).map(|((_, one), (_, other))| error(one, other)).collect();
        let (least, worst) =
            (errors.iter().copied().fold(1.0, f64::min), errors.iter().copied().fold(0.0, f64::max));
        println!("{}: {least:.5} to {worst:.5}, {} bytes", kind.name(), exported.bytes);
        assert!(worst <= most, "{}: {worst}", kind.name());
        assert!(verdicts(&exported).len() >= 8);
    }
}

#[test]
fn a_mixture_gives_more_bits_to_what_errors_harm_most() {
    let workshop = Workshop::of(&wide());
    let exported = workshop.export(&workshop.trained(&[]), "gguf:q4_k_m", "out").unwrap();
    let formats = formats(&exported.model);
    let of = |name: &str| formats[name];
    assert_eq!(of("token_embd.weight"), GgmlDType::Q4K);
    assert_eq!(of("output.weight"), GgmlDType::Q6K);
    assert_eq!(of("output_norm.weight"), GgmlDType::F32);
    assert_eq!(of("blk.3.attn_q.weight"), GgmlDType::Q4K);
    assert_eq!(of("blk.3.attn_q.bias"), GgmlDType::F32);
    // The first and last eighth of eight layers, and every third between.
    let more: Vec<usize> =
        (0..8).filter(|layer| of(&format!("blk.{layer}.attn_v.weight")) == GgmlDType::Q6K).collect();
    assert_eq!(more, [0, 3, 6, 7]);
    let more: Vec<usize> =
        (0..8).filter(|layer| of(&format!("blk.{layer}.ffn_down.weight")) == GgmlDType::Q6K).collect();
    assert_eq!(more, [0, 3, 6, 7]);
}

#[test]
fn rows_that_fill_no_large_blocks_take_the_next_format_of_small_ones() {
    let narrow = Tiny { hidden: 64, intermediate: 256, head_dim: 16, ..Tiny::new("llama") };
    let workshop = Workshop::of(&narrow);
    let trained = workshop.trained(&[]);
    for (kind, small, large, tied) in [
        ("q4_k_m", GgmlDType::Q5_0, GgmlDType::Q6K, GgmlDType::Q8_0),
        ("q5_k_m", GgmlDType::Q5_1, GgmlDType::Q6K, GgmlDType::Q8_0),
        ("q6_k", GgmlDType::Q8_0, GgmlDType::Q6K, GgmlDType::Q8_0),
        ("q4_0", GgmlDType::Q4_0, GgmlDType::Q4_0, GgmlDType::Q8_0),
    ] {
        let exported = workshop.export(&trained, &format!("gguf:{kind}"), kind).unwrap();
        let formats = formats(&exported.model);
        assert_eq!(formats["blk.1.attn_q.weight"], small, "{kind}");
        assert_eq!(formats["blk.1.ffn_down.weight"], large, "{kind}");
        assert_eq!(formats["token_embd.weight"], tied, "{kind}");
    }
    let odd = Tiny { hidden: 24, head_dim: 6, ..Tiny::new("llama") };
    let workshop = Workshop::of(&odd);
    let exported = workshop.export(&workshop.trained(&[]), "gguf:q8_0", "odd").unwrap();
    assert_eq!(formats_of_matrices(&exported.model), [GgmlDType::F16, GgmlDType::Q8_0]);
}

fn formats_of_matrices(path: &std::path::Path) -> Vec<GgmlDType> {
    let formats = formats(path);
    [&formats["blk.0.attn_q.weight"], &formats["blk.0.ffn_down.weight"]].map(|format| *format).to_vec()
}
