//! GGUF files (llama.cpp's format, versions 2 and 3): header, configuration, weights and tokenizer.

pub(crate) mod config;
pub(crate) mod keys;
pub(crate) mod names;
mod reader;
mod sentencepiece;
mod spaces;
pub(crate) mod tokenizer;
mod value;
mod weights;

use std::collections::BTreeMap;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::quantized::GgmlDType;

use super::on_disk::ModelFile;
use super::weights::Mapped;
pub use value::GgufValue;
pub(crate) use weights::GgufWeights;

/// An open GGUF file. Its header is read and checked; tensors stay on disk until they are asked for.
pub struct GgufFile {
    file: ModelFile,
    header: Header,
}

/// What stands before the tensors' bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    pub metadata: BTreeMap<String, GgufValue>,
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
    /// Opens the file and reads its header.
    ///
    /// # Errors
    /// Where it can't be opened, isn't a GGUF, is damaged or cut short, or holds a number format that isn't known.
    pub fn open(path: &Path) -> Result<Self> {
        let open = || -> Result<Self> {
            let file = ModelFile::open(path)?;
            let header = Header::read(&mut BufReader::with_capacity(1 << 20, file.reader()), file.length())?;
            Ok(Self { file, header })
        };
        open().with_context(|| format!("read model {}", path.display()))
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A tensor, to be read.
    pub(crate) fn mapped<'a>(&'a self, entry: &'a TensorEntry) -> Mapped<'a> {
        let TensorEntry { shape, format, start, size } = entry;
        Mapped { shape, format: *format, file: &self.file, start: *start, size: *size }
    }
}
