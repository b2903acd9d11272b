//! Two models on the items that both answered: McNemar's test if a metric is right or wrong, else the paired bootstrap;
//! Holm's correction over all comparisons by one metric; and the sentence that says it.

use super::evidence::Evidence;
use super::metric::EvalMetric;
use super::statistics::bootstrap::{self, paired};
use super::statistics::{holm, mcnemar};
use crate::domain::evaluation::{EvaluationPart, MetricDirection, MetricUnit, ModelComparison, PairedTest};

/// Compares two models by one metric; nothing if they share no item that it says something of.
#[must_use]
pub fn compare(
    metric: &EvalMetric,
    (first, first_evidence): (usize, &Evidence),
    (second, second_evidence): (usize, &Evidence),
    seed: u64,
) -> Option<ModelComparison> {
    let others = second_evidence.applies();
    let rows: Vec<usize> =
        first_evidence.applies().into_iter().filter(|row| others.binary_search(row).is_ok()).collect();
    if rows.is_empty() {
        return None;
    }
    let difference = |places: &[usize]| {
        let drawn: Vec<usize> = places.iter().filter_map(|&place| rows.get(place).copied()).collect();
        Some(second_evidence.value(&drawn)? - first_evidence.value(&drawn)?)
    };
    let found = paired(rows.len(), seed, &difference)?;
    let mut comparison = ModelComparison {
        metric: metric.name(),
        first,
        second,
        difference: found.difference,
        interval: Some((found.interval.low, found.interval.high)),
        p: found.p,
        adjusted_p: found.p,
        among: 1,
        test: PairedTest::Bootstrap,
        items: rows.len() as u64,
        only_first: None,
        only_second: None,
        told: String::new(),
    };
    let is_of_shares = metric.unit() == MetricUnit::Share;
    if is_of_shares && first_evidence.is_binary() && second_evidence.is_binary() {
        let only = |one: &Evidence, other: &Evidence| {
            let alone =
                |row: &&usize| one.is_right(**row) == Some(true) && other.is_right(**row) == Some(false);
            rows.iter().filter(alone).count() as u64
        };
        let only_first = only(first_evidence, second_evidence);
        let only_second = only(second_evidence, first_evidence);
        comparison.test = PairedTest::McNemar;
        comparison.p = mcnemar::exact(only_first, only_second);
        comparison.adjusted_p = comparison.p;
        (comparison.only_first, comparison.only_second) = (Some(only_first), Some(only_second));
    }
    Some(comparison)
}

/// Corrects all comparisons by the same metric, over all parts, and writes the sentences.
pub fn settle(parts: &mut [EvaluationPart], names: &[String]) {
    let mut metrics: Vec<String> =
        parts.iter().flat_map(|part| &part.comparisons).map(|one| one.metric.clone()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    for metric in metrics {
        let mut family: Vec<&mut ModelComparison> = parts
            .iter_mut()
            .flat_map(|part| &mut part.comparisons)
            .filter(|one| one.metric == metric)
            .collect();
        let p: Vec<f64> = family.iter().map(|one| one.p).collect();
        let among = p.len() as u64;
        for (one, adjusted) in family.iter_mut().zip(holm::adjusted(&p)) {
            (one.adjusted_p, one.among) = (adjusted, among);
        }
    }
    for part in parts {
        let units: Vec<(String, MetricUnit, MetricDirection)> = part
            .results
            .iter()
            .flat_map(|result| &result.figures)
            .map(|figure| (figure.metric.clone(), figure.unit, figure.better))
            .collect();
        for one in &mut part.comparisons {
            if let Some((_, unit, better)) = units.iter().find(|(name, ..)| *name == one.metric) {
                one.told = told(one, (*unit, *better), names);
            }
        }
    }
}

/// The outcome in a sentence.
fn told(one: &ModelComparison, (unit, better): (MetricUnit, MetricDirection), names: &[String]) -> String {
    let name = |model: usize| names.get(model).map_or("?", String::as_str);
    let (first, second, metric) = (name(one.first), name(one.second), &one.metric);
    let alone = match (one.only_first, one.only_second) {
        // Of what is better the rarer, nobody is right.
        (Some(a), Some(b)) if better != MetricDirection::Higher => {
            format!("; {a} of {first} alone, {b} of {second} alone")
        }
        (Some(a), Some(b)) => format!("; {a} only {first} has right, {b} only {second}"),
        _ => String::new(),
    };
    let items = format!("{} items{alone}", one.items);
    if one.difference == 0.0 {
        return format!("{second} and {first}: no difference in {metric} ({items})");
    }
    let difference = unit.difference(one.difference);
    let chance = if one.could_be_chance() { "could be chance" } else { "is unlikely to be chance" };
    let among =
        if one.among > 1 { format!(", corrected for {} comparisons", one.among) } else { String::new() };
    let p = shown_p(one.adjusted_p, one.test);
    format!(
        "{second} against {first}: the difference in {metric}, {difference}, {chance} ({p}{among}; {items})"
    )
}

/// A bootstrap can't tell a p below one in its draws.
fn shown_p(p: f64, test: PairedTest) -> String {
    let least = match test {
        PairedTest::McNemar => 0.001,
        PairedTest::Bootstrap => 1.1 / bootstrap::RESAMPLES as f64,
    };
    if p < least { format!("p < {:.3}", least.max(0.001)) } else { format!("p = {p:.3}") }
}
