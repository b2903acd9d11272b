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
use crate::ui::pane::{DraftTiming, Editing, Effect, Input, Pane, View};
use crate::ui::widgets::cursor::ListCursor;

use self::bindings::BINDINGS;
pub use self::bindings::ReviewAction;
use self::editor::ReflectionEditor;
use self::lines::ReviewInput;

/// What the keyboard is for.
#[derive(Debug, Default)]
enum ReviewMode {
    #[default]
    Look,
    /// One line.
    Line(Box<ReviewInput>),
    /// A correction being written.
    Edit(Box<ReflectionEditor>),
}

/// What a line is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReviewInputKind {
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
pub(crate) struct ReviewPane {
    mode: ReviewMode,
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
    cursor: ListCursor,
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
    saving: Option<Box<ReflectionEditor>>,
    /// Corrections that were left, until they are on the disk as drafts.
    held: BTreeMap<Reviewed, Box<ReflectionEditor>>,
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

impl ReviewPane {
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

impl ReviewPane {
    /// Whether there is nothing to look at, and that is no filter's doing.
    fn is_empty(&self, store: &Store) -> bool {
        let looks = matches!(self.mode, ReviewMode::Look) && self.show != Show::Agreement;
        looks && self.asked.is_some() && store.review.rows().is_empty() && self.line.is_empty()
    }

    /// Whether an action makes sense while nothing is typed.
    fn can_while_looking(&self, action: ReviewAction, store: &Store) -> bool {
        let row = self.row(store);
        let has_rows = !store.review.rows().is_empty();
        let here = row.is_some() && self.waiting.is_none();
        let corrected = here && row.is_some_and(|row| row.id.correction().is_some());
        let again = row.is_some_and(QueueRow::is_accepted_by_me);
        let blind = self.blind == Blind::Yes;
        let texts = matches!(self.show, Show::Item | Show::Chain);
        match action {
            ReviewAction::Open => self.show == Show::Queue && here,
            ReviewAction::Approve => texts && corrected && !again && !blind,
            ReviewAction::MoveOn => texts && here && (!corrected || again) && !blind,
            ReviewAction::PreferA | ReviewAction::PreferB => self.show == Show::Item && corrected && blind,
            ReviewAction::Edit | ReviewAction::SendBack => {
                corrected && !blind && self.show != Show::Agreement
            }
            ReviewAction::Correct => here && !corrected && !blind && self.show != Show::Agreement,
            ReviewAction::Reject => corrected && self.show != Show::Agreement,
            ReviewAction::Job(_)
            | ReviewAction::EditFilter
            | ReviewAction::Undo
            | ReviewAction::Agreement => store.session.is_some(),
            ReviewAction::Train => store.review.counts.is_some_and(|counts| counts.ready_for_sft > 0),
            ReviewAction::ApproveAll | ReviewAction::RejectAll => has_rows && !blind,
            ReviewAction::Chain => here && !blind,
            ReviewAction::Marks => here && !blind && self.show == Show::Item,
            ReviewAction::Close => self.show != Show::Item || !self.line.is_empty(),
            ReviewAction::Copy => here,
            ReviewAction::Accept
            | ReviewAction::BringBack
            | ReviewAction::Cancel
            | ReviewAction::Complete
            | ReviewAction::Leave
            | ReviewAction::PickNext
            | ReviewAction::PickPrevious
            | ReviewAction::Restore
            | ReviewAction::Save
            | ReviewAction::SwitchPart => false,
            ReviewAction::Skip
            | ReviewAction::Down
            | ReviewAction::Up
            | ReviewAction::PageDown
            | ReviewAction::PageUp
            | ReviewAction::First
            | ReviewAction::Last
            | ReviewAction::ScrollDown
            | ReviewAction::ScrollUp
            | ReviewAction::SortNext
            | ReviewAction::SortTurn
            | ReviewAction::Blind
            | ReviewAction::Queue => has_rows,
        }
    }
}

impl Pane for ReviewPane {
    fn bindings(&self) -> &'static [Binding] {
        BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Review(action) = action else { return false };
        match &self.mode {
            ReviewMode::Look => self.can_while_looking(action, store),
            ReviewMode::Line(line) => {
                let picks = matches!(action, ReviewAction::PickNext | ReviewAction::PickPrevious);
                matches!(action, ReviewAction::Accept | ReviewAction::Cancel)
                    || action == ReviewAction::Complete && matches!(line.wanted, ReviewInputKind::Job(_))
                    || picks && !line.offers(store).is_empty()
            }
            ReviewMode::Edit(editor) => {
                matches!(
                    action,
                    ReviewAction::Save
                        | ReviewAction::Leave
                        | ReviewAction::SwitchPart
                        | ReviewAction::Restore
                ) || action == ReviewAction::BringBack && editor.can_bring_back()
            }
        }
    }

    fn offered(&self, action: action::Action, store: &Store) -> bool {
        let thoughts =
            store.review.report.as_ref().is_some_and(|report| report.overall.confusion.total() > 0);
        let needs_some = match action {
            action::Action::Review(ReviewAction::EditFilter | ReviewAction::Undo) => true,
            action::Action::Review(ReviewAction::Agreement) => !thoughts,
            _ => false,
        };
        let of_many =
            matches!(action, action::Action::Review(ReviewAction::ApproveAll | ReviewAction::RejectAll));
        let none_waits = of_many && !store.review.rows().iter().any(|row| self.waits(row));
        self.available(action, store) && !(needs_some && self.is_empty(store)) && !none_waits
    }

    fn leads_on(&self, action: action::Action, store: &Store) -> bool {
        let thinks = action == action::Action::Review(ReviewAction::Job(JobKind::Think));
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
        !matches!(self.mode, ReviewMode::Look)
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        self.unsaved_words(store)
    }

    fn edited_text(&self) -> Option<String> {
        match &self.mode {
            ReviewMode::Look => None,
            ReviewMode::Line(line) => Some(line.text().to_owned()),
            ReviewMode::Edit(editor) => Some(editor.current_text()),
        }
    }

    fn editing(&self) -> Editing {
        match self.mode {
            ReviewMode::Look => Editing::Nothing,
            ReviewMode::Line(_) => Editing::Line,
            ReviewMode::Edit(_) => Editing::Text,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        match &mut self.mode {
            ReviewMode::Look => {}
            ReviewMode::Line(line) => {
                line.replace(&text);
                effects = self.keep_line(store);
            }
            ReviewMode::Edit(editor) => editor.replace(&text),
        }
        effects.extend(self.refresh(store));
        effects
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        match &mut self.mode {
            ReviewMode::Look => {}
            ReviewMode::Line(_) => {
                self.type_into_line(input);
                return self.keep_line(store);
            }
            ReviewMode::Edit(editor) => editor.input(input),
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        let action = match (mouse.kind, self.show) {
            (_, _) if self.typing() => return Vec::new(),
            (MouseEventKind::ScrollDown, Show::Queue) => ReviewAction::Down,
            (MouseEventKind::ScrollUp, Show::Queue) => ReviewAction::Up,
            (MouseEventKind::ScrollDown, _) => ReviewAction::ScrollDown,
            (MouseEventKind::ScrollUp, _) => ReviewAction::ScrollUp,
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
        effects.extend(self.keep_draft(DraftTiming::InPassing, store));
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
