//! Texts that were left before they were saved, by session and record. The session keeps them too, so that they outlive
//! the program; it asks before it ends over what isn't on the disk yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::editor::{Editor, Pace, Target};
use crate::app::store::Store;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::record::RecordId;
use crate::ui::pane::Effect;

#[derive(Debug, Default)]
pub(super) struct Drafts {
    all: BTreeMap<(PathBuf, Target), Draft>,
    /// The session whose kept drafts were taken in, and which reading of them.
    read: Option<(PathBuf, u64)>,
    /// Deleted records whose drafts were told of.
    told: BTreeSet<RecordId>,
}

#[derive(Debug)]
struct Draft {
    editor: Editor,
    saving: Saving,
    /// As far as is known.
    on_disk: bool,
    /// Whether it is still to be said that it is kept.
    told: Told,
}

/// Whether something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

/// Whether a draft is on its way to the disk. It goes when it is there: a failed write loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    No,
    /// So many edits of the record were committed, and so many not taken, before.
    After(u64, u64),
}

impl Target {
    pub(super) const fn draft(self) -> DraftOf {
        match self {
            Self::New => DraftOf::NewRecord,
            Self::Record(record) => DraftOf::Record(record),
        }
    }

    fn of(draft: &DraftOf) -> Option<Self> {
        match draft {
            DraftOf::NewRecord => Some(Self::New),
            DraftOf::Record(record) => Some(Self::Record(*record)),
            DraftOf::Recipe(_)
            | DraftOf::RecipeValue(..)
            | DraftOf::Review(_)
            | DraftOf::Reason(_)
            | DraftOf::Comment(_)
            | DraftOf::RunNote(_)
            | DraftOf::Chat(..) => None,
        }
    }
}

impl Drafts {
    /// Keeps what was left.
    pub(super) fn keep(&mut self, session: &Path, mut editor: Editor) {
        editor.draft = true;
        let at = (session.to_owned(), editor.target());
        self.all.insert(at, Draft { editor, saving: Saving::No, on_disk: false, told: Told::No });
    }

    /// Keeps what is being saved until it is on the disk.
    pub(super) fn saving(&mut self, session: &Path, mut editor: Editor, store: &Store) {
        editor.draft = true;
        let target = editor.target();
        let saving = Saving::After(committed(target, store), unmet(target, store));
        self.all
            .insert((session.to_owned(), target), Draft { editor, saving, on_disk: false, told: Told::Yes });
    }

