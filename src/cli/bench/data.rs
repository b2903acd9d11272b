//! The session store on a file of records: each figure is what a person would wait for.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::app::studio::bench_data;
use crate::app::{checks, sessions};
use crate::cli::print;
use crate::config::Folders;
use crate::data::check::{CheckSettings, Checker};
use crate::data::import::{Import, ImportOptions};
use crate::domain::change::{Change, Selection};
use crate::domain::filter::{Filter, parse};
use crate::domain::view::{SortDirection, SortField, SortOrder};
use crate::session::{self, Access, Session};

/// Arguments of `dojo bench data`.
#[derive(Args)]
pub(in crate::cli) struct BenchDataArguments {
    /// A file of records: a million of them, a gigabyte, is what the figures are meant for.
    file: PathBuf,
    /// An empty folder for the session; it is left there. The import is passed over where it holds one already.
    #[arg(long)]
    into: PathBuf,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// Rows of a screen.
const SCREEN: usize = 50;
/// Jumps and searches that a percentile is of.
const SAMPLES: usize = 200;

pub(super) fn run(arguments: &BenchDataArguments) -> Result<()> {
    let mut figures = Figures { json: arguments.json, all: serde_json::Map::new() };
    if !arguments.into.join(session::DATABASE).exists() {
        import(&mut figures, &arguments.file, &arguments.into)?;
    }
    let (session, opened) = timed(|| Session::open(&arguments.into, Access::Write));
    let mut session = session?;
    figures.milliseconds("open the session", opened)?;
    let (first, showed) = timed(|| session.first(&Filter::Everything, SCREEN)?.rows(&session, 0..SCREEN));
    first?;
    figures.milliseconds("first screen", showed)?;
    pages(&mut figures, &session)?;
    filters(&mut figures, &session)?;
    searches(&mut figures, &session)?;
    changes(&mut figures, &mut session)?;
    repeats(&mut figures, &session)?;
    figures.number("memory, highest", "MB", memory())?;
    drop(session);
    pane(&mut figures, &arguments.into)?;
    if arguments.json {
        print::say(&Value::Object(figures.all).to_string())?;
    }
    Ok(())
}

fn import(figures: &mut Figures, file: &Path, into: &Path) -> Result<()> {
    let mut session = Session::create(into)?;
    let bytes = std::fs::metadata(file).with_context(|| format!("find {}", file.display()))?.len();
    let source = Import::open(file, &ImportOptions::default())?;
    let (imported, took) =
        timed(|| session::import(&mut session, &file.display().to_string(), source, |_| true));
    let (counts, _) = imported?;
    figures.number("records", "", counts.added as f64)?;
    figures.number("file", "MB", bytes as f64 / 1e6)?;
    figures.number("import", "records/s", counts.added as f64 / took.as_secs_f64())?;
    figures.number("import", "s", took.as_secs_f64())?;
    figures.number("memory after the import, highest", "MB", memory())?;
    let (built, took) = timed(|| session.build_index(|_| true));
    built?;
    figures.number("index for search", "s", took.as_secs_f64())?;
    let database = std::fs::metadata(into.join(session::DATABASE))?.len();
    figures.number("session.db", "MB", database as f64 / 1e6)?;
    Ok(())
}

fn pages(figures: &mut Figures, session: &Session) -> Result<()> {
    let (view, took) = timed(|| session.view(&Filter::Everything, SortOrder::default()));
    let view = view?;
    figures.milliseconds("all records in order", took)?;
    ensure!(!view.is_empty(), "the session is empty");
    let mut times = Vec::with_capacity(SAMPLES);
    for sample in 0..SAMPLES {
        // Spread over the whole by a step that meets every part.
        let position = sample * 7919 % SAMPLES * view.len() / SAMPLES;
        let (rows, took) = timed(|| view.rows(session, position..position + SCREEN));
        rows?;
        times.push(took);
    }
    figures.percentiles("jump and read a screen", times)?;
    for field in [SortField::Characters, SortField::Label] {
        let order = SortOrder { field, direction: SortDirection::Falling };
        let (view, took) = timed(|| session.view(&Filter::Everything, order));
        view?;
        figures.milliseconds(&format!("sort by {}", field.name()), took)?;
    }
    Ok(())
}

fn filters(figures: &mut Figures, session: &Session) -> Result<()> {
    for line in
        ["split:eval", "label:neutral", "status:approved", "chars>2000", "split:train label:entailment"]
    {
        let filter = parse(line)?;
        let (view, took) = timed(|| session.view(&filter, SortOrder::default()));
        let name = format!("filter {line} ({} records)", view?.len());
        figures.milliseconds(&name, took)?;
    }
    let filter = parse("/premise 99[0-9]{3}:/i")?;
    let (view, took) = timed(|| session.view(&filter, SortOrder::default()));
    figures.milliseconds(&format!("regular expression ({} records)", view?.len()), took)?;
    let (statistics, took) = timed(|| session.statistics(&Filter::Everything, Some(1024)));
    statistics?;
    figures.milliseconds("statistics of everything", took)?;
    Ok(())
}

/// Words and phrases out of the records themselves, so frequent ones are asked for as often as they are met.
fn searches(figures: &mut Figures, session: &Session) -> Result<()> {
    let view = session.view(&Filter::Everything, SortOrder::default())?;
    let (mut words, mut phrases, mut first) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = 0;
    for sample in 0..SAMPLES {
        let position = sample * view.len() / SAMPLES;
        let Some(row) = view.rows(session, position..position + 1)?.into_iter().next() else { continue };
        let text: Vec<&str> = row.record.prompt().split_whitespace().collect();
        let at = sample * 13 % text.len().max(1);
        let Some(word) = text.get(at) else { continue };
        let next = text.get(at + 1).copied().unwrap_or_default();
        for (query, times) in [(quoted(word), &mut words), (quoted(&format!("{word} {next}")), &mut phrases)]
        {
            let Ok(filter) = parse(&query) else { continue };
            let (shown, took) = timed(|| session.first(&filter, SCREEN)?.rows(session, 0..SCREEN));
            shown?;
            first.push(took);
            let (all, took) = timed(|| session.view(&filter, SortOrder::default()));
            found += all?.len();
            times.push(took);
        }
    }
    figures.percentiles("search, first screen", first)?;
    figures.percentiles("search a word, every match", words)?;
    figures.percentiles("search a phrase, every match", phrases)?;
    figures.number("matches in all", "", found as f64)?;
    Ok(())
}

fn quoted(words: &str) -> String {
    format!("\"{}\"", words.replace(['"', '\\'], " "))
}

fn changes(figures: &mut Figures, session: &mut Session) -> Result<()> {
    let some = Selection::Matching(parse("id:1..100000")?);
    let tag = Change::AddTag("bench".to_owned());
    let (changed, took) = timed(|| session.apply(&some, &tag));
    figures.number(&format!("tag {} records", changed?), "s", took.as_secs_f64())?;
    let (undone, took) = timed(|| session.undo());
    figures.number(&format!("undo {} records", undone?.records), "s", took.as_secs_f64())?;
    let (changed, took) = timed(|| session.apply(&some, &Change::Remove));
    figures.number(&format!("delete {} records", changed?), "s", took.as_secs_f64())?;
    let (undone, took) = timed(|| session.undo());
    figures.number(&format!("undo {} records", undone?.records), "s", took.as_secs_f64())?;
    Ok(())
}

/// Near-duplicates among the first records.
fn repeats(figures: &mut Figures, session: &Session) -> Result<()> {
    let mut checker = Checker::new(CheckSettings::default());
    let begun = Instant::now();
    checks::feed(session, &parse("id:1..100000")?, &mut checker, |record| record, |_, _| true)?;
    let report = checker.finish();
    let took = begun.elapsed().as_secs_f64();
    let near = report.counts.get("near-duplicate").copied().unwrap_or_default();
    figures.number(
        &format!("all checks of {} records ({near} near-duplicates)", report.records),
        "s",
        took,
    )?;
    Ok(())
}

/// The studio's own pane on the session, at 200x60.
fn pane(figures: &mut Figures, session: &Path) -> Result<()> {
    let home = std::env::temp_dir().join(format!("dojo-bench-{}", std::process::id()));
    let times = sessions::open(session)
        .and_then(|session| bench_data::measure(&Folders::under(&home), session, &TYPED));
    std::fs::remove_dir_all(&home).with_context(|| format!("remove {}", home.display()))?;
    let times = times?;
    figures.milliseconds("pane: from nothing to the first rows", times.first_rows)?;
    figures.percentiles("pane: key and frame, scrolling and jumping", times.frames)?;
    figures.percentiles("pane: jump until its rows are on the screen", times.jumps)?;
    figures.percentiles("pane: filter until its first rows are on the screen", times.filters)?;
    Ok(())
}

/// What people type: common and rare words, phrases, fields, and both together.
const TYPED: [&str; 12] = [
    "the",
    "woman",
    "\"a woman\"",
    "a woman -split:eval",
    "thermodynamics",
    "\"step by step\"",
    "interfer*",
    "label:neutral",
    "chars>2000",
    "split:train \"not\"",
    "id:500000..500100",
    "is:duplicate",
];

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let value = work();
    (value, begun.elapsed())
}

/// The most memory that this process has held, in MB; 0 where the system doesn't say.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes =
        line.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1024.0 / 1e6
}

struct Figures {
    json: bool,
    all: serde_json::Map<String, Value>,
}

impl Figures {
    fn number(&mut self, name: &str, unit: &str, value: f64) -> Result<()> {
        if self.json {
            self.all.insert(format!("{name} {unit}").trim().to_owned(), json!(value));
        } else {
            let digits = if value >= 100.0 || unit.is_empty() { 0 } else { 2 };
            print::say(&format!("{name:52} {value:>12.digits$} {unit}"))?;
        }
        Ok(())
    }

    fn milliseconds(&mut self, name: &str, took: Duration) -> Result<()> {
        self.number(name, "ms", took.as_secs_f64() * 1e3)
    }

    fn percentiles(&mut self, name: &str, mut times: Vec<Duration>) -> Result<()> {
        times.sort_unstable();
        for (label, share) in [("p50", 50), ("p95", 95), ("max", 100)] {
            if let Some(took) = times.get((times.len() * share / 100).min(times.len().saturating_sub(1))) {
                self.milliseconds(&format!("{name}, {label}"), *took)?;
            }
        }
        Ok(())
    }
}
