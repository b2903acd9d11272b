//! What is trained beside the linear layers' adapters: whole modules (PEFT's `modules_to_save`) and single tokens' rows
//! of the embedding or the output layer (PEFT's `trainable_token_indices`).
//!
//! As in PEFT, a module trained whole is a copy: where the output layer is tied to the embedding, training the embedding
//! whole leaves the output layer as it was. Trained rows of a tied embedding count in the output layer too.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::Adapter;
use crate::model::layer::LayerNorm;
use crate::model::{ModelConfig, Weights};

/// A module that can be trained whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Module {
    /// `model.embed_tokens`
    Embedding,
    /// One of a layer's norms.
    LayerNorm(usize, LayerNorm),
    /// `model.norm`
    Norm,
    /// `lm_head`
    Output,
}

impl Module {
    /// All that a model has, rising.
    #[must_use]
    pub fn all(model: &ModelConfig) -> Vec<Self> {
        let norms = model.layer.norms();
        let of_layer = |layer| norms.iter().map(move |&norm| Self::LayerNorm(layer, norm));
        let layers = (0..model.layers).flat_map(of_layer);
        [Self::Embedding].into_iter().chain(layers).chain([Self::Norm, Self::Output]).collect()
    }

    /// Its Hugging Face path: `model.embed_tokens`, `model.layers.3.input_layernorm`, ...
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Embedding => "model.embed_tokens".to_owned(),
            Self::Norm => "model.norm".to_owned(),
            Self::Output => "lm_head".to_owned(),
            Self::LayerNorm(layer, norm) => format!("model.layers.{layer}.{}", norm.path()),
        }
    }

    /// The shape of its weight.
    #[must_use]
    pub fn shape(self, model: &ModelConfig) -> Vec<usize> {
        match self {
            Self::Embedding | Self::Output => vec![model.vocabulary, model.hidden],
            Self::LayerNorm(_, norm) => vec![norm.width(model)],
            Self::Norm => vec![model.hidden],
        }
    }

    /// The modules whose paths end with one of the names: PEFT's rule, by which `norm` is every norm.
    ///
    /// # Errors
    /// Where a name fits no module.
    pub fn named<S: AsRef<str>>(names: &[S], model: &ModelConfig) -> Result<Vec<Self>> {
        let all = Self::all(model);
        let mut found = BTreeSet::new();
        for name in names.iter().map(AsRef::as_ref) {
            let hits: Vec<Self> = all
                .iter()
                .copied()
                .filter(|module| !name.is_empty() && module.path().ends_with(name))
                .collect();
            if hits.is_empty() {
                bail!(
                    "there is no module {name:?} that can be trained whole (known: embed_tokens, lm_head, model.norm, \
                     norm for all norms, and the norms of layers by name)"
                );
            }
            found.extend(hits);
        }
        Ok(found.into_iter().collect())
    }

    /// Names that stand for modules in PEFT's configuration: a kind of norm that is there in every layer by its kind.
    pub(super) fn names(modules: &[WholeModule], model: &ModelConfig) -> Vec<String> {
        let count = |norm: LayerNorm| {
            modules
                .iter()
                .filter(|it| matches!(it.module, Self::LayerNorm(_, other) if other == norm))
                .count()
        };
        let name = |module: Self| match module {
            Self::Embedding => "embed_tokens".to_owned(),
            Self::LayerNorm(_, norm) if count(norm) == model.layers => norm.path().to_owned(),
            module => module.path(),
        };
        let names: BTreeSet<String> = modules.iter().map(|it| name(it.module)).collect();
        names.into_iter().collect()
    }

    /// What its weight in this model's own files has more than the same weight in files of Hugging Face's form: a norm of
    /// Gemma is whole in a GGUF, and an offset from 1 elsewhere.
    pub(super) fn shift_in_file(self, model: &ModelConfig) -> f32 {
        if self.is_norm() { model.layer.norm_shift - model.layer.norm_shift_in_file } else { 0.0 }
    }

    /// What layers are computed with, of a number that files of Hugging Face's form, adapters among them, hold.
    #[must_use]
    pub fn computed(self, number: f32, model: &ModelConfig) -> f32 {
        let shift = if self.is_norm() { model.layer.norm_shift } else { 0.0 };
        (number + shift) * self.factor(model)
    }

    /// What its weight is multiplied by where it is computed with, and its gradient so too.
    #[must_use]
    pub fn factor(self, model: &ModelConfig) -> f32 {
        if self == Self::Norm { model.logit_scale } else { 1.0 }
    }

    const fn is_norm(self) -> bool {
        matches!(self, Self::Norm | Self::LayerNorm(..))
    }

    /// Its base weight, as files of Hugging Face's form hold it.
    ///
    /// # Errors
    /// Where the tensor is missing or damaged.
    fn base(self, model: &ModelConfig, weights: &dyn Weights) -> Result<Vec<f32>> {
        let tied = self == Self::Output && model.tied_embeddings;
        let path = if tied { Self::Embedding.path() } else { self.path() };
        let mut numbers = weights.f32(&format!("{path}.weight"), &self.shape(model))?;
        let extra = self.shift_in_file(model);
        if extra != 0.0 {
            numbers.iter_mut().for_each(|number| *number -= extra);
        }
        Ok(numbers)
    }
}

