//! Evaluations: the list of them, one's table with intervals and what the comparisons say, and the items that two models
//! answered differently, one by one. A new one is begun by a line. Knows the store, not who answers.

mod detail;
mod draw;
mod items;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ratatui::layout::Rect;

use super::bindings::EvalAction;
use crate::app::store::{JobRow, Store, Wish};
use crate::domain::evaluation::{
    AnswerDisagreement, EvaluationOrder, EvaluationSummary, KeptEvaluation, LINE_HINT,
};
use crate::domain::protocol::models::ModelKind;
use crate::domain::protocol::{Command, EvalCommand, SystemCommand};
use crate::ui::pane::Effect;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;

/// What the list on the left is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ResultsFace {
    #[default]
    Evaluations,
    /// Items of one evaluation that two models answered differently.
    Items,
}

/// The part of the pane.
#[derive(Debug, Default)]
pub(super) struct ResultsView {
    face: ResultsFace,
    cursor: ListCursor,
    items: ListCursor,
    /// Which table of the evaluation, and which two of its models.
    part: usize,
    pair: usize,
    /// An order that is being typed, and what is wrong with it.
    line: Option<Box<TextField>>,
    complaint: String,
    /// What was typed last.
    before: String,
    /// The folder that was asked for, and of which opening of the session the list is.
    asked: Option<PathBuf>,
    opening: u64,
    /// Of the last draw: where the list is.
    list: Rect,
}

/// Rows of a page.
const PAGE: isize = 10;
/// How an evaluation is called among the jobs.
const JOB: &str = "evaluate ";

fn send(command: EvalCommand) -> Effect {
    Effect::Send(Command::Eval(command))
}

impl ResultsView {
    pub(super) const fn typing(&self) -> bool {
        self.line.is_some()
    }

    pub(super) const fn line_mut(&mut self) -> Option<&mut Box<TextField>> {
        self.line.as_mut()
    }

