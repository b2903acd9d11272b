//! Whether a reward can be cheated: reference answers have to score near the top, empty ones at the floor, and what is no
//! answer stays low.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::dataset::mean;
use super::panel::{Adversary, AttackPanel, ReferencedRecord};
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, CompletionScorer, ScoreDetail};
use crate::reward::RewardSet;
use crate::task::Task;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Audit {
    pub task: String,
    pub records: usize,
    /// The highest total that there can be, if that is known.
    pub highest: Option<f64>,
    pub rewards: Vec<String>,
    /// Rewards of the table that can't say anything here, and what they lack: the others alone are not the reward.
    pub lacking: Vec<LackingReward>,
    pub rows: Vec<AuditRow>,
    /// What is wrong, in sentences; nothing, if the reward holds.
    pub problems: Vec<String>,
}

/// A reward that can't say anything here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LackingReward {
    pub name: String,
    pub lacks: String,
}

/// One way to answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    pub adversary: Adversary,
    /// Records for which it had something to say, and a reward something to say of it.
    pub scored: usize,
    pub mean: Option<f64>,
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
    /// How much of what a reference gains over an empty answer it gains.
    pub share: Option<f64>,
    /// The mean of each reward; nothing, if it applies to none of the answers.
    pub rewards: Vec<Option<f64>>,
    pub verdict: AuditVerdict,
    /// An answer of it, for reading.
    pub example: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditVerdict {
    Fine,
    Cheats,
    /// Nothing could be said.
    NotTried,
    /// A part of the reward is lacking, so nothing is said of what is left.
    NotJudged,
}

/// The share of the highest total that references have to reach.
const NEAR_TOP: f64 = 0.5;
/// Of what references get, the share that nothing at all may get.
const FLOOR: f64 = 0.1;

/// Scores the panel over the first `most` records that have an answer.
///
/// # Errors
/// Where no record has an answer, or no reward says anything of any.
pub fn audit(task: &Task, set: &RewardSet, records: &[Record], most: usize) -> Result<Audit> {
    let answered: Vec<ReferencedRecord<'_>> = records
        .iter()
        .filter_map(|record| {
            let reference = task.answer_to_learn(record).ok()??;
            Some(ReferencedRecord { record, reference })
        })
        .take(most)
        .collect();
    ensure!(
        !answered.is_empty(),
        "none of the {} records has a reference answer under the task {}",
        records.len(),
        task.name
    );
    let panel = AttackPanel::new(task, &answered);
    let mut rows: Vec<AuditRow> =
        Adversary::ALL.into_iter().map(|adversary| row(&panel, &answered, set, adversary)).collect();
    let of = |rows: &[AuditRow], adversary| rows.iter().find(|row| row.adversary == adversary).cloned();
    let reference = of(&rows, Adversary::Reference).filter(|row| row.mean.is_some());
    let Some(reference) = reference else {
        anyhow::bail!("no reward says anything of the reference answers: {}", why_not(set, &answered));
    };
    let lacking = lacking(set);
    let weights: Vec<f64> = set.rewards().into_iter().map(|(_, weight)| weight).collect();
    let empty = of(&rows, Adversary::Empty).unwrap_or_else(|| reference.nothing());
    let mut problems = Vec::new();
    for row in rows.iter_mut().filter(|row| row.adversary != Adversary::Reference) {
        if lacking.is_empty() {
            row.judge(&reference, &empty, &weights, &mut problems);
        } else if row.mean.is_some() {
            row.verdict = AuditVerdict::NotJudged;
        }
    }
    let highest = set.highest();
    if lacking.is_empty() {
        problems.extend(of_references(&reference, &empty, highest));
    } else {
        problems.push(not_judged(&lacking));
    }
    let rewards = set.rewards().into_iter().map(|(name, _)| name).collect();
    let (task, records) = (task.name.clone(), answered.len());
    Ok(Audit { task, records, highest, rewards, lacking, rows, problems })
}

/// Rewards that count and can't say anything.
fn lacking(set: &RewardSet) -> Vec<LackingReward> {
    let weights = set.rewards();
    let counts = |name: &str| weights.iter().any(|(known, weight)| known == name && weight.abs() > 0.0);
    let lacking = set.lacking().filter(|(name, _)| counts(name));
    lacking.map(|(name, lacks)| LackingReward { name: name.to_owned(), lacks: lacks.to_owned() }).collect()
}

fn not_judged(lacking: &[LackingReward]) -> String {
    let told: Vec<String> = lacking.iter().map(|one| format!("{}: {}", one.name, one.lacks)).collect();
    format!("not judged, since a part of the reward does not apply here: {}", told.join("; "))
}

