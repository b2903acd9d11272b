//! Records: a table that a million of them don't slow down, their detail, statistics. Knows the store, not the session.

mod act;
mod available;
mod bindings;
mod changes;
mod chosen;
mod columns;
mod cursor;
mod detail;
mod detail_turns;
mod drafts;
mod draw;
mod editor;
mod editor_view;
mod export_form;
mod filter_line;
mod findings;
mod import_form;
mod import_view;
mod keeping;
mod labels;
mod line;
mod lookout;
mod pointer;
mod questions;
mod statistics;
mod table;
mod views;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crossterm::event::{KeyCode, MouseEvent};

use crate::app::store::Store;
use crate::domain::change::Change;
use crate::domain::filter::Filter;
use crate::domain::protocol::data::{Generation, ViewId};
use crate::domain::record::RecordId;
use crate::domain::view::SortOrder;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Editing, Effect, Input, Pane, View};
use crate::ui::widgets::highlight::Highlights;

pub use self::bindings::Action;
use self::bindings::BINDINGS;
use self::chosen::{Anchor, Chosen, Waiting};
use self::columns::Columns;
use self::cursor::{Cursor, Place};
use self::detail::Detail;
use self::drafts::Drafts;
use self::editor::{Editor, Target};
use self::export_form::{ExportForm, LastExport};
use self::filter_line::FilterLine;
use self::findings::Findings;
use self::import_form::ImportForm;
use self::labels::Labels;
use self::line::Line;
use self::pointer::Areas;

/// What the keyboard is for.
#[derive(Debug)]
enum Mode {
    Table,
    Filter(FilterLine),
    /// One line for a name, a number or words.
    Line(Line),
    /// A digit sets a label.
    Labels(Labels),
    Edit(Box<Editor>),
    /// What an import would read.
    Import(ImportForm),
    /// What an export would write.
    Export(ExportForm),
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
    order: SortOrder,
    asked: Option<ViewId>,
    next: u64,
    /// The page that was asked for last.
    page: Option<(ViewId, Generation, usize, usize)>,
    opened: Option<RecordId>,
    /// The content whose tokens were asked for last.
    cut: Option<u64>,
    /// Which session the above is of, and which opening of it.
    session: Option<std::path::PathBuf>,
    opening: u64,
    cursor: Cursor,
    /// Where the cursor was when no text field took a row from the table.
    steady: Place,
    /// Where the cursor was, and on which record, before anything was filtered.
    home: Option<(Place, Option<RecordId>)>,
    chosen: Chosen,
    /// Where a range of rows begins.
    anchor: Option<Anchor>,
    waiting: Option<Waiting>,
    /// The record that was made last, and the one that is shown although it may not be among the rows.
    created: Option<RecordId>,
    pinned: Option<RecordId>,
    drafts: Drafts,
    /// What is written, if it was said that another window has a draft of it too.
    told_of_other: Option<Target>,
    last_export: Option<LastExport>,
    /// How many of the store's questions were put before the person.
    answered: u64,
    columns: Columns,
    detail: Detail,
    statistics: Shown,
    areas: Areas,
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
            order: SortOrder::default(),
            asked: None,
            next: 1,
            page: None,
            opened: None,
            cut: None,
            session: None,
            opening: 0,
            cursor: Cursor::default(),
            steady: Place::default(),
            home: None,
            chosen: Chosen::default(),
            anchor: None,
            waiting: None,
            created: None,
            pinned: None,
            drafts: Drafts::default(),
            told_of_other: None,
            last_export: None,
            answered: 0,
            columns: Columns::default(),
            detail: Detail::default(),
            statistics: Shown::Yes,
            areas: Areas::default(),
        }
    }
}

