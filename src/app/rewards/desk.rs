//! The lane of the reward bench: one thread, which holds the rewards and rows that are open. Of completions that wait while
//! it is at something, only the newest is scored.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{BenchSource, HelperNames, bench_data, set};
use crate::app::events::Events;
use crate::app::jobs::Working;
use crate::config::Folders;
use crate::domain::message::Role;
use crate::domain::protocol::Event;
use crate::domain::protocol::rewards::{
    BenchCompletions, BenchId, BenchOrder, CompletionTry, OpenedBench, RewardsCommand, RewardsEvent,
    ScoredBench, ShownRow, TriedCompletion,
};
use crate::domain::protocol::system::{JobEnd, OnQuit, Progress, Unit};
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, CompletionScorer, RewardTotal, ScoreDetail};
use crate::domain::reward_scores::DatasetScores;
use crate::domain::session::SessionInfo;
use crate::ground::thread;
use crate::reward::RewardSet;
use crate::reward::bench::{BenchRow, CompletionWanted, compare, score_rows_while};
use crate::session::{Access, Session};
use crate::task::{self, Task};

/// A person who types no letter for this long waits for the judge.
const PAUSE: Duration = Duration::from_millis(400);

/// The lane of an open session. Dropping it ends it.
pub(crate) struct RewardDesk {
    commands: Sender<RewardsCommand>,
}

impl RewardDesk {
    pub(crate) fn start(session: &SessionInfo, folders: &Folders, events: &Events) -> Self {
        let (commands, waiting) = thread::queue();
        let mut lane = RewardLane {
            session: session.clone(),
            folders: folders.clone(),
            events: events.clone(),
            open: None,
        };
        thread::start("reward bench", move || lane.work(&waiting));
        Self { commands }
    }

    /// Puts a command on the lane.
    pub(crate) fn send(&self, command: RewardsCommand) {
        // A lane that is gone has said why in the log.
        self.commands.send(command).ok();
    }
}

struct RewardLane {
    session: SessionInfo,
    folders: Folders,
    events: Events,
    open: Option<OpenRewards>,
}

/// Rewards of one version, with the rows as its task reads them.
struct RewardVersion {
    task: Arc<Task>,
    set: RewardSet,
    rows: Vec<BenchRow>,
    taken: Vec<String>,
}

/// Whether somebody is asked about every completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JudgeNeed {
    Asked,
    Nobody,
}

struct OpenRewards {
    bench: BenchId,
    judge: JudgeNeed,
    version: RewardVersion,
    against: Option<RewardVersion>,
}

impl RewardLane {
    fn work(&mut self, waiting: &Receiver<RewardsCommand>) {
        while let Ok(first) = waiting.recv() {
            let mut commands: Vec<RewardsCommand> =
                std::iter::once(first).chain(waiting.try_iter()).collect();
            if self.open.as_ref().is_some_and(|open| open.judge == JudgeNeed::Asked) {
                // A judge is asked when a person pauses, and not about every letter.
                commands.extend(std::iter::from_fn(|| waiting.recv_timeout(PAUSE).ok()));
            }
            let is_try = |command: &RewardsCommand| matches!(command, RewardsCommand::Try(_));
            let newest = commands.iter().rposition(is_try);
            for (at, command) in commands.into_iter().enumerate() {
                if !is_try(&command) || Some(at) == newest {
                    self.perform(command);
                }
            }
        }
    }

    fn perform(&mut self, command: RewardsCommand) {
        match command {
            RewardsCommand::Open(bench, order) => match self.opened(bench, &order) {
                Ok(open) => {
                    let told = OpenedBench {
                        bench,
                        task: open.version.task.name.clone(),
                        against: open.against.as_ref().map(|other| other.task.name.clone()),
                        rows: open.version.rows.len(),
                        taken: open.version.taken.clone(),
                    };
                    self.open = Some(open);
                    self.tell(RewardsEvent::Opened(Box::new(told)));
                }
                Err(error) => self.tell(RewardsEvent::Failed(bench, format!("{error:#}"))),
            },
            RewardsCommand::Show(bench, row) => {
                let shown = self.of(bench).and_then(|open| open.shown(row));
                self.tell_if(shown.map(|shown| RewardsEvent::Shown(Box::new(shown))));
            }
            RewardsCommand::Try(asked) => {
                let tried = self.of(asked.bench).map(|open| open.tried(&asked));
                self.tell_if(tried.map(|tried| RewardsEvent::Tried(Box::new(tried))));
            }
            RewardsCommand::Score(bench) => {
                let Some(open) = self.of(bench) else { return };
                match open.scored(&self.events) {
                    Ok(scored) => {
                        self.tell_if(scored.map(|scored| RewardsEvent::Scored(Box::new(scored))));
                    }
                    Err(error) => self.tell(RewardsEvent::Failed(bench, format!("{error:#}"))),
                }
            }
        }
    }

    /// What is open, unless something else was opened since.
    fn of(&self, bench: BenchId) -> Option<&OpenRewards> {
        self.open.as_ref().filter(|open| open.bench == bench)
    }

