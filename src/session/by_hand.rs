//! A person's own corrections of thoughts.

use rusqlite::OptionalExtension;

use super::drafts::forget_draft;
use super::reflections::{COLUMNS, add, decide, next_step, read};
use super::{Durability, Result, Session};
use crate::domain::draft::DraftOf;
use crate::domain::reflection::{BY_HAND, Decision, Reflection, ReflectionId, Verdict};
use crate::domain::thought::ThoughtId;

/// What became of a correction by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Corrected {
    Added(ReflectionId),
    /// Somebody has corrected the thought before, like this: nothing was added.
    Before(ReflectionId, Box<Reflection>),
    /// The thought is gone, or no true label says where it should lead.
    Nowhere,
}

/// Whether a correction may be one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Others,
    Nothing,
}

impl Session {
    /// Adds a person's own correction of a thought, approved: one step, as a decision is. Nothing when the thought is
    /// gone, or no true label says where it should lead.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is added.
    pub fn correct(&mut self, id: ThoughtId, text: &str, analysis: &str) -> Result<Option<ReflectionId>> {
        Ok(match self.correct_if(id, text, analysis, Beside::Others)? {
            Corrected::Added(added) => Some(added),
            Corrected::Before(..) | Corrected::Nowhere => None,
        })
    }

    /// As [`Session::correct`], of a thought that nobody has corrected: where somebody has, nothing is added.
    ///
    /// # Errors
    /// As [`Session::correct`].
    pub fn correct_first(&mut self, id: ThoughtId, text: &str, analysis: &str) -> Result<Corrected> {
        self.correct_if(id, text, analysis, Beside::Nothing)
    }

    fn correct_if(&mut self, id: ThoughtId, text: &str, analysis: &str, beside: Beside) -> Result<Corrected> {
        let Some(thought) = self.thought(id)? else { return Ok(Corrected::Nowhere) };
        let Some(label) = thought.truth else { return Ok(Corrected::Nowhere) };
        let (who, window) = (self.who.clone(), self.window.clone());
        let reflection = Reflection {
            record: thought.record,
            thought: id,
            error_analysis: analysis.to_owned(),
            corrected: text.to_owned(),
            label,
            teacher: who.clone(),
            prompt: BY_HAND.to_owned(),
            verdict: Verdict::Pending,
            edited: None,
            score: None,
            reasons: String::new(),
            judge: String::new(),
            improved_by: String::new(),
            reviewer: String::new(),
            comment: String::new(),
        };
        self.write("keep a correction", Durability::EveryChange, |transaction| {
            let query =
                format!("SELECT {COLUMNS} FROM reflections WHERE thought = ?1 ORDER BY id DESC LIMIT 1");
            let before = transaction.prepare_cached(&query)?.query_row([id.0], read).optional()?;
            if let (Some((before, now)), Beside::Nothing) = (before, beside) {
                return Ok(Corrected::Before(before, Box::new(now)));
            }
            let added = add(transaction, &reflection)?;
            let step = next_step(transaction)?;
            decide(transaction, step, added, &Decision::of(Verdict::Approved), &who)?;
            forget_draft(transaction, &DraftOf::Review(id.into()), &who, &window)?;
            Ok(Corrected::Added(added))
        })
    }
}
