//! `dojo data check`: what may be wrong with the records of a session or of files, and mending what can safely be.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::{Place, each_page};
use crate::cli::tokens::cutter;
use crate::data::check::{Check as Kind, CheckSettings, Checker, ExactOnly, Finding, Report, clean};
use crate::data::import::{ImportOptions, OnMalformed, read_all};
use crate::domain::change::{Change, Selection};
use crate::domain::record::{Record, RecordId};
use crate::session::{Session, body_of};

/// Arguments of `dojo data check`.
#[derive(Args)]
pub(super) struct Check {
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

pub(super) fn run(place: &Place, arguments: &Check) -> Result<()> {
    if arguments.file.is_some() && arguments.file == arguments.against {
        bail!("--file and --against name the same path");
    }
    let model = arguments.model.as_deref().map(cutter).transpose()?;
    let encoder = model.as_ref().map(|model| model.encoder(arguments.max_length)).transpose()?;
    let exact_only = if arguments.exact { ExactOnly::Yes } else { ExactOnly::No };
    let mut checker = Checker::new(CheckSettings { encoder, exact_only });
    // Without `--against`, the records' own splits say which side they are on.
    let side = arguments.against.as_ref().map(|_| "test");
    if let Some(path) = &arguments.against {
        checker.compare_with(&read_all(path, &ImportOptions::default(), OnMalformed::Skip)?.records);
    }
    let mut places: BTreeMap<RecordId, String> = BTreeMap::new();
    let report = if let Some(path) = &arguments.file {
        let records = read_all(path, &ImportOptions::default(), OnMalformed::Skip)?.records;
        let records: Vec<(RecordId, Record)> =
            (1..).map(RecordId).zip(records.into_iter().map(|record| on(side, record))).collect();
        places.extend(records.iter().map(|(id, record)| (*id, record.place())));
        checker.add(&records);
        checker.finish()
    } else {
        each_page(&place.reader()?, &arguments.filter, |page| {
            let of_side = |(id, record): (RecordId, Record)| (id, on(side, record));
            checker.add(&page.into_iter().map(of_side).collect::<Vec<_>>());
            Ok(())
        })?;
        checker.finish()
    };
    let mended = match &arguments.file {
        Some(_) => Vec::new(),
        None => keep(place, arguments, &report)?,
    };
    let mut json = serde_json::to_value(&report)?;
    if let Some(object) = json.as_object_mut() {
        object.insert("mended".into(), json!(mended));
    }
    place.print(|| for_people(&report, &places, arguments.limit, &mended), &json);
    Ok(())
}

fn on(side: Option<&str>, record: Record) -> Record {
    match side {
        Some(side) => Record { split: Some(side.to_owned()), ..record },
        None => record,
    }
}

/// Stores what was found, so that `check:NAME` filters by it, and mends what was asked for. Says what it mended.
fn keep(place: &Place, arguments: &Check, report: &Report) -> Result<Vec<String>> {
    let mut session = place.writer()?;
    if arguments.filter.is_empty() {
        for kind in Kind::ALL {
            let of_kind = report.findings.iter().filter(|finding| finding.check == kind);
            let found: Vec<(RecordId, String)> =
                of_kind.map(|finding| (finding.record, finding.what.clone())).collect();
            session.replace_findings(kind.name(), &found).context("store what was found")?;
        }
    }
    if arguments.fix { mend(&mut session, &report.findings) } else { Ok(Vec::new()) }
}

fn mend(session: &mut Session, findings: &[Finding]) -> Result<Vec<String>> {
    let of = |kind: Kind| {
        findings.iter().filter(move |finding| finding.check == kind).map(|finding| finding.record)
    };
    let mut mended = Vec::new();
    let mut edits = Vec::new();
    for row in session.rows(&of(Kind::Characters).map(|id| id.0).collect::<Vec<_>>())? {
        let mut record = row.record;
        if clean(&mut record) {
            edits.push((row.id, body_of(&record)));
        }
    }
    if !edits.is_empty() {
        let count = session.edit("take out control and invisible characters", &edits)?;
        mended.push(format!("took control and invisible characters out of {count} records"));
    }
    let repeated: Vec<RecordId> = of(Kind::Duplicate).collect();
    if !repeated.is_empty() {
        let count = session.apply(&Selection::Records(repeated), &Change::Remove)?;
        mended.push(format!("deleted {count} exact duplicates; `dojo data undo` brings them back"));
    }
    Ok(mended)
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
    for kind in Kind::ALL {
        let Some(count) = report.counts.get(kind.name()) else { continue };
        out += &format!("\n\n{} {count}", kind.name());
        for finding in report.findings.iter().filter(|finding| finding.check == kind).take(limit) {
            let place =
                places.get(&finding.record).cloned().unwrap_or_else(|| format!("record {}", finding.record));
            out += &format!("\n  {place}: {}", finding.what);
        }
    }
    if report.findings.is_empty() {
        out += "\nnothing was found";
    }
    for line in mended {
        out += &format!("\n{line}");
    }
    out
}
