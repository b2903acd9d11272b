//! How long steps take, so that those of a server can be kept short, and tokens are guessed only if
//! that saves time on this machine.

use std::time::Duration;

/// A new step's part in the means: prompts and caches grow, and a machine's other work comes and goes.
const NEW: f64 = 0.1;
/// Rows of a step that may be like those that generate: prompts' steps use the processor better.
const FEW: usize = 32;
/// What a further row costs, as a part of a step with one, before it was measured.
const UNMEASURED: f64 = 0.2;

/// Means of the last steps.
#[derive(Debug, Default)]
pub(super) struct StepPace {
    /// What steps that read prompts get done in a second, in the units of a token's cost.
    reading: Option<f64>,
    few: LeastSquares,
}

impl StepPace {
    /// Takes a step of so many rows into the means, with what they cost if it read of prompts.
    pub(super) fn note(&mut self, rows: usize, reads: Option<f64>, took: Duration) {
        let seconds = took.as_secs_f64().max(1e-6);
        if rows <= FEW {
            self.few.note(rows as f64, seconds);
        }
        if let Some(cost) = reads {
            let now = cost / seconds;
            self.reading = Some(self.reading.map_or(now, |before| before + 2.0 * NEW * (now - before)));
        }
    }

    /// What a step of this length gets done, about; nothing before the first step.
    pub(super) fn read_within(&self, time: Duration) -> Option<f64> {
        self.reading.map(|pace| pace * time.as_secs_f64())
    }

    /// What a further row costs, as a part of what a step with so many rows takes.
    pub(super) fn cost_of_a_row(&self, rows: usize) -> f64 {
        self.few.cost(rows as f64).unwrap_or(UNMEASURED).clamp(0.01, 1.0)
    }
}

/// A line through (rows, seconds) by least squares, old points counting less and less.
#[derive(Debug, Default)]
struct LeastSquares {
    weight: f64,
    rows: f64,
    seconds: f64,
    rows_rows: f64,
    rows_seconds: f64,
}

impl LeastSquares {
    fn note(&mut self, rows: f64, seconds: f64) {
        let mean = |old: &mut f64, new: f64| *old += NEW * (new - *old);
        mean(&mut self.weight, 1.0);
        mean(&mut self.rows, rows);
        mean(&mut self.seconds, seconds);
        mean(&mut self.rows_rows, rows * rows);
        mean(&mut self.rows_seconds, rows * seconds);
    }

    /// The slope as a part of the line's height at `rows`; nothing while all points have the same rows.
    fn cost(&self, rows: f64) -> Option<f64> {
        let spread = self.weight * self.rows_rows - self.rows * self.rows;
        if spread < 1e-3 {
            return None;
        }
        let slope = (self.weight * self.rows_seconds - self.rows * self.seconds) / spread;
        let height = (self.seconds + slope * (rows * self.weight - self.rows)) / self.weight;
        (height > 0.0).then(|| slope / height)
    }
}
