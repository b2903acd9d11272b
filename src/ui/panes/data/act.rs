//! What each action does: to the pane itself, or as effects for the worker.

use super::detail::{Seek, Tab};
use super::editor::Editor;
use super::filter_line::FilterLine;
use super::labels::Labels;
use super::line::{Field, Line};
use super::lookout::mend;
use super::{Action, Columns, Data, Mode, Shown};
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

impl Data {
    pub(super) fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        if takes_selection(action)
            && let Some(effects) = self.settled(action, store)
        {
            return effects;
        }
        let count = store.data.count();
        match action {
            Action::Complete => self.complete(store),
            Action::Close | Action::Cancel => self.close(store),
            Action::Accept | Action::AcceptAs(_) => self.accept(store),
            Action::SortNext => self.sort(SortOrder { field: next_field(self.order.field), ..self.order }),
            Action::SortTurn => {
                self.sort(SortOrder { direction: turned(self.order.direction), ..self.order })
            }
            Action::Approve => self.judge(Change::SetStatus(Status::Approved), store),
            Action::Reject => self.judge(Change::SetStatus(Status::Rejected), store),
            Action::MarkNew => self.judge(Change::SetStatus(Status::New), store),
            Action::Delete => self.change(Change::Remove, store),
            Action::Duplicate => {
                let like = self.under_cursor(store);
                like.map_or_else(Vec::new, |id| vec![send(DataCommand::Duplicate(id))])
            }
            Action::Undo => vec![send(DataCommand::Undo)],
            Action::Redo => vec![send(DataCommand::Redo)],
            Action::CountTokens => vec![send(DataCommand::CountTokens)],
            Action::Check => self.check(store),
            Action::Mend => vec![mend()],
            Action::Similar => self.similar(store),
            Action::NextColumnOfPart => self.turn_column(1, store),
            Action::ColumnOfPartBefore => self.turn_column(-1, store),
            Action::Import => self.bring_in(None),
            Action::Open => self.open(store),
            Action::New => self.begin_new(store),
            Action::Edit => self.begin_edit(store),
            Action::Save => self.save(store),
            Action::Copy => copy(store),
            Action::Mark => self.mark(store),
            Action::Export => self.begin_export(store),
            Action::NextMatch => self.seek(Seek::Next, store),
            Action::MatchBefore => self.seek(Seek::Before, store),
            Action::NextTurn => self.write(store, |editor| editor.step(1)),
            Action::TurnBefore => self.write(store, |editor| editor.step(-1)),
            Action::AddTurn => self.write(store, Editor::add),
            Action::RemoveTurn => self.write(store, Editor::remove),
            Action::BringBack => self.write(store, Editor::bring_back),
            Action::TurnUp => self.write(store, |editor| editor.shift(-1)),
            Action::TurnDown => self.write(store, |editor| editor.shift(1)),
            Action::TurnRole => self.write(store, Editor::turn_role),
            Action::Revert => self.write(store, Editor::revert),
            Action::Down => self.go(|pane| pane.step(1, store), store),
            Action::Up => self.go(|pane| pane.step(-1, store), store),
            Action::PageDown => self.go(|pane| pane.cursor.page(1, count), store),
            Action::PageUp => self.go(|pane| pane.cursor.page(-1, count), store),
            Action::First => self.go(|pane| pane.cursor.go(0, count), store),
            Action::Last => self.go(|pane| pane.cursor.go(usize::MAX, count), store),
            look => {
                self.look(look, store);
                Vec::new()
            }
        }
    }

    /// What only this pane needs to know of: where the cursor is, what is open, which field has the keyboard.
    #[expect(clippy::too_many_lines, reason = "a table with a line for each action")]
    fn look(&mut self, action: Action, store: &Store) {
        let ask = |field, text: &str| Mode::Line(Line::new(field, text, &store.data.vocabulary));
        match action {
            Action::ExtendDown => self.extend(1, store),
            Action::ExtendUp => self.extend(-1, store),
            Action::NextTab => self.detail.turn(1),
            Action::PreviousTab => self.detail.turn(-1),
            Action::ScrollDown => self.detail.scroll(3),
            Action::ScrollUp => self.detail.scroll(-3),
            Action::NextColumn => self.columns.choose_next(),
            Action::Wider => self.columns.widen(2),
            Action::Narrower => self.columns.widen(-2),
            Action::HideColumn => self.columns.hide(),
            Action::ShowColumns => self.columns = Columns::default(),
            Action::Statistics => {
                self.statistics = if self.statistics == Shown::Yes { Shown::No } else { Shown::Yes };
            }
            Action::Choose => self.choose(store),
            Action::ChooseAll => self.choose_everything(),
            Action::Invert => self.invert(),
            Action::EditFilter => {
                let place = (self.cursor.place(), self.under_cursor(store));
                self.mode = Mode::Filter(FilterLine::new(&self.line, place, &store.data.vocabulary));
            }
            Action::Search => self.mode = ask(Field::Search, ""),
            Action::Jump => self.mode = ask(Field::Jump, ""),
            Action::Tag => self.mode = ask(Field::Tag, ""),
            Action::Untag => self.mode = ask(Field::Untag, ""),
            Action::Label => {
                let labels = Labels::of(&store.data.vocabulary.labels);
                let line = || ask(Field::Label, self.own_label(store));
                self.mode = labels.map_or_else(line, Mode::Labels);
            }
            Action::SetSplit => self.mode = ask(Field::Split, self.own_split(store)),
            Action::Accept
            | Action::AcceptAs(_)
            | Action::AddTurn
            | Action::Approve
            | Action::BringBack
            | Action::Cancel
            | Action::Check
            | Action::Close
            | Action::ColumnOfPartBefore
            | Action::Complete
            | Action::Copy
            | Action::CountTokens
            | Action::Delete
            | Action::Down
            | Action::Duplicate
            | Action::Edit
            | Action::Export
            | Action::First
            | Action::Import
            | Action::LabelKeys
            | Action::Last
            | Action::Mark
            | Action::MarkNew
            | Action::MatchBefore
            | Action::Mend
            | Action::New
            | Action::NextColumnOfPart
            | Action::NextMatch
            | Action::NextTurn
            | Action::Open
            | Action::PageDown
            | Action::PageUp
            | Action::Redo
            | Action::Reject
            | Action::RemoveTurn
            | Action::Revert
            | Action::Save
            | Action::Similar
            | Action::SortNext
            | Action::SortTurn
            | Action::TurnBefore
            | Action::TurnDown
            | Action::TurnRole
            | Action::TurnUp
            | Action::Undo
            | Action::Up => {}
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
    fn write(&mut self, store: &Store, change: impl FnOnce(&mut Editor)) -> Vec<Effect> {
        if let Mode::Edit(editor) = &mut self.mode {
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
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(line) => {
                let (before, place, record) = line.before();
                let Ok(before) = crate::domain::filter::parse(before) else { return Vec::new() };
                if before == self.filter { Vec::new() } else { self.go_back(before, place, record) }
            }
            Mode::Edit(editor) => self.leave(*editor, store),
            Mode::Export(form) => {
                self.last_export = Some(form.as_last());
                Vec::new()
            }
            Mode::Line(_) | Mode::Labels(_) | Mode::Import(_) | Mode::Findings(_) => Vec::new(),
            Mode::Table if self.detail.is_open() => {
                self.detail.toggle();
                Vec::new()
            }
            Mode::Table if self.anchor.is_some() => {
                self.anchor = None;
                Vec::new()
            }
            Mode::Table if !self.chosen.is_empty() => {
                self.chosen = super::Chosen::default();
                Vec::new()
            }
            Mode::Table => {
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
            Mode::Line(line) => {
                line.complete(&store.data.vocabulary);
                Vec::new()
            }
            Mode::Filter(line) => {
                line.complete(&store.data.vocabulary);
                let filter = line.so_far().filter(|filter| *filter != self.filter);
                filter.map_or_else(Vec::new, |filter| self.narrow(filter, store))
            }
            Mode::Import(form) => form.complete(store),
            Mode::Table | Mode::Labels(_) | Mode::Edit(_) | Mode::Export(_) | Mode::Findings(_) => Vec::new(),
        }
    }

    fn accept(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(mut line) => {
                let Ok(filter) = line.filter() else {
                    // Stays until it can be read: the caret says why.
                    line.refuse();
                    self.mode = Mode::Filter(line);
                    return Vec::new();
                };
                line.text().trim().clone_into(&mut self.line);
                if filter == self.filter { Vec::new() } else { self.narrow(filter, store) }
            }
            Mode::Line(line) => self.accept_line(&line, store),
            Mode::Labels(_) => {
                let own = self.own_label(store);
                self.mode = Mode::Line(Line::new(Field::Label, own, &store.data.vocabulary));
                Vec::new()
            }
            Mode::Import(mut form) => {
                let (effects, stays) = form.accept(store);
                if stays {
                    self.mode = Mode::Import(form);
                }
                effects
            }
            Mode::Export(form) => self.export(form),
            mode @ (Mode::Table | Mode::Edit(_) | Mode::Findings(_)) => {
                self.mode = mode;
                Vec::new()
            }
        }
    }

    fn accept_line(&mut self, line: &Line, store: &Store) -> Vec<Effect> {
        let text = line.text().trim().to_owned();
        let name = (!text.is_empty() && text != "none").then(|| text.clone());
        match line.field() {
            Field::Jump => {
                if let Ok(row) = text.replace([',', '_'], "").parse::<usize>() {
                    self.pinned = None;
                    self.cursor.go(row.saturating_sub(1), store.data.count());
                }
                self.refresh(store)
            }
            Field::Search | Field::Tag | Field::Untag if text.is_empty() => Vec::new(),
            Field::Search => self.search(&text, store),
            Field::Tag => self.change(Change::AddTag(text), store),
            Field::Untag => self.change(Change::RemoveTag(text), store),
            Field::Label => self.judge(Change::SetLabel(name), store),
            Field::Split => self.change(Change::SetSplit(name), store),
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
const fn takes_selection(action: Action) -> bool {
    matches!(
        action,
        Action::Approve
            | Action::Reject
            | Action::MarkNew
            | Action::Delete
            | Action::Tag
            | Action::Untag
            | Action::Label
            | Action::SetSplit
            | Action::Choose
            | Action::Invert
            | Action::Export
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
