//! Sample answers by the model in training.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use crate::domain::message::{Message, Role};
use crate::engine::adapter::Adapter;
use crate::engine::device::ComputeDevice;
use crate::engine::generate::{GenerateRequest, Limits, Loaded, Precision, Prompter, complete};
use crate::engine::model::OpenModel;
use crate::engine::train::host::Sampler;

/// A model that answers with whatever adapter it is handed.
pub struct ModelSampler {
    loaded: Arc<Loaded>,
    prompter: Prompter,
    has_template: bool,
}

impl ModelSampler {
    /// Reads the weights as the file stores them, which is far smaller than what training holds.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged, or the chat template can't be read.
    pub fn new(model: &OpenModel, place: &ComputeDevice) -> Result<Self> {
        Self::over(model, Arc::new(Loaded::new(model, Precision::Stored, place)?))
    }

    /// Over weights that are loaded already.
    ///
    /// # Errors
    /// Where the chat template can't be read.
    pub fn over(model: &OpenModel, loaded: Arc<Loaded>) -> Result<Self> {
        Ok(Self { loaded, prompter: Prompter::new(model)?, has_template: model.template.text.is_some() })
    }
}

impl Sampler for ModelSampler {
    fn answer(
        &mut self,
        adapter: &Adapter,
        prompt: &str,
        max_new_tokens: usize,
        go_on: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<Option<String>> {
        let tokens = if self.has_template {
            self.prompter.chat(&[Message::new(Role::User, prompt)])?
        } else {
            self.prompter.raw(prompt)?
        };
        let limits = Limits { sequences: 1, ..Limits::default() };
        // A generator of its own for each answer: between answers its memory and threads belong to training.
        let mut generator = self.loaded.generator(limits)?;
        let mut request = GenerateRequest::new(tokens, max_new_tokens);
        request.adapter = Some(generator.add_adapter(adapter)?);
        let mut stopped = false;
        let mut tick = |_| {
            stopped = !go_on()?;
            ensure!(!stopped, "stopped on request");
            Ok(())
        };
        let answers = complete(&mut generator, vec![request], &mut tick);
        if stopped {
            return Ok(None);
        }
        let answer = answers?.into_iter().flatten().next().context("the model gave no answer")?;
        Ok(Some(answer.text))
    }
}
