//! `dojo bench ui`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::print;
use crate::app::bench_runs;
use crate::app::studio::bench::{self, Figure};
use crate::app::studio::{bench_chat, bench_rows, bench_training};
use crate::config::Folders;
use crate::engine::hub;

/// Arguments of `dojo bench ui`.
#[derive(Args)]
pub(super) struct BenchUiArguments {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &BenchUiArguments) -> Result<ExitCode> {
    let home = std::env::temp_dir().join(format!("dojo-bench-{}", std::process::id()));
    let measured = measure(&home);
    std::fs::remove_dir_all(&home).with_context(|| format!("remove {}", home.display()))?;
    let figures = measured?;
    if arguments.json {
        print::say(&serde_json::json!({ "figures": figures }).to_string())?;
    } else {
        for figure in &figures {
            let sign = if figure.holds() { "✓" } else { "✗" };
            print::say(&format!(
                "{sign} {:<62} {:>9.2} {:<3} below {}",
                figure.name, figure.value, figure.unit, figure.below
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The model that the figures while training need.
const MODEL: &str = "smollm2-135m";

/// The screen on a sample session, a long chat and wide text, many rows, a run of a million steps, and beside a run
/// that trains.
fn measure(home: &Path) -> Result<Vec<Figure>> {
    let mut figures = bench::measure(&Folders::under(home))?;
    figures.extend(bench_chat::measure(&Folders::under(&home.join("chat")))?);
    figures.extend(bench_rows::measure(&Folders::under(&home.join("rows")), bench_rows::ROWS)?);
    let long = bench_runs::measure(&home.join("long"))?;
    figures.extend(long.into_iter().map(|figure| Figure {
        name: figure.name,
        value: figure.value,
        unit: figure.unit,
        below: figure.below,
    }));
    // As the sample's recipe has it.
    let own = Folders::from_environment()?;
    match hub::find(&own.models(), MODEL)? {
        Some(_) => figures.extend(bench_training::measure(&own, &home.join("training"))?),
        None => {
            print::complain(&format!("keys while a run trains are not measured: `dojo pull {MODEL}` first"));
        }
    }
    Ok(figures)
}
