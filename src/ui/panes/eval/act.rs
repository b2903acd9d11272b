//! What is done when it is asked for, and what is asked of the worker: each thing once.

use super::bindings::EvalAction;
use super::{AskedTry, BenchFace, BenchLine, BenchMode, EvalPane, RowTaken};
use crate::app::store::Store;
use crate::domain::protocol::Command;
use crate::domain::protocol::rewards::{
    BenchId, BenchOrder, CompletionTry, OpenedBench, RewardsCommand, ScoredBench, ShownRow, TriedCompletion,
    TryId,
};
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::reward_scores::ScoredRecord;
use crate::ui::pane::Effect;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::writing;

/// In the place of what was not typed yet.
const TASK_HINT: &str = "TASK [OTHER] [--embedder MODEL] [--judge NAME] [--tokenizer MODEL]";
const DATA_HINT: &str = "FILE [PART=COLUMN] [--reference-answers]; empty for the session's records";
/// Rows of a page.
const PAGE: isize = 10;
/// Of a dataset, how many of the worst and of the best are listed.
const LISTED: usize = 50;

/// A line of the list of all rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum ListLine<'a> {
    Heading(&'static str),
    /// Its value by the other version too, if that is what the list is of.
    Row(&'a ScoredRecord, Option<f64>),
}

fn send(command: RewardsCommand) -> Effect {
    Effect::Send(Command::Rewards(command))
}

impl EvalPane {
    pub(super) fn opened<'s>(&self, store: &'s Store) -> Option<&'s OpenedBench> {
        store.rewards.opened(self.bench?)
    }

    pub(super) fn shown_row<'s>(&self, store: &'s Store) -> Option<&'s ShownRow> {
        store.rewards.shown(self.bench?, self.row)
    }

    pub(super) fn last_tried<'s>(&self, store: &'s Store) -> Option<&'s TriedCompletion> {
        store.rewards.tried(self.bench?)
    }

    pub(super) fn scored<'s>(&self, store: &'s Store) -> Option<&'s ScoredBench> {
        store.rewards.scored(self.bench?)
    }

    /// Whether what is shown is the worth of another text than the one that is there.
    pub(super) fn is_behind(&self, store: &Store) -> bool {
        let asked = self.tried.as_ref().map(|(question, _)| *question);
        self.last_tried(store).map(|tried| tried.question) != asked
    }

    pub(super) fn completion(&self) -> String {
        self.text.lines().join("\n")
    }

    pub(super) fn rows(&self, store: &Store) -> usize {
        self.opened(store).map_or(0, |opened| opened.rows)
    }

    /// The list of all rows: the largest changes between two versions, the worst, the best.
    pub(super) fn list<'s>(&self, store: &'s Store) -> Vec<ListLine<'s>> {
        let Some(scored) = self.scored(store) else { return Vec::new() };
        let mut lines = Vec::new();
        if let Some((other, comparison)) = &scored.against {
            let changes = comparison.changes.iter().take(LISTED);
            let row = |&at: &usize| {
                let (own, other) = (scored.scores.scored.get(at)?, other.scored.get(at)?);
                Some(ListLine::Row(own, other.total.value))
            };
            let changes: Vec<ListLine<'_>> = changes.filter_map(row).collect();
            lines.extend((!changes.is_empty()).then_some(ListLine::Heading("most changed")));
            lines.extend(changes);
        }
        let (worst, best) = scored.scores.extremes(LISTED);
        for (heading, rows) in [("worst", worst), ("best", best)] {
            lines.push(ListLine::Heading(heading));
            lines.extend(rows.into_iter().map(|row| ListLine::Row(row, None)));
        }
        lines
    }

    /// What the cursor moves among.
    pub(super) fn length(&self, store: &Store) -> usize {
        match self.face {
            BenchFace::One => self.rows(store),
            BenchFace::All => self.list(store).len(),
        }
    }

    /// The row under the cursor.
    pub(super) fn picked<'s>(&self, store: &'s Store) -> Option<&'s ScoredRecord> {
        match self.list(store).get(self.cursor.row())? {
            ListLine::Row(record, _) => Some(record),
            ListLine::Heading(_) => None,
        }
    }

    pub(super) fn act(&mut self, action: EvalAction, store: &Store) -> Vec<Effect> {
        match action {
            // These are the evaluations'.
            EvalAction::Bench
            | EvalAction::Results
            | EvalAction::New
            | EvalAction::OpenItems
            | EvalAction::Back
            | EvalAction::NextPair
            | EvalAction::NextPart
            | EvalAction::Resume
            | EvalAction::Stop
            | EvalAction::LookAgain => {}
            EvalAction::Accept => return self.take_line(store),
            EvalAction::Cancel => self.leave(),
            EvalAction::Edit => self.mode = BenchMode::Write,
            EvalAction::Restore => self.shown = self.shown.map(|(row, _)| (row, RowTaken::No)),
            EvalAction::Open => {
                if let Some(row) = self.picked(store).map(|picked| picked.row) {
                    self.face = BenchFace::One;
                    self.go(row);
                }
            }
            EvalAction::ScoreAll => {
                self.face = BenchFace::All;
                return self.score(store);
            }
            EvalAction::Task => self.open_line(BenchLine::Task),
            EvalAction::Data => self.open_line(BenchLine::Data),
            EvalAction::Copy => {
                let said = Notice::new(Level::Info, "copied the completion");
                return vec![Effect::Copy(self.completion()), Effect::Notify(said)];
            }
            EvalAction::Close => self.face = BenchFace::One,
            EvalAction::Up => return self.step(-1, store),
            EvalAction::Down => return self.step(1, store),
            EvalAction::PageUp => return self.step(-PAGE, store),
            EvalAction::PageDown => return self.step(PAGE, store),
            EvalAction::First => return self.step(isize::MIN, store),
            EvalAction::Last => return self.step(isize::MAX, store),
        }
        self.look(store)
    }

    /// Moves among the rows, or in the list of all; headings are passed over.
    pub(super) fn step(&mut self, by: isize, store: &Store) -> Vec<Effect> {
        let length = self.length(store);
        match self.face {
            BenchFace::One => self.go(self.row.saturating_add_signed(by).min(length.saturating_sub(1))),
            BenchFace::All => {
                self.cursor.step(by, length);
                if self.picked(store).is_none() {
                    let on = if by < 0 && self.cursor.row() > 0 { -1 } else { 1 };
                    self.cursor.step(on, length);
                }
            }
        }
        self.look(store)
    }

    fn go(&mut self, row: usize) {
        if self.row != row || self.shown.is_none() {
            self.row = row;
            self.shown = None;
        }
    }

    fn open_line(&mut self, line: BenchLine) {
        let (hint, text) = match line {
            BenchLine::Task => (TASK_HINT, &self.task),
            BenchLine::Data => (DATA_HINT, &self.data),
        };
        let mut field = TextField::new(hint);
        field.paste(text);
        self.complaint.clear();
        self.mode = BenchMode::Line(line, Box::new(field));
    }

    fn leave(&mut self) {
        self.complaint.clear();
        self.mode = BenchMode::Look;
    }

    fn take_line(&mut self, store: &Store) -> Vec<Effect> {
        let BenchMode::Line(line, field) = &self.mode else { return Vec::new() };
        let typed = field.text().trim().to_owned();
        let (task, data) = match line {
            BenchLine::Task => (typed, self.data.clone()),
            BenchLine::Data => (self.task.clone(), typed),
        };
        match BenchOrder::parse(&task, &data) {
            Err(why) => {
                self.complaint = why;
                Vec::new()
            }
            Ok(order) => {
                if data != self.data {
                    (self.row, self.shown) = (0, None);
                    self.text = writing::field("");
                }
                (self.task, self.data) = (task, data);
                self.leave();
                let mut effects = vec![self.open(order)];
                effects.extend(self.look(store));
                effects
            }
        }
    }

    /// Asks for these rewards and rows. What is written stays when only the rewards are others.
    fn open(&mut self, order: BenchOrder) -> Effect {
        self.next += 1;
        let bench = BenchId(self.next);
        self.bench = Some(bench);
        self.tried = None;
        self.shown = self.shown.filter(|_| !self.completion().is_empty());
        send(RewardsCommand::Open(bench, order))
    }

    fn score(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = self.look(store);
        if let Some(bench) = self.bench.filter(|_| store.jobs.named("score ").is_none()) {
            self.cursor = crate::ui::widgets::cursor::ListCursor::default();
            effects.push(send(RewardsCommand::Score(bench)));
        }
        effects
    }

    /// Asks for what is to be shown: the session's task at first, the row in front, the worth of what is written.
    pub(super) fn look(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
        let mut effects = Vec::new();
        if self.opening != store.openings {
            let results = std::mem::take(&mut self.results);
            let (view, next) = (self.view, self.next);
            *self = Self { view, results, opening: store.openings, next, ..Self::default() };
            self.task.clone_from(&session.file.task);
            // A session without a task says nothing of rewards: a person does.
            effects.extend(BenchOrder::parse(&self.task, "").ok().map(|order| self.open(order)));
        }
        let (Some(bench), Some(opened)) = (self.bench, self.opened(store)) else { return effects };
        let rows = opened.rows;
        self.row = self.row.min(rows.saturating_sub(1));
        if rows > 0 {
            effects.extend(self.take_row(bench, store));
        }
        effects.extend(self.ask_worth(bench));
        self.skip_heading(store);
        effects
    }

    /// Asks for the row in front, and takes its completion once it is there.
    fn take_row(&mut self, bench: BenchId, store: &Store) -> Option<Effect> {
        let is_known = self.shown_row(store).is_some();
        match self.shown {
            Some((row, RowTaken::Yes)) if row == self.row && is_known => None,
            // Other rewards were opened over the same text.
            Some((row, RowTaken::Yes)) if row == self.row => (self.last_tried(store).is_none()
                && self.tried.is_none())
            .then(|| send(RewardsCommand::Show(bench, row))),
            Some((row, RowTaken::No)) if row == self.row => {
                let completion = self.shown_row(store)?.completion.clone().unwrap_or_default();
                self.text = writing::field(&completion);
                self.shown = Some((row, RowTaken::Yes));
                None
            }
            _ => {
                self.shown = Some((self.row, RowTaken::No));
                Some(send(RewardsCommand::Show(bench, self.row)))
            }
        }
    }

    /// Asks what the text is worth, unless that was asked last.
    fn ask_worth(&mut self, bench: BenchId) -> Option<Effect> {
        if matches!(self.shown, Some((_, RowTaken::No))) {
            return None;
        }
        let asked = AskedTry { row: self.row, text: self.completion() };
        if self.tried.as_ref().is_some_and(|(_, before)| *before == asked) {
            return None;
        }
        self.next += 1;
        let question = TryId(self.next);
        let completion = asked.text.clone();
        self.tried = Some((question, asked));
        Some(send(RewardsCommand::Try(CompletionTry { bench, question, row: self.row, completion })))
    }

    fn skip_heading(&mut self, store: &Store) {
        if self.face == BenchFace::All && self.cursor.row() == 0 && self.picked(store).is_none() {
            let length = self.length(store);
            self.cursor.go(1, length);
        }
    }
}
