//! `dojo data import`, `dojo data index`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::table::{Align, table};
use super::{DataContext, OutputForm, stop_on_interrupt};
use crate::app::imports;
use crate::cli::print::complain;
use crate::cli::tokens::tokenizer;
use crate::data::import::{Import as Source, ImportOptions, PlannedFile};
use crate::data::mapping::MappingKind;
use crate::data::rows::Format;
use crate::session::{CountedTokens, ImportCounts, ImportEnd, Session};
use crate::ui::widgets::text;

/// Arguments of `dojo data import`.
#[derive(Args)]
pub(super) struct ImportArguments {
    /// A file, a folder of files, or a dataset of the hub: hf:owner/name[:config[:split]].
    path: PathBuf,
    /// What a column is: part=column, such as prompt=question; an empty column clears the part, unused=column leaves one out.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// Where the file's name does not tell it.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// Show what would be read and how, and import nothing.
    #[arg(long)]
    plan: bool,
}

fn format(name: &str) -> std::result::Result<Format, String> {
    let all = [Format::JsonLines, Format::Json, Format::Csv, Format::Tsv, Format::Parquet, Format::Text];
    let names = || all.map(Format::name).join(", ");
    all.into_iter().find(|format| format.name() == name).ok_or_else(|| format!("formats are {}", names()))
}

pub(super) fn run(place: &DataContext, arguments: &ImportArguments) -> Result<()> {
    let mut session = place.writer()?;
    let options =
        ImportOptions { format: arguments.format, map: arguments.map.clone(), ..ImportOptions::default() };
    let (source, _) = imports::open(&session, &arguments.path, &options)?;
    show_plan(place, &source, arguments.plan)?;
    name_left_out(&source);
    if arguments.plan {
        return Ok(());
    }
    let noticed = source.noticed();
    let stop = stop_on_interrupt()?;
    let started = std::time::Instant::now();
    let (counts, ended) = bring_in(place, &mut session, source, arguments, &stop)?;
    let seconds = started.elapsed().as_secs_f64();
    let notes: Vec<String> =
        noticed.sentences().into_iter().chain(noticed.held_out()).chain(noticed.idle()).collect();
    report(place, counts, &notes, seconds)?;
    if ended == ImportEnd::Stopped {
        bail!("stopped; what was read stays, and the same command goes on from there");
    }
    build_index(place, &mut session, &stop).context(
        "all records are in the session, but what searches them isn't whole: `dojo data index` goes on with it",
    )
}

fn show_plan(place: &DataContext, source: &Source, plan: bool) -> Result<()> {
    let rows: Vec<Vec<String>> = source
        .files()
        .iter()
        .map(|file| {
            vec![
                file.source.clone(),
                file.format.name().to_owned(),
                text::bytes(file.bytes),
                read_as(file),
                file.mapping.to_string(),
            ]
        })
        .collect();
    let columns = [
        ("file", Align::Left),
        ("format", Align::Left),
        ("size", Align::Right),
        ("read as", Align::Left),
        ("columns", Align::Left),
    ];
    if place.json == OutputForm::People || plan {
        let json = json!({ "files": source.files(), "left_out": source.left_out() });
        place.print(|| table(&columns, &rows), &json)?;
    }
    Ok(())
}

/// What a file's rows become, and how to say it where that isn't known.
fn read_as(file: &PlannedFile) -> String {
    if let Some(broken) = &file.broken {
        return format!("nothing; line {}: {}", broken.line, broken.reason);
    }
    let kind = file.mapping.kind();
    let advice = if kind == MappingKind::Columns { "; say what they are with --map part=column" } else { "" };
    format!("{}{advice}", kind.describe())
}

/// The first files of a folder that are not read, each with its reason, and how many more there are.
fn name_left_out(source: &Source) {
    const NAMED: usize = 20;
    for left in source.left_out().iter().take(NAMED) {
        complain(&left.to_string());
    }
    if let Some(more) = source.left_out().len().checked_sub(NAMED).filter(|more| *more > 0) {
        complain(&format!("left out: {more} more"));
    }
}

