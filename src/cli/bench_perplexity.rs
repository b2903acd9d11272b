//! `dojo bench perplexity`: how well a model foresees a text, measured as llama.cpp's `llama-perplexity` does.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::sampling::ModelArguments;
use super::{loading, print};

/// Arguments of `dojo bench perplexity`.
#[derive(Args)]
pub(super) struct BenchPerplexityArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The text.
    #[arg(long, value_name = "FILE")]
    text: PathBuf,
    /// Tokens of a piece; what stands in its second half is foreseen from all that stands before.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(4..))]
    chunk: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &BenchPerplexityArguments) -> Result<ExitCode> {
    let text = std::fs::read_to_string(&arguments.text)
        .with_context(|| format!("read {}", arguments.text.display()))?;
    let mut ready = loading::ready(&arguments.model)?;
    ready.tell();
    let tokens = ready.prompter.raw(&text)?;
    let chunk = arguments.chunk as usize;
    ensure!(tokens.len() >= chunk, "the text has {} tokens, and a piece {chunk}: use --chunk", tokens.len());
    let (mut sum, mut count) = (0.0, 0);
    for piece in tokens.chunks_exact(chunk) {
        let nll = ready.generator.negative_log_likelihoods(piece, ready.adapter)?;
        let foreseen = nll.get(chunk / 2..).unwrap_or_default();
        sum += foreseen.iter().copied().map(f64::from).sum::<f64>();
        count += foreseen.len();
    }
    let perplexity = (sum / count.max(1) as f64).exp();
    if arguments.json {
        print::say(
            &json!({ "model": arguments.model.model, "perplexity": perplexity, "tokens": count }).to_string(),
        )?;
    } else {
        print::say(&format!("perplexity {perplexity:.4} over {count} tokens"))?;
    }
    Ok(ExitCode::SUCCESS)
}
