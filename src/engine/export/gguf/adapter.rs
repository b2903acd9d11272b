//! An adapter by itself as llama.cpp loads it beside its base (`--lora`).

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::quantized::GgmlDType;

use super::write::{self, PlannedTensor};
use super::{arranged, keys, names, quantise};
use crate::adapter::Adapter;
use crate::model::ModelConfig;
use crate::model::gguf::GgufValue;
use crate::model::weights::TensorRows;
use dojo_core::ground::files::{Readers, WholeFile};

/// Writes it in f32.
///
/// # Errors
/// If it trains more than low-rank matrices, which llama.cpp's adapters are, or the disk is full.
pub(crate) fn write(adapter: &Adapter, config: &ModelConfig, path: &Path) -> Result<()> {
    adapter.refuse_all_but_low_rank("an adapter in a GGUF")?;
    let text = |text: &str| GgufValue::Text(text.to_owned());
    // llama.cpp divides by the rank of each matrix.
    let alpha = adapter.config.scale() * adapter.config.r as f32;
    let entries = vec![
        ("general.architecture".to_owned(), text(keys::prefix(config))),
        ("general.type".to_owned(), text("adapter")),
        ("general.base_model.count".to_owned(), GgufValue::Integer(1)),
        ("general.base_model.0.name".to_owned(), text(&adapter.base)),
        ("adapter.type".to_owned(), text("lora")),
        ("adapter.lora.alpha".to_owned(), GgufValue::Float(f64::from(alpha))),
    ];
    let mut tensors = Vec::new();
    for linear in adapter.linears(config)? {
        let first = linear.parts.first().context("a linear layer has no parts")?;
        let source = names::source(
            config,
            &format!("model.layers.{}.{}.{}.weight", linear.layer, first.block(), first.name()),
        );
        let source = source.with_context(|| format!("a GGUF has no name for {}", linear.path))?;
        let rows = if linear.parts.len() > 1 { TensorRows::All } else { source.rows };
        // A fused layer's rank is that of its parts together.
        let more = linear.rank as f32 / adapter.config.r as f32;
        let b: Vec<f32> = linear.b.iter().map(|number| number * more).collect();
        let shape = vec![linear.outputs, linear.rank];
        let b = arranged(b, &rows, &shape);
        let planned = |end: &str, shape| PlannedTensor {
            name: format!("{}.lora_{end}", source.tensor),
            shape,
            format: GgmlDType::F32,
        };
        tensors.push((planned("a", vec![linear.rank, linear.inputs]), linear.a));
        tensors.push((planned("b", shape), b));
    }
    let planned: Vec<PlannedTensor> = tensors.iter().map(|(planned, _)| planned.clone()).collect();
    let write = || -> Result<()> {
        let mut file = WholeFile::create(path, Readers::Anybody)?;
        file.write_all(&write::header(&entries, &planned)?)?;
        for (planned, numbers) in &tensors {
            write::tensor(&mut file, planned, &quantise::encode(planned.format, numbers)?)?;
        }
        Ok(file.finish()?)
    };
    write().with_context(|| format!("write {}", path.display()))
}
