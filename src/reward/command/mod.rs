//! A reward of one's own: a program that reads JSON lines and answers with numbers, kept running. Its signature is that of
//! TRL's reward functions: prompts, completions and the record's columns; a function in Python written for TRL runs as it
//! is (`trl = "rewards.py:accuracy"`).
//!
//! Whatever goes wrong (no such program, a crash, a time-out, an answer that can't be read) is one sentence: the reward
//! then does not apply to that batch, the sentence is counted, and the program is started anew for the next.

mod lines;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::helpers::Programs;
use super::settings::{RewardSettings, SettingKey, SettingKind};
use super::similarity::one_of;
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardOutcome, RewardUse, ScoreDetail};
use crate::task::Task;
use lines::{CommandOutcomes, Wording, question};
use process::RunningCommand;

/// Its name in the table.
pub const NAME: &str = "command";

const KEYS: &[SettingKey] = &[
    SettingKey {
        name: "run",
        kind: SettingKind::Texts,
        default: None,
        help: "The program and its arguments; it runs in the folder of the task's file",
    },
    SettingKey {
        name: "trl",
        kind: SettingKind::Text,
        default: None,
        help: "Instead of run: FILE.py:FUNCTION, a reward function written for TRL",
    },
    SettingKey {
        name: "python",
        kind: SettingKind::Text,
        default: Some("\"python3\""),
        help: "The interpreter for trl",
    },
    SettingKey {
        name: "messages",
        kind: SettingKind::Flag,
        default: Some("false"),
        help: "Give prompts and completions as lists of messages, as TRL does for conversations, instead of texts",
    },
    SettingKey {
        name: "timeout_seconds",
        kind: SettingKind::Number(0.01, 86_400.0),
        default: Some("60.0"),
        help: "How long a batch may take",
    },
    SettingKey {
        name: "batch",
        kind: SettingKind::Whole(1, 100_000),
        default: Some("1024"),
        help: "Completions at once",
    },
];

pub(super) const KIND: RewardKind = RewardKind {
    name: NAME,
    about: "A program of your own that speaks JSON lines, or a Python function written for TRL",
    keys: KEYS,
    build: CommandReward::make,
};

/// The shim that runs a function written for TRL.
const SHIM: &str = include_str!("../../../assets/rewards/trl_reward.py");
/// Failures in a row after which a program is given up.
const PATIENCE: u32 = 3;
/// Different troubles that are counted apart.
const TROUBLES: usize = 20;

/// What a row would run, for people and for trust: the program, its arguments, and which file holds the function.
///
/// # Errors
/// Where the row is wrong.
pub fn command_line(row: &RewardUse) -> Result<Vec<String>> {
    let settings = RewardSettings::check(row, KEYS)?;
    Ok(match Program::read(&settings)? {
        Program::Line(line) => line,
        Program::Trl { python, file, function } => {
            vec![python, "assets/rewards/trl_reward.py".to_owned(), file, function]
        }
    })
}

enum Program {
    Line(Vec<String>),
    Trl { python: String, file: String, function: String },
}

impl Program {
    fn read(settings: &RewardSettings<'_>) -> Result<Self> {
        let (line, trl, name) = (settings.texts("run"), settings.text("trl"), settings.name());
        match (line.as_slice(), trl) {
            ([], None) => {
                bail!("rewards.{name} needs run, a list such as [\"python3\", \"mine.py\"], or trl")
            }
            ([_, ..], Some(_)) => bail!("rewards.{name} has both run and trl: take one out"),
            ([program, ..], None) => {
                ensure!(!program.trim().is_empty(), "rewards.{name}.run names no program");
                Ok(Self::Line(line))
            }
            ([], Some(trl)) => {
                let parts =
                    trl.rsplit_once(':').filter(|(file, function)| !file.is_empty() && !function.is_empty());
                let Some((file, function)) = parts else {
                    bail!("rewards.{name}.trl is {trl:?}, but must be of the form FILE.py:FUNCTION");
                };
                let python = settings.text("python").unwrap_or_default();
                Ok(Self::Trl { python, file: file.to_owned(), function: function.to_owned() })
            }
        }
    }

