//! The bytes of a GGUF, version 3: header, then tensors, each on a multiple of 32. Sizes are known before the first number
//! is read, so that the file is written from its beginning to its end.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::GgmlDType;

use crate::model::blocks::size_in_bytes;
use crate::model::gguf::GgufValue;

const VERSION: u32 = 3;
const ALIGNMENT: usize = 32;

/// A header's entries, in the order in which they are written.
pub(super) type Entries = Vec<(String, GgufValue)>;

/// A tensor that is going to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedTensor {
    pub(super) name: String,
    /// Rows first.
    pub(super) shape: Vec<usize>,
    pub(super) format: GgmlDType,
}

impl PlannedTensor {
    pub(super) fn bytes(&self) -> Result<usize> {
        let size = size_in_bytes(self.format, self.shape.iter().product());
        size.with_context(|| {
            format!("{} of shape {:?} is no whole blocks of {:?}", self.name, self.shape, self.format)
        })
    }
}

/// What stands before the tensors' bytes, filled up to where they begin.
pub(super) fn header(entries: &[(String, GgufValue)], tensors: &[PlannedTensor]) -> Result<Vec<u8>> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(VERSION.to_le_bytes());
    count(&mut bytes, tensors.len());
    count(&mut bytes, entries.len());
    for (key, value) in entries {
        text(&mut bytes, key);
        write_value(&mut bytes, value).with_context(|| format!("write the header's {key}"))?;
    }
    let mut offset = 0;
    for tensor in tensors {
        text(&mut bytes, &tensor.name);
        bytes.extend(u32::try_from(tensor.shape.len())?.to_le_bytes());
        for &size in tensor.shape.iter().rev() {
            count(&mut bytes, size);
        }
        bytes.extend(number_of(tensor.format)?.to_le_bytes());
        count(&mut bytes, offset);
        offset += tensor.bytes()?.next_multiple_of(ALIGNMENT);
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    Ok(bytes)
}

/// A tensor's bytes, filled up to where the next one begins.
pub(super) fn tensor(out: &mut dyn Write, planned: &PlannedTensor, bytes: &[u8]) -> Result<()> {
    let expected = planned.bytes()?;
    ensure!(bytes.len() == expected, "{} has {} bytes, expected {expected}", planned.name, bytes.len());
    out.write_all(bytes)?;
    let filled = expected.next_multiple_of(ALIGNMENT) - expected;
    out.write_all([0; ALIGNMENT].get(..filled).unwrap_or_default())?;
    Ok(())
}

fn count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend((count as u64).to_le_bytes());
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    count(bytes, text.len());
    bytes.extend(text.as_bytes());
}

/// `gguf_type` in gguf.h.
mod kind {
    pub(super) const U32: u32 = 4;
    pub(super) const I32: u32 = 5;
    pub(super) const F32: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const TEXT: u32 = 8;
    pub(super) const ARRAY: u32 = 9;
}

/// Numbers alone are unsigned and in lists signed, of 32 bits: llama.cpp reads a key in one type only, and has it so.
fn write_value(bytes: &mut Vec<u8>, value: &GgufValue) -> Result<()> {
    let list = |bytes: &mut Vec<u8>, kind: u32, length: usize| {
        bytes.extend(kind::ARRAY.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        count(bytes, length);
    };
    match value {
        GgufValue::Integer(number) => {
            bytes.extend(kind::U32.to_le_bytes());
            bytes.extend(u32::try_from(*number)?.to_le_bytes());
        }
        GgufValue::Float(number) => {
            bytes.extend(kind::F32.to_le_bytes());
            bytes.extend((*number as f32).to_le_bytes());
        }
        GgufValue::Bool(on) => {
            bytes.extend(kind::BOOL.to_le_bytes());
            bytes.push(u8::from(*on));
        }
        GgufValue::Text(value) => {
            bytes.extend(kind::TEXT.to_le_bytes());
            text(bytes, value);
        }
        GgufValue::Integers(numbers) => {
            list(bytes, kind::I32, numbers.len());
            for &number in numbers {
                bytes.extend(i32::try_from(number)?.to_le_bytes());
            }
        }
        GgufValue::Floats(numbers) => {
            list(bytes, kind::F32, numbers.len());
            numbers.iter().for_each(|&number| bytes.extend((number as f32).to_le_bytes()));
        }
        GgufValue::Bools(all) => {
            list(bytes, kind::BOOL, all.len());
            bytes.extend(all.iter().map(|&on| u8::from(on)));
        }
        GgufValue::Texts(texts) => {
            list(bytes, kind::TEXT, texts.len());
            texts.iter().for_each(|value| text(bytes, value));
        }
    }
    Ok(())
}

/// ggml's number of a format (`enum ggml_type`).
fn number_of(format: GgmlDType) -> Result<u32> {
    Ok(match format {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::BF16 => 30,
        GgmlDType::Q8_1 | GgmlDType::Q8K => {
            anyhow::bail!("{format:?} is a format for products, not for storage")
        }
    })
}
