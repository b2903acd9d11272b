//! What answers are given from, on the desk: kept before it is shown, and held against the answer when that has ended.

use super::desk::ChatDesk;
use crate::domain::chat::TurnId;
use crate::domain::cited::AnswerSources;
use crate::domain::protocol::ChatEvent;
use crate::rag::answer::check;
use crate::rag::terms::TermReader;
use crate::session::Result;

impl ChatDesk<'_> {
    pub(super) fn take_sources(&mut self, turn: TurnId, sources: AnswerSources) -> Result<()> {
        self.session.keep_sources(turn, &sources)?;
        if let Some(open) = self.seen.open.as_mut().filter(|open| open.turns.contains_key(&turn)) {
            open.sources.insert(turn, sources.clone());
        }
        self.sources.insert(turn, sources.clone());
        self.tell(ChatEvent::Sourced { turn, sources: Box::new(sources) });
        Ok(())
    }

    /// Holds an answer against its passages.
    pub(super) fn check_sources(&mut self, turn: TurnId, answer: &str) -> Result<()> {
        let Some(mut sources) = self.sources.remove(&turn) else { return Ok(()) };
        let checked = check(answer, &sources.passages, &mut TermReader::default(), &sources.languages);
        match checked {
            Ok(checked) => sources.checked = Some(checked),
            Err(error) => {
                tracing::warn!("an answer can't be held against its passages: {error:#}");
                return Ok(());
            }
        }
        self.take_sources(turn, sources)?;
        self.sources.remove(&turn);
        Ok(())
    }
}
