//! What turns a text's tokens into states, of whichever kind a model's files say.

use std::path::Path;

use anyhow::{Result, ensure};

use super::bert::{self, BertConfig, Encoder, EncoderScratch};
use super::decoder::{self, DecoderEncoder, DecoderScratch, LoadedDecoder};
use crate::model::decoder_kind;

/// Layers of one of the kinds that are known.
pub(super) enum SentenceEncoder {
    Bert { encoder: Encoder, longest: usize },
    Decoder { encoder: Box<DecoderEncoder>, longest: usize },
}

/// Room for either.
#[derive(Default)]
pub(super) struct SentenceScratch {
    bert: EncoderScratch,
    decoder: DecoderScratch,
}

impl SentenceEncoder {
    /// Reads a folder's layers; gives its vocabulary too. A decoder embeds only if its files say how: a chat model has
    /// states as well, and they mean nothing here.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the model is of another kind.
    pub(super) fn open(folder: &Path, names_pooling: bool) -> Result<(Self, usize)> {
        if let Some(kind) = decoder_kind(folder)? {
            ensure!(
                names_pooling,
                "its architecture is {kind}, a chat model's, and no modules.json beside it says how it embeds: use \
                 all-minilm-l6-v2"
            );
            let LoadedDecoder { encoder, vocabulary, longest } = decoder::load(folder)?;
            return Ok((Self::Decoder { encoder: Box::new(encoder), longest }, vocabulary));
        }
        let shape = BertConfig::read(folder)?;
        let encoder = bert::load(&folder.join("model.safetensors"), &shape)?;
        Ok((Self::Bert { encoder, longest: shape.positions }, shape.vocab_size))
    }

    pub(super) fn width(&self) -> usize {
        match self {
            Self::Bert { encoder, .. } => encoder.width(),
            Self::Decoder { encoder, .. } => encoder.width(),
        }
    }

    /// Tokens of a text at most.
    pub(super) const fn longest(&self) -> usize {
        match self {
            Self::Bert { longest, .. } | Self::Decoder { longest, .. } => *longest,
        }
    }

    /// The last layer's states of all tokens: (tokens of all texts, width), text after text.
    pub(super) fn forward<'a>(&self, texts: &[&[u32]], scratch: &'a mut SentenceScratch) -> &'a [f32] {
        match self {
            Self::Bert { encoder, .. } => encoder.forward(texts, &mut scratch.bert),
            Self::Decoder { encoder, .. } => encoder.forward(texts, &mut scratch.decoder),
        }
    }
}
