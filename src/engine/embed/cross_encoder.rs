//! Cross-encoders (Nogueira and Cho 2019): a BERT that reads a question and a passage together, with one number on top
//! that says how well they fit. Files as transformers' `BertForSequenceClassification` has them.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use tokenizers::{Tokenizer, TruncationParams};

use super::bert::{self, BertConfig, Encoder, EncoderScratch};
use crate::model::ModelFiles;
use crate::model::files::ModelStorage;
use crate::model::hf::MOST_JSON;
use crate::model::hf::tokenizer::read_file;
use crate::model::safetensors::SafetensorsFile;
use crate::model::weights::TensorRows;
use dojo_core::data::regular;

/// Its class, as the files name it.
const CLASS: &str = "BertForSequenceClassification";
/// How the names of classes end that put a number on a text.
const HEAD: &str = "ForSequenceClassification";

/// What its configuration says of the head.
#[derive(Deserialize)]
struct HeadConfig {
    architectures: Option<Vec<String>>,
}

/// Whether a model's files say that it puts a number on a text, of whatever architecture.
#[must_use]
pub fn is_cross_encoder(files: &ModelFiles) -> bool {
    let ModelStorage::HuggingFace(folder) = &files.form else { return false };
    head(folder).is_ok_and(|head| head.architectures.iter().flatten().any(|class| class.ends_with(HEAD)))
}

fn head(folder: &Path) -> Result<HeadConfig> {
    let path = folder.join("config.json");
    let text = regular::text(&path, MOST_JSON).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))
}

/// A reranking model.
pub struct CrossEncoder {
    name: String,
    encoder: Encoder,
    /// Words of the first sentence; those of the second come after them.
    vocabulary: usize,
    tokenizer: Tokenizer,
    pooler: Dense,
    classifier: Dense,
}

/// `y = W x + b`, for one row.
struct Dense {
    weight: Vec<f32>, // (outputs, inputs)
    bias: Vec<f32>,
}

impl CrossEncoder {
    /// Loads a folder with `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// # Errors
    /// Where a file is missing or damaged, or the model is no BERT with one number (or two, of which the second says that
    /// a passage fits).
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let ModelStorage::HuggingFace(folder) = &files.form else {
            bail!("{} is a GGUF file: cross-encoders are read from a folder with safetensors", files.name);
        };
        let opened = || -> Result<Self> {
            let classes = head(folder)?.architectures.unwrap_or_default();
            ensure!(
                classes.iter().any(|class| class == CLASS),
                "it is {}, and cross-encoders are read as {CLASS}: ms-marco-minilm-l6-v2 is one",
                if classes.is_empty() { "of no named class".to_owned() } else { classes.join(", ") }
            );
            let shape = BertConfig::read(folder)?;
            let mut tokenizer = read_file(&folder.join("tokenizer.json"))?;
            // The longer of the two is cut first, which is the passage.
            let truncation = TruncationParams { max_length: shape.positions, ..TruncationParams::default() };
            tokenizer
                .with_truncation(Some(truncation))
                .map_err(|error| anyhow!("limit the length: {error}"))?;
            let path = folder.join("model.safetensors");
            let encoder = bert::load_for_pairs(&path, &shape)?;
            let file = SafetensorsFile::open(&path)?;
            let (width, vocabulary) = (encoder.width(), shape.vocab_size);
            let pooler = Dense::read(&file, "bert.pooler.dense", Some(width), width)?;
            let classifier = Dense::read(&file, "classifier", None, width)?;
            let numbers = classifier.bias.len();
            ensure!(
                (1..=2).contains(&numbers),
                "it gives {numbers} numbers for a pair, and a cross-encoder that reranks gives one, or two"
            );
            Ok(Self { name: files.name.clone(), encoder, vocabulary, tokenizer, pooler, classifier })
        };
        opened().with_context(|| format!("open {} as a cross-encoder", files.name))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How well a passage fits a question: the model's number as it is or, of two, how far the second is above the first.
    /// What is longer than the model reads is cut.
    ///
    /// # Errors
    /// Where a text can't be tokenised.
    pub fn score(&self, question: &str, passage: &str) -> Result<f32> {
        let encoding = self
            .tokenizer
            .encode((question, passage), true)
            .map_err(|error| anyhow!("tokenise a pair: {error}"))?;
        let second = self.vocabulary as u32;
        let pair = encoding.get_ids().iter().zip(encoding.get_type_ids());
        let ids: Vec<u32> = pair.map(|(&id, &kind)| if kind == 0 { id } else { id + second }).collect();
        let mut scratch = EncoderScratch::default();
        let states = self.encoder.forward(&[&ids], &mut scratch); // (tokens, width)
        let first = states.get(..self.encoder.width()).context("score a pair: it has no tokens")?;
        let mut pooled = self.pooler.apply(first);
        pooled.iter_mut().for_each(|value| *value = value.tanh());
        Ok(match self.classifier.apply(&pooled).as_slice() {
            [against, fits] => fits - against,
            numbers => numbers.first().copied().unwrap_or_default(),
        })
    }
}

impl Dense {
    fn read(file: &SafetensorsFile, name: &str, outputs: Option<usize>, inputs: usize) -> Result<Self> {
        let entry = |part: &str| {
            let name = format!("{name}.{part}");
            file.entry(&name).with_context(|| format!("it lacks tensor {name}"))
        };
        let (weight, bias) = (entry("weight")?, entry("bias")?);
        let outputs = outputs.or_else(|| weight.shape().first().copied()).unwrap_or_default();
        let read = || -> Result<Self> {
            Ok(Self {
                weight: file.mapped(weight)?.expand(&TensorRows::All, &[outputs, inputs])?,
                bias: file.mapped(bias)?.expand(&TensorRows::All, &[outputs])?,
            })
        };
        read().with_context(|| format!("read tensor {name}"))
    }

    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let row =
            |(weight, bias): (&[f32], &f32)| weight.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias;
        self.weight.chunks_exact(x.len()).zip(&self.bias).map(row).collect()
    }
}
