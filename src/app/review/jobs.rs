//! Think, reflect, judge: each takes what the session still lacks, asks, and keeps every result as it comes.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use super::{Dry, JobOptions, Summary, assignment, gauge, leave, prompt};
use crate::config::Folders;
use crate::domain::record::RecordId;
use crate::domain::reflection::{Reflection, ReflectionId, Verdict};
use crate::domain::thought::{Thought, ThoughtId};
use crate::domain::view::SortOrder;
use crate::session::{Improved, JudgeWord, Reviewed, Session, SetAside, question};
use crate::teacher::course::{JobFact, JobPatience, JobWatch, Silence, run};
use crate::teacher::gauge::Gauge;
use crate::teacher::job::{Aside, QuestionOutcome, RecordQuestion};
use crate::teacher::judge::{Candidate, Judge, Judgement};
use crate::teacher::reflect::{Guidance, Reflect, Wrong};
use crate::teacher::think::Think;
use crate::teacher::{AskError, Speaker};

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobProgress {
    pub done: u64,
    pub all: u64,
    /// Who is waited for while nothing comes.
    pub silence: Option<Silence>,
}

/// Called after each result, and while nothing comes.
pub type OnProgress<'a> = &'a mut dyn FnMut(JobProgress);

/// Thoughts for the records that this speaker has not thought about under this prompt.
///
/// # Errors
/// Where the session can't be read or written. What ends the asking stands in the summary.
pub async fn think(
    folders: &Folders,
    session: &mut Session,
    speaker: &dyn Speaker,
    options: &JobOptions,
    stop: &AtomicBool,
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let folder = session.folder().to_path_buf();
    let job = Think {
        assignment: assignment(session)?,
        prompt: prompt(folders, &folder, "think")?,
        again: prompt(folders, &folder, "again")?,
        drawing: options.drawing,
    };
    let mut todo = session.records_to_think(&speaker.name(), &job.prompt.version())?;
    retain(session, options, &mut todo, |id| *id)?;
    let mut summary = Summary { job: "think", speaker: speaker.name(), ..Summary::default() };
    summary.estimate(todo.iter().map(|&id| job.request(&ask(session, id)?)), speaker)?;
    if options.dry == Dry::Plan {
        summary.left = summary.questions;
        return Ok(summary);
    }
    speaker.carry_on(summary.job)?;
    let reader = gauge::named(folders, &folder, options.gauge.as_deref())?;
    let gauge = reader.as_ref().map(|reader| reader as &dyn Gauge);
    let session = RefCell::new(session);
    let work = async |id: RecordId| {
        let question = ask(&session.borrow(), id).map_err(local)?;
        job.think_with(speaker, &question, gauge).await
    };
    let speakers = [speaker];
    let watch = watch(&speakers, stop);
    let ended = run(todo, watch, work, |fact: JobFact<_, QuestionOutcome<Thought>>| {
        let Some((id, outcome)) = fact.result(|silence| tell(&summary, Some(silence), progress)) else {
            return Ok(());
        };
        match outcome {
            Ok(thought) => {
                summary.right += u64::from(thought.is_right() == Some(true));
                let session = &mut **session.borrow_mut();
                let ids = session.add_thoughts(std::slice::from_ref(&thought))?;
                let of = ids.first().map(|id| Reviewed::Thought(*id));
                keep_odds(session, gauge, of, thought.record, &thought.text)?;
                summary.kept += 1;
            }
            Err(aside) => put_aside(&mut session.borrow_mut(), &mut summary, id, aside)?,
        }
        tell(&summary, None, progress);
        Ok(())
    })
    .await
    .map_err(|error| with_what_is_kept(error, &summary, speaker))?;
    summary.finish(&ended, speaker)?;
    Ok(summary)
}

/// A wrong thought, and what a reviewer said of an earlier correction.
type ToReflect = (ThoughtId, Thought, String);

