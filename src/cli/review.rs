//! `dojo review`: bring thoughts and reflections in, see how they stand, decide, and write what comes out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use super::print;
use super::review_jobs::session_of;
use crate::app::review;
use crate::config::Folders;
use crate::domain::agreement::{Agreement, LENGTHS};
use crate::domain::reflection::{ReflectionId, Verdict};
use crate::session::{Balance, Decision, Session, preference_row, question, training_row};

/// Arguments of `dojo review`.
#[derive(Args)]
pub(super) struct Review {
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long, global = true)]
    session: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring thoughts and reflections in from files of JSON lines.
    Import {
        /// `thought_process`, `predicted_label`, `true_label` and the record's own fields.
        #[arg(long)]
        thoughts: Option<PathBuf>,
        /// The same, with `error_analysis` and `improved_thought_process`.
        #[arg(long)]
        reflections: Option<PathBuf>,
    },
    /// Count what is right, what waits, and what is ready.
    Stats,
    /// Show reflections that wait, or one by its number.
    Show { id: Option<i64> },
    /// Approve reflections by their numbers, or all that wait.
    Approve {
        ids: Vec<i64>,
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
    /// Reject reflections by their numbers.
    Reject {
        #[arg(required = true)]
        ids: Vec<i64>,
        /// Why.
        #[arg(long, default_value = "")]
        because: String,
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
    },
}

pub(super) fn run(arguments: &Review) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let info = session_of(&folders, arguments.session.as_deref())?;
    let mut session = review::open(&info)?;
    let (value, text) = match &arguments.command {
        Command::Import { thoughts, reflections } => {
            import(&mut session, thoughts.as_deref(), reflections.as_deref())?
        }
        Command::Stats => stats(&session)?,
        Command::Show { id } => show(&session, *id)?,
        Command::Approve { ids, all } => {
            let ids = if *all { waiting(&session)? } else { numbers(ids) };
            decide(&mut session, &ids, Verdict::Approved, "")?
        }
        Command::Reject { ids, because } => decide(&mut session, &numbers(ids), Verdict::Rejected, because)?,
        Command::Undo => {
            let ids = session.undo_verdict()?;
            (json!({"undone": ids}), format!("{} back to what they were", ids.len()))
        }
        Command::Export { sft, pairs, balance } => {
            let balance = if *balance { Balance::ByLabel } else { Balance::AsItIs };
            export(&session, sft.as_deref(), pairs.as_deref(), balance)?
        }
    };
    print::say(&if arguments.json { value.to_string() } else { text });
    Ok(ExitCode::SUCCESS)
}

type Said = (serde_json::Value, String);

fn import(session: &mut Session, thoughts: Option<&Path>, reflections: Option<&Path>) -> Result<Said> {
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
        for (line, why) in &brought.skipped {
            lines.push(format!("  {name}, line {line}: {why}"));
        }
        value.insert(
            what.to_owned(),
            json!({"read": brought.rows, "records": brought.records, "skipped": brought.skipped.len()}),
        );
    }
    anyhow::ensure!(!lines.is_empty(), "say what to import: --thoughts FILE, --reflections FILE, or both");
    Ok((value.into(), lines.join("\n")))
}

