//! A model's tokenizer and chat template: how its records are cut into tokens, and what training reads of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use tokenizers::Tokenizer;

use crate::data::chat::ChatTemplate;
use crate::data::control::Controls;
use crate::data::encode::{Encoded, Encoder};
use crate::domain::protocol::data::{TokenPiece, Trained};
use crate::engine::hub::{self, Network};
use crate::engine::model;
use crate::session::{CountedTokens, Session};

/// Records that are cut in one go, and stored as one transaction.
const STRETCH: usize = 2048;

/// A model's tokenizer and chat template, for those who need no more of it.
pub(crate) struct RecordTokenizer {
    /// The model's name, under which counts are kept.
    name: String,
    tokenizer: Arc<Tokenizer>,
    controls: Arc<Controls>,
    template: Option<ChatTemplate>,
    end: Option<String>,
    /// Rows of the model's embedding.
    rows: usize,
    /// Tokens that the model reads at most.
    context: usize,
}

impl RecordTokenizer {
    /// Of a model by its name; fetched where the network is allowed and it is not on this machine.
    ///
    /// # Errors
    /// Where it can't be had or opened.
    pub(crate) fn open(
        models: &Path,
        name: &str,
        network: Network,
        progress: &mut dyn hub::PullProgress,
    ) -> Result<Self> {
        ensure!(
            !name.is_empty(),
            "the session names no model: add model = \"smollm2-135m\" to its session.toml"
        );
        let files = hub::resolve(models, name, network, progress)?;
        let open = model::open(&files)?;
        let template = open.template.compile()?;
        let end = open.template.eos_token.clone();
        let (rows, context, tokenizer) = (open.config.vocabulary, open.config.context, open.tokenizer);
        let controls = Arc::new(Controls::new(&tokenizer));
        Ok(Self { name: name.to_owned(), tokenizer, controls, template, end, rows, context })
    }

    /// Tokens that the model reads at most.
    pub(crate) const fn context(&self) -> usize {
        self.context
    }

    /// Cuts examples to `max_length` tokens.
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub(crate) fn encoder(&self, max_length: usize) -> Result<Encoder<'_>> {
        let (template, controls) = (self.template.as_ref(), Arc::clone(&self.controls));
        let encoder = Encoder::with(&self.tokenizer, template, self.end.as_deref(), max_length, controls)?;
        Ok(encoder.with_rows(self.rows))
    }

    /// An example's tokens with their text. A character of several tokens is one piece.
    ///
    /// # Errors
    /// Where the tokens can't be decoded, or there are none.
    pub(crate) fn pieces(&self, shown: &Encoded) -> Result<Vec<TokenPiece>> {
        let mut stream = self.tokenizer.decode_stream(false);
        let mut pieces: Vec<TokenPiece> = Vec::new();
        let mut ids = Vec::new();
        let mut last = Trained::No;
        for (&id, &trained) in shown.example.tokens.iter().zip(&shown.example.trained) {
            ids.push(id);
            last = if trained { Trained::Yes } else { Trained::No };
            let text = stream.step(id).map_err(anyhow::Error::msg).context("decode the tokens")?;
            if let Some(text) = text {
                pieces.push(TokenPiece { ids: std::mem::take(&mut ids), text, trained: last });
            }
        }
        if !ids.is_empty() {
            pieces.push(TokenPiece { ids, text: "\u{FFFD}".into(), trained: last });
        }
        ensure!(!pieces.is_empty(), "the example has no token");
        Ok(pieces)
    }

    /// Counts the tokens of every record that has no count of this model yet, and stores them. Asks after every
    /// stretch whether to go on, with what is done and what there is.
    ///
    /// # Errors
    /// Where the session can't be read or written.
    pub(crate) fn count_all(
        &self,
        session: &mut Session,
        mut go_on: impl FnMut(u64, u64) -> bool,
    ) -> Result<CountedTokens> {
        session.use_tokenizer(&self.name)?;
        let encoder = self.encoder(usize::MAX)?;
        let waiting = session.uncounted()?;
        let mut all = CountedTokens::default();
        for ids in waiting.chunks(STRETCH) {
            let done = session.count_tokens(&self.name, ids, |rows| {
                let count = |row: &crate::session::RecordRow| encoder.length(&row.record).ok();
                rows.par_iter().map(|row| count(row).and_then(|count| u32::try_from(count).ok())).collect()
            })?;
            all = CountedTokens { counted: all.counted + done.counted, refused: all.refused + done.refused };
            if !go_on(all.counted + all.refused, waiting.len() as u64) {
                break;
            }
        }
        Ok(all)
    }
}
