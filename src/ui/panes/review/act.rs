//! What each action does: to the pane itself, or as effects for the worker.

use super::editor::ReflectionEditor;
use super::said;
use super::{Blind, Marks, ReviewAction, ReviewMode, ReviewPane, Show};
use crate::app::store::Store;
use crate::app::store::review::Last;
use crate::domain::protocol::review::{QueueId, Undoing};
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, ReviewCommand, RunsCommand};
use crate::domain::recipe::parse::parse;
use crate::domain::recipe::{SetKind, SetOrder};
use crate::domain::reflection::Verdict;
use crate::domain::review::{LastStep, QueueField, QueueOrder, QueueRow, Reviewed};
use crate::domain::review_filter::ReviewFilter;
use crate::domain::view::SortDirection;
use crate::ui::pane::{Confirmation, Effect, Pane, PaneId};
use crate::ui::widgets::text;

/// Items read ahead of the one in front.
const AHEAD: usize = 4;
/// Rows of the table that are read in one go: more than a screen has.
const BLOCK: usize = 64;
/// An undo that meets more than these says first what it takes back.
const SMALL: u64 = 10;

pub(super) fn send(command: ReviewCommand) -> Effect {
    Effect::Send(Command::Review(command))
}

impl ReviewPane {
    pub(super) fn perform(&mut self, action: ReviewAction, store: &Store) -> Vec<Effect> {
        self.to_edit = None;
        match action {
            ReviewAction::Accept => self.accept(store),
            ReviewAction::Save => self.save(store),
            ReviewAction::Leave => self.leave_editor(store),
            ReviewAction::Edit | ReviewAction::Correct => self.edit(store),
            ReviewAction::Approve => self.approve(store),
            ReviewAction::PreferA => self.prefer(super::decide::BlindSide::A, store),
            ReviewAction::PreferB => self.prefer(super::decide::BlindSide::B, store),
            ReviewAction::Reject => self.reject(store),
            ReviewAction::SendBack => self.send_back(store),
            ReviewAction::Train => train(store),
            ReviewAction::Undo => vec![send(ReviewCommand::Undo(Undoing::UpTo(SMALL)))],
            ReviewAction::ApproveAll => self.decide_all(Verdict::Approved, store),
            ReviewAction::RejectAll => self.decide_all(Verdict::Rejected, store),
            ReviewAction::SortNext => self.sort(QueueOrder {
                field: next_field(self.order.field),
                direction: next_field(self.order.field).first(),
            }),
            ReviewAction::SortTurn => {
                self.sort(QueueOrder { direction: turned(self.order.direction), ..self.order })
            }
            ReviewAction::Copy => self.copy(store),
            ReviewAction::Job(kind) => self.begin_job(kind, store),
            ReviewAction::Close if self.show == Show::Item => {
                self.line.clear();
                self.filter = ReviewFilter::default();
                vec![self.ask()]
            }
            look => {
                self.look(look, store);
                Vec::new()
            }
        }
    }

    /// What only this pane needs to know of.
    fn look(&mut self, action: ReviewAction, store: &Store) {
        let rows = store.review.rows();
        let page = usize::from(self.table.height).max(2) - 1;
        match action {
            ReviewAction::Skip | ReviewAction::MoveOn => self.next_waiting(store),
            ReviewAction::Down => self.go(self.cursor.row() + 1, store),
            ReviewAction::Up => self.go(self.cursor.row().saturating_sub(1), store),
            ReviewAction::PageDown => self.go(self.cursor.row() + page, store),
            ReviewAction::PageUp => self.go(self.cursor.row().saturating_sub(page), store),
            ReviewAction::First => self.go(0, store),
            ReviewAction::Last => self.go(rows.len(), store),
            ReviewAction::ScrollDown => self.scroll = self.scroll.saturating_add(2),
            ReviewAction::ScrollUp => self.scroll = self.scroll.saturating_sub(2),
            ReviewAction::Open | ReviewAction::Close => self.turn_to(Show::Item),
            ReviewAction::Queue => self.toggle(Show::Queue),
            ReviewAction::Chain => self.toggle(Show::Chain),
            ReviewAction::Agreement => self.toggle(Show::Agreement),
            ReviewAction::Blind => {
                self.blind = if self.blind == Blind::Yes { Blind::No } else { Blind::Yes };
                if self.show == Show::Chain {
                    self.turn_to(Show::Item);
                }
            }
            ReviewAction::Marks => {
                self.marks = if self.marks == Marks::Shown { Marks::Hidden } else { Marks::Shown };
            }
            ReviewAction::EditFilter => self.edit_filter(),
            ReviewAction::Complete => self.complete(store),
            ReviewAction::PickNext => self.pick(1, store),
            ReviewAction::PickPrevious => self.pick(-1, store),
            ReviewAction::Cancel => self.leave_line(),
            ReviewAction::SwitchPart => self.write(ReflectionEditor::switch),
            ReviewAction::Restore => self.write(ReflectionEditor::restore),
            ReviewAction::BringBack => self.write(ReflectionEditor::bring_back),
            ReviewAction::Accept
            | ReviewAction::Approve
            | ReviewAction::ApproveAll
            | ReviewAction::Copy
            | ReviewAction::Correct
            | ReviewAction::Edit
            | ReviewAction::Job(_)
            | ReviewAction::Leave
            | ReviewAction::PreferA
            | ReviewAction::PreferB
            | ReviewAction::Reject
            | ReviewAction::RejectAll
            | ReviewAction::Save
            | ReviewAction::SendBack
            | ReviewAction::SortNext
            | ReviewAction::SortTurn
            | ReviewAction::Train
            | ReviewAction::Undo => {}
        }
    }

