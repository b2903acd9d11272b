//! `dojo blueprint coverage` and `rejected`: what of a plan is there, and what was set aside.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use super::{Align, say, say_json, session_of, table};
use crate::app::{expand, review};
use crate::config::Folders;
use crate::domain::counted::counted;
use crate::domain::coverage::{BlueprintCoverage, CellCoverage};
use crate::session::{RejectedExample, Session};

/// Arguments of `dojo blueprint coverage`.
#[derive(Args)]
pub(super) struct CoverageArguments {
    /// A blueprint's file or name; all that were expanded here otherwise.
    blueprint: Option<String>,
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long)]
    session: Option<String>,
    /// Only cells that lack some of their plan.
    #[arg(long)]
    weak: bool,
}

/// Arguments of `dojo blueprint rejected`.
#[derive(Args)]
pub(super) struct RejectedArguments {
    /// A blueprint's file or name; all that were expanded here otherwise.
    blueprint: Option<String>,
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long)]
    session: Option<String>,
    /// Show so many at most.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

pub(super) fn run(arguments: &CoverageArguments, json: bool) -> Result<ExitCode> {
    let session = open(arguments.session.as_deref())?;
    let found = wanted(&session, arguments.blueprint.as_deref())?;
    let keep = |cell: &CellCoverage| !arguments.weak || cell.missing() > 0;
    if json {
        let all: Vec<_> = found
            .iter()
            .map(|one| {
                let cells: Vec<_> = one.cells.iter().filter(|cell| keep(cell)).collect();
                json!({"blueprint": one.blueprint, "total": one.total(), "cells": cells})
            })
            .collect();
        say_json(&json!({"blueprints": all}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in &found {
        let rows: Vec<Vec<String>> = one.cells.iter().filter(|cell| keep(cell)).map(row).collect();
        say(&table(&COLUMNS, &rows))?;
        say(&told(one))?;
    }
    Ok(ExitCode::SUCCESS)
}

const COLUMNS: [(&str, Align); 8] = [
    ("subtopic", Align::Left),
    ("stage", Align::Left),
    ("form", Align::Left),
    ("planned", Align::Right),
    ("kept", Align::Right),
    ("of written", Align::Right),
    ("approved", Align::Right),
    ("rejected", Align::Right),
];

fn row(cell: &CellCoverage) -> Vec<String> {
    vec![
        cell.cell.subtopic.clone(),
        cell.cell.evolution.clone(),
        cell.cell.form.clone(),
        cell.planned.to_string(),
        cell.kept.to_string(),
        cell.share_kept().map_or_else(|| "–".to_owned(), |share| format!("{:.0}%", share * 100.0)),
        cell.approved.to_string(),
        cell.refused.to_string(),
    ]
}

fn told(one: &BlueprintCoverage) -> String {
    let total = one.total();
    let weak = one.cells.iter().filter(|cell| cell.missing() > 0).count();
    let share = total.share_kept().map_or_else(String::new, |share| {
        format!(" ({:.0}% of what was written passed the checks)", share * 100.0)
    });
    let refill = if weak > 0 {
        format!("; {} lack some: `dojo expand --refill` asks for them", counted(weak as u64, "cell"))
    } else {
        "; no cell lacks any".to_owned()
    };
    format!(
        "{}: {} of {} planned are there{share}, {} approved and {} rejected by you{refill}",
        one.blueprint, total.kept, total.planned, total.approved, total.refused
    )
}

pub(super) fn run_rejected(arguments: &RejectedArguments, json: bool) -> Result<ExitCode> {
    let session = open(arguments.session.as_deref())?;
    let found = wanted(&session, arguments.blueprint.as_deref())?;
    let mut all: Vec<(String, RejectedExample)> = Vec::new();
    for one in found {
        let rejected = session.rejected_examples(&one.blueprint)?;
        all.extend(rejected.into_iter().map(|example| (one.blueprint.clone(), example)));
    }
    let number = all.len();
    all.truncate(arguments.limit);
    if json {
        let all: Vec<_> = all
            .iter()
            .map(|(blueprint, example)| json!({"blueprint": blueprint, "example": example}))
            .collect();
        say_json(&json!({"all": number, "rejected": all}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for (blueprint, example) in &all {
        let RejectedExample { cell, number, teacher, reason, words, raw } = example;
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        say(&format!("== {blueprint} / {cell} / {number} by {teacher}\n== {reason}{words}\n\n{raw}\n"))?;
    }
    say(&format!("{} of {} shown", all.len(), counted(number as u64, "rejected example")))?;
    Ok(ExitCode::SUCCESS)
}

fn open(named: Option<&str>) -> Result<Session> {
    let folders = Folders::from_environment()?;
    review::open(&session_of(&folders, named)?)
}

/// Of the blueprint that is named, or of all.
fn wanted(session: &Session, named: Option<&str>) -> Result<Vec<BlueprintCoverage>> {
    let mut found = session.coverage()?;
    ensure!(
        !found.is_empty(),
        "no blueprint was expanded in this session: `dojo expand FILE --teacher NAME` does so"
    );
    let Some(named) = named else { return Ok(found) };
    let known: Vec<String> = found.iter().map(|one| one.blueprint.clone()).collect();
    // A name of one that was expanded here needs no file any more.
    let name = match known.iter().find(|known| *known == named) {
        Some(known) => known.clone(),
        None => expand::find(named)?.blueprint.name,
    };
    found.retain(|one| one.blueprint == name);
    ensure!(
        !found.is_empty(),
        "the blueprint {name} was not expanded in this session; those that were: {}",
        known.join(", ")
    );
    Ok(found)
}
