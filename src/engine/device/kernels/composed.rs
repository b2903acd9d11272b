//! The operations made of candle's own, for devices that have no kernels here: several passes over memory each.

use candle_core::{D, DType, Result, Tensor};

use super::{Attended, AttentionShape, ChunkLoss, Kernels, Turning, attention, gradient};
use crate::kernels::dropout::Dropout;
use crate::kernels::rope::RotationDirection;
use crate::model::config::Activation;

/// Of candle's own operations.
pub(super) struct Composed;

impl Kernels for Composed {
    fn rms_norm(&self, x: &Tensor, weight: &Tensor, epsilon: f32) -> Result<(Tensor, Tensor)> {
        let mean = wide(x)?.sqr()?.mean_keepdim(D::Minus1)?;
        let inverse = (mean + f64::from(epsilon))?.sqrt()?.recip()?;
        Ok((self.rms_norm_recompute(x, weight, &inverse)?, inverse))
    }

    fn rms_norm_recompute(&self, x: &Tensor, weight: &Tensor, inverse: &Tensor) -> Result<Tensor> {
        wide(x)?.broadcast_mul(inverse)?.broadcast_mul(weight)?.to_dtype(x.dtype())
    }

    fn rms_norm_backward(
        &self,
        x: &Tensor,
        (weight, inverse): (&Tensor, &Tensor),
        grad_y: &Tensor,
        sum: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (x, g) = (wide(x)?, wide(grad_y)?.broadcast_mul(weight)?);
        let cube = (inverse.sqr()? * inverse)?;
        let along = ((&x * &g)?.mean_keepdim(D::Minus1)? * cube)?;
        let grad = (g.broadcast_mul(inverse)? - x.broadcast_mul(&along)?)?;
        sum.map_or(Ok(grad.clone()), |sum| grad + sum)
    }

    fn rotate(&self, rows: &Tensor, turning: Turning<'_>) -> Result<Tensor> {
        let (tokens, row) = rows.dims2()?;
        let Turning { angles, heads, dim, turn } = turning;
        let half = angles.cos.dim(1)?;
        let turned = wide(&rows.narrow(1, 0, heads * dim)?)?.reshape((tokens, heads, dim))?;
        let (a, b) = (turned.narrow(2, 0, half)?, turned.narrow(2, half, half)?);
        let cos = angles.cos.unsqueeze(1)?;
        let sin = match turn {
            RotationDirection::Forward => angles.sin.unsqueeze(1)?,
            RotationDirection::Back => angles.sin.unsqueeze(1)?.neg()?,
        };
        let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
        let mut parts = vec![first, second];
        if 2 * half < dim {
            parts.push(turned.narrow(2, 2 * half, dim - 2 * half)?.contiguous()?);
        }
        let turned = Tensor::cat(&parts, 2)?.reshape((tokens, heads * dim))?.to_dtype(rows.dtype())?;
        if heads * dim == row {
            return Ok(turned);
        }
        Tensor::cat(&[turned, rows.narrow(1, heads * dim, row - heads * dim)?.contiguous()?], 1)
    }

    fn glu(&self, activation: Activation, gate_up: &Tensor) -> Result<Tensor> {
        let (gate, up) = halves(gate_up)?;
        (activated(activation, &gate)?.0 * up)?.to_dtype(gate_up.dtype())
    }

    fn glu_backward(&self, activation: Activation, gate_up: &Tensor, grad_y: &Tensor) -> Result<Tensor> {
        let (gate, up) = halves(gate_up)?;
        let (value, slope) = activated(activation, &gate)?;
        let grad_y = wide(grad_y)?;
        let of_gate = ((&grad_y * up)? * slope)?;
        Tensor::cat(&[of_gate, (grad_y * value)?], 1)?.to_dtype(gate_up.dtype())
    }

