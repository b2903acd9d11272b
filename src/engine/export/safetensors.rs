//! Safetensors files, written from their beginning to their end: the header is known before the first number is read.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::quantized::GgmlDType;
use serde_json::{Map, Value, json};

use super::gguf::quantise::encode;
use super::progress::{ExportProgress, WrittenBytes};
use super::tensors::{self, FileTensor, NormForm};
use crate::model::OpenModel;
use crate::model::blocks::size_in_bytes;
use dojo_core::ground::files::{Readers, WholeFile, write_atomically};

/// A file is no larger than this, as transformers cuts them.
const MOST_BYTES: u64 = 5_000_000_000;

/// A tensor that is going to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedNumbers {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) format: GgmlDType,
}

impl PlannedNumbers {
    fn bytes(&self) -> Result<u64> {
        let size = size_in_bytes(self.format, self.shape.iter().product());
        Ok(size.with_context(|| format!("{} has no size", self.name))? as u64)
    }
}

/// The length of the header, and the header, filled up to a multiple of eight.
pub(super) fn header(planned: &[PlannedNumbers]) -> Result<Vec<u8>> {
    let mut entries = Map::new();
    entries.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut start = 0;
    for tensor in planned {
        let end = start + tensor.bytes()?;
        let dtype = match tensor.format {
            GgmlDType::F32 => "F32",
            GgmlDType::F16 => "F16",
            GgmlDType::BF16 => "BF16",
            other => bail!("safetensors have no {other:?}"),
        };
        let entry = json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [start, end]});
        entries.insert(tensor.name.clone(), entry);
        start = end;
    }
    let mut text = serde_json::to_vec(&Value::Object(entries))?;
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text);
    Ok(bytes)
}

/// A model's tensors in one file or several.
pub(super) struct ModelShards {
    shards: Vec<Vec<(PlannedNumbers, FileTensor)>>,
}

impl ModelShards {
    pub(super) fn of(model: &OpenModel, format: GgmlDType) -> Result<Self> {
        let mut shards: Vec<Vec<(PlannedNumbers, FileTensor)>> = vec![Vec::new()];
        let mut size = 0;
        for tensor in tensors::all(&model.config) {
            let planned = PlannedNumbers { name: tensor.name.clone(), shape: tensor.shape(), format };
            let bytes = planned.bytes()?;
            if size > 0 && size + bytes > MOST_BYTES {
                shards.push(Vec::new());
                size = 0;
            }
            size += bytes;
            if let Some(last) = shards.last_mut() {
                last.push((planned, tensor));
            }
        }
        Ok(Self { shards })
    }

    /// Bytes of the tensors.
    pub(super) fn bytes(&self) -> Result<u64> {
        self.shards.iter().flatten().map(|(planned, _)| planned.bytes()).sum()
    }

    /// Writes the files, and an index if there are several.
    ///
    /// # Errors
    /// If a tensor can't be read or the disk is full.
    pub(super) fn write(
        &self,
        model: &OpenModel,
        folder: &Path,
        progress: &mut dyn ExportProgress,
    ) -> Result<()> {
        let count = self.shards.len();
        let mut places = Map::new();
        for (place, shard) in self.shards.iter().enumerate() {
            let name = match count {
                1 => "model.safetensors".to_owned(),
                _ => format!("model-{:05}-of-{count:05}.safetensors", place + 1),
            };
            places.extend(shard.iter().map(|(planned, _)| (planned.name.clone(), Value::from(name.clone()))));
            let path = folder.join(name);
            write_shard(shard, model, &path, progress)
                .with_context(|| format!("write {}", path.display()))?;
        }
        if count == 1 {
            return Ok(());
        }
        let index = json!({"metadata": {"total_size": self.bytes()?}, "weight_map": places});
        write_atomically(&folder.join("model.safetensors.index.json"), &serde_json::to_vec_pretty(&index)?)
    }
}

fn write_shard(
    shard: &[(PlannedNumbers, FileTensor)],
    model: &OpenModel,
    path: &Path,
    progress: &mut dyn ExportProgress,
) -> Result<()> {
    let planned: Vec<PlannedNumbers> = shard.iter().map(|(planned, _)| planned.clone()).collect();
    let mut file = WrittenBytes::new(WholeFile::create(path, Readers::Anybody)?, progress);
    file.write_all(&header(&planned)?)?;
    for (planned, tensor) in shard {
        let bytes = encode(planned.format, &tensor.read(model, NormForm::Offset)?);
        file.write_all(&bytes.with_context(|| format!("write {}", planned.name))?)?;
        file.go_on()?;
    }
    Ok(file.into_inner().finish()?)
}
