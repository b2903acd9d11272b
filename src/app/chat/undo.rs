//! Taking a person's last word on answers back. What was typed for it becomes a draft again.

use super::desk::ChatDesk;
use super::keep::{self, Settled};
use crate::domain::chat::{ChatId, DraftPlace};
use crate::domain::cited::SourceMark;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::system::Level;
use crate::session::{Decided, Result, SessionError, Word};

impl ChatDesk<'_> {
    /// Takes the last word in a chat back, and what came of it.
    pub(super) fn undo(&mut self, chat: ChatId) -> Result<()> {
        if let Some(text) = self.begun_beside(chat)? {
            self.events.notify(Level::Warning, text);
            return Ok(());
        }
        if let Some(undone) = self.session.undo_mark(chat)? {
            self.tell_decisions(chat)?;
            let now = match undone.now {
                Some(SourceMark::Pinned) => "is pinned again",
                Some(SourceMark::Excluded) => "is excluded again",
                None => "is looked in as any other again",
            };
            self.events.notify(Level::Info, format!("{} {now}", undone.title));
            return Ok(());
        }
        let Some((on, word)) = self.session.undo_in_chat(chat)? else {
            return Err(SessionError::NothingLeft("undo in this chat"));
        };
        let settled = keep::settle(&mut self.session, chat, on, Some(&word))?;
        self.tell_decisions(chat)?;
        let kept = match (on, &word) {
            // What was typed stays: it is a draft again.
            (Decided::Answer(answer), Word::Corrected(text)) => {
                self.keep_draft(Some(chat), DraftPlace::Correction(answer), text.clone())?;
                "; its text is a draft: c goes on with it"
            }
            (Decided::Answer(_) | Decided::Pair(..), Word::Corrected(_) | Word::Good | Word::Vote(_)) => "",
        };
        let then = match settled {
            Settled::Added(record) | Settled::Changed(record) => {
                format!("; record {} is as it was before", record.0)
            }
            Settled::Removed(record) => format!("; record {} is gone", record.0),
            Settled::Nothing | Settled::AsBefore(_) => String::new(),
        };
        self.events.notify(Level::Info, format!("took back {}{then}{kept}", word.words()));
        Ok(())
    }

    /// Why the last correction can't be taken back: its text would be a draft where another one is begun.
    fn begun_beside(&self, chat: ChatId) -> Result<Option<&'static str>> {
        let Some((Decided::Answer(answer), Word::Corrected(text))) = self.session.last_in_chat(chat)? else {
            return Ok(None);
        };
        let draft = self.session.draft(&DraftOf::Chat(Some(chat), DraftPlace::Correction(answer)))?;
        let other = draft.is_some_and(|draft| draft.text.trim() != text);
        Ok(other.then_some(
            "another correction of that answer is begun: c goes on with it; save or empty it, then u takes the \
             earlier one back and its text is kept",
        ))
    }
}
