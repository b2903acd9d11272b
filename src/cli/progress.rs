//! How a training run looks in a terminal: one bar, or a line now and then where there is no terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::print;
pub(super) use super::pull::Bar as Pull;
use crate::app::train::host::{Listener, best_lost};
use crate::domain::run::{MetricLine, Phase, RunState};
use crate::engine::train::host::TrainEvent;

/// A run's bar on a terminal; elsewhere lines.
pub(super) struct RunBar {
    name: String,
    bar: Option<ProgressBar>,
}

impl RunBar {
    /// A bar that looks as `template` says.
    pub(super) fn new(name: &str, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(template);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_prefix(name.to_owned())
        });
        Self { name: name.to_owned(), bar }
    }

    /// A line that stays: above the bar, or by itself.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| print::complain(text)),
            None => print::complain(text),
        }
    }

    pub(super) fn begin(&self, step: u64, total_steps: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total_steps);
            bar.set_position(step);
        }
        if step > 0 {
            self.note(&format!("going on after step {step} of {total_steps}"));
        }
    }

    /// How far the run is.
    pub(super) fn show(&self, message: String, state: &RunState, elsewhere: StepLine) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(state.step);
                bar.set_message(message);
            }
            None if elsewhere == StepLine::Told => {
                print::complain(&format!("{} {}/{} {message}", self.name, state.step, state.total_steps));
            }
            None => {}
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }
}

/// Whether a step gets a line where there is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepLine {
    Told,
    Left,
}

impl StepLine {
    pub(super) const fn told_if(told: bool) -> Self {
        if told { Self::Told } else { Self::Left }
    }
}

/// In words, behind what else is said of a run.
pub(super) fn time_left(state: &RunState) -> String {
    state.seconds_left.map_or_else(String::new, |left| format!("  {} left", duration(left)))
}

/// A bar with loss, speed and time left.
pub(super) struct TrainProgress {
    bar: RunBar,
    eval_loss: Option<f64>,
    said: String,
}

impl TrainProgress {
    pub(super) fn new(name: &str) -> Self {
        let bar = RunBar::new(name, "{prefix} {bar:24} {pos}/{len} {msg}");
        Self { bar, eval_loss: None, said: String::new() }
    }

    fn stepped(&self, line: &MetricLine, state: &RunState) {
        let number = |name: &str| line.get(name).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN);
        let eval = self.eval_loss.map_or_else(String::new, |loss| format!("  eval {loss:.4}"));
        let left = time_left(state);
        let message =
            format!("loss {:.4}{eval}  {:.0} tok/s{left}", number("loss"), number("tokens_per_second"));
        // Without a terminal: the first steps, then about a hundred lines in all.
        let line = state.step <= 3 || state.step.is_multiple_of((state.total_steps / 100).max(1));
        self.bar.show(message, state, StepLine::told_if(line));
    }
}

impl Listener for TrainProgress {
    fn heard(&mut self, progress: &TrainEvent<'_>, state: &RunState) {
        match progress {
            TrainEvent::Began { step, total_steps, .. } => self.bar.begin(*step, *total_steps),
            TrainEvent::Rehearsed { tokens, seconds, memory_gb } => {
                self.bar.note(&format!(
                    "the largest batch, {tokens} tokens, fits: {seconds:.1} s, {memory_gb:.2} GB"
                ));
            }
            TrainEvent::Stepped { line, .. } => self.stepped(line, state),
            TrainEvent::Evaluated { line, .. } => {
                self.eval_loss = line.get("eval_loss").and_then(serde_json::Value::as_f64);
                let loss = self.eval_loss.unwrap_or(f64::NAN);
                self.bar.note(&format!("step {}: eval_loss {loss:.4}", state.step));
            }
            TrainEvent::Sampled(sample) => {
                self.bar.note(&format!("step {}: {}\n{}", sample.step, sample.prompt, sample.completion));
            }
            TrainEvent::Saved { .. } | TrainEvent::Evaluating { .. } => {}
            TrainEvent::BestLost { step, why } => {
                self.bar.note(&format!("warning: {}", best_lost(*step, why)));
            }
            TrainEvent::StoppedEarly { step } => {
                self.bar.note(&format!("step {step}: the evaluation loss no longer falls; that is the end"));
            }
        }
    }

    fn phase(&mut self, state: &RunState) {
        let text = match (state.phase, &state.why) {
            (Phase::Starting, Some(doing)) => doing.clone(),
            (Phase::Queued | Phase::Running | Phase::Paused, Some(why)) if state.is_stopping() => why.clone(),
            (Phase::Running, Some(why)) if state.is_pausing() => why.clone(),
            (Phase::Paused, _) => "paused".to_owned(),
            (Phase::Running, _) if self.said.starts_with("paus") => "going on".to_owned(),
            (Phase::Done | Phase::Stopped | Phase::Failed, _) => {
                self.bar.end();
                return;
            }
            _ => return,
        };
        if text != self.said {
            self.bar.note(&text);
            self.said = text;
        }
    }
}

/// Hours, minutes and seconds, the two largest that count.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}
