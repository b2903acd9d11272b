//! Frozen matrices on a device: numbers in the step's format, a file's own blocks, or NF4; expanded there when they are
//! needed.

use anyhow::{Result, ensure};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};

use crate::device::layout;
use crate::model::frozen::StoredPart;
use crate::model::nf4::{BLOCK, LEVELS, Nf4, SCALE_BLOCK, dynamic_levels};
use crate::model::{Frozen, blocks};

/// Matrices of one width below one another: (outputs, inputs).
pub(super) struct OnDevice {
    outputs: usize,
    inputs: usize,
    dtype: DType,
    parts: Vec<FrozenPart>,
}

enum FrozenPart {
    /// In the step's number format.
    Numbers(Tensor),
    Blocks(Box<QTensor>),
    Nf4(Box<Codes>),
}

/// NF4 with double quantisation, as [`Nf4`] holds it.
struct Codes {
    length: usize,
    /// Two numbers a byte, u8.
    codes: Tensor,
    /// u8, filled up to whole blocks of [`SCALE_BLOCK`].
    scales: Tensor,
    /// (blocks of scales, 1), f32
    scale_scales: Tensor,
    offset: f64,
    tables: Tables,
}

/// What codes stand for. Shared by all matrices.
#[derive(Clone)]
pub(super) struct Tables {
    /// Both numbers of a byte: (256, 2).
    pairs: Tensor,
    /// (256)
    scales: Tensor,
}

impl Tables {
    pub(super) fn new(device: &Device) -> candle_core::Result<Self> {
        let levels = |byte: usize| [LEVELS[byte >> 4], LEVELS[byte & 15]];
        let pairs: Vec<f32> = (0..256).flat_map(levels).collect();
        let scales = dynamic_levels();
        Ok(Self {
            pairs: Tensor::from_vec(pairs, (256, 2), device)?,
            scales: Tensor::from_slice(scales, scales.len(), device)?,
        })
    }
}

impl OnDevice {
    /// Takes matrices to a device.
    pub(super) fn new(
        frozen: &Frozen,
        (outputs, inputs): (usize, usize),
        (device, dtype): (&Device, DType),
        tables: &Tables,
    ) -> Result<Self> {
        ensure!(frozen.len() == outputs * inputs, "{} values are no {outputs} x {inputs}", frozen.len());
        let parts = match frozen {
            Frozen::F32(numbers) => {
                vec![FrozenPart::Numbers(
                    Tensor::from_slice(numbers, numbers.len(), device)?.to_dtype(dtype)?,
                )]
            }
            Frozen::Stored(parts) => {
                parts.iter().map(|part| stored(part, (device, dtype))).collect::<Result<_>>()?
            }
            Frozen::Shared(_) => {
                let mut numbers = vec![0.0; frozen.len()];
                frozen.expand(&mut numbers)?;
                let length = numbers.len();
                vec![FrozenPart::Numbers(Tensor::from_vec(numbers, length, device)?.to_dtype(dtype)?)]
            }
            Frozen::Nf4(parts) => {
                let part = |nf4: &Nf4| Ok(FrozenPart::Nf4(Box::new(Codes::new(nf4, device, tables)?)));
                parts.iter().map(part).collect::<Result<_>>()?
            }
        };
        Ok(Self { outputs, inputs, dtype, parts })
    }

    /// (outputs, inputs)
    pub(super) fn numbers(&self) -> candle_core::Result<Tensor> {
        let mut parts = self.parts.iter().map(|part| part.numbers(self.dtype));
        let all = match (parts.next(), self.parts.len()) {
            (Some(only), 1) => only?,
            (first, _) => {
                let parts = first.into_iter().chain(parts).collect::<candle_core::Result<Vec<_>>>()?;
                Tensor::cat(&parts, 0)?
            }
        };
        all.reshape((self.outputs, self.inputs))
    }
}

fn stored(part: &StoredPart, (device, dtype): (&Device, DType)) -> Result<FrozenPart> {
    let (stored, length) = part.stored();
    match stored.format {
        GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => {
            let mut numbers = vec![0.0; length];
            blocks::expand(stored.format, &stored.bytes, &mut numbers)?;
            Ok(FrozenPart::Numbers(Tensor::from_vec(numbers, length, device)?.to_dtype(dtype)?))
        }
        format => Ok(FrozenPart::Blocks(Box::new(layout::blocks(format, &stored.bytes, length, device)?))),
    }
}

impl FrozenPart {
    /// One row of all numbers.
    fn numbers(&self, dtype: DType) -> candle_core::Result<Tensor> {
        match self {
            Self::Numbers(numbers) => Ok(numbers.clone()),
            Self::Blocks(blocks) => blocks.dequantize(&blocks.device())?.to_dtype(dtype),
            Self::Nf4(codes) => codes.numbers()?.to_dtype(dtype),
        }
    }
}

impl Codes {
    fn new(nf4: &Nf4, device: &Device, tables: &Tables) -> candle_core::Result<Self> {
        let (codes, scales, scale_scales, offset) = nf4.parts();
        let mut codes = codes.to_vec();
        codes.resize(nf4.len().next_multiple_of(BLOCK) / 2, 0);
        let mut scales = scales.to_vec();
        scales.resize(scale_scales.len() * SCALE_BLOCK, 0);
        Ok(Self {
            length: nf4.len(),
            codes: Tensor::from_slice(&codes, codes.len(), device)?,
            scales: Tensor::from_slice(&scales, scales.len(), device)?,
            scale_scales: Tensor::from_slice(scale_scales, (scale_scales.len(), 1), device)?,
            offset: f64::from(offset),
            tables: tables.clone(),
        })
    }

    fn numbers(&self) -> candle_core::Result<Tensor> {
        // Not u8: candle's look-up takes its largest value for "none".
        let codes = self.codes.to_dtype(DType::U32)?;
        let numbers = self.tables.pairs.index_select(&codes, 0)?;
        let blocks = numbers.elem_count() / BLOCK;
        let scales = self.tables.scales.index_select(&self.scales.to_dtype(DType::U32)?, 0)?;
        let scales = scales.reshape((self.scale_scales.dim(0)?, SCALE_BLOCK))?;
        let scales = (scales.broadcast_mul(&self.scale_scales)? + self.offset)?.flatten_all()?;
        let scales = scales.narrow(0, 0, blocks)?.reshape((blocks, 1))?;
        let numbers = numbers.reshape((blocks, BLOCK))?.broadcast_mul(&scales)?;
        numbers.flatten_all()?.narrow(0, 0, self.length)
    }
}