impl Pane for Data {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Data(action) = action else { return false };
        self.can(action, store)
    }

    fn offered(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Data(own) = action else { return false };
        self.available(action, store) && self.offers(own, store)
    }

    fn leads_on(&self, action: action::Action, store: &Store) -> bool {
        let begins = matches!(action, action::Action::Data(Action::Import | Action::New));
        begins && self.is_empty(store)
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Data(action) = action else { return Vec::new() };
        let effects = self.perform(action, store);
        if effects.is_empty() { self.refresh(store) } else { effects }
    }

    fn typing(&self) -> bool {
        !matches!(self.mode, Mode::Table | Mode::Findings(_))
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        self.unsaved_words(store)
    }

    fn edited_text(&self) -> Option<String> {
        if let Mode::Edit(editor) = &self.mode { editor.text() } else { None }
    }

    fn editing(&self) -> Editing {
        match &self.mode {
            Mode::Table | Mode::Findings(_) | Mode::Labels(_) => Editing::Nothing,
            Mode::Import(form) if !form.is_asking() => Editing::Nothing,
            Mode::Import(_) | Mode::Export(_) => Editing::Line,
            Mode::Filter(_) | Mode::Line(_) => Editing::Suggested,
            Mode::Edit(_) => Editing::Text,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        if let Mode::Edit(editor) = &mut self.mode {
            editor.replace_text(&text);
            editor.touched = true;
        }
        self.keep_draft(store).into_iter().collect()
    }

    fn ask_for_data(&mut self, store: &Store) -> Option<Vec<Effect>> {
        let may = store.session.is_some() && matches!(self.mode, Mode::Table);
        may.then(|| self.bring_in(None))
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Table | Mode::Findings(_) => {}
            Mode::Import(form) => return form.input(input),
            Mode::Line(line) => line.input(input, &store.data.vocabulary),
            Mode::Edit(editor) => {
                editor.input(input);
                editor.touched = true;
                return self.keep_draft(store).into_iter().collect();
            }
            Mode::Export(form) => form.input(input),
            Mode::Labels(_) => {
                let Input::Key(key) = input else { return Vec::new() };
                match key.code {
                    KeyCode::Char(key) => return self.label_key(key, store),
                    KeyCode::Backspace | KeyCode::Delete => return self.judge(Change::SetLabel(None), store),
                    _ => {}
                }
            }
            Mode::Filter(line) => {
                line.input(input, &store.data.vocabulary);
                if let Some(filter) = line.so_far().filter(|filter| *filter != self.filter) {
                    return self.narrow(filter, store);
                }
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        self.point(mouse, store)
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let session = store.session.as_ref().map(|session| session.path.clone());
        if (&session, store.openings) != (&self.session, self.opening) {
            self.begin_anew(session, store.openings);
        }
        if self.session.is_none() {
            return Vec::new();
        }
        if self.asked.is_none()
            && let Some(wanted) = &store.wanted
        {
            let mut effects = self.bring_in(wanted.from.as_deref());
            effects.extend(self.show(Filter::Everything));
            return effects;
        }
        if self.asked.is_none() {
            return self.show(Filter::Everything);
        }
        self.follow(store);
        let mut effects = self.follow_drafts(store);
        effects.extend(self.ask_for_page(store));
        effects.extend(self.ask_for_record(store));
        effects.extend(self.ask_for_tokens(store));
        effects.extend(self.ask_for_numbers(store));
        effects.extend(self.ask_person(store));
        effects
    }

    fn keep(&mut self, store: &Store) -> Vec<Effect> {
        self.keep_all(store)
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        draw::draw(self, buffer, area, view);
    }
}

impl Data {
    /// Another session, or the same one opened anew: nothing of the old one holds, except what was typed there.
    fn begin_anew(&mut self, session: Option<std::path::PathBuf>, opening: u64) {
        let (next, columns) = (self.next, std::mem::take(&mut self.columns));
        let mut drafts = std::mem::take(&mut self.drafts);
        if let (Some(old), Mode::Edit(editor)) =
            (&self.session, std::mem::replace(&mut self.mode, Mode::Table))
            && editor.is_changed()
        {
            drafts.keep(old, *editor, None);
        }
        *self = Self { next, session, opening, drafts, columns, ..Self::default() };
    }

    fn has_draft(&self, target: Target) -> bool {
        self.session.as_ref().is_some_and(|session| self.drafts.has(session, target))
    }
}
