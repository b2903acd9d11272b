//! Checking a session's records: running the checks, keeping what they found, mending what can safely be. The studio
//! and `dojo data check` both use this.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::data::check::{Checker, Finding, FindingKind, Report, clean};
use crate::domain::change::{Body, Change, Selection};
use crate::domain::filter::Filter;
use crate::domain::record::{Record, RecordId};
use crate::domain::view::SortOrder;
use crate::session::Session;

/// So many records are in memory at once.
const PAGE: usize = 4096;

/// Gives every record that a filter matches to a checker; `each` may change a record first, and is asked after every
/// page whether to go on. `false`: it was stopped.
///
/// # Errors
/// Where the session can't be read.
pub(crate) fn feed(
    session: &Session,
    filter: &Filter,
    checker: &mut Checker<'_>,
    change: impl Fn(Record) -> Record,
    mut go_on: impl FnMut(u64, u64) -> bool,
) -> Result<bool> {
    let view = session.view(filter, SortOrder::default())?;
    let mut done = 0;
    for ids in view.ids().chunks(PAGE) {
        let rows = session.rows(ids)?;
        checker.add(&rows.into_iter().map(|row| (row.id, change(row.record))).collect::<Vec<_>>());
        done += ids.len() as u64;
        if !go_on(done, view.len() as u64) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Stores what was found, so that `check:NAME` filters by it.
///
/// # Errors
/// Where the session can't be written.
pub(crate) fn keep(session: &mut Session, report: &Report) -> Result<()> {
    let mut found: BTreeMap<&str, Vec<(RecordId, String)>> =
        FindingKind::ALL.into_iter().map(|check| (check.name(), Vec::new())).collect();
    for Finding { check, record, what, .. } in &report.findings {
        found.entry(check.name()).or_default().push((*record, what.clone()));
    }
    session.replace_findings(&found).context("store what was found")
}

/// Takes out characters that nobody typed and deletes exact duplicates among these records, each as one change. Says
/// what it did, a sentence each.
///
/// # Errors
/// Where the session can't be written.
pub(crate) fn mend(session: &mut Session, odd: &[RecordId], repeated: &[RecordId]) -> Result<Vec<String>> {
    let mut mended = Vec::new();
    let mut edits = Vec::new();
    for row in session.rows(&odd.iter().map(|id| id.0).collect::<Vec<_>>())? {
        let mut record = row.record;
        if clean(&mut record) {
            edits.push((row.id, Body::of(&record)));
        }
    }
    if !edits.is_empty() {
        let count = session.edit("take out control and invisible characters", &edits)?;
        mended.push(format!("took control and invisible characters out of {count} records"));
    }
    if !repeated.is_empty() {
        let count = session.apply(&Selection::Records(repeated.to_vec()), &Change::Remove)?;
        mended.push(format!("deleted {count} exact duplicates; undo brings them back"));
    }
    Ok(mended)
}
