//! A blueprint expanded into a session: what is still to be written, what that costs, and every example checked and kept
//! as it comes. Before anyone sees an answer it is in the session's `answers.db`, so that nothing is paid for twice.

pub mod bench;
mod keeping;
mod making;
mod open;
mod todo;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use serde::Serialize;

use self::keeping::{ExampleSink, KeptExamples, Previewed};
use self::making::{ExampleMaker, MadeExample};
use super::review::{Dry, JobProgress, OnProgress, Summary};
use super::rewards::{self, HelperNames};
use crate::blueprint::{Blueprint, Seed, cell_counts};
use crate::config::Folders;
use crate::session::{JobLock, Session};
use crate::teacher::budget::{Budget, Spending};
use crate::teacher::course::{JobFact, JobPatience, JobWatch, TeacherJobEnd, run};
use crate::teacher::expand::Expand;
use crate::teacher::request::Request;
use crate::teacher::{Left, Speaker};

pub use keeping::PreviewedExample;
pub use open::{NamedBlueprint, Priced, find, terms_of};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpandOptions {
    /// Examples of the whole plan; the blueprint's own number where nobody says.
    pub count: Option<u64>,
    pub part: ExpandPart,
    /// Wait for a person after so many: the next ones are asked for when none of these is undecided.
    pub gate: Option<u64>,
    pub budget: Budget,
    /// The longest answer, in tokens; by the form where nobody says.
    pub max_tokens: Option<u32>,
    pub temperature: f64,
    pub dry: Dry,
}

/// Which part of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpandPart {
    /// The first so many, to be looked at: nothing is kept but the answers that were paid for.
    Preview(usize),
    /// What was not asked for yet.
    Plan,
    /// What cells still lack, those that have the least of their plan first.
    Refill,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExpandSummary {
    #[serde(flatten)]
    pub job: Summary,
    pub blueprint: String,
    pub version: String,
    /// Examples of the whole plan.
    pub planned: u64,
    /// Those that are in the session, and that no person has rejected.
    pub there: u64,
    /// The share of word triples from which on an answer counts as a near-duplicate.
    pub near_duplicate_from: f64,
    /// Of the answers that passed all other checks, the share that repeats none that was there.
    pub unique_share: Option<f64>,
    /// Records that were compared with at the beginning.
    pub compared_with: u64,
    /// Records that a person has to decide on before more is asked for.
    pub gate_waits_for: u64,
    /// Examples that are left to the stages after this one.
    pub later: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previewed: Vec<PreviewedExample>,
}

/// Who writes, and under which terms.
pub struct ExampleWriter<'s> {
    pub speaker: &'s dyn Speaker,
    pub terms: String,
    /// Who judges, if one of the blueprint's rewards needs a judge.
    pub judge: Option<String>,
}

/// Who follows an expansion.
pub struct ExpandWatch<'a> {
    /// Set by a person who stops it.
    pub stop: &'a AtomicBool,
    /// Told what it will take, before anything is asked.
    pub planned: &'a mut dyn FnMut(&ExpandSummary),
    pub progress: OnProgress<'a>,
}

