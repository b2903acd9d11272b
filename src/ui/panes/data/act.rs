//! What each action does: to the pane itself, or as effects for the worker.

use super::coverage::CoverageList;
use super::detail::{Seek, Tab};
use super::editor::RecordEditor;
use super::filter_line::FilterLine;
use super::labels::LabelKeys;
use super::line::{DataInput, DataInputKind};
use super::other_views::mend;
use super::{Columns, DataAction, DataMode, DataPane, Visibility};
use crate::app::store::Store;
use crate::domain::change::Change;
use crate::domain::filter::Filter;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand};
use crate::domain::record::Status;
use crate::domain::view::{SortDirection, SortField, SortOrder};
use crate::ui::pane::{Effect, Pane};

pub(super) fn send(command: DataCommand) -> Effect {
    Effect::Send(Command::Data(command))
}

impl DataPane {
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    pub(super) fn perform(&mut self, action: DataAction, store: &Store) -> Vec<Effect> {
        if takes_selection(action)
            && let Some(effects) = self.settled(action, store)
        {
            return effects;
        }
        let (count, SortOrder { field, direction }) = (store.data.count(), self.order);
        match action {
            DataAction::Complete => self.complete(store),
            DataAction::Close | DataAction::Cancel => self.close(store),
            DataAction::Accept | DataAction::AcceptAs(_) => self.accept(store),
            DataAction::SortNext => self.sort(SortOrder { field: next_field(field), direction }),
            DataAction::SortTurn => self.sort(SortOrder { field, direction: turned(direction) }),
            DataAction::Approve => self.judge(Change::SetStatus(Status::Approved), store),
            DataAction::Reject => self.judge(Change::SetStatus(Status::Rejected), store),
            DataAction::MarkNew => self.judge(Change::SetStatus(Status::New), store),
            DataAction::Delete => self.change(Change::Remove, store),
            DataAction::Duplicate => {
                let like = self.under_cursor(store);
                like.map_or_else(Vec::new, |id| vec![send(DataCommand::Duplicate(id))])
            }
            DataAction::Undo => vec![send(DataCommand::Undo)],
            DataAction::Redo => vec![send(DataCommand::Redo)],
            DataAction::CountTokens => vec![send(DataCommand::CountTokens)],
            DataAction::Check => self.check(store),
            DataAction::Coverage => {
                self.mode = DataMode::Coverage(CoverageList::default());
                Vec::new()
            }
            DataAction::Mend => vec![mend()],
            DataAction::Similar => self.similar(store),
            DataAction::NextColumnOfPart => self.turn_column(1, store),
            DataAction::ColumnOfPartBefore => self.turn_column(-1, store),
            DataAction::Import => self.bring_in(None),
            DataAction::Open => self.open(store),
            DataAction::New => self.begin_new(store),
            DataAction::Edit => self.begin_edit(store),
            DataAction::Save => self.save(store),
            DataAction::Copy => copy(store),
            DataAction::Mark => self.mark(store),
            DataAction::Export => self.begin_export(store),
            DataAction::NextMatch => self.seek(Seek::Next, store),
            DataAction::MatchBefore => self.seek(Seek::Before, store),
            DataAction::NextTurn => self.write(store, |editor| editor.step(1)),
            DataAction::TurnBefore => self.write(store, |editor| editor.step(-1)),
            DataAction::AddTurn => self.write(store, RecordEditor::add),
            DataAction::RemoveTurn => self.write(store, RecordEditor::remove),
            DataAction::BringBack => self.write(store, RecordEditor::bring_back),
            DataAction::TurnUp => self.write(store, |editor| editor.shift(-1)),
            DataAction::TurnDown => self.write(store, |editor| editor.shift(1)),
            DataAction::TurnRole => self.write(store, RecordEditor::turn_role),
            DataAction::Revert => self.write(store, RecordEditor::revert),
            DataAction::Down => self.go(|pane| pane.step(1, store), store),
            DataAction::Up => self.go(|pane| pane.step(-1, store), store),
            DataAction::PageDown => self.go(|pane| pane.cursor.page(1, count), store),
            DataAction::PageUp => self.go(|pane| pane.cursor.page(-1, count), store),
            DataAction::First => self.go(|pane| pane.cursor.go(0, count), store),
            DataAction::Last => self.go(|pane| pane.cursor.go(usize::MAX, count), store),
            look => {
                self.look(look, store);
                Vec::new()
            }
        }
    }

