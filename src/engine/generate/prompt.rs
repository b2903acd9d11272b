//! From conversations and texts to the token ids that a model expects.

use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value};
use tokenizers::Tokenizer;

use crate::model::OpenModel;
use dojo_core::data::calls::CallForm;
use dojo_core::data::chat::{ChatTemplate, RenderEnding};
use dojo_core::data::control::Controls;
use dojo_core::data::mask::Masker;
use dojo_core::data::shown;
use dojo_core::data::vocabulary::check_rows;
use dojo_core::domain::message::{Conversation, Message};

/// Renders and tokenises prompts for one model.
#[derive(Clone)]
pub struct Prompter {
    tokenizer: Arc<Tokenizer>,
    template: Option<ChatTemplate>,
    controls: Arc<Controls>,
    name: String,
    /// Rows of the model's embedding.
    rows: usize,
    form: Arc<OnceLock<Option<CallForm>>>,
}

impl Prompter {
    /// For a model, with its own chat template where it has one.
    ///
    /// # Errors
    /// Where the template doesn't compile.
    pub fn new(model: &OpenModel) -> Result<Self> {
        let template = model.template.compile()?;
        let controls = Arc::new(Controls::new(&model.tokenizer));
        let (tokenizer, rows) = (Arc::clone(&model.tokenizer), model.config.vocabulary);
        Ok(Self { tokenizer, template, controls, name: model.name.clone(), rows, form: Arc::default() })
    }

    /// Whether the model can chat.
    pub const fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// A conversation with the head of the assistant's next turn. The names of control tokens in it are text.
    ///
    /// # Errors
    /// Where the model has no template, its template refuses the conversation, or a token has no row in the embedding.
    pub fn chat(&self, messages: &[Message]) -> Result<Vec<u32>> {
        self.prompt(messages.into())
    }

    fn prompt(&self, conversation: Conversation<'_>) -> Result<Vec<u32>> {
        let template = self.template.as_ref().with_context(|| {
            format!("{} has no chat template: it continues plain text only (`--raw`)", self.name)
        })?;
        shown::check_system(template, conversation)?;
        let masker = Masker::with(template, &self.tokenizer, Arc::clone(&self.controls));
        self.checked(masker.tokens(conversation, RenderEnding::GenerationPrompt)?)
    }

    /// As [`Prompter::chat`], for somebody who can't be warned: what the template doesn't show is refused.
    ///
    /// # Errors
    /// As [`Prompter::chat`], and where the template leaves out what the conversation says.
    pub fn conversation(&self, conversation: Conversation<'_>) -> Result<Vec<u32>> {
        if let Some(template) = &self.template {
            shown::check_whole(template, conversation)?;
        }
        self.prompt(conversation)
    }

    /// The keys of turns beside role and content that the model would not read, for somebody who is told of them.
    ///
    /// # Errors
    /// Where the template leaves out a thought or a call, or refuses the conversation.
    pub fn unshown_keys(&self, messages: &[Message]) -> Result<Vec<String>> {
        match &self.template {
            Some(template) => shown::unshown_keys(template, messages.into()),
            None => Ok(Vec::new()),
        }
    }

    /// Whether the model's template reads a setting of this name.
    pub fn reads_setting(&self, name: &str) -> bool {
        self.template.as_ref().is_some_and(|template| shown::reads(template, name))
    }

    /// The first setting that says something and that the model's template doesn't read.
    pub fn unread_setting<'s>(&self, settings: &'s Map<String, Value>) -> Option<&'s str> {
        shown::unread_setting(self.template.as_ref()?, settings)
    }

    /// How the model's template writes calls of tools. None if it doesn't, or not as JSON.
    pub fn call_form(&self) -> Option<&CallForm> {
        let find = || {
            let template = self.template.as_ref()?;
            let masker = Masker::with(template, &self.tokenizer, Arc::clone(&self.controls));
            let end = masker.turn_end().and_then(|end| self.tokenizer.id_to_token(end));
            CallForm::of(template, &self.controls.named(), end.as_deref())
        };
        self.form.get_or_init(find).as_ref()
    }

    /// Plain text as it stands, behind the model's beginning token where its tokenizer puts one.
    ///
    /// # Errors
    /// Where the tokenizer fails, or a token has no row in the embedding.
    pub fn raw(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode(text, true).map_err(|error| anyhow!("tokenise: {error}"))?;
        self.checked(encoding.get_ids().to_vec())
    }

    /// Text that goes on from a prompt: no beginning token stands before it.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn continuation(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.tokenizer.encode(text, false).map_err(|error| anyhow!("tokenise: {error}"))?;
        self.checked(encoding.get_ids().to_vec())
    }

    /// Token ids as somebody gives them.
    ///
    /// # Errors
    /// Where there are none, or a token has no row in the embedding.
    pub fn given(&self, tokens: Vec<u32>) -> Result<Vec<u32>> {
        ensure!(!tokens.is_empty(), "the prompt is empty");
        self.checked(tokens)
    }

    fn checked(&self, tokens: Vec<u32>) -> Result<Vec<u32>> {
        check_rows(&tokens, self.rows, &self.tokenizer).context("the prompt can't be computed")?;
        Ok(tokens)
    }
}