    /// What the session kept from an earlier time, once it was read; says what there is, if there is something.
    pub(super) fn take_in(&mut self, session: &Path, open: Option<Target>, store: &Store) -> Option<String> {
        let kept = store.data.drafts.as_ref()?;
        let reading = Some((session.to_owned(), store.data.drafts_read));
        if self.read == reading {
            return None;
        }
        let (mut records, mut new, mut waits) = (0, false, false);
        for (of, kept) in kept {
            let Some(target) = Target::of(of).filter(|target| open != Some(*target)) else { continue };
            let at = (session.to_owned(), target);
            if let Some(own) = self.all.get(&at) {
                // Another window's, which takes the place of what is being saved once that is on the disk.
                waits |= own.saving != Saving::No && !own.editor.is_kept_as(Some(kept));
                continue;
            }
            if let Some(editor) = Editor::of_draft(target, kept) {
                self.all.insert(at, Draft { editor, saving: Saving::No, on_disk: true, told: Told::Yes });
                (records, new) = if target == Target::New { (records, true) } else { (records + 1, new) };
            }
        }
        if !waits {
            self.read = reading;
        }
        let records = match records {
            0 => None,
            1 => Some("1 record has a draft of yours (✎): e opens it".to_owned()),
            many => Some(format!(
                "{many} records have drafts of yours (✎): e opens one, the filter is:draft finds them"
            )),
        };
        let new = new.then(|| "a new record was begun: n goes on with it".to_owned());
        let parts: Vec<String> = records.into_iter().chain(new).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Lets go what was saved, and keeps on the disk what isn't there yet.
    pub(super) fn settle(&mut self, session: &Path, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.all.retain(|(of, target), draft| {
            if of != session {
                return true;
            }
            if let Saving::After(edits, refused) = draft.saving {
                if committed(*target, store) > edits {
                    return false;
                }
                if unmet(*target, store) > refused {
                    draft.saving = Saving::No;
                }
            }
            let Some(kept) = &store.data.drafts else { return true };
            let there = kept.get(&target.draft());
            if draft.saving == Saving::No && draft.on_disk && there.is_none() {
                return false;
            }
            draft.on_disk = draft.editor.is_kept_as(there);
            if draft.on_disk && std::mem::replace(&mut draft.told, Told::Yes) == Told::No {
                let key = if *target == Target::New { "n" } else { "e" };
                let words = format!("kept as a draft, not saved: {key} opens it again");
                effects.push(Effect::Notify(Notice::new(Level::Info, words)));
            }
            effects.extend(draft.editor.send_draft(Pace::Now, store.now));
            true
        });
        effects
    }

    /// Keeps once more what is not on the disk.
    pub(super) fn keep_again(&mut self, session: &Path, store: &Store) -> Vec<Effect> {
        let own = self.all.iter_mut().filter(|((of, _), _)| of == session);
        own.filter_map(|((_, target), draft)| {
            let there = store.data.drafts.as_ref().and_then(|kept| kept.get(&target.draft()));
            draft.editor.send_again(there, store.now)
        })
        .collect()
    }

    /// What was left, to go on with.
    pub(super) fn take(&mut self, session: &Path, target: Target) -> Option<Editor> {
        self.all.remove(&(session.to_owned(), target)).map(|draft| draft.editor)
    }

    /// The draft of a record that was deleted, to become a new record.
    pub(super) fn take_orphan(&mut self, session: &Path, store: &Store) -> Option<(RecordId, Editor)> {
        let mut orphans = store.data.orphaned.iter().copied();
        orphans.find_map(|id| Some((id, self.take(session, Target::Record(id))?)))
    }

    /// Deleted records that have drafts, and were not told of yet.
    pub(super) fn new_orphans(&mut self, session: &Path, store: &Store) -> Vec<RecordId> {
        self.told.retain(|id| store.data.orphaned.contains(id));
        let has = |id: &RecordId| self.has(session, Target::Record(*id));
        let new: Vec<_> =
            store.data.orphaned.iter().copied().filter(|id| !self.told.contains(id) && has(id)).collect();
        self.told.extend(&new);
        new
    }

    pub(super) fn has(&self, session: &Path, target: Target) -> bool {
        let found = self.all.get(&(session.to_owned(), target));
        found.is_some_and(|draft| draft.saving == Saving::No)
    }

    /// How many there are, in any session, that would be lost with the program.
    pub(super) fn unkept(&self, session: Option<&Path>, store: &Store) -> usize {
        let lost = |((of, target), draft): &(&(PathBuf, Target), &Draft)| {
            if Some(of.as_path()) != session {
                return !draft.on_disk;
            }
            let there = store.data.drafts.as_ref().and_then(|kept| kept.get(&target.draft()));
            !draft.editor.is_kept_as(there)
        };
        self.all.iter().filter(lost).count()
    }
}

/// How often this was committed.
fn committed(target: Target, store: &Store) -> u64 {
    match target {
        Target::New => store.data.made,
        Target::Record(record) => store.data.edits.get(&record).copied().unwrap_or_default(),
    }
}

/// How often an edit of this was not taken.
fn unmet(target: Target, store: &Store) -> u64 {
    match target {
        Target::New => store.data.unmade,
        Target::Record(record) => store.data.unmet.get(&record).copied().unwrap_or_default(),
    }
}
