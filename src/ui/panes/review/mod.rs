//! The approval queue for reflections: a student's thought beside its correction, and a person's word on it; and wrong
//! thoughts that wait for a correction by hand. Knows the store, not the session.

mod act;
mod agreement;
mod aside;
mod bindings;
mod chain;
mod decide;
mod drafts;
mod draw;
mod editor;
mod ending;
mod item;
mod lines;
mod queue;
mod said;
mod texts;
mod why;

use std::collections::BTreeMap;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::domain::draft::DraftOf;
use crate::domain::protocol::review::QueueId;
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::domain::review::{QueueOrder, QueueRow, Reviewed};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::review_job::JobKind;
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::{Editing, Effect, Input, Pane, View};
use crate::ui::widgets::cursor::Cursor;

pub use self::bindings::Action;
use self::bindings::BINDINGS;
use self::decide::Keep;
use self::editor::Editor;
use self::lines::Line;

/// What the keyboard is for.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Look,
    /// One line.
    Line(Box<Line>),
    /// A correction being written.
    Edit(Box<Editor>),
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

/// Whether the words that differ are marked in the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Marks {
    #[default]
    Shown,
    Hidden,
}

/// The pane.
#[derive(Debug, Default)]
pub(crate) struct Review {
    mode: Mode,
    show: Show,
    blind: Blind,
    marks: Marks,
    /// The filter as typed and as meant, and what was wrong with what is being typed.
    line: String,
    filter: ReviewFilter,
    complaint: String,
    order: QueueOrder,
    asked: Option<QueueId>,
    next: u64,
    /// The reflection in front, and where it stood last.
    at: Option<Reviewed>,
    cursor: Cursor,
    generation: u64,
    /// What was asked to be read last; and of which rows the beginnings, in which generation.
    opened: Vec<Reviewed>,
    glanced: Option<(u64, usize)>,
    scroll: usize,
    /// What came to the front because what was there is gone, until a person has noticed.
    swapped: Option<Reviewed>,
    /// To be edited as soon as its text is read.
    to_edit: Option<Reviewed>,
    /// Decided on, not yet committed.
    waiting: Option<Reviewed>,
    /// What was written and is not yet committed: it comes back if it can't be.
    saving: Option<Box<Editor>>,
    /// Corrections that were left, until they are on the disk as drafts.
    held: BTreeMap<Reviewed, Box<Editor>>,
    /// What is written, if it was said that another window has a draft of it too.
    told_of_other: Option<Reviewed>,
    /// Reasons and comments as they were typed last, until they are committed.
    left: BTreeMap<DraftOf, String>,
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
        row.id.correction().is_some()
            && match self.blind {
                // What others said is hidden, so it doesn't count.
                Blind::Yes => row.mine.is_none() && row.verdict != Verdict::SentBack,
                Blind::No => row.verdict == Verdict::Pending,
            }
    }

    /// Of a reflection in blind mode: which of the two texts stands left. It looks random and stays the same.
    const fn teacher_is_left(id: Reviewed) -> bool {
        (id.number().unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) & 1 == 1
    }
}

impl Review {
    /// Whether there is nothing to look at, and that is no filter's doing.
    fn is_empty(&self, store: &Store) -> bool {
        let looks = matches!(self.mode, Mode::Look) && self.show != Show::Agreement;
        looks && self.asked.is_some() && store.review.rows().is_empty() && self.line.is_empty()
    }

