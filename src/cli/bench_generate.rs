//! `dojo bench generate`: how fast prompts are read and tokens written, alone and many at once.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::sampling::ModelArguments;
use super::{loading, print};
use crate::engine::generate::{End, Generator, Request, Sampling, complete};

/// Arguments of `dojo bench generate`.
#[derive(Args)]
pub(super) struct BenchGenerate {
    #[command(flatten)]
    model: ModelArguments,
    /// Tokens of the prompt.
    #[arg(long, default_value_t = 512)]
    prompt: usize,
    /// Tokens written.
    #[arg(long, default_value_t = 128)]
    tokens: usize,
    /// Sequences at once, each after a prompt of 64 tokens.
    #[arg(long, default_value_t = 32)]
    sequences: usize,
    /// Each is measured this often, and the best counts.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Tokens of each prompt when many sequences are written at once.
const SHORT_PROMPT: usize = 64;

pub(super) fn run(arguments: &BenchGenerate) -> Result<ExitCode> {
    let mut ready = loading::ready(&arguments.model)?;
    let vocabulary = ready.generator.vocabulary();
    let (mut prompt, mut decode, mut many) = (0.0_f64, 0.0_f64, 0.0_f64);
    for round in 0..arguments.repetitions.max(1) {
        let asked = |count: usize, tokens: usize, index: usize| Request {
            end: End::Ignored,
            adapter: ready.adapter,
            ..Request::new(text(count, round * 1000 + index, vocabulary), tokens)
        };
        let (read, after) = (asked(arguments.prompt, 1, 0), asked(1, arguments.tokens + 1, 1));
        let sampled: Vec<Request> = (0..arguments.sequences)
            .map(|index| Request {
                sampling: Sampling { temperature: 1.0, seed: index as u64, ..Sampling::default() },
                ..asked(SHORT_PROMPT, arguments.tokens + 1, index + 2)
            })
            .collect();
        prompt = prompt.max(rate(&mut ready.generator, vec![read], arguments.prompt)?.0);
        decode = decode.max(rate(&mut ready.generator, vec![after], 0)?.1);
        if !sampled.is_empty() {
            many = many.max(rate(&mut ready.generator, sampled, 0)?.1);
        }
    }
    if arguments.json {
        print::say(
            &json!({
                "model": arguments.model.model,
                "instructions": crate::engine::kernels::quant::Isa::best().name(),
                "threads": arguments.model.threads,
                "prompt_tokens_per_second": prompt,
                "decode_tokens_per_second": decode,
                "sequences": arguments.sequences,
                "sequences_tokens_per_second": many,
            })
            .to_string(),
        );
    } else {
        print::say(&format!("prompt of {:4} tokens      {prompt:8.1} tokens/s", arguments.prompt));
        print::say(&format!("one sequence of {:4}       {decode:8.1} tokens/s", arguments.tokens));
        print::say(&format!(
            "{:3} sequences of {:4}      {many:8.1} tokens/s",
            arguments.sequences, arguments.tokens
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Tokens per second until the first token came, and after every sequence had its first.
fn rate(generator: &mut Generator, requests: Vec<Request>, prompt: usize) -> Result<(f64, f64)> {
    let count = requests.len();
    let started = Instant::now();
    let (mut first, mut tokens, mut counted_from, mut counting) = (0.0, 0, 0.0, false);
    complete(generator, requests, &mut |generated| {
        let now = started.elapsed().as_secs_f64();
        if counting {
            tokens += generated;
        } else if generated >= count {
            counting = true;
            counted_from = now;
        }
        if first == 0.0 && generated > 0 {
            first = now;
        }
        Ok(())
    })?;
    let seconds = started.elapsed().as_secs_f64() - counted_from;
    Ok((prompt as f64 / first.max(1e-9), tokens as f64 / seconds.max(1e-9)))
}

/// Tokens that no other measurement begins with, so that nothing comes from the cache.
fn text(count: usize, seed: usize, vocabulary: usize) -> Vec<u32> {
    (0..count).map(|index| ((index * 7919 + seed * 104_729 + 13) % vocabulary) as u32).collect()
}
