//! More tokens for a model: a tokenizer that knows them, and rows for them in the embedding and the output layer.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;
use tokenizers::{AddedToken, Tokenizer};

use super::ModelConfig;
use super::open::OpenModel;
use super::weights::{Stored, Weights};
use crate::engine::files::write_atomically;

/// The file of a folder's tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";

impl OpenModel {
    /// The model with a token for each text, and their ids. Texts that are tokens already keep their ids; others are
    /// added behind the last token, where the embedding may have spare rows; where it has none, it grows.
    ///
    /// # Errors
    /// Where a text is empty or can't be added.
    pub fn with_tokens(mut self, texts: &[String]) -> Result<(Self, Vec<u32>)> {
        let mut tokenizer = Tokenizer::clone(&self.tokenizer);
        let mut ids = Vec::new();
        for text in texts {
            ensure!(!text.trim().is_empty(), "a token to be trained is empty");
            if tokenizer.token_to_id(text).is_none() {
                // Not special: answers show it.
                let token = AddedToken::from(text.as_str(), false).normalized(false);
                tokenizer.add_tokens([token]).map_err(|error| anyhow!("add the token {text:?}: {error}"))?;
            }
            let id = tokenizer.token_to_id(text);
            ids.push(id.with_context(|| format!("the tokenizer doesn't take {text:?} as a token"))?);
        }
        self.adopt(tokenizer);
        Ok((self, ids))
    }

    /// The model with the tokens that an adapter's folder adds: those of the tokenizer in it that the model's lacks.
    ///
    /// # Errors
    /// Where that tokenizer is damaged or is another model's.
    pub fn with_tokens_of(self, folder: &Path) -> Result<Self> {
        let added = tokens_of(folder, &self.tokenizer)?;
        if added.is_empty() {
            return Ok(self);
        }
        let (wanted, texts): (Vec<u32>, Vec<String>) = added.into_iter().unzip();
        let (model, ids) = self.with_tokens(&texts)?;
        ensure!(
            ids == wanted,
            "the tokenizer in {} adds tokens under other numbers than here: it is another model's, or another adapter \
             has added tokens before it, and these two can't be held together",
            folder.display()
        );
        Ok(model)
    }

    /// Whether the tokenizer has more tokens than the model's own files say.
    #[must_use]
    pub fn has_added_tokens(&self) -> bool {
        !self.added_tokens.is_empty()
    }

    /// Tokens that the model's own files lack.
    #[must_use]
    pub fn added_tokens(&self) -> &[u32] {
        &self.added_tokens
    }

    /// The same model over other weights, whose every row has a meaning.
    #[must_use]
    pub(crate) fn over(self, config: ModelConfig, weights: Arc<dyn Weights>) -> Self {
        Self { config, weights, added_tokens: Vec::new(), ..self }
    }

    /// Writes the tokenizer into an adapter's folder, in the form that transformers reads.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn save_tokenizer(&self, folder: &Path) -> Result<()> {
        let text = self.tokenizer.to_string(true).map_err(|error| anyhow!("write the tokenizer: {error}"))?;
        write_atomically(&folder.join(TOKENIZER), text.as_bytes())?;
        let config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": self.template.bos_token,
            "eos_token": self.template.eos_token,
            "pad_token": self.template.eos_token,
            "chat_template": self.template.text,
            "clean_up_tokenization_spaces": false,
        });
        write_atomically(&folder.join("tokenizer_config.json"), &serde_json::to_vec_pretty(&config)?)
    }

    fn adopt(&mut self, tokenizer: Tokenizer) {
        let known = Arc::clone(&self.tokenizer);
        self.added_tokens.extend(new_tokens(&tokenizer, &known).into_iter().map(|(id, _)| id));
        let largest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
        let old = self.config.vocabulary;
        if largest >= old {
            self.config.vocabulary = largest + 1;
            let inner = Arc::clone(&self.weights);
            self.weights = Arc::new(Extended { inner, old });
        }
        self.tokenizer = Arc::new(tokenizer);
    }
}

/// Tokens with their ids that an adapter's folder brings and a tokenizer lacks; none where it holds no tokenizer.
///
/// # Errors
/// Where the folder's tokenizer is damaged.
pub fn tokens_of(folder: &Path, known: &Tokenizer) -> Result<Vec<(u32, String)>> {
    let path = folder.join(TOKENIZER);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let theirs = Tokenizer::from_file(&path).map_err(|error| anyhow!("read {}: {error}", path.display()))?;
    Ok(new_tokens(&theirs, known))
}

/// Added tokens of one tokenizer that another lacks, by their ids.
fn new_tokens(theirs: &Tokenizer, known: &Tokenizer) -> Vec<(u32, String)> {
    let added = theirs.get_added_tokens_decoder().into_iter();
    let mut new: Vec<(u32, String)> = added
        .map(|(id, token)| (id, token.content))
        .filter(|(_, text)| known.token_to_id(text).is_none())
        .collect();
    new.sort_unstable();
    new
}

/// Weights whose embedding and output layer have more rows than their file's.
struct Extended {
    inner: Arc<dyn Weights>,
    /// Rows in the file.
    old: usize,
}

impl Extended {
    /// The shape in the file, where the tensor is one of those that grow.
    fn shape_in_file(&self, name: &str, shape: &[usize]) -> Option<[usize; 2]> {
        let grows = matches!(name, "model.embed_tokens.weight" | "lm_head.weight");
        let &[rows, width] = shape else { return None };
        (grows && rows > self.old).then_some([self.old, width])
    }
}

impl Weights for Extended {
    fn has(&self, name: &str) -> bool {
        self.inner.has(name)
    }

    /// New rows are the mean of the others, as transformers begins them.
    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some(old) = self.shape_in_file(name, shape) else { return self.inner.f32(name, shape) };
        let mut numbers = self.inner.f32(name, &old)?;
        let mut sums = vec![0.0_f64; old[1]];
        for row in numbers.chunks_exact(old[1]) {
            sums.iter_mut().zip(row).for_each(|(sum, &number)| *sum += f64::from(number));
        }
        let mean: Vec<f32> = sums.iter().map(|sum| (sum / old[0] as f64) as f32).collect();
        for _ in old[0]..shape.first().copied().unwrap_or(0) {
            numbers.extend_from_slice(&mean);
        }
        Ok(numbers)
    }

    /// New rows are zeros, which every format holds as bytes of zero.
    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        let Some(old) = self.shape_in_file(name, shape) else { return self.inner.stored(name, shape) };
        let mut stored = self.inner.stored(name, &old)?;
        let row = stored.bytes.len() / old[0].max(1);
        stored.bytes.resize(row * shape.first().copied().unwrap_or(0), 0);
        Ok(stored)
    }
}
