//! A decoder's matrices for training, so that what samples and what trains are one copy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use super::decoder::Decoder;
use crate::adapter::Projection;
use crate::model::Weights;
use crate::model::weights::{SharedMatrix, Stored};

/// A model's weights, its layers' matrices read from a decoder.
pub struct DecoderWeightsView {
    decoder: Arc<Decoder>,
    weights: Arc<dyn Weights>,
}

impl DecoderWeightsView {
    /// `weights` are those that the decoder was read from.
    pub fn new(decoder: Arc<Decoder>, weights: Arc<dyn Weights>) -> Self {
        Self { decoder, weights }
    }
}

/// Layer and projection of a name such as `model.layers.0.self_attn.q_proj.weight`.
fn place(name: &str) -> Option<(usize, Projection)> {
    let (layer, part) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let part = part.strip_suffix(".weight")?;
    let named = |it: &Projection| {
        part.strip_prefix(it.block()).and_then(|rest| rest.strip_prefix('.')) == Some(it.name())
    };
    Some((layer.parse().ok()?, Projection::ALL.into_iter().find(named)?))
}

impl Weights for DecoderWeightsView {
    fn has(&self, name: &str) -> bool {
        self.weights.has(name)
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.weights.shape(name)
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.weights.f32(name, shape)
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        self.weights.stored(name, shape)
    }

    fn shared(&self, name: &str, shape: &[usize]) -> Option<Arc<dyn SharedMatrix>> {
        let (layer, projection) = place(name)?;
        let matrix = self.decoder.layers.get(layer)?.shared_matrix(projection);
        let exact = self.decoder.precision.is_exact();
        let fits = [matrix.rows(), matrix.columns()] == shape;
        (exact && fits).then(|| Arc::clone(matrix) as Arc<dyn SharedMatrix>)
    }

    fn unread(&self, read: &BTreeSet<String>) -> Vec<String> {
        self.weights.unread(read)
    }

    fn samples(&self) -> Result<BTreeMap<String, u64>> {
        self.weights.samples()
    }
}
