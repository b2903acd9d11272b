//! A figure of a run as it comes: a line of bars that grows with the steps.

use crate::app::train::host::Listener;
use crate::cli::progress::{RunBar, StepLine, time_left};
use crate::domain::run::{Phase, RunState};
use crate::engine::train::host::TrainEvent;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Bars at most; a longer run shows its steps in groups.
const WIDTH: usize = 48;

pub(super) struct LiveChart {
    figure: &'static str,
    values: Vec<f64>,
    bar: RunBar,
}

impl LiveChart {
    pub(super) fn new(name: &str, figure: &'static str) -> Self {
        Self { figure, values: Vec::new(), bar: RunBar::new(name, "{prefix} {pos}/{len} {msg}") }
    }

    fn show(&self, state: &RunState) {
        let last = self.values.last().copied().unwrap_or(f64::NAN);
        let message = format!("{} {} {last:.3}{}", self.figure, spark(&self.values), time_left(state));
        // Where nothing can be drawn over, some eight lines of it.
        let line = state.step.is_multiple_of((state.total_steps / 8).max(1));
        self.bar.show(message, state, StepLine::told_if(line));
    }
}

impl Listener for LiveChart {
    fn heard(&mut self, progress: &TrainEvent<'_>, state: &RunState) {
        match progress {
            TrainEvent::Began { step, total_steps, .. } => self.bar.begin(*step, *total_steps),
            TrainEvent::Stepped { line, .. } => {
                self.values.extend(line.get(self.figure).and_then(serde_json::Value::as_f64));
                self.show(state);
            }
            TrainEvent::Evaluated { line, .. } => {
                if let Some(loss) = line.get("eval_loss").and_then(serde_json::Value::as_f64) {
                    self.bar.note(&format!("step {}: eval_loss {loss:.3}", state.step));
                }
            }
            TrainEvent::Rehearsed { .. }
            | TrainEvent::Sampled(_)
            | TrainEvent::Saved { .. }
            | TrainEvent::Evaluating { .. }
            | TrainEvent::BestLost { .. }
            | TrainEvent::StoppedEarly { .. } => {}
        }
    }

    fn phase(&mut self, state: &RunState) {
        if matches!(state.phase, Phase::Done | Phase::Stopped | Phase::Failed) {
            self.bar.end();
        }
    }
}

/// From the lowest to the highest value in eight heights; several steps share a bar where there are many.
fn spark(values: &[f64]) -> String {
    let group = values.len().div_ceil(WIDTH).max(1);
    let means: Vec<f64> =
        values.chunks(group).map(|part| part.iter().sum::<f64>() / part.len() as f64).collect();
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |value: f64| ((value - low) / (high - low).max(1e-9) * 7.0).round() as usize;
    means.iter().filter_map(|value| BARS.get(height(*value))).copied().collect()
}
