//! More tokens for a model: a tokenizer that knows them, and rows for them in the embedding and the output layer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use serde_json::json;
use tokenizers::{AddedToken, Tokenizer};

use super::own_tokenizer;
use super::peft::{Vocabulary, trains_tokens};
use crate::model::open::OpenModel;
use crate::model::weights::{Stored, Weights};
use crate::model::{ModelConfig, hf};
use dojo_core::ground::files::write_atomically;

/// The file of a folder's tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";

impl OpenModel {
    /// The model with a token for each text, and their ids. Texts that are tokens already keep their ids; others are
    /// added behind the last token, where the embedding may have spare rows; where it has none, it grows.
    ///
    /// # Errors
    /// Where a text is empty or can't be added, or where nobody could read an adapter with rows of its own.
    pub fn with_tokens(mut self, texts: &[String]) -> Result<(Self, Vec<u32>)> {
        self.check_rows("single tokens' rows can't be trained")?;
        // Not special: answers show them.
        let tokens = texts.iter().map(|text| AddedToken::from(text.as_str(), false).normalized(false));
        let (tokenizer, ids) = with_added(&self.tokenizer, tokens)?;
        let rows = ids.iter().max().map_or(0, |&last| last as usize + 1).max(self.config.vocabulary);
        self.adopt(tokenizer, Vocabulary::of_rows(rows));
        Ok((self, ids))
    }

    /// The model with the tokens that an adapter's folder adds (those of the tokenizer in it that the model's lacks), and
    /// with as many rows as the adapter was saved over. A token that has no row then is a token all the same.
    ///
    /// # Errors
    /// Where that tokenizer is damaged or is another model's.
    pub fn with_tokens_of(mut self, folder: &Path) -> Result<Self> {
        self.notices.adapters.extend(hf::asked::other_template(folder, self.template.text.as_deref())?);
        self.notices.adapters.extend(hf::asked::beside_adapter(folder, &self.config.eos)?);
        let own = own_tokenizer::read(folder)?;
        if let Some(own) = &own {
            self.notices.adapters.extend(own_tokenizer::differs(folder, own, &self.tokenizer)?);
        }
        let new = own.map_or_else(Vec::new, |own| new_tokens(&own, &self.tokenizer));
        let (wanted, tokens): (Vec<u32>, Vec<AddedToken>) = new.into_iter().unzip();
        let (tokenizer, ids) = with_added(&self.tokenizer, tokens)?;
        ensure!(
            ids == wanted,
            "the tokenizer in {} adds tokens under other numbers than here: it is another model's, or another adapter \
             has added tokens before it, and these two can't be held together",
            folder.display()
        );
        if trains_tokens(folder)? {
            self.check_rows(&format!("the adapter {} trains single tokens' rows", folder.display()))?;
        }
        let asked = Vocabulary::of(folder, &self.config, end_of(&tokenizer))?;
        if ids.is_empty() && asked.is_none() {
            return Ok(self);
        }
        let rows = self.config.vocabulary;
        let saved = asked.as_ref().filter(|asked| asked.saved).map_or(rows, |asked| asked.rows);
        ensure!(
            saved == rows || rows == self.rows_in_files,
            "the adapter {} was saved over an embedding of {saved} rows, and another adapter wants {rows}: these two \
             can't be held together",
            folder.display()
        );
        self.adopt(tokenizer, asked.unwrap_or_else(|| Vocabulary::of_rows(rows)));
        Ok(self)
    }

