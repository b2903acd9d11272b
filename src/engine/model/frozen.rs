//! Frozen matrices as they are held in memory: numbers, a file's own blocks, or NF4; expanded when they are needed.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::blocks;
use super::nf4::Nf4;
use super::weights::{SharedMatrix, Stored, Weights};
use dojo_core::domain::recipe::BaseFormat;

/// Matrices of one width below one another.
#[derive(Debug, Clone)]
pub enum Frozen {
    F32(Vec<f32>),
    Stored(Vec<StoredPart>),
    Nf4(Vec<Nf4>),
    /// As generation holds them.
    Shared(Vec<Arc<dyn SharedMatrix>>),
}

/// One matrix in the blocks of its file.
#[derive(Debug, Clone)]
pub struct StoredPart {
    blocks: Stored,
    length: usize,
}

impl StoredPart {
    /// The matrix as its file holds it, and how many numbers it has.
    pub(crate) fn stored(&self) -> (&Stored, usize) {
        (&self.blocks, self.length)
    }
}

impl Frozen {
    /// Reads tensors, each a name and a shape of (rows, columns), one after the other.
    ///
    /// # Errors
    /// As [`Weights::f32`].
    pub fn read(weights: &dyn Weights, tensors: &[(String, [usize; 2])], format: BaseFormat) -> Result<Self> {
        let shared = || tensors.iter().map(|(name, shape)| weights.shared(name, shape)).collect();
        if format != BaseFormat::Nf4
            && let Some(parts) = shared()
        {
            return Ok(Self::Shared(parts));
        }
        Ok(match format {
            BaseFormat::F32 => {
                let mut numbers = Vec::new();
                for (name, shape) in tensors {
                    let tensor = weights.f32(name, shape)?;
                    if numbers.is_empty() { numbers = tensor } else { numbers.extend(tensor) }
                }
                Self::F32(numbers)
            }
            BaseFormat::Stored => {
                let parts = tensors.iter().map(|(name, shape)| {
                    let length = shape.iter().product();
                    Ok(StoredPart { blocks: weights.stored(name, shape)?, length })
                });
                Self::Stored(parts.collect::<Result<_>>()?)
            }
            BaseFormat::Nf4 => {
                let parts = tensors.iter().map(|(name, shape)| Ok(Nf4::quantise(&weights.f32(name, shape)?)));
                Self::Nf4(parts.collect::<Result<_>>()?)
            }
        })
    }

    /// How many numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(numbers) => numbers.len(),
            Self::Stored(parts) => parts.iter().map(|part| part.length).sum(),
            Self::Nf4(parts) => parts.iter().map(Nf4::len).sum(),
            Self::Shared(parts) => parts.iter().map(|part| part.count()).sum(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::F32(numbers) => size_of_val(numbers.as_slice()),
            Self::Stored(parts) => parts.iter().map(|part| part.blocks.bytes.len()).sum(),
            Self::Nf4(parts) => parts.iter().map(Nf4::bytes).sum(),
            Self::Shared(parts) => parts.iter().map(|part| part.size()).sum(),
        }
    }

    /// The numbers, row by row. Where they aren't held as such, they are expanded into `buffer`, on all threads.
    pub fn numbers<'a>(&'a self, buffer: &'a mut Vec<f32>) -> &'a [f32] {
        if let Self::F32(numbers) = self {
            return numbers;
        }
        let length = self.len();
        if buffer.len() < length {
            buffer.resize(length, 0.0);
        }
        let out = &mut buffer[..length];
        if self.expand(out).is_err() {
            // Sizes and formats were checked when the tensors were read; NaN would stop a run all the same.
            out.fill(f32::NAN);
        }
        out
    }

    /// Writes the numbers into a buffer of the same length, on all threads.
    ///
    /// # Errors
    /// Where the length is another.
    pub fn expand(&self, out: &mut [f32]) -> Result<()> {
        ensure!(out.len() == self.len(), "{} values don't fit into {}", self.len(), out.len());
        match self {
            Self::F32(numbers) => out.copy_from_slice(numbers),
            Self::Stored(parts) => {
                let mut rest = out;
                for part in parts {
                    let (mine, others) = rest.split_at_mut(part.length);
                    blocks::expand(part.blocks.format, &part.blocks.bytes, mine)?;
                    rest = others;
                }
            }
            Self::Nf4(parts) => {
                let mut rest = out;
                for part in parts {
                    let (mine, others) = rest.split_at_mut(part.len());
                    part.expand(mine)?;
                    rest = others;
                }
            }
            Self::Shared(parts) => {
                let mut rest = out;
                for part in parts {
                    let (mine, others) = rest.split_at_mut(part.count());
                    part.expand(mine);
                    rest = others;
                }
            }
        }
        Ok(())
    }
}
