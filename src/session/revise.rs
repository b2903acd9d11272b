//! A decision on a reflection that somebody else may have decided on meanwhile.

use rusqlite::OptionalExtension;

use super::drafts::forget_saved_draft;
use super::reflections::{COLUMNS, decide, next_step, read};
use super::{Durability, Result, Session};
use crate::domain::reflection::{Decision, Reflection, ReflectionId};

/// What became of a decision on a reflection that was looked at for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revised {
    Done,
    /// It stands in another way now, and nothing was decided.
    Moved(Box<Reflection>),
    Gone,
}

impl Session {
    /// Decides on a reflection that a person has looked at for long, if it still stands as it did then.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is decided.
    pub fn decide_over(
        &mut self,
        id: ReflectionId,
        over: &Reflection,
        decision: &Decision,
    ) -> Result<Revised> {
        let (who, window) = (self.who.clone(), self.window.clone());
        self.write("decide on a reflection", Durability::EveryChange, |transaction| {
            let query = format!("SELECT {COLUMNS} FROM reflections WHERE id = ?1");
            let found = transaction.prepare_cached(&query)?.query_row([id.0], read).optional()?;
            let Some((_, now)) = found else { return Ok(Revised::Gone) };
            if !now.stands_as(over) {
                return Ok(Revised::Moved(Box::new(now)));
            }
            let step = next_step(transaction)?;
            decide(transaction, step, id, decision, &who)?;
            forget_saved_draft(transaction, id, &who, &window)?;
            Ok(Revised::Done)
        })
    }
}
