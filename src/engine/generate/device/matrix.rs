//! A frozen matrix on a device: plain numbers, or a file's own blocks multiplied as they are.

use anyhow::{Context, Result, bail};
use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{DType, Device, Module as _, Tensor};

use crate::device::kernels::product;
use crate::device::layout;
use crate::generate::host::Precision;
use crate::kernels::quant::WeightFormat;
use crate::model::weights::Stored;
use crate::model::{ModelConfig, Weights, blocks};

/// Matrices of one input, below one another: (outputs, inputs).
pub(super) struct Matrix {
    parts: Vec<MatrixPart>,
    /// Rows of each of the matrices that it was made of.
    outputs: Vec<usize>,
}

enum MatrixPart {
    /// (outputs, inputs)
    Numbers(Tensor),
    Blocks(QMatMul),
}

/// Where and how matrices are held.
#[derive(Clone, Copy)]
pub(super) struct Holding<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) weights: &'a dyn Weights,
    pub(super) device: &'a Device,
    pub(super) precision: Precision,
}

impl Holding<'_> {
    /// The number format in which a plain matrix is held and multiplied; its products are f32 again.
    fn dtype(self, format: GgmlDType) -> DType {
        match format {
            _ if self.precision.is_exact() => DType::F32,
            // Candle's processor has no products of these formats of its own.
            GgmlDType::F16 | GgmlDType::BF16 if self.device.is_cpu() => DType::F32,
            // What the blocks of Gemma 3 add passes what f16 holds.
            GgmlDType::F16 if self.config.layer.feed_forward.after.is_some() => DType::BF16,
            GgmlDType::F16 => DType::F16,
            GgmlDType::BF16 => DType::BF16,
            _ => DType::F32,
        }
    }

    fn part(self, stored: &Stored, (outputs, inputs): (usize, usize)) -> Result<MatrixPart> {
        let Stored { format, bytes } = stored;
        let plain = WeightFormat::of(*format).is_some_and(WeightFormat::is_dense);
        if !plain && !self.precision.is_exact() {
            return Ok(MatrixPart::Blocks(self.blocks(*format, bytes, (outputs, inputs))?));
        }
        let mut numbers = vec![0.0; outputs * inputs];
        blocks::expand(*format, bytes, &mut numbers)?;
        if self.precision == Precision::Compact && inputs.is_multiple_of(GgmlDType::Q8_0.block_size()) {
            let numbers = Tensor::from_vec(numbers, (outputs, inputs), &Device::Cpu)?;
            let rounded = QTensor::quantize(&numbers, GgmlDType::Q8_0)?;
            return Ok(MatrixPart::Blocks(self.blocks(
                GgmlDType::Q8_0,
                &rounded.data()?,
                (outputs, inputs),
            )?));
        }
        let dtype = self.dtype(*format);
        Ok(MatrixPart::Numbers(Tensor::from_vec(numbers, (outputs, inputs), self.device)?.to_dtype(dtype)?))
    }

    fn blocks(self, format: GgmlDType, bytes: &[u8], shape: (usize, usize)) -> Result<QMatMul> {
        Ok(QMatMul::from_qtensor(layout::blocks(format, bytes, shape, self.device)?)?)
    }
}

impl Matrix {
    /// Reads matrices of one input, each a tensor's name and its rows. Neighbours of one format become one.
    ///
    /// # Errors
    /// Where one is missing or misshapen, or the device's memory is short.
    pub(super) fn read(holding: Holding<'_>, tensors: &[(String, usize)], inputs: usize) -> Result<Self> {
        let mut runs: Vec<(Stored, usize)> = Vec::new();
        for (name, outputs) in tensors {
            let new = holding.weights.stored(name, &[*outputs, inputs])?;
            match runs.last_mut() {
                Some((run, rows)) if run.format == new.format => {
                    run.bytes.extend_from_slice(&new.bytes);
                    *rows += outputs;
                }
                _ => runs.push((new, *outputs)),
            }
        }
        let part = |(stored, outputs): &(Stored, usize)| {
            let names = || tensors.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            holding.part(stored, (*outputs, inputs)).with_context(|| format!("lay out {}", names()))
        };
        Ok(Self {
            parts: runs.iter().map(part).collect::<Result<_>>()?,
            outputs: tensors.iter().map(|(_, outputs)| *outputs).collect(),
        })
    }

    /// (rows, inputs) to (rows, outputs), both f32.
    pub(super) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let of = |part: &MatrixPart| match part {
            MatrixPart::Numbers(numbers) => {
                product(&x.to_dtype(numbers.dtype())?, &numbers.t()?)?.to_dtype(DType::F32)
            }
            MatrixPart::Blocks(blocks) => blocks.forward(x),
        };
        match self.parts.as_slice() {
            [only] => of(only),
            all => Tensor::cat(&all.iter().map(of).collect::<candle_core::Result<Vec<_>>>()?, 1),
        }
    }

    /// The numbers of one of the matrices that it was made of, row by row.
    pub(super) fn numbers(&self, index: usize) -> Result<Vec<f32>> {
        let first: usize = self.outputs.iter().take(index).sum();
        let Some(&count) = self.outputs.get(index) else { bail!("there is no matrix {index}") };
        let part = |part: &MatrixPart| match part {
            MatrixPart::Numbers(numbers) => numbers.to_dtype(DType::F32)?.to_device(&Device::Cpu),
            MatrixPart::Blocks(QMatMul::QTensor(blocks)) => {
                blocks.dequantize(&blocks.device())?.to_device(&Device::Cpu)
            }
            MatrixPart::Blocks(QMatMul::Tensor(numbers) | QMatMul::TensorF16(numbers)) => {
                numbers.to_dtype(DType::F32)?.to_device(&Device::Cpu)
            }
        };
        let all = self.parts.iter().map(part).collect::<candle_core::Result<Vec<_>>>()?;
        Ok(Tensor::cat(&all, 0)?.narrow(0, first, count)?.flatten_all()?.to_vec1()?)
    }

    /// Bytes of the device's memory.
    pub(super) fn bytes(&self) -> usize {
        let of = |part: &MatrixPart| match part {
            MatrixPart::Blocks(QMatMul::QTensor(blocks)) => blocks.storage_size_in_bytes(),
            MatrixPart::Numbers(numbers)
            | MatrixPart::Blocks(QMatMul::Tensor(numbers) | QMatMul::TensorF16(numbers)) => {
                numbers.elem_count() * numbers.dtype().size_in_bytes()
            }
        };
        self.parts.iter().map(of).sum()
    }
}
