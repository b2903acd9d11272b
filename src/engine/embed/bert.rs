//! BERT's encoder (Devlin et al. 2018) over several texts at once, one behind the other without padding.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;
use serde::Deserialize;

use crate::data::regular;
use crate::engine::kernels::gemm::{GemmOutput, Matrix, ProductTerm, Write, matmul};
use crate::engine::kernels::isa::by_isa;
use crate::engine::kernels::math::{exp, sum2};
use crate::engine::model::hf::MOST_JSON;
use crate::engine::model::safetensors::SafetensorsFile;
use crate::engine::model::weights::TensorRows;

/// Rows that one task takes.
const ROWS: usize = 32;

/// What `config.json` says of the model.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BertConfig {
    #[serde(default)]
    model_type: String,
    vocab_size: usize,
    #[serde(rename = "hidden_size")]
    width: usize,
    #[serde(rename = "num_hidden_layers")]
    layers: usize,
    #[serde(rename = "num_attention_heads")]
    heads: usize,
    #[serde(rename = "intermediate_size")]
    inner: usize,
    #[serde(default = "gelu_name")]
    hidden_act: String,
    #[serde(rename = "max_position_embeddings")]
    pub(super) positions: usize,
    type_vocab_size: usize,
    layer_norm_eps: f32,
}

fn gelu_name() -> String {
    "gelu".to_owned()
}

impl BertConfig {
    /// Reads a folder's `config.json`.
    ///
    /// # Errors
    /// Where it is missing, or the model is something else than a BERT.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let text = regular::text(&path, MOST_JSON).with_context(|| format!("read {}", path.display()))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        let kind = value.get("model_type").and_then(serde_json::Value::as_str).unwrap_or("unnamed");
        if kind != "bert" {
            bail!("its architecture is {kind}, and sentence models are read as bert: use all-minilm-l6-v2");
        }
        let shape: Self =
            serde_json::from_value(value).with_context(|| format!("read {}", path.display()))?;
        ensure!(
            shape.hidden_act == "gelu",
            "its activation is {}, and {} models are read with gelu",
            shape.hidden_act,
            shape.model_type
        );
        let whole = shape.heads > 0 && shape.width.is_multiple_of(shape.heads);
        ensure!(whole, "its width {} can't be split into {} heads", shape.width, shape.heads);
        let sizes = [shape.vocab_size, shape.positions, shape.width, shape.inner, shape.type_vocab_size];
        ensure!(sizes.iter().all(|&size| size > 0), "one of its sizes is 0");
        Ok(shape)
    }
}

/// `y = x W^T + b`
struct Linear {
    weight: Vec<f32>, // (outputs, inputs)
    bias: Vec<f32>,
}

/// Layer normalisation (Ba et al. 2016).
struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

struct BertLayer {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    output_norm: Norm,
}

/// The encoder's weights.
pub(super) struct Bert {
    shape: BertConfig,
    words: Vec<f32>,
    positions: Vec<f32>,
    /// Of the first sentence; a text is one sentence.
    kind: Vec<f32>,
    norm: Norm,
    layers: Vec<BertLayer>,
}

/// Reads tensors by name.
struct TensorReader<'a> {
    file: &'a SafetensorsFile,
    path: &'a Path,
    prefix: &'static str,
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
        Ok(Linear {
            weight: self.tensor(&format!("{name}.weight"), &[outputs, inputs])?,
            bias: self.tensor(&format!("{name}.bias"), &[outputs])?,
        })
    }

    fn norm(&self, name: &str, shape: &BertConfig) -> Result<Norm> {
        Ok(Norm {
            weight: self.tensor(&format!("{name}.weight"), &[shape.width])?,
            bias: self.tensor(&format!("{name}.bias"), &[shape.width])?,
            epsilon: shape.layer_norm_eps,
        })
    }

    fn layer(&self, index: usize, shape: &BertConfig) -> Result<BertLayer> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (width, inner) = (shape.width, shape.inner);
        let square = |part: &str| self.linear(&name(part), width, width);
        Ok(BertLayer {
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            out: square("attention.output.dense")?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"), shape)?,
            widen: self.linear(&name("intermediate.dense"), inner, width)?,
            narrow: self.linear(&name("output.dense"), width, inner)?,
            output_norm: self.norm(&name("output.LayerNorm"), shape)?,
        })
    }
}

impl Bert {
    /// Reads all weights as f32.
    ///
    /// # Errors
    /// Where the file is damaged, or a tensor is missing or misshapen.
    pub(super) fn load(path: &Path, shape: BertConfig) -> Result<Self> {
        let file = SafetensorsFile::open(path)?;
        let bare = file.entry("embeddings.word_embeddings.weight").is_some();
        let reader = TensorReader { file: &file, path, prefix: if bare { "" } else { "bert." } };
        let width = shape.width;
        let mut kind =
            reader.tensor("embeddings.token_type_embeddings.weight", &[shape.type_vocab_size, width])?;
        kind.truncate(width);
        Ok(Self {
            words: reader.tensor("embeddings.word_embeddings.weight", &[shape.vocab_size, width])?,
            positions: reader.tensor("embeddings.position_embeddings.weight", &[shape.positions, width])?,
            kind,
            norm: reader.norm("embeddings.LayerNorm", &shape)?,
            layers: (0..shape.layers).map(|index| reader.layer(index, &shape)).collect::<Result<_>>()?,
            shape,
        })
    }

