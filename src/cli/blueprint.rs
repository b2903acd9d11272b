//! `dojo blueprint`: begin one, check it, see what it plans, and what of that is there.

mod coverage;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::data::{Align, table};
use super::print::{say, say_json};
use super::review_jobs::session_of;
use crate::app::expand;
use crate::blueprint::{self, Blueprint, EXAMPLE, SHIPPED, cell_counts};
use crate::config::Folders;
use crate::domain::counted::counted;
use crate::domain::name;

/// Arguments of `dojo blueprint`.
#[derive(Args)]
pub(super) struct BlueprintArguments {
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: BlueprintSubcommand,
}

#[derive(Subcommand)]
enum BlueprintSubcommand {
    /// Write a blueprint to begin with: NAME.toml, with every key explained.
    New(NewBlueprintArguments),
    /// Read one, and say everything that is wrong with it, each with its line.
    Check(CheckBlueprintArguments),
    /// Show how many examples each cell would get, and what they would cost. Asks nobody.
    Plan(PlanArguments),
    /// Show how much of each cell is written, kept and approved.
    Coverage(coverage::CoverageArguments),
    /// Show what checks did not let through, with the reasons.
    Rejected(coverage::RejectedArguments),
}

/// Arguments of `dojo blueprint new`.
#[derive(Args)]
struct NewBlueprintArguments {
    /// Its name; the file is NAME.toml in this folder.
    name: String,
    /// Begin with a copy of one that ships.
    #[arg(long, value_enum)]
    from: Option<ShippedBlueprint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShippedBlueprint {
    Physics,
    Economics,
    ComputerScience,
    Devops,
    Finance,
}

impl ShippedBlueprint {
    const fn name(self) -> &'static str {
        match self {
            Self::Physics => "physics",
            Self::Economics => "economics",
            Self::ComputerScience => "computer-science",
            Self::Devops => "devops",
            Self::Finance => "finance",
        }
    }
}

/// Arguments of `dojo blueprint check`.
#[derive(Args)]
struct CheckBlueprintArguments {
    /// A blueprint's file, or the name of one that ships.
    blueprint: String,
}

/// Arguments of `dojo blueprint plan`.
#[derive(Args)]
struct PlanArguments {
    /// A blueprint's file, or the name of one that ships.
    blueprint: String,
    /// Examples; the blueprint's own number otherwise.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: Option<u64>,
    /// At whose prices: a teacher of settings.toml, or local:MODEL. Tokens alone otherwise.
    #[arg(long)]
    teacher: Option<String>,
    /// Show the first so many seeds too: each with its cell and its columns.
    #[arg(long, default_value_t = 0)]
    seeds: usize,
}

pub(super) fn run(arguments: &BlueprintArguments) -> Result<ExitCode> {
    let json = arguments.json;
    match &arguments.command {
        BlueprintSubcommand::New(new) => begin(new, json),
        BlueprintSubcommand::Check(check) => run_check(check, json),
        BlueprintSubcommand::Plan(plan) => run_plan(plan, json),
        BlueprintSubcommand::Coverage(coverage) => coverage::run(coverage, json),
        BlueprintSubcommand::Rejected(rejected) => coverage::run_rejected(rejected, json),
    }
}

fn begin(arguments: &NewBlueprintArguments, json: bool) -> Result<ExitCode> {
    name::check("blueprint", &arguments.name).map_err(anyhow::Error::msg)?;
    let path = PathBuf::from(format!("{}.toml", arguments.name));
    ensure!(!path.exists(), "{} is there already: give another name, or move it away", path.display());
    let text = arguments.from.and_then(|from| SHIPPED.iter().find(|(name, _)| *name == from.name()));
    let (own, text) = text.map_or(("example", EXAMPLE), |(name, text)| (*name, *text));
    let text = text.replacen(&format!("name = \"{own}\""), &format!("name = {}", json!(arguments.name)), 1);
    crate::ground::files::write_atomically(&path, text.as_bytes())?;
    let shown = path.display();
    answer(json, &json!({"file": path}), || {
        format!(
            "{shown} is there: edit it, then `dojo blueprint check {shown}` and `dojo blueprint plan {shown}`"
        )
    })
}

fn run_check(arguments: &CheckBlueprintArguments, json: bool) -> Result<ExitCode> {
    let blueprint = blueprint::find(&arguments.blueprint)?;
    // What a reward's own keys may be, only rewards know.
    crate::reward::check(&blueprint.rewards).context("read the blueprint's rewards")?;
    let facts = json!({
        "name": blueprint.name,
        "version": blueprint.version,
        "subtopics": blueprint.subtopics.len(),
        "evolutions": blueprint.evolutions.len(),
        "forms": blueprint.forms.len(),
        "cells": blueprint.cell_count(),
        "columns": blueprint.columns.len(),
        "count": blueprint.count,
    });
    answer(json, &facts, || {
        format!(
            "{} ({}): {} by 4 stages by {} make {}, with {}; nothing is wrong",
            blueprint.name,
            blueprint.version,
            counted(blueprint.subtopics.len() as u64, "subtopic"),
            counted(blueprint.forms.len() as u64, "form"),
            counted(blueprint.cell_count() as u64, "cell"),
            counted(blueprint.columns.len() as u64, "column"),
        )
    })
}

