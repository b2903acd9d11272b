//! What is said of runs as they go on: that a checkpoint which somebody asked for is saved, and that a run has ended.
//! Knows too when the adapters on disk are no longer those that were listed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::protocol::RunsEvent;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::run::Standing;
use crate::domain::run_compare;
use crate::domain::run_info::{RunId, RunInfo};

/// Runs whose next checkpoint somebody waits for.
#[derive(Debug, Clone, Default)]
pub struct Awaited(Arc<Mutex<BTreeSet<RunId>>>);

impl Awaited {
    /// Somebody asked for a checkpoint of this run.
    pub fn add(&self, run: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
    }

    fn remove(&self, run: &RunId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(run)
    }
}

/// Whether the adapters are still those that were listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapters {
    Same,
    Changed,
}

/// Hears what the follower sees.
#[derive(Debug)]
pub struct FollowListener {
    awaited: Awaited,
    /// How each run was seen last.
    known: BTreeMap<RunId, Arc<RunInfo>>,
}

impl FollowListener {
    #[must_use]
    pub const fn new(awaited: Awaited) -> Self {
        Self { awaited, known: BTreeMap::new() }
    }

    /// What there is to say about an event.
    pub fn hear(&mut self, event: &RunsEvent) -> (Option<Notice>, Adapters) {
        if let RunsEvent::Removed(run) = event {
            self.known.remove(run);
            return (None, Adapters::Changed);
        }
        let RunsEvent::Seen(run) = event else { return (None, Adapters::Same) };
        let standing = run.standing();
        let saved = |run: &RunInfo| run.state.as_ref().and_then(|state| state.checkpoint_step);
        let before = self.known.insert(run.id.clone(), Arc::clone(run));
        let Some(before) = before else { return (None, Adapters::Same) };
        if before.standing().is_live() && !standing.is_live() {
            self.awaited.remove(&run.id);
            return (self.ended(run), Adapters::Changed);
        }
        let left_out = |run: &RunInfo| run.state.as_ref().and_then(|state| state.left_out.clone());
        if let Some(told) = left_out(run).filter(|_| left_out(&before).is_none()) {
            let text = format!("{}: {told}", run.id.name());
            return (Some(Notice::new(Level::Warning, text)), Adapters::Same);
        }
        let new = saved(run).filter(|_| saved(run) != saved(&before));
        let notice = new.filter(|_| self.awaited.remove(&run.id)).map(|step| {
            Notice::new(Level::Good, format!("{} saved the checkpoint of step {step}", run.id.name()))
        });
        (notice, Adapters::Same)
    }

    /// The last run of a study ends with what came of all of them.
    fn ended(&self, run: &RunInfo) -> Option<Notice> {
        let mut notice = ended(run)?;
        let all: Vec<&RunInfo> = self.known.values().map(|known| &**known).collect();
        if let Some(study) = run_compare::study(run, &all).filter(run_compare::Study::is_over) {
            notice.text = format!("{}. {}", notice.text, study.summary());
        }
        Some(notice)
    }
}

/// How a run ended, and which key of the Train pane goes on from there.
fn ended(run: &RunInfo) -> Option<Notice> {
    let name = run.id.name();
    let state = run.state.as_ref()?;
    let why = state.why.as_deref().unwrap_or("its log says more");
    if let Some(why) = state.why_not_continued() {
        return Some(Notice::new(
            Level::Error,
            format!("{name} is not continued and stays as it was: {why}"),
        ));
    }
    Some(match run.standing() {
        Standing::Done => Notice::new(Level::Good, format!("{name} is done; C on Train chats with it")),
        Standing::Stopped => {
            let more = if run.can_resume() { "; r on Train continues it" } else { ", without a checkpoint" };
            let text = format!("{name} stopped at step {}{more}", state.step);
            Notice::new(Level::Info, text)
        }
        Standing::Failed => Notice::new(Level::Error, format!("{name} failed: {why}")),
        Standing::Crashed => Notice::new(Level::Error, format!("{name} crashed at step {}", state.step)),
        Standing::Queued | Standing::Starting | Standing::Running | Standing::Paused => return None,
    })
}
