//! The step that brings the sample's records in and checks them.

use anyhow::Result;

use super::{Tour, TourHost};
use crate::app::{checks, imports};
use crate::data::check::{CheckSettings, Checker, ExactOnly};
use crate::data::import::ImportOptions;
use crate::domain::counted::counted;
use crate::domain::filter::Filter;
use crate::session::Session;

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let path = tour.data();
    let mut session = Session::create(&tour.session.path)?;
    let (source, _) = imports::open(&session, &path, &ImportOptions::default())?;
    imports::bring_in(&mut session, &path.display().to_string(), source, |_| true)?;
    let mut checker = Checker::new(CheckSettings { encoder: None, exact_only: ExactOnly::No });
    checks::feed(&session, &Filter::Everything, &mut checker, |record| record, |_, _| true)?;
    let report = checker.finish();
    checks::keep(&mut session, &report)?;
    let lengths = report.lengths;
    host.say(&format!(
        "{} with {}; {}: median {}, longest {}",
        counted(report.records, "record"),
        counted(report.distinct_prompts, "distinct prompt"),
        lengths.unit.name(),
        lengths.median,
        lengths.longest
    ))?;
    for (check, count) in &report.counts {
        host.say(&format!("! {check}: {}", counted(*count, "finding")))?;
    }
    report.notes.iter().try_for_each(|note| host.say(&format!("! {note}")))?;
    let found = counted(report.findings.len() as u64, "finding");
    if report.findings.is_empty() {
        host.say("nothing was found: no duplicates, no leakage into the held-out part")?;
    }
    Ok(format!("{}, {found}", counted(report.records, "record")))
}
