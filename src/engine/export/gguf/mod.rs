//! GGUF files: the model as llama.cpp and its kin read it, and an adapter by itself.

pub(super) mod adapter;
mod blocks;
mod keys;
mod mixture;
pub(super) mod quantise;
mod rotary;
mod split;
mod vocabulary;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::quantized::GgmlDType;

use super::progress::{ExportProgress, WrittenBytes};
use super::tensors::{self, FileTensor, NormForm};
use crate::model::files::ModelStorage;
use crate::model::gguf::{GgufFile, GgufValue, names};
use crate::model::weights::TensorRows;
use crate::model::{ModelConfig, OpenModel};
use dojo_core::ground::files::{Readers, WholeFile};
pub use mixture::GgufType;
use write::{Entries, PlannedTensor};

/// `general.quantization_version`: that of ggml's formats since 2023.
const QUANTIZATION_VERSION: i64 = 2;

/// Keys of a GGUF that say where it comes from, and hold after training too.
const ORIGIN: [&str; 6] = [
    "general.author",
    "general.organization",
    "general.license",
    "general.license.name",
    "general.license.link",
    "general.languages",
];

/// A GGUF that can be written from its beginning to its end.
pub(super) struct GgufPlan {
    entries: Entries,
    tensors: Vec<(PlannedTensor, TensorOrigin)>,
}

enum TensorOrigin {
    Model { tensor: FileTensor, rows: TensorRows },
    Given(Vec<f32>),
}

impl GgufPlan {
    /// # Errors
    /// If llama.cpp doesn't know the model's kind, or a part of it has no place in a GGUF.
    pub(super) fn of(model: &OpenModel, kind: GgufType, name: &str) -> Result<Self> {
        let rotary = rotary::of(model)?;
        let mut entries = general(model, kind, name)?;
        entries.extend(keys::of(&model.config)?);
        entries.extend(rotary.entries);
        entries.extend(vocabulary::of(model)?);
        let given = rotary.tensors.into_iter().map(|(name, numbers)| {
            let planned = PlannedTensor { name, shape: vec![numbers.len()], format: GgmlDType::F32 };
            (planned, TensorOrigin::Given(numbers))
        });
        let mut planned: Vec<_> = given.collect();
        for tensor in tensors::all(&model.config) {
            let (name, rows) = place(&tensor, &model.config)?;
            let format = kind.of(&tensor, &name, &model.config);
            let shape = tensor.shape();
            planned.push((PlannedTensor { name, shape, format }, TensorOrigin::Model { tensor, rows }));
        }
        Ok(Self { entries: once_each(entries), tensors: planned })
    }

