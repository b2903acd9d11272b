//! Training runs of other sessions that go on: they take this machine's time too. Reads what was touched lately only.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, TryRecvError};
use std::time::Duration;

use anyhow::Result;

use super::events::Events;
use super::runs::{self, RunSummary};
use crate::config::Folders;
use crate::domain::protocol::runs::Elsewhere;
use crate::domain::protocol::{Event, RunsEvent};
use crate::domain::run_info::{Life, Notes, RunId, RunInfo, RunOrigin};
use crate::ground::thread;

/// How often they are looked for.
const LOOK: Duration = Duration::from_secs(2);
/// A run writes its state every second: one that was silent for so long doesn't go on.
const SILENT: Duration = Duration::from_secs(600);

/// Runs that go on or wait in the user's sessions but this one, the one that was started last first.
///
/// # Errors
/// When a folder can't be read.
pub(crate) fn live(folders: &Folders, own: Option<&Path>) -> Result<Vec<Elsewhere>> {
    let own = own.and_then(|own| own.canonicalize().ok());
    let mut found = Vec::new();
    for session in runs::subfolders(&folders.sessions())? {
        if own.is_some() && session.canonicalize().ok() == own {
            continue;
        }
        let name = session.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let runs = runs::subfolders(&session.join("runs"))?.into_iter().filter(|run| is_fresh(run));
        let live = runs.filter_map(|run| runs::summarise(&run)).filter(|run| run.standing.is_live());
        found.extend(live.map(|run| Elsewhere { session: name.clone(), run: info(run) }));
    }
    let started = |one: &Elsewhere| one.run.state.as_ref().map_or(0.0, |state| state.started);
    found.sort_by(|one, other| started(other).total_cmp(&started(one)));
    Ok(found)
}

fn is_fresh(run: &Path) -> bool {
    let written = std::fs::metadata(run.join("state.json")).and_then(|file| file.modified());
    // A clock that was put back is no reason to miss one.
    written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age < SILENT) || written.elapsed().is_err())
}

fn info(run: RunSummary) -> RunInfo {
    RunInfo {
        id: RunId::new(run.folder.path()),
        origin: RunOrigin::Session,
        state: Some(run.state),
        life: Life::Sound,
        settings: std::collections::BTreeMap::new(),
        notes: Notes::default(),
        problem: None,
    }
}

/// Tells of them whenever they look different, until what is returned is dropped.
pub(super) fn watch(folders: Folders, own: Option<PathBuf>, events: Events) -> SyncSender<()> {
    let (stop, stopped) = thread::tether();
    thread::start("runs elsewhere", move || {
        // What was told before is of another session's view.
        let mut told = None;
        loop {
            let found = live(&folders, own.as_deref()).inspect_err(|error| tracing::warn!("{error:#}"));
            let found = found.unwrap_or_default();
            if stopped.try_recv() == Err(TryRecvError::Disconnected) {
                return;
            }
            let seen = shown(&found);
            if told.as_ref() != Some(&seen) {
                told = Some(seen);
                if events.send(Event::Runs(RunsEvent::GoesOnElsewhere(found))).is_err() {
                    return;
                }
            }
            if stopped.recv_timeout(LOOK) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    });
    stop
}

/// What is seen of them: not each sign of life.
fn shown(runs: &[Elsewhere]) -> Vec<Elsewhere> {
    let mut runs = runs.to_vec();
    for state in runs.iter_mut().filter_map(|one| one.run.state.as_mut()) {
        state.heartbeat = 0.0;
    }
    runs
}
