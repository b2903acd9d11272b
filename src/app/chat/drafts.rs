//! What is being written in chats and was neither sent nor kept: on the disk before it is shown as such.

use super::desk::ChatDesk;
use crate::domain::chat::{ChatId, DraftPlace};
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::ChatEvent;
use crate::ground::clock;
use crate::session::Result;

impl ChatDesk<'_> {
    pub(super) fn read_drafts(&mut self, chat: Option<ChatId>) -> Result<()> {
        if !self.session.is_read_only() {
            self.session.take_up_drafts()?;
        }
        let mut drafts = Vec::new();
        for of in self.session.begun()? {
            let DraftOf::Chat(own, place) = of else { continue };
            if own == chat
                && let Some(draft) = self.session.draft(&of)?
            {
                drafts.push((place, draft.text));
            }
        }
        self.tell(ChatEvent::DraftsRead { chat, drafts });
        Ok(())
    }

    /// An empty text is no draft.
    pub(super) fn keep_draft(&mut self, chat: Option<ChatId>, place: DraftPlace, text: String) -> Result<()> {
        let draft = KeptDraft { base: String::new(), text: text.clone(), at: clock::milliseconds() };
        let draft = (!text.is_empty()).then_some(draft);
        self.unkept.keep(&mut self.session, &DraftOf::Chat(chat, place), draft)?;
        self.tell(ChatEvent::DraftKept { chat, place, text });
        Ok(())
    }

    /// Keeps what the disk did not take before.
    pub(super) fn keep_unkept(&mut self) {
        for (of, draft) in self.unkept.again(&mut self.session) {
            if let DraftOf::Chat(chat, place) = of {
                let text = draft.map(|draft| draft.text).unwrap_or_default();
                self.tell(ChatEvent::DraftKept { chat, place, text });
            }
        }
    }
}
