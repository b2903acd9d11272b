//! The approval queue for reflections: a student's thought beside its correction, and a person's word on it. Knows the
//! store, not the session.

mod act;
mod agreement;
mod aside;
mod bindings;
mod chain;
mod decide;
mod draw;
mod item;
mod queue;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_textarea::TextArea;

use crate::app::store::Store;
use crate::domain::protocol::review::QueueId;
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::review::{QueueOrder, QueueRow};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::review_job::JobKind;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Effect, Input, Pane, View};
use crate::ui::widgets::cursor::Cursor;
use crate::ui::widgets::field::Field;

pub use self::bindings::Action;
use self::bindings::BINDINGS;

/// What the keyboard is for.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Look,
    /// One line, and what it is asked for.
    Line(Wanted, Box<Field>),
    /// A correction being edited.
    Edit(ReflectionId, Box<TextArea<'static>>),
}

/// What a line is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Filter,
    /// Why these are rejected.
    Reason(ReflectionId),
    /// What the teacher is told.
    Comment(ReflectionId),
    /// Who does a job.
    Job(JobKind),
}

/// What fills the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Show {
    #[default]
    Item,
    Queue,
    Chain,
    Agreement,
}

/// Whether it is hidden which text is whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Blind {
    Yes,
    #[default]
    No,
}

/// The pane.
#[derive(Debug, Default)]
pub(crate) struct Review {
    mode: Mode,
    show: Show,
    blind: Blind,
    /// The filter as typed and as meant, and what was wrong with what is being typed.
    line: String,
    filter: ReviewFilter,
    complaint: String,
    order: QueueOrder,
    asked: Option<QueueId>,
    next: u64,
    /// The reflection in front, and where it stood last.
    at: Option<ReflectionId>,
    cursor: Cursor,
    generation: u64,
    /// What was asked to be read last.
    opened: Vec<ReflectionId>,
    scroll: usize,
    /// Decided on, not yet committed.
    waiting: Option<ReflectionId>,
    /// What of the store's happenings was taken in.
    seen: u64,
    planned: u64,
    /// Who was asked last, for each job.
    named: [String; 3],
    /// Which session the above is of.
    session: Option<std::path::PathBuf>,
    /// Where the table was drawn last, for the mouse.
    table: Rect,
}

impl Review {
    /// The reflection in front.
    fn row<'s>(&self, store: &'s Store) -> Option<&'s QueueRow> {
        store.review.rows().get(store.review.place(self.at?)?)
    }

    /// Whether a reflection waits for the person at the keyboard.
    fn waits(&self, row: &QueueRow) -> bool {
        match self.blind {
            // What others said is hidden, so it doesn't count.
            Blind::Yes => row.mine.is_none() && row.verdict != Verdict::SentBack,
            Blind::No => row.verdict == Verdict::Pending,
        }
    }

    /// Of a reflection in blind mode: which of the two texts stands left. It looks random and stays the same.
    const fn teacher_is_left(id: ReflectionId) -> bool {
        (id.0.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) & 1 == 1
    }
}

impl Pane for Review {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Review(action) = action else { return false };
        let has_rows = !store.review.rows().is_empty();
        let here = self.row(store).is_some() && self.waiting.is_none();
        let blind = self.blind == Blind::Yes;
        match (&self.mode, action) {
            (Mode::Line(Wanted::Job(_), _), Action::Complete)
            | (Mode::Line(..), Action::Accept | Action::Cancel)
            | (Mode::Edit(..), Action::Save | Action::Cancel) => true,
            (_, Action::Accept | Action::Complete | Action::Save | Action::Cancel)
            | (Mode::Line(..) | Mode::Edit(..), _) => false,
            (Mode::Look, Action::Open) => self.show == Show::Queue && here,
            (Mode::Look, Action::Approve) => {
                self.show != Show::Queue && self.show != Show::Agreement && here && !blind
            }
            (Mode::Look, Action::PreferA | Action::PreferB) => self.show == Show::Item && here && blind,
            (Mode::Look, Action::Edit | Action::SendBack) => here && !blind && self.show != Show::Agreement,
            (Mode::Look, Action::Reject) => here && self.show != Show::Agreement,
            (Mode::Look, Action::Job(_) | Action::EditFilter | Action::Undo | Action::Agreement) => {
                store.session.is_some()
            }
            (Mode::Look, Action::ApproveAll | Action::RejectAll) => has_rows && !blind,
            (Mode::Look, Action::Chain) => here && !blind,
            (Mode::Look, Action::Close) => self.show != Show::Item || !self.line.is_empty(),
            (Mode::Look, Action::Copy) => here,
            (Mode::Look, _) => has_rows,
        }
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Review(action) = action else { return Vec::new() };
        let mut effects = self.perform(action, store);
        effects.extend(self.refresh(store));
        effects
    }

    fn typing(&self) -> bool {
        !matches!(self.mode, Mode::Look)
    }

    fn input(&mut self, input: &Input, _store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Look => {}
            Mode::Line(wanted, field) => {
                match input {
                    Input::Key(key) => field.key(*key),
                    Input::Paste(text) => field.paste(text),
                }
                self.complaint = match wanted {
                    Wanted::Filter => ReviewFilter::parse(field.text()).err().unwrap_or_default(),
                    Wanted::Reason(_) | Wanted::Comment(_) | Wanted::Job(_) => String::new(),
                };
            }
            Mode::Edit(_, area) => match input {
                Input::Key(key) => {
                    area.input(*key);
                }
                Input::Paste(text) => {
                    area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
                }
            },
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        let action = match (mouse.kind, self.show) {
            (_, _) if self.typing() => return Vec::new(),
            (MouseEventKind::ScrollDown, Show::Queue) => Action::Down,
            (MouseEventKind::ScrollUp, Show::Queue) => Action::Up,
            (MouseEventKind::ScrollDown, _) => Action::ScrollDown,
            (MouseEventKind::ScrollUp, _) => Action::ScrollUp,
            (MouseEventKind::Down(MouseButton::Left), Show::Queue) if self.table.contains(at) => {
                let line = usize::from(mouse.row - self.table.y);
                if let Some(place) = self.cursor.at_line(line, store.review.rows().len()) {
                    self.go(place, store);
                }
                return self.refresh(store);
            }
            _ => return Vec::new(),
        };
        let mut effects = self.perform(action, store);
        effects.extend(self.refresh(store));
        effects
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let session = store.session.as_ref().map(|session| session.path.clone());
        if session != self.session || store.review.generation < self.generation {
            // Another session, or the same one opened anew: nothing of the old one holds.
            *self = Self { next: self.next, session, ..Self::default() };
        }
        if self.session.is_none() {
            return Vec::new();
        }
        if self.asked.is_none() {
            return vec![self.ask()];
        }
        let mut effects = self.take_in(store);
        self.follow(store);
        effects.extend(self.ask_for_items(store));
        effects
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        draw::draw(self, buffer, area, view);
    }
}
