//! A run folder's contents, as types: its state, its metrics, its samples, the commands left in it.
//!
//! A run folder holds `recipe.toml` (resolved), `state.json` ([`RunState`]), `metrics.jsonl` ([`MetricLine`]),
//! `samples.jsonl` ([`Sample`]), `completions/step-N.jsonl` (what a run on rewards drew), `log`, `began.json` (when it began, and what told
//! its model from others), `commands/` (one empty file per [`RunCommand`], removed when obeyed),
//! `checkpoints/step-N/` and `adapter/`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Names the files of a run folder. Touches none of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder's own name, which is the run's.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().map_or_else(|| "run".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    #[must_use]
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    #[must_use]
    pub fn began(&self) -> PathBuf {
        self.0.join("began.json")
    }

    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    #[must_use]
    pub fn samples(&self) -> PathBuf {
        self.0.join("samples.jsonl")
    }

    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.0.join("commands")
    }

    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The trained adapter, a PEFT folder; there once the run is done or stopped.
    #[must_use]
    pub fn adapter(&self) -> PathBuf {
        self.0.join("adapter")
    }

    /// Held locked by the process that trains.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }
}

/// `state.json`: replaced as a whole at least every two seconds while the run is alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    pub phase: Phase,
    /// Why it stopped or failed, in one sentence; what it is doing, while it starts; that it was asked to stop or
    /// to pause, until it has.
    #[serde(default)]
    pub why: Option<String>,
    pub process: u32,
    pub host: String,
    /// Seconds since 1970, when the process was last known to be alive.
    pub heartbeat: f64,
    /// Seconds since 1970.
    pub started: f64,
    pub step: u64,
    pub total_steps: u64,
    /// The last checkpoint's step, if there is one.
    #[serde(default)]
    pub checkpoint_step: Option<u64>,
    /// The lowest evaluation loss so far.
    #[serde(default)]
    pub best_eval_loss: Option<f64>,
    #[serde(default)]
    pub tokens_per_second: Option<f64>,
    /// Until the run's end; while it starts, until the end of what it is doing, as far as that is known.
    #[serde(default)]
    pub seconds_left: Option<f64>,
    /// While it starts, how far what it is doing is, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_share: Option<f64>,
    /// How it had ended before it was asked to go on, until it does: where it can't, it stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Phase>,
    /// How much of its data can't be trained on, and the first reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// What a run says while it evaluates, before how far it is.
pub const EVALUATING: &str = "evaluating";
/// How what a run says begins while it fetches its model.
const FETCHING: &str = "fetching ";
/// How what a run says begins once it was asked to stop, and to pause.
const STOPPING: &str = "stopping";
const PAUSING: &str = "pausing after this ";
/// How what a run says begins where it was asked to go on and can't.
const NOT_CONTINUED: &str = "not continued: ";

impl RunState {
    /// A run that has done nothing yet: of no process so far, heard of when it was started (seconds since 1970).
    #[must_use]
    pub const fn begun(phase: Phase, started: f64) -> Self {
        Self {
            phase,
            why: None,
            process: 0,
            host: String::new(),
            heartbeat: started,
            started,
            step: 0,
            total_steps: 0,
            checkpoint_step: None,
            best_eval_loss: None,
            tokens_per_second: None,
            seconds_left: None,
            start_share: None,
            earlier: None,
            left_out: None,
        }
    }

    /// What a run that goes on from here returns to where it can't go on.
    #[must_use]
    pub const fn to_return_to(&self) -> Option<Phase> {
        match self.phase {
            Phase::Done | Phase::Stopped => Some(self.phase),
            // Announced, and not begun.
            Phase::Queued | Phase::Starting => self.earlier,
            Phase::Running | Phase::Paused | Phase::Failed => None,
        }
    }

    /// It was to go on and can't: it is what it was before, and says why.
    pub fn not_continued(&mut self, before: Phase, why: &str) {
        self.phase = before;
        self.why = Some(format!("{NOT_CONTINUED}{why}"));
        self.earlier = None;
    }

    /// Why it was not continued when that was asked for last.
    #[must_use]
    pub fn why_not_continued(&self) -> Option<&str> {
        if self.phase.is_live() { None } else { self.why.as_deref()?.strip_prefix(NOT_CONTINUED) }
    }

    /// What it is doing, with how far it is while it starts.
    #[must_use]
    pub fn doing(&self) -> Option<String> {
        let why = self.why.clone()?;
        if let Some((what, size)) = why.strip_prefix(FETCHING).and_then(|what| what.rsplit_once(", ")) {
            let known = size.strip_suffix(" MB").and_then(|size| size.parse::<f64>().ok());
            let here = known.zip(self.start_share).map(|(size, share)| size * share.clamp(0.0, 1.0));
            return Some(match here {
                Some(here) => format!("{FETCHING}{what}, {here:.1} of {size}"),
                None => why,
            });
        }
        Some(match self.start_share.filter(|_| self.phase == Phase::Starting && !self.is_stopping()) {
            Some(share) => format!("{why}, {:.0}% done", (share * 100.0).floor()),
            None => why,
        })
    }

