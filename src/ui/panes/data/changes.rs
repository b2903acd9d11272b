//! What is done to records: verdicts, labels, tags, edits, exports.

use std::collections::BTreeSet;

use super::act::send;
use super::detail::Seek;
use super::editor::{Editor, Target};
use super::export_form::{ExportForm, LastExport};
use super::{Chosen, Data, Mode};
use crate::app::store::Store;
use crate::domain::change::{Body, Change};
use crate::domain::export::{Form, Splits};
use crate::domain::filter::Filter;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::pane::{Effect, Question};
use crate::ui::widgets::text;

impl Data {
    /// Changes the chosen records, or the one under the cursor. Many are asked about first.
    pub(super) fn change(&mut self, change: Change, store: &Store) -> Vec<Effect> {
        let Some((selection, count)) = self.selection(store) else { return Vec::new() };
        let words = change.words();
        let command = send(DataCommand::Change { selection, change });
        if count == 1 {
            return vec![command];
        }
        vec![Effect::Ask(Question {
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
        let Mode::Labels(labels) = &self.mode else { return Vec::new() };
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

    pub(super) fn begin_new(&mut self, store: &Store) {
        let Some(session) = &store.session else { return };
        let editor = self.drafts.take(&session.path, Target::New).unwrap_or_else(Editor::empty);
        self.mode = Mode::Edit(Box::new(editor));
    }

    pub(super) fn begin_edit(&mut self, store: &Store) {
        let (Some(session), Some((id, opened))) = (&store.session, &store.data.opened) else { return };
        if self.under_cursor(store) != Some(*id) {
            return;
        }
        let (target, body) = (Target::Record(*id), Body::of(&opened.record));
        let editor = match self.drafts.take(&session.path, target) {
            Some(mut draft) => {
                let moved =
                    "The record has changed since this draft was begun: saving puts the draft in its place.";
                if draft.is_of(&body) {
                    draft.note.clear();
                } else {
                    moved.clone_into(&mut draft.note);
                }
                draft
            }
            None => Editor::new(target, body),
        };
        self.mode = Mode::Edit(Box::new(editor));
    }

    /// Leaves the editor: what was changed stays as a draft.
    pub(super) fn leave(&mut self, editor: Editor, store: &Store) -> Vec<Effect> {
        let Some(session) = store.session.as_ref().filter(|_| editor.is_changed()) else { return Vec::new() };
        let key = if editor.target() == Target::New { "n" } else { "e" };
        self.drafts.keep(&session.path, editor);
        let words = format!("kept as a draft, not saved: {key} opens it again");
        vec![Effect::Notify(Notice::new(Level::Info, words))]
    }

    pub(super) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let Mode::Edit(editor) = std::mem::replace(&mut self.mode, Mode::Table) else { return Vec::new() };
        let Some(session) = &store.session else { return Vec::new() };
        let (target, body) = (editor.target(), editor.body());
        self.drafts.saving(&session.path, *editor, store);
        let command = match target {
            Target::New => DataCommand::Add(body),
            Target::Record(record) => DataCommand::Edit { record, body },
        };
        vec![send(command)]
    }

    pub(super) fn begin_export(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
        // What the filter matches when nothing is chosen, and not the one record under the cursor.
        let everything = Chosen::AllBut(BTreeSet::new());
        let chosen = if self.chosen.is_empty() { everything } else { self.chosen.clone() };
        let selection = chosen.selection(&self.filter);
        let records = text::count(chosen.count(store.data.count()) as u64);
        let what = match (&chosen, &self.filter) {
            (Chosen::Records(_), _) => format!("{records} selected"),
            (Chosen::AllBut(without), Filter::Everything) if without.is_empty() => format!("all {records}"),
            (Chosen::AllBut(without), _) if without.is_empty() => {
                format!("{records} that match {}", self.line)
            }
            (Chosen::AllBut(without), _) => {
                format!("{records}: all but {}", text::count(without.len() as u64))
            }
        };
        let first = || LastExport {
            path: format!("{}.jsonl", session.name),
            form: Form::Messages,
            splits: Splits::Together,
        };
        let last = self.last_export.clone().unwrap_or_else(first);
        self.mode = Mode::Export(ExportForm::new(selection, what, &last));
        Vec::new()
    }

    pub(super) fn export(&mut self, form: ExportForm) -> Vec<Effect> {
        let Some(order) = form.order() else {
            self.mode = Mode::Export(form);
            return Vec::new();
        };
        self.last_export = Some(form.as_last());
        vec![send(DataCommand::Export(Box::new(order)))]
    }

    /// What was typed and is on no disk.
    pub(super) fn unsaved_words(&self) -> Option<String> {
        let open = match &self.mode {
            Mode::Edit(editor) if editor.is_changed() => Some(match editor.target() {
                Target::New => "a new record".to_owned(),
                Target::Record(record) => format!("the text of record {record}"),
            }),
            _ => None,
        };
        let drafts = match self.drafts.count() {
            0 => None,
            1 => Some("a draft of a record".to_owned()),
            many => Some(format!("drafts of {many} records")),
        };
        let parts: Vec<String> = open.into_iter().chain(drafts).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
