//! Drafts that the disk did not take (it was full, or away): tried again until it does, since nobody may type another
//! letter of them.

use std::collections::BTreeMap;

use crate::domain::draft::{DraftOf, KeptDraft};
use crate::session::{Session, SessionError};

/// What a lane could not keep; none stands for a draft that is to be let go.
#[derive(Debug, Default)]
pub(crate) struct UnkeptDrafts(BTreeMap<DraftOf, Option<KeptDraft>>);

impl UnkeptDrafts {
    /// Keeps a draft, or lets it go.
    ///
    /// # Errors
    /// If the session can't be written: then it is tried again by [`UnkeptDrafts::again`].
    pub(crate) fn keep(
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
    pub(crate) fn again(&mut self, session: &mut Session) -> Vec<(DraftOf, Option<KeptDraft>)> {
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

#[cfg(test)]
mod tests {
    use super::UnkeptDrafts;
    use crate::domain::draft::{DraftOf, KeptDraft};
    use crate::session::Session;

    fn draft(text: &str) -> KeptDraft {
        KeptDraft { base: String::new(), text: text.to_owned(), at: 1 }
    }

    #[test]
    fn a_draft_that_was_not_kept_is_tried_again_as_it_was_written_last() {
        let home = tempfile::tempdir().expect("a folder");
        let mut session = Session::create(home.path()).expect("a session");
        let disk = rusqlite::Connection::open(home.path().join("session.db")).expect("the same file");
        disk.execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON drafts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
        )
        .expect("a disk that takes nothing");
        let mut unkept = UnkeptDrafts::default();
        for text in ["wor", "words"] {
            let kept = unkept.keep(&mut session, &DraftOf::NewRecord, Some(draft(text)));
            assert!(kept.is_err());
        }
        assert_eq!(unkept.again(&mut session), []);
        disk.execute_batch("DROP TRIGGER full").expect("room");
        assert_eq!(unkept.again(&mut session), [(DraftOf::NewRecord, Some(draft("words")))]);
        assert_eq!(session.drafts().expect("drafts").get(&DraftOf::NewRecord), Some(&draft("words")));
        assert_eq!(unkept.again(&mut session), [], "it is tried once");
    }
}