/// Reflections on the wrong thoughts that this teacher has not corrected, and on those that were sent back to it.
///
/// # Errors
/// Where the session can't be read or written. What ends the asking stands in the summary.
pub async fn reflect(
    folders: &Folders,
    session: &mut Session,
    speaker: &dyn Speaker,
    guidance: Guidance,
    options: &JobOptions,
    stop: &AtomicBool,
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let folder = session.folder().to_path_buf();
    let job = Reflect {
        assignment: assignment(session)?,
        prompt: prompt(folders, &folder, "reflect")?,
        again: prompt(folders, &folder, "again")?,
        guidance,
        drawing: options.drawing,
    };
    let mut todo = session.thoughts_to_reflect(&speaker.name())?;
    retain(session, options, &mut todo, |(_, thought, _)| thought.record)?;
    let mut summary = Summary { job: "reflect", speaker: speaker.name(), ..Summary::default() };
    let wrong = |session: &Session, (id, thought, comment): ToReflect| -> Result<Wrong> {
        Ok(Wrong { question: ask(session, thought.record)?, id, thought, comment })
    };
    summary.estimate(todo.iter().map(|item| job.request(&wrong(session, item.clone())?)), speaker)?;
    if options.dry == Dry::Plan {
        summary.left = summary.questions;
        return Ok(summary);
    }
    speaker.carry_on(summary.job)?;
    let reader = gauge::named(folders, &folder, options.gauge.as_deref())?;
    let gauge = reader.as_ref().map(|reader| reader as &dyn Gauge);
    let session = RefCell::new(session);
    let work = async |item: ToReflect| {
        let wrong = wrong(&session.borrow(), item).map_err(local)?;
        job.reflect_with(speaker, &wrong, gauge).await
    };
    let speakers = [speaker];
    let watch = watch(&speakers, stop);
    let ended = run(todo, watch, work, |fact: JobFact<ToReflect, QuestionOutcome<Reflection>>| {
        let Some(((_, thought, _), outcome)) = fact.result(|silence| tell(&summary, Some(silence), progress))
        else {
            return Ok(());
        };
        match outcome {
            Ok(reflection) => {
                summary.right += u64::from(Some(&reflection.label) == thought.truth.as_ref());
                let session = &mut **session.borrow_mut();
                let ids = session.add_reflections(std::slice::from_ref(&reflection))?;
                let of = ids.first().map(|id| Reviewed::Correction(*id));
                keep_odds(session, gauge, of, reflection.record, &reflection.corrected)?;
                summary.kept += 1;
            }
            Err(aside) => put_aside(&mut session.borrow_mut(), &mut summary, thought.record, aside)?,
        }
        tell(&summary, None, progress);
        Ok(())
    })
    .await
    .map_err(|error| with_what_is_kept(error, &summary, speaker))?;
    summary.finish(&ended, speaker)?;
    Ok(summary)
}

/// What the judge is to do besides scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgeOptions {
    /// Below this score a correction is improved.
    pub threshold: u8,
    /// Improvements at most.
    pub rounds: u32,
}

/// The part of judging that others may do.
const IMPROVE: &str = "improve";

/// Scores for the corrections that wait for a person and have none, improved where they score low.
///
/// # Errors
/// Where the session can't be read or written. What ends the asking stands in the summary.
pub async fn judge(
    folders: &Folders,
    session: &mut Session,
    speakers: (&dyn Speaker, &[&dyn Speaker]),
    judging: JudgeOptions,
    options: &JobOptions,
    stop: &AtomicBool,
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let (speaker, improvers) = speakers;
    let folder = session.folder().to_path_buf();
    let job = Judge {
        assignment: assignment(session)?,
        prompt: prompt(folders, &folder, "judge")?,
        improve: prompt(folders, &folder, "improve")?,
        again: prompt(folders, &folder, "again")?,
        threshold: judging.threshold,
        rounds: judging.rounds,
        drawing: options.drawing,
    };
    let who = format!("{} {}", speaker.name(), job.prompt.version());
    let mut todo = session.reflections(Some(Verdict::Pending))?;
    todo.retain(|(_, reflection)| reflection.score.is_none());
    retain(session, options, &mut todo, |(_, reflection)| reflection.record)?;
    let mut summary = Summary { job: "judge", speaker: speaker.name(), ..Summary::default() };
    summary.estimate(todo.iter().map(|(_, item)| job.request(&candidate(session, item)?)), speaker)?;
    if options.dry == Dry::Plan {
        summary.left = summary.questions;
        return Ok(summary);
    }
    // One that does both counts what it spends once.
    improvers.iter().try_for_each(|improver| improver.carry_on(IMPROVE))?;
    speaker.carry_on(summary.job)?;
    let session = RefCell::new(session);
    let work = async |(_, item): (ReflectionId, Reflection)| {
        let candidate = candidate(&session.borrow(), &item).map_err(local)?;
        job.judge(speaker, improvers, &candidate).await
    };
    let all: Vec<&dyn Speaker> = std::iter::once(speaker).chain(improvers.iter().copied()).collect();
    let watch = watch(&all, stop);
    let ended =
        run(todo, watch, work, |fact: JobFact<(ReflectionId, Reflection), QuestionOutcome<Judgement>>| {
            let Some(((id, item), outcome)) = fact.result(|silence| tell(&summary, Some(silence), progress))
            else {
                return Ok(());
            };
            match outcome {
                Ok(said) => {
                    let improved = said.improved.as_ref();
                    let improved = improved.map(|(text, label, by)| Improved { text, label, by });
                    let word = JudgeWord { score: said.score, reasons: &said.reasons, judge: &who, improved };
                    session.borrow_mut().judge(id, &word)?;
                    summary.right += u64::from(said.score >= judging.threshold);
                    summary.kept += 1;
                }
                Err(aside) => put_aside(&mut session.borrow_mut(), &mut summary, item.record, aside)?,
            }
            tell(&summary, None, progress);
            Ok(())
        })
        .await
        .map_err(|error| with_what_is_kept(error, &summary, speaker))?;
    for improver in improvers {
        leave(IMPROVE, &ended, *improver)?;
    }
    summary.finish(&ended, speaker)?;
    Ok(summary)
}

