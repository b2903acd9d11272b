//! `dojo bench review` and `dojo bench teacher`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::print;
use crate::app::review::bench::{self, Load};
use crate::app::studio::bench_review;
use crate::config::Folders;

/// Arguments of `dojo bench review`.
#[derive(Args)]
pub(super) struct BenchReviewArguments {
    /// Reflections that wait.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    waiting: u32,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Arguments of `dojo bench teacher`.
#[derive(Args)]
pub(super) struct BenchTeacherArguments {
    /// Questions in all.
    #[arg(long, default_value_t = 5_000)]
    requests: u64,
    /// Questions under way together.
    #[arg(long, default_value_t = 64)]
    at_once: u16,
    /// The endpoint's time for an answer, in milliseconds.
    #[arg(long, default_value_t = 200)]
    delay: u32,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn review(arguments: &BenchReviewArguments) -> Result<ExitCode> {
    let figures =
        in_a_folder(|home| bench_review::measure(&Folders::under(home), arguments.waiting as usize))?;
    if arguments.json {
        print::say(&serde_json::json!({"waiting": arguments.waiting, "figures": figures}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    print::say(&format!("{} reflections wait, the screen is 120x36", arguments.waiting))?;
    for figure in &figures {
        let sign = if figure.holds() { "✓" } else { "✗" };
        print::say(&format!(
            "{sign} {:<64} {:>9.2} {:<3} below {}",
            figure.name, figure.value, figure.unit, figure.below
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn teacher(arguments: &BenchTeacherArguments) -> Result<ExitCode> {
    let load = Load {
        requests: arguments.requests,
        at_once: usize::from(arguments.at_once),
        delay: Duration::from_millis(u64::from(arguments.delay)),
    };
    let figures = in_a_folder(|home| bench::measure(home, load))?;
    if arguments.json {
        print::say(&serde_json::to_string(&figures)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::say(&format!(
        "{} requests in {:.1} s, {} at once, {} ms each: {:.1} requests/s (at most {:.0})",
        figures.requests,
        figures.seconds,
        arguments.at_once,
        arguments.delay,
        figures.requests_per_second,
        figures.ceiling
    ))?;
    print::say(&format!(
        "memory of the program and its endpoint: {:.1} MB after a fifth, {:.1} MB at the end",
        figures.early_megabytes, figures.late_megabytes
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Works in a folder that is gone afterwards.
pub(super) fn in_a_folder<T>(work: impl FnOnce(&std::path::Path) -> Result<T>) -> Result<T> {
    let home = std::env::temp_dir().join(format!("dojo-bench-{}", std::process::id()));
    std::fs::create_dir_all(&home).with_context(|| format!("make {}", home.display()))?;
    let measured = work(&home);
    std::fs::remove_dir_all(&home).with_context(|| format!("remove {}", home.display()))?;
    measured
}
