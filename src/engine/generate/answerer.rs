//! Sample completions while a model is trained.

use anyhow::Result;

use super::generator::Generator;
use super::prompt::Prompter;
use super::request::{Request, What};
use crate::domain::message::{Message, Role};
use crate::engine::adapter::Adapter;
use crate::engine::train::host::Sampler;

/// Answers prompts with whatever an adapter's numbers are at the moment.
pub struct Answerer {
    generator: Generator,
    prompter: Prompter,
}

impl Answerer {
    pub const fn new(generator: Generator, prompter: Prompter) -> Self {
        Self { generator, prompter }
    }
}

impl Sampler for Answerer {
    fn answer(
        &mut self,
        adapter: &Adapter,
        prompt: &str,
        max_new_tokens: usize,
        go_on: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<Option<String>> {
        let tokens = if self.prompter.has_template() {
            self.prompter.chat(&[Message::new(Role::User, prompt)])?
        } else {
            self.prompter.raw(prompt)?
        };
        let id = self.generator.add_adapter(adapter)?;
        let request =
            self.generator.submit(Request { adapter: Some(id), ..Request::new(tokens, max_new_tokens) });
        self.generator.remove_adapter(id);
        let request = request?;
        let mut answer = String::new();
        while self.generator.unfinished() > 0 {
            if !go_on()? {
                self.generator.cancel(request);
                return Ok(None);
            }
            for event in self.generator.step()? {
                let (What::Token { text, .. } | What::Finished { text, .. }) = &event.what;
                answer.push_str(text);
            }
        }
        Ok(Some(answer))
    }
}