    /// Whether readers put the beginning token before a prompt by themselves.
    pub(super) fn begins_with_bos(&self) -> bool {
        self.entries
            .iter()
            .any(|(key, value)| key == "tokenizer.ggml.add_bos_token" && *value == GgufValue::Bool(true))
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> Result<u64> {
        let planned: Vec<PlannedTensor> = self.tensors.iter().map(|(planned, _)| planned.clone()).collect();
        let header = write::header(&self.entries, &planned)?.len() as u64;
        let sizes = planned.iter().map(|tensor| Ok(tensor.bytes()? as u64));
        Ok(header + sizes.sum::<Result<u64>>()?)
    }

    /// Writes the file, a tensor at a time.
    ///
    /// # Errors
    /// If a tensor can't be read or the disk is full.
    pub(super) fn write(
        &self,
        model: &OpenModel,
        path: &Path,
        progress: &mut dyn ExportProgress,
    ) -> Result<()> {
        self.write_all(model, path, progress).with_context(|| format!("write {}", path.display()))
    }

    fn write_all(&self, model: &OpenModel, path: &Path, progress: &mut dyn ExportProgress) -> Result<()> {
        let mut file = WrittenBytes::new(WholeFile::create(path, Readers::Anybody)?, progress);
        let planned: Vec<PlannedTensor> = self.tensors.iter().map(|(planned, _)| planned.clone()).collect();
        std::io::Write::write_all(&mut file, &write::header(&self.entries, &planned)?)?;
        for (planned, origin) in &self.tensors {
            let numbers = match origin {
                TensorOrigin::Given(numbers) => numbers.clone(),
                TensorOrigin::Model { tensor, rows } => {
                    arranged(tensor.read(model, NormForm::Whole)?, rows, &planned.shape)
                }
            };
            let bytes = quantise::encode(planned.format, &numbers);
            let bytes = bytes.with_context(|| format!("write {}", planned.name))?;
            drop(numbers);
            write::tensor(&mut file, planned, &bytes)?;
            file.go_on()?;
        }
        Ok(file.into_inner().finish()?)
    }
}

/// The format of each tensor of the model, by the name that `Weights` knows.
pub(super) fn formats(config: &ModelConfig, kind: GgufType) -> Result<BTreeMap<String, GgmlDType>> {
    let mut formats = BTreeMap::new();
    for tensor in tensors::all(config) {
        let format = kind.of(&tensor, &place(&tensor, config)?.0, config);
        formats.extend(tensor.parts.into_iter().map(|part| (part.name, format)));
    }
    Ok(formats)
}

/// Its name in a GGUF, and the order of its rows there.
fn place(tensor: &FileTensor, config: &ModelConfig) -> Result<(String, TensorRows)> {
    let part = tensor.parts.first().context("a tensor has no parts")?;
    let source = names::source(config, &part.name);
    let source = source.with_context(|| format!("a GGUF has no name for {}", part.name))?;
    let rows = match source.rows {
        TensorRows::Range { .. } => TensorRows::All,
        rows @ (TensorRows::All | TensorRows::Interleaved { .. }) => rows,
    };
    Ok((source.tensor, rows))
}

/// Rows as a GGUF has them: row `s * half + i` of a head comes to `2i + s`, since ggml rotates neighbours there.
fn arranged(numbers: Vec<f32>, rows: &TensorRows, shape: &[usize]) -> Vec<f32> {
    let TensorRows::Interleaved { heads } = rows else { return numbers };
    let count = shape.first().copied().unwrap_or(1);
    let width = numbers.len() / count.max(1);
    let half = count / heads.max(&1) / 2 * width;
    let mut out = Vec::with_capacity(numbers.len());
    for head in numbers.chunks(2 * half.max(1)) {
        let (first, second) = head.split_at(half.min(head.len()));
        for (one, other) in first.chunks(width.max(1)).zip(second.chunks(width.max(1))) {
            out.extend_from_slice(one);
            out.extend_from_slice(other);
        }
    }
    out
}

fn general(model: &OpenModel, kind: GgufType, name: &str) -> Result<Entries> {
    let text = |text: &str| GgufValue::Text(text.to_owned());
    let mut entries = vec![
        ("general.architecture".to_owned(), text(keys::prefix(&model.config))),
        ("general.type".to_owned(), text("model")),
        ("general.name".to_owned(), text(name)),
        ("general.file_type".to_owned(), GgufValue::Integer(kind.number())),
        ("general.quantization_version".to_owned(), GgufValue::Integer(QUANTIZATION_VERSION)),
    ];
    if let ModelStorage::Gguf(path) = &model.files.form {
        let file = GgufFile::open(path)?;
        let kept = ORIGIN
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), file.header().metadata.get(*key)?.clone())));
        entries.extend(kept);
    }
    Ok(entries)
}

/// Of entries of one key the last.
fn once_each(entries: Entries) -> Entries {
    let mut kept: Entries = Vec::new();
    for (key, value) in entries {
        match kept.iter_mut().find(|(known, _)| *known == key) {
            Some(entry) => entry.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept
}

/// What llama.cpp doesn't compute as it is computed here.
pub(super) fn notices(config: &ModelConfig) -> Vec<String> {
    keys::notices(config)
}
