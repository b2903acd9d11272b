//! `dojo doctor`: prints the check-up.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::print;
use crate::app::checkup::{self, CheckupItem, CheckupState};
use crate::config::Folders;
use crate::ui::widgets::text;

/// Arguments of `dojo doctor`.
#[derive(Args)]
pub(super) struct DoctorArguments {
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Exit code 1 where something that everyone needs is broken.
pub(super) fn run(arguments: &DoctorArguments) -> Result<ExitCode> {
    let checks = checkup::examine(&Folders::from_environment()?);
    let broken = checks.iter().any(|check| check.state == CheckupState::Broken);
    if arguments.json {
        print::say(&serde_json::json!({ "ok": !broken, "checks": checks }).to_string())?;
    } else {
        checks.iter().try_for_each(tell)?;
        print::say(&format!("\n  braille     {}", checkup::BRAILLE))?;
        print::say("              boxes or question marks here mean that the font or the locale lacks them")?;
    }
    Ok(if broken { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn tell(check: &CheckupItem) -> Result<()> {
    let sign = match check.state {
        CheckupState::Ok => "✓",
        CheckupState::Advice => "!",
        CheckupState::Broken => "✗",
    };
    print::say(&format!("{sign} {:<11} {}", check.name, check.found))?;
    for line in text::wrap(&check.todo, 96).iter().filter(|line| !line.is_empty()) {
        print::say(&format!("              {line}"))?;
    }
    Ok(())
}
