//! The trait's operations as launches of the kernels.

use candle_core::{DType, Result, Tensor};

use super::{Arg, Cuda};
use crate::device::kernels::{Attended, AttentionShape, ChunkLoss, Kernels, Turning};
use crate::kernels::dropout::Dropout;
use crate::kernels::rope::RotationDirection;
use crate::model::config::Activation;

impl Kernels for Cuda {
    fn rms_norm(&self, x: &Tensor, weight: &Tensor, epsilon: f32) -> Result<(Tensor, Tensor)> {
        let (rows, width) = x.dims2()?;
        let (y, inverse) = (self.room(x.shape(), x.dtype())?, self.room((rows, 1), DType::F32)?);
        let args = [
            Arg::Tensor(x),
            Arg::Tensor(weight),
            Arg::Float(epsilon),
            Arg::Int(width as i32),
            Arg::Tensor(&y),
            Arg::Tensor(&inverse),
        ];
        self.rows("rms_norm", rows, &args)?;
        Ok((y, inverse))
    }

    fn rms_norm_recompute(&self, x: &Tensor, weight: &Tensor, inverse: &Tensor) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let y = self.room(x.shape(), x.dtype())?;
        let args = [
            Arg::Tensor(x),
            Arg::Tensor(weight),
            Arg::Tensor(inverse),
            Arg::Int(width as i32),
            Arg::Long((rows * width) as u64),
            Arg::Tensor(&y),
        ];
        self.each("rms_norm_recompute", rows * width, &args)?;
        Ok(y)
    }

    fn rms_norm_backward(
        &self,
        x: &Tensor,
        (weight, inverse): (&Tensor, &Tensor),
        grad_y: &Tensor,
        sum: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let grad = self.room(x.shape(), DType::F32)?;
        let args = [
            Arg::Tensor(x),
            Arg::Tensor(weight),
            Arg::Tensor(inverse),
            Arg::Tensor(grad_y),
            // Not read where there is no sum.
            Arg::Tensor(sum.unwrap_or(inverse)),
            Arg::Int(i32::from(sum.is_some())),
            Arg::Int(width as i32),
            Arg::Tensor(&grad),
        ];
        self.rows("rms_norm_backward", rows, &args)?;
        Ok(grad)
    }

    fn rotate(&self, rows: &Tensor, turning: Turning<'_>) -> Result<Tensor> {
        let (tokens, row) = rows.dims2()?;
        let y = self.room(rows.shape(), rows.dtype())?;
        let args = [
            Arg::Tensor(rows),
            Arg::Tensor(&turning.angles.cos),
            Arg::Tensor(&turning.angles.sin),
            Arg::Int(row as i32),
            Arg::Int(turning.heads as i32),
            Arg::Int(turning.dim as i32),
            Arg::Int(turning.angles.cos.dim(1)? as i32),
            Arg::Float(if turning.turn == RotationDirection::Forward { 1.0 } else { -1.0 }),
            Arg::Long((tokens * row) as u64),
            Arg::Tensor(&y),
        ];
        self.each("rotate", tokens * row, &args)?;
        Ok(y)
    }

    fn glu(&self, activation: Activation, gate_up: &Tensor) -> Result<Tensor> {
        let (rows, both) = gate_up.dims2()?;
        let width = both / 2;
        let y = self.room((rows, width), gate_up.dtype())?;
        let args = [
            Arg::Tensor(gate_up),
            Arg::Int(width as i32),
            Arg::Int(i32::from(activation == Activation::GeGlu)),
            Arg::Long((rows * width) as u64),
            Arg::Tensor(&y),
        ];
        self.each("glu", rows * width, &args)?;
        Ok(y)
    }

    fn glu_backward(&self, activation: Activation, gate_up: &Tensor, grad_y: &Tensor) -> Result<Tensor> {
        let (rows, width) = grad_y.dims2()?;
        let grad = self.room(gate_up.shape(), gate_up.dtype())?;
        let args = [
            Arg::Tensor(gate_up),
            Arg::Tensor(grad_y),
            Arg::Int(width as i32),
            Arg::Int(i32::from(activation == Activation::GeGlu)),
            Arg::Long((rows * width) as u64),
            Arg::Tensor(&grad),
        ];
        self.each("glu_backward", rows * width, &args)?;
        Ok(grad)
    }

    fn dropout(&self, dropout: Dropout, x: &Tensor) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let (threshold, scale) = dropout.threshold();
        let y = self.room(x.shape(), DType::F32)?;
        let args = [
            Arg::Tensor(x),
            Arg::Long(dropout.seed),
            Arg::Word(threshold),
            Arg::Float(scale),
            Arg::Int(width as i32),
            Arg::Long((rows * width) as u64),
            Arg::Tensor(&y),
        ];
        let blocks = (rows * width).div_ceil(super::THREADS as usize);
        self.blocks("dropout", (blocks as u32, 1), 0, &args)?;
        Ok(y)
    }

    fn join(&self, base: &Tensor, low: &Tensor) -> Result<Tensor> {
        let (count, y) = (base.elem_count(), self.room(base.shape(), base.dtype())?);
        let args = [Arg::Tensor(base), Arg::Tensor(low), Arg::Long(count as u64), Arg::Tensor(&y)];
        self.each("join", count, &args)?;
        Ok(y)
    }

    fn attention(&self, shape: AttentionShape<'_>, qkv: &Tensor) -> Result<(Tensor, Tensor)> {
        self.attend(shape, qkv)
    }

    fn attention_backward(
        &self,
        shape: AttentionShape<'_>,
        given: Attended<'_>,
        grad_out: &Tensor,
    ) -> Result<Tensor> {
        self.attend_back(shape, given, grad_out)
    }

    fn losses(&self, logits: &Tensor, targets: &Tensor, scale: Option<f32>, cap: f32) -> Result<ChunkLoss> {
        let (count, vocabulary) = logits.dims2()?;
        let rows = self.room((count, 3), DType::F32)?;
        let grad = scale.map(|_| self.room(logits.shape(), logits.dtype())).transpose()?;
        let args = [
            Arg::Tensor(logits),
            Arg::Tensor(targets),
            Arg::Int(vocabulary as i32),
            Arg::Float(scale.unwrap_or(0.0)),
            Arg::Int(i32::from(scale.is_some())),
            Arg::Float(cap),
            Arg::Tensor(&rows),
            // Not written where no gradient is asked for.
            Arg::Tensor(grad.as_ref().unwrap_or(logits)),
        ];
        self.rows("losses", count, &args)?;
        Ok(ChunkLoss { rows, grad })
    }
}