fn run_plan(arguments: &PlanArguments, json: bool) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let blueprint = blueprint::find(&arguments.blueprint)?;
    let count = arguments.count.unwrap_or(blueprint.count);
    let priced = expand::Priced::named(&folders, arguments.teacher.as_deref())?;
    let cost = expand::plan_estimate(&folders, &blueprint, count, &priced)?;
    let cells = cell_counts(&blueprint, count);
    if json {
        let cells: Vec<_> = cells
            .iter()
            .map(|(cell, planned)| {
                let name = blueprint.cell_name(*cell);
                json!({"subtopic": name.subtopic, "evolution": name.evolution, "form": name.form, "planned": planned})
            })
            .collect();
        let seeds: Vec<_> = seeds(&blueprint, arguments.seeds).collect();
        let all = json!({
            "blueprint": blueprint.name, "version": blueprint.version, "count": count, "cells": cells, "seeds": seeds,
            "estimated_tokens": cost.estimated_tokens,
            "estimated_dollars": arguments.teacher.as_ref().map(|_| cost.estimated_dollars),
        });
        say_json(&all.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&by_subtopic_and_stage(&blueprint, &cells))?;
    say(&by_form(&blueprint, &cells))?;
    for seed in seeds(&blueprint, arguments.seeds) {
        say(&seed.to_string())?;
    }
    let dollars = match &arguments.teacher {
        Some(teacher) => format!(", ${:.4} at the prices of {teacher}", cost.estimated_dollars),
        None => "; --teacher NAME says what they cost".to_owned(),
    };
    let empty = cells.iter().filter(|(_, planned)| *planned == 0).count();
    let left_out =
        if empty > 0 { format!("; {} get none", counted(empty as u64, "cell")) } else { String::new() };
    say(&format!(
        "{} over {}{left_out}; about {} tokens{dollars}",
        counted(count, "example"),
        counted(cells.len() as u64, "cell"),
        cost.estimated_tokens
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The first seeds of a plan, for people and programs.
fn seeds(blueprint: &Blueprint, most: usize) -> impl Iterator<Item = serde_json::Value> {
    blueprint::SeedOrder::new(blueprint).take(most).map(|seed| {
        let name = blueprint.cell_name(seed.cell);
        let columns: serde_json::Map<_, _> = blueprint
            .columns
            .iter()
            .zip(&seed.columns)
            .map(|(column, value)| (column.name.clone(), json!(value)))
            .collect();
        json!({
            "subtopic": name.subtopic, "evolution": name.evolution, "form": name.form, "number": seed.number,
            "columns": columns,
        })
    })
}

type Counted = [(blueprint::CellIndex, u64)];

fn by_subtopic_and_stage(blueprint: &Blueprint, cells: &Counted) -> String {
    let mut columns = vec![("subtopic", Align::Left)];
    columns.extend(blueprint.evolutions.iter().map(|stage| (stage.name.as_str(), Align::Right)));
    columns.push(("all", Align::Right));
    let sum = |wanted: &dyn Fn(&blueprint::CellIndex) -> bool| -> u64 {
        cells.iter().filter(|(cell, _)| wanted(cell)).map(|(_, planned)| planned).sum()
    };
    let row = |(index, subtopic): (usize, &blueprint::Subtopic)| {
        let stages = (0..blueprint.evolutions.len())
            .map(|stage| sum(&|cell| cell.subtopic == index && cell.evolution == stage).to_string());
        let all = sum(&|cell| cell.subtopic == index).to_string();
        std::iter::once(subtopic.name.clone()).chain(stages).chain([all]).collect()
    };
    let rows: Vec<Vec<String>> = blueprint.subtopics.iter().enumerate().map(row).collect();
    table(&columns, &rows)
}

fn by_form(blueprint: &Blueprint, cells: &Counted) -> String {
    let row = |(index, form): (usize, &blueprint::Form)| {
        let planned: u64 =
            cells.iter().filter(|(cell, _)| cell.form == index).map(|(_, planned)| planned).sum();
        vec![form.name.clone(), planned.to_string()]
    };
    let rows: Vec<Vec<String>> = blueprint.forms.iter().enumerate().map(row).collect();
    table(&[("form", Align::Left), ("all", Align::Right)], &rows)
}

/// Prints an object for programs, or words for people.
fn answer(json: bool, object: &serde_json::Value, words: impl FnOnce() -> String) -> Result<ExitCode> {
    if json {
        say_json(&object.to_string())?;
    } else {
        say(&words())?;
    }
    Ok(ExitCode::SUCCESS)
}
