//! Jobs as the studio orders them: planned first, then run on a thread of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use super::{
    Dry, JobOptions, JobProgress, JudgeOptions, OnProgress, Summary, judge, open, reflect, speaker, think,
};
use crate::app::events::Events;
use crate::app::jobs::Working;
use crate::config::Folders;
use crate::domain::protocol::system::{JobEnd, Level, OnQuit, Progress};
use crate::domain::review_job::{JobKind, JobOrder};
use crate::domain::session::SessionInfo;
use crate::domain::teacher::Money;
use crate::ground::thread;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::job::Drawing;

/// What a job would take, in a sentence.
///
/// # Errors
/// Where it can't be done.
pub(super) fn plan(folders: &Folders, info: &SessionInfo, order: &JobOrder) -> Result<String> {
    let summary = run(folders, info, order, Dry::Plan, &AtomicBool::new(false), &mut |_| {})?;
    let count = match summary.questions {
        0 => anyhow::bail!("nothing is left to {}: {}", order.kind.name(), nothing(order.kind)),
        1 => "1 question".to_owned(),
        many => format!("{many} questions"),
    };
    let money = Money::dollars(summary.estimated_dollars);
    let cost = if money == Money::default() { String::new() } else { format!(", about {money}") };
    Ok(format!(
        "{count} to {}, about {} tokens{cost}. Answers that are there already cost nothing; stop it in the jobs \
         drawer, and it goes on where it was.",
        summary.speaker, summary.estimated_tokens
    ))
}

/// What it means that there is nothing to do.
const fn nothing(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Think => "this student has thought about every record that the filter lets through",
        JobKind::Reflect => "this teacher has corrected every wrong thought that the filter lets through",
        JobKind::Judge => "every correction that waits and that the filter lets through has a score",
    }
}

/// Starts a thread that does a job, and says how it went.
pub(super) fn start(folders: Folders, info: SessionInfo, order: JobOrder, events: Events) {
    thread::start("review job", move || {
        let working =
            Working::start(&events, &format!("{} by {}", order.kind.name(), order.who), OnQuit::Ask);
        let stop = working.stop();
        let outcome =
            run(&folders, &info, &order, Dry::Run, stop, &mut |JobProgress { done, all, silence }| {
                let note = silence.map(|silence| silence.words).unwrap_or_default();
                working.go_on(Progress { done, total: Some(all), note, ..Progress::default() });
            });
        let end = match &outcome {
            Ok(summary) if !working.is_wanted() && summary.left > 0 => JobEnd::Stopped,
            Ok(Summary { cut: Some(why), .. }) => JobEnd::Failed(why.clone()),
            Ok(_) => JobEnd::Done,
            Err(error) => JobEnd::Failed(format!("{error:#}")),
        };
        working.end(end);
        if let Ok(summary) = outcome {
            events.notify(Level::Info, went(&summary));
        }
    });
}

/// `reflect: 33 kept, 32 reach the true label, 1 set aside; 21,000 tokens, $0.01`.
fn went(summary: &Summary) -> String {
    let right = if summary.job == "judge" { "at or above the threshold" } else { "reach the true label" };
    let mut text = format!("{}: {} kept, {} {right}", summary.job, summary.kept, summary.right);
    let aside: u64 = summary.set_aside.values().sum();
    if aside > 0 {
        text.push_str(&format!(", {aside} set aside"));
    }
    if summary.left > 0 {
        text.push_str(&format!(", {} left", summary.left));
    }
    let tokens = summary.prompt_tokens + summary.answer_tokens;
    text.push_str(&format!("; {tokens} tokens"));
    if summary.dollars > 0.0 {
        text.push_str(&format!(", {}", Money::dollars(summary.dollars)));
    }
    text
}

fn run(
    folders: &Folders,
    info: &SessionInfo,
    order: &JobOrder,
    dry: Dry,
    stop: &AtomicBool,
    progress: OnProgress<'_>,
) -> Result<Summary> {
    let budget = Budget { money: order.dollars.map(Money::dollars), tokens: order.tokens };
    let options = JobOptions {
        filter: Some(order.filter.clone()),
        limit: order.limit,
        budget,
        drawing: Drawing::default(),
        gauge: order.gauge.clone(),
        dry,
    };
    let named = |name: &str| speaker(folders, name, &info.path, budget, dry);
    let who = named(&order.who)?;
    let improvers: Vec<Arc<dyn Speaker>> =
        order.improvers.iter().map(|name| named(name)).collect::<Result<_>>()?;
    let mut session = open_for(info)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the job's event loop")?;
    match order.kind {
        JobKind::Think => runtime.block_on(think(folders, &mut session, &*who, &options, stop, progress)),
        JobKind::Reflect => {
            let job = reflect(folders, &mut session, &*who, order.guidance, &options, stop, progress);
            runtime.block_on(job)
        }
        JobKind::Judge => {
            let improvers: Vec<&dyn Speaker> =
                if improvers.is_empty() { vec![&*who] } else { improvers.iter().map(|one| &**one).collect() };
            let judging = JudgeOptions { threshold: order.threshold, rounds: order.rounds };
            let speakers = (&*who, improvers.as_slice());
            runtime.block_on(judge(folders, &mut session, speakers, judging, &options, stop, progress))
        }
    }
}

fn open_for(info: &SessionInfo) -> Result<crate::session::Session> {
    let folder: &Path = &info.path;
    open(info).with_context(|| format!("work on {}", folder.display()))
}