fn bring_in(
    place: &DataContext,
    session: &mut Session,
    source: Source,
    arguments: &ImportArguments,
    stop: &Arc<AtomicBool>,
) -> Result<(ImportCounts, ImportEnd)> {
    let name = arguments.path.display().to_string();
    let bar = bar(place, "{bar:30} {bytes}/{total_bytes}  {msg}  {eta} left  ctrl-c stops")?;
    let ended = imports::bring_in(session, &name, source, |progress| {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.bytes);
        bar.set_message(format!("{} records", text::count(progress.counts.added)));
        !stop.load(Ordering::Relaxed)
    });
    bar.finish_and_clear();
    Ok(ended?)
}

fn report(place: &DataContext, counts: ImportCounts, notes: &[String], seconds: f64) -> Result<()> {
    let rows = counts.added + counts.repeated + counts.rejected;
    let rate = rows as f64 / seconds.max(1e-9);
    let people = || {
        let mut lines = vec![format!(
            "{} records added in {} ({} rows/s)",
            text::count(counts.added),
            text::duration(seconds),
            text::count(rate as u64)
        )];
        if counts.repeated > 0 {
            lines.push(format!("{} were here before and were left out", text::count(counts.repeated)));
        }
        if counts.rejected > 0 {
            lines.push(format!(
                "{} lines could not be read: `dojo data imports` lists them",
                text::count(counts.rejected)
            ));
        }
        if counts.added + counts.repeated == 0 {
            lines.push("nothing came in, and what its columns were said to be is not remembered".to_owned());
        }
        lines.extend(notes.iter().map(|note| format!("! {note}")));
        lines.join("\n")
    };
    let json = json!({
        "notes": notes, "added": counts.added, "repeated": counts.repeated, "rejected": counts.rejected,
        "seconds": seconds, "rows_per_second": rate,
    });
    place.print(people, &json)
}

pub(super) fn index(place: &DataContext) -> Result<()> {
    let mut session = place.writer()?;
    let stop = stop_on_interrupt()?;
    build_index(place, &mut session, &stop)?;
    let state = session.index_state()?;
    place.print(|| format!("{} records are in the index", text::count(state.done)), &json!(state))?;
    Ok(())
}

/// Arguments of `dojo data tokens`.
#[derive(Args)]
pub(super) struct CountArguments {
    /// The model: a short name, hf:owner/name, or a path; the session's own by default.
    #[arg(long)]
    model: Option<String>,
}

pub(super) fn tokens(place: &DataContext, arguments: &CountArguments) -> Result<()> {
    let model = arguments.model.clone().map_or_else(|| place.info().map(|info| info.file.model), Ok)?;
    let tokenizer = tokenizer(&model)?;
    let mut session = place.writer()?;
    let stop = stop_on_interrupt()?;
    let bar = bar(place, "{bar:30} {pos}/{len} records counted  {eta} left  ctrl-c stops")?;
    let counted = tokenizer.count_all(&mut session, |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        !stop.load(Ordering::Relaxed)
    });
    bar.finish_and_clear();
    let CountedTokens { counted, refused } = counted?;
    let left = session.uncounted()?.len();
    let people = || {
        let mut line = format!("{} records counted for {model}", text::count(counted));
        if refused > 0 {
            line += &format!("; {} have no text to count", text::count(refused));
        }
        if left > 0 {
            line += &format!("; {} are left: the same command goes on", text::count(left as u64));
        }
        line
    };
    place.print(people, &json!({ "model": model, "counted": counted, "refused": refused, "left": left }))?;
    Ok(())
}

/// Search works without it, only slower; so stopping here is no failure.
fn build_index(place: &DataContext, session: &mut Session, stop: &Arc<AtomicBool>) -> Result<()> {
    let bar = bar(place, "{bar:30} {pos}/{len} indexed for search  {eta} left")?;
    let built = session.build_index(|state| {
        bar.set_length(state.total);
        bar.set_position(state.done);
        !stop.load(Ordering::Relaxed)
    });
    bar.finish_and_clear();
    built?;
    Ok(())
}

fn bar(place: &DataContext, template: &str) -> Result<ProgressBar> {
    let bar = match place.json {
        OutputForm::People => ProgressBar::new(0),
        OutputForm::Json => ProgressBar::hidden(),
    };
    bar.set_style(ProgressStyle::with_template(template)?);
    Ok(bar)
}