    /// The line that is run, with the shim's own text.
    fn line(self) -> Vec<String> {
        match self {
            Self::Line(line) => line,
            Self::Trl { python, file, function } => {
                vec![python, "-c".to_owned(), SHIM.to_owned(), file, function]
            }
        }
    }
}

struct CommandReward {
    task: Arc<Task>,
    line: Vec<String>,
    /// As messages name it.
    shown: String,
    folder: PathBuf,
    wording: Wording,
    timeout: Duration,
    batch: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<RunningCommand>,
    asked: u64,
    failures_in_a_row: u32,
    troubles: BTreeMap<String, u64>,
    metrics: BTreeMap<String, f64>,
}

impl CommandReward {
    fn make(making: &Making<'_>) -> Result<Built> {
        let settings = &making.settings;
        let program = Program::read(settings)?;
        let shown = match &program {
            Program::Line(line) => line.join(" "),
            Program::Trl { file, function, .. } => format!("{file}:{function}"),
        };
        let folder = match &making.helpers.programs {
            Programs::Trusted { folder } => folder.clone(),
            Programs::Refused(why) => return Ok(Built::Lacks(why.clone())),
            Programs::Unasked => {
                return Ok(Built::Lacks(format!("nobody has allowed `{shown}` to run")));
            }
        };
        Ok(Built::ready(Self {
            task: Arc::clone(making.task),
            line: program.line(),
            shown,
            folder,
            wording: if settings.flag("messages") { Wording::Messages } else { Wording::Texts },
            timeout: Duration::from_secs_f64(settings.need_number("timeout_seconds")?),
            batch: settings.whole("batch").unwrap_or(1024),
            state: Mutex::default(),
        }))
    }

    /// One batch asked and answered.
    fn ask(&self, attempts: &[Attempt<'_>]) -> Vec<RewardOutcome> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let not_applying = |why: &str| vec![RewardOutcome::does_not_apply(why); attempts.len()];
        if state.failures_in_a_row >= PATIENCE {
            let why = format!("`{}` was given up after {PATIENCE} failures in a row", self.shown);
            state.count(&why);
            return not_applying(&why);
        }
        match self.exchange(&mut state, attempts) {
            Ok(answered) => {
                state.failures_in_a_row = 0;
                state.metrics.extend(answered.metrics);
                for why in answered.outcomes.iter().filter_map(RewardOutcome::reason) {
                    state.count(why);
                }
                answered.outcomes
            }
            Err(why) => {
                // Whatever it still says would be taken for the next answer.
                state.running = None;
                state.failures_in_a_row += 1;
                let why = crate::domain::secret::mask(&format!("`{}` {why}", self.shown));
                state.count(&why);
                not_applying(&why)
            }
        }
    }

    fn exchange(&self, state: &mut State, attempts: &[Attempt<'_>]) -> Result<CommandOutcomes, String> {
        state.asked += 1;
        let id = state.asked;
        let line = question(&self.task, attempts, self.wording, id)?;
        if state.running.is_none() {
            state.running = Some(RunningCommand::start(&self.line, &self.folder)?);
        }
        let Some(running) = &mut state.running else { return Err("is not running".to_owned()) };
        let answer = running.exchange(line, self.timeout)?;
        lines::read(&answer, id, attempts.len())
    }
}

impl State {
    fn count(&mut self, why: &str) {
        if let Some(count) = self.troubles.get_mut(why) {
            *count += 1;
        } else if self.troubles.len() < TROUBLES {
            self.troubles.insert(why.to_owned(), 1);
        }
    }
}

impl Reward for CommandReward {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        one_of(self.score_batch(std::slice::from_ref(attempt), detail))
    }

    fn score_batch(&self, attempts: &[Attempt<'_>], _: ScoreDetail) -> Vec<RewardOutcome> {
        attempts.chunks(self.batch).flat_map(|batch| self.ask(batch)).collect()
    }

    fn highest(&self) -> Option<f64> {
        None
    }

    fn troubles(&self) -> Vec<(String, u64)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.troubles.iter().map(|(what, count)| (what.clone(), *count)).collect()
    }

    fn metrics(&self) -> Vec<(String, f64)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.metrics.iter().map(|(name, value)| (name.clone(), *value)).collect()
    }
}
