//! Sentence embeddings by BERT-like models (Reimers and Gurevych 2019) and by decoders that were trained for it: the last
//! layer's states of a text's tokens made one vector as the model's files say, scaled to length 1, as sentence-transformers
//! computes them.

mod bert;
mod cross_encoder;
mod decoder;
mod encoder;
mod folder;
mod pooling;

use std::ops::RangeInclusive;

use anyhow::{Context, Result, anyhow, bail, ensure};
use rayon::prelude::*;
use tokenizers::{Encoding, Tokenizer, TruncationParams};

pub use self::cross_encoder::{CrossEncoder, is_cross_encoder};
use self::encoder::{SentenceEncoder, SentenceScratch};
pub use self::folder::Prefixes;
use self::folder::SentenceFolder;
use self::pooling::Pooling;
use super::model::ModelFiles;
use super::model::files::ModelStorage;
use super::model::hf::tokenizer::read_file;

/// Tokens that one thread takes through all layers together: at most so many that the threads end together, at least so
/// many that reading the weights doesn't take longer than the arithmetic.
const TOGETHER: RangeInclusive<usize> = 64..=256;

/// A sentence model.
pub struct Embedder {
    name: String,
    encoder: SentenceEncoder,
    vocabulary: usize,
    pooling: Pooling,
    prefixes: Prefixes,
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
    /// Loads a folder with `config.json`, `tokenizer.json` and safetensors of a BERT model or a decoder, and what
    /// sentence-transformers writes beside them.
    ///
    /// # Errors
    /// If a file is missing or damaged, the model is of another kind, or its files ask for what isn't computed here.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let ModelStorage::HuggingFace(folder) = &files.form else {
            bail!(
                "{} is a GGUF file: embeddings need a sentence model's folder, all-minilm-l6-v2 for one",
                files.name
            );
        };
        let opened = || -> Result<Self> {
            let SentenceFolder { pooling, prefixes, longest, names_pooling } = SentenceFolder::read(folder)?;
            let path = folder.join("tokenizer.json");
            let whole = read_file(&path)?;
            let mut tokenizer = whole.clone();
            let (encoder, vocabulary) = SentenceEncoder::open(folder, names_pooling)?;
            let longest = longest.unwrap_or(encoder.longest()).min(encoder.longest());
            let truncation = TruncationParams { max_length: longest, ..TruncationParams::default() };
            tokenizer
                .with_truncation(Some(truncation))
                .map_err(|error| anyhow!("limit the length: {error}"))?;
            let name = files.name.clone();
            Ok(Self { name, encoder, vocabulary, pooling, prefixes, tokenizer, whole, longest })
        };
        opened().with_context(|| format!("open {} as a sentence model", files.name))
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.encoder.width()
    }

    /// Tokens of a text at most.
    #[must_use]
    pub const fn longest(&self) -> usize {
        self.longest
    }

    /// What the model's files say before a passage and a query; [`Embedder::embed`] says nothing of itself.
    #[must_use]
    pub const fn prefixes(&self) -> &Prefixes {
        &self.prefixes
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
        let is_written_for = |text: &String| {
            let written = |with_ends: bool| self.whole.encode(text.as_str(), with_ends).ok();
            let is_same = |encoding: Encoding| encoding.get_ids() == ids;
            written(false).is_some_and(is_same) || written(true).is_some_and(is_same)
        };
        if let Some(text) = self.whole.decode(ids, true).ok().filter(is_written_for) {
            return Some(text);
        }
        // The token for unknown words is left out there. Those that begin and end a text would be written twice.
        let ends = self.whole.encode("", true).ok()?;
        let has_ends = ids.iter().any(|id| ends.get_ids().contains(id));
        self.whole.decode(ids, false).ok().filter(|text| !has_ends && is_written_for(text))
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

    /// Embeds texts as they are; what is longer than the model reads is cut. A text's vector is the same, bit for bit,
    /// whatever others are embedded with it.
    ///
    /// # Errors
    /// If a text can't be tokenised, or the tokenizer is another model's.
    pub fn embed(&self, texts: &[&str]) -> Result<Embedded> {
        let encodings = self.encode(texts)?;
        let ids: Vec<&[u32]> = encodings.iter().map(Encoding::get_ids).collect();
        if let Some(id) = ids.iter().copied().flatten().find(|&&id| id as usize >= self.vocabulary) {
            bail!("the tokenizer gives token {id}, and {} has {} tokens", self.name, self.vocabulary);
        }
        ensure!(
            ids.iter().all(|ids| ids.len() <= self.longest),
            "a text wasn't cut to {} tokens",
            self.longest
        );
        let tokens: usize = ids.iter().map(|ids| ids.len()).sum();
        let each = tokens.div_ceil(2 * rayon::current_num_threads());
        let vectors = groups(&ids, each.clamp(*TOGETHER.start(), *TOGETHER.end()))
            .into_par_iter()
            .map_init(SentenceScratch::default, |scratch, texts| self.group(texts, scratch))
            .collect::<Vec<_>>();
        Ok(Embedded { vectors: vectors.into_iter().flatten().collect(), tokens })
    }

    fn group(&self, texts: &[&[u32]], scratch: &mut SentenceScratch) -> Vec<Vec<f32>> {
        let width = self.encoder.width();
        let mut states = self.encoder.forward(texts, scratch); // (tokens of all texts, width)
        let pooled = texts.iter().map(|ids| {
            let (own, others) = states.split_at(ids.len() * width);
            states = others;
            self.pooling.vector(own, width)
        });
        pooled.collect()
    }
}

/// Splits texts into runs of at most `room` tokens, or of one text.
fn groups<'a, 'b>(mut texts: &'b [&'a [u32]], room: usize) -> Vec<&'b [&'a [u32]]> {
    let mut groups = Vec::new();
    while !texts.is_empty() {
        let mut held = 0;
        let fits = |ids: &&&[u32]| {
            held += ids.len();
            held <= room
        };
        let (group, others) = texts.split_at(texts.iter().take_while(fits).count().max(1));
        groups.push(group);
        texts = others;
    }
    groups
}