    fn write(&mut self, change: impl FnOnce(&mut ReflectionEditor)) {
        if let ReviewMode::Edit(editor) = &mut self.mode {
            change(editor);
        }
    }

    fn toggle(&mut self, show: Show) {
        self.turn_to(if self.show == show { Show::Item } else { show });
    }

    fn turn_to(&mut self, show: Show) {
        self.show = show;
        self.scroll = 0;
    }

    /// Asks for what the filter lets through.
    pub(super) fn ask(&mut self) -> Effect {
        self.next += 1;
        let queue = QueueId(self.next);
        self.asked = Some(queue);
        send(ReviewCommand::Queue { queue, filter: self.filter.clone(), order: self.order })
    }

    fn sort(&mut self, order: QueueOrder) -> Vec<Effect> {
        self.order = order;
        vec![self.ask()]
    }

    /// Goes to a place of the queue.
    pub(super) fn go(&mut self, place: usize, store: &Store) {
        let rows = store.review.rows();
        self.cursor.go(place, rows.len());
        let at = rows.get(self.cursor.row()).map(|row| row.id);
        if at != self.at {
            self.at = at;
            self.scroll = 0;
        }
    }

    /// Goes to the next that waits, after the last one from the beginning; to the next thought that nobody has
    /// corrected when nothing waits.
    pub(super) fn next_waiting(&mut self, store: &Store) {
        let rows = store.review.rows();
        let here = self.cursor.row();
        let places = || (here + 1..rows.len()).chain(0..here.min(rows.len()));
        let find =
            |wanted: &dyn Fn(&QueueRow) -> bool| places().find(|place| rows.get(*place).is_some_and(wanted));
        let blind = self.blind == Blind::Yes;
        let next = find(&|row| self.waits(row)).or_else(|| {
            let uncorrected = |row: &QueueRow| row.id.correction().is_none() && !blind;
            find(&uncorrected)
        });
        if let Some(place) = next {
            self.go(place, store);
        }
    }

    /// What happened since the last time.
    pub(super) fn take_in(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some((number, last)) = store.review.last.as_ref().filter(|(number, _)| *number != self.seen) {
            self.seen = *number;
            effects.extend(self.learn(last, store));
        }
        if let Some((number, order, plan)) =
            store.review.planned.as_ref().filter(|(number, ..)| *number != self.planned)
        {
            self.planned = *number;
            effects.push(self.planned(order, plan));
        }
        effects
    }

    fn learn(&mut self, last: &Last, store: &Store) -> Vec<Effect> {
        match last {
            Last::Decided { ids, verdict } => {
                self.settle();
                let mut effects: Vec<Effect> = said::decided(ids, *verdict, self.blind).into_iter().collect();
                if let [id] = ids.as_slice() {
                    effects.extend(self.forget_line(*id, *verdict, store));
                    self.close_editor_of(*id);
                    self.move_on(Reviewed::Correction(*id), store);
                }
                return effects;
            }
            Last::Met(met) => return self.ask_to_overwrite(met, store),
            Last::Corrected { thought, reflection } => {
                self.settle();
                if self.at == Some(Reviewed::Thought(*thought)) {
                    self.at = Some(Reviewed::Correction(*reflection));
                }
                self.move_on(Reviewed::Correction(*reflection), store);
            }
            Last::Undone(ids) => {
                let place = ids.iter().find_map(|id| store.review.place(*id));
                if let Some(place) = place {
                    self.go(place, store);
                }
                return said::undone(ids, self.blind, store).into_iter().collect();
            }
            Last::UndoIsLarge(step) => return vec![ask_before_undoing(step, store.now)],
            Last::Refused(_) => {
                self.waiting = None;
                if let Some(editor) = self.saving.take() {
                    self.mode = ReviewMode::Edit(editor);
                }
            }
        }
        Vec::new()
    }

    /// What was decided is on disk.
    fn settle(&mut self) {
        self.waiting = None;
        self.saving = None;
    }

    /// From what was just decided to the next; a table stays where it is.
    fn move_on(&mut self, from: Reviewed, store: &Store) {
        if self.at == Some(from) && self.show != Show::Queue {
            self.next_waiting(store);
        }
    }