    fn dropout(&self, dropout: Dropout, x: &Tensor) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        x * Tensor::from_vec(dropout.mask(rows, width), (rows, width), x.device())?
    }

    fn join(&self, base: &Tensor, low: &Tensor) -> Result<Tensor> {
        (wide(base)? + low)?.to_dtype(base.dtype())
    }

    fn attention(&self, shape: AttentionShape<'_>, qkv: &Tensor) -> Result<(Tensor, Tensor)> {
        attention::forward(shape, qkv)
    }

    fn attention_backward(
        &self,
        shape: AttentionShape<'_>,
        given: Attended<'_>,
        grad_out: &Tensor,
    ) -> Result<Tensor> {
        gradient::backward(shape, given, grad_out)
    }

    fn losses(&self, logits: &Tensor, targets: &Tensor, scale: Option<f32>, cap: f32) -> Result<ChunkLoss> {
        let mut x = wide(logits)?;
        if cap > 0.0 {
            x = capped(&x, cap)?;
        }
        let targets = targets.unsqueeze(1)?;
        let at_target = x.gather(&targets, 1)?;
        let top = x.max_keepdim(1)?;
        let less = x.broadcast_sub(&top)?;
        let exponentials = less.exp()?;
        let sum = exponentials.sum_keepdim(1)?;
        let moment = (&exponentials * less)?.sum_keepdim(1)?;
        let log_sum = sum.log()?;
        let nll = (&log_sum - (&at_target - &top)?)?;
        let entropy = (log_sum - (moment / &sum)?)?;
        let correct = at_target.ge(&top)?.to_dtype(DType::F32)?;
        let rows = Tensor::cat(&[nll, entropy, correct], 1)?;
        let Some(scale) = scale else { return Ok(ChunkLoss { rows, grad: None }) };
        let mut grad = exponentials.broadcast_mul(&(sum.recip()? * f64::from(scale))?)?;
        let minus = (targets.to_dtype(DType::F32)?.zeros_like()? - f64::from(scale))?;
        grad = grad.scatter_add(&targets, &minus, 1)?;
        if cap > 0.0 {
            grad = (grad * cap_slope(&x, cap)?)?;
        }
        Ok(ChunkLoss { rows, grad: Some(grad.to_dtype(logits.dtype())?) })
    }
}

pub(super) fn wide(x: &Tensor) -> Result<Tensor> {
    x.to_dtype(DType::F32)
}

/// `cap * tanh(x / cap)`
pub(crate) fn capped(x: &Tensor, cap: f32) -> Result<Tensor> {
    (x / f64::from(cap))?.tanh()? * f64::from(cap)
}

/// The slope of the cap at what it gave.
pub(super) fn cap_slope(capped: &Tensor, cap: f32) -> Result<Tensor> {
    1.0 - (capped / f64::from(cap))?.sqr()?
}

/// Gate and up, f32.
fn halves(gate_up: &Tensor) -> Result<(Tensor, Tensor)> {
    let width = gate_up.dim(1)? / 2;
    Ok((wide(&gate_up.narrow(1, 0, width)?)?, wide(&gate_up.narrow(1, width, width)?)?))
}

/// sqrt(2 / pi)
const TANH_SCALE: f64 = 0.797_884_560_802_865_4;
const CUBE: f64 = 0.044_715;

/// An activation and its slope.
fn activated(activation: Activation, gate: &Tensor) -> Result<(Tensor, Tensor)> {
    match activation {
        Activation::SwiGlu => {
            let s = (gate.neg()?.exp()? + 1.0)?.recip()?;
            let value = (gate * &s)?;
            let slope = (&s + (&value * (1.0 - &s)?)?)?;
            Ok((value, slope))
        }
        Activation::GeGlu => {
            let square = gate.sqr()?;
            let inside = ((gate + ((&square * gate)? * CUBE)?)? * TANH_SCALE)?;
            let t = inside.tanh()?;
            let above = ((&t + 1.0)? * 0.5)?;
            let inner = (((square * (3.0 * CUBE))? + 1.0)? * TANH_SCALE)?;
            let slope = (&above + (((gate * (1.0 - t.sqr()?)?)? * inner)? * 0.5)?)?;
            Ok(((gate * above)?, slope))
        }
    }
}
