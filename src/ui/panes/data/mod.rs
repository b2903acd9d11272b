//! Records: a table that a million of them don't slow down, their detail, statistics. Knows the store, not the session.

mod act;
mod available;
mod bindings;
mod changes;
mod chosen;
mod columns;
mod coverage;
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
mod other_views;
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

use self::bindings::BINDINGS;
pub use self::bindings::DataAction;
use self::chosen::{Anchor, ChosenRecords, Waiting};
use self::columns::Columns;
use self::coverage::CoverageList;
use self::cursor::{ScrollPlace, ViewCursor};
use self::detail::Detail;
use self::drafts::Drafts;
use self::editor::{EditTarget, RecordEditor};
use self::export_form::{ExportForm, LastExport};
use self::filter_line::FilterLine;
use self::findings::Findings;
use self::import_form::ImportForm;
use self::labels::LabelKeys;
use self::line::DataInput;
use self::pointer::Areas;

/// What the keyboard is for.
#[derive(Debug)]
enum DataMode {
    Table,
    Filter(FilterLine),
    /// One line for a name, a number or words.
    Line(DataInput),
    /// A digit sets a label.
    Labels(LabelKeys),
    Edit(Box<RecordEditor>),
    /// What an import would read.
    Import(ImportForm),
    /// What an export would write.
    Export(ExportForm),
    /// What checks have found.
    Findings(Findings),
    /// What is written of blueprints.
    Coverage(CoverageList),
}

/// The pane.
pub(crate) struct DataPane {
    mode: DataMode,
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
    cursor: ViewCursor,
    /// Where the cursor was when no text field took a row from the table.
    steady: ScrollPlace,
    /// Where the cursor was, and on which record, before anything was filtered.
    home: Option<(ScrollPlace, Option<RecordId>)>,
    chosen: ChosenRecords,
    /// Where a range of rows begins.
    anchor: Option<Anchor>,
    waiting: Option<Waiting>,
    /// The record that was made last, and the one that is shown although it may not be among the rows.
    created: Option<RecordId>,
    pinned: Option<RecordId>,
    drafts: Drafts,
    /// What is written, if it was said that another window has a draft of it too.
    told_of_other: Option<EditTarget>,
    last_export: Option<LastExport>,
    /// How many of the store's questions were put before the person.
    answered: u64,
    columns: Columns,
    detail: Detail,
    statistics: Visibility,
    areas: Areas,
}

/// Whether something is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Yes,
    No,
}

impl Default for DataPane {
    fn default() -> Self {
        Self {
            mode: DataMode::Table,
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
            cursor: ViewCursor::default(),
            steady: ScrollPlace::default(),
            home: None,
            chosen: ChosenRecords::default(),
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
            statistics: Visibility::Yes,
            areas: Areas::default(),
        }
    }
}

impl Pane for DataPane {
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
        let begins = matches!(action, action::Action::Data(DataAction::Import | DataAction::New));
        begins && self.is_empty(store)
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Data(action) = action else { return Vec::new() };
        let effects = self.perform(action, store);
        if effects.is_empty() { self.refresh(store) } else { effects }
    }

    fn typing(&self) -> bool {
        match &self.mode {
            DataMode::Table | DataMode::Findings(_) | DataMode::Coverage(_) => false,
            // Past its path there is no field.
            DataMode::Import(form) => form.is_asking(),
            DataMode::Filter(_)
            | DataMode::Line(_)
            | DataMode::Edit(_)
            | DataMode::Export(_)
            | DataMode::Labels(_) => true,
        }
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        self.unsaved_words(store)
    }

    fn edited_text(&self) -> Option<String> {
        if let DataMode::Edit(editor) = &self.mode { editor.text() } else { None }
    }

    fn editing(&self) -> Editing {
        match &self.mode {
            DataMode::Table | DataMode::Findings(_) | DataMode::Coverage(_) | DataMode::Labels(_) => {
                Editing::Nothing
            }
            DataMode::Import(form) if !form.is_asking() => Editing::Nothing,
            DataMode::Import(_) | DataMode::Export(_) => Editing::Line,
            DataMode::Filter(_) | DataMode::Line(_) => Editing::Suggested,
            DataMode::Edit(_) => Editing::Text,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        if let DataMode::Edit(editor) = &mut self.mode {
            editor.replace_text(&text);
            editor.touched = true;
        }
        self.keep_draft(store).into_iter().collect()
    }

    fn ask_for_data(&mut self, store: &Store) -> Option<Vec<Effect>> {
        let may = store.session.is_some() && matches!(self.mode, DataMode::Table);
        may.then(|| self.bring_in(None))
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            DataMode::Table | DataMode::Findings(_) | DataMode::Coverage(_) => {}
            DataMode::Import(form) => return form.input(input),
            DataMode::Line(line) => line.input(input, &store.data.vocabulary),
            DataMode::Edit(editor) => {
                editor.input(input);
                editor.touched = true;
                return self.keep_draft(store).into_iter().collect();
            }
            DataMode::Export(form) => form.input(input),
            DataMode::Labels(_) => {
                let Input::Key(key) = input else { return Vec::new() };
                match key.code {
                    KeyCode::Char(key) => return self.label_key(key, store),
                    KeyCode::Backspace | KeyCode::Delete => return self.judge(Change::SetLabel(None), store),
                    _ => {}
                }
            }
            DataMode::Filter(line) => {
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

impl DataPane {
    /// Another session, or the same one opened anew: nothing of the old one holds, except what was typed there.
    fn begin_anew(&mut self, session: Option<std::path::PathBuf>, opening: u64) {
        let (next, columns) = (self.next, std::mem::take(&mut self.columns));
        let mut drafts = std::mem::take(&mut self.drafts);
        if let (Some(old), DataMode::Edit(editor)) =
            (&self.session, std::mem::replace(&mut self.mode, DataMode::Table))
            && editor.is_changed()
        {
            drafts.keep(old, *editor, None);
        }
        *self = Self { next, session, opening, drafts, columns, ..Self::default() };
    }

    fn has_draft(&self, target: EditTarget) -> bool {
        self.session.as_ref().is_some_and(|session| self.drafts.has(session, target))
    }
}
