//! A model's tensors by their Hugging Face names, from whichever file they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::quantized::GgmlDType;

use super::blocks;
use super::on_disk::ModelFile;
use dojo_core::ground::hash;

/// Reads tensors by Hugging Face names (`model.layers.0.self_attn.q_proj.weight`, `model.embed_tokens.weight`,
/// `lm_head.weight`, ...). A GGUF's names are translated, and its q and k rows put back in Hugging Face's rotary
/// order, so that no caller ever sees ggml's layout. Fused tensors (Phi-3) are read by the names of their parts.
pub trait Weights: Send + Sync {
    /// Whether the tensor is there.
    fn has(&self, name: &str) -> bool;

    /// The tensor's shape, where it is there and known without reading it.
    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let _ = name;
        None
    }

    /// The tensor as f32, row by row, after checking its shape.
    ///
    /// # Errors
    /// Where it is missing, has another shape, or the file is damaged; the message names tensor and file.
    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>>;

    /// The tensor as it is stored: its blocks, row by row, in Hugging Face's row order; and their type.
    ///
    /// # Errors
    /// As [`Weights::f32`].
    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored>;

    /// The tensor as another part of the program holds it in memory, so that there is one copy; none if nobody does.
    fn shared(&self, name: &str, shape: &[usize]) -> Option<Arc<dyn SharedMatrix>> {
        let _ = (name, shape);
        None
    }

    /// Tensors of the file, by their names in it, that none of these is read from; none where there is no file.
    fn unread(&self, read: &BTreeSet<String>) -> Vec<String> {
        let _ = read;
        Vec::new()
    }

    /// A hash of each tensor's shape, number type and a sample of its bytes, by its name in the file; none where there
    /// is no file.
    ///
    /// # Errors
    /// Where the file can't be read.
    fn samples(&self) -> Result<BTreeMap<String, u64>> {
        Ok(BTreeMap::new())
    }
}

/// A matrix in somebody else's layout.
pub trait SharedMatrix: Send + Sync + std::fmt::Debug {
    /// How many numbers.
    fn count(&self) -> usize;

    /// Bytes in memory.
    fn size(&self) -> usize;

    /// Writes all numbers, row by row, on all threads; `out` has room for as many.
    fn expand(&self, out: &mut [f32]);
}

/// A tensor's bytes in one of ggml's formats (plain F32, F16 and BF16 among them).
#[derive(Debug, Clone)]
pub struct Stored {
    pub format: GgmlDType,
    pub bytes: Vec<u8>,
}

/// Which tensor of a file a Hugging Face tensor is read from, and which of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorSource {
    pub(crate) tensor: String,
    pub(crate) rows: TensorRows,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TensorRows {
    All,
    /// So many from the first one on: a part of a fused tensor.
    Range {
        first: usize,
        count: usize,
    },
    /// Each head's rows stand interleaved: row `2i + s` of a head is Hugging Face's row `s * half + i`.
    Interleaved {
        heads: usize,
    },
}

impl TensorSource {
    pub(crate) fn whole(tensor: impl Into<String>) -> Self {
        Self { tensor: tensor.into(), rows: TensorRows::All }
    }

    pub(crate) fn rows(tensor: String, first: usize, count: usize) -> Self {
        Self { tensor, rows: TensorRows::Range { first, count } }
    }
}

/// A tensor as it lies in a file.
pub(crate) struct Mapped<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) format: GgmlDType,
    pub(crate) file: &'a ModelFile,
    /// Where its bytes start in the file, and how many they are.
    pub(crate) start: usize,
    pub(crate) size: usize,
}

/// Rows are expanded in pieces of about so many stored bytes, so that a tensor isn't in memory twice.
const PIECE: usize = 16 << 20;

/// A sample of a tensor is so many pieces, and the bytes of each: the first, the last, and others between.
const SAMPLES: usize = 16;
const SAMPLE: usize = 4 << 10;