/// Expands a blueprint into a session.
///
/// # Errors
/// Where the session can't be read or written, another expansion is at work there, or a check of the blueprint can't be
/// used. What ends the asking is in the summary.
pub async fn expand(
    folders: &Folders,
    session: &mut Session,
    named: &NamedBlueprint,
    writer: &ExampleWriter<'_>,
    options: &ExpandOptions,
    watch: ExpandWatch<'_>,
) -> Result<ExpandSummary> {
    let blueprint = &named.blueprint;
    let _lock = JobLock::take(session.folder(), "expand", &format!("dojo expand {}", blueprint.name))?;
    let maker = maker(folders, session, named, writer, options)?;
    let count = options.count.unwrap_or(blueprint.count);
    let written = session.written_of(&blueprint.name, &blueprint.version)?;
    let mut seeds = todo::seeds(blueprint, count, options.part, &written);
    let mut summary = begin(blueprint, writer, count, written.values().map(|cell| cell.good).sum());
    stop_at_gate(session, options, &mut seeds, &mut summary)?;
    estimate(&mut summary.job, &maker.expand, &seeds, writer.speaker)?;
    (watch.planned)(&summary);
    summary.job.left = summary.job.questions;
    if options.dry == Dry::Plan || seeds.is_empty() {
        return Ok(summary);
    }
    let sink = match options.part {
        ExpandPart::Preview(_) => ExampleSink::Preview(Previewed::default()),
        ExpandPart::Plan | ExpandPart::Refill => {
            let cells = cell_counts(blueprint, count).into_iter();
            let cells: Vec<_> = cells.map(|(cell, count)| (blueprint.cell_name(cell), count)).collect();
            session.remember_plan(&blueprint.name, &blueprint.version, &cells)?;
            ExampleSink::Session { change: None }
        }
    };
    let mut keeping = KeptExamples::new(session, blueprint, writer.speaker.name(), sink)?;
    summary.compared_with = keeping.compared_with();
    let ended = ask(&maker, seeds, watch, &mut keeping, &mut summary).await?;
    summary.unique_share = keeping.unique_share();
    summary.previewed = keeping.finish();
    Ok(summary_of(summary, &ended, writer.speaker)?)
}

/// Leaves a stage's seeds; none while a person has not decided on all that the stages before have brought.
fn stop_at_gate(
    session: &Session,
    options: &ExpandOptions,
    seeds: &mut Vec<Seed>,
    summary: &mut ExpandSummary,
) -> Result<()> {
    let Some(stage) = options.gate.filter(|_| !matches!(options.part, ExpandPart::Preview(_))) else {
        return Ok(());
    };
    let (undecided, _) = session.undecided_of(&summary.blueprint)?;
    let most = if undecided > 0 { 0 } else { usize::try_from(stage).unwrap_or(usize::MAX) };
    summary.gate_waits_for = undecided;
    summary.later = seeds.len().saturating_sub(most) as u64;
    seeds.truncate(most);
    Ok(())
}

fn begin(blueprint: &Blueprint, writer: &ExampleWriter<'_>, count: u64, there: u64) -> ExpandSummary {
    ExpandSummary {
        job: Summary { job: "expand", speaker: writer.speaker.name(), ..Summary::default() },
        blueprint: blueprint.name.clone(),
        version: blueprint.version.clone(),
        planned: count,
        there,
        near_duplicate_from: blueprint.near_duplicate,
        unique_share: None,
        compared_with: 0,
        gate_waits_for: 0,
        later: 0,
        previewed: Vec::new(),
    }
}

fn maker<'b>(
    folders: &Folders,
    session: &Session,
    named: &'b NamedBlueprint,
    writer: &'b ExampleWriter<'b>,
    options: &ExpandOptions,
) -> Result<ExampleMaker<'b>> {
    let folder = session.folder();
    let blueprint = &named.blueprint;
    let names = HelperNames { judge: writer.judge.as_deref(), ..HelperNames::default() };
    // A plan needs nobody's leave, and no judge.
    let rewards = if blueprint.rewards.is_empty() || options.dry == Dry::Plan {
        None
    } else {
        let set = rewards::of_blueprint(folders, &blueprint.rewards, named.file.as_deref(), &names)?;
        Some(Arc::new(set))
    };
    let expand = Expand {
        blueprint,
        prompt: super::review::prompt(folders, folder, "expand")?,
        again: super::review::prompt(folders, folder, "again")?,
        max_tokens: options.max_tokens,
        temperature: options.temperature,
    };
    Ok(ExampleMaker { expand, writer, rewards })
}

/// The name under which what a blueprint has cost so far is kept.
fn job_name(blueprint: &str) -> String {
    format!("expand {blueprint}")
}

