//! Where what the model writes in a turn begins: behind the generation prompt.

use std::collections::HashMap;

use super::Masker;
use super::parts::RenderedTurn;
use crate::data::chat::RenderEnding;
use crate::domain::message::{Conversation, Message, Role};

/// How far behind the generation prompt answers begin, by the role of the turn before and what is written between that
/// turn's text and the answer.
pub(super) type Prompts<'t> = HashMap<(Role, &'t str), usize>;

/// How a template begins an answer, seen in a small conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Opening {
    /// What it adds for the model to answer; empty where it adds nothing when it is asked to.
    prompt: String,
    /// What it writes between that and the answer's text.
    between: String,
    /// What it writes in front of an answer's text, where it adds nothing when it is asked to.
    unasked: String,
    kind: Prompting,
}

/// When a template writes a generation prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Prompting {
    #[default]
    Asked,
    /// At the end of every conversation, asked or not.
    Always,
}

impl Masker<'_> {
    /// Behind the generation prompt, or where the turn's own text begins.
    pub(super) fn start<'t>(
        &self,
        conversation: Conversation<'_>,
        turn: usize,
        part: RenderedTurn,
        text: &'t str,
        prompts: &mut Prompts<'t>,
    ) -> usize {
        let messages = conversation.messages.get(..turn).unwrap_or_default();
        let role = messages.last().map(|message| message.role);
        let key = role.zip(part.before.and_then(|before| text.get(before..part.content)));
        if let Some(behind) = key.and_then(|key| prompts.get(&key)) {
            return part.content - behind;
        }
        let before = Conversation { messages, ..conversation };
        let behind = self.behind_prompt(before, part, text);
        if let Some(key) = key.filter(|(_, between)| behind <= between.len()) {
            prompts.insert(key, behind);
        }
        part.content - behind
    }

    /// Bytes between the generation prompt and a turn's own text.
    fn behind_prompt(&self, before: Conversation<'_>, part: RenderedTurn, text: &str) -> usize {
        let shown = text.get(..part.content).unwrap_or_default();
        let prompt = self.template.render(before, RenderEnding::GenerationPrompt).ok();
        let Some((prompt, between)) = prompt.and_then(|prompt| {
            let between = shown.strip_prefix(prompt.as_str())?;
            Some((prompt, between))
        }) else {
            // Some templates move what they say of tools, or a system prompt, to the last question.
            let Opening { prompt, between, .. } = self.opening();
            let usual =
                shown.strip_suffix(between.as_str()).is_some_and(|head| head.ends_with(prompt.as_str()));
            return if usual && !prompt.is_empty() { between.len() } else { 0 };
        };
        if self.controls.names(between).is_empty() || self.opening().kind == Prompting::Always {
            return between.len();
        }
        // A template that ignores `add_generation_prompt` leaves the turn's own head in front of the answer.
        let ignored =
            self.template.render(before, RenderEnding::Complete).is_ok_and(|complete| complete == prompt);
        if ignored { 0 } else { between.len() }
    }

    /// The head of an answer that the model isn't asked with, where the template adds nothing for it to answer; empty if
    /// there is none.
    pub(super) fn unasked(&self) -> &str {
        &self.opening().unasked
    }

    fn opening(&self) -> &Opening {
        self.opening.get_or_init(|| self.find_opening().unwrap_or_default())
    }

    fn find_opening(&self) -> Option<Opening> {
        let turns = [(Role::User, "Hi"), (Role::Assistant, "Aye"), (Role::User, "Hi")];
        let turns = turns.map(|(role, said)| Message::new(role, said));
        let [asked, answered, whole] = [1, 2, 3].map(|count| {
            let messages = turns.get(..count).unwrap_or_default();
            self.template.render(messages, RenderEnding::Complete).ok()
        });
        let (asked, answered) = (asked?, answered?);
        let prompted = self.template.render(turns.get(..1)?, RenderEnding::GenerationPrompt).ok()?;
        let prompt = prompted.strip_prefix(asked.as_str()).unwrap_or_default().to_owned();
        if !prompt.is_empty() {
            let at = answered.rfind("Aye")?;
            let between = answered.get(..at)?.strip_prefix(prompted.as_str()).unwrap_or_default().to_owned();
            return Some(Opening { prompt, between, ..Opening::default() });
        }
        // What ends a conversation, after a question and after an answer, and isn't there when it goes on.
        let (_, end) = answered.rsplit_once("Aye")?;
        let whole = whole?;
        let (_, goes_on) = whole.rsplit_once("Aye")?;
        let alike =
            end.chars().zip(goes_on.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
        let head: &str = end.get::<std::ops::RangeFrom<usize>>(alike..)?;
        let always = !head.trim().is_empty() && asked.ends_with(head);
        let unasked = answered.strip_prefix(asked.as_str()).and_then(|more| more.split_once("Aye"));
        let unasked = unasked.map_or_else(String::new, |(head, _)| head.to_owned());
        let kind = if always { Prompting::Always } else { Prompting::Asked };
        Some(Opening { unasked, kind, ..Opening::default() })
    }
}