    pub(super) const fn width(&self) -> usize {
        self.shape.width
    }

    /// The last layer's states of all tokens: (tokens of all texts, width), text after text.
    pub(super) fn forward(&self, texts: &[&[u32]]) -> Vec<f32> {
        let width = self.shape.width;
        let mut x = self.embed(texts);
        let rows = x.len() / width;
        let mut attended = vec![0.0; x.len()];
        for layer in &self.layers {
            let q = layer.query.apply(&x, rows);
            let k = layer.key.apply(&x, rows);
            let v = layer.value.apply(&x, rows);
            self.attend(texts, &q, &k, &v, &mut attended);
            layer.attention_norm.add(&mut x, &layer.out.apply(&attended, rows));
            let mut inner = layer.widen.apply(&x, rows);
            inner.par_chunks_mut(ROWS * self.shape.inner).for_each(gelu);
            layer.output_norm.add(&mut x, &layer.narrow.apply(&inner, rows));
        }
        x
    }

    fn embed(&self, texts: &[&[u32]]) -> Vec<f32> {
        let width = self.shape.width;
        let row = |table: &[f32], place: usize| -> Vec<f32> {
            table.get(place * width..(place + 1) * width).map_or_else(|| vec![0.0; width], <[f32]>::to_vec)
        };
        let mut x = Vec::new();
        for ids in texts {
            for (position, &id) in ids.iter().enumerate() {
                let (word, place) = (row(&self.words, id as usize), row(&self.positions, position));
                x.extend(word.iter().zip(&place).zip(&self.kind).map(|((a, b), c)| a + b + c));
            }
        }
        let nothing = vec![0.0; x.len()];
        self.norm.add(&mut x, &nothing);
        x
    }

    /// Every token looks at all tokens of its own text.
    fn attend(&self, texts: &[&[u32]], q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
        let (width, heads) = (self.shape.width, self.shape.heads);
        let mut parts = Vec::new();
        let (mut rest, mut start) = (out, 0);
        for ids in texts {
            let length = ids.len() * width;
            let (own, after) = rest.split_at_mut(length);
            rest = after;
            let range = start..start + length;
            parts.push((own, &q[range.clone()], &k[range.clone()], &v[range]));
            start += length;
        }
        parts.into_par_iter().for_each(|(out, q, k, v)| {
            for head in 0..heads {
                attend_head(q, k, v, out, width, head, width / heads);
            }
        });
    }
}

impl Linear {
    fn apply(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let outputs = self.bias.len();
        let inputs = x.len() / rows.max(1);
        let mut y = self.bias.repeat(rows);
        let weight = Matrix::new(&self.weight, outputs, inputs).transposed();
        let output = GemmOutput { data: &mut y, stride: outputs, write: Write::Add };
        matmul(output, 1.0, &[ProductTerm::new(Matrix::new(x, rows, inputs), weight)]);
        y
    }
}

impl Norm {
    /// `x = norm(x + y)`, row by row.
    fn add(&self, x: &mut [f32], y: &[f32]) {
        let block = ROWS * self.weight.len();
        x.par_chunks_mut(block).zip(y.par_chunks(block)).for_each(|(x, y)| {
            norm_rows(x, y, &self.weight, &self.bias, self.epsilon);
        });
    }
}

by_isa! {
    fn norm_rows(x: &mut [f32], y: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) {
        let width = weight.len();
        for (x, y) in x.chunks_exact_mut(width).zip(y.chunks_exact(width)) {
            x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
            let mean = sum2(x, x, |a, _| a) / width as f32;
            let variance = sum2(x, x, |a, _| (a - mean) * (a - mean)) / width as f32;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
                *x = (*x - mean) * scale * weight + bias;
            }
        }
    }
}

by_isa! {
    /// `x (1 + erf(x / sqrt(2))) / 2`, erf after Abramowitz and Stegun 7.1.26 (within 2e-7).
    fn gelu(values: &mut [f32]) {
        for value in values {
            let z = value.abs() * std::f32::consts::FRAC_1_SQRT_2;
            let t = 1.0 / (1.0 + 0.327_591_1 * z);
            let p = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
            let erf = (1.0 - p * exp(-z * z)).copysign(*value);
            *value *= 0.5 * (1.0 + erf);
        }
    }
}

by_isa! {
    /// One head of one text: q, k, v and out are (tokens, width).
    fn attend_head(q: &[f32], k: &[f32], v: &[f32], out: &mut [f32], width: usize, head: usize, depth: usize) {
        let at = head * depth;
        let scale = 1.0 / (depth as f32).sqrt();
        let mut scores = vec![0.0_f32; k.len() / width];
        for (q, out) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let q = &q[at..at + depth];
            let mut largest = f32::NEG_INFINITY;
            for (score, k) in scores.iter_mut().zip(k.chunks_exact(width)) {
                *score = sum2(q, &k[at..at + depth], |a, b| a * b) * scale;
                largest = largest.max(*score);
            }
            let mut total = 0.0;
            for score in &mut scores {
                *score = exp(*score - largest);
                total += *score;
            }
            let out = &mut out[at..at + depth];
            out.fill(0.0);
            for (score, v) in scores.iter().zip(v.chunks_exact(width)) {
                let share = score / total;
                for (out, v) in out.iter_mut().zip(&v[at..at + depth]) {
                    *out += share * v;
                }
            }
        }
    }
}