    /// What only this pane needs to know of: where the cursor is, what is open, which field has the keyboard.
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    fn look(&mut self, action: DataAction, store: &Store) {
        let ask = |field, text: &str| DataMode::Line(DataInput::new(field, text, &store.data.vocabulary));
        match action {
            DataAction::ExtendDown => self.extend(1, store),
            DataAction::ExtendUp => self.extend(-1, store),
            DataAction::NextTab => self.detail.turn(1),
            DataAction::PreviousTab => self.detail.turn(-1),
            DataAction::ScrollDown => self.detail.scroll(3),
            DataAction::ScrollUp => self.detail.scroll(-3),
            DataAction::NextColumn => self.columns.choose_next(),
            DataAction::Wider => self.columns.widen(2),
            DataAction::Narrower => self.columns.widen(-2),
            DataAction::HideColumn => self.columns.hide(),
            DataAction::ShowColumns => self.columns = Columns::default(),
            DataAction::Statistics => {
                self.statistics =
                    if self.statistics == Visibility::Yes { Visibility::No } else { Visibility::Yes };
            }
            DataAction::Choose => self.choose(store),
            DataAction::ChooseAll => self.choose_everything(),
            DataAction::Invert => self.invert(),
            DataAction::EditFilter => {
                let place = (self.cursor.place(), self.under_cursor(store));
                self.mode = DataMode::Filter(FilterLine::new(&self.line, place, &store.data.vocabulary));
            }
            DataAction::Search => self.mode = ask(DataInputKind::Search, ""),
            DataAction::Jump => self.mode = ask(DataInputKind::Jump, ""),
            DataAction::Tag => self.mode = ask(DataInputKind::Tag, ""),
            DataAction::Untag => self.mode = ask(DataInputKind::Untag, ""),
            DataAction::Label => {
                let labels = LabelKeys::of(&store.data.vocabulary.labels);
                let line = || ask(DataInputKind::Label, self.own_label(store));
                self.mode = labels.map_or_else(line, DataMode::Labels);
            }
            DataAction::SetSplit => self.mode = ask(DataInputKind::Split, self.own_split(store)),
            DataAction::Accept
            | DataAction::AcceptAs(_)
            | DataAction::AddTurn
            | DataAction::Approve
            | DataAction::BringBack
            | DataAction::Cancel
            | DataAction::Check
            | DataAction::Close
            | DataAction::ColumnOfPartBefore
            | DataAction::Complete
            | DataAction::Copy
            | DataAction::CountTokens
            | DataAction::Coverage
            | DataAction::Delete
            | DataAction::Down
            | DataAction::Duplicate
            | DataAction::Edit
            | DataAction::Export
            | DataAction::First
            | DataAction::Import
            | DataAction::LabelKeys
            | DataAction::Last
            | DataAction::Mark
            | DataAction::MarkNew
            | DataAction::MatchBefore
            | DataAction::Mend
            | DataAction::New
            | DataAction::NextColumnOfPart
            | DataAction::NextMatch
            | DataAction::NextTurn
            | DataAction::Open
            | DataAction::PageDown
            | DataAction::PageUp
            | DataAction::Redo
            | DataAction::Reject
            | DataAction::RemoveTurn
            | DataAction::Revert
            | DataAction::Save
            | DataAction::Similar
            | DataAction::SortNext
            | DataAction::SortTurn
            | DataAction::TurnBefore
            | DataAction::TurnDown
            | DataAction::TurnRole
            | DataAction::TurnUp
            | DataAction::Undo
            | DataAction::Up => {}
        }
    }

