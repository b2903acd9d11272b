//! What is done to records: verdicts, labels, tags, edits, exports.

use std::collections::BTreeSet;
use std::path::Path;

use super::act::send;
use super::detail::Seek;
use super::editor::{EditTarget, RecordEditor};
use super::export_form::{ExportForm, LastExport};
use super::{ChosenRecords, DataMode, DataPane};
use crate::app::store::Store;
use crate::domain::change::{Body, Change};
use crate::domain::draft::DraftOf;
use crate::domain::export::{ExportFormat, Splits};
use crate::domain::filter::Filter;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::pane::{Confirmation, DraftTiming, Effect};
use crate::ui::panes::others;
use crate::ui::widgets::text;

impl DataPane {
    /// Changes the chosen records, or the one under the cursor. Many are asked about first.
    pub(super) fn change(&mut self, change: Change, store: &Store) -> Vec<Effect> {
        let Some((selection, count)) = self.selection(store) else { return Vec::new() };
        let words = change.words();
        let command = send(DataCommand::Change { selection, change });
        if count == 1 {
            return vec![command];
        }
        vec![Effect::Ask(Confirmation {
            title: format!("{words}: {} records?", text::count(count as u64)),
            text: "One undo takes all of it back.".to_owned(),
            yes: words,
            then: vec![command],
        })]
    }

    /// The same, and on to the next record where it was for one.
    pub(super) fn judge(&mut self, change: Change, store: &Store) -> Vec<Effect> {
        let changes = self.change(change, store);
        let next = self.cursor.position() + 1;
        let alone = self.chosen.is_empty() && self.pinned.is_none();
        if !alone || changes.is_empty() || next >= store.data.count() {
            return changes;
        }
        self.cursor.go(next, store.data.count());
        // Opened before the change is asked for: then the cursor stays with it, also when the filter lets go of the
        // record that was judged.
        let opened = store.data.own_row(next).map(|row| row.id);
        if let Some(id) = opened {
            self.opened = Some(id);
            self.detail.rewind(Seek::Next);
        }
        opened.map(|id| send(DataCommand::Open(id))).into_iter().chain(changes).collect()
    }

    /// A key while labels have digits.
    pub(super) fn label_key(&mut self, key: char, store: &Store) -> Vec<Effect> {
        let DataMode::Labels(labels) = &self.mode else { return Vec::new() };
        let label = labels.at(key).map(str::to_owned);
        match (label, key) {
            (Some(label), _) => self.judge(Change::SetLabel(Some(label)), store),
            (None, 'u') => vec![send(DataCommand::Undo)],
            (None, 'j' | 'k') => {
                self.pinned = None;
                self.cursor.move_by(if key == 'j' { 1 } else { -1 }, store.data.count());
                Vec::new()
            }
            (None, _) => Vec::new(),
        }
    }

    pub(super) fn begin_new(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
        let mut effects = Vec::new();
        let mut editor = self.drafts.take_for_new(&session.path, store).unwrap_or_else(RecordEditor::empty);
        if let EditTarget::Record(id) = editor.target() {
            let was = format!("Record {id} was deleted; this was your draft of it");
            if self.drafts.holds(&session.path, EditTarget::New) {
                // That one stays what it is: there is one draft of a new record at most.
                editor.note = format!("{was}. Saving adds it as a new record; n later opens the other one.");
            } else {
                editor = editor.into_new();
                editor.note = format!("{was}. alt-o lets it go.");
                // Kept anew before the old one goes.
                effects.extend(editor.send_draft(DraftTiming::Now, store.now));
                effects.push(send(DataCommand::KeepDraft(DraftOf::Record(id), None)));
            }
        }
        self.mode = DataMode::Edit(Box::new(editor));
        effects
    }

    pub(super) fn begin_edit(&mut self, store: &Store) -> Vec<Effect> {
        let (Some(session), Some((id, opened))) = (&store.session, &store.data.opened) else {
            return Vec::new();
        };
        if self.under_cursor(store) != Some(*id) {
            return Vec::new();
        }
        let (target, body) = (EditTarget::Record(*id), Body::of(&opened.record));
        let mut editor = match self.drafts.take(&session.path, target) {
            Some(mut draft) => {
                draft.note.clear();
                draft.see(body);
                draft
            }
            None => RecordEditor::new(target, body),
        };
        let kept = editor.send_draft(DraftTiming::Now, store.now);
        self.mode = DataMode::Edit(Box::new(editor));
        kept.into_iter().collect()
    }

    /// Leaves the editor: what was changed stays as a draft.
    pub(super) fn leave(&mut self, mut editor: RecordEditor, store: &Store) -> Vec<Effect> {
        let mut effects: Vec<Effect> = editor.send_draft(DraftTiming::Now, store.now).into_iter().collect();
        let Some(session) = store.session.as_ref().filter(|_| editor.is_changed()) else { return effects };
        self.drafts.keep(&session.path, editor, Some(store));
        // Says so once it is on the disk.
        effects.extend(self.drafts.settle(&session.path, store));
        effects
    }

    /// What was written since the session was told of it.
    pub(super) fn keep_draft(&mut self, store: &Store) -> Option<Effect> {
        let DataMode::Edit(editor) = &mut self.mode else { return None };
        editor.send_draft(DraftTiming::InPassing, store.now)
    }

