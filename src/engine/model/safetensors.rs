//! One mapped safetensors file: f32, f16 and bf16 tensors by name. The header is checked by the `safetensors` crate.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::quantized::GgmlDType;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use super::weights::Mapped;

pub(crate) struct SafetensorsFile {
    path: PathBuf,
    map: Mmap,
    /// Bytes before the first tensor.
    data: usize,
    entries: BTreeMap<String, Entry>,
}

/// A tensor's place, from the first tensor on.
pub(crate) struct Entry {
    shape: Vec<usize>,
    dtype: Dtype,
    start: usize,
    end: usize,
}

impl Entry {
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }
}

impl SafetensorsFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let open = || -> Result<Self> {
            let file = File::open(path)?;
            // SAFETY: the map is read-only, and files are replaced by renaming, never rewritten, while in use.
            let map = unsafe { Mmap::map(&file)? };
            let (header, metadata) = SafeTensors::read_metadata(&map)
                .map_err(|error| anyhow::anyhow!("it is damaged or cut short ({error})"))?;
            let data = header.checked_add(8).context("it is damaged")?;
            let entries: BTreeMap<String, Entry> = metadata
                .tensors()
                .into_iter()
                .map(|(name, info)| {
                    let (start, end) = info.data_offsets;
                    (name, Entry { shape: info.shape.clone(), dtype: info.dtype, start, end })
                })
                .collect();
            let last = entries.values().map(|entry| entry.end).max().unwrap_or(0);
            ensure!(
                data.checked_add(last).is_some_and(|end| end <= map.len()),
                "it is cut short: its tensors end at byte {}, the file at {}",
                data.saturating_add(last),
                map.len()
            );
            Ok(Self { path: path.to_path_buf(), map, data, entries })
        };
        open().with_context(|| format!("read {}", path.display()))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    pub(crate) fn mapped<'a>(&'a self, entry: &'a Entry) -> Result<Mapped<'a>> {
        let format = match entry.dtype {
            Dtype::F32 => GgmlDType::F32,
            Dtype::F16 => GgmlDType::F16,
            Dtype::BF16 => GgmlDType::BF16,
            other => bail!("its number type, {other:?}, isn't supported (known: F32, F16, BF16)"),
        };
        let bytes = self.map.get(self.data + entry.start..self.data + entry.end);
        let bytes = bytes.with_context(|| format!("{} is cut short", self.path.display()))?;
        Ok(Mapped { shape: &entry.shape, format, bytes })
    }
}