async fn ask(
    maker: &ExampleMaker<'_>,
    seeds: Vec<Seed>,
    watch: ExpandWatch<'_>,
    keeping: &mut KeptExamples<'_>,
    summary: &mut ExpandSummary,
) -> Result<TeacherJobEnd> {
    let ExpandWatch { stop, progress, .. } = watch;
    let speaker = maker.writer.speaker;
    speaker.carry_on(&job_name(&maker.expand.blueprint.name))?;
    let speakers = [speaker];
    let watch =
        JobWatch { at_once: speaker.at_once(), stop, speakers: &speakers, patience: JobPatience::default() };
    let summary = RefCell::new(summary);
    let work = async |seed: Seed| maker.make(&seed).await;
    run(seeds, watch, work, |fact: JobFact<Seed, MadeExample>| {
        let mut summary = summary.borrow_mut();
        let mut tell = |job: &Summary, silence| {
            let done = job.kept + job.set_aside.values().sum::<u64>();
            progress(JobProgress { done, all: job.questions, silence });
        };
        let (seed, outcome) = match fact {
            JobFact::Waits(silence) => {
                tell(&summary.job, Some(silence));
                return Ok(());
            }
            JobFact::Done(seed, outcome) => (seed, outcome),
        };
        match keeping.keep(&seed, outcome)? {
            None => {
                summary.job.kept += 1;
                summary.there += 1;
            }
            Some(reason) => *summary.job.set_aside.entry(reason).or_default() += 1,
        }
        tell(&summary.job, None);
        Ok(())
    })
    .await
    .with_context(|| {
        let (kept, answers) = (summary.borrow().job.kept, speaker.account().answers);
        format!(
            "stopped with {kept} examples kept and all {answers} answers that came in answers.db: run this again to go \
             on from there without paying twice"
        )
    })
}

/// What came of it. Its budget is for the whole plan: it begins anew when nothing of that is left.
fn summary_of(
    mut summary: ExpandSummary,
    ended: &TeacherJobEnd,
    speaker: &dyn Speaker,
) -> Result<ExpandSummary, crate::teacher::AskError> {
    let is_whole = *ended == TeacherJobEnd::Finished && summary.later == 0 && summary.previewed.is_empty();
    let left = if is_whole { Left::Finished } else { Left::Unfinished };
    speaker.leave(&job_name(&summary.blueprint), left)?;
    summary.job.close(ended, speaker);
    if !summary.previewed.is_empty() {
        // What was only looked at is not there.
        summary.there -= summary.job.kept;
    }
    Ok(summary)
}

/// Requests that an estimate is made from; more are taken to be like these.
const ESTIMATED_FROM: usize = 500;

/// What all seeds are expected to take.
fn estimate(summary: &mut Summary, job: &Expand<'_>, seeds: &[Seed], speaker: &dyn Speaker) -> Result<()> {
    summary.questions = seeds.len() as u64;
    let step = seeds.len().div_ceil(ESTIMATED_FROM).max(1);
    let (mut sum, mut looked_at) = (Spending::default(), 0_u64);
    for seed in seeds.iter().step_by(step) {
        let request = job.request(seed)?;
        sum = sum.plus(speaker.most(&Request { max_tokens: job.expected_tokens(seed)?, ..request }));
        looked_at += 1;
    }
    let scale = |part: u64| part as f64 * summary.questions as f64 / looked_at.max(1) as f64;
    summary.estimated_tokens = scale(sum.tokens()).round() as u64;
    summary.estimated_dollars = scale(sum.money.0) / 1e6;
    Ok(())
}

/// What a whole plan would take from a teacher, at its prices.
///
/// # Errors
/// Where a template of the blueprint can't be filled in.
pub fn plan_estimate(
    folders: &Folders,
    blueprint: &Blueprint,
    count: u64,
    speaker: &dyn Speaker,
) -> Result<Summary> {
    let prompt = |name| super::review::prompt(folders, &folders.settings, name);
    let job = Expand {
        blueprint,
        prompt: prompt("expand")?,
        again: prompt("again")?,
        max_tokens: None,
        temperature: 0.0,
    };
    let seeds = todo::seeds(blueprint, count, ExpandPart::Plan, &std::collections::HashMap::new());
    let mut summary = Summary { job: "expand", ..Summary::default() };
    estimate(&mut summary, &job, &seeds, speaker)?;
    Ok(summary)
}
