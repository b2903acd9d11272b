//! Which control tokens a template writes around what is said, and which a model writes itself.

use std::collections::HashSet;

use serde_json::json;

use super::Masker;
use crate::data::chat::RenderEnding;
use crate::data::control::Frame;
use crate::domain::message::{Conversation, Message, Role, TOOL_CALLS};

/// What the names of tokens that begin and end thoughts and calls have in them, in small letters and without spaces.
const WRITTEN: [&str; 9] = [
    "think",
    "thought",
    "reason",
    "tool_call",
    "toolcall",
    "tool_use",
    "function_call",
    "functioncall",
    "python_tag",
];
/// And what those have that begin and end the answers to calls.
const ANSWERS: [&str; 4] = ["result", "response", "output", "observation"];

impl Masker<'_> {
    /// The control tokens that the model writes itself, in the midst of what it says: marks of thoughts and of calls
    /// that the template knows. A token that begins or ends any turn is none of them.
    pub(crate) fn written(&self) -> &HashSet<String> {
        self.controls.written(|| self.frame())
    }

    pub(super) fn frame(&self) -> Frame {
        let mut around: HashSet<String> = HashSet::new();
        let named = self.template.special();
        let apart = ["pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];
        let apart = apart.iter().filter_map(|name| named.others.get(*name));
        around.extend([&named.bos, &named.eos].into_iter().flatten().chain(apart).cloned());
        around.extend(self.turn_end().and_then(|end| self.tokenizer.id_to_token(end)));
        let asked = [Message::new(Role::System, "S"), Message::new(Role::User, "Hi")];
        for turns in [&asked[..], &asked[1..]] {
            let text = self.template.render(turns, RenderEnding::Complete);
            around.extend(text.into_iter().flat_map(|text| self.controls.names(&text)));
        }
        // The head of the assistant's turn, without a thought that the template may begin for it.
        let answered = [Message::new(Role::User, "Hi"), Message::new(Role::Assistant, "Yes")];
        around.extend(self.around(Conversation::from(&answered)));
        let tools = [json!({"type": "function", "function": {"name": "f", "description": "d",
            "parameters": {"type": "object", "properties": {}}}})];
        for turns in [called("Yes"), called("")] {
            around.extend(self.around(Conversation { messages: &turns, tools: &tools, settings: None }));
        }
        let names = self.controls.names(self.template.source()).into_iter();
        Frame { written: names.filter(|name| is_written(name) && !around.contains(name)).collect() }
    }

    /// The names of the control tokens outside of what is trained on in a conversation, and of those that end a
    /// trained stretch.
    fn around(&self, conversation: Conversation<'_>) -> Vec<String> {
        let masked = self.mask_plainly(conversation).unwrap_or_default();
        let goes_on = masked.trained.iter().skip(1).copied().chain([false]);
        let tokens = masked.tokens.iter().zip(masked.trained.iter().zip(goes_on));
        let around = tokens.filter(|(_, (trained, goes_on))| !(**trained && *goes_on));
        let names = around.filter_map(|(token, _)| self.tokenizer.id_to_token(*token));
        names.filter(|name| self.controls.is_name(name)).collect()
    }
}

/// A conversation with a call and its answer.
fn called(said: &str) -> [Message; 5] {
    let mut call = Message::new(Role::Assistant, said);
    let id = json!("call00001");
    let made = json!([{"id": id, "type": "function", "function": {"name": "f", "arguments": {}}}]);
    call.extra.insert(TOOL_CALLS.to_owned(), made);
    let mut answer = Message::new(Role::Tool, "1");
    answer.extra.extend([("tool_call_id".to_owned(), id), ("name".to_owned(), json!("f"))]);
    let [user, assistant] = [Role::User, Role::Assistant].map(|role| Message::new(role, "Hi"));
    [user.clone(), call, answer, assistant, user]
}

/// Whether a token's name is that of a mark of thoughts or calls.
fn is_written(name: &str) -> bool {
    let plain = name.to_lowercase().replace(['▁', ' ', '-'], "_");
    let has = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
    has(&WRITTEN) && !has(&ANSWERS)
}
