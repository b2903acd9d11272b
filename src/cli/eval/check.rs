//! `dojo eval check`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use crate::cli::print;
use crate::eval::check::{TextCheck, check_text_metrics};
use crate::reward::text::wordnet::WordNet;

/// Arguments of `dojo eval check`.
#[derive(Args)]
pub(super) struct EvalCheckArguments {
    /// JSON: `items` with `reference`, `hypothesis` and figures (`sentence_bleu`, `sentence_chrf`, `rouge1`, `rouge2`,
    /// `rougeL`, each also with `_stem`, `meteor_no_synonyms`, `meteor`), and figures of all of them (`corpus_bleu`,
    /// `corpus_bleu_precisions`, `corpus_bleu_bp`, `corpus_chrf`).
    file: PathBuf,
    /// How far a figure may be off.
    #[arg(long, default_value_t = 1e-4)]
    tolerance: f64,
    /// The folder of WordNet's dictionary files, for METEOR with synonyms.
    #[arg(long, value_name = "FOLDER")]
    wordnet: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &EvalCheckArguments) -> Result<ExitCode> {
    let tolerance = arguments.tolerance;
    ensure!(tolerance >= 0.0, "--tolerance is {tolerance}, and must be at least 0");
    let wordnet = arguments.wordnet.as_deref().map(WordNet::open).transpose()?;
    let shown = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file).with_context(|| format!("read {shown}"))?;
    let file = serde_json::from_str(&text).with_context(|| format!("read {shown} as JSON"))?;
    let check = check_text_metrics(&file, wordnet.as_ref(), tolerance);
    let check = check.with_context(|| format!("read the expected figures of {shown}"))?;
    if arguments.json {
        print::say_json(&json!({"met": check.is_met(), "tolerance": tolerance, "check": check}).to_string())?;
    } else {
        print::say(told(&check, tolerance).trim_end())?;
    }
    Ok(if check.is_met() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn told(check: &TextCheck, tolerance: f64) -> String {
    let mut out = format!("{} pairs\n", check.items);
    for (name, figure) in &check.figures {
        let (compared, differ, largest) = (figure.compared, figure.differ, figure.largest_difference);
        let outcome = if differ == 0 { "agree".to_owned() } else { format!("{differ} differ") };
        out +=
            &format!("{name:22} {compared:6} compared  {outcome}, the largest difference is {largest:.2e}\n");
    }
    for difference in &check.differences {
        let (place, given, expected) = (&difference.place, difference.given, difference.expected);
        out += &format!("{place} is {given}, expected {expected}\n");
    }
    for (name, why) in &check.not_compared {
        out += &format!("{name} was not compared: {why}\n");
    }
    let outcome = if check.is_met() { "all figures agree" } else { "not all figures agree" };
    out + &format!("{outcome} within {tolerance}\n")
}
