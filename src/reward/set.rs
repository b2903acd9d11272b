//! The rewards of one table, made and weighted: what training, evaluation and the bench call.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::helpers::Helpers;
use super::settings::RewardSettings;
use super::{Built, Making, Reward, kind_of};
use crate::domain::reward::{
    Attempt, CompletionScorer, RewardOutcome, RewardPart, RewardTotal, RewardUse, ScoreDetail,
};
use crate::task::Task;

/// Rewards with their weights.
pub struct RewardSet {
    rows: Vec<Row>,
    own_threads: Option<rayon::ThreadPool>,
}

struct Row {
    name: String,
    weight: f64,
    reward: MadeReward,
}

enum MadeReward {
    Ready(Box<dyn Reward>),
    Lacks(String),
}

/// On which threads completions are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// The caller's pool, which computes too.
    Shared,
    /// As many of its own, so that scoring takes none of those that compute.
    Own(usize),
}

impl RewardSet {
    /// Makes the rewards of a table. One that lacks what it needs does not apply; [`Self::lacking`] names it.
    ///
    /// # Errors
    /// Where the table is empty, or a name, key or value in it is wrong; the sentence names it.
    pub fn new(task: &Arc<Task>, rows: &[RewardUse], helpers: &Helpers, threads: Threads) -> Result<Self> {
        ensure!(
            !rows.is_empty(),
            "the task {} names no rewards: add [score.rewards] with a line such as `length = 1.0`",
            task.name
        );
        let made = rows.iter().map(|row| {
            let kind = kind_of(row)?;
            let settings = RewardSettings::check(row, kind.keys)?;
            let built = (kind.build)(&Making { task, settings, helpers })
                .with_context(|| format!("make the reward {}", row.name))?;
            let reward = match built {
                Built::Ready(reward) => MadeReward::Ready(reward),
                Built::Lacks(what) => MadeReward::Lacks(what),
            };
            Ok(Row { name: row.name.clone(), weight: row.weight, reward })
        });
        let rows = made.collect::<Result<_>>()?;
        let pool = |count| {
            let named =
                rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(|n| format!("reward {n}"));
            named.build().context("start the threads that score")
        };
        let own_threads = match threads {
            Threads::Shared => None,
            Threads::Own(count) => Some(pool(count)?),
        };
        Ok(Self { rows, own_threads })
    }

    /// The task's own rewards.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_task(task: &Arc<Task>, helpers: &Helpers) -> Result<Self> {
        Self::new(task, &task.rewards, helpers, Threads::Shared)
            .with_context(|| format!("read the rewards of the task {}", task.name))
    }

    /// Rewards that can't say anything, and what they lack.
    pub fn lacking(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().filter_map(|row| match &row.reward {
            MadeReward::Lacks(what) => Some((row.name.as_str(), what.as_str())),
            MadeReward::Ready(_) => None,
        })
    }

    /// The highest total that there can be, if that is known of every reward.
    #[must_use]
    pub fn highest(&self) -> Option<f64> {
        let highest = |row: &Row| match &row.reward {
            // What can't be said adds nothing; a negative weight is best at a value of 0.
            MadeReward::Lacks(_) => Some(0.0),
            MadeReward::Ready(_) if row.weight < 0.0 => Some(0.0),
            MadeReward::Ready(reward) => Some(row.weight * reward.highest()?),
        };
        self.rows.iter().map(highest).sum()
    }

    /// What went wrong so far, by reward, with how often.
    #[must_use]
    pub fn troubles(&self) -> Vec<(String, String, u64)> {
        let of_row = |row: &Row| match &row.reward {
            MadeReward::Ready(reward) => reward.troubles(),
            MadeReward::Lacks(_) => Vec::new(),
        };
        let named = |row: &Row| {
            of_row(row).into_iter().map(|(what, count)| (row.name.clone(), what, count)).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(named).collect()
    }

    /// Numbers that rewards log besides, as `reward/name`, as they were last.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let of_row = |row: &Row| match &row.reward {
            MadeReward::Ready(reward) => reward.metrics(),
            MadeReward::Lacks(_) => Vec::new(),
        };
        let named = |row: &Row| {
            let own = of_row(row).into_iter();
            own.map(|(name, value)| (format!("{}/{name}", row.name), value)).collect::<Vec<_>>()
        };
        self.rows.iter().flat_map(named).collect()
    }

    fn score_here(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardTotal> {
        let mut totals: Vec<RewardTotal> = attempts
            .iter()
            .map(|_| RewardTotal { value: None, parts: Vec::with_capacity(self.rows.len()) })
            .collect();
        for row in &self.rows {
            let outcomes = match &row.reward {
                MadeReward::Ready(reward) => reward.score_batch(attempts, detail),
                MadeReward::Lacks(what) => vec![RewardOutcome::does_not_apply(what.as_str()); attempts.len()],
            };
            for (total, outcome) in totals.iter_mut().zip(outcomes) {
                add(total, row, finite(outcome));
            }
        }
        totals
    }
}

impl CompletionScorer for RewardSet {
    fn rewards(&self) -> Vec<(String, f64)> {
        self.rows.iter().map(|row| (row.name.clone(), row.weight)).collect()
    }

    fn score(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardTotal> {
        match &self.own_threads {
            Some(pool) => pool.install(|| self.score_here(attempts, detail)),
            None => self.score_here(attempts, detail),
        }
    }
}

fn add(total: &mut RewardTotal, row: &Row, outcome: RewardOutcome) {
    if let Some(value) = outcome.value() {
        total.value = Some(total.value.unwrap_or(0.0) + row.weight * value);
    }
    total.parts.push(RewardPart { name: row.name.clone(), weight: row.weight, outcome });
}

/// A value that is no number would spoil the mean of its group.
fn finite(outcome: RewardOutcome) -> RewardOutcome {
    match outcome.value() {
        Some(value) if !value.is_finite() => RewardOutcome::does_not_apply(format!("it gave {value}")),
        Some(_) | None => outcome,
    }
}
