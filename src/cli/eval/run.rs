//! `dojo eval --model A --model B --task T --data D`: the arguments, and the run of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use clap::Args;

use super::told::{failed_models, told};
use crate::app::evaluation::{
    EvaluationFolder, EvaluationHost, EvaluationProgress, evaluate, folder_of, load, make_folder,
};
use crate::app::review::JobProgress;
use crate::app::sessions;
use crate::cli::data::stop_on_interrupt;
use crate::cli::{job_bar, print};
use crate::config::Folders;
use crate::domain::evaluation::{EvaluationOrder, KeptEvaluation};
use crate::engine::hub::Network;

/// Arguments of `dojo eval` itself.
#[derive(Args)]
pub(super) struct EvalRunArguments {
    /// Who answers: a model by name, folder or GGUF file, MODEL+ADAPTER, an adapter's folder, a run, RUN@STEP for a
    /// checkpoint of it, or a teacher of settings.toml. Several are compared, each with each.
    #[arg(long = "model", short, value_name = "MODEL")]
    models: Vec<String>,
    /// A task's name, or its file. May be given several times.
    #[arg(long = "task", short, value_name = "TASK")]
    tasks: Vec<String>,
    /// The records: a file or folder, a session, session:FILTER, or set:reviewed with --session. One for all tasks, or one
    /// for each in the same order.
    #[arg(long = "data", short, value_name = "DATA")]
    data: Vec<String>,
    /// Only these records, such as "label:1 split:test". Given several times, each is evaluated by itself.
    #[arg(long = "filter", value_name = "FILTER")]
    filters: Vec<String>,
    /// A file with another prompt: the user's text with the task's variables, or turns under lines as `=== user`; `own` is
    /// the task's. Given several times, each is evaluated.
    #[arg(long = "prompt", value_name = "FILE")]
    prompts: Vec<String>,
    /// What is measured; the task's metrics otherwise. `dojo eval metrics` lists them; the first orders the models.
    #[arg(long = "metric", value_name = "METRIC")]
    metrics: Vec<String>,
    /// What a column is, as part=column: a part of a record (label, completion) or a field of the task.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// The session whose records, tasks and sets are meant.
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// So many items at most, drawn by the seed.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Draws items, answers and the samples of the intervals.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tokens of an answer at most.
    #[arg(long, default_value_t = 256, value_name = "N")]
    max_new_tokens: u32,
    /// 0 is greedy.
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// The text that is compared for a label by the choice metrics, as "1=yes"; the label itself otherwise.
    #[arg(long = "choice", value_name = "LABEL=TEXT")]
    choices: Vec<String>,
    /// Who judges answers (adds reward:judge) and entailment: a teacher of settings.toml, or local:MODEL.
    #[arg(long, value_name = "NAME")]
    judge: Option<String>,
    /// The model for embeddings that some rewards need.
    #[arg(long, value_name = "MODEL")]
    embedder: Option<String>,
    /// The folder of WordNet's dictionary files, so that METEOR knows synonyms.
    #[arg(long, value_name = "FOLDER")]
    wordnet: Option<PathBuf>,
    /// The evaluation's name; otherwise eval-0001 and so on.
    #[arg(long)]
    name: Option<String>,
    /// Go on with an evaluation that was stopped or killed (its name or folder), as it was ordered.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["models", "tasks", "data", "name", "metrics", "filters",
        "prompts", "map", "session", "limit", "choices", "judge", "embedder", "wordnet"])]
    resume: Option<String>,
    /// Never reach for the network to fetch a model.
    #[arg(long)]
    offline: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(folders: &Folders, arguments: &EvalRunArguments) -> Result<ExitCode> {
    let (folder, order) = match &arguments.resume {
        Some(name) => {
            let folder = folder_of(folders, name)?;
            let order = load(&folder)?.report.order;
            (EvaluationPlace::There(folder), order)
        }
        None => (EvaluationPlace::New, arguments.order(folders)?),
    };
    let stop = stop_on_interrupt()?;
    let network = if arguments.offline { Network::Offline } else { Network::Allowed };
    let folder = match folder {
        EvaluationPlace::There(folder) => folder,
        EvaluationPlace::New => made(folders, &order, arguments.name.as_deref())?,
    };
    let outcome = with_progress(&stop, network, |host| evaluate(folders, &folder, &order, host));
    let kept = match outcome {
        Ok(kept) => kept,
        Err(error) => {
            folder.remove_unbegun();
            return Err(error);
        }
    };
    report(&folder, &kept, arguments.json)?;
    Ok(code(&kept, &stop))
}

enum EvaluationPlace {
    New,
    There(EvaluationFolder),
}

fn made(folders: &Folders, order: &EvaluationOrder, name: Option<&str>) -> Result<EvaluationFolder> {
    ensure!(
        !order.models.is_empty(),
        "name a model by --model, a task by --task and the records by --data: \
         dojo eval --model smollm2-135m --task nli-cot --data pairs.jsonl"
    );
    make_folder(folders, name)
}

fn with_progress<T>(
    stop: &AtomicBool,
    network: Network,
    work: impl FnOnce(&mut EvaluationHost<'_>) -> Result<T>,
) -> Result<T> {
    let mut bar = job_bar::of_job();
    let mut named = String::new();
    let mut tell = |progress: EvaluationProgress| {
        if progress.note != named {
            named.clone_from(&progress.note);
            print::complain(&progress.note);
        }
        bar(JobProgress { done: progress.done, all: progress.all, silence: progress.silence });
    };
    work(&mut EvaluationHost { stop, network, tell: &mut tell })
}

fn report(folder: &EvaluationFolder, kept: &KeptEvaluation, json: bool) -> Result<()> {
    if json {
        let value = serde_json::json!({ "folder": folder.path(), "report": kept.report });
        return print::say_json(&value.to_string());
    }
    print::say(told(&kept.report).trim_end())?;
    print::complain(&format!("kept as {}: `dojo eval show {}` shows items", folder.name(), folder.name()));
    Ok(())
}

/// Stopped is 130, as of any program; a model without figures is a failure.
fn code(kept: &KeptEvaluation, stop: &AtomicBool) -> ExitCode {
    if kept.report.unfinished.is_some() && stop.load(Ordering::Relaxed) {
        return ExitCode::from(130);
    }
    if failed_models(&kept.report) > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

impl EvalRunArguments {
    fn order(&self, folders: &Folders) -> Result<EvaluationOrder> {
        let session = self.session.as_deref().map(|name| sessions::open_named(folders, name)).transpose()?;
        Ok(EvaluationOrder {
            models: self.models.clone(),
            tasks: self.tasks.clone(),
            prompts: self.prompts.clone(),
            data: self.data.clone(),
            map: self.map.clone(),
            filters: self.filters.clone(),
            session: session.map(|session| session.path),
            metrics: self.metrics.clone(),
            limit: self.limit,
            seed: self.seed,
            max_new_tokens: self.max_new_tokens,
            temperature: self.temperature,
            choices: self.choices.clone(),
            judge: self.judge.clone(),
            embedder: self.embedder.clone(),
            wordnet: self.wordnet.clone(),
        })
    }
}
