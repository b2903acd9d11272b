//! Texts that were left before they were saved, by session and record. The session keeps them too, so that they outlive
//! the program; it asks before it ends over what isn't on the disk yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::editor::{EditTarget, RecordEditor};
use crate::app::store::Store;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::record::RecordId;
use crate::ui::pane::{DraftTiming, Effect};

#[derive(Debug, Default)]
pub(super) struct Drafts {
    all: BTreeMap<(PathBuf, EditTarget), OpenDraft>,
    /// The session whose kept drafts were taken in, and which reading of them.
    read: Option<(PathBuf, u64)>,
    /// Deleted records whose drafts were told of.
    told: BTreeSet<RecordId>,
    /// The draft that a sentence has named the key for new records for last: that key opens it.
    spoken_of: Option<EditTarget>,
    /// A record that was deleted by somebody while it was edited here. A key can be faster than the list of all such.
    met_deleted: Option<RecordId>,
}

#[derive(Debug)]
struct OpenDraft {
    editor: RecordEditor,
    /// How often its record had been saved here when it was left: once more, and this is saved.
    edits: u64,
    saving: Saving,
    /// As far as is known.
    on_disk: bool,
    /// Whether it is still to be said that it is kept.
    told: Notified,
}

/// Whether something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notified {
    Yes,
    No,
}

/// Whether a draft is on its way to the disk. It goes when it is there: a failed write loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saving {
    No,
    /// So many edits of the record were not taken before.
    After(u64),
}

impl EditTarget {
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
    /// Keeps what was left. `store` is that of its session; none where another was opened.
    pub(super) fn keep(&mut self, session: &Path, mut editor: RecordEditor, store: Option<&Store>) {
        editor.draft = true;
        let at = (session.to_owned(), editor.target());
        let edits = store.map_or(0, |store| committed(editor.target(), store));
        self.all
            .insert(at, OpenDraft { editor, edits, saving: Saving::No, on_disk: false, told: Notified::No });
    }

    /// Keeps what is being saved until it is on the disk.
    pub(super) fn saving(&mut self, session: &Path, mut editor: RecordEditor, store: &Store) {
        editor.draft = true;
        let target = editor.target();
        let (edits, saving) = (committed(target, store), Saving::After(unmet(target, store)));
        let draft = OpenDraft { editor, edits, saving, on_disk: false, told: Notified::Yes };
        self.all.insert((session.to_owned(), target), draft);
    }

