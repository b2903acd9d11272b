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
    pub rows: Vec<AuditRow>,
    /// What is wrong, in sentences; nothing, if the reward holds.
    pub problems: Vec<String>,
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
    /// The mean of each reward.
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
    let of = |rows: &[AuditRow], adversary| {
        rows.iter().find(|row| row.adversary == adversary).and_then(|row: &AuditRow| row.mean)
    };
    let reference = of(&rows, Adversary::Reference);
    let floor = of(&rows, Adversary::Empty).unwrap_or_default();
    let Some(reference) = reference else {
        anyhow::bail!("no reward says anything of the reference answers: {}", why_not(set, &answered));
    };
    let mut problems = Vec::new();
    for row in rows.iter_mut().filter(|row| row.adversary != Adversary::Reference) {
        row.judge(reference, floor, &mut problems);
    }
    let highest = set.highest();
    if reference <= floor {
        problems.insert(0, "reference answers score no higher than empty ones".to_owned());
    } else if let Some(highest) = highest.filter(|&highest| reference < NEAR_TOP * highest) {
        problems.push(format!("reference answers score {reference:.2} of {highest:.2}: not near the top"));
    }
    if floor > FLOOR * reference.abs() && floor > 0.0 {
        problems.push(format!("empty answers score {floor:.2}: not at the floor"));
    }
    let rewards = set.rewards().into_iter().map(|(name, _)| name).collect();
    Ok(Audit { task: task.name.clone(), records: answered.len(), highest, rewards, rows, problems })
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
    fn judge(&mut self, reference: f64, floor: f64, problems: &mut Vec<String>) {
        let Some(mean) = self.mean.filter(|_| reference > floor) else { return };
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
