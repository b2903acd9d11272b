//! What is asked of a run that has not begun yet: it is told how that is understood, since nothing is seen of it before.

use super::{TrainPane, runs};
use crate::app::store::Store;
use crate::domain::protocol::RunsCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::run::{RunCommand, Standing};
use crate::domain::run_info::RunInfo;
use crate::ui::pane::Effect;

/// Whether it lives and has taken no step since it was started.
pub(super) fn begins(run: &RunInfo) -> bool {
    matches!(run.standing(), Standing::Queued | Standing::Starting)
}

fn say(text: String) -> Effect {
    Effect::Notify(Notice::new(Level::Info, text))
}

impl TrainPane {
    /// Whether the run was asked to pause before it began.
    pub(super) fn pauses_early(&self, run: &RunInfo) -> bool {
        begins(run) && self.pauses_early.as_ref() == Some(&run.id)
    }

    pub(super) fn pause(&mut self, store: &Store) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        let early = begins(run).then(|| run.id.clone());
        let mut effects = vec![runs(RunsCommand::Tell(run.id.clone(), RunCommand::Pause))];
        if let Some(id) = early {
            effects.push(say(format!("{} pauses as soon as it has begun; space takes that back", id.name())));
            self.pauses_early = Some(id);
        }
        effects
    }

    pub(super) fn go_on(&mut self, store: &Store) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        let mut effects = vec![runs(RunsCommand::Tell(run.id.clone(), RunCommand::Resume))];
        if self.pauses_early(run) {
            effects.push(say(format!("{} goes on when it has begun: it won't pause", run.id.name())));
        }
        self.pauses_early = None;
        effects
    }

    pub(super) fn checkpoint(&self, store: &Store) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        if begins(run) {
            let words =
                "has not begun yet, so there is nothing new to keep: c writes a checkpoint once it has";
            return vec![say(format!("{} {words}", run.id.name()))];
        }
        vec![runs(RunsCommand::Tell(run.id.clone(), RunCommand::Checkpoint))]
    }
}
