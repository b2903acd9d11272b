//! What a request says to the model's chat template beside the conversation: settings of the template's own, and how
//! much is to be thought.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::fields::Fields;
use crate::engine::generate::Prompter;

/// The field with settings of the template's own.
const FIELD: &str = "chat_template_kwargs";

/// Characters of a wrong word that are shown.
const SHOWN: usize = 40;

/// How much is to be thought, as OpenAI has it.
const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
/// The names by which templates read it: as a word, and as yes or no.
const EFFORT: &str = "reasoning_effort";
pub(crate) const THINKING: &str = "enable_thinking";

/// What the server says to the template itself, and what templates call: a setting of the name would be dropped, or
/// break the template. Names of tokens (`bos_token`) are refused by their ending.
const OF_THE_SERVER: [&str; 16] = [
    "messages",
    "tools",
    "add_generation_prompt",
    "continue_final_message",
    "chat_template",
    "conversation",
    "tokenize",
    "return_dict",
    "return_tensors",
    "_block_start",
    "_block_end",
    "raise_exception",
    "strftime_now",
    "range",
    "namespace",
    "dict",
];
const OF_TOKENS: &str = "_token";

/// Settings for the template.
#[derive(Debug, Default)]
pub(crate) struct TemplateSettings {
    pub values: Option<Map<String, Value>>,
    /// The field of the request that this template has no use for.
    pub unused: Option<&'static str>,
}

impl TemplateSettings {
    /// The template's own, by the field that chats have for them.
    pub(crate) fn read(fields: &mut Fields, prompter: &Prompter) -> Result<Self, ApiError> {
        let Some(given) = fields.object(FIELD)? else { return Ok(Self::default()) };
        for name in given.rest().keys() {
            if OF_THE_SERVER.contains(&name.as_str()) || name.ends_with(OF_TOKENS) {
                let place = given.place(name);
                let message = format!("{place} can't be set: the server says {name} to the template itself");
                return Err(ApiError::bad(message).parameter(place));
            }
        }
        if let Some(name) = prompter.unread_setting(given.rest()) {
            let place = given.place(name);
            let message = format!("{place} isn't read by the model's chat template: leave it out");
            return Err(ApiError::bad(message).parameter(place));
        }
        Ok(Self { values: Some(given.rest().clone()), unused: None })
    }

    /// How much is to be thought, by the name that the template reads it by; what it was told itself holds.
    pub(crate) fn read_effort(
        &mut self,
        (fields, name): (&mut Fields, &str),
        field: &'static str,
        prompter: &Prompter,
    ) -> Result<(), ApiError> {
        let Some(effort) = fields.text(name)? else { return Ok(()) };
        if !EFFORTS.contains(&effort.as_str()) {
            let cut: String = effort.chars().take(SHOWN).collect();
            let message = format!(
                "Invalid value: '{}'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and \
                 'xhigh'.",
                cut.escape_debug()
            );
            return Err(ApiError::bad(message).code("invalid_value").parameter(field));
        }
        let (name, value) = if prompter.reads_setting(EFFORT) {
            (EFFORT, Value::from(effort))
        } else if prompter.reads_setting(THINKING) {
            (THINKING, Value::from(effort != "none"))
        } else {
            self.unused = Some(field);
            return Ok(());
        };
        self.values.get_or_insert_default().entry(name).or_insert(value);
        Ok(())
    }
}
