//! The documents that an answer is from: going through them, reading one, and saying which the next questions are
//! always, or never, answered from.

use super::act::{say, send};
use super::bindings::ChatAction;
use super::{ChatMode, ChatPane};
use crate::app::store::Store;
use crate::domain::cited::SourceMark;
use crate::domain::protocol::ChatCommand;
use crate::domain::retrieval::FoundPassage;
use crate::ui::pane::Effect;

/// Marks a document in the open chat, or takes the same mark away.
pub(super) fn mark_source(store: &Store, (source, title): (&str, &str), wanted: SourceMark) -> Vec<Effect> {
    let Some(chat) = store.chats.open.as_deref() else { return Vec::new() };
    let now = chat.decisions.sources.get(source).copied();
    let mark = (now != Some(wanted)).then_some(wanted);
    let said = match mark {
        Some(SourceMark::Pinned) => "pinned: from the next question on its passages come first",
        Some(SourceMark::Excluded) => {
            "excluded: from the next question on nothing of it is used in this chat"
        }
        None => "as any other again, from the next question on",
    };
    let (source, title) = (source.to_owned(), title.to_owned());
    let off = if chat.setup.library.on { "" } else { "; l has questions answered from the library" };
    let told = say(format!("{title} is {said}{off}"));
    let mut effects = send(ChatCommand::MarkSource { chat: chat.id, source, title, mark });
    effects.push(told);
    effects
}

/// `● ` or `✗ ` before the name of a document that is marked.
pub(super) const fn sign(mark: Option<SourceMark>) -> &'static str {
    match mark {
        Some(SourceMark::Pinned) => "● ",
        Some(SourceMark::Excluded) => "✗ ",
        None => "",
    }
}

/// The same in words.
pub(super) const fn in_words(mark: Option<SourceMark>) -> Option<&'static str> {
    match mark {
        Some(SourceMark::Pinned) => Some("● pinned in this chat"),
        Some(SourceMark::Excluded) => Some("✗ excluded from this chat"),
        None => None,
    }
}

impl ChatPane {
    /// Which of the chosen answer's passages is chosen in the list beside it, from 0.
    pub(super) fn source_place(&self, store: &Store) -> usize {
        let answer = self.sourced(store);
        self.source.filter(|(of, _)| Some(*of) == answer).map_or(0, |(_, place)| place)
    }

    /// The passage in front: that which is read, or the chosen one beside the answer.
    pub(super) fn passage_in_front<'s>(&self, store: &'s Store) -> Option<(&'s FoundPassage, &'s str)> {
        let (answer, place) = match &self.mode {
            ChatMode::Passage(view) => view.place(),
            ChatMode::Browse if self.sources_shown => (self.sourced(store)?, self.source_place(store)),
            _ => return None,
        };
        let sources = store.chats.open.as_ref()?.sources.get(&answer)?;
        Some((sources.passages.get(place)?, sources.question.as_str()))
    }

    /// What is done with documents from the conversation.
    pub(super) fn on_documents(&mut self, action: ChatAction, store: &Store) -> Vec<Effect> {
        match action {
            ChatAction::Documents => self.library.open(),
            ChatAction::ReadDocument => {
                let Some((passage, question)) = self.passage_in_front(store) else { return Vec::new() };
                self.library.open_passage(passage, question)
            }
            ChatAction::PinSource => self.mark_in_front(SourceMark::Pinned, store),
            ChatAction::ExcludeSource => self.mark_in_front(SourceMark::Excluded, store),
            ChatAction::SourceBefore => self.turn_source(-1, store),
            ChatAction::SourceAfter => self.turn_source(1, store),
            _ => Vec::new(),
        }
    }

    fn mark_in_front(&self, wanted: SourceMark, store: &Store) -> Vec<Effect> {
        let Some((passage, _)) = self.passage_in_front(store) else { return Vec::new() };
        mark_source(store, (&passage.source, &passage.title), wanted)
    }

    fn turn_source(&mut self, by: isize, store: &Store) -> Vec<Effect> {
        let Some(answer) = self.sourced(store) else { return Vec::new() };
        let sources = store.chats.open.as_ref().and_then(|chat| chat.sources.get(&answer));
        let count = sources.map_or(0, |sources| sources.passages.len());
        if count > 0 {
            let place = (self.source_place(store) as isize + by).rem_euclid(count as isize);
            self.source = Some((answer, place as usize));
        }
        Vec::new()
    }
}