    /// What the session kept from an earlier time, once it was read; says what there is, if there is something.
    pub(super) fn take_in(
        &mut self,
        session: &Path,
        open: Option<EditTarget>,
        store: &Store,
    ) -> Option<String> {
        let kept = store.data.drafts.as_ref()?;
        let reading = Some((session.to_owned(), store.data.drafts_read));
        if self.read == reading {
            return None;
        }
        // At the first reading they are of an earlier time, afterwards of a window that was closed meanwhile.
        let left = store.data.drafts_read > 1;
        let (mut records, mut new, mut waits) = (Vec::new(), false, false);
        for (of, kept) in kept {
            let Some(target) = EditTarget::of(of).filter(|target| open != Some(*target)) else { continue };
            let at = (session.to_owned(), target);
            if let Some(own) = self.all.get(&at) {
                // Another window's, which takes the place of what is being saved once that is on the disk.
                waits |= own.saving != Saving::No && !own.editor.is_kept_as(Some(kept));
                continue;
            }
            if let Some(editor) = RecordEditor::of_draft(target, kept) {
                let (edits, saving) = (committed(target, store), Saving::No);
                self.all.insert(at, OpenDraft { editor, edits, saving, on_disk: true, told: Notified::Yes });
                match target {
                    EditTarget::New => new = true,
                    EditTarget::Record(record) if !store.data.orphaned.contains(&record) => {
                        records.push(record);
                    }
                    // Told of with the other records that were deleted.
                    EditTarget::Record(_) => {}
                }
            }
        }
        if !waits {
            self.read = reading;
        }
        let finds = "the filter is:draft finds";
        let records = match (records.as_slice(), left) {
            ([], _) => None,
            ([one], false) => {
                Some(format!("record {one} has a draft of yours (✎): {finds} it, e there opens it"))
            }
            ([one], true) => Some(format!(
                "another window was closed; its draft of record {one} is here now (✎): {finds} it, e there opens it"
            )),
            (many, false) => {
                let count = many.len();
                Some(format!("{count} records have drafts of yours (✎): {finds} them, e there opens one"))
            }
            (many, true) => Some(format!(
                "another window was closed; its drafts of {} records are here now (✎): {finds} them, e there opens one",
                many.len()
            )),
        };
        if new {
            self.spoken_of = Some(EditTarget::New);
        }
        let begun = if left {
            "another window was closed; the new record begun there is here now: n goes on with it"
        } else {
            "a new record was begun: n goes on with it"
        };
        let new = new.then(|| begun.to_owned());
        let parts: Vec<String> = records.into_iter().chain(new).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// Lets go what was saved, and keeps on the disk what isn't there yet.
    pub(super) fn settle(&mut self, session: &Path, store: &Store) -> Vec<Effect> {
        let (mut effects, mut spoken_of) = (Vec::new(), None);
        self.all.retain(|(of, target), draft| {
            if of != session {
                return true;
            }
            // Of new records others are made too, such as duplicates.
            let may = draft.saving != Saving::No || *target != EditTarget::New;
            if may && committed(*target, store) > draft.edits {
                return false;
            }
            if let Saving::After(refused) = draft.saving
                && unmet(*target, store) > refused
            {
                draft.saving = Saving::No;
            }
            let Some(kept) = &store.data.drafts else { return true };
            let there = kept.get(&target.draft());
            if draft.saving == Saving::No && draft.on_disk && there.is_none() {
                return false;
            }
            draft.on_disk = draft.editor.is_kept_as(there);
            if draft.on_disk && std::mem::replace(&mut draft.told, Notified::Yes) == Notified::No {
                let words = match *target {
                    EditTarget::Record(id) if store.data.orphaned.contains(&id) => {
                        spoken_of = Some(*target);
                        format!("kept as a draft; record {id} was deleted: n makes a new record of it")
                    }
                    EditTarget::Record(id) => {
                        format!("kept as a draft of record {id}, not saved: e there opens it again")
                    }
                    EditTarget::New => {
                        spoken_of = Some(*target);
                        "the new record is kept as a draft, not saved: n opens it again".to_owned()
                    }
                };
                effects.push(Effect::Notify(Notice::new(Level::Info, words)));
            }
            effects.extend(draft.editor.send_draft(DraftTiming::Now, store.now));
            true
        });
        self.spoken_of = spoken_of.or(self.spoken_of);
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
    pub(super) fn take(&mut self, session: &Path, target: EditTarget) -> Option<RecordEditor> {
        self.all.remove(&(session.to_owned(), target)).map(|draft| draft.editor)
    }

    /// What the key for new records goes on with: the draft that was spoken of last, else that of a new record, else one
    /// of a record that was deleted.
    pub(super) fn take_for_new(&mut self, session: &Path, store: &Store) -> Option<RecordEditor> {
        let spoken = self.spoken_of.take();
        let orphans = store.data.orphaned.iter().map(|id| EditTarget::Record(*id));
        let may = |target: &EditTarget| match target {
            EditTarget::New => true,
            EditTarget::Record(id) => self.is_gone(*id, store),
        };
        let all: Vec<EditTarget> =
            spoken.into_iter().filter(may).chain(std::iter::once(EditTarget::New)).chain(orphans).collect();
        all.into_iter().find_map(|target| self.take(session, target))
    }

    /// The key for new records opens the draft of this one, which was just spoken of.
    pub(super) const fn speak_of(&mut self, target: EditTarget) {
        self.spoken_of = Some(target);
    }

    /// The same of a record that was found to be deleted when its text was to be saved.
    pub(super) const fn speak_of_deleted(&mut self, id: RecordId) {
        self.speak_of(EditTarget::Record(id));
        self.met_deleted = Some(id);
    }

    /// Whether a record with a draft was deleted.
    pub(super) fn is_gone(&self, id: RecordId, store: &Store) -> bool {
        store.data.orphaned.contains(&id) || self.met_deleted == Some(id)
    }

    /// Deleted records that have drafts, and were not told of yet.
    pub(super) fn new_orphans(&mut self, session: &Path, store: &Store) -> Vec<RecordId> {
        self.told.retain(|id| store.data.orphaned.contains(id));
        let has = |id: &RecordId| self.has(session, EditTarget::Record(*id));
        let new: Vec<_> =
            store.data.orphaned.iter().copied().filter(|id| !self.told.contains(id) && has(id)).collect();
        self.told.extend(&new);
        new
    }

    /// Whether there is a draft, also one that is on its way to the disk.
    pub(super) fn holds(&self, session: &Path, target: EditTarget) -> bool {
        self.all.contains_key(&(session.to_owned(), target))
    }

    pub(super) fn has(&self, session: &Path, target: EditTarget) -> bool {
        let found = self.all.get(&(session.to_owned(), target));
        found.is_some_and(|draft| draft.saving == Saving::No)
    }

    /// How many there are, in any session, that would be lost with the program.
    pub(super) fn unkept(&self, session: Option<&Path>, store: &Store) -> usize {
        let lost = |((of, target), draft): &(&(PathBuf, EditTarget), &OpenDraft)| {
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
fn committed(target: EditTarget, store: &Store) -> u64 {
    match target {
        EditTarget::New => store.data.made,
        EditTarget::Record(record) => store.data.edits.get(&record).copied().unwrap_or_default(),
    }
}

/// How often an edit of this was not taken.
fn unmet(target: EditTarget, store: &Store) -> u64 {
    match target {
        EditTarget::New => store.data.unmade,
        EditTarget::Record(record) => store.data.unmet.get(&record).copied().unwrap_or_default(),
    }
}
