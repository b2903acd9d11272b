//! The note of a run while it is typed: a draft of the session until it is saved, also when the line is left.

use std::collections::BTreeMap;

use crate::app::store::Store;
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand};
use crate::domain::run_info::{RunId, RunInfo};
use crate::ui::pane::Effect;

/// Notes that were typed here and not saved.
#[derive(Debug, Default)]
pub(super) struct Typed {
    left: BTreeMap<DraftOf, String>,
    /// Which reading of the session's drafts was looked through.
    read: u64,
}

/// What the note of a run is named by: its folder, from the session's on where it lies there.
fn named(run: &RunId, store: &Store) -> DraftOf {
    let session = store.session.as_ref().map(|session| session.path.as_path());
    let inside = session.and_then(|session| run.folder().strip_prefix(session).ok());
    DraftOf::RunNote(inside.unwrap_or_else(|| run.folder()).to_string_lossy().into_owned())
}

fn send(of: DraftOf, text: Option<&str>, store: &Store) -> Effect {
    let at = (store.now * 1000.0) as i64;
    let draft = text.map(|text| KeptDraft { base: String::new(), text: text.to_owned(), at });
    Effect::Send(Command::Data(DataCommand::KeepDraft(of, draft)))
}

fn kept<'s>(of: &DraftOf, store: &'s Store) -> Option<&'s str> {
    store.data.drafts.as_ref()?.get(of).map(|draft| draft.text.as_str())
}

impl Typed {
    /// What the line begins with: what was typed before and not saved, else the note.
    pub(super) fn begin(&self, run: &RunInfo, store: &Store) -> String {
        let of = named(&run.id, store);
        let left = self.left.get(&of).map(String::as_str).or_else(|| kept(&of, store));
        left.map_or_else(|| run.notes.line(), str::to_owned)
    }

    /// Keeps what the line has come to.
    pub(super) fn keep(&mut self, run: &RunInfo, text: &str, store: &Store) -> Vec<Effect> {
        let of = named(&run.id, store);
        if text == run.notes.line() || text.trim().is_empty() {
            return self.forget(run, store).into_iter().collect();
        }
        let effect = send(of.clone(), Some(text), store);
        self.left.insert(of, text.to_owned());
        vec![effect]
    }

    /// The note is saved, or says what is saved.
    pub(super) fn forget(&mut self, run: &RunInfo, store: &Store) -> Option<Effect> {
        let of = named(&run.id, store);
        let was = self.left.remove(&of).is_some();
        (was || kept(&of, store).is_some()).then(|| send(of, None, store))
    }

    /// Says once what was typed in an earlier time and not saved.
    pub(super) fn tell(&mut self, store: &Store) -> Vec<Effect> {
        if self.read == store.data.drafts_read || store.data.drafts.is_none() {
            return Vec::new();
        }
        self.read = store.data.drafts_read;
        let drafts = store.data.drafts.iter().flatten();
        let left = drafts.filter(|(of, _)| !self.left.contains_key(of));
        let words = left.filter_map(|(of, _)| {
            let DraftOf::RunNote(run) = of else { return None };
            let name = run.rsplit('/').next().unwrap_or(run);
            Some(format!("a note of {name} was typed and not saved: the key for its note goes on with it"))
        });
        words.map(|words| Effect::Notify(Notice::new(Level::Info, words))).collect()
    }

    /// Keeps everything that is not on the disk, also what was sent there before.
    pub(super) fn keep_again(&self, store: &Store) -> Vec<Effect> {
        self.lost(store).map(|(of, text)| send(of.clone(), Some(text), store)).collect()
    }

    /// What was typed and is on no disk.
    pub(super) fn unsaved_words(&self, store: &Store) -> Option<String> {
        self.lost(store).next().map(|_| "the note of a run".to_owned())
    }

    fn lost<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = (&'a DraftOf, &'a String)> {
        self.left.iter().filter(|(of, text)| kept(of, store) != Some(text.as_str()))
    }
}
