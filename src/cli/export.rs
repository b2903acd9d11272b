//! `dojo export` and `dojo merge`: a trained model for other programs.

mod arguments;
mod progress;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use super::{batch_input, print, pull};
use crate::app::hand_over::{self, HandOver, HandOverSubject};
use crate::config::Folders;
use crate::domain::message::Message;
use crate::engine::export::{
    ExportRequest, HandOverFormat, HandedOver, IfThere, ParityDepth, export, memory_bytes,
};
use crate::engine::hub::{PlannedPush, RepositoryVisibility};
use crate::ground::memory;
use arguments::{Check, HandOverArguments};
use progress::ExportBar;

/// Arguments of `dojo export`.
#[derive(Args)]
pub(super) struct ModelExportArguments {
    #[command(flatten)]
    what: HandOverArguments,
    #[arg(
        long,
        value_name = "FORMAT",
        help = "What it becomes: gguf:q4_k_m (also f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_0), hf:bf16 (also f32, f16), \
                gguf-adapter or mlx-adapter"
    )]
    to: String,
    /// The folder that is made; NAME-FORMAT here if it isn't given.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

/// Arguments of `dojo merge`.
#[derive(Args)]
pub(super) struct MergeArguments {
    #[command(flatten)]
    what: HandOverArguments,
    /// The folder that is made.
    #[arg(long, value_name = "FOLDER")]
    into: PathBuf,
    /// What its numbers are: f32, f16 or bf16.
    #[arg(long, default_value = "bf16")]
    dtype: String,
}

pub(super) fn run(arguments: &ModelExportArguments) -> Result<ExitCode> {
    let format = HandOverFormat::parse(&arguments.to)?;
    export_as(&arguments.what, format, arguments.into.as_deref())
}

pub(super) fn merge(arguments: &MergeArguments) -> Result<ExitCode> {
    let format = HandOverFormat::parse(&format!("hf:{}", arguments.dtype))?;
    export_as(&arguments.what, format, Some(&arguments.into))
}

fn export_as(what: &HandOverArguments, format: HandOverFormat, into: Option<&Path>) -> Result<ExitCode> {
    // Before hours of work: whatever is wrong with how it is asked.
    if let Some(push) = &what.push {
        PlannedPush::check(push)?;
        if !what.dry_run {
            PlannedPush::check_token()?;
        }
    }
    ensure!(
        what.push.is_some() || !what.dry_run,
        "--dry-run shows what --push would send: give --push hf:owner/name"
    );
    let prompts = prompts(what)?;
    let folders = Folders::from_environment()?;
    let asked = HandOver {
        named: what.named.clone(),
        base: what.base.clone(),
        method: what.method()?,
        name: what.name.clone(),
    };
    let subject = hand_over::open(&folders, &asked, &mut pull::Bar::new())?;
    subject.notices.iter().for_each(|notice| print::complain(notice));
    let place = into.map_or_else(|| PathBuf::from(default_place(&subject, format)), Path::to_path_buf);
    let request = ExportRequest {
        format,
        place: &place,
        if_there: if what.replace { IfThere::Replace } else { IfThere::Refuse },
        facts: &subject.facts,
        prompts: &prompts,
        depth: depth(what.check, &subject),
    };
    let exported = export(&subject.trained, &request, &mut ExportBar::new()?)?;
    exported.notices.iter().for_each(|notice| print::complain(notice));
    tell(&exported, format, what)?;
    push(&exported, what)
}

fn default_place(subject: &HandOverSubject, format: HandOverFormat) -> String {
    let format = format.name().replace(':', "-");
    crate::domain::name::made_of(&format!("{}-{format}", subject.facts.name))
}

fn prompts(what: &HandOverArguments) -> Result<Vec<Vec<Message>>> {
    let Some(path) = &what.prompts else { return Ok(Vec::new()) };
    let lines = batch_input::read_lines(None, path).context("read the prompts of the check")?;
    ensure!(!lines.is_empty(), "{} holds no prompts", path.display());
    Ok(lines.into_iter().map(|line| line.messages).collect())
}

/// Logits are compared if memory allows it, unless somebody says which it is.
fn depth(asked: Check, subject: &HandOverSubject) -> ParityDepth {
    let needed = memory_bytes(&subject.trained.base);
    let free = memory::available_bytes();
    match asked {
        Check::Logits => ParityDepth::Logits,
        Check::Tokens => ParityDepth::Tokens,
        Check::Auto if free.is_none_or(|free| needed <= free) => ParityDepth::Logits,
        Check::Auto => {
            print::complain(&format!(
                "comparing the logits takes {:.1} GB of memory, which isn't free: tokens, ends and template are compared, \
                 and the numbers aren't (--check logits does it all the same)",
                needed as f64 / 1e9
            ));
            ParityDepth::Tokens
        }
    }
}

fn tell(exported: &HandedOver, format: HandOverFormat, what: &HandOverArguments) -> Result<()> {
    if what.json {
        let report = json!({
            "format": format.name(),
            "folder": exported.folder,
            "model": exported.model,
            "bytes": exported.bytes,
            "check": exported.parity.as_ref().map(|parity| &parity.rows),
            "notices": exported.notices,
        });
        return print::say_json(&report.to_string());
    }
    if let Some(parity) = &exported.parity {
        print::say(parity.table().trim_end())?;
    }
    let size = indicatif::HumanBytes(exported.bytes);
    print::say(&format!("{} is at {} ({size})", format.name(), exported.model.display()))
}

fn push(exported: &HandedOver, what: &HandOverArguments) -> Result<ExitCode> {
    let Some(name) = &what.push else { return Ok(ExitCode::SUCCESS) };
    let push = PlannedPush::of(name, &exported.folder)?;
    if what.dry_run {
        let files = push.files.iter().map(|file| json!({"name": file.name, "bytes": file.bytes}));
        if what.json {
            let files: Vec<Value> = files.collect();
            print::say_json(&json!({"would_push_to": push.place(), "files": files}).to_string())?;
        } else {
            print::say(&format!("would push to {}:", push.place()))?;
            for file in &push.files {
                print::say(&format!("  {} ({})", file.name, indicatif::HumanBytes(file.bytes)))?;
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let visibility = if what.public { RepositoryVisibility::Public } else { RepositoryVisibility::Private };
    let commit = push.send(visibility)?;
    let told =
        commit.map_or_else(|| format!("pushed to {}", push.place()), |commit| format!("pushed to {commit}"));
    print::say(&if what.json { json!({"said": told}).to_string() } else { told })?;
    Ok(ExitCode::SUCCESS)
}
