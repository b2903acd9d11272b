//! Sentence embeddings by BERT-like models (Reimers and Gurevych 2019): mean of the last layer over a text's tokens,
//! scaled to length 1, as sentence-transformers computes them.

mod bert;

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use self::bert::{Bert, BertConfig};
use super::model::ModelFiles;
use super::model::files::ModelStorage;
use super::model::hf::MOST_JSON;
use super::model::hf::tokenizer::read_file;
use crate::data::regular;

/// Tokens computed together: enough to keep all cores busy, few enough to stay small.
const TOGETHER: usize = 4096;

/// A sentence model.
pub struct Embedder {
    name: String,
    bert: Bert,
    /// Cuts what is too long.
    tokenizer: Tokenizer,
    /// Cuts nothing.
    whole: Tokenizer,
    /// Tokens of a text at most, those that begin and end it among them.
    longest: usize,
}

/// What texts became.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in their order: (dimensions), of length 1.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that were read.
    pub tokens: usize,
}

impl Embedder {
    /// Loads a folder with `config.json`, `tokenizer.json` and `model.safetensors` of a BERT model.
    ///
    /// # Errors
    /// Where a file is missing or damaged, or the model is no BERT.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let ModelStorage::HuggingFace(folder) = &files.form else {
            bail!(
                "{} is a GGUF file: embeddings need a sentence model's folder, all-minilm-l6-v2 for one",
                files.name
            );
        };
        let opened = || -> Result<Self> {
            let shape = BertConfig::read(folder)?;
            let path = folder.join("tokenizer.json");
            let whole = read_file(&path)?;
            let mut tokenizer = whole.clone();
            let max_length = longest(folder).unwrap_or(shape.positions).min(shape.positions);
            let truncation = TruncationParams { max_length, ..TruncationParams::default() };
            tokenizer
                .with_truncation(Some(truncation))
                .map_err(|error| anyhow!("limit the length: {error}"))?;
            let bert = Bert::load(&folder.join("model.safetensors"), shape)?;
            Ok(Self { name: files.name.clone(), bert, tokenizer, whole, longest: max_length })
        };
        opened().with_context(|| format!("open {} as a sentence model", files.name))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub const fn dimensions(&self) -> usize {
        self.bert.width()
    }

    /// Tokens of a text at most.
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// The first of some texts that is longer than the model reads.
    ///
    /// # Errors
    /// Where a text can't be tokenised.
    pub fn first_too_long(&self, texts: &[&str]) -> Result<Option<usize>> {
        let encodings = self.encode(texts)?;
        Ok(encodings.iter().position(|encoding| !encoding.get_overflowing().is_empty()))
    }

    /// The text that some tokens stand for; those that begin and end a text may be among them. None if the model's
    /// tokenizer wouldn't write them for it: then they are another's.
    #[must_use]
    pub fn text_of(&self, ids: &[u32]) -> Option<String> {
        let text = self.whole.decode(ids, true).ok()?;
        let written = |with_ends: bool| self.whole.encode(text.as_str(), with_ends).ok();
        let is_same = |encoding: Encoding| encoding.get_ids() == ids;
        let same = written(false).is_some_and(is_same) || written(true).is_some_and(is_same);
        same.then_some(text)
    }

    /// Tokens of a text, however long; without those that begin and end it.
    ///
    /// # Errors
    /// Where it can't be tokenised.
    pub fn tokens(&self, text: &str) -> Result<usize> {
        let encoding =
            self.whole.encode_fast(text, false).map_err(|error| anyhow!("tokenise a text: {error}"))?;
        Ok(encoding.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Encoding>> {
        self.tokenizer.encode_batch(texts.to_vec(), true).map_err(|error| anyhow!("tokenise a text: {error}"))
    }

    /// Embeds texts; what is longer than the model reads is cut.
    ///
    /// # Errors
    /// Where a text can't be tokenised.
    pub fn embed(&self, texts: &[&str]) -> Result<Embedded> {
        let encodings = self.encode(texts)?;
        let mut vectors = Vec::with_capacity(texts.len());
        let mut group: Vec<&[u32]> = Vec::new();
        let mut held = 0;
        for ids in encodings.iter().map(Encoding::get_ids) {
            if held + ids.len() > TOGETHER && held > 0 {
                vectors.extend(self.group(&group));
                group.clear();
                held = 0;
            }
            held += ids.len();
            group.push(ids);
        }
        vectors.extend(self.group(&group));
        Ok(Embedded { vectors, tokens: encodings.iter().map(Encoding::len).sum() })
    }

    fn group(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let width = self.bert.width();
        let states = self.bert.forward(texts); // (tokens of all texts, width)
        let mut rows = states.chunks_exact(width);
        let pooled = texts.iter().map(|ids| {
            let mut mean = vec![0.0; width];
            for row in rows.by_ref().take(ids.len()) {
                mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            // The mean's own scale goes with the length.
            let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-12);
            mean.iter_mut().for_each(|value| *value /= length);
            mean
        });
        pooled.collect()
    }
}

/// Tokens that the model was made for, where its folder says so.
fn longest(folder: &Path) -> Option<usize> {
    let text = regular::text(&folder.join("sentence_bert_config.json"), MOST_JSON).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    value.get("max_seq_length")?.as_u64().map(|length| length as usize)
}
