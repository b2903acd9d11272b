//! A run folder's contents, as types: its state, its metrics, its samples, the commands left in it.
//!
//! A run folder holds `recipe.toml` (resolved), `state.json` ([`RunState`]), `metrics.jsonl` ([`MetricLine`]),
//! `samples.jsonl` ([`Sample`]), `log`, `commands/` (one empty file per [`RunCommand`], removed when obeyed),
//! `checkpoints/step-N/` and `adapter/`.

use serde::{Deserialize, Serialize};

/// `state.json`: replaced as a whole at least every two seconds while the run is alive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    pub phase: Phase,
    /// Why it stopped or failed, in one sentence; what it is doing, while it starts.
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
    #[serde(default)]
    pub seconds_left: Option<f64>,
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
    /// Whether a process should be alive behind it.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Paused)
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
}

/// One line of `metrics.jsonl`: a JSON object of names and numbers. `step` is always there; other names are TRL's
/// (`loss`, `eval_loss`, `grad_norm`, `learning_rate`, ...). NaN and infinities are the strings `"NaN"`,
/// `"Infinity"`, `"-Infinity"`, since JSON has no numbers for them. A resumed run may go back to an earlier step:
/// the later line of a step counts.
pub type MetricLine = serde_json::Map<String, serde_json::Value>;

/// One line of `samples.jsonl`: what the model answered at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub step: u64,
    pub prompt: String,
    pub completion: String,
}