    /// Keeps everything that is not on the disk.
    pub(super) fn keep_all(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = self.session.clone() else { return Vec::new() };
        let mut effects = self.drafts.keep_again(&session, store);
        if let DataMode::Edit(editor) = &mut self.mode {
            let of = editor.target().draft();
            let there = store.data.drafts.as_ref().and_then(|kept| kept.get(&of));
            effects.extend(editor.send_again(there, store.now));
        }
        effects
    }

    /// Takes in what the session kept of an earlier time; keeps what isn't on the disk yet; lets go what was saved.
    pub(super) fn follow_drafts(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = self.session.clone() else { return Vec::new() };
        let open = if let DataMode::Edit(editor) = &self.mode { Some(editor.target()) } else { None };
        let mut effects = self.drafts.settle(&session, store);
        let mut words: Vec<String> = self.drafts.take_in(&session, open, store).into_iter().collect();
        let orphans = self.drafts.new_orphans(&session, store);
        if let [one, others @ ..] = orphans.as_slice() {
            self.drafts.speak_of(EditTarget::Record(*one));
            let first =
                format!("record {one} was deleted; your draft of it is kept: n makes a new record of it");
            words.push(match others.len() {
                0 => first,
                more => format!("{first}, and then of {more} more that were deleted"),
            });
        }
        effects.extend(words.into_iter().map(|words| Effect::Notify(Notice::new(Level::Info, words))));
        let other = open.filter(|target| store.data.other_drafts.contains_key(&target.draft()));
        if std::mem::replace(&mut self.told_of_other, other) != other {
            effects.extend(other.and_then(|target| others::notice(store, &target.draft())));
        }
        effects.extend(self.keep_draft(store));
        effects
    }

    pub(super) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let DataMode::Edit(editor) = std::mem::replace(&mut self.mode, DataMode::Table) else {
            return Vec::new();
        };
        let Some(session) = &store.session else { return Vec::new() };
        let (target, body, over) = (editor.target(), editor.body(), editor.base().clone());
        self.drafts.saving(&session.path, *editor, store);
        let command = match target {
            EditTarget::New => DataCommand::Add(body),
            EditTarget::Record(record) if self.drafts.is_gone(record, store) => {
                DataCommand::AddInstead(record, body)
            }
            EditTarget::Record(record) => DataCommand::Edit { record, over: Box::new(over), body },
        };
        vec![send(command)]
    }

    pub(super) fn begin_export(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
        // What the filter matches when nothing is chosen, and not the one record under the cursor.
        let everything = ChosenRecords::AllBut(BTreeSet::new());
        let chosen = if self.chosen.is_empty() { everything } else { self.chosen.clone() };
        let selection = chosen.selection(&self.filter);
        let records = text::count(chosen.count(store.data.count()) as u64);
        let what = match (&chosen, &self.filter) {
            (ChosenRecords::Records(_), _) => format!("{records} selected"),
            (ChosenRecords::AllBut(without), Filter::Everything) if without.is_empty() => {
                format!("all {records}")
            }
            (ChosenRecords::AllBut(without), _) if without.is_empty() => {
                format!("{records} that match {}", self.line)
            }
            (ChosenRecords::AllBut(without), _) => {
                format!("{records}: all but {}", text::count(without.len() as u64))
            }
        };
        let first = || LastExport {
            path: free_name(&session.name, store),
            form: ExportFormat::Messages,
            splits: Splits::Together,
        };
        let last = self.last_export.clone().unwrap_or_else(first);
        self.mode = DataMode::Export(ExportForm::new(selection, what, &last));
        Vec::new()
    }

    pub(super) fn export(&mut self, form: ExportForm) -> Vec<Effect> {
        let Some(order) = form.order() else {
            self.mode = DataMode::Export(form);
            return Vec::new();
        };
        self.last_export = Some(form.as_last());
        vec![send(DataCommand::Export(Box::new(order)))]
    }

    /// What was typed and is on no disk.
    pub(super) fn unsaved_words(&self, store: &Store) -> Option<String> {
        let kept = |editor: &RecordEditor| {
            let drafts = store.data.drafts.as_ref();
            editor.is_kept_as(drafts.and_then(|drafts| drafts.get(&editor.target().draft())))
        };
        let open = match &self.mode {
            DataMode::Edit(editor) if editor.is_changed() && !kept(editor) => Some(match editor.target() {
                EditTarget::New => "a new record".to_owned(),
                EditTarget::Record(record) => format!("the text of record {record}"),
            }),
            _ => None,
        };
        let drafts = match self.drafts.unkept(self.session.as_deref(), store) {
            0 => None,
            1 => Some("a draft of a record".to_owned()),
            many => Some(format!("drafts of {many} records")),
        };
        let parts: Vec<String> = open.into_iter().chain(drafts).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// A name for the records of a session that is none of a file they came from: a session is called like its file.
fn free_name(session: &str, store: &Store) -> String {
    let imported = store.data.imported.iter().map(|(path, _)| path.to_string_lossy().into_owned());
    let opened = store.data.opened.iter().map(|(_, opened)| opened.record.provenance.source.clone());
    let sources: Vec<String> = imported.chain(opened).collect();
    let is_source = |name: &String| {
        let is_named = |source: &String| Path::new(source).file_name() == Some(name.as_ref());
        sources.iter().any(is_named)
    };
    let more = (2_u64..).map(|number| format!("{session}-records-{number}.jsonl"));
    let first = format!("{session}-records.jsonl");
    std::iter::once(first.clone()).chain(more).find(|name| !is_source(name)).unwrap_or(first)
}