impl Mapped<'_> {
    /// Whether another tensor has the same shape and numbers.
    pub(crate) fn equals(&self, other: &Self) -> Result<bool> {
        if self.shape != other.shape {
            return Ok(false);
        }
        if self.format == other.format {
            return self.has_bytes_of(other);
        }
        Ok(self.expand(&TensorRows::All, self.shape)? == other.expand(&TensorRows::All, other.shape)?)
    }

    /// A hash of its shape, its number type and a sample of its bytes; of all of them, where it is small.
    pub(crate) fn sample(&self) -> Result<u64> {
        let mut bytes = format!("{:?} {:?}", self.shape, self.format).into_bytes();
        if self.size <= SAMPLES * SAMPLE {
            bytes.extend(self.file.read(self.start, self.size)?);
        } else {
            for piece in 0..SAMPLES {
                let at = (self.size - SAMPLE) / (SAMPLES - 1) * piece;
                let at = if piece + 1 == SAMPLES { self.size - SAMPLE } else { at };
                bytes.extend(self.file.read(self.start + at, SAMPLE)?);
            }
        }
        Ok(hash::of_bytes(&bytes))
    }

    fn has_bytes_of(&self, other: &Self) -> Result<bool> {
        let mut done = 0;
        while done < self.size.max(other.size) {
            let size = PIECE.min(self.size.saturating_sub(done));
            let pieces = [(self, size), (other, PIECE.min(other.size.saturating_sub(done)))];
            let [one, two] = pieces.map(|(tensor, size)| tensor.file.read(tensor.start + done, size));
            if one? != two? {
                return Ok(false);
            }
            done += PIECE;
        }
        Ok(true)
    }

    /// The chosen rows as f32.
    pub(crate) fn expand(&self, rows: &TensorRows, shape: &[usize]) -> Result<Vec<f32>> {
        let chosen = self.choose(rows, shape)?;
        let width = shape.iter().skip(1).fold(1_usize, |all, &size| all.saturating_mul(size));
        let mut numbers = vec![0.0; shape.iter().product()];
        let rows_at_once = (PIECE / chosen.row.max(1)).max(1);
        let piece = rows_at_once * width.max(1);
        let mut start = chosen.start;
        for numbers in numbers.chunks_mut(piece) {
            let size = numbers.len() / width.max(1) * chosen.row;
            blocks::expand(self.format, &self.file.read(start, size)?, numbers)?;
            start += size;
        }
        Ok(match rows {
            TensorRows::All | TensorRows::Range { .. } => numbers,
            TensorRows::Interleaved { heads } => halves_first(&numbers, *heads, width),
        })
    }

    /// The chosen rows as they are stored.
    pub(crate) fn copy(&self, rows: &TensorRows, shape: &[usize]) -> Result<Stored> {
        let ChosenRows { start, row, count } = self.choose(rows, shape)?;
        let bytes = self.file.read(start, row * count)?;
        let bytes = match rows {
            TensorRows::All | TensorRows::Range { .. } => bytes,
            TensorRows::Interleaved { heads } => halves_first(&bytes, *heads, row),
        };
        Ok(Stored { format: self.format, bytes })
    }

    /// Where the rows lie that are asked for, after checking that they have the expected shape.
    fn choose(&self, rows: &TensorRows, shape: &[usize]) -> Result<ChosenRows> {
        let all = self.shape.first().copied().unwrap_or(1);
        let (first, count) = match rows {
            TensorRows::All => (0, all),
            TensorRows::Range { first, count } => (*first, *count),
            TensorRows::Interleaved { heads } => {
                ensure!(
                    *heads > 0 && all.is_multiple_of(2 * heads),
                    "{all} rows can't be split into {heads} heads of even size"
                );
                (0, all)
            }
        };
        let found = shape_of(self.shape, rows);
        ensure!(first + count <= all && found == shape, "its shape is {:?}, expected {shape:?}", self.shape);
        ensure!(all > 0 && self.size.is_multiple_of(all), "its rows are no whole blocks");
        let row = self.size / all;
        Ok(ChosenRows { start: self.start + first * row, row, count })
    }
}

/// Rows of a tensor: where the first one starts in the file, the bytes of each, and how many they are.
struct ChosenRows {
    start: usize,
    row: usize,
    count: usize,
}

/// The shape of the chosen rows of a tensor.
pub(crate) fn shape_of(all: &[usize], rows: &TensorRows) -> Vec<usize> {
    let count = match rows {
        TensorRows::All | TensorRows::Interleaved { .. } => all.first().copied().unwrap_or(1),
        TensorRows::Range { count, .. } => *count,
    };
    std::iter::once(count).chain(all.iter().skip(1).copied()).take(all.len()).collect()
}

/// Puts each head's even rows before its odd ones: `row` elements make a row.
fn halves_first<T: Copy>(values: &[T], heads: usize, row: usize) -> Vec<T> {
    let head = values.len() / heads.max(1);
    let mut out = Vec::with_capacity(values.len());
    for head in values.chunks(head.max(1)) {
        for parity in 0..2 {
            out.extend(head.chunks(row.max(1)).skip(parity).step_by(2).flatten().copied());
        }
    }
    out
}
