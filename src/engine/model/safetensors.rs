//! One safetensors file: f32, f16 and bf16 tensors by name. The header is checked by the `safetensors` crate.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use candle_core::quantized::GgmlDType;
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::on_disk::ModelFile;
use super::weights::Mapped;
use dojo_core::domain::name;

pub(crate) struct SafetensorsFile {
    file: ModelFile,
    /// Bytes before the first tensor.
    data: usize,
    entries: BTreeMap<String, Entry>,
}

/// Longer headers than this are no model's: a thousand layers' is a megabyte.
const MOST_HEADER: u64 = 32 << 20;

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
            let file = ModelFile::open(path)?;
            let length = usize::try_from(file.length())?;
            let (header, metadata) = read_header(&file)?;
            let data = header.checked_add(8).context("it is damaged")?;
            let entries: BTreeMap<String, Entry> = metadata
                .tensors()
                .into_iter()
                .map(|(name, info)| {
                    let (start, end) = info.data_offsets;
                    (name, Entry { shape: info.shape.clone(), dtype: info.dtype, start, end })
                })
                .collect();
            let last = metadata.data_len();
            ensure!(
                data.checked_add(last).is_some_and(|end| end == length),
                "it is damaged or cut short: its tensors end at byte {}, the file at {length}",
                data.saturating_add(last)
            );
            // A dimension of 0 would hide how large the others are.
            let mut shapes = entries.iter().map(|(name, entry)| (name, &entry.shape));
            let damaged = shapes.find(|(_, shape)| {
                let numbers = shape.iter().try_fold(1_usize, |all, &size| all.checked_mul(size.max(1)));
                numbers.is_none()
            });
            if let Some((tensor, shape)) = damaged {
                bail!("it is damaged: {} has the shape {shape:?}", name::shown(tensor));
            }
            Ok(Self { file, data, entries })
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
        let (start, size) = (self.data + entry.start, entry.end - entry.start);
        Ok(Mapped { shape: &entry.shape, format, file: &self.file, start, size })
    }
}

/// The bytes of the header, and what it says.
fn read_header(file: &ModelFile) -> Result<(usize, Metadata)> {
    ensure!(file.length() >= 8, "it is damaged or cut short: it has {} bytes", file.length());
    let mut size = [0; 8];
    file.reader().read_exact(&mut size)?;
    let size = u64::from_le_bytes(size);
    ensure!(
        size <= file.length() - 8,
        "it is damaged or cut short: its header claims {size} bytes, the file has {}",
        file.length()
    );
    ensure!(size <= MOST_HEADER, "its header has {size} bytes, more than any model's ({MOST_HEADER})");
    let bytes = file.read(0, size as usize + 8)?;
    let header = bytes.get(8..).unwrap_or_default();
    let metadata = serde_json::from_slice(header).map_err(|error| {
        anyhow::anyhow!("it is damaged or cut short ({})", name::one_line(&error.to_string()))
    })?;
    Ok((header.len(), metadata))
}
