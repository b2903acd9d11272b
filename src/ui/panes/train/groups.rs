//! Which metrics share a chart, and in which order charts stand. Every metric that a run logs has a place; names that
//! nobody knows yet stand by themselves, or together where they share what is before the slash.

use crate::app::store::runs::RunData;

/// Metrics that are drawn in one chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MetricGroup {
    pub(super) title: String,
    pub(super) metrics: Vec<Metric>,
    rank: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: String,
    /// `train`, `eval`, or what tells it from the others of its chart.
    pub(super) label: String,
}

impl MetricGroup {
    /// Whether a metric is drawn here.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.metrics.iter().any(|metric| metric.name == name)
    }
}

/// Titles in the order in which people look at them; what is not named stands before the last four.
const ORDER: [&str; 19] = [
    "loss",
    "reward",
    "rewards",
    "eval rewards",
    "rewards/accuracies",
    "accuracy",
    "grad_norm",
    "learning_rate",
    "kl",
    "entropy",
    "completion length",
    "completions/clipped_ratio",
    "frac_reward_zero_std",
    "reward std",
    "",
    "tokens_per_second",
    "memory_gb",
    "num_tokens",
    "epoch",
];
const UNNAMED: usize = 14;

/// The charts of some runs, in order.
pub(super) fn groups<'a>(runs: impl Iterator<Item = &'a RunData>) -> Vec<MetricGroup> {
    let mut groups: Vec<MetricGroup> = Vec::new();
    for (name, _) in runs.flat_map(|run| run.series.iter()) {
        let (title, label) = place(name);
        let metric = Metric { name: name.to_owned(), label };
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) if group.metrics.contains(&metric) => {}
            Some(group) => group.metrics.push(metric),
            None => {
                let rank = ORDER.iter().position(|known| *known == title).unwrap_or(UNNAMED);
                groups.push(MetricGroup { title, metrics: vec![metric], rank });
            }
        }
    }
    for group in &mut groups {
        group.metrics.sort_by_key(|metric| (metric.name.starts_with("eval_"), metric.label != "total"));
    }
    groups.sort_by_key(|group| group.rank);
    groups
}

/// A metric's chart, and its name there.
fn place(name: &str) -> (String, String) {
    let (part, base) = match name.strip_prefix("eval_") {
        Some(base) => ("eval", base),
        None => ("train", name),
    };
    let (title, label) = match base.split_once('/') {
        None if base == "reward" => ("reward", "total"),
        None if base == "reward_std" => ("reward std", "total"),
        None if base == "mean_token_accuracy" => ("accuracy", ""),
        None => (base, ""),
        Some(("rewards", rest)) => match rest.rsplit_once('/') {
            Some((reward, "mean")) => ("reward", reward),
            Some((reward, "std")) => ("reward std", reward),
            None if rest == "accuracies" => (base, ""),
            // Apart, so that the names of three lines have room, and not those of six.
            Some(_) | None if part == "eval" => ("eval rewards", rest),
            Some(_) | None => ("rewards", rest),
        },
        Some(("completions", rest)) => match rest.strip_suffix("_terminated_length") {
            Some(which) => ("terminated length", which),
            None => match rest.strip_suffix("_length") {
                Some(which) => ("completion length", which),
                None => (base, ""),
            },
        },
        Some(("sampling", rest)) => match rest.split_once('/') {
            Some(("sampling_logp_difference", which)) => ("sampler gap", which),
            Some(("importance_sampling_ratio", which)) => ("sampler ratio", which),
            Some(_) | None => (base, ""),
        },
        Some((group, rest)) => (group, rest),
    };
    let label = match (label, part) {
        (label, _) if title == "eval rewards" => label.to_owned(),
        ("", part) => part.to_owned(),
        (label, "eval") => format!("eval {label}"),
        (label, _) => label.to_owned(),
    };
    (title.to_owned(), label)
}
