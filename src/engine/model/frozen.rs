//! A frozen weight as it is held in memory: numbers, a file's own blocks, or NF4; expanded when it is needed.

use anyhow::Result;

use super::blocks;
use super::nf4::Nf4;
use super::weights::{Stored, Weights};

/// How frozen weights are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// Expanded once, 4 bytes a number.
    Numbers,
    /// In the blocks of the file (a GGUF's quantised ones, or 16-bit floats).
    AsStored,
    /// In NF4 with double quantisation, from any source.
    Nf4,
}

/// One frozen tensor.
#[derive(Debug, Clone)]
pub enum Frozen {
    Numbers(Vec<f32>),
    Stored { blocks: Stored, length: usize },
    Nf4(Nf4),
}

impl Frozen {
    /// Reads a tensor.
    ///
    /// # Errors
    /// As [`Weights::f32`].
    pub fn read(weights: &dyn Weights, name: &str, shape: &[usize], holding: Holding) -> Result<Self> {
        Ok(match holding {
            Holding::Numbers => Self::Numbers(weights.f32(name, shape)?),
            Holding::AsStored => {
                Self::Stored { blocks: weights.stored(name, shape)?, length: shape.iter().product() }
            }
            Holding::Nf4 => Self::Nf4(Nf4::quantise(&weights.f32(name, shape)?)),
        })
    }

    /// How many numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Stored { length, .. } => *length,
            Self::Nf4(numbers) => numbers.len(),
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
            Self::Numbers(numbers) => size_of_val(numbers.as_slice()),
            Self::Stored { blocks, .. } => blocks.bytes.len(),
            Self::Nf4(numbers) => numbers.bytes(),
        }
    }

    /// Writes the numbers into a buffer of the same length, on all threads.
    ///
    /// # Errors
    /// Where the length is another.
    pub fn expand(&self, out: &mut [f32]) -> Result<()> {
        match self {
            Self::Numbers(numbers) => {
                anyhow::ensure!(
                    out.len() == numbers.len(),
                    "{} numbers don't fit into {}",
                    numbers.len(),
                    out.len()
                );
                out.copy_from_slice(numbers);
                Ok(())
            }
            Self::Stored { blocks, .. } => blocks::expand(blocks.format, &blocks.bytes, out),
            Self::Nf4(numbers) => numbers.expand(out),
        }
    }
}