/// A result that the session can't keep ends a job, but not what was kept before, nor what was paid for.
fn with_what_is_kept(error: anyhow::Error, summary: &Summary, speaker: &dyn Speaker) -> anyhow::Error {
    let (kept, answers) = (summary.kept, speaker.account().answers);
    error.context(format!(
        "stopped with {kept} results in the session and all {answers} answers that came in answers.db: run this again \
         to go on from there without paying twice"
    ))
}

/// Keeps what the filter lets through, and no more than the limit.
fn retain<T>(
    session: &Session,
    options: &JobOptions,
    todo: &mut Vec<T>,
    record: impl Fn(&T) -> RecordId,
) -> Result<()> {
    if let Some(filter) = &options.filter {
        let view = session.view(filter, SortOrder::default()).context("find the records of the filter")?;
        let wanted: HashSet<i64> = view.ids().iter().copied().collect();
        todo.retain(|item| wanted.contains(&record(item).0));
    }
    todo.truncate(options.limit.unwrap_or(usize::MAX));
    Ok(())
}

fn ask(session: &Session, id: RecordId) -> Result<RecordQuestion> {
    let record = session.record(id).with_context(|| format!("read record {id}"))?;
    Ok(RecordQuestion { record: id, text: question(&record), truth: record.label.clone() })
}

fn candidate(session: &Session, item: &Reflection) -> Result<Candidate> {
    let question = ask(session, item.record)?;
    let truth = question.truth.clone().unwrap_or_default();
    Ok(Candidate { question, text: item.text().to_owned(), label: item.label.clone(), truth })
}

/// Keeps what a model found of a text that was kept; it has measured it just now.
fn keep_odds(
    session: &mut Session,
    gauge: Option<&dyn Gauge>,
    of: Option<Reviewed>,
    record: RecordId,
    text: &str,
) -> Result<()> {
    let (Some(gauge), Some(of)) = (gauge, of) else { return Ok(()) };
    let question = ask(session, record)?;
    match gauge.odds(&question, text) {
        Ok(odds) => Ok(session.keep_odds(of, text, &odds)?),
        Err(error) => {
            tracing::warn!("the odds of a thought's label were not measured: {error:#}");
            Ok(())
        }
    }
}

fn put_aside(session: &mut Session, summary: &mut Summary, record: RecordId, aside: Aside) -> Result<()> {
    *summary.set_aside.entry(aside.reason.clone()).or_default() += 1;
    let (job, model) = (summary.job.to_owned(), summary.speaker.clone());
    Ok(session.set_aside(&SetAside { job, record, model, reason: aside.reason, raw: aside.raw })?)
}

fn tell(summary: &Summary, silence: Option<Silence>, progress: &mut dyn FnMut(JobProgress)) {
    let done = summary.kept + summary.set_aside.values().sum::<u64>();
    progress(JobProgress { done, all: summary.questions, silence });
}

#[expect(clippy::needless_pass_by_value, reason = "errors are handed over")]
fn local(error: anyhow::Error) -> AskError {
    AskError::Local(format!("{error:#}"))
}

fn watch<'a>(speakers: &'a [&'a dyn Speaker], stop: &'a AtomicBool) -> JobWatch<'a> {
    let at_once = speakers.first().map_or(1, |speaker| speaker.at_once());
    JobWatch { at_once, stop, speakers, patience: JobPatience::default() }
}
