//! A decoder's tensors as files of other programs hold them: which there are, and their numbers, one tensor at a time.

use anyhow::Result;

use crate::adapter::Projection;
use crate::model::layer::LayerNorm;
use crate::model::{ModelConfig, OpenModel};

/// A tensor of a file, made of one of the model's or of several below each other (Phi-3's fused projections).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileTensor {
    /// Its Hugging Face name in a file.
    pub(super) name: String,
    pub(super) parts: Vec<TensorPart>,
    pub(super) kind: TensorKind,
    /// The layer that it is of.
    pub(super) layer: Option<usize>,
}

/// A tensor by the name that `Weights` knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorPart {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TensorKind {
    Embedding,
    Output,
    Matrix,
    Norm,
    Bias,
}

/// How a file holds norms whose weight is an offset from one (Gemma).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NormForm {
    /// As Hugging Face's files: the offset.
    Offset,
    /// As a GGUF: what is computed with.
    Whole,
}

impl FileTensor {
    fn one(name: &str, shape: Vec<usize>, kind: TensorKind, layer: Option<usize>) -> Self {
        let name = format!("{name}.weight");
        Self { parts: vec![TensorPart { name: name.clone(), shape }], name, kind, layer }
    }

    /// Its shape, rows first.
    pub(super) fn shape(&self) -> Vec<usize> {
        let rows = self.parts.iter().filter_map(|part| part.shape.first()).sum();
        let rest = self.parts.first().into_iter().flat_map(|part| part.shape.iter().skip(1).copied());
        std::iter::once(rows).chain(rest).collect()
    }

    /// Its numbers, row by row, in Hugging Face's row order.
    pub(super) fn read(&self, model: &OpenModel, norms: NormForm) -> Result<Vec<f32>> {
        let mut numbers = Vec::new();
        for part in &self.parts {
            let read = model.weights.f32(&part.name, &part.shape)?;
            if numbers.is_empty() { numbers = read } else { numbers.extend(read) }
        }
        let shift = self.shift(&model.config, norms);
        // Adding nothing would still turn -0 into 0.
        if shift != 0.0 {
            numbers.iter_mut().for_each(|number| *number += shift);
        }
        Ok(numbers)
    }

    /// What a file's numbers have more than the model's weights: those of norms alone differ.
    pub(super) fn shift(&self, config: &ModelConfig, norms: NormForm) -> f32 {
        match norms {
            _ if self.kind != TensorKind::Norm => 0.0,
            NormForm::Offset => config.layer.norm_shift_in_file - config.layer.norm_shift,
            NormForm::Whole => config.layer.norm_shift_in_file,
        }
    }
}

/// All tensors of a model, in the order of its layers.
pub(super) fn all(config: &ModelConfig) -> Vec<FileTensor> {
    let table = vec![config.vocabulary, config.hidden];
    let mut found = vec![FileTensor::one("model.embed_tokens", table.clone(), TensorKind::Embedding, None)];
    for layer in 0..config.layers {
        found.extend(norms(config, layer));
        found.extend(matrices(config, layer));
    }
    found.push(FileTensor::one("model.norm", vec![config.hidden], TensorKind::Norm, None));
    if !config.tied_embeddings {
        found.push(FileTensor::one("lm_head", table, TensorKind::Output, None));
    }
    found
}

fn norms(config: &ModelConfig, layer: usize) -> Vec<FileTensor> {
    let norm = |norm: LayerNorm| {
        let name = format!("model.layers.{layer}.{}", norm.path());
        FileTensor::one(&name, vec![norm.width(config)], TensorKind::Norm, Some(layer))
    };
    config.layer.norms().into_iter().map(norm).collect()
}

fn matrices(config: &ModelConfig, layer: usize) -> Vec<FileTensor> {
    use Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj};
    let stem = |part: Projection| format!("model.layers.{layer}.{}.{}", part.block(), part.name());
    let part = |projection: Projection| {
        let (outputs, inputs) = projection.shape(config);
        TensorPart { name: format!("{}.weight", stem(projection)), shape: vec![outputs, inputs] }
    };
    let joined = |name: &str, parts: &[Projection]| FileTensor {
        name: format!("model.layers.{layer}.{name}.weight"),
        parts: parts.iter().copied().map(part).collect(),
        kind: TensorKind::Matrix,
        layer: Some(layer),
    };
    if config.layer.fused_projections {
        return vec![
            joined("self_attn.qkv_proj", &[QProj, KProj, VProj]),
            joined("self_attn.o_proj", &[OProj]),
            joined("mlp.gate_up_proj", &[GateProj, UpProj]),
            joined("mlp.down_proj", &[DownProj]),
        ];
    }
    let mut found: Vec<FileTensor> = Projection::ALL
        .iter()
        .map(|&projection| joined(&format!("{}.{}", projection.block(), projection.name()), &[projection]))
        .collect();
    if config.layer.qkv_bias {
        found.extend([QProj, KProj, VProj].map(|projection| {
            let name = format!("{}.bias", stem(projection));
            let part = TensorPart { name: name.clone(), shape: vec![projection.shape(config).0] };
            FileTensor { name, parts: vec![part], kind: TensorKind::Bias, layer: Some(layer) }
        }));
    }
    found
}