fn stats(session: &Session) -> Result<Said> {
    let thoughts = session.thoughts()?;
    let agreement = Agreement::of(thoughts.iter().map(|(_, thought)| thought));
    let counts = session.review_counts()?;
    let confusion = &agreement.confusion;
    let percent =
        |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.1}%", share * 100.0));
    let mut lines = vec![format!(
        "thoughts   {} of {} right ({}), {} without a true label",
        confusion.right(),
        confusion.total(),
        percent(confusion.accuracy()),
        agreement.without_truth
    )];
    let mut labels = serde_json::Map::new();
    for label in confusion.labels() {
        let scores = confusion.scores(label);
        let (precision, recall, f1) = (percent(scores.precision), percent(scores.recall), percent(scores.f1));
        lines.push(format!("label {label:<4} precision {precision}, recall {recall}, F1 {f1}"));
        labels.insert(
            label.to_owned(),
            json!({"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}),
        );
    }
    let mut lengths = Vec::new();
    for ((least, most), (right, all)) in LENGTHS.iter().zip(agreement.by_length) {
        let name = if *most == u32::MAX { format!("{least}+") } else { format!("{least}-{most}") };
        if all > 0 {
            lines.push(format!("{name:<10} {right} of {all} right, by tokens"));
        }
        lengths.push(json!({"tokens": name, "right": right, "all": all}));
    }
    lines.push(format!(
        "reviews    {} pending, {} approved, {} edited, {} rejected",
        counts.pending, counts.approved, counts.edited, counts.rejected
    ));
    lines.push(format!(
        "ready      {} for SFT, {} preference pairs",
        counts.ready_for_sft, counts.preference_pairs
    ));
    let value = json!({
        "thoughts": confusion.total(), "right": confusion.right(), "accuracy": confusion.accuracy(),
        "labels": labels, "lengths": lengths,
        "pending": counts.pending, "approved": counts.approved, "edited": counts.edited,
        "rejected": counts.rejected, "ready_for_sft": counts.ready_for_sft,
        "preference_pairs": counts.preference_pairs,
    });
    Ok((value, lines.join("\n")))
}

fn show(session: &Session, id: Option<i64>) -> Result<Said> {
    let Some(id) = id else {
        let waiting = session.reflections(Some(Verdict::Pending))?;
        let line = |(id, item): &(ReflectionId, crate::domain::reflection::Reflection)| {
            format!("{id:>5}  record {:<6} {}", item.record, item.error_analysis)
        };
        let lines: Vec<String> = waiting.iter().map(line).collect();
        let text = if lines.is_empty() { "nothing waits for a verdict".to_owned() } else { lines.join("\n") };
        return Ok((serde_json::to_value(&waiting)?, text));
    };
    let item = session.reflection(ReflectionId(id))?.with_context(|| format!("find reflection {id}"))?;
    let thought = session.thought(item.thought)?.context("find the thought that it corrects")?;
    let record = session.record(item.record)?;
    let truth = thought.truth.clone().unwrap_or_default();
    let text = format!(
        "{}\n\nstudent ({}), label {} where {truth} is true\n{}\n\nwhat went wrong\n{}\n\nteacher ({}), label {}\n{}\n\n{}",
        question(&record),
        thought.model,
        thought.label,
        thought.text,
        item.error_analysis,
        item.teacher,
        item.label,
        item.text(),
        item.verdict.name()
    );
    Ok((json!({"question": question(&record), "thought": thought, "reflection": item}), text))
}

fn waiting(session: &Session) -> Result<Vec<ReflectionId>> {
    Ok(session.reflections(Some(Verdict::Pending))?.into_iter().map(|(id, _)| id).collect())
}

fn numbers(ids: &[i64]) -> Vec<ReflectionId> {
    ids.iter().copied().map(ReflectionId).collect()
}

fn decide(session: &mut Session, ids: &[ReflectionId], verdict: Verdict, comment: &str) -> Result<Said> {
    anyhow::ensure!(!ids.is_empty(), "say which: `dojo review show` lists the numbers of those that wait");
    let decision = Decision { verdict, edited: None, comment: comment.to_owned() };
    let decided = session.decide(ids, &decision)?;
    let missing = ids.len() as u64 - decided;
    anyhow::ensure!(decided > 0, "find the reflections: the session has none of these numbers");
    let mut text = format!("{decided} {}", verdict.name());
    if missing > 0 {
        text = format!("{text}, {missing} not found");
    }
    Ok((json!({"verdict": verdict, "decided": decided, "missing": missing}), text))
}

fn export(session: &Session, sft: Option<&Path>, pairs: Option<&Path>, balance: Balance) -> Result<Said> {
    anyhow::ensure!(sft.is_some() || pairs.is_some(), "say where to: --sft FILE, --pairs FILE, or both");
    let lessons = session.lessons(balance)?;
    let mut rows = (Vec::new(), Vec::new());
    for lesson in &lessons {
        rows.0.push(training_row(lesson, &question(&session.record(lesson.record)?)));
    }
    for lesson in &session.preference_pairs()? {
        rows.1.extend(preference_row(lesson, &question(&session.record(lesson.record)?)));
    }
    let mut lines = Vec::new();
    let mut value = serde_json::Map::new();
    for (what, path, rows) in [("sft", sft, &rows.0), ("pairs", pairs, &rows.1)] {
        if let Some(path) = path {
            write_lines(path, rows).with_context(|| format!("write {}", path.display()))?;
            lines.push(format!("{what}: {} rows in {}", rows.len(), path.display()));
            value.insert(what.to_owned(), rows.len().into());
        }
    }
    Ok((value.into(), lines.join("\n")))
}

/// Beside it first, flushed, then renamed.
fn write_lines(path: &Path, rows: &[serde_json::Value]) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&beside)?);
    for row in rows {
        writeln!(file, "{row}")?;
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    std::fs::rename(&beside, path)
}
