//! Parses a GGUF header. Every length is held against the bytes that are left before anything is
//! allocated, so that a damaged file is an error and never a crash.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result, bail, ensure};
use candle_core::quantized::GgmlDType;

use super::{GgufValue, Header, TensorEntry};
use crate::model::blocks;
use dojo_core::domain::name::shown;

const MAGIC: &[u8] = b"GGUF";

/// Larger headers than this are no model's: that of a vocabulary of 260,000 tokens has 16 MB. In memory its lists take
/// up to eight times as much.
const MOST_HEADER: usize = 64 << 20;
const MOST_ENTRIES: usize = 1 << 16;
const MOST_TENSORS: usize = 1 << 16;
const CUT_SHORT: &str = "the file is damaged or cut short inside its header";

const MOST_DIMENSIONS: u32 = 4;
const DEFAULT_ALIGNMENT: usize = 32;

/// Least bytes of a metadata entry (key's length, type, a byte) and of a tensor's (name's length, dimensions' count,
/// format, offset).
const LEAST_ENTRY: usize = 8 + 4 + 1;
const LEAST_TENSOR: usize = 8 + 4 + 4 + 8;

impl Header {
    /// Reads the header of a whole file's bytes, and checks that all its tensors lie within them.
    ///
    /// # Errors
    /// Where it isn't a GGUF of version 2 or 3, or is damaged or cut short.
    pub fn parse(mut bytes: &[u8]) -> Result<Self> {
        let length = bytes.len() as u64;
        Self::read(&mut bytes, length)
    }

    /// As [`Header::parse`], from a file of so many bytes, of which no more than the header is read.
    ///
    /// # Errors
    /// As [`Header::parse`], and where the file can't be read.
    pub(super) fn read(from: &mut dyn Read, length: u64) -> Result<Self> {
        let length = usize::try_from(length)?;
        let mut cursor = GgufCursor { from, length, position: 0 };
        ensure!(cursor.take(4).is_ok_and(|magic| magic == MAGIC), "not a GGUF file");
        let version = cursor.u32()?;
        ensure!(
            version == 2 || version == 3,
            "GGUF version {} isn't supported, only 2 and 3 (little-endian)",
            if version > 0xffff { version.swap_bytes() } else { version }
        );
        let tensors = cursor.count(LEAST_TENSOR, "tensors")?;
        let entries = cursor.count(LEAST_ENTRY, "metadata entries")?;
        ensure!(tensors <= MOST_TENSORS, "its header claims {tensors} tensors, more than any model's");
        ensure!(
            entries <= MOST_ENTRIES,
            "its header claims {entries} metadata entries, more than any model's"
        );
        let mut metadata = BTreeMap::new();
        for _ in 0..entries {
            let key = cursor.text()?;
            let kind = cursor.u32()?;
            let value = cursor.value(kind).with_context(|| format!("metadata entry {}", shown(&key)))?;
            ensure!(
                metadata.insert(key.clone(), value).is_none(),
                "the file is damaged: it holds the metadata entry {} twice",
                shown(&key)
            );
        }
        let infos = (0..tensors).map(|_| cursor.tensor()).collect::<Result<Vec<_>>>()?;
        let mut header = Self { metadata, tensors: BTreeMap::new() };
        let alignment = header.count("general.alignment")?.unwrap_or(DEFAULT_ALIGNMENT);
        ensure!(alignment.is_power_of_two(), "general.alignment is {alignment}, not a power of two");
        header.place(infos, cursor.position.next_multiple_of(alignment), length)?;
        Ok(header)
    }

    /// Notes the tensors, counted from the first one's byte, after checking that each lies within the file and that
    /// no two share bytes: otherwise a small file could stand for a huge model.
    fn place(&mut self, infos: Vec<(String, TensorEntry)>, data: usize, length: usize) -> Result<()> {
        let mut taken = Vec::with_capacity(infos.len());
        for (name, mut entry) in infos {
            entry.start = entry.start.saturating_add(data);
            let end = entry.start.saturating_add(entry.size);
            ensure!(
                end <= length,
                "the file is cut short: tensor {} ends at byte {end}, the file at {length}",
                shown(&name)
            );
            if entry.size > 0 {
                taken.push((entry.start, end));
            }
            ensure!(
                self.tensors.insert(name.clone(), entry).is_none(),
                "the file is damaged: it holds {} twice",
                shown(&name)
            );
        }
        taken.sort_unstable();
        let apart = taken.windows(2).all(|pair| matches!(pair, [(_, end), (start, _)] if end <= start));
        ensure!(apart, "the file is damaged: two of its tensors lie on the same bytes");
        Ok(())
    }
}

struct GgufCursor<'a> {
    from: &'a mut dyn Read,
    /// Bytes of the file.
    length: usize,
    position: usize,
}

