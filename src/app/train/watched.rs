//! What the host of a run shares with the threads that watch it: its state and what was asked of it. Writes the state,
//! obeys the commands left in the folder and the terminal's signals.

use std::fs;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::super::process;
use super::host::Listener;
use crate::domain::run::{Phase, RunCommand, RunFolder, RunState};
use crate::ground::clock;
use crate::ground::files;
use crate::ground::thread;

/// Whose the process of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The run's alone: it may end with it.
    Own,
    /// Others are at work in it too.
    Shared,
}

/// How long a run that has taken no step yet may be at something that has no place to be left, once it is to stop.
const GRACE: Duration = Duration::from_secs(1);
/// How often commands are looked for.
pub(super) const WATCH: Duration = Duration::from_millis(200);
/// How often the state is written, at least, and how often for progress alone, at most.
const HEARTBEAT: Duration = Duration::from_secs(1);
const PROGRESS: Duration = Duration::from_millis(500);
/// The share of a pass from which on its pace tells when it ends.
const KNOWN_FROM: f64 = 0.05;

#[expect(clippy::struct_excessive_bools, reason = "each is a request or a note of its own")]
pub(super) struct WatchedState {
    pub(super) state: RunState,
    pub(super) pause: bool,
    pub(super) stop: bool,
    pub(super) checkpoint: bool,
    /// Something in `state` is not on disk yet.
    pub(super) changed: bool,
    /// The phase among it, which people wait for.
    pub(super) urgent: bool,
    pub(super) ended: bool,
    /// When it was first asked to stop.
    pub(super) stop_asked: Option<Instant>,
    pub(super) process: Process,
}

pub(super) struct Watched {
    pub(super) folder: RunFolder,
    pub(super) shared: Mutex<WatchedState>,
    pub(super) listener: Mutex<Box<dyn Listener>>,
    pub(super) wake: Condvar,
    /// Held while `state.json` is written.
    pub(super) writing: Mutex<()>,
}

impl WatchedState {
    /// Whether it should have stopped by now, and nothing is lost if it ends wherever it is.
    fn is_overdue(&self) -> bool {
        self.process == Process::Own
            && self.state.phase == Phase::Starting
            && self.stop_asked.is_some_and(|asked| asked.elapsed() >= GRACE)
    }
}

impl Watched {
    /// Before its first step a run has nothing to save: what it is at, the product of two large matrices or the reading
    /// of weights, need not come to its end.
    fn end_process(&self, shared: MutexGuard<'_, WatchedState>) -> ! {
        let mut state = shared.state.clone();
        drop(shared);
        state.stopped_on_request();
        state.heartbeat = clock::now();
        if let Err(error) = self.write_last(&state) {
            tracing::warn!("the state could not be written: {error:#}");
        }
        tracing::info!("{}", state.phase.name());
        self.say(|listener| listener.phase(&state));
        std::process::exit(0);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, WatchedState> {
        // A panic elsewhere leaves plain data behind, which is still good to report.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, state: &RunState) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_alone(state)
    }

    /// Writes the state of a process that ends: whatever is written by others at the same moment comes before it.
    pub(super) fn write_last(&self, state: &RunState) -> Result<()> {
        std::mem::forget(self.writing.lock());
        self.write_alone(state)
    }

    fn write_alone(&self, state: &RunState) -> Result<()> {
        let text = serde_json::to_vec_pretty(state).context("write the state as JSON")?;
        files::write_atomically(&self.folder.state(), &text)
    }

    pub(super) fn obey(&self, command: RunCommand) {
        let mut shared = self.lock();
        let mut state = shared.state.clone();
        // What is being done goes on to its end, which may take minutes: that it is the last is said at once.
        match command {
            RunCommand::Pause => {
                shared.pause = true;
                state.pausing_after_this();
            }
            RunCommand::Resume => {
                shared.pause = false;
                state.not_pausing();
            }
            RunCommand::Checkpoint => shared.checkpoint = true,
            RunCommand::Stop => {
                shared.stop = true;
                shared.stop_asked.get_or_insert_with(Instant::now);
                if state.phase.is_live() {
                    state.stopping_after_this();
                }
            }
        }
        tracing::info!("asked to {}", command.name());
        if state.why != shared.state.why && !shared.ended {
            shared.state = state.clone();
            shared.urgent = true;
            drop(shared);
            self.say(|listener| listener.phase(&state));
        }
        self.wake.notify_all();
    }

    /// Whether a pass goes on; how far it is belongs to the state while it is all that happens.
    pub(super) fn passing(&self, share: f64, since: Duration) -> bool {
        let mut shared = self.lock();
        if shared.state.phase == Phase::Starting && !shared.stop {
            // Sizes that are announced are rounded: more may come.
            let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { share };
            shared.state.start_share = Some(share).filter(|share| share.is_finite());
            let known = share > KNOWN_FROM;
            shared.state.seconds_left = known.then(|| since.as_secs_f64() * (1.0 - share) / share);
            shared.changed = true;
        }
        !shared.stop
    }

    pub(super) fn say(&self, say: impl FnOnce(&mut dyn Listener)) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        say(listener.as_mut());
    }

    /// Commands in the folder; each file is removed before it is obeyed.
    fn collect_commands(&self) {
        for command in RunCommand::ALL {
            if fs::remove_file(self.folder.commands().join(command.name())).is_ok() {
                self.obey(command);
            }
        }
    }

    pub(super) fn watch(&self) {
        let mut written = Instant::now();
        loop {
            self.collect_commands();
            let mut shared = self.lock();
            if shared.ended {
                return;
            }
            if shared.is_overdue() {
                self.end_process(shared);
            }
            let age = written.elapsed();
            if shared.urgent || (shared.changed && age >= PROGRESS) || age >= HEARTBEAT {
                shared.changed = false;
                shared.urgent = false;
                shared.state.heartbeat = clock::now();
                let state = shared.state.clone();
                drop(shared);
                if let Err(error) = self.write(&state) {
                    tracing::warn!("the state could not be written: {error:#}");
                }
                written = Instant::now();
                shared = self.lock();
            }
            if !shared.ended {
                drop(self.wake.wait_timeout(shared, WATCH));
            }
        }
    }
}

/// The first interrupt, and any request to end, is a request to stop; the second interrupt ends the process at once.
pub(super) fn listen_to_signals(watched: &Arc<Watched>) -> Result<signal_hook::iterator::Handle> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut wanted = vec![SIGINT, SIGTERM];
    if !process::ignores_hang_up() {
        wanted.push(SIGHUP);
    }
    let mut signals = signal_hook::iterator::Signals::new(wanted).context("listen to signals")?;
    let (handle, watched) = (signals.handle(), Arc::clone(watched));
    thread::start("run signals", move || {
        let mut interrupts = 0;
        for signal in signals.forever() {
            watched.obey(RunCommand::Stop);
            interrupts += u32::from(signal == SIGINT);
            if interrupts > 1 {
                let mut state = watched.lock().state.clone();
                state.phase = Phase::Stopped;
                state.why = Some("interrupted twice: ended without a checkpoint".to_owned());
                let _ = watched.write_last(&state);
                std::process::exit(130);
            }
        }
    });
    Ok(handle)
}
