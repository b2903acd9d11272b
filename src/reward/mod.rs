//! Rewards: what a completion of a record is worth, as a number with its parts and reasons. One file for each reward,
//! and a row in [`KINDS`]. Knows no model, teacher, session or terminal: what needs one is handed in ([`helpers`]).

mod against;
pub mod answer;
pub mod bench;
mod bleu;
mod command;
mod format;
pub mod helpers;
mod judge;
mod label;
mod length;
mod logical_equivalence;
mod meteor;
mod query_expansion;
mod repetition;
mod rouge;
mod set;
pub mod settings;
mod similarity;
mod syntactic_diversity;
pub mod text;

pub use command::{NAME as COMMAND, command_line};
pub use query_expansion::{QueryExpansionScore, score as score_query_expansion};
pub use set::{RewardSet, Threads};

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;

use crate::domain::reward::{Attempt, RewardOutcome, RewardUse, ScoreDetail};
use crate::task::Task;
use helpers::Helpers;
use settings::{RewardSettings, SettingKey, nearest};

/// One reward, ready to score. Equal attempts get equal outcomes, but for judges and programs.
pub trait Reward: Send + Sync {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome;

    /// Many at once, in their order: in parallel, unless a reward knows a quicker way.
    fn score_batch(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardOutcome> {
        attempts.par_iter().map(|attempt| self.score(attempt, detail)).collect()
    }

    /// The highest value that it can give, if there is one.
    fn highest(&self) -> Option<f64> {
        Some(1.0)
    }

    /// Numbers that it logs besides, by name, as they were last.
    fn metrics(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// What went wrong so far, with how often: time-outs, restarts, answers that could not be read.
    fn troubles(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// A row of the table of rewards.
pub struct RewardKind {
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    pub keys: &'static [SettingKey],
    build: fn(&Making<'_>) -> Result<Built>,
}

/// What a reward is made from.
struct Making<'a> {
    task: &'a Arc<Task>,
    settings: RewardSettings<'a>,
    helpers: &'a Helpers,
}

/// A reward, or what it lacks.
enum Built {
    Ready(Box<dyn Reward>),
    Lacks(String),
}

impl Built {
    fn ready(reward: impl Reward + 'static) -> Self {
        Self::Ready(Box::new(reward))
    }
}

/// Every reward there is.
pub const KINDS: &[RewardKind] = &[
    answer::KIND,
    bleu::KIND,
    command::KIND,
    format::KIND,
    judge::KIND,
    label::KIND,
    length::KIND,
    logical_equivalence::KIND,
    meteor::KIND,
    query_expansion::KIND,
    query_expansion::guarded::KIND,
    repetition::KIND,
    rouge::KIND,
    similarity::KIND,
    syntactic_diversity::KIND,
];

/// The reward of that name.
///
/// # Errors
/// Where there is none; the sentence says which is near.
pub fn kind(name: &str) -> Result<&'static RewardKind> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        return Ok(kind);
    }
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    match nearest(known.iter().copied(), name) {
        Some(near) => bail!("there is no reward {name:?}; the nearest is {near}"),
        None => bail!("there is no reward {name:?}; there are {}", known.join(", ")),
    }
}

/// The reward that a row means.
fn kind_of(row: &RewardUse) -> Result<&'static RewardKind> {
    // The key that holds the name: the row's own, or `reward` in it.
    let key = if row.reward == row.name { String::new() } else { ".reward".to_owned() };
    kind(&row.reward).with_context(|| format!("rewards.{}{key}", row.name))
}

/// Checks rows without making anything: names and keys.
///
/// # Errors
/// The first that is wrong, by its name.
pub fn check(rows: &[RewardUse]) -> Result<()> {
    rows.iter().try_for_each(|row| RewardSettings::check(row, kind_of(row)?.keys).map(drop))
}
