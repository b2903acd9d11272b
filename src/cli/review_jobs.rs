//! `dojo think`, `dojo reflect`, `dojo judge`: the jobs of the review loop.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use clap::Args;

use super::{job_bar, print};
use crate::app::{review, sessions};
use crate::config::Folders;
use crate::domain::counted::counted;
use crate::domain::filter;
use crate::domain::session::SessionInfo;
use crate::domain::teacher::Money;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::course::STOPPING;
use crate::teacher::job::Drawing;
use crate::teacher::reflect::Guidance;

/// The exit code of what Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// What all jobs take.
#[derive(Args)]
struct Common {
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long)]
    session: Option<String>,
    /// Only about records that this filter lets through (`split:train label:1`).
    #[arg(long, allow_hyphen_values = true)]
    filter: Option<String>,
    /// Ask at most so many questions.
    #[arg(long)]
    limit: Option<usize>,
    /// Spend at most so many dollars on this job; where it goes on, what it has spent so far counts.
    #[arg(long, value_parser = dollars, allow_negative_numbers = true)]
    max_dollars: Option<f64>,
    /// Spend at most so many tokens on this job, prompts and answers together; as above.
    #[arg(long)]
    max_tokens: Option<u64>,
    /// The longest answer, in tokens.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    answer_tokens: u32,
    /// 0 for the likeliest answer.
    #[arg(long, default_value_t = 0.0, value_parser = temperature)]
    temperature: f64,
    /// Say what it would take, and ask nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// As `generate` takes it.
pub(super) fn temperature(text: &str) -> Result<f64, String> {
    let given: Option<f64> = text.parse().ok();
    given
        .filter(|given| (0.0..=100.0).contains(given))
        .ok_or_else(|| "it takes a number from 0 to 100".to_owned())
}

/// A sum that can be spent.
pub(super) fn dollars(text: &str) -> Result<f64, String> {
    let sum: f64 = text.parse().map_err(|_| "it takes a number of dollars, like 2.50".to_owned())?;
    if sum.is_finite() && sum >= 0.0 { Ok(sum) } else { Err("it takes dollars, 0 or more".to_owned()) }
}

/// Arguments of `dojo think`.
#[derive(Args)]
pub(super) struct ThinkArguments {
    /// Who thinks: a teacher of settings.toml, or local:MODEL.
    #[arg(long)]
    student: String,
    /// Let a model of this machine read each text: where it finds another label likelier than the text's own, it is
    /// asked for once more.
    #[arg(long, value_name = "MODEL")]
    leads: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `dojo reflect`.
#[derive(Args)]
pub(super) struct ReflectArguments {
    /// Who corrects: a teacher of settings.toml, or local:MODEL.
    #[arg(long)]
    teacher: String,
    /// Don't show the teacher the flawed thought.
    #[arg(long)]
    plain: bool,
    /// Let a model of this machine read each text: where it finds another label likelier than the text's own, it is
    /// asked for once more.
    #[arg(long, value_name = "MODEL")]
    leads: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `dojo judge`.
#[derive(Args)]
pub(super) struct JudgeArguments {
    /// Who judges: a teacher of settings.toml, or local:MODEL.
    #[arg(long = "judge", value_name = "JUDGE")]
    by: String,
    /// Who improves what scores low; given several times, each later round asks the next. The judge itself otherwise.
    #[arg(long)]
    improve: Vec<String>,
    /// Improve what scores below this, 1 to 5.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=5))]
    threshold: u8,
    /// Improve at most so many times.
    #[arg(long, default_value_t = 0)]
    rounds: u32,
    #[command(flatten)]
    common: Common,
}

pub(super) fn think(arguments: &ThinkArguments) -> Result<ExitCode> {
    let mut work = Work::open(&arguments.common)?;
    work.options.gauge.clone_from(&arguments.leads);
    let student = work.speaker(&arguments.student)?;
    let mut session = review::open(&work.session)?;
    let (stop, mut bar) = (work.stop.clone(), job_bar::of_job());
    let job = review::think(&work.folders, &mut session, &*student, &work.options, &stop, &mut bar);
    work.finish(job)
}

pub(super) fn reflect(arguments: &ReflectArguments) -> Result<ExitCode> {
    let mut work = Work::open(&arguments.common)?;
    work.options.gauge.clone_from(&arguments.leads);
    let teacher = work.speaker(&arguments.teacher)?;
    let guidance = if arguments.plain { Guidance::Plain } else { Guidance::Guided };
    let mut session = review::open(&work.session)?;
    let (stop, mut bar) = (work.stop.clone(), job_bar::of_job());
    let job =
        review::reflect(&work.folders, &mut session, &*teacher, guidance, &work.options, &stop, &mut bar);
    work.finish(job)
}

pub(super) fn judge(arguments: &JudgeArguments) -> Result<ExitCode> {
    let work = Work::open(&arguments.common)?;
    let judge = work.speaker(&arguments.by)?;
    let named: Vec<Arc<dyn Speaker>> =
        arguments.improve.iter().map(|name| work.speaker(name)).collect::<Result<_>>()?;
    let improvers: Vec<&dyn Speaker> =
        if named.is_empty() { vec![&*judge] } else { named.iter().map(|named| &**named).collect() };
    let judging = review::JudgeOptions { threshold: arguments.threshold, rounds: arguments.rounds };
    let mut session = review::open(&work.session)?;
    let (stop, mut bar) = (work.stop.clone(), job_bar::of_job());
    let speakers = (&*judge, improvers.as_slice());
    let job = review::judge(&work.folders, &mut session, speakers, judging, &work.options, &stop, &mut bar);
    work.finish(job)
}

/// The session that a command works on: the one that is named, else the one that was open last.
///
/// # Errors
/// Where there is none.
pub(super) fn session_of(folders: &Folders, named: Option<&str>) -> Result<SessionInfo> {
    match named {
        Some(name) => sessions::open_named(folders, name),
        None => sessions::open_last(folders).context(
            "find a session: none was open yet; name one with --session (`--session nli-reflection`)",
        ),
    }
}

/// Where a job runs, and what Ctrl-C tells it.
///
/// # Errors
/// Where no runtime can be made.
pub(super) fn interruptible() -> Result<(tokio::runtime::Runtime, Arc<AtomicBool>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            asked.store(true, Ordering::Relaxed);
            print::complain(&format!(
                "stopping: answers under way have up to {} s; Ctrl-C ends at once",
                STOPPING.as_secs()
            ));
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            // Every result that came is on the disk.
            std::process::exit(INTERRUPTED);
        }
    });
    Ok((runtime, stop))
}