    fn picked<'s>(&self, store: &'s Store) -> Option<&'s EvaluationSummary> {
        listed(store).get(self.cursor.row())
    }

    fn opened<'s>(&self, store: &'s Store) -> Option<&'s Arc<KeptEvaluation>> {
        store.evaluations.opened(&self.picked(store)?.folder)
    }

    /// The two models that are held against each other: all pairs in turn.
    fn models(&self, kept: &KeptEvaluation) -> Option<(usize, usize)> {
        let part = kept.report.parts.get(self.part)?;
        let there: Vec<usize> = part.results.iter().map(|result| result.model).collect();
        let pairs = there
            .iter()
            .enumerate()
            .flat_map(|(at, &first)| there.iter().skip(at + 1).map(move |&second| (first, second)));
        let pairs: Vec<(usize, usize)> = pairs.collect();
        pairs.get(self.pair % pairs.len().max(1)).copied()
    }

    fn disagreements<'s>(&self, store: &'s Store) -> Vec<AnswerDisagreement<'s>> {
        let Some(kept) = self.opened(store) else { return Vec::new() };
        match self.models(kept) {
            Some((first, second)) => kept.disagreements(self.part, first, second),
            None => Vec::new(),
        }
    }

    fn length(&self, store: &Store) -> usize {
        match self.face {
            ResultsFace::Evaluations => listed(store).len(),
            ResultsFace::Items => self.disagreements(store).len(),
        }
    }

    pub(super) fn available(&self, action: EvalAction, store: &Store) -> bool {
        let looks = !self.typing();
        let is_list = self.face == ResultsFace::Evaluations;
        match action {
            EvalAction::Accept | EvalAction::Cancel => !looks,
            EvalAction::Bench | EvalAction::LookAgain => looks,
            EvalAction::New => looks && store.session.is_some(),
            EvalAction::OpenItems => {
                looks && is_list && self.opened(store).is_some_and(|kept| self.models(kept).is_some())
            }
            EvalAction::Back => looks && !is_list,
            EvalAction::NextPair => {
                looks && self.opened(store).is_some_and(|kept| pairs_of(kept, self.part) > 1)
            }
            EvalAction::NextPart => {
                looks && self.opened(store).is_some_and(|kept| kept.report.parts.len() > 1)
            }
            EvalAction::Resume => {
                let is_unfinished = self.picked(store).is_some_and(|one| one.unfinished);
                looks && is_list && is_unfinished && job(store).is_none()
            }
            EvalAction::Stop => looks && job(store).is_some_and(|row| row.wish == Wish::GoOn),
            EvalAction::Up
            | EvalAction::Down
            | EvalAction::PageUp
            | EvalAction::PageDown
            | EvalAction::First
            | EvalAction::Last => looks && self.length(store) > 0,
            EvalAction::Results
            | EvalAction::Edit
            | EvalAction::Restore
            | EvalAction::Open
            | EvalAction::ScoreAll
            | EvalAction::Task
            | EvalAction::Data
            | EvalAction::Copy
            | EvalAction::Close => false,
        }
    }

    pub(super) fn act(&mut self, action: EvalAction, store: &Store) -> Vec<Effect> {
        match action {
            EvalAction::Accept => return self.take_line(store),
            EvalAction::Cancel => self.leave_line(),
            EvalAction::New => self.open_line(store),
            EvalAction::OpenItems => {
                self.face = ResultsFace::Items;
                self.items = ListCursor::default();
            }
            EvalAction::Back => self.face = ResultsFace::Evaluations,
            EvalAction::NextPair => {
                self.pair += 1;
                self.items = ListCursor::default();
            }
            EvalAction::NextPart => {
                let parts = self.opened(store).map_or(1, |kept| kept.report.parts.len().max(1));
                self.part = (self.part + 1) % parts;
                self.items = ListCursor::default();
            }
            EvalAction::LookAgain => {
                self.asked = None;
                return vec![send(EvalCommand::List)];
            }
            EvalAction::Resume => {
                let folder = self.picked(store).map(|one| one.folder.clone());
                return folder.map(|folder| send(EvalCommand::Resume(folder))).into_iter().collect();
            }
            EvalAction::Stop => {
                let job = job(store).map(|row| row.job.id);
                let stop = job.map(|id| Effect::Send(Command::System(SystemCommand::StopJob(id))));
                return stop.into_iter().collect();
            }
            EvalAction::Up => return self.step(-1, store),
            EvalAction::Down => return self.step(1, store),
            EvalAction::PageUp => return self.step(-PAGE, store),
            EvalAction::PageDown => return self.step(PAGE, store),
            EvalAction::First => return self.step(isize::MIN, store),
            EvalAction::Last => return self.step(isize::MAX, store),
            EvalAction::Bench
            | EvalAction::Results
            | EvalAction::Edit
            | EvalAction::Restore
            | EvalAction::Open
            | EvalAction::ScoreAll
            | EvalAction::Task
            | EvalAction::Data
            | EvalAction::Copy
            | EvalAction::Close => {}
        }
        self.look(store)
    }

    pub(super) fn step(&mut self, by: isize, store: &Store) -> Vec<Effect> {
        let length = self.length(store);
        match self.face {
            ResultsFace::Evaluations => {
                self.cursor.step(by, length);
                (self.part, self.pair) = (0, 0);
            }
            ResultsFace::Items => self.items.step(by, length),
        }
        self.look(store)
    }

    /// Puts the cursor on the row at a place of the screen.
    pub(super) fn point(&mut self, at: ratatui::layout::Position, store: &Store) -> Vec<Effect> {
        if self.list.contains(at) {
            let (line, length) = (usize::from(at.y - self.list.y), self.length(store));
            let cursor = match self.face {
                ResultsFace::Evaluations => &mut self.cursor,
                ResultsFace::Items => &mut self.items,
            };
            if let Some(row) = cursor.at_line(line, length) {
                cursor.go(row, length);
            }
        }
        self.look(store)
    }

    /// Asks for the list once for each opening of a session, and for the evaluation under the cursor.
    pub(super) fn look(&mut self, store: &Store) -> Vec<Effect> {
        if store.session.is_none() {
            return Vec::new();
        }
        if self.opening != store.openings {
            *self =
                Self { opening: store.openings, before: std::mem::take(&mut self.before), ..Self::default() };
            return vec![send(EvalCommand::List)];
        }
        let Some(picked) = self.picked(store) else { return Vec::new() };
        let is_asked = self.asked.as_deref() == Some(picked.folder.as_path());
        if is_asked || store.evaluations.opened(&picked.folder).is_some() {
            return Vec::new();
        }
        self.asked = Some(picked.folder.clone());
        vec![send(EvalCommand::Open(picked.folder.clone()))]
    }

    fn open_line(&mut self, store: &Store) {
        let mut field = TextField::new(LINE_HINT);
        let begun = if self.before.is_empty() { beginning(store) } else { self.before.clone() };
        field.paste(&begun);
        self.complaint.clear();
        self.line = Some(Box::new(field));
    }

    fn leave_line(&mut self) {
        self.before = self.line.take().map(|field| field.text().to_owned()).unwrap_or_default();
        self.complaint.clear();
    }

    fn take_line(&mut self, store: &Store) -> Vec<Effect> {
        let Some(field) = &self.line else { return Vec::new() };
        if let Some(row) = job(store) {
            self.complaint = format!("{} goes on: x stops it", row.job.what);
            return Vec::new();
        }
        match EvaluationOrder::parse(field.text()) {
            Err(why) => {
                self.complaint = why;
                Vec::new()
            }
            Ok(order) => {
                self.leave_line();
                vec![send(EvalCommand::Start(Box::new(order)))]
            }
        }
    }
}

fn listed(store: &Store) -> &[EvaluationSummary] {
    store.evaluations.listed.as_deref().unwrap_or_default()
}

fn job(store: &Store) -> Option<&JobRow> {
    store.jobs.named(JOB)
}

fn pairs_of(kept: &KeptEvaluation, part: usize) -> usize {
    let models = kept.report.parts.get(part).map_or(0, |part| part.results.len());
    models * models.saturating_sub(1) / 2
}

/// What a person likely wants: the first base model, the session's task, and few enough records to see something soon.
fn beginning(store: &Store) -> String {
    let models = store.models.as_deref().unwrap_or_default();
    let of =
        |kind: ModelKind| models.iter().find(|model| model.kind == kind).map(|model| model.name.as_str());
    let task = store.session.as_ref().map_or("", |session| session.file.task.as_str());
    let mut line: Vec<String> =
        [of(ModelKind::Base), of(ModelKind::Adapter)].into_iter().flatten().map(quoted).collect();
    if !task.is_empty() {
        line.push(format!("--task {}", quoted(task)));
    }
    line.push("--limit 200".to_owned());
    line.join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(char::is_whitespace) { format!("\"{word}\"") } else { word.to_owned() }
}

/// A folder's last name.
fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
