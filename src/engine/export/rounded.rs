//! A model whose numbers are rounded as a file's are: what the file must compute, but for nothing. What differs from it is a
//! fault of the file and not of its format.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use candle_core::quantized::GgmlDType;

use super::gguf::quantise::encode;
use super::tensors::{self, NormForm};
use crate::model::OpenModel;
use crate::model::blocks;
use crate::model::weights::{Stored, Weights};

/// The model with every tensor rounded to its format.
pub(super) fn rounded(model: &OpenModel, formats: BTreeMap<String, GgmlDType>, norms: NormForm) -> OpenModel {
    let mut shifts = BTreeMap::new();
    for tensor in tensors::all(&model.config) {
        let shift = tensor.shift(&model.config, norms);
        if shift != 0.0 {
            shifts.extend(tensor.parts.into_iter().map(|part| (part.name, shift)));
        }
    }
    let weights = Rounded { inner: Arc::clone(&model.weights), formats, shifts };
    OpenModel { weights: Arc::new(weights), ..model.clone() }
}

struct Rounded {
    inner: Arc<dyn Weights>,
    formats: BTreeMap<String, GgmlDType>,
    /// What a file has more than these weights, of norms.
    shifts: BTreeMap<String, f32>,
}

impl Weights for Rounded {
    fn has(&self, name: &str) -> bool {
        self.inner.has(name)
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let mut numbers = self.inner.f32(name, shape)?;
        let Some(&format) = self.formats.get(name) else { return Ok(numbers) };
        let shift = self.shifts.get(name).copied();
        if let Some(shift) = shift {
            numbers.iter_mut().for_each(|number| *number += shift);
        }
        let bytes = encode(format, &numbers)?;
        blocks::expand(format, &bytes, &mut numbers)?;
        if let Some(shift) = shift {
            numbers.iter_mut().for_each(|number| *number -= shift);
        }
        Ok(numbers)
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        let format = GgmlDType::F32;
        Ok(Stored { format, bytes: encode(format, &self.f32(name, shape)?)? })
    }
}
