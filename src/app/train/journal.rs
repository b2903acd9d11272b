//! The run's own log: what happens, in words.

use crate::domain::counted::noun;
use crate::domain::run::MetricLine;
use crate::engine::train::host::TrainEvent;

/// A value of a line that is a number.
pub(super) fn number(line: &MetricLine, name: &str) -> Option<f64> {
    line.get(name)?.as_f64()
}

/// The run's own log says in words what happens.
pub(super) fn log(progress: &TrainEvent<'_>) {
    let show = |line: &MetricLine, name: &str| {
        number(line, name).map_or_else(|| "NaN".to_owned(), |n| format!("{n:.4}"))
    };
    match progress {
        TrainEvent::Began { step: 0, total_steps, .. } => {
            tracing::info!("begins: {total_steps} {}", noun(*total_steps, "step"));
        }
        TrainEvent::Began { step, total_steps, .. } => {
            tracing::info!("goes on after step {step} of {total_steps}");
        }
        TrainEvent::Rehearsed { tokens, seconds, memory_gb } => {
            tracing::info!("the largest batch, {tokens} tokens, fits: {seconds:.1} s, {memory_gb:.2} GB");
        }
        TrainEvent::Stepped { line, .. } => {
            let step = line.get("step").map(ToString::to_string).unwrap_or_default();
            tracing::debug!("step {step}: loss {}", show(line, "loss"));
        }
        TrainEvent::Evaluating { done, total } => tracing::trace!("evaluated {done} of {total} batches"),
        TrainEvent::Evaluated { line, .. } => {
            let step = line.get("step").map(ToString::to_string).unwrap_or_default();
            tracing::info!("step {step}: eval_loss {}", show(line, "eval_loss"));
        }
        TrainEvent::Sampled(sample) => tracing::info!("step {}: drew a sample", sample.step),
        TrainEvent::Saved { step } => tracing::info!("saved the checkpoint of step {step}"),
        TrainEvent::BestLost { why, .. } => tracing::warn!("{why}"),
        TrainEvent::StoppedEarly { step } => {
            tracing::info!("step {step}: the evaluation loss no longer falls");
        }
    }
}
