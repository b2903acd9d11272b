//! BERT's encoder (Devlin et al. 2018): its files read, and its arithmetic over several texts without padding.

mod config;
mod encoder;

use std::path::Path;

use anyhow::{Context, Result, ensure};

pub(super) use self::config::BertConfig;
pub(super) use self::encoder::{Encoder, EncoderScratch};
use self::encoder::{EncoderLayer, Norm};
use crate::kernels::attention::text::TextHeads;
use crate::kernels::linear::Linear;
use crate::model::safetensors::SafetensorsFile;
use crate::model::weights::TensorRows;

/// Reads all weights as f32 and lays them out.
///
/// # Errors
/// If the file is damaged, or a tensor is missing or misshapen.
pub(super) fn load(path: &Path, shape: &BertConfig) -> Result<Encoder> {
    let file = SafetensorsFile::open(path)?;
    let bare = file.entry("embeddings.word_embeddings.weight").is_some();
    let reader = TensorReader { file: &file, path, prefix: if bare { "" } else { "bert." }, shape };
    let width = shape.width;
    let mut positions = reader.tensor("embeddings.position_embeddings.weight", &[shape.positions, width])?;
    let kinds = reader.tensor("embeddings.token_type_embeddings.weight", &[shape.type_vocab_size, width])?;
    for row in positions.chunks_exact_mut(width) {
        // The first kind is the first sentence's.
        row.iter_mut().zip(&kinds).for_each(|(position, kind)| *position += kind);
    }
    Ok(Encoder {
        words: reader.tensor("embeddings.word_embeddings.weight", &[shape.vocab_size, width])?,
        positions,
        norm: reader.norm("embeddings.LayerNorm")?,
        layers: (0..shape.layers).map(|index| reader.layer(index)).collect::<Result<_>>()?,
        heads: TextHeads::of_encoder(shape.heads, width / shape.heads),
    })
}

/// As [`load`], with each word a second time after all of them, as a word of a second sentence: the positions hold the
/// row of the first kind of sentence, so the other kind is added to the word. So a pair is a text like any other.
///
/// # Errors
/// As [`load`], and if the model knows one kind of sentence only.
pub(super) fn load_for_pairs(path: &Path, shape: &BertConfig) -> Result<Encoder> {
    ensure!(shape.type_vocab_size > 1, "it knows one kind of sentence, and a pair has two");
    let mut encoder = load(path, shape)?;
    let file = SafetensorsFile::open(path)?;
    let bare = file.entry("embeddings.word_embeddings.weight").is_some();
    let reader = TensorReader { file: &file, path, prefix: if bare { "" } else { "bert." }, shape };
    let width = shape.width;
    let kinds = reader.tensor("embeddings.token_type_embeddings.weight", &[shape.type_vocab_size, width])?;
    let (first, second) = (kinds.chunks_exact(width).next(), kinds.chunks_exact(width).nth(1));
    let apart: Vec<f32> =
        second.into_iter().flatten().zip(first.into_iter().flatten()).map(|(b, a)| b - a).collect();
    let rows = encoder.words.chunks_exact(width);
    let moved: Vec<f32> = rows.flat_map(|row| row.iter().zip(&apart).map(|(a, b)| a + b)).collect();
    encoder.words.extend(moved);
    Ok(encoder)
}

/// Reads tensors by name.
struct TensorReader<'a> {
    file: &'a SafetensorsFile,
    path: &'a Path,
    prefix: &'static str,
    shape: &'a BertConfig,
}

impl TensorReader<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let name = format!("{}{name}", self.prefix);
        let entry =
            self.file.entry(&name).with_context(|| format!("{} lacks tensor {name}", self.path.display()))?;
        let read = self.file.mapped(entry).and_then(|mapped| mapped.expand(&TensorRows::All, shape));
        read.with_context(|| format!("read tensor {name} of {}", self.path.display()))
    }

    fn linear(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Linear::new(&weight, &self.tensor(&format!("{name}.bias"), &[outputs])?, inputs))
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        Ok(Norm {
            weight: self.tensor(&format!("{name}.weight"), &[self.shape.width])?,
            bias: self.tensor(&format!("{name}.bias"), &[self.shape.width])?,
            epsilon: self.shape.layer_norm_eps,
        })
    }

    /// Queries, keys and values as one layer, the scores' scale in the queries.
    fn qkv(&self, attention: &str) -> Result<Linear> {
        let width = self.shape.width;
        let scale = 1.0 / ((width / self.shape.heads) as f32).sqrt();
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for (part, scale) in [("query", scale), ("key", 1.0), ("value", 1.0)] {
            let read = |of: &str, shape: &[usize]| self.tensor(&format!("{attention}.{part}.{of}"), shape);
            weight.extend(read("weight", &[width, width])?.into_iter().map(|value| value * scale));
            bias.extend(read("bias", &[width])?.into_iter().map(|value| value * scale));
        }
        Ok(Linear::new(&weight, &bias, width))
    }

    fn layer(&self, index: usize) -> Result<EncoderLayer> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (width, inner) = (self.shape.width, self.shape.inner);
        Ok(EncoderLayer {
            qkv: self.qkv(&name("attention.self"))?,
            out: self.linear(&name("attention.output.dense"), width, width)?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            widen: self.linear(&name("intermediate.dense"), inner, width)?,
            narrow: self.linear(&name("output.dense"), width, inner)?,
            output_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }
}
