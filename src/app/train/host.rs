//! The host of a run in a run folder: keeps its state file alive, obeys the commands left there and the signals of the
//! terminal, and passes progress on to a listener. One thread of its own does the watching, so that a heartbeat never
//! waits for a step.

use std::fs;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::super::runs;
use super::journal::{log, number};
pub use super::watched::Process;
use super::watched::{WATCH, Watched, WatchedState, listen_to_signals};
use crate::domain::run::{EVALUATING, Phase, RunCommand, RunFolder, RunState};
use crate::engine::train::host::{Brake, Host, HostRequest, TrainEvent};
use crate::ground::clock;
use crate::ground::process::host_name;
use crate::ground::thread;

/// Hears what a run does: a progress bar, a log, a test.
pub trait Listener: Send {
    /// Told of each fact, with the state after it.
    fn heard(&mut self, progress: &TrainEvent<'_>, state: &RunState);

    /// Told what the run is doing before its first step, and of each change of phase.
    fn phase(&mut self, state: &RunState);
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnding {
    Done,
    Stopped,
    Failed(String),
}

/// The host of one run.
pub struct RunHost {
    watched: Arc<Watched>,
    watcher: Option<JoinHandle<()>>,
    signals: Option<signal_hook::iterator::Handle>,
    /// What a run that is done says of its adapter.
    told: Option<String>,
    /// The share of its steps at whose first evaluation it ends, or after.
    until: Option<f64>,
}

impl RunHost {
    /// Writes the first state and begins to watch. Commands that an earlier process left are thrown away.
    ///
    /// # Errors
    /// Where the folder can't be written or signals not be heard.
    pub fn start(folder: &RunFolder, phase: Phase, listener: Box<dyn Listener>) -> Result<Self> {
        let earlier = runs::summarise(folder.path()).map(|run| run.state);
        // An announced run was put there for this process: commands given since are for it.
        if earlier.as_ref().is_some_and(|state| state.process != 0) {
            let _ = fs::remove_dir_all(folder.commands());
        }
        fs::create_dir_all(folder.commands())
            .with_context(|| format!("create {}", folder.commands().display()))?;
        let state = first_state(phase, earlier);
        let shared = WatchedState {
            state,
            pause: false,
            stop: false,
            checkpoint: false,
            changed: false,
            urgent: false,
            ended: false,
            stop_asked: None,
            process: Process::Shared,
        };
        let watched = Arc::new(Watched {
            folder: folder.clone(),
            shared: Mutex::new(shared),
            listener: Mutex::new(listener),
            wake: Condvar::new(),
            writing: Mutex::new(()),
        });
        let state = watched.lock().state.clone();
        watched.write(&state)?;
        let signals = Some(listen_to_signals(&watched)?);
        let watching = Arc::clone(&watched);
        let watcher = thread::start("run watch", move || watching.watch());
        ensure!(watcher.is_some(), "start the thread that obeys the run's commands");
        Ok(Self { watched, watcher, signals, told: None, until: None })
    }

    /// Whose the process is; that of others, unless this is said.
    pub fn runs_in(&mut self, process: Process) {
        self.watched.lock().process = process;
    }

    /// Ends after the first evaluation at this share of the steps or later, as if somebody had asked for it there.
    pub const fn ends_at(&mut self, share: Option<f64>) {
        self.until = share;
    }

    /// What the run is doing before its first step.
    pub fn doing(&mut self, what: &str) {
        tracing::info!("{what}");
        let stop = self.is_to_stop();
        self.change(|state| {
            state.phase = Phase::Starting;
            state.why = Some(what.to_owned());
            (state.start_share, state.seconds_left) = (None, None);
            if stop {
                state.stopping_after_this();
            }
        });
    }

    /// Says what of the data is not trained on, for as long as the run is looked at.
    pub fn leaves_out(&mut self, what: &str) {
        tracing::warn!("{what}");
        self.doing(&format!("warning: {what}"));
        self.change(|state| state.left_out = Some(what.to_owned()));
    }

    /// Between the things that a run does before its first step, it ends if that was asked.
    #[must_use]
    pub fn is_to_stop(&self) -> bool {
        self.watched.lock().stop
    }

    /// Waits in the queue until `ready`; false where the run was asked to stop meanwhile.
    pub fn wait_for(&mut self, ready: impl Fn() -> bool) -> bool {
        while !ready() {
            let shared = self.watched.lock();
            if shared.stop {
                return false;
            }
            drop(self.watched.wake.wait_timeout(shared, WATCH));
        }
        true
    }

    /// Writes the last state and stops watching.
    ///
    /// # Errors
    /// Where the state can't be written.
    pub fn end(&mut self, ending: RunEnding) -> Result<()> {
        let (phase, why) = match ending {
            RunEnding::Done => (Phase::Done, self.told.take()),
            RunEnding::Stopped => (Phase::Stopped, Some("stopped on request".to_owned())),
            RunEnding::Failed(why) => (Phase::Failed, Some(why)),
        };
        tracing::info!("{}{}", phase.name(), why.as_ref().map_or_else(String::new, |why| format!(": {why}")));
        self.change(|state| {
            (state.start_share, state.seconds_left) = (None, None);
            match (state.earlier.take(), why) {
                // Nothing of it has changed.
                (Some(before), Some(why)) if phase == Phase::Failed => state.not_continued(before, &why),
                (_, why) => (state.phase, state.why) = (phase, why),
            }
        });
        self.stop_watching();
        let state = self.watched.lock().state.clone();
        self.watched.write(&state)
    }

    fn stop_watching(&mut self) {
        if let Some(signals) = self.signals.take() {
            signals.close();
        }
        let mut shared = self.watched.lock();
        shared.ended = true;
        shared.state.heartbeat = clock::now();
        drop(shared);
        self.watched.wake.notify_all();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut RunState)) {
        let mut shared = self.watched.lock();
        change(&mut shared.state);
        shared.urgent = true;
        let state = shared.state.clone();
        drop(shared);
        self.watched.wake.notify_all();
        self.watched.say(|listener| listener.phase(&state));
    }

    /// Changes the phase, if it is another.
    fn enter(&mut self, phase: Phase) {
        if self.watched.lock().state.phase != phase {
            self.change(|state| {
                state.phase = phase;
                state.why = None;
                if state.start_share.take().is_some() {
                    state.seconds_left = None;
                }
            });
        }
    }
}

impl Drop for RunHost {
    /// Only a panic leaves a host that was not ended.
    fn drop(&mut self) {
        if self.watcher.is_some() {
            let _ =
                self.end(RunEnding::Failed("the program failed unexpectedly; its log says more".to_owned()));
        }
    }
}

impl Host for RunHost {
    fn brake(&self) -> Brake {
        let (watched, begun) = (Arc::clone(&self.watched), Instant::now());
        Arc::new(move |share| watched.passing(share, begun.elapsed()))
    }