    fn tell(&self, event: RewardsEvent) {
        // The studio may be gone: nobody needs to know then.
        self.events.send(Event::Rewards(event)).ok();
    }

    fn tell_if(&self, event: Option<RewardsEvent>) {
        if let Some(event) = event {
            self.tell(event);
        }
    }

    fn opened(&self, bench: BenchId, order: &BenchOrder) -> Result<OpenRewards> {
        let version = self.version(&order.task, order)?;
        let against = order.against.as_deref().map(|task| self.version(task, order)).transpose()?;
        let judge = if order.judge.is_some() { JudgeNeed::Asked } else { JudgeNeed::Nobody };
        Ok(OpenRewards { bench, judge, version, against })
    }

    fn version(&self, task: &str, order: &BenchOrder) -> Result<RewardVersion> {
        let task = task::find(task, Some(&self.session.path)).map(Arc::new)?;
        let names = HelperNames {
            embedder: order.embedder.as_deref(),
            judge: order.judge.as_deref(),
            tokenizer: order.tokenizer.as_deref(),
        };
        let set = set(&self.folders, &task, &names)?;
        let (rows, taken) = match &order.data {
            Some(data) => {
                let wanted = match order.completions {
                    BenchCompletions::OfColumn => CompletionWanted::FromColumn,
                    BenchCompletions::Reference => CompletionWanted::ReferenceAnswers,
                };
                let data = bench_data(&task, &BenchSource { data: Some(data), map: &order.map, wanted })?;
                (data.rows, data.taken)
            }
            None => (self.records(&task)?, vec!["completions: the records' own answers".to_owned()]),
        };
        Ok(RewardVersion { task, set, rows, taken })
    }

    /// The session's records with their own answers.
    fn records(&self, task: &Task) -> Result<Vec<BenchRow>> {
        let session = Session::open(&self.session.path, Access::Read)
            .and_then(|session| session.training_set(""))
            .with_context(|| format!("read the records of {}", self.session.name))?;
        let row = |record: Record| {
            let completion = task.answer_to_learn(&record).ok().flatten();
            BenchRow { record, completion }
        };
        Ok(session.into_iter().map(|(_, record)| row(record)).collect())
    }
}

impl OpenRewards {
    fn shown(&self, row: usize) -> Option<ShownRow> {
        let BenchRow { record, completion } = self.version.rows.get(row)?;
        let turns = self.version.task.prompt(record).unwrap_or_default();
        let asked = turns.iter().rfind(|turn| turn.role == Role::User);
        let prompt = asked.map_or_else(|| record.prompt().to_owned(), |turn| turn.content.clone());
        let (bench, completion) = (self.bench, completion.clone());
        Some(ShownRow { bench, row, place: record.place(), prompt, completion })
    }

    fn tried(&self, asked: &CompletionTry) -> TriedCompletion {
        let CompletionTry { bench, question, row, completion } = asked;
        let total = self.version.total(*row, completion);
        let against = self.against.as_ref().map(|other| other.total(*row, completion));
        TriedCompletion { bench: *bench, question: *question, total, against }
    }

    /// Every row's score; nothing if the job was stopped.
    fn scored(&self, events: &Events) -> Result<Option<ScoredBench>> {
        let job = Working::start(events, &format!("score {}", self.version.task.name), OnQuit::LetEnd);
        let outcome = self.scores(&job);
        job.end(match &outcome {
            Ok(Some(_)) => JobEnd::Done,
            Ok(None) => JobEnd::Stopped,
            Err(error) => JobEnd::Failed(format!("{error:#}")),
        });
        outcome
    }

    fn scores(&self, job: &Working) -> Result<Option<ScoredBench>> {
        let Some(scores) = self.version.scores(job)? else { return Ok(None) };
        let against = match &self.against {
            None => None,
            Some(other) => {
                let Some(other) = other.scores(job)? else { return Ok(None) };
                let comparison = compare(&scores, &other)?;
                Some((Arc::new(other), comparison))
            }
        };
        Ok(Some(ScoredBench { bench: self.bench, scores: Arc::new(scores), against }))
    }
}

impl RewardVersion {
    /// Of a completion that answers a row, or nothing in particular where there are no rows.
    fn total(&self, row: usize, completion: &str) -> RewardTotal {
        let none = Record::default();
        let record = self.rows.get(row).map_or(&none, |row| &row.record);
        let totals = self.set.score(&[Attempt { record, completion }], ScoreDetail::Reasons);
        totals.into_iter().next().unwrap_or(RewardTotal { value: None, parts: Vec::new() })
    }

    fn scores(&self, job: &Working) -> Result<Option<DatasetScores>> {
        let total = Some(self.rows.len() as u64);
        let note = format!("by {}", self.task.name);
        let mut go_on = |done: usize| {
            job.go_on(Progress { done: done as u64, total, unit: Unit::Items, note: note.clone() })
        };
        score_rows_while(&self.task, &self.set, &self.rows, &mut go_on)
    }
}
