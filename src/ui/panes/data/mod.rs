//! Records: a table that a million of them don't slow down, their detail, statistics. Knows the store, not the session.

mod act;
mod bindings;
mod columns;
mod cursor;
mod detail;
mod draw;
mod editor;
mod filter_line;
mod findings;
mod import_form;
mod lookout;
mod statistics;
mod table;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::store::Store;
use crate::domain::filter::Filter;
use crate::domain::protocol::data::{Generation, ViewId};
use crate::domain::record::RecordId;
use crate::domain::view::Order;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Input, Pane, View};
use crate::ui::widgets::highlight::Highlights;

pub use self::bindings::Action;
use self::bindings::BINDINGS;
use self::columns::Columns;
use self::cursor::{Chosen, Cursor};
use self::detail::Detail;
use self::editor::{Editor, Line};
use self::filter_line::FilterLine;
use self::findings::Findings;
use self::import_form::ImportForm;

/// What the keyboard is for.
#[derive(Debug)]
enum Mode {
    Table,
    Filter(FilterLine),
    /// One line for a name, a number or words.
    Line(Line),
    Edit(Box<Editor>),
    /// What an import would read.
    Import(ImportForm),
    /// What checks have found.
    Findings(Findings),
}

/// The pane.
pub(crate) struct Data {
    mode: Mode,
    /// The filter as typed and as meant.
    line: String,
    filter: Filter,
    highlights: Highlights,
    order: Order,
    asked: Option<ViewId>,
    next: u64,
    /// The page that was asked for last.
    page: Option<(ViewId, Generation, usize, usize)>,
    opened: Option<RecordId>,
    /// The content whose tokens were asked for last.
    cut: Option<u64>,
    /// Which session the above is of.
    session: Option<std::path::PathBuf>,
    cursor: Cursor,
    chosen: Chosen,
    columns: Columns,
    detail: Detail,
    statistics: Shown,
    /// Where the table and the filter were drawn last, for the mouse.
    table_area: Rect,
    filter_area: Rect,
}

/// Whether something is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Yes,
    No,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            mode: Mode::Table,
            line: String::new(),
            filter: Filter::Everything,
            highlights: Highlights::default(),
            order: Order::default(),
            asked: None,
            next: 1,
            page: None,
            opened: None,
            cut: None,
            session: None,
            cursor: Cursor::default(),
            chosen: Chosen::default(),
            columns: Columns::default(),
            detail: Detail::default(),
            statistics: Shown::Yes,
            table_area: Rect::ZERO,
            filter_area: Rect::ZERO,
        }
    }
}

impl Pane for Data {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Data(action) = action else { return false };
        let has_rows = store.data.count() > 0;
        match (&self.mode, action) {
            (Mode::Filter(_), Action::Accept | Action::Complete | Action::Cancel)
            | (Mode::Line(_), Action::Accept | Action::Cancel)
            | (Mode::Edit(_), Action::NextTurn | Action::Save | Action::Cancel)
            | (Mode::Findings(_), Action::Check | Action::Close)
            | (Mode::Import(_), Action::Cancel) => true,
            (Mode::Findings(_), Action::Open | Action::Mend | Action::Down | Action::Up) => {
                store.data.findings.as_ref().is_some_and(|found| !found.is_empty())
            }
            (Mode::Import(form), Action::Accept) => form.plan(store).is_some(),
            (
                Mode::Import(form),
                Action::NextColumnOfPart | Action::ColumnOfPartBefore | Action::Down | Action::Up,
            ) => form.plan(store).is_some_and(|plan| !plan.columns.is_empty()),
            (
                _,
                Action::Accept
                | Action::Cancel
                | Action::Complete
                | Action::ColumnOfPartBefore
                | Action::Mend
                | Action::NextColumnOfPart
                | Action::NextTurn
                | Action::Save,
            ) => false,
            (
                Mode::Table,
                Action::EditFilter
                | Action::Search
                | Action::New
                | Action::Undo
                | Action::Redo
                | Action::Import
                | Action::Check,
            ) => store.session.is_some(),
            (Mode::Table, Action::Close) => self.can_close(),
            (Mode::Table, _) => has_rows,
            _ => false,
        }
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Data(action) = action else { return Vec::new() };
        let effects = self.perform(action, store);
        if effects.is_empty() { self.refresh(store) } else { effects }
    }

    fn typing(&self) -> bool {
        !matches!(self.mode, Mode::Table | Mode::Findings(_))
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Table | Mode::Findings(_) | Mode::Import(_) => Vec::new(),
            Mode::Line(line) => {
                line.input(input);
                Vec::new()
            }
            Mode::Edit(editor) => {
                editor.input(input);
                Vec::new()
            }
            Mode::Filter(line) => {
                line.input(input, &store.data.vocabulary);
                match line.filter() {
                    Ok(filter) if filter != self.filter => self.show(filter),
                    _ => Vec::new(),
                }
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = ratatui::layout::Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollDown => self.perform(Action::Down, store),
            MouseEventKind::ScrollUp => self.perform(Action::Up, store),
            MouseEventKind::Down(MouseButton::Left) if self.filter_area.contains(at) => {
                self.perform(Action::EditFilter, store)
            }
            MouseEventKind::Down(MouseButton::Left) if self.table_area.contains(at) => {
                let row = usize::from(mouse.row - self.table_area.y);
                self.cursor.go(self.cursor.top() + row, store.data.count());
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let session = store.session.as_ref().map(|session| session.path.clone());
        if session != self.session {
            // Another session: nothing of the old one holds.
            let (next, columns) = (self.next, std::mem::take(&mut self.columns));
            *self = Self { next, session, columns, ..Self::default() };
        }
        if self.session.is_none() {
            return Vec::new();
        }
        if self.asked.is_none() {
            return self.show(Filter::Everything);
        }
        self.follow(store);
        let mut effects = self.ask_for_page(store);
        effects.extend(self.ask_for_record(store));
        effects.extend(self.ask_for_tokens(store));
        effects
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        draw::draw(self, buffer, area, view);
    }
}