    /// Whether an action makes sense while nothing is typed.
    fn can_while_looking(&self, action: Action, store: &Store) -> bool {
        let row = self.row(store);
        let has_rows = !store.review.rows().is_empty();
        let here = row.is_some() && self.waiting.is_none();
        let corrected = here && row.is_some_and(|row| row.id.correction().is_some());
        let again = row.is_some_and(QueueRow::is_accepted_by_me);
        let blind = self.blind == Blind::Yes;
        let texts = matches!(self.show, Show::Item | Show::Chain);
        match action {
            Action::Open => self.show == Show::Queue && here,
            Action::Approve => texts && corrected && !again && !blind,
            Action::MoveOn => texts && here && (!corrected || again) && !blind,
            Action::PreferA | Action::PreferB => self.show == Show::Item && corrected && blind,
            Action::Edit | Action::SendBack => corrected && !blind && self.show != Show::Agreement,
            Action::Correct => here && !corrected && !blind && self.show != Show::Agreement,
            Action::Reject => corrected && self.show != Show::Agreement,
            Action::Job(_) | Action::EditFilter | Action::Undo | Action::Agreement => store.session.is_some(),
            Action::Train => store.review.counts.is_some_and(|counts| counts.ready_for_sft > 0),
            Action::ApproveAll | Action::RejectAll => has_rows && !blind,
            Action::Chain => here && !blind,
            Action::Marks => here && !blind && self.show == Show::Item,
            Action::Close => self.show != Show::Item || !self.line.is_empty(),
            Action::Copy => here,
            Action::Accept
            | Action::BringBack
            | Action::Cancel
            | Action::Complete
            | Action::Leave
            | Action::PickNext
            | Action::PickPrevious
            | Action::Restore
            | Action::Save
            | Action::SwitchPart => false,
            Action::Skip
            | Action::Down
            | Action::Up
            | Action::PageDown
            | Action::PageUp
            | Action::First
            | Action::Last
            | Action::ScrollDown
            | Action::ScrollUp
            | Action::SortNext
            | Action::SortTurn
            | Action::Blind
            | Action::Queue => has_rows,
        }
    }
}

impl Pane for Review {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Review(action) = action else { return false };
        match &self.mode {
            Mode::Look => self.can_while_looking(action, store),
            Mode::Line(line) => {
                let picks = matches!(action, Action::PickNext | Action::PickPrevious);
                matches!(action, Action::Accept | Action::Cancel)
                    || action == Action::Complete && matches!(line.wanted, Wanted::Job(_))
                    || picks && !line.offers(store).is_empty()
            }
            Mode::Edit(editor) => {
                matches!(action, Action::Save | Action::Leave | Action::SwitchPart | Action::Restore)
                    || action == Action::BringBack && editor.can_bring_back()
            }
        }
    }

    fn offered(&self, action: action::Action, store: &Store) -> bool {
        let thoughts =
            store.review.report.as_ref().is_some_and(|report| report.overall.confusion.total() > 0);
        let needs_some = match action {
            action::Action::Review(Action::EditFilter | Action::Undo) => true,
            action::Action::Review(Action::Agreement) => !thoughts,
            _ => false,
        };
        let of_many = matches!(action, action::Action::Review(Action::ApproveAll | Action::RejectAll));
        let none_waits = of_many && !store.review.rows().iter().any(|row| self.waits(row));
        self.available(action, store) && !(needs_some && self.is_empty(store)) && !none_waits
    }

    fn leads_on(&self, action: action::Action, store: &Store) -> bool {
        let thinks = action == action::Action::Review(Action::Job(JobKind::Think));
        thinks && self.is_empty(store)
    }

    fn why_not(&self, action: action::Action, store: &Store) -> Option<String> {
        let action::Action::Review(action) = action else { return None };
        self.why(action, store).map(str::to_owned)
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

    fn unsaved(&self, store: &Store) -> Option<String> {
        self.unsaved_words(store)
    }

    fn edited_text(&self) -> Option<String> {
        match &self.mode {
            Mode::Look => None,
            Mode::Line(line) => Some(line.text().to_owned()),
            Mode::Edit(editor) => Some(editor.current_text()),
        }
    }

    fn editing(&self) -> Editing {
        match self.mode {
            Mode::Look => Editing::Nothing,
            Mode::Line(_) => Editing::Line,
            Mode::Edit(_) => Editing::Text,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        match &mut self.mode {
            Mode::Look => {}
            Mode::Line(line) => {
                line.replace(&text);
                effects = self.keep_line(store);
            }
            Mode::Edit(editor) => editor.replace(&text),
        }
        effects.extend(self.refresh(store));
        effects
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            Mode::Look => {}
            Mode::Line(_) => {
                self.type_into_line(input);
                return self.keep_line(store);
            }
            Mode::Edit(editor) => editor.input(input),
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
        self.release(store);
        self.follow(store);
        effects.extend(self.ask_for_items(store));
        effects.extend(self.edit_what_is_read(store));
        effects.extend(self.ask_for_glimpses(store));
        effects.extend(self.keep_draft(Keep::InPassing, store));
        effects.extend(self.tell_of_other(store));
        effects
    }

    fn keep(&mut self, store: &Store) -> Vec<Effect> {
        self.keep_all(store)
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        draw::draw(self, buffer, area, view);
    }
}