struct Work {
    folders: Folders,
    session: SessionInfo,
    options: review::JobOptions,
    stop: Arc<AtomicBool>,
    json: bool,
    runtime: tokio::runtime::Runtime,
}

impl Work {
    fn open(common: &Common) -> Result<Self> {
        let folders = Folders::from_environment()?;
        let session = session_of(&folders, common.session.as_deref())?;
        let budget = Budget { money: common.max_dollars.map(Money::dollars), tokens: common.max_tokens };
        let drawing = Drawing { max_tokens: common.answer_tokens, temperature: common.temperature };
        let dry = if common.dry_run { review::Dry::Plan } else { review::Dry::Run };
        let filter = common
            .filter
            .as_deref()
            .map(|text| filter::parse(text).map_err(|error| anyhow::anyhow!("{}", error.pointed(text))));
        let filter = filter.transpose()?;
        let options = review::JobOptions { filter, limit: common.limit, budget, drawing, gauge: None, dry };
        let (runtime, stop) = interruptible()?;
        Ok(Self { folders, session, options, stop, json: common.json, runtime })
    }

    fn speaker(&self, name: &str) -> Result<Arc<dyn Speaker>> {
        review::speaker(&self.folders, name, &self.session.path, self.options.budget, self.options.dry)
    }

    fn finish(&self, job: impl Future<Output = Result<review::Summary>>) -> Result<ExitCode> {
        let summary = self.runtime.block_on(job)?;
        if self.json {
            print::say_json(&serde_json::to_string(&summary)?)?;
        } else {
            print::say(&table(&summary))?;
        }
        if let Some(cut) = &summary.cut {
            print::complain(cut);
            return Ok(ExitCode::from(1));
        }
        if summary.kept == 0 && !summary.set_aside.is_empty() {
            print::complain(
                "no answer could be used; `dojo review aside` shows them, and --answer-tokens makes room for longer ones",
            );
            return Ok(ExitCode::from(1));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(summary: &review::Summary) -> String {
    let right = match summary.job {
        "judge" => "at or above the threshold",
        _ => "reach the true label",
    };
    let kept = format!("{}, of which {} {right}", summary.kept, summary.right);
    table_of(summary, &kept)
}

/// What any job on teachers says of itself.
pub(super) fn table_of(summary: &review::Summary, kept: &str) -> String {
    let mut lines = vec![
        format!("{:<10} {} by {}", summary.job, counted(summary.questions, "question"), summary.speaker),
        format!("{:<10} {} tokens, ${:.4}", "estimate", summary.estimated_tokens, summary.estimated_dollars),
        format!("{:<10} {kept}", "kept"),
        format!(
            "{:<10} {} + {} tokens, ${:.4}; {} paid for, {} from before",
            "spent",
            summary.prompt_tokens,
            summary.answer_tokens,
            summary.dollars,
            counted(summary.answers, "answer"),
            summary.from_cache
        ),
    ];
    let named = |map: &std::collections::BTreeMap<String, u64>| {
        map.iter().map(|(name, number)| format!("{number} {name}")).collect::<Vec<_>>().join(", ")
    };
    if !summary.set_aside.is_empty() {
        lines.push(format!("{:<10} {}", "set aside", named(&summary.set_aside)));
    }
    if !summary.troubles.is_empty() {
        let troubles = summary.troubles.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect();
        lines.push(format!("{:<10} {}", "trouble", named(&troubles)));
    }
    if !summary.other_models.is_empty() {
        lines.push(format!("{:<10} answered by {}", "note", named(&summary.other_models)));
    }
    if summary.left > 0 {
        lines.push(format!("{:<10} {}", "left", summary.left));
    }
    lines.join("\n")
}