    /// An adapter with rows of its own means another thing to PEFT where the file has an output layer that the
    /// configuration says is the embedding's.
    fn check_rows(&self, what: &str) -> Result<()> {
        ensure!(
            !self.untied_by_file,
            "{what}: the configuration of {} ties the output layer to the embedding, while its file holds another \
             output layer; PEFT changes both, which Dojo doesn't support; set tie_word_embeddings to false in the \
             model's config.json and train again",
            self.name
        );
        Ok(())
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

    /// Tokens and rows that mean nothing to the model itself and to other adapters than those that brought them.
    #[must_use]
    pub fn foreign_tokens(&self) -> Vec<u32> {
        let rows = self.rows_in_files..self.config.vocabulary;
        let all: BTreeSet<u32> =
            self.added_tokens.iter().copied().chain(rows.map(|row| row as u32)).collect();
        all.into_iter().collect()
    }

    /// Whether rows of its embedding stand in an adapter's folder alone, in a form that Dojo reads and doesn't write.
    #[must_use]
    pub const fn has_lent_rows(&self) -> bool {
        self.lent_rows
    }

    /// The same model over other weights, whose every row has a meaning.
    #[must_use]
    pub(crate) fn over(self, config: ModelConfig, weights: Arc<dyn Weights>) -> Self {
        Self { rows_in_files: config.vocabulary, config, weights, added_tokens: Vec::new(), ..self }
    }

    /// Writes `tokenizer.json` alone.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub(crate) fn save_tokenizer_json(&self, folder: &Path) -> Result<()> {
        let text = self.tokenizer.to_string(true).map_err(|error| anyhow!("write the tokenizer: {error}"))?;
        write_atomically(&folder.join(TOKENIZER), text.as_bytes())
    }

    /// Writes the tokenizer into an adapter's folder, in the form that transformers reads.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn save_tokenizer(&self, folder: &Path) -> Result<()> {
        self.save_tokenizer_json(folder)?;
        let mut config = json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": self.template.bos_token,
            "eos_token": self.template.eos_token,
            "pad_token": self.template.eos_token,
            "chat_template": self.template.text,
            "clean_up_tokenization_spaces": false,
        });
        // What templates name besides, as the model has it.
        for (name, token) in &self.template.other_tokens {
            let place =
                if hf::special::is_known(name) { &mut config } else { &mut config["extra_special_tokens"] };
            place[name] = token.as_str().into();
        }
        write_atomically(&folder.join("tokenizer_config.json"), &serde_json::to_vec_pretty(&config)?)
    }

    fn adopt(&mut self, tokenizer: Tokenizer, vocabulary: Vocabulary) {
        let known = Arc::clone(&self.tokenizer);
        self.added_tokens.extend(new_tokens(&tokenizer, &known).into_iter().map(|(id, _)| id));
        self.lent_rows |= vocabulary.lent;
        let old = self.config.vocabulary;
        if vocabulary.rows != old {
            self.config.vocabulary = vocabulary.rows;
            self.config.eos.retain(|&end| (end as usize) < vocabulary.rows);
            let inner = Arc::clone(&self.weights);
            self.weights = Arc::new(Resized { inner, old, new: vocabulary.new });
        }
        self.tokenizer = Arc::new(tokenizer);
    }
}

/// Whether an adapter's folder brings tokens that a model lacks, or wants another number of rows than it has.
///
/// # Errors
/// Where a file of the folder is damaged.
pub fn wants_own_rows(folder: &Path, known: &Tokenizer, model: &ModelConfig) -> Result<bool> {
    let added = own_tokenizer::read(folder)?.map_or_else(Vec::new, |own| new_tokens(&own, known));
    let end = added.iter().map(|(id, _)| *id as usize + 1).max().unwrap_or(0).max(end_of(known));
    Ok(!added.is_empty() || Vocabulary::of(folder, model, end)?.is_some())
}

/// Added tokens of one tokenizer that another lacks, by their ids.
fn new_tokens(theirs: &Tokenizer, known: &Tokenizer) -> Vec<(u32, AddedToken)> {
    let added = theirs.get_added_tokens_decoder().into_iter();
    let mut new: Vec<(u32, AddedToken)> =
        added.filter(|(_, token)| known.token_to_id(&token.content).is_none()).collect();
    new.sort_by_key(|(id, _)| *id);
    new
}

