//! Evaluations (`results`), and the reward bench: a completion is typed or picked, and its score, each component and each
//! deduction change with it; a whole dataset is scored, and two versions of a reward compared. Knows the store, not the
//! rewards.

mod act;
mod bindings;
mod draw;
mod figures;
mod results;
mod told;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_textarea::TextArea;

use crate::app::store::Store;
use crate::domain::protocol::rewards::{BenchId, TryId};
use crate::ui::action::Action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Input, Pane, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::{TextField, edit_text};
use crate::ui::widgets::writing;
use results::ResultsView;

pub use self::bindings::EvalAction;

/// Which half of the pane is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum EvalView {
    #[default]
    Results,
    Bench,
}

/// What fills the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum BenchFace {
    /// One completion.
    #[default]
    One,
    /// All of them.
    All,
}

/// What the keyboard is for.
#[derive(Debug, Default)]
enum BenchMode {
    #[default]
    Look,
    /// The completion is being written.
    Write,
    /// A line is being typed.
    Line(BenchLine, Box<TextField>),
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BenchLine {
    Task,
    Data,
}

/// A completion that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AskedTry {
    row: usize,
    text: String,
}

/// The pane.
#[derive(Debug)]
pub(crate) struct EvalPane {
    view: EvalView,
    results: ResultsView,
    face: BenchFace,
    mode: BenchMode,
    /// The completion.
    text: TextArea<'static>,
    /// The two lines that say which rewards and which rows.
    task: String,
    data: String,
    /// What is wrong with the line that is being typed.
    complaint: String,
    /// What was opened last, and of which opening of the session.
    bench: Option<BenchId>,
    opening: u64,
    next: u64,
    row: usize,
    /// The row that was asked for, and whether its completion was taken into the field.
    shown: Option<(usize, RowTaken)>,
    /// The completion that was asked about last, under which number.
    tried: Option<(TryId, AskedTry)>,
    cursor: ListCursor,
    /// Of the last draw: where the list of all rows is.
    list: Rect,
}

/// Whether a row's completion is in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RowTaken {
    No,
    Yes,
}

impl Default for EvalPane {
    fn default() -> Self {
        Self {
            view: EvalView::default(),
            results: ResultsView::default(),
            face: BenchFace::default(),
            mode: BenchMode::default(),
            text: writing::field(""),
            task: String::new(),
            data: String::new(),
            complaint: String::new(),
            bench: None,
            opening: 0,
            next: 0,
            row: 0,
            shown: None,
            tried: None,
            cursor: ListCursor::default(),
            list: Rect::default(),
        }
    }
}

impl EvalPane {
    fn turn_to(&mut self, view: EvalView, store: &Store) -> Vec<Effect> {
        self.view = view;
        self.refresh(store)
    }
}

impl Pane for EvalPane {
    fn bindings(&self) -> &'static [Binding] {
        bindings::BINDINGS
    }

    fn available(&self, action: Action, store: &Store) -> bool {
        let Action::Eval(action) = action else { return false };
        if self.view == EvalView::Results {
            return self.results.available(action, store);
        }
        let looks = matches!(self.mode, BenchMode::Look);
        let is_open = self.opened(store).is_some();
        let one = self.face == BenchFace::One;
        match action {
            EvalAction::Results => looks,
            EvalAction::Accept => matches!(self.mode, BenchMode::Line(..)),
            EvalAction::Cancel => !looks,
            EvalAction::Restore => one && is_open && self.rows(store) > 0,
            EvalAction::Open => looks && !one && self.picked(store).is_some(),
            EvalAction::Edit => looks && one && is_open,
            EvalAction::ScoreAll => looks && is_open && self.rows(store) > 0,
            EvalAction::Task | EvalAction::Data => looks && store.session.is_some(),
            EvalAction::Copy => looks && is_open,
            EvalAction::Close => looks && !one,
            EvalAction::Up
            | EvalAction::Down
            | EvalAction::PageUp
            | EvalAction::PageDown
            | EvalAction::First
            | EvalAction::Last => looks && self.length(store) > 0,
            EvalAction::Bench
            | EvalAction::New
            | EvalAction::OpenItems
            | EvalAction::Back
            | EvalAction::NextPair
            | EvalAction::NextPart
            | EvalAction::Resume
            | EvalAction::Stop
            | EvalAction::LookAgain => false,
        }
    }

    fn update(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        match action {
            Action::Eval(EvalAction::Bench) => self.turn_to(EvalView::Bench, store),
            Action::Eval(EvalAction::Results) => self.turn_to(EvalView::Results, store),
            Action::Eval(action) => match self.view {
                EvalView::Results => self.results.act(action, store),
                EvalView::Bench => self.act(action, store),
            },
            Action::Shell(_)
            | Action::Chat(_)
            | Action::Data(_)
            | Action::Library(_)
            | Action::Models(_)
            | Action::Review(_)
            | Action::Train(_)
            | Action::Welcome(_) => Vec::new(),
        }
    }

    fn typing(&self) -> bool {
        match self.view {
            EvalView::Results => self.results.typing(),
            EvalView::Bench => !matches!(self.mode, BenchMode::Look),
        }
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        let own = self.shown_row(store).and_then(|shown| shown.completion.as_deref()).unwrap_or_default();
        let text = self.completion();
        let is_typed = matches!(self.shown, Some((_, RowTaken::Yes))) || self.rows(store) == 0;
        (is_typed && !text.trim().is_empty() && text != own)
            .then(|| "the completion on the reward bench".to_owned())
    }

    fn edited_text(&self) -> Option<String> {
        let writes = self.view == EvalView::Bench && matches!(self.mode, BenchMode::Write);
        writes.then(|| self.completion())
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        self.text = writing::field(&text);
        self.refresh(store)
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        if self.view == EvalView::Results {
            match (self.results.line_mut(), input) {
                (Some(field), Input::Key(key)) => field.key(*key),
                (Some(field), Input::Paste(text)) => field.paste(text),
                (None, _) => {}
            }
            return self.refresh(store);
        }
        match (&mut self.mode, input) {
            (BenchMode::Line(_, field), Input::Key(key)) => field.key(*key),
            (BenchMode::Line(_, field), Input::Paste(text)) => field.paste(text),
            (BenchMode::Write, Input::Key(key)) => {
                edit_text(&mut self.text, *key);
            }
            (BenchMode::Write, Input::Paste(text)) => {
                self.text.insert_str(text);
            }
            (BenchMode::Look, _) => {}
        }
        self.refresh(store)
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let by = match mouse.kind {
            MouseEventKind::ScrollDown => 1,
            MouseEventKind::ScrollUp => -1,
            MouseEventKind::Down(MouseButton::Left) => {
                let at = Position { x: mouse.column, y: mouse.row };
                if self.view == EvalView::Results {
                    return self.results.point(at, store);
                }
                if self.face == BenchFace::All && self.list.contains(at) {
                    let line = usize::from(mouse.row - self.list.y);
                    let length = self.length(store);
                    if let Some(row) = self.cursor.at_line(line, length) {
                        self.cursor.go(row, length);
                    }
                }
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        match self.view {
            EvalView::Results if !self.results.typing() => self.results.step(by, store),
            EvalView::Bench if matches!(self.mode, BenchMode::Look) => self.step(by, store),
            EvalView::Results | EvalView::Bench => Vec::new(),
        }
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        match self.view {
            EvalView::Results => self.results.look(store),
            EvalView::Bench => self.look(store),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        match self.view {
            EvalView::Results => self.results.draw(buffer, area, view),
            EvalView::Bench => self.draw_bench(buffer, area, view),
        }
    }
}
