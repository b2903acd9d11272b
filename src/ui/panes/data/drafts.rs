//! Texts that were left before they were saved, by session and record. They live as long as the program; it asks
//! before it ends over them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::editor::{Editor, Target};
use crate::app::store::Store;

#[derive(Debug, Default)]
pub(super) struct Drafts(BTreeMap<(PathBuf, Target), Draft>);

#[derive(Debug)]
struct Draft {
    editor: Editor,
    saving: Saving,
}

/// Whether a draft is on its way to the disk. It goes when it is there: a failed write loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    No,
    /// So many edits of the record were committed before.
    After(u64),
}

impl Drafts {
    /// Keeps what was left.
    pub(super) fn keep(&mut self, session: &Path, mut editor: Editor) {
        editor.draft = true;
        let at = (session.to_owned(), editor.target());
        self.0.insert(at, Draft { editor, saving: Saving::No });
    }

    /// Keeps what is being saved until it is on the disk.
    pub(super) fn saving(&mut self, session: &Path, mut editor: Editor, store: &Store) {
        editor.draft = true;
        let target = editor.target();
        let saving = Saving::After(committed(target, store));
        self.0.insert((session.to_owned(), target), Draft { editor, saving });
    }

    /// Lets go what was saved.
    pub(super) fn settle(&mut self, session: &Path, store: &Store) {
        self.0.retain(|(of, target), draft| match draft.saving {
            Saving::After(before) if of == session => committed(*target, store) <= before,
            Saving::After(_) | Saving::No => true,
        });
    }

    /// What was left, to go on with.
    pub(super) fn take(&mut self, session: &Path, target: Target) -> Option<Editor> {
        self.0.remove(&(session.to_owned(), target)).map(|draft| draft.editor)
    }

    pub(super) fn has(&self, session: &Path, target: Target) -> bool {
        let found = self.0.get(&(session.to_owned(), target));
        found.is_some_and(|draft| draft.saving == Saving::No)
    }

    /// How many there are, in any session.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// How often this was committed.
fn committed(target: Target, store: &Store) -> u64 {
    match target {
        Target::New => store.data.made,
        Target::Record(record) => store.data.edits.get(&record).copied().unwrap_or_default(),
    }
}