    fn tick(&mut self) -> Result<HostRequest> {
        loop {
            let mut shared = self.watched.lock();
            if shared.stop {
                return Ok(HostRequest::Stop);
            }
            if std::mem::take(&mut shared.checkpoint) {
                return Ok(HostRequest::Checkpoint);
            }
            if !shared.pause {
                drop(shared);
                self.enter(Phase::Running);
                return Ok(HostRequest::GoOn);
            }
            drop(shared);
            self.enter(Phase::Paused);
            let shared = self.watched.lock();
            if shared.pause && !shared.stop && !shared.checkpoint {
                drop(self.watched.wake.wait_timeout(shared, WATCH));
            }
        }
    }

    fn report(&mut self, progress: &TrainEvent<'_>) {
        if let TrainEvent::BestLost { step, why } = progress {
            self.told = Some(best_lost(*step, why));
        }
        let mut shared = self.watched.lock();
        let state = &mut shared.state;
        match progress {
            TrainEvent::Began { step, total_steps, best_eval_loss } => {
                state.earlier = None;
                state.best_eval_loss = *best_eval_loss;
                state.step = *step;
                state.total_steps = *total_steps;
            }
            TrainEvent::Stepped { line, seconds_left } => {
                state.step = line.get("step").and_then(serde_json::Value::as_u64).unwrap_or(state.step + 1);
                state.tokens_per_second = number(line, "tokens_per_second");
                state.seconds_left = Some(*seconds_left);
            }
            TrainEvent::Evaluating { done, total } => {
                if !state.is_stopping() && !state.is_pausing() {
                    state.why = Some(format!("{EVALUATING}, {done} of {total} batches done"));
                }
            }
            TrainEvent::Evaluated { line, best } => {
                state.why.take_if(|why| why.starts_with(EVALUATING));
                if *best {
                    state.best_eval_loss = number(line, "eval_loss");
                }
            }
            TrainEvent::Saved { step } => state.checkpoint_step = Some(*step),
            TrainEvent::Rehearsed { .. }
            | TrainEvent::Sampled(_)
            | TrainEvent::StoppedEarly { .. }
            | TrainEvent::BestLost { .. } => {}
        }
        shared.changed = true;
        let state = shared.state.clone();
        drop(shared);
        log(progress);
        let far = self.until.is_some_and(|share| state.step as f64 >= state.total_steps as f64 * share);
        if far && matches!(progress, TrainEvent::Evaluated { .. }) {
            self.watched.obey(RunCommand::Stop);
        }
        self.watched.say(|listener| listener.heard(progress, &state));
    }
}

/// That the best values are lost, in a sentence.
#[must_use]
pub fn best_lost(step: u64, why: &str) -> String {
    format!(
        "the adapter has the last values and not the best ones, of step {step}, which save.load_best_model_at_end asks \
         for: {why}"
    )
}

fn first_state(phase: Phase, earlier: Option<RunState>) -> RunState {
    let now = clock::now();
    let (process, host) = (std::process::id(), host_name());
    let before = earlier.as_ref().and_then(RunState::to_return_to);
    RunState {
        phase,
        why: None,
        process,
        host,
        heartbeat: now,
        earlier: before,
        ..earlier.unwrap_or_else(|| RunState::begun(phase, now))
    }
}
