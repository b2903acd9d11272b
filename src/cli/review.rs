//! `dojo review`: bring thoughts and reflections in, see how they stand, decide, and write what comes out.

mod leads;
mod show;
mod stats;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use super::print;
use super::review_jobs::session_of;
use crate::app::review::{self, sets};
use crate::config::Folders;
use crate::domain::filter::{Filter, parse};
use crate::domain::recipe::{Balance, SetKind, SetOrder};
use crate::domain::reflection::{Decision, ReflectionId, Verdict};
use crate::domain::review::QueueOrder;
use crate::domain::review_leads::told_of_elsewhere;
use crate::domain::thought::ThoughtId;
use crate::ground::files::{Readers, WholeFile};
use crate::session::Session;

/// Arguments of `dojo review`.
#[derive(Args)]
pub(super) struct ReviewArguments {
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long, global = true)]
    session: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: ReviewSubcommand,
}

#[derive(Subcommand)]
enum ReviewSubcommand {
    /// Bring thoughts and reflections in from files of JSON lines.
    Import {
        /// `thought_process`, `predicted_label`, `true_label` and the record's own fields.
        #[arg(long)]
        thoughts: Option<PathBuf>,
        /// The same, with `error_analysis` and `improved_thought_process`.
        #[arg(long)]
        reflections: Option<PathBuf>,
    },
    /// Count what is right and where it goes wrong, what waits, what is ready, and how two reviewers agree.
    Stats,
    /// List reflections, those that wait unless a filter says otherwise; or show one by its number, with its history.
    Show {
        id: Option<i64>,
        /// The number is that of a thought, as `--filter is:uncorrected` lists those that nobody has corrected.
        #[arg(long, requires = "id")]
        thought: bool,
        /// As in the pane: `score<4 check:any`.
        #[arg(long, conflicts_with = "id", allow_hyphen_values = true)]
        filter: Option<String>,
    },
    /// List the corrections and the right thoughts that conclude another label than their own, by their words or as a
    /// model finds them.
    Leads {
        /// First let a model of this machine read each: how likely it finds each label is kept and shown.
        #[arg(long)]
        model: Option<String>,
        /// Only about records that this filter lets through (`split:train`).
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        filter: String,
    },
    /// List the answers that could not be read, as they came.
    Aside,
    /// Show the rows that a record gives to the training set and the pairs, each with where it comes from.
    Provenance { record: i64 },
    /// Approve reflections by their numbers, or all that wait.
    Approve {
        ids: Vec<i64>,
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Those that wait and match.
        #[arg(long, conflicts_with_all = ["ids", "all"], allow_hyphen_values = true)]
        filter: Option<String>,
    },
    /// Reject reflections by their numbers.
    Reject {
        #[arg(required_unless_present = "filter")]
        ids: Vec<i64>,
        /// Those that wait and match.
        #[arg(long, conflicts_with = "ids", allow_hyphen_values = true)]
        filter: Option<String>,
        /// Why.
        #[arg(long, default_value = "")]
        because: String,
    },
    /// Send reflections back to their teacher: the next `dojo reflect` asks for them again, with the comment.
    SendBack {
        #[arg(required = true)]
        ids: Vec<i64>,
        /// What should change.
        #[arg(long)]
        comment: String,
    },
    /// Put another text in the place of a correction, and approve it.
    Edit {
        id: i64,
        /// The file with the text; - for standard input.
        file: PathBuf,
        /// A file with why the thought went wrong, in the place of what the teacher said.
        #[arg(long)]
        analysis: Option<PathBuf>,
    },
    /// Correct a thought by hand: the text becomes a reflection of yours, approved.
    Correct {
        /// The thought's number, as `show --filter is:uncorrected` lists it: 12 for t12.
        thought: i64,
        /// The file with the text; - for standard input.
        file: PathBuf,
        /// A file with why the thought went wrong.
        #[arg(long)]
        analysis: Option<PathBuf>,
    },
    /// Take the last decision back.
    Undo,
    /// Write the training set, the preference pairs, or both.
    Export {
        /// Right thoughts and accepted corrections, as `messages`.
        #[arg(long)]
        sft: Option<PathBuf>,
        /// Accepted corrections against the flawed thoughts: `prompt`, `chosen`, `rejected`.
        #[arg(long)]
        pairs: Option<PathBuf>,
        /// Of each label as many as the rarest has.
        #[arg(long)]
        balance: bool,
        /// Only rows about records that this filter lets through (`split:train`).
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        filter: String,
    },
}

