//! Drafts that the disk did not take (it was full, or away): tried again until it does, since nobody may type another
//! letter of them.

use std::collections::BTreeMap;

use crate::domain::draft::{DraftOf, KeptDraft};
use crate::session::{Session, SessionError};

/// What a lane could not keep; none stands for a draft that is to be let go.
#[derive(Debug, Default)]
pub struct UnkeptDrafts(BTreeMap<DraftOf, Option<KeptDraft>>);

impl UnkeptDrafts {
    /// Keeps a draft, or lets it go.
    ///
    /// # Errors
    /// If the session can't be written: then it is tried again by [`UnkeptDrafts::again`].
    pub fn keep(
        &mut self,
        session: &mut Session,
        of: &DraftOf,
        draft: Option<KeptDraft>,
    ) -> Result<(), SessionError> {
        let kept = session.keep_draft(of, draft.as_ref());
        match kept {
            Ok(()) => drop(self.0.remove(of)),
            Err(_) => drop(self.0.insert(of.clone(), draft)),
        }
        kept
    }

    /// Tries all once more. Which of them are on the disk now: why others aren't was said the first time.
    pub fn again(&mut self, session: &mut Session) -> Vec<(DraftOf, Option<KeptDraft>)> {
        let mut kept = Vec::new();
        while let Some((of, draft)) = self.0.pop_first() {
            if session.keep_draft(&of, draft.as_ref()).is_err() {
                self.0.insert(of, draft);
                break;
            }
            kept.push((of, draft));
        }
        kept
    }
}
