//! `dojo tokens`: what a model sees of an example, and what it is trained to write.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use rayon::prelude::*;
use serde_json::json;

use super::print::{say, say_as_it_is, say_json};
use crate::app::record_tokenizer::RecordTokenizer;
use crate::app::train::pairs::pairs_told;
use crate::config::Folders;
use crate::data::encode::{Encoded, Encoder};
use crate::data::import::{ImportBatch, ImportOptions, read_all};
use crate::data::mask::warnings;
use crate::data::split;
use crate::domain::protocol::data::{TokenPiece, Trained};
use crate::domain::recipe::OnMalformed;
use crate::domain::record::Record;
use crate::engine::hub::Network;
use crate::ui::widgets::visible::visible;

/// Arguments of `dojo tokens`.
#[derive(Args)]
pub(super) struct TokensArguments {
    /// A file of examples, or a folder of them.
    file: PathBuf,
    /// The model whose tokenizer and chat template are used: a short name, hf:owner/name, or a path.
    #[arg(long, short, default_value = "smollm2-135m")]
    model: String,
    /// Which example to show, from 1.
    #[arg(long, short, default_value_t = 1)]
    index: usize,
    /// Cut examples to so many tokens, as training does.
    #[arg(long, default_value_t = 1024)]
    max_length: usize,
    /// What a column is: part=column, such as prompt=question.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Counts over the whole file.
#[derive(Default)]
struct Totals {
    examples: usize,
    tokens: usize,
    trained: usize,
    truncated: usize,
    longest: usize,
    /// Examples that can't be trained on, with the reason.
    refused: Vec<String>,
    /// What of the examples isn't learnt.
    warnings: Vec<String>,
}

/// Finds a model by name, fetching it where it is not here.
pub(super) fn tokenizer(name: &str) -> Result<RecordTokenizer> {
    let folders = Folders::from_environment()?;
    RecordTokenizer::open(&folders.models(), name, Network::Allowed, &mut super::pull::Bar::new())
}

pub(super) fn run(arguments: &TokensArguments) -> Result<ExitCode> {
    let tokenizer = tokenizer(&arguments.model)?;
    let encoder = tokenizer.encoder(arguments.max_length)?;
    let options = ImportOptions { map: arguments.map.clone(), ..ImportOptions::default() };
    let batch = read_all(&arguments.file, &options, OnMalformed::Skip)?;
    let count = batch.records.len();
    let record = arguments.index.checked_sub(1).and_then(|index| batch.records.get(index));
    let record = record.with_context(|| format!("{} has examples 1 to {count}", arguments.file.display()))?;
    let shown = encoder.encode(record)?;
    let pieces = tokenizer.pieces(&shown)?;
    let mut totals = totals(&encoder, &batch, &shown, arguments.index);
    totals.warnings.extend(batch.notes.iter().chain(&batch.idle).cloned());
    totals.warnings.extend(split::told(&batch.records));
    totals.warnings.extend(pairs_told(&batch.records));
    if arguments.json {
        say_json(&as_json(&shown, &pieces, &totals, &batch))?;
        return Ok(ExitCode::SUCCESS);
    }
    let colour =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if colour {
        say_as_it_is(&coloured(&pieces))?;
    } else {
        say(&bracketed(&pieces))?;
    }
    say(&figures(&shown, &totals, &batch, if colour { "on green" } else { "in ⟦ ⟧" }))?;
    Ok(ExitCode::SUCCESS)
}

/// `shown` is the example of that number.
fn totals(encoder: &Encoder<'_>, batch: &ImportBatch, shown: &Encoded, index: usize) -> Totals {
    let numbered = (1..).zip(&batch.records).collect::<Vec<_>>();
    let encode = |(number, record): (usize, &Record)| {
        if number == index { Ok(shown.clone()) } else { encoder.encode(record) }
    };
    let encoded: Vec<Result<Encoded>> = numbered.into_par_iter().map(encode).collect();
    let learnt = encoded.iter().flatten();
    let warnings = warnings(learnt.map(|one| (one.example.source.as_str(), &one.unlearnt)));
    let mut totals = Totals { examples: batch.records.len(), warnings, ..Totals::default() };
    for one in encoded {
        match one {
            Ok(one) => {
                totals.tokens += one.example.tokens.len();
                totals.trained += one.example.trained.iter().filter(|trained| **trained).count();
                totals.truncated += usize::from(one.is_truncated());
                totals.longest = totals.longest.max(one.full_length);
            }
            Err(error) => totals.refused.push(format!("{error:#}")),
        }
    }
    totals
}

fn as_json(shown: &Encoded, pieces: &[TokenPiece], totals: &Totals, batch: &ImportBatch) -> String {
    let pieces: Vec<_> = pieces
        .iter()
        .map(|piece| json!({"ids": piece.ids, "text": piece.text, "trained": is_trained(piece)}))
        .collect();
    json!({
        "source": shown.example.source,
        "full_length": shown.full_length,
        "truncated": shown.is_truncated(),
        "tokens": pieces,
        "totals": {
            "examples": totals.examples,
            "tokens": totals.tokens,
            "trained_tokens": totals.trained,
            "truncated": totals.truncated,
            "longest": totals.longest,
            "refused": totals.refused,
            "warnings": totals.warnings,
            "malformed": batch.malformed,
            "left_out": batch.left_out,
        },
    })
    .to_string()
}

fn figures(shown: &Encoded, totals: &Totals, batch: &ImportBatch, marks: &str) -> String {
    let mut out = String::new();
    let trained = shown.example.trained.iter().filter(|trained| **trained).count();
    let _ = write!(
        out,
        "\n{}: {} tokens, {trained} of them trained on ({marks})",
        shown.example.source,
        shown.example.tokens.len()
    );
    if shown.is_truncated() {
        let _ = write!(out, ", cut from {}", shown.full_length);
    }
    let share = 100.0 * totals.trained as f64 / totals.tokens.max(1) as f64;
    let _ = write!(
        out,
        "\nall {} examples: {} tokens, {} trained on ({share:.0}%), the longest has {}, {} are cut",
        totals.examples, totals.tokens, totals.trained, totals.longest, totals.truncated
    );
    for warning in &totals.warnings {
        let _ = write!(out, "\nwarning: {warning}");
    }
    if let Some(first) = totals.refused.first() {
        let _ = write!(out, "\n{} can't be trained on; {first}", totals.refused.len());
    }
    batch.left_out.iter().for_each(|left| {
        let _ = write!(out, "\n{left}");
    });
    if let Some(first) = batch.malformed.first() {
        let _ = write!(
            out,
            "\n{} lines are malformed; {}:{}: {}",
            batch.malformed.len(),
            first.source,
            first.line,
            first.reason
        );
    }
    out
}

fn is_trained(piece: &TokenPiece) -> bool {
    piece.trained == Trained::Yes
}

/// Two shades take turns, so that the borders between tokens show.
fn coloured(pieces: &[TokenPiece]) -> String {
    let mut out = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let style = match (is_trained(piece), index % 2) {
            (true, 0) => "30;42",
            (true, _) => "30;102",
            (false, 0) => "2",
            (false, _) => "0",
        };
        for (part, text) in piece.text.split('\n').enumerate() {
            // A background that runs over the line's end would fill the screen's width.
            let line_break = if part > 0 { "↵\u{1b}[0m\n" } else { "" };
            let _ = write!(out, "\u{1b}[{style}m{line_break}\u{1b}[{style}m{}\u{1b}[0m", visible(text));
        }
    }
    out
}

fn bracketed(pieces: &[TokenPiece]) -> String {
    let mut out = String::new();
    for stretch in pieces.chunk_by(|a, b| a.trained == b.trained) {
        let text: String = stretch.iter().map(|piece| piece.text.as_str()).collect();
        let trained = stretch.first().is_some_and(is_trained);
        if trained {
            let _ = write!(out, "⟦{text}⟧");
        } else {
            out.push_str(&text);
        }
    }
    out
}
