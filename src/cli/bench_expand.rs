//! `dojo bench expand`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::bench_review::in_a_folder;
use super::print;
use crate::app::expand::bench;

/// Arguments of `dojo bench expand`.
#[derive(Args)]
pub(super) struct BenchExpandArguments {
    /// Examples that are written.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    examples: u64,
    /// Records that texts are compared with.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    records: u64,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &BenchExpandArguments) -> Result<ExitCode> {
    let figures = in_a_folder(|home| bench::measure(home, arguments.examples, arguments.records))?;
    if arguments.json {
        print::say(&serde_json::to_string(&figures)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::say(&format!(
        "{} examples, {} kept: {:.2} ms an example, the endpoint's own time among it",
        figures.examples, figures.kept, figures.milliseconds_an_example
    ))?;
    print::say(&format!(
        "memory of the program and its endpoint: {:.1} MB after a fifth, {:.1} MB at the end",
        figures.early_megabytes, figures.late_megabytes
    ))?;
    print::say(&format!(
        "undone and run again: {} answers paid for, {} from those that were kept",
        figures.paid_again, figures.again_from_kept_answers
    ))?;
    print::say(&format!(
        "near-duplicates among {} records: {:.3} ms a text, at most {:.3} ms; the index was made in {:.1} s",
        figures.compared_with,
        figures.lookup_milliseconds,
        figures.longest_lookup_milliseconds,
        figures.index_seconds
    ))?;
    Ok(ExitCode::SUCCESS)
}