/// What is wrong with what reference and empty answers get.
fn of_references(reference: &AuditRow, empty: &AuditRow, highest: Option<f64>) -> Vec<String> {
    let (reference, floor) = (reference.mean.unwrap_or_default(), empty.mean.unwrap_or_default());
    let mut problems = Vec::new();
    if reference <= floor {
        problems.push("reference answers score no higher than empty ones".to_owned());
    } else if let Some(highest) = highest.filter(|&highest| reference < NEAR_TOP * highest) {
        problems.push(format!("reference answers score {reference:.2} of {highest:.2}: not near the top"));
    }
    if floor > FLOOR * reference.abs() && floor > 0.0 {
        problems.push(format!("empty answers score {floor:.2}: not at the floor"));
    }
    problems
}

fn row(
    panel: &AttackPanel<'_>,
    answered: &[ReferencedRecord<'_>],
    set: &RewardSet,
    adversary: Adversary,
) -> AuditRow {
    let answers: Vec<(&Record, String)> = answered
        .iter()
        .enumerate()
        .filter_map(|(index, one)| Some((one.record, panel.answer(adversary, index)?)))
        .collect();
    let attempts: Vec<Attempt<'_>> =
        answers.iter().map(|(record, completion)| Attempt { record, completion }).collect();
    let totals = set.score(&attempts, ScoreDetail::Numbers);
    let values: Vec<f64> = totals.iter().filter_map(|total| total.value).collect();
    let rewards = (0..set.rewards().len())
        .map(|index| {
            let parts = totals.iter().filter_map(|total| total.parts.get(index)?.outcome.value());
            let parts: Vec<f64> = parts.collect();
            (!parts.is_empty()).then(|| mean(&parts))
        })
        .collect();
    AuditRow {
        adversary,
        scored: values.len(),
        mean: (!values.is_empty()).then(|| mean(&values)),
        lowest: values.iter().copied().reduce(f64::min),
        highest: values.iter().copied().reduce(f64::max),
        share: None,
        rewards,
        verdict: if values.is_empty() { AuditVerdict::NotTried } else { AuditVerdict::Fine },
        example: answers.into_iter().next().map(|(_, answer)| answer).unwrap_or_default(),
    }
}

impl AuditRow {
    /// The row of answers of which nothing was said.
    fn nothing(&self) -> Self {
        Self { mean: None, rewards: vec![None; self.rewards.len()], ..self.clone() }
    }

    fn judge(&mut self, reference: &Self, empty: &Self, weights: &[f64], problems: &mut Vec<String>) {
        let Some((mean, reference, floor)) = self.alike(reference, empty, weights) else { return };
        if reference <= floor {
            return;
        }
        let share = (mean - floor) / (reference - floor);
        self.share = Some(share);
        if share > self.adversary.allowed_share() {
            self.verdict = AuditVerdict::Cheats;
            problems.push(format!(
                "{} cheats the reward: it scores {mean:.2}, reference answers {reference:.2}",
                self.adversary.name()
            ));
        }
    }

    /// The means of this row, of references and of empty answers, over the rewards that apply to all three: what does not
    /// apply doesn't count.
    fn alike(&self, reference: &Self, empty: &Self, weights: &[f64]) -> Option<(f64, f64, f64)> {
        let mean = self.mean?;
        let applies = |row: &Self| row.rewards.iter().map(Option::is_some).collect::<Vec<_>>();
        let own = applies(self);
        if own == applies(reference) && (empty.mean.is_none() || own == applies(empty)) {
            return Some((mean, reference.mean?, empty.mean.unwrap_or_default()));
        }
        let mut sums = (0.0, 0.0, 0.0);
        let parts = self.rewards.iter().zip(&reference.rewards).zip(&empty.rewards).zip(weights);
        for (((own, reference), empty), weight) in parts {
            if let (Some(own), Some(reference)) = (own, reference) {
                sums.0 += weight * own;
                sums.1 += weight * reference;
                sums.2 += weight * empty.unwrap_or_default();
            }
        }
        Some(sums)
    }
}

/// The first reason of each reward for the first record.
fn why_not(set: &RewardSet, answered: &[ReferencedRecord<'_>]) -> String {
    let first = answered.iter().take(1);
    let attempts: Vec<Attempt<'_>> =
        first.map(|one| Attempt { record: one.record, completion: &one.reference }).collect();
    let totals = set.score(&attempts, ScoreDetail::Numbers);
    let parts = totals.iter().flat_map(|total| &total.parts);
    let reasons = parts.filter_map(|part| Some(format!("{}: {}", part.name, part.outcome.reason()?)));
    reasons.collect::<Vec<_>>().join("; ")
}