    /// A movement of the cursor: a range that was held ends, a record that was shown for itself goes.
    fn go(&mut self, step: impl FnOnce(&mut Self), store: &Store) -> Vec<Effect> {
        self.let_go(store);
        self.pinned = None;
        step(self);
        Vec::new()
    }

    /// Does something to the turns that are being edited.
    fn write(&mut self, store: &Store, change: impl FnOnce(&mut RecordEditor)) -> Vec<Effect> {
        if let DataMode::Edit(editor) = &mut self.mode {
            change(editor);
            editor.touched = true;
        }
        self.keep_draft(store).into_iter().collect()
    }

    pub(super) fn can_close(&self) -> bool {
        self.detail.is_open()
            || self.anchor.is_some()
            || !self.chosen.is_empty()
            || self.filter != Filter::Everything
            || !self.line.is_empty()
    }

    /// One step back at a time: the text field, the record, the range, the choice, the filter.
    fn close(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, DataMode::Table) {
            DataMode::Filter(line) => {
                let (before, place, record) = line.before();
                let Ok(before) = crate::domain::filter::parse(before) else { return Vec::new() };
                if before == self.filter { Vec::new() } else { self.go_back(before, place, record) }
            }
            DataMode::Edit(editor) => self.leave(*editor, store),
            DataMode::Export(form) => {
                self.last_export = Some(form.as_last());
                Vec::new()
            }
            DataMode::Line(_)
            | DataMode::Labels(_)
            | DataMode::Import(_)
            | DataMode::Findings(_)
            | DataMode::Coverage(_) => Vec::new(),
            DataMode::Table if self.detail.is_open() => {
                self.detail.toggle();
                Vec::new()
            }
            DataMode::Table if self.anchor.is_some() => {
                self.anchor = None;
                Vec::new()
            }
            DataMode::Table if !self.chosen.is_empty() => {
                self.chosen = super::ChosenRecords::default();
                Vec::new()
            }
            DataMode::Table => {
                self.line.clear();
                match self.home.take() {
                    Some((place, record)) => self.go_back(Filter::Everything, place, record),
                    None => self.show(Filter::Everything),
                }
            }
        }
    }

    fn complete(&mut self, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            DataMode::Line(line) => {
                line.complete(&store.data.vocabulary);
                Vec::new()
            }
            DataMode::Filter(line) => {
                line.complete(&store.data.vocabulary);
                let filter = line.so_far().filter(|filter| *filter != self.filter);
                filter.map_or_else(Vec::new, |filter| self.narrow(filter, store))
            }
            DataMode::Import(form) => form.complete(store),
            DataMode::Table
            | DataMode::Labels(_)
            | DataMode::Edit(_)
            | DataMode::Export(_)
            | DataMode::Findings(_)
            | DataMode::Coverage(_) => Vec::new(),
        }
    }

    fn accept(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, DataMode::Table) {
            DataMode::Filter(mut line) => {
                let Ok(filter) = line.filter() else {
                    // Stays until it can be read: the caret says why.
                    line.refuse();
                    self.mode = DataMode::Filter(line);
                    return Vec::new();
                };
                line.text().trim().clone_into(&mut self.line);
                if filter == self.filter { Vec::new() } else { self.narrow(filter, store) }
            }
            DataMode::Line(line) => self.accept_line(&line, store),
            DataMode::Labels(_) => {
                let own = self.own_label(store);
                self.mode = DataMode::Line(DataInput::new(DataInputKind::Label, own, &store.data.vocabulary));
                Vec::new()
            }
            DataMode::Import(mut form) => {
                let (effects, stays) = form.accept(store);
                if stays {
                    self.mode = DataMode::Import(form);
                }
                effects
            }
            DataMode::Export(form) => self.export(form),
            mode @ (DataMode::Table | DataMode::Edit(_) | DataMode::Findings(_) | DataMode::Coverage(_)) => {
                self.mode = mode;
                Vec::new()
            }
        }
    }

    fn accept_line(&mut self, line: &DataInput, store: &Store) -> Vec<Effect> {
        let text = line.text().trim().to_owned();
        let name = (!text.is_empty() && text != "none").then(|| text.clone());
        match line.field() {
            DataInputKind::Jump => {
                if let Ok(row) = text.replace([',', '_'], "").parse::<usize>() {
                    self.pinned = None;
                    self.cursor.go(row.saturating_sub(1), store.data.count());
                }
                self.refresh(store)
            }
            DataInputKind::Search | DataInputKind::Tag | DataInputKind::Untag if text.is_empty() => {
                Vec::new()
            }
            DataInputKind::Search => self.search(&text, store),
            DataInputKind::Tag => self.change(Change::AddTag(text), store),
            DataInputKind::Untag => self.change(Change::RemoveTag(text), store),
            DataInputKind::Label => self.judge(Change::SetLabel(name), store),
            DataInputKind::Split => self.change(Change::SetSplit(name), store),
        }
    }

    /// Adds words to the filter: quoted as a phrase, unless they are a regular expression.
    fn search(&mut self, words: &str, store: &Store) -> Vec<Effect> {
        let regular = words.len() > 1 && words.starts_with('/');
        let term = match (regular, words.ends_with('/')) {
            (true, true) => words.to_owned(),
            (true, false) => format!("{words}/"),
            (false, _) => format!("\"{}\"", words.replace('\\', "\\\\").replace('"', "\\\"")),
        };
        let line = format!("{} {term}", self.line).trim().to_owned();
        match crate::domain::filter::parse(&line) {
            Ok(filter) => {
                self.line = line;
                self.narrow(filter, store)
            }
            Err(error) => vec![Effect::Notify(Notice::new(Level::Error, error.message))],
        }
    }

    fn own_label<'s>(&self, store: &'s Store) -> &'s str {
        let row = store.data.row(self.cursor.position()).filter(|_| self.chosen.is_empty());
        row.and_then(|row| row.label.as_deref()).unwrap_or_default()
    }

    fn own_split<'s>(&self, store: &'s Store) -> &'s str {
        let row = store.data.row(self.cursor.position()).filter(|_| self.chosen.is_empty());
        row.and_then(|row| row.split.as_deref()).unwrap_or_default()
    }

    pub(super) fn tab(&self) -> Tab {
        self.detail.tab()
    }
}

/// Whether an action is for what is chosen, so that a range has to be known first.
const fn takes_selection(action: DataAction) -> bool {
    matches!(
        action,
        DataAction::Approve
            | DataAction::Reject
            | DataAction::MarkNew
            | DataAction::Delete
            | DataAction::Tag
            | DataAction::Untag
            | DataAction::Label
            | DataAction::SetSplit
            | DataAction::Choose
            | DataAction::Invert
            | DataAction::Export
    )
}

fn copy(store: &Store) -> Vec<Effect> {
    let text = store.data.opened.as_ref().and_then(|(_, opened)| serde_json::to_string(&opened.record).ok());
    let reads =
        || vec![Effect::Notify(Notice::new(Level::Info, "the record is still being read: y copies it then"))];
    text.map_or_else(reads, |text| vec![Effect::Copy(text)])
}

fn next_field(field: SortField) -> SortField {
    let at = SortField::ALL.iter().position(|other| *other == field).unwrap_or_default();
    SortField::ALL.get((at + 1) % SortField::ALL.len()).copied().unwrap_or_default()
}

const fn turned(direction: SortDirection) -> SortDirection {
    match direction {
        SortDirection::Rising => SortDirection::Falling,
        SortDirection::Falling => SortDirection::Rising,
    }
}
