//! A sweep's runs trained one after the other: all to their end, or by successive halving. Each is a process of its own, so
//! that one that runs out of memory ends alone, and its log and signals are its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Sweep;
use crate::app::runs::{self, Launch};
use crate::domain::run::{RunFolder, Standing};
use crate::domain::sweep::{HalvingRound, SweepRun, best, rounds};

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum RaceEvent<'a> {
    /// So many runs train to this share of their steps.
    Round(HalvingRound),
    Begins(&'a SweepRun),
    /// It can't be trained; the sweep goes on without it.
    Failed(&'a SweepRun, String),
    /// It falls behind, and stays where it is.
    FallsBehind(&'a SweepRun),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RaceEnd {
    /// Every run is at its end, has fallen behind, or failed: so many.
    Over { failed: usize },
    /// Somebody stopped it or one of its runs.
    Stopped,
}

/// Trains the runs of a sweep.
pub struct Race<'a> {
    pub sweep: &'a Sweep,
    /// The program's own file.
    pub program: &'a Path,
    /// Never reach for the network.
    pub offline: bool,
    /// Told once somebody wants it to stop; the run in progress hears the signal itself.
    pub stop: &'a AtomicBool,
}

/// How a run's process ended.
enum RunEnd {
    /// At the share that was asked for, or at its end.
    Reached,
    Stopped,
    Failed(String),
}

impl Race<'_> {
    /// Trains what is not trained yet.
    ///
    /// # Errors
    /// Where a process can't be started or looked at.
    pub fn run(&self, told: &mut dyn FnMut(RaceEvent<'_>)) -> Result<RaceEnd> {
        let plan = &self.sweep.plan;
        let whole = vec![HalvingRound { runs: plan.runs.len(), share: 1.0 }];
        let rounds = if plan.halving { rounds(plan.runs.len()) } else { whole };
        let mut racing: Vec<&SweepRun> = plan.runs.iter().collect();
        let mut failed = 0;
        for round in rounds {
            let losses: Vec<Option<f64>> = racing.iter().map(|run| self.loss(run)).collect();
            let stay = best(&losses, round.runs);
            let (stay, behind): (Vec<_>, Vec<_>) =
                racing.iter().enumerate().partition(|(index, _)| stay.contains(index));
            behind.iter().for_each(|(_, run)| told(RaceEvent::FallsBehind(run)));
            racing = stay.into_iter().map(|(_, run)| *run).collect();
            told(RaceEvent::Round(HalvingRound { runs: racing.len(), ..round }));
            let mut went_on = Vec::with_capacity(racing.len());
            for run in racing {
                match self.train(run, round.share, told)? {
                    RunEnd::Reached => went_on.push(run),
                    RunEnd::Stopped => return Ok(RaceEnd::Stopped),
                    RunEnd::Failed(why) => {
                        failed += 1;
                        told(RaceEvent::Failed(run, why));
                    }
                }
            }
            racing = went_on;
        }
        Ok(RaceEnd::Over { failed })
    }

    /// By what a run is judged so far.
    fn loss(&self, run: &SweepRun) -> Option<f64> {
        last_eval(&self.sweep.run_folder(run)).map(|(_, loss)| loss)
    }

    fn train(&self, run: &SweepRun, share: f64, told: &mut dyn FnMut(RaceEvent<'_>)) -> Result<RunEnd> {
        let folder = self.sweep.run_folder(run);
        if has_reached(&folder, share) {
            return Ok(RunEnd::Reached);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Ok(RunEnd::Stopped);
        }
        told(RaceEvent::Begins(run));
        let mut child = self.start(run, &folder, share)?;
        let status = child.wait().context("wait for a run of the sweep")?;
        if has_reached(&folder, share) {
            return Ok(RunEnd::Reached);
        }
        let summary = runs::summarise(folder.path());
        let standing = summary.as_ref().map(|run| run.standing);
        if self.stop.load(Ordering::Relaxed) || standing == Some(Standing::Stopped) {
            return Ok(RunEnd::Stopped);
        }
        let why =
            summary.and_then(|run| run.state.why).unwrap_or_else(|| format!("its process ended: {status}"));
        Ok(RunEnd::Failed(why))
    }

    fn start(&self, run: &SweepRun, folder: &RunFolder, share: f64) -> Result<Child> {
        let begun = runs::summarise(folder.path());
        if let Some(begun) = &begun {
            ensure!(!begun.standing.is_live(), "the run {} is {} already", begun.name, begun.standing.name());
        }
        let launch = if begun.is_some() {
            Launch::Resume { folder: folder.clone() }
        } else {
            Launch::New { recipe: self.sweep.recipe(run), overrides: Vec::new(), folder: folder.clone() }
        };
        let mut command = Command::new(self.program);
        command.args(launch.arguments(None)).stdout(Stdio::null());
        if share < 1.0 {
            command.args(["--until", &share.to_string()]);
        }
        if self.offline {
            command.arg("--offline");
        }
        command.spawn().with_context(|| format!("start {}", self.program.display()))
    }
}

/// Whether a run is at its end, or has been evaluated at this share of its steps or after.
fn has_reached(folder: &RunFolder, share: f64) -> bool {
    let Some(run) = runs::summarise(folder.path()) else { return false };
    let state = &run.state;
    let step = (state.total_steps as f64 * share).ceil() as u64;
    run.standing == Standing::Done
        || (share < 1.0 && state.total_steps > 0 && last_eval(folder).is_some_and(|(at, _)| at >= step))
}

/// The last evaluation: its step and its loss.
pub(super) fn last_eval(folder: &RunFolder) -> Option<(u64, f64)> {
    let evaluated = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some((line.get("step")?.as_u64()?, line.get("eval_loss")?.as_f64()?))
    };
    runs::metrics_text(folder).lines().rev().find_map(evaluated)
}
