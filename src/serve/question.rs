//! A conversation that is to be answered, by the model alone or from a library: what chats and the Responses API have in
//! common once they are read.

use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedReceiver;

use super::error::ApiError;
use super::hosted::Generates;
use super::library::ServedLibrary;
use super::options::Options;
use super::retrieval::{LibraryQuestion, Retrieved, not_there};
use super::shelf::ModelInUse;
use super::sources::Sources;
use super::tools::Tools;
use crate::domain::message::{Conversation, Message};
use crate::engine::generate::{CallForm, Event, GenerateRequest};

/// A question as it was read.
pub(crate) struct ReadQuestion {
    pub model: ModelInUse,
    /// The field that holds the conversation.
    pub field: &'static str,
    pub messages: Vec<Message>,
    pub tools: Option<Tools>,
    /// What is said to the template beside the conversation.
    pub settings: Option<Map<String, Value>>,
    /// Tokens that the client allows.
    pub most: Option<usize>,
    pub options: Options,
}

/// A question that nothing is wrong with, as far as is known.
pub(crate) enum PutQuestion {
    ToModel(Box<ModelQuestion>),
    /// Its passages are still to be found.
    ToLibrary(Box<(LibraryQuestion, Options)>),
}

/// What a model is asked.
pub(crate) struct ModelQuestion {
    model: ModelInUse,
    field: &'static str,
    request: GenerateRequest,
    /// How calls are written in the answer, if there are tools.
    form: Option<CallForm>,
    options: Options,
    sources: Option<Sources>,
}

/// An answer on its way.
pub(crate) struct BegunAnswer {
    pub model: ModelInUse,
    pub events: UnboundedReceiver<Event>,
    pub options: Options,
    pub form: Option<CallForm>,
    /// Where it is from, if it is from a library.
    pub sources: Option<Sources>,
    /// Whether what is said stands in the place of an answer, which had to have a form.
    pub is_refusal: bool,
}

impl ReadQuestion {
    /// Makes it ready for the model; without a library all that takes long is done then.
    pub(crate) fn put(self, library: Option<ServedLibrary>) -> Result<PutQuestion, ApiError> {
        let Some(library) = library else {
            return Ok(PutQuestion::ToModel(Box::new(self.into_model_question(None)?)));
        };
        let Self { model, field, messages, tools, settings, most, options } = self;
        let asked = library.conversation(field, &messages, tools.as_ref())?;
        let question = LibraryQuestion { library, model, field, asked, settings, most };
        Ok(PutQuestion::ToLibrary(Box::new((question, options))))
    }

    fn into_model_question(self, sources: Option<Sources>) -> Result<ModelQuestion, ApiError> {
        let Self { model, field, messages, tools, settings, most, mut options } = self;
        let shown = tools.as_ref().map_or(&[][..], |tools| &tools.list);
        let conversation = Conversation { messages: &messages, tools: shown, settings: settings.as_ref() };
        let prompt = model
            .prompter
            .conversation(conversation)
            .map_err(|error| ApiError::bad(format!("{error:#}")).parameter(field))?;
        let room = model.room(&prompt, field)?;
        let form = tools.map(|tools| hold(&model, &mut options, tools)).transpose()?.cloned();
        let mut request = options.request(prompt, most.map_or(room, |most| most.min(room)));
        request.adapter = model.adapter;
        request.shown = form.iter().flat_map(|form| &form.controls).map(|(_, id)| *id).collect();
        Ok(ModelQuestion { model, field, request, form, options, sources })
    }
}

impl PutQuestion {
    /// Begins the answer. One from a library finds its passages first; if nothing is near, no model is asked.
    pub(crate) async fn begin(self) -> Result<BegunAnswer, ApiError> {
        let (question, options) = match self {
            Self::ToModel(question) => return question.begin().await,
            Self::ToLibrary(pending) => *pending,
        };
        let (field, most) = (question.field, question.most);
        let Retrieved { model, messages, settings, sources } = question.retrieve().await?;
        let Some(messages) = messages else {
            return Ok(BegunAnswer {
                model,
                events: not_there(options.choices),
                is_refusal: options.constraint_field().is_some(),
                options,
                form: None,
                sources: Some(sources),
            });
        };
        let read = ReadQuestion { model, field, messages, tools: None, settings, most, options };
        read.into_model_question(Some(sources))?.begin().await
    }
}

impl ModelQuestion {
    async fn begin(self) -> Result<BegunAnswer, ApiError> {
        let Self { model, field, request, form, options, sources } = self;
        let events = model.start(vec![request], field, &options).await?;
        Ok(BegunAnswer { model, events, options, form, sources, is_refusal: false })
    }
}

/// Holds the answer's calls to the template's form and to the tools.
fn hold<'s>(model: &'s Generates, options: &mut Options, mut tools: Tools) -> Result<&'s CallForm, ApiError> {
    let form = model.prompter.call_form().ok_or_else(|| {
        let message = "the model's chat template writes calls of tools in a form that this server can't read";
        ApiError::bad(message).parameter("tools")
    })?;
    tools.calls.answer = options.take_schema()?;
    options.hold_to("tools", tools.calls.constraint(form))?;
    Ok(form)
}
