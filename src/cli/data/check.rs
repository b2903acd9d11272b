//! `dojo data check`: what may be wrong with the records of a session or of files, and mending what can safely be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::{DataContext, filter};
use crate::app::checks;
use crate::cli::tokens::tokenizer;
use crate::data::check::{CheckSettings, Checker, ExactOnly, FindingKind, Report};
use crate::data::import::{ImportOptions, read_all};
use crate::data::split::told;
use crate::domain::recipe::OnMalformed;
use crate::domain::record::{Record, RecordId};

/// Arguments of `dojo data check`.
#[derive(Args)]
pub(super) struct CheckArguments {
    /// Which records; all, where nothing is said.
    filter: Vec<String>,
    /// Check a file or folder instead of a session's records.
    #[arg(long, value_name = "PATH", conflicts_with = "filter")]
    file: Option<PathBuf>,
    /// What the records are held out from: their prompts should not be in this file or folder.
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Count tokens as this model does, and find what would be cut.
    #[arg(long, short)]
    model: Option<String>,
    /// Tokens that training keeps of an example.
    #[arg(long, default_value_t = 1024)]
    max_length: usize,
    /// Leave out near-duplicates and near leakage, which take longest.
    #[arg(long)]
    exact: bool,
    /// Delete exact duplicates and take out control and invisible characters; each can be undone.
    #[arg(long, conflicts_with = "file")]
    fix: bool,
    /// Findings to show of each check.
    #[arg(long, default_value_t = 5)]
    limit: usize,
}

pub(super) fn run(place: &DataContext, arguments: &CheckArguments) -> Result<()> {
    if arguments.file.is_some() && arguments.file == arguments.against {
        bail!("--file and --against name the same path");
    }
    let model = arguments.model.as_deref().map(tokenizer).transpose()?;
    let encoder = model.as_ref().map(|model| model.encoder(arguments.max_length)).transpose()?;
    let exact_only = if arguments.exact { ExactOnly::Yes } else { ExactOnly::No };
    let mut checker = Checker::new(CheckSettings { encoder, exact_only });
    // Without `--against`, the records' own splits say which side they are on.
    let side = arguments.against.as_ref().map(|_| "test");
    if let Some(path) = &arguments.against {
        checker.compare_with(&read_all(path, &ImportOptions::default(), OnMalformed::Skip)?.records);
    }
    let mut places: BTreeMap<RecordId, String> = BTreeMap::new();
    let (mut malformed, mut notes) = (Vec::new(), Vec::new());
    let mut report = if let Some(path) = &arguments.file {
        let batch = read_all(path, &ImportOptions::default(), OnMalformed::Skip)?;
        (malformed, notes) = (batch.malformed, batch.notes);
        notes.extend(batch.idle);
        let records = batch.records;
        notes.extend(told(&records).filter(|_| side.is_none()));
        let records: Vec<(RecordId, Record)> =
            (1..).map(RecordId).zip(records.into_iter().map(|record| on(side, record))).collect();
        places.extend(records.iter().map(|(id, record)| (*id, record.place())));
        checker.add(&records);
        checker.finish()
    } else {
        let filter = filter(&arguments.filter)?;
        checks::feed(&place.reader()?, &filter, &mut checker, |record| on(side, record), |_, _| true)?;
        checker.finish()
    };
    if let Some(first) = malformed.first() {
        let (count, lines) = (malformed.len(), if malformed.len() == 1 { "line is" } else { "lines are" });
        report.notes.push(format!(
            "{count} {lines} no record and left out of training; the first is {}:{}: {}",
            first.source, first.line, first.reason
        ));
    }
    report.notes.extend(notes);
    let mended = match &arguments.file {
        Some(_) => Vec::new(),
        None => keep(place, arguments, &report)?,
    };
    let mut json = serde_json::to_value(&report)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("mended".into(), json!(mended));
    }
    place.print(|| for_people(&report, &places, arguments.limit, &mended), &json)?;
    Ok(())
}

fn on(side: Option<&str>, record: Record) -> Record {
    match side {
        Some(side) => Record { split: Some(side.to_owned()), ..record },
        None => record,
    }
}

/// Stores what was found and mends what was asked for. Says what it mended.
fn keep(place: &DataContext, arguments: &CheckArguments, report: &Report) -> Result<Vec<String>> {
    let mut session = place.writer()?;
    if arguments.filter.is_empty() {
        checks::keep(&mut session, report)?;
    }
    if !arguments.fix {
        return Ok(Vec::new());
    }
    let of = |kind: FindingKind| -> Vec<RecordId> {
        report.findings.iter().filter(|one| one.check == kind).map(|one| one.record).collect()
    };
    checks::mend(&mut session, &of(FindingKind::Characters), &of(FindingKind::Duplicate))
}

fn for_people(
    report: &Report,
    places: &BTreeMap<RecordId, String>,
    limit: usize,
    mended: &[String],
) -> String {
    let lengths = report.lengths;
    let mut out = format!(
        "{} records, {} distinct prompts; {}: median {}, 95% up to {}, longest {}",
        report.records,
        report.distinct_prompts,
        lengths.unit.name(),
        lengths.median,
        lengths.p95,
        lengths.longest
    );
    if !report.labels.is_empty() {
        let shown: Vec<String> =
            report.labels.iter().take(8).map(|(label, count)| format!("{label} {count}")).collect();
        let more = if report.labels.len() > 8 {
            format!(", and {} others", report.labels.len() - 8)
        } else {
            String::new()
        };
        out += &format!("\nlabels: {}{more}", shown.join(", "));
    }
    for note in &report.notes {
        out += &format!("\n! {note}");
    }
    for kind in FindingKind::ALL {
        let Some(count) = report.counts.get(kind.name()) else { continue };
        out += &format!("\n\n{} {count}", kind.name());
        for finding in report.findings.iter().filter(|finding| finding.check == kind).take(limit) {
            let place =
                places.get(&finding.record).cloned().unwrap_or_else(|| format!("record {}", finding.record));
            out += &format!("\n  {place}: {}", finding.what);
        }
    }
    if report.findings.is_empty() && report.notes.is_empty() {
        out += "\nnothing was found";
    }
    for line in mended {
        out += &format!("\n{line}");
    }
    out
}
