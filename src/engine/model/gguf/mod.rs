//! GGUF files (llama.cpp's format, versions 2 and 3): header, configuration, weights and tokenizer, over a memory map.

pub(crate) mod config;
mod names;
mod reader;
mod sentencepiece;
mod spaces;
pub(crate) mod tokenizer;
mod value;
mod weights;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use candle_core::quantized::GgmlDType;
use memmap2::Mmap;

pub use value::Value;
pub(crate) use weights::GgufWeights;

/// An open GGUF file. Its header is read and checked; tensors stay on disk until they are asked for.
pub struct GgufFile {
    path: PathBuf,
    map: Mmap,
    header: Header,
}

/// What stands before the tensors' bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    pub metadata: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, TensorEntry>,
}

/// A tensor's place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorEntry {
    /// Rows first: the reverse of the order in the file.
    pub shape: Vec<usize>,
    pub format: GgmlDType,
    /// Where its bytes start, from the start of the file.
    pub start: usize,
    /// How many bytes it has.
    pub size: usize,
}

impl GgufFile {
    /// Maps the file and reads its header.
    ///
    /// # Errors
    /// Where it can't be opened, isn't a GGUF, is damaged or cut short, or holds a number format that isn't known.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> Result<Self> {
            let file = File::open(path)?;
            // SAFETY: the map is read-only; like every program that maps its model, this one relies on nobody
            // cutting the file short while it is in use (pulled files are replaced by renaming, never rewritten).
            let map = unsafe { Mmap::map(&file)? };
            let header = Header::parse(&map)?;
            Ok(Self { path: path.to_path_buf(), map, header })
        };
        open().with_context(|| format!("read model {}", path.display()))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A tensor's bytes.
    pub(crate) fn bytes(&self, entry: &TensorEntry) -> Result<&[u8]> {
        let end = entry.start.saturating_add(entry.size);
        self.map.get(entry.start..end).with_context(|| format!("{} is cut short", self.path.display()))
    }
}
