//! Taking a request: its checks, its sequences, its constraint.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::generator::Generator;
use super::guess::Guesser;
use super::lora::Lora;
use super::request::{GenerateRequest, Overflow, RequestId};
use super::sampler::Sampler;
use super::sequence::{Sequence, slide};
use super::text::TextStream;
use dojo_core::data::vocabulary::check_rows;

impl Generator {
    /// Takes a request; it begins with the next step that has room.
    ///
    /// # Errors
    /// Where the prompt is empty, holds an unknown token or is too long, a setting is out of range, or the
    /// constraint can't be used.
    pub fn submit(&mut self, mut request: GenerateRequest) -> Result<RequestId> {
        request.sampling.check()?;
        ensure!(!request.prompt.is_empty(), "the prompt is empty");
        ensure!(
            request.choices > 0 && request.choices <= 1024,
            "{} choices: from 1 to 1024",
            request.choices
        );
        check_rows(&request.prompt, self.vocabulary(), &self.tokenizer)
            .map_err(|error| anyhow!("the prompt can't be computed: {error}"))?;
        let lora = match request.adapter {
            None => None,
            Some(id) => Some(Arc::clone(self.adapters.get(&id).context("the adapter isn't loaded")?)),
        };
        let mut tokens = request.prompt.clone();
        if tokens.len() >= self.context {
            let Overflow::Slide { keep } = request.overflow else {
                bail!("the prompt has {} tokens, the context {}", tokens.len(), self.context);
            };
            tokens = slide(&tokens, keep, self.context);
        }
        if let (None, Some(constraint)) = (&request.compiled, &request.constraint) {
            request.compiled = Some(self.compiler.compile(constraint)?);
        }
        let id = RequestId(self.next);
        let options = Arc::new(request);
        let mut sequences = Vec::new();
        for choice in 0..options.choices {
            sequences.push(self.sequence(id, choice, &options, tokens.clone(), lora.clone()));
        }
        self.next += 1;
        let siblings = sequences.split_off(1);
        if let Some(mut first) = sequences.pop() {
            first.siblings = siblings;
            self.waiting.push_back(first);
        }
        Ok(id)
    }

    fn sequence(
        &self,
        request: RequestId,
        choice: usize,
        options: &Arc<GenerateRequest>,
        tokens: Vec<u32>,
        lora: Option<Arc<Lora>>,
    ) -> Sequence {
        Sequence {
            request,
            choice,
            lora,
            computed: 0,
            pages: Vec::new(),
            remembered: 0,
            generated: 0,
            generated_before: 0,
            cached: 0,
            sampler: Sampler::new(&options.sampling, choice, &tokens),
            text: TextStream::new(Arc::clone(&self.tokenizer), options.stop.clone(), options.shown.clone()),
            matcher: None,
            guided: Duration::ZERO,
            siblings: Vec::new(),
            overtaken: 0,
            waited: 0,
            guesser: Guesser::default(),
            guessed: Vec::new(),
            put_off: None,
            finished: None,
            options: Arc::clone(options),
            tokens,
        }
    }
}
