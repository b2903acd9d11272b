//! What differs between the recipes of runs, and which runs are a study: the same but for one key.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::run_info::RunInfo;

/// The recipes of some runs beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// The runs, in the order of the values.
    pub names: Vec<String>,
    /// Keys whose values differ, with those of each run; none where a run's recipe leaves the key out.
    pub differing: Vec<(String, Vec<Option<String>>)>,
    /// Keys that all have, with the value that all share.
    pub same: Vec<(String, String)>,
}

/// Compares the recipes of some runs, key by key in alphabetical order.
#[must_use]
pub fn compare(runs: &[&RunInfo]) -> Compared {
    let keys: BTreeSet<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    let mut compared =
        Compared { names: runs.iter().map(|run| run.id.name()).collect(), ..Compared::default() };
    for key in keys {
        let values: Vec<Option<String>> = runs.iter().map(|run| run.settings.get(key).cloned()).collect();
        match values.first() {
            Some(Some(first)) if values.iter().all(|value| value.as_ref() == Some(first)) => {
                compared.same.push((key.clone(), first.clone()));
            }
            _ => compared.differing.push((key.clone(), values)),
        }
    }
    compared
}

/// The run that was started last before this one.
#[must_use]
pub fn before<'a>(run: &RunInfo, all: &[&'a RunInfo]) -> Option<&'a RunInfo> {
    let started = |run: &RunInfo| run.state.as_ref().map(|state| state.started);
    let own = started(run)?;
    let earlier = all.iter().filter(|other| other.id != run.id && started(other).is_some_and(|at| at < own));
    earlier.max_by(|a, b| started(a).unwrap_or(0.0).total_cmp(&started(b).unwrap_or(0.0))).copied()
}

/// Runs that differ in one key alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Study<'a> {
    pub key: String,
    /// At least three: the lowest evaluation loss first, those without one last.
    pub runs: Vec<&'a RunInfo>,
}

/// The study that a run belongs to.
#[must_use]
pub fn study<'a>(run: &'a RunInfo, all: &[&'a RunInfo]) -> Option<Study<'a>> {
    let mut by_key: BTreeMap<String, Vec<&'a RunInfo>> = BTreeMap::new();
    for &other in all.iter().filter(|other| other.id != run.id) {
        let mut differing = compare(&[run, other]).differing;
        if let (1, Some((key, _))) = (differing.len(), differing.pop()) {
            by_key.entry(key).or_default().push(other);
        }
    }
    let (key, mut runs) =
        by_key.into_iter().max_by_key(|(_, runs)| runs.len()).filter(|(_, runs)| runs.len() > 1)?;
    runs.push(run);
    runs.sort_by(|a, b| loss(a).total_cmp(&loss(b)).then_with(|| a.id.cmp(&b.id)));
    Some(Study { key, runs })
}

fn loss(run: &RunInfo) -> f64 {
    run.state.as_ref().and_then(|state| state.best_eval_loss).unwrap_or(f64::INFINITY)
}

impl Study<'_> {
    /// Whether none of its runs goes on.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.runs.iter().all(|run| !run.standing().is_live())
    }

    /// `train.learning_rate of 3 runs: 0.0001 eval 1.842 · 0.0002 eval 1.977 · 0.001 –`, the best first.
    #[must_use]
    pub fn summary(&self) -> String {
        let each = self.runs.iter().map(|run| {
            let value = run.settings.get(&self.key).map_or("default", String::as_str);
            let loss = loss(run);
            if loss.is_finite() { format!("{value} eval {loss:.3}") } else { format!("{value} –") }
        });
        format!("{} of {} runs: {}", self.key, self.runs.len(), each.collect::<Vec<_>>().join(" · "))
    }
}