    /// What a run says while it fetches its model, of so many bytes.
    #[must_use]
    pub fn fetching(model: &str, bytes: u64) -> String {
        format!("{FETCHING}{model}, {:.1} MB", bytes as f64 / 1e6)
    }

    /// Whether it waits for its model.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        self.phase == Phase::Starting && self.why.as_ref().is_some_and(|why| why.starts_with(FETCHING))
    }

    /// Says that the run has stopped because it was asked to.
    pub fn stopped_on_request(&mut self) {
        self.phase = Phase::Stopped;
        self.why = Some("stopped on request".to_owned());
        (self.start_share, self.seconds_left, self.earlier) = (None, None, None);
    }

    /// Says that the run was asked to stop, and what it ends before it does.
    pub fn stopping_after_this(&mut self) {
        if self.is_stopping() {
            return;
        }
        let this = match self.phase {
            // So is a pass over the largest batch.
            Phase::Starting if self.start_share.is_some() => None,
            Phase::Starting => self.why.as_deref().filter(|doing| !doing.starts_with("warning")),
            // A step is left in its middle.
            Phase::Running | Phase::Queued | Phase::Paused | Phase::Done | Phase::Stopped | Phase::Failed => {
                None
            }
        };
        self.why = Some(this.map_or_else(|| STOPPING.to_owned(), |this| format!("{STOPPING} after {this}")));
    }

    /// Says that the run was asked to pause, and what it ends before it does.
    pub fn pausing_after_this(&mut self) {
        if self.phase != Phase::Running || self.is_stopping() || self.is_pausing() {
            return;
        }
        let evaluates = self.why.as_ref().is_some_and(|why| why.starts_with(EVALUATING));
        self.why = Some(format!("{PAUSING}{}", if evaluates { "batch" } else { "step" }));
    }

    /// It goes on after all.
    pub fn not_pausing(&mut self) {
        if self.is_pausing() {
            self.why = None;
        }
    }

    /// Whether it was asked to pause and has not yet.
    #[must_use]
    pub fn is_pausing(&self) -> bool {
        self.phase == Phase::Running && self.why.as_ref().is_some_and(|why| why.starts_with(PAUSING))
    }

    /// Whether it lives and was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.phase.is_live() && self.why.as_ref().is_some_and(|why| why.starts_with(STOPPING))
    }
}

/// Where a run stands. A run whose heartbeat stopped in a live phase has crashed; its file still says the phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Queued,
    Starting,
    Running,
    Paused,
    Done,
    Stopped,
    Failed,
}

impl Phase {
    /// Whether a process should be alive behind it. A queued run is a process too: it waits for another to end.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Starting | Self::Running | Self::Paused)
    }

    /// As `state.json` spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// How a run stands as seen from outside: its phase, or that it crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Queued,
    Starting,
    Running,
    Paused,
    Done,
    Stopped,
    Failed,
    /// Its state says that it lives, but its process is gone or its heartbeat is old.
    Crashed,
}

impl Standing {
    /// One word for lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
        }
    }

    /// Whether it obeys commands.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Starting | Self::Running | Self::Paused)
    }
}

impl From<Phase> for Standing {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Queued => Self::Queued,
            Phase::Starting => Self::Starting,
            Phase::Running => Self::Running,
            Phase::Paused => Self::Paused,
            Phase::Done => Self::Done,
            Phase::Stopped => Self::Stopped,
            Phase::Failed => Self::Failed,
        }
    }
}

/// What a person can ask of a run: a file of this name in the run's `commands/` folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunCommand {
    Pause,
    Resume,
    Checkpoint,
    Stop,
}

impl RunCommand {
    pub const ALL: [Self; 4] = [Self::Pause, Self::Resume, Self::Checkpoint, Self::Stop];

    /// The file's name, and the subcommand's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Checkpoint => "checkpoint",
            Self::Stop => "stop",
        }
    }

    /// The command that takes this one back before it was obeyed.
    #[must_use]
    pub const fn opposite(self) -> Option<Self> {
        match self {
            Self::Pause => Some(Self::Resume),
            Self::Resume => Some(Self::Pause),
            Self::Checkpoint | Self::Stop => None,
        }
    }
}

/// One line of `metrics.jsonl`: a JSON object of names and numbers. `step` is always there; other names are TRL's
/// (`loss`, `eval_loss`, `grad_norm`, `learning_rate`, ...). NaN and infinities are the strings `"NaN"`,
/// `"Infinity"`, `"-Infinity"`, since JSON has no numbers for them. An evaluation at a step is a line of its own, with
/// `eval_` before its names. A resumed run may go back to an earlier step: of one name at one step, the later counts.
pub type MetricLine = serde_json::Map<String, serde_json::Value>;

/// One line of `samples.jsonl`: what the model answered at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub step: u64,
    pub prompt: String,
    pub completion: String,
}
