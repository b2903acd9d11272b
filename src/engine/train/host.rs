//! Who looks after a run: it hears of progress and says whether to go on. Headless runs, run folders and tests each
//! bring their own.

use std::sync::Arc;

use anyhow::Result;

use crate::adapter::Adapter;
use dojo_core::domain::run::{MetricLine, Sample};

/// Called by the loop; everything that leaves it and everything that steers it goes through here.
pub trait Host {
    /// Called before each step, each evaluation batch and each generated token. May block while the run is paused.
    ///
    /// # Errors
    /// Where the host itself fails; the run then fails.
    fn tick(&mut self) -> Result<HostRequest>;

    /// Asked in the middle of a pass over a batch, by whichever thread computes, with the share of it that is done
    /// (not a number where that isn't known): whether it goes on. On a slow machine a pass takes minutes, and a run that is to end need not come to its end.
    fn brake(&self) -> Brake {
        nobody()
    }

    /// Told of each fact as it happens.
    fn report(&mut self, progress: &TrainEvent<'_>);
}

/// See [`Host::brake`].
pub type Brake = Arc<dyn Fn(f64) -> bool + Send + Sync>;

/// The brake of what nobody ends.
#[must_use]
pub fn nobody() -> Brake {
    Arc::new(|_| true)
}

/// What the host wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostRequest {
    GoOn,
    /// Save a checkpoint at once, and go on.
    Checkpoint,
    /// Save a checkpoint and end.
    Stop,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainEvent<'a> {
    /// `step` is above 0 where the run was resumed.
    Began {
        step: u64,
        total_steps: u64,
        /// The best evaluation so far, as the checkpoint has it.
        best_eval_loss: Option<f64>,
    },
    /// The largest batch went through without an update.
    Rehearsed {
        tokens: usize,
        seconds: f64,
        memory_gb: f64,
    },
    Stepped {
        line: &'a MetricLine,
        seconds_left: f64,
    },
    /// So many batches of an evaluation are done.
    Evaluating {
        done: usize,
        total: usize,
    },
    Evaluated {
        line: &'a MetricLine,
        best: bool,
    },
    Sampled(&'a Sample),
    Saved {
        step: u64,
    },
    /// The evaluation loss no longer falls.
    StoppedEarly {
        step: u64,
    },
    /// The best values can't be read any more, so that the last ones are the run's adapter.
    BestLost {
        step: u64,
        why: &'a str,
    },
}

/// Answers prompts with the adapter as it stands.
pub trait Sampler {
    /// The answer to a user's prompt, greedily decoded; `None` where `go_on` said no.
    ///
    /// # Errors
    /// Where the device fails or the prompt doesn't fit the context.
    fn answer(
        &mut self,
        adapter: &Adapter,
        prompt: &str,
        max_new_tokens: usize,
        go_on: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<Option<String>>;
}
