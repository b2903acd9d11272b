//! Magnitudes on a device, as [`crate::train::step`] defines them.

use candle_core::{DType, Result, Tensor};

use super::site::{DeviceSite, Low, OnceWeight, SavedActivations};
use crate::device::kernels::{Kernels, product};

/// A site's magnitudes: (outputs) each.
pub(super) struct Magnitudes {
    /// 0 where a projection has none.
    pub(super) numbers: Tensor,
    /// 1 where there is one, else 0.
    pub(super) there: Tensor,
}

/// What each output is multiplied by.
pub(super) struct Gains {
    /// Magnitude over norm; 1 where a projection has none: (1, outputs).
    pub(super) factors: Tensor,
    /// 1 over the norm, where there is a magnitude: (outputs).
    inverse_norms: Tensor,
}

/// Rows of a weight whose norms are taken at once.
const ROWS: usize = 1024;

impl Gains {
    fn measure(weight: &Tensor, low: &Low, scale: f32, magnitudes: &Magnitudes) -> Result<Self> {
        let outputs = weight.dim(0)?;
        let norms = (0..outputs).step_by(ROWS).map(|first| {
            let count = ROWS.min(outputs - first);
            let b = low.b.narrow(0, first, count)?;
            let added = (product(&b, &low.a)? * f64::from(scale))?;
            (weight.narrow(0, first, count)?.to_dtype(DType::F32)? + added)?.sqr()?.sum(1)?.sqrt()
        });
        let norms = Tensor::cat(&norms.collect::<Result<Vec<_>>>()?, 0)?;
        // A row of zeros stays one.
        let is_none = norms.eq(0.0)?.to_dtype(DType::F32)?;
        let inverse_norms = ((&norms + &is_none)?.recip()? * (1.0 - is_none)?)?;
        let inverse_norms = (inverse_norms * &magnitudes.there)?;
        let factors = ((&magnitudes.numbers * &inverse_norms)? + (1.0 - &magnitudes.there)?)?;
        Ok(Self { factors: factors.unsqueeze(0)?, inverse_norms })
    }

    /// `sum over rows of grad_y * direction / norm`
    pub(super) fn gradient(&self, grad_y: &Tensor, direction: &Tensor) -> Result<Tensor> {
        (grad_y * direction.to_dtype(DType::F32)?)?.sum(0)? * &self.inverse_norms
    }
}

impl DeviceSite {
    /// The gains, measured when they are first asked for.
    pub(super) fn gains<'a>(
        &self,
        weight: &OnceWeight<'_>,
        low: &'a Low,
        magnitudes: &Magnitudes,
    ) -> Result<&'a Gains> {
        if let Some(gains) = low.gains.get() {
            return Ok(gains);
        }
        let gains = Gains::measure(&weight.get()?, low, self.site.scale, magnitudes)?;
        Ok(low.gains.get_or_init(|| gains))
    }

    /// The forward with magnitudes, from the inner values.
    pub(super) fn forward_scaled(
        &self,
        kernels: &dyn Kernels,
        (weight, low, magnitudes): (&Tensor, &Low, &Magnitudes),
        x: &Tensor,
        (dropped, inner): (&Tensor, Tensor),
    ) -> Result<(Tensor, SavedActivations)> {
        if low.gains.get().is_none() {
            let gains = Gains::measure(weight, low, self.site.scale, magnitudes)?;
            low.gains.get_or_init(|| gains);
        }
        let Some(gains) = low.gains.get() else { candle_core::bail!("a site has no gains") };
        let seen = dropped.to_dtype(x.dtype())?;
        let direction = kernels.join(&product(&seen, &weight.t()?)?, &product(&inner, &low.b.t()?)?)?;
        let mut y = direction.to_dtype(DType::F32)?.broadcast_mul(&gains.factors)?;
        if self.site.dropout.is_some() {
            let rest = product(&(x - seen)?, &weight.t()?)?;
            y = (y + rest.to_dtype(DType::F32)?)?;
        }
        Ok((y.to_dtype(x.dtype())?, SavedActivations { inner: Some(inner), direction: Some(direction) }))
    }
}
