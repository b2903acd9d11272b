//! A frozen matrix: as f32, or in the blocks of its file, expanded into a reused buffer when it is needed.

use anyhow::Result;

use crate::engine::model::weights::Stored;
use crate::engine::model::{Weights, blocks};

/// How the frozen base is held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BaseFormat {
    #[default]
    F32,
    /// As the file stores it (a GGUF's own blocks, or half floats), expanded one matrix at a time (Dettmers et al.
    /// 2023, with ggml's formats).
    Stored,
}

/// Matrices below one another, (rows, columns) together.
pub(super) enum Frozen {
    F32(Vec<f32>),
    Stored { parts: Vec<(Stored, usize)> },
}

impl Frozen {
    /// Reads tensors of the same width and puts them below one another; `shapes` are (rows, columns).
    pub(super) fn read(
        weights: &dyn Weights,
        tensors: &[(String, [usize; 2])],
        format: BaseFormat,
    ) -> Result<Self> {
        match format {
            BaseFormat::F32 => {
                let mut numbers = Vec::new();
                for (name, shape) in tensors {
                    let tensor = weights.f32(name, shape)?;
                    if numbers.is_empty() { numbers = tensor } else { numbers.extend(tensor) }
                }
                Ok(Self::F32(numbers))
            }
            BaseFormat::Stored => {
                let read = |(name, shape): &(String, [usize; 2])| {
                    Ok((weights.stored(name, shape)?, shape[0] * shape[1]))
                };
                Ok(Self::Stored { parts: tensors.iter().map(read).collect::<Result<_>>()? })
            }
        }
    }

    /// The numbers, row by row; `expanded` is scratch space that they may stand in.
    pub(super) fn numbers<'a>(&'a self, expanded: &'a mut Vec<f32>) -> &'a [f32] {
        let parts = match self {
            Self::F32(numbers) => return numbers,
            Self::Stored { parts } => parts,
        };
        let total = parts.iter().map(|(_, count)| count).sum();
        if expanded.len() < total {
            expanded.resize(total, 0.0);
        }
        let mut start = 0;
        for (stored, count) in parts {
            let out = &mut expanded[start..start + count];
            if blocks::expand(stored.format, &stored.bytes, out).is_err() {
                // Sizes and format were checked when the tensor was read; NaN would stop the run all the same.
                out.fill(f32::NAN);
            }
            start += count;
        }
        &expanded[..total]
    }
}
