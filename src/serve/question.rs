//! A conversation that is to be answered: what chats and the Responses API have in common once they are read.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::hosted::Generates;
use super::options::Options;
use super::shelf::ModelInUse;
use super::tools::Tools;
use crate::domain::message::{Conversation, Message};
use crate::engine::generate::{CallForm, GenerateRequest};

pub(crate) struct PromptQuestion<'a> {
    /// The field that holds the conversation.
    pub field: &'static str,
    pub messages: &'a [Message],
    pub tools: Option<Tools>,
    /// What is said to the template beside the conversation.
    pub settings: Option<Map<String, Value>>,
    /// Tokens that the client allows.
    pub most: Option<usize>,
}

impl<'s> PromptQuestion<'_> {
    /// The request, and how calls are written in its answer, if there are tools.
    pub(crate) fn request(
        self,
        model: &'s ModelInUse,
        options: &mut Options,
    ) -> Result<(GenerateRequest, Option<&'s CallForm>), ApiError> {
        let tools = self.tools.as_ref().map_or(&[][..], |tools| &tools.list);
        let conversation = Conversation { messages: self.messages, tools, settings: self.settings.as_ref() };
        let prompt = model
            .prompter
            .conversation(conversation)
            .map_err(|error| ApiError::bad(format!("{error:#}")).parameter(self.field))?;
        let room = model.room(&prompt, self.field)?;
        let form = self.tools.map(|tools| hold(model, options, tools)).transpose()?;
        let mut request = options.request(prompt, self.most.map_or(room, |most| most.min(room)));
        request.adapter = model.adapter;
        request.shown = form.iter().flat_map(|form| &form.controls).map(|(_, id)| *id).collect();
        Ok((request, form))
    }
}

/// Holds the answer's calls to the template's form and to the tools.
fn hold<'s>(model: &'s Generates, options: &mut Options, mut tools: Tools) -> Result<&'s CallForm, ApiError> {
    let form = model.prompter.call_form().ok_or_else(|| {
        let message = "the model's chat template writes calls of tools in a form that this server can't read";
        ApiError::bad(message).parameter("tools")
    })?;
    tools.calls.answer = options.take_schema()?;
    options.hold_to("tools", tools.calls.constraint(form));
    Ok(form)
}