pub(super) fn run(arguments: &ReviewArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let info = session_of(&folders, arguments.session.as_deref())?;
    let mut session = review::open(&info)?;
    let (value, text) = match &arguments.command {
        ReviewSubcommand::Import { thoughts, reflections } => {
            import(&mut session, thoughts.as_deref(), reflections.as_deref())?
        }
        ReviewSubcommand::Stats => stats::stats(&session)?,
        ReviewSubcommand::Show { id: Some(id), thought, .. } => {
            let id = if *thought { ThoughtId(*id).into() } else { ReflectionId(*id).into() };
            show::one(&session, id)?
        }
        ReviewSubcommand::Show { id: None, filter, .. } => {
            show::list(&session, filter.as_deref().unwrap_or("verdict:pending"))?
        }
        ReviewSubcommand::Leads { model, filter } => {
            let filter = parse(filter).map_err(|error| anyhow::anyhow!("{}", error.pointed(filter)))?;
            leads::leads(&folders, &mut session, model.as_deref(), &filter)?
        }
        ReviewSubcommand::Aside => show::aside(&session)?,
        ReviewSubcommand::Provenance { record } => show::provenance(&session, *record)?,
        ReviewSubcommand::Approve { ids, all, filter } => {
            let filter = if *all { Some("") } else { filter.as_deref() };
            decide(&mut session, ids, filter, &Decision::of(Verdict::Approved))?
        }
        ReviewSubcommand::Reject { ids, filter, because } => {
            let decision = Decision { comment: because.clone(), ..Decision::of(Verdict::Rejected) };
            decide(&mut session, ids, filter.as_deref(), &decision)?
        }
        ReviewSubcommand::SendBack { ids, comment } => {
            let decision = Decision { comment: comment.clone(), ..Decision::of(Verdict::SentBack) };
            decide(&mut session, ids, None, &decision)?
        }
        ReviewSubcommand::Edit { id, file, analysis } => {
            let analysis = analysis.as_deref().map(text_of).transpose()?;
            let decision =
                Decision { edited: Some(text_of(file)?), analysis, ..Decision::of(Verdict::Edited) };
            decide(&mut session, &[*id], None, &decision)?
        }
        ReviewSubcommand::Correct { thought, file, analysis } => {
            let analysis = analysis.as_deref().map(text_of).transpose()?.unwrap_or_default();
            correct(&mut session, ThoughtId(*thought), &text_of(file)?, &analysis)?
        }
        ReviewSubcommand::Undo => {
            let ids = session.undo_verdict()?;
            (json!({"undone": ids}), format!("{} back to what they were", ids.len()))
        }
        ReviewSubcommand::Export { sft, pairs, balance, filter } => {
            let balance = if *balance { Balance::ByLabel } else { Balance::AsItIs };
            let filter = parse(filter).map_err(|error| anyhow::anyhow!("{}", error.pointed(filter)))?;
            export(&folders, &session, (sft.as_deref(), pairs.as_deref()), balance, &filter)?
        }
    };
    if arguments.json {
        print::say_json(&value.to_string())?;
    } else {
        print::say(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}

type PrintedResult = (serde_json::Value, String);

fn import(
    session: &mut Session,
    thoughts: Option<&Path>,
    reflections: Option<&Path>,
) -> Result<PrintedResult> {
    let mut value = serde_json::Map::new();
    let mut lines = Vec::new();
    let files = [("thoughts", thoughts), ("reflections", reflections)];
    for (what, path) in files.into_iter().filter_map(|(what, path)| Some((what, path?))) {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let name = path.to_string_lossy();
        let brought = if what == "thoughts" {
            session.import_thoughts(&name, &text)?
        } else {
            session.import_reflections(&name, &text)?
        };
        lines.push(format!("{what}: {} read, {} new records", brought.rows, brought.records));
        for (line, why) in brought.skipped.iter().chain(&brought.told) {
            lines.push(format!("  {name}, line {line}: {why}"));
        }
        value.insert(
            what.to_owned(),
            json!({"read": brought.rows, "records": brought.records, "skipped": brought.skipped.len(),
                "told": brought.told.len()}),
        );
    }
    anyhow::ensure!(!lines.is_empty(), "say what to import: --thoughts FILE, --reflections FILE, or both");
    Ok((value.into(), lines.join("\n")))
}

/// Decides on the numbers that are named, or on what waits and matches.
fn decide(
    session: &mut Session,
    ids: &[i64],
    filter: Option<&str>,
    decision: &Decision,
) -> Result<PrintedResult> {
    let ids: Vec<ReflectionId> = match filter {
        None => ids.iter().copied().map(ReflectionId).collect(),
        Some(words) => {
            let rows = session.review_queue(&show::filter(words)?, QueueOrder::default())?;
            let waiting = rows.into_iter().filter(|row| row.verdict == Verdict::Pending);
            waiting.filter_map(|row| row.id.correction()).collect()
        }
    };
    anyhow::ensure!(
        !ids.is_empty(),
        "nothing to decide on: `dojo review show` lists the numbers of those that wait"
    );
    let decided = session.decide(&ids, decision)?;
    let missing = ids.len() as u64 - decided;
    anyhow::ensure!(decided > 0, "find the reflections: the session has none of these numbers");
    let verdict = decision.verdict;
    let mut text = format!("{decided} {}", verdict.name());
    if missing > 0 {
        text = format!("{text}, {missing} not found");
    }
    let elsewhere = if verdict.is_accepted() { session.leading_elsewhere(&ids)?.len() } else { 0 };
    text.extend(
        told_of_elsewhere(elsewhere).map(|told| format!("\n{told} (dojo review show --filter check:leads)")),
    );
    let value =
        json!({"verdict": verdict, "decided": decided, "missing": missing, "lead_elsewhere": elsewhere});
    Ok((value, text))
}

fn correct(session: &mut Session, thought: ThoughtId, text: &str, analysis: &str) -> Result<PrintedResult> {
    let added = session.correct(thought, text, analysis)?;
    let id = added.with_context(|| format!("find thought {thought}, with a label that it should lead to"))?;
    Ok((json!({"thought": thought, "id": id}), format!("thought {thought} corrected, as reflection {id}")))
}

fn text_of(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context("read the correction from standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("read the correction in {}", file.display()))?
    };
    let text = text.trim();
    anyhow::ensure!(!text.is_empty(), "{} is empty: a correction has words", file.display());
    Ok(text.to_owned())
}

fn export(
    folders: &Folders,
    session: &Session,
    (sft, pairs): (Option<&Path>, Option<&Path>),
    balance: Balance,
    filter: &Filter,
) -> Result<PrintedResult> {
    anyhow::ensure!(sft.is_some() || pairs.is_some(), "say where to: --sft FILE, --pairs FILE, or both");
    let mut lines = Vec::new();
    let mut value = serde_json::Map::new();
    let mut corrections = BTreeSet::new();
    for (what, path, kind) in [("sft", sft, SetKind::Reviewed), ("pairs", pairs, SetKind::Pairs)] {
        let Some(path) = path else { continue };
        let balance = if kind == SetKind::Reviewed { balance } else { Balance::AsItIs };
        let order = SetOrder { kind, balance, filter: filter.clone() };
        let rows = sets::rows(folders, session, &order)?;
        corrections.extend(rows.iter().filter_map(sets::SetRow::correction));
        let rows: Vec<serde_json::Value> = rows.iter().map(sets::line).collect();
        write_lines(path, &rows).with_context(|| format!("write {}", path.display()))?;
        lines.push(format!("{what}: {} rows in {}", rows.len(), path.display()));
        value.insert(what.to_owned(), rows.len().into());
    }
    let left_out = session.review_counts()?.contradicting;
    if sft.is_some() && left_out > 0 {
        lines.push(leads::left_out(left_out));
        value.insert("contradicting".to_owned(), left_out.into());
    }
    let corrections: Vec<ReflectionId> = corrections.into_iter().collect();
    let elsewhere = session.leading_elsewhere(&corrections)?.len();
    if let Some(told) = told_of_elsewhere(elsewhere) {
        lines.push(format!("corrections: {told} (dojo review show --filter check:leads)"));
        value.insert("lead_elsewhere".to_owned(), elsewhere.into());
    }
    Ok((value.into(), lines.join("\n")))
}

fn write_lines(path: &Path, rows: &[serde_json::Value]) -> std::io::Result<()> {
    let mut file = WholeFile::create(path, Readers::Anybody)?;
    rows.iter().try_for_each(|row| writeln!(file, "{row}"))?;
    file.finish()
}