impl GgufCursor<'_> {
    /// So many bytes, of which the caller has checked that they are no more than are left.
    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        self.advance(length)?;
        let mut bytes = vec![0; length];
        self.from.read_exact(&mut bytes).context(CUT_SHORT)?;
        Ok(bytes)
    }

    fn advance(&mut self, length: usize) -> Result<()> {
        let end = self.position.checked_add(length).filter(|&end| end <= self.length).context(CUT_SHORT)?;
        ensure!(end <= MOST_HEADER, "its header has more than {MOST_HEADER} bytes, more than any model's");
        self.position = end;
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.advance(N)?;
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).context(CUT_SHORT)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A number of things that take at least so many bytes each, and so can't be more than the rest of the file.
    fn count(&mut self, least: usize, what: &str) -> Result<usize> {
        let count = self.u64()?;
        let most = (self.length - self.position) / least;
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => bail!("the file is damaged or cut short: it claims {count} {what}"),
        }
    }

    fn text(&mut self) -> Result<String> {
        let length = self.count(1, "bytes of a text")?;
        ensure!(length <= MOST_HEADER, "a text in its header has {length} bytes, more than any model's");
        let bytes = self.take(length)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn boolean(&mut self) -> Result<bool> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => bail!("{other} is neither true nor false"),
        }
    }

    fn integer(&mut self, kind: u32) -> Result<i64> {
        Ok(match kind {
            0 => u8::from_le_bytes(self.array()?).into(),
            1 => i8::from_le_bytes(self.array()?).into(),
            2 => u16::from_le_bytes(self.array()?).into(),
            3 => i16::from_le_bytes(self.array()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.array()?).into(),
            10 => i64::try_from(self.u64()?).context("a number above 2^63")?,
            11 => i64::from_le_bytes(self.array()?),
            _ => bail!("unknown value type {kind}"),
        })
    }

    fn float(&mut self, kind: u32) -> Result<f64> {
        Ok(if kind == 6 {
            f32::from_le_bytes(self.array()?).into()
        } else {
            f64::from_le_bytes(self.array()?)
        })
    }

    fn value(&mut self, kind: u32) -> Result<GgufValue> {
        Ok(match kind {
            6 | 12 => GgufValue::Float(self.float(kind)?),
            7 => GgufValue::Bool(self.boolean()?),
            8 => GgufValue::Text(self.text()?),
            9 => self.values()?,
            _ => GgufValue::Integer(self.integer(kind)?),
        })
    }

    fn values(&mut self) -> Result<GgufValue> {
        let kind = self.u32()?;
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 => bail!("lists of lists aren't supported"),
            _ => bail!("unknown value type {kind}"),
        };
        let count = self.count(least, "values of a list")?;
        let each = 0..count;
        Ok(match kind {
            6 | 12 => GgufValue::Floats(each.map(|_| self.float(kind)).collect::<Result<_>>()?),
            7 => GgufValue::Bools(each.map(|_| self.boolean()).collect::<Result<_>>()?),
            8 => GgufValue::Texts(each.map(|_| self.text()).collect::<Result<_>>()?),
            _ => GgufValue::Integers(each.map(|_| self.integer(kind)).collect::<Result<_>>()?),
        })
    }

    /// A tensor's name and entry, its start counted from the first tensor's.
    fn tensor(&mut self) -> Result<(String, TensorEntry)> {
        let name = self.text()?;
        let dimensions = self.u32()?;
        ensure!(
            dimensions <= MOST_DIMENSIONS,
            "the file is damaged: {} has {dimensions} dimensions",
            shown(&name)
        );
        let shape = (0..dimensions).map(|_| Ok(usize::try_from(self.u64()?)?)).collect::<Result<Vec<_>>>()?;
        let format = format(self.u32()?).with_context(|| format!("tensor {}", shown(&name)))?;
        let start = usize::try_from(self.u64()?)?;
        let row = shape.first().copied().unwrap_or(1);
        let size = shape
            .iter()
            .try_fold(1_usize, |all, &dimension| all.checked_mul(dimension))
            .filter(|&numbers| numbers > 0 && row.is_multiple_of(format.block_size()))
            .and_then(|numbers| blocks::size_in_bytes(format, numbers));
        let size =
            size.with_context(|| format!("the file is damaged: {} has shape {shape:?}", shown(&name)))?;
        Ok((name, TensorEntry { shape: shape.into_iter().rev().collect(), format, start, size }))
    }
}

/// ggml's numbers for its formats (`enum ggml_type` in ggml.h).
fn format(number: u32) -> Result<GgmlDType> {
    Ok(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        other => bail!(
            "number format {other} isn't supported (known: F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to \
             Q6_K)"
        ),
    })
}
