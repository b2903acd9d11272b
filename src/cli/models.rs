//! `dojo models`: what has been pulled.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use indicatif::HumanBytes;

use super::print;
use crate::config::Folders;
use crate::engine::hub;

/// Arguments of `dojo models`.
#[derive(Args)]
pub(super) struct ModelsArguments {
    /// List the short names that can be pulled instead.
    #[arg(long)]
    known: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &ModelsArguments) -> Result<ExitCode> {
    if arguments.known {
        known(arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let models = hub::list(&Folders::from_environment()?.models())?;
    if arguments.json {
        print::say(&serde_json::json!({"models": models}).to_string())?;
    } else if models.is_empty() {
        print::say(
            "no models yet: fetch one with `dojo pull smollm2-135m` (all names: `dojo models --known`)",
        )?;
    } else {
        let rows = models.iter().map(|model| {
            let size = HumanBytes(model.bytes).to_string();
            [model.name.clone(), size, model.source.clone(), model.folder.display().to_string()]
        });
        table(&["model", "size", "from", "folder"].map(str::to_owned), &rows.collect::<Vec<_>>())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn known(json: bool) -> Result<()> {
    let aliases = hub::aliases();
    if json {
        let all = aliases.iter().map(|alias| {
            serde_json::json!({"name": alias.name, "about": alias.about, "licence": alias.licence, "hub": alias.hub})
        });
        print::say(&serde_json::json!({"known": all.collect::<Vec<_>>()}).to_string())?;
        return Ok(());
    }
    let rows = aliases.iter().map(|alias| [&alias.name, &alias.about, &alias.licence].map(Clone::clone));
    table(&["name", "about", "licence"].map(str::to_owned), &rows.collect::<Vec<_>>())
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(head: &[String; N], rows: &[[String; N]]) -> Result<()> {
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            let cells = std::iter::once(head).chain(rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in std::iter::once(head).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        print::say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