/// A tokenizer with more tokens, and the ids of all that were given.
fn with_added(
    known: &Tokenizer,
    tokens: impl IntoIterator<Item = AddedToken>,
) -> Result<(Tokenizer, Vec<u32>)> {
    let mut tokenizer = known.clone();
    let mut ids = Vec::new();
    for token in tokens {
        let text = token.content.clone();
        ensure!(!text.trim().is_empty(), "a token to be added is empty");
        if tokenizer.token_to_id(&text).is_none() {
            tokenizer.add_tokens([token]).map_err(|error| anyhow!("add the token {text:?}: {error}"))?;
        }
        let id = tokenizer.token_to_id(&text);
        ids.push(id.with_context(|| format!("the tokenizer doesn't take {text:?} as a token"))?);
    }
    Ok((tokenizer, ids))
}

/// One more than the highest id.
fn end_of(tokenizer: &Tokenizer) -> usize {
    tokenizer.get_vocab(true).into_values().max().map_or(0, |last| last as usize + 1)
}

/// Weights whose embedding and output layer have more rows than their file's, or only the first of them.
struct Resized {
    inner: Arc<dyn Weights>,
    /// Rows in the file.
    old: usize,
    /// New rows by the tensor's name, where they are known.
    new: BTreeMap<String, Vec<f32>>,
}

impl Resized {
    /// The shape in the file, where the tensor is one of those that are resized.
    fn shape_in_file(&self, name: &str, shape: &[usize]) -> Option<[usize; 2]> {
        let resized = matches!(name, "model.embed_tokens.weight" | "lm_head.weight");
        let &[rows, width] = shape else { return None };
        (resized && rows != self.old).then_some([self.old, width])
    }
}

impl Weights for Resized {
    fn has(&self, name: &str) -> bool {
        self.inner.has(name)
    }

    fn samples(&self) -> Result<BTreeMap<String, u64>> {
        self.inner.samples()
    }

    /// New rows that aren't known are the mean of the others, as transformers begins them.
    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some([old, width]) = self.shape_in_file(name, shape) else { return self.inner.f32(name, shape) };
        let mut numbers = self.inner.f32(name, &[old, width])?;
        let length = shape.iter().product::<usize>();
        if let Some(new) = self.new.get(name) {
            numbers.extend_from_slice(new);
        } else if length > numbers.len() {
            let mean = mean_row(&numbers, width, old);
            numbers.extend(mean.iter().copied().cycle().take(length - numbers.len()));
        }
        numbers.truncate(length);
        ensure!(numbers.len() == length, "{name} has too few new rows");
        Ok(numbers)
    }

    /// New rows that aren't known are zeros, which every format holds as bytes of zero.
    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        let Some([old, width]) = self.shape_in_file(name, shape) else {
            return self.inner.stored(name, shape);
        };
        let mut stored = self.inner.stored(name, &[old, width])?;
        let row = stored.bytes.len() / old.max(1);
        if let Some(new) = self.new.get(name) {
            stored
                .bytes
                .extend(rounded(new, width, stored.format).with_context(|| format!("resize {name}"))?);
        }
        stored.bytes.resize(row * shape.first().copied().unwrap_or(0), 0);
        Ok(stored)
    }
}

fn mean_row(numbers: &[f32], width: usize, rows: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; width];
    for row in numbers.chunks_exact(width.max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, &number)| *sum += f64::from(number));
    }
    sums.iter().map(|sum| (sum / rows as f64) as f32).collect()
}

/// Rows in a file's format.
fn rounded(rows: &[f32], width: usize, format: GgmlDType) -> Result<Vec<u8>> {
    let tensor = Tensor::from_slice(rows, (rows.len() / width.max(1), width), &Device::Cpu)?;
    Ok(QTensor::quantize(&tensor, format)?.data()?.into_owned())
}