    /// Keeps the reflection in front when others come or go.
    pub(super) fn follow(&mut self, store: &Store) {
        let rows = store.review.rows();
        let left = self.at.is_some_and(|at| store.review.place(at).is_none());
        let gone = left && !rows.is_empty();
        let writing = self.typing();
        if store.review.generation == self.generation && (writing || !gone) {
            return;
        }
        self.generation = store.review.generation;
        if writing && left {
            // Somebody has decided on it meanwhile: what is written goes on here.
            return;
        }
        match self.at.and_then(|at| store.review.place(at)) {
            Some(place) => self.cursor.go(place, rows.len()),
            None if self.at.is_none() => {
                let uncorrected = || rows.iter().position(|row| row.id.correction().is_none());
                let first = rows.iter().position(|row| self.waits(row)).or_else(uncorrected);
                self.go(first.unwrap_or_default(), store);
            }
            None => {
                self.go(self.cursor.row(), store);
                self.swapped = self.at;
            }
        }
    }

    /// Asks for the reflection in front and those that follow it, once.
    pub(super) fn ask_for_items(&mut self, store: &Store) -> Option<Effect> {
        let rows = store.review.rows();
        // What is written is there also after it has left the queue.
        let written = self.at.filter(|_| self.typing());
        let first = written.or_else(|| rows.get(self.cursor.row()).map(|row| row.id))?;
        let behind = rows.iter().skip(self.cursor.row() + 1);
        let beside = behind.clone().take(1).chain(behind.filter(|row| self.waits(row)).take(AHEAD));
        let mut wanted = vec![first];
        for row in beside {
            if !wanted.contains(&row.id) {
                wanted.push(row.id);
            }
        }
        if wanted == self.opened {
            return None;
        }
        self.opened.clone_from(&wanted);
        Some(send(ReviewCommand::Open(wanted)))
    }

    /// Asks how the rows around the cursor begin, once for each block of them.
    pub(super) fn ask_for_glimpses(&mut self, store: &Store) -> Option<Effect> {
        if self.show != Show::Queue {
            return None;
        }
        let rows = store.review.rows();
        let block = self.cursor.row() / BLOCK;
        if rows.is_empty() || self.glanced == Some((self.generation, block)) {
            return None;
        }
        self.glanced = Some((self.generation, block));
        let first = block.saturating_sub(1) * BLOCK;
        let wanted = rows.iter().skip(first).take(3 * BLOCK).map(|row| row.id).collect();
        Some(send(ReviewCommand::Glance(wanted)))
    }

    fn copy(&self, store: &Store) -> Vec<Effect> {
        let item = self.at.and_then(|at| store.review.item(at)).flatten();
        let reads = || {
            vec![Effect::Notify(Notice::new(Level::Info, "the texts are still being read: y copies then"))]
        };
        item.map_or_else(reads, |item| vec![Effect::Copy(item.text().to_owned())])
    }
}

/// Starts a run on what the review left, by the session's recipe that reads it, and goes to where it is seen.
fn train(store: &Store) -> Vec<Effect> {
    let recipes = store.runs.recipes().unwrap_or_default();
    let reads = |recipe: &&RecipeFile| {
        let recipe = parse(&recipe.text, &[]).ok();
        let set = recipe.and_then(|recipe| SetOrder::parse(&recipe.data.train).ok().flatten());
        set.is_some_and(|set| set.kind == SetKind::Reviewed)
    };
    let Some(recipe) = recipes.iter().find(reads) else {
        let why = "no recipe of this session reads set:reviewed: make one (N) with train = \"set:reviewed\"";
        return vec![
            Effect::Send(Command::Runs(RunsCommand::ListRecipes)),
            Effect::Show(PaneId::Train),
            Effect::Notify(Notice::new(Level::Warning, why.to_owned())),
        ];
    };
    let going = store.runs.last_live();
    let after = going.map(|run| run.id.clone());
    let start = Effect::Send(Command::Runs(RunsCommand::Start { recipe: recipe.path.clone(), after }));
    let effects = vec![start, Effect::Show(PaneId::Train)];
    going.map_or(effects.clone(), |going| Confirmation::queue(&going.id.name(), effects))
}

/// `Take back 190 approvals?`
fn ask_before_undoing(step: &LastStep, now: f64) -> Effect {
    let count = text::count(step.reflections);
    let what = match step.verdict {
        Verdict::Approved | Verdict::Edited => "approvals",
        Verdict::Rejected => "rejections",
        Verdict::Pending | Verdict::SentBack => "decisions",
    };
    let when = text::ago(step.at as f64 / 1000.0, now);
    Effect::Ask(Confirmation {
        title: format!("Take back {count} {what}?"),
        text: format!("They were made in one step, {when}. Each becomes what it was before."),
        yes: format!("take {count} back"),
        then: vec![send(ReviewCommand::Undo(Undoing::Step(step.number)))],
    })
}

fn next_field(field: QueueField) -> QueueField {
    let at = QueueField::ALL.iter().position(|other| *other == field).unwrap_or_default();
    QueueField::ALL.get((at + 1) % QueueField::ALL.len()).copied().unwrap_or_default()
}

const fn turned(direction: SortDirection) -> SortDirection {
    match direction {
        SortDirection::Rising => SortDirection::Falling,
        SortDirection::Falling => SortDirection::Rising,
    }
}