/// A module that is trained whole: where its numbers stand among the trained ones, in its weight's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeModule {
    pub module: Module,
    pub start: usize,
    pub length: usize,
}

/// Tokens whose rows are trained: where those stand among the trained numbers, (tokens, width).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRows {
    /// [`Module::Embedding`] or [`Module::Output`].
    pub module: Module,
    pub tokens: Vec<u32>,
    pub width: usize,
    pub start: usize,
}

impl TokenRows {
    /// How many numbers.
    #[must_use]
    pub fn length(&self) -> usize {
        self.tokens.len() * self.width
    }

    /// Whether a model's output layer has these rows, too.
    #[must_use]
    pub fn is_output(&self, model: &ModelConfig) -> bool {
        self.module == Module::Output || model.tied_embeddings
    }
}

impl Adapter {
    /// Adds modules to be trained whole, as zeros.
    pub fn add_modules(&mut self, modules: &[Module], model: &ModelConfig) {
        for &module in modules {
            let (start, length) = (self.values.len(), module.shape(model).iter().product());
            self.values.resize(start + length, 0.0);
            self.modules.push(WholeModule { module, start, length });
        }
    }

    /// Adds tokens whose rows of the embedding are trained, and of the output layer where that is another; as zeros.
    ///
    /// # Errors
    /// Where a token has no row, or the embedding is trained whole as well.
    pub fn add_tokens(&mut self, tokens: &[u32], model: &ModelConfig) -> Result<()> {
        self.add_rows(Module::Embedding, tokens, model)?;
        if !model.tied_embeddings {
            self.add_rows(Module::Output, tokens, model)?;
        }
        Ok(())
    }

    /// Adds tokens whose rows of one module are trained.
    pub(super) fn add_rows(&mut self, module: Module, tokens: &[u32], model: &ModelConfig) -> Result<()> {
        let outside = tokens.iter().find(|&&token| token as usize >= model.vocabulary);
        ensure!(
            outside.is_none(),
            "token {} is to be trained, but the embedding has {} rows",
            outside.copied().unwrap_or_default(),
            model.vocabulary
        );
        ensure!(
            module == Module::Embedding || !model.tied_embeddings,
            "rows of lm_head are to be trained, which is tied to the embedding in this model: name embed_tokens"
        );
        let distinct: BTreeSet<u32> = tokens.iter().copied().collect();
        ensure!(distinct.len() == tokens.len(), "a trained token is named twice");
        let whole = self.modules.iter().any(|it| {
            it.module == module
                || (model.tied_embeddings && matches!(it.module, Module::Embedding | Module::Output))
        });
        ensure!(
            !whole,
            "{} is trained whole, so single tokens of it can't be trained besides",
            module.path()
        );
        let rows =
            TokenRows { module, tokens: tokens.to_vec(), width: model.hidden, start: self.values.len() };
        self.values.resize(rows.start + rows.length(), 0.0);
        self.rows.push(rows);
        Ok(())
    }

    /// Sets whole modules and rows to what the base has, which is where training begins.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged.
    pub fn copy_base(&mut self, model: &ModelConfig, weights: &dyn Weights) -> Result<()> {
        for it in &self.modules {
            let base = it.module.base(model, weights)?;
            let place = self.values.get_mut(it.start..it.start + it.length);
            place
                .filter(|place| place.len() == base.len())
                .context("a module's place is too small")?
                .copy_from_slice(&base);
        }
        for rows in &self.rows {
            let base = rows.module.base(model, weights)?;
            let place = self.values.get_mut(rows.start..rows.start + rows.length()).unwrap_or_default();
            for (to, &token) in place.chunks_exact_mut(rows.width).zip(&rows.tokens) {
                let from = base.chunks_exact(rows.width).nth(token as usize);
                to.copy_from_slice(from.context("a token has no row")?);
            }
        }
        Ok(())
    }
}
