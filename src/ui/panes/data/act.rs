//! What each action does: to the pane itself, or as effects for the worker.

use super::cursor::Chosen;
use super::detail::Tab;
use super::editor::{Editor, Field, Line};
use super::filter_line::FilterLine;
use super::lookout::mend;
use super::{Action, Columns, Data, Mode, Shown};
use crate::app::store::Store;
use crate::domain::change::{Change, Selection};
use crate::domain::filter::Filter;
use crate::domain::protocol::data::ViewId;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand};
use crate::domain::record::{RecordId, Status};
use crate::domain::view::{Direction, Order, SortField};
use crate::ui::pane::{Effect, Pane, Question};
use crate::ui::widgets::highlight::Highlights;
use crate::ui::widgets::text;

pub(super) fn send(command: DataCommand) -> Effect {
    Effect::Send(Command::Data(command))
}

impl Data {
    pub(super) fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        match action {
            Action::Complete => self.complete(store),
            Action::Close | Action::Cancel => self.close(),
            Action::Accept => self.accept(store),
            Action::SortNext => self.sort(Order { field: next_field(self.order.field), ..self.order }),
            Action::SortTurn => self.sort(Order { direction: turned(self.order.direction), ..self.order }),
            Action::Approve => self.change(Change::SetStatus(Status::Approved), store),
            Action::Reject => self.change(Change::SetStatus(Status::Rejected), store),
            Action::MarkNew => self.change(Change::SetStatus(Status::New), store),
            Action::Delete => self.change(Change::Remove, store),
            Action::New => vec![send(DataCommand::Create(None))],
            Action::Duplicate => {
                let like = self.under_cursor(store);
                like.map_or_else(Vec::new, |id| vec![send(DataCommand::Create(Some(id)))])
            }
            Action::Undo => vec![send(DataCommand::Undo)],
            Action::Redo => vec![send(DataCommand::Redo)],
            Action::CountTokens => vec![send(DataCommand::CountTokens)],
            Action::Check => self.check(store),
            Action::Mend => vec![mend()],
            Action::Similar => self.similar(store),
            Action::NextColumnOfPart => self.turn_column(1, store),
            Action::ColumnOfPartBefore => self.turn_column(-1, store),
            Action::Open => self.open(store),
            Action::Save => self.save(),
            Action::Copy => copy(store),
            look => {
                self.look(look, store);
                Vec::new()
            }
        }
    }

    /// What only this pane needs to know of: where the cursor is, what is open, which field has the keyboard.
    fn look(&mut self, action: Action, store: &Store) {
        let count = store.data.count();
        let ask = |field, text: &str| Mode::Line(Line::new(field, text));
        match action {
            Action::Down => self.step(1, store),
            Action::Up => self.step(-1, store),
            Action::PageDown => self.cursor.page(1, count),
            Action::PageUp => self.cursor.page(-1, count),
            Action::First => self.cursor.go(0, count),
            Action::Last => self.cursor.go(usize::MAX, count),
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
            Action::ChooseAll => self.chosen = Chosen::Everything,
            Action::EditFilter => self.mode = Mode::Filter(FilterLine::new(&self.line)),
            Action::Search => self.mode = ask(Field::Search, ""),
            Action::Import => self.mode = ask(Field::Import, ""),
            Action::Jump => self.mode = ask(Field::Jump, ""),
            Action::Tag => self.mode = ask(Field::Tag, ""),
            Action::Untag => self.mode = ask(Field::Untag, ""),
            Action::Label => self.mode = ask(Field::Label, self.own_label(store)),
            Action::SetSplit => self.mode = ask(Field::Split, self.own_split(store)),
            Action::Edit => self.begin_edit(store),
            Action::NextTurn => self.next_turn(),
            Action::Accept
            | Action::Approve
            | Action::Cancel
            | Action::Check
            | Action::Close
            | Action::ColumnOfPartBefore
            | Action::Complete
            | Action::Copy
            | Action::CountTokens
            | Action::Delete
            | Action::Duplicate
            | Action::MarkNew
            | Action::Mend
            | Action::New
            | Action::NextColumnOfPart
            | Action::Open
            | Action::Redo
            | Action::Reject
            | Action::Save
            | Action::Similar
            | Action::SortNext
            | Action::SortTurn
            | Action::Undo => {}
        }
    }

    fn next_turn(&mut self) {
        if let Mode::Edit(editor) = &mut self.mode {
            editor.next_turn();
        }
    }

    /// Asks for what a filter matches.
    pub(super) fn show(&mut self, filter: Filter) -> Vec<Effect> {
        let view = ViewId(self.next);
        self.next += 1;
        self.asked = Some(view);
        self.highlights = Highlights::of(&filter);
        if filter != self.filter && filter != Filter::Everything {
            // Something else is asked for: it is looked at from its top.
            self.cursor.go(0, 1);
            self.opened = None;
        }
        self.filter = filter.clone();
        self.chosen = Chosen::default();
        self.page = None;
        vec![send(DataCommand::View { view, filter, order: self.order })]
    }

    fn sort(&mut self, order: Order) -> Vec<Effect> {
        self.order = order;
        let filter = self.filter.clone();
        let chosen = std::mem::take(&mut self.chosen);
        let effects = self.show(filter);
        self.chosen = chosen;
        effects
    }

    /// Keeps the cursor on its record when records come or go.
    pub(super) fn follow(&mut self, store: &Store) {
        if let Some(created) = store.data.created.filter(|created| self.cursor.seen_created != Some(*created))
        {
            self.cursor.seen_created = Some(created);
            self.opened = None;
            self.cursor.go(usize::MAX, store.data.count());
        }
        if let Some(view) = &store.data.view {
            self.cursor.follow(view);
        }
    }

    pub(super) fn ask_for_page(&mut self, store: &Store) -> Vec<Effect> {
        let Some(view) = store.data.view.as_ref().filter(|view| Some(view.view) == self.asked) else {
            return Vec::new();
        };
        let Some(wanted) = self.cursor.wanted(store.data.count(), |position| store.data.is_fresh(position))
        else {
            return Vec::new();
        };
        let page = (view.view, view.generation, wanted.start, wanted.end);
        if self.page == Some(page) {
            return Vec::new();
        }
        self.page = Some(page);
        vec![send(DataCommand::Page { view: view.view, generation: view.generation, positions: wanted })]
    }

    pub(super) fn ask_for_record(&mut self, store: &Store) -> Option<Effect> {
        let id = self.under_cursor(store)?;
        if self.opened == Some(id) {
            return None;
        }
        self.opened = Some(id);
        self.detail.rewind();
        Some(send(DataCommand::Open(id)))
    }

    /// Only while they are looked at: the first time, a model has to be opened.
    pub(super) fn ask_for_tokens(&mut self, store: &Store) -> Option<Effect> {
        let (id, _) = store.data.opened.as_ref()?;
        if self.detail.tab() != Tab::Tokens || self.cut == Some(store.data.content) {
            return None;
        }
        self.cut = Some(store.data.content);
        Some(send(DataCommand::Tokens(*id)))
    }

    /// None while another view is being looked for: what is on the screen is not what was asked for.
    pub(super) fn under_cursor(&self, store: &Store) -> Option<RecordId> {
        let known = store.data.view.as_ref().map(|view| view.view);
        if known == self.asked { store.data.own_row(self.cursor.position()).map(|row| row.id) } else { None }
    }

    fn choose(&mut self, store: &Store) {
        if let Some(id) = self.under_cursor(store) {
            self.chosen.toggle(id);
            self.cursor.move_by(1, store.data.count());
        }
    }

    pub(super) fn can_close(&self) -> bool {
        self.detail.is_open() || !self.chosen.is_empty() || !self.line.is_empty()
    }

    /// One step back at a time: the text field, the record, the choice, the filter.
    fn close(&mut self) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(line) => {
                let Ok(before) = crate::domain::filter::parse(line.before()) else { return Vec::new() };
                if before == self.filter { Vec::new() } else { self.show(before) }
            }
            Mode::Line(_) | Mode::Edit(_) | Mode::Import(_) | Mode::Findings(_) => Vec::new(),
            Mode::Table if self.detail.is_open() => {
                self.detail.toggle();
                Vec::new()
            }
            Mode::Table if !self.chosen.is_empty() => {
                self.chosen = Chosen::default();
                Vec::new()
            }
            Mode::Table => {
                self.line.clear();
                self.show(Filter::Everything)
            }
        }
    }

    fn complete(&mut self, store: &Store) -> Vec<Effect> {
        let Mode::Filter(line) = &mut self.mode else { return Vec::new() };
        line.complete(&store.data.vocabulary);
        match line.filter() {
            Ok(filter) if filter != self.filter => self.show(filter),
            _ => Vec::new(),
        }
    }

    fn accept(&mut self, store: &Store) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Filter(line) => {
                let Ok(filter) = line.filter() else {
                    // Stays until it can be read: the caret says why.
                    self.mode = Mode::Filter(line);
                    return Vec::new();
                };
                line.text().trim().clone_into(&mut self.line);
                if filter == self.filter { Vec::new() } else { self.show(filter) }
            }
            Mode::Line(line) => self.accept_line(&line, store),
            Mode::Import(form) => vec![send(DataCommand::Import { map: form.map(), path: form.path })],
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
                    self.cursor.go(row.saturating_sub(1), store.data.count());
                }
                self.refresh(store)
            }
            Field::Search | Field::Tag | Field::Untag | Field::Import if text.is_empty() => Vec::new(),
            Field::Import => self.plan_import(&text),
            Field::Search => self.search(&text),
            Field::Tag => self.change(Change::AddTag(text), store),
            Field::Untag => self.change(Change::RemoveTag(text), store),
            Field::Label => self.change(Change::SetLabel(name), store),
            Field::Split => self.change(Change::SetSplit(name), store),
        }
    }

    /// Adds words to the filter: quoted as a phrase, unless they are a regular expression.
    fn search(&mut self, words: &str) -> Vec<Effect> {
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
                self.show(filter)
            }
            Err(error) => vec![Effect::Notify(Notice::new(Level::Error, error.message))],
        }
    }

    /// Changes the chosen records, or the one under the cursor. Many are asked about first.
    fn change(&mut self, change: Change, store: &Store) -> Vec<Effect> {
        let (selection, count) = match &self.chosen {
            Chosen::Everything => (Selection::Matching(self.filter.clone()), store.data.count()),
            Chosen::Records(ids) if !ids.is_empty() => {
                (Selection::Records(ids.iter().copied().collect()), ids.len())
            }
            Chosen::Records(_) => match self.under_cursor(store) {
                Some(id) => (Selection::Records(vec![id]), 1),
                None => return Vec::new(),
            },
        };
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

    fn begin_edit(&mut self, store: &Store) {
        if let Some((id, opened)) = &store.data.opened
            && self.under_cursor(store) == Some(*id)
        {
            self.mode = Mode::Edit(Box::new(Editor::new(*id, &opened.record)));
        }
    }

    fn save(&mut self) -> Vec<Effect> {
        match std::mem::replace(&mut self.mode, Mode::Table) {
            Mode::Edit(editor) => {
                let (record, body) = editor.finish();
                vec![send(DataCommand::Edit { record, body })]
            }
            mode => {
                self.mode = mode;
                Vec::new()
            }
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

fn copy(store: &Store) -> Vec<Effect> {
    let text = store.data.opened.as_ref().and_then(|(_, opened)| serde_json::to_string(&opened.record).ok());
    text.map_or_else(Vec::new, |text| vec![Effect::Copy(text)])
}

fn next_field(field: SortField) -> SortField {
    let at = SortField::ALL.iter().position(|other| *other == field).unwrap_or_default();
    SortField::ALL.get((at + 1) % SortField::ALL.len()).copied().unwrap_or_default()
}

const fn turned(direction: Direction) -> Direction {
    match direction {
        Direction::Rising => Direction::Falling,
        Direction::Falling => Direction::Rising,
    }
}
