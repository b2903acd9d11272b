//! The question before a run is stopped, the same wherever that is asked for.

use crate::domain::protocol::{Command, RunsCommand};
use crate::domain::run::{RunCommand, Standing};
use crate::domain::run_info::RunInfo;
use crate::ui::pane::{Confirmation, Effect};

/// Whether the run is to be stopped; `called` says which it is.
pub(crate) fn question(run: &RunInfo, called: &str) -> Confirmation {
    Confirmation {
        title: format!("Stop {called}?"),
        text: what_a_stop_leaves(run).to_owned(),
        yes: "stop".to_owned(),
        then: vec![Effect::Send(Command::Runs(RunsCommand::Tell(run.id.clone(), RunCommand::Stop)))],
    }
}

/// What is there after a run was stopped where it is now.
fn what_a_stop_leaves(run: &RunInfo) -> &'static str {
    let (step, saved) = run.state.as_ref().map_or((0, None), |state| (state.step, state.checkpoint_step));
    let begins = matches!(run.standing(), Standing::Queued | Standing::Starting);
    if begins && saved.is_some() {
        "It has not gone on yet: it stays at its last checkpoint, and r takes it up again there."
    } else if begins {
        "It has taken no step yet: it ends without an adapter, as soon as what it is at is done. If its first \
         checkpoint is there by then, r takes it up again; else e, then t, starts its recipe anew."
    } else if step == 0 {
        "It is at its first step: it ends without it, and without an adapter. r takes it up again."
    } else {
        "It ends with the steps that it has taken, with a checkpoint and its adapter; r takes it up again."
    }
}
