//! `dojo bench generate`: how fast prompts are read and tokens written, alone and many at once, free and constrained.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::generate::Ready;
use super::sampling::ModelArguments;
use super::{loading, print};
use crate::domain::speed;
use crate::engine::device;
use crate::engine::generate::{Constraint, EndTokens, GenerateRequest, Sampling, complete};

/// Arguments of `dojo bench generate`.
#[derive(Args)]
pub(super) struct BenchGenerateArguments {
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
    /// Completions of one prompt: they share its computation.
    #[arg(long, default_value_t = 8)]
    group: usize,
    /// Each is measured this often, and the best counts.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Tokens of each prompt when many sequences are written at once.
const SHORT_PROMPT: usize = 64;

/// The best of all repetitions.
#[derive(Default)]
struct Best {
    /// Where it was computed.
    device: String,
    prompt: f64,
    decode: f64,
    constrained: f64,
    many: f64,
    many_constrained: f64,
    /// Seconds until one completion, and all of a group, had their first token.
    alone_seconds: f64,
    group_seconds: f64,
}

pub(super) fn run(arguments: &BenchGenerateArguments) -> Result<ExitCode> {
    let mut bench = Bench { ready: loading::ready(&arguments.model)?, arguments, serial: 0 };
    let device = device::choose(arguments.model.device)?.name();
    let mut best = Best { device, ..Best::default() };
    for _ in 0..arguments.repetitions.max(1) {
        bench.round(&mut best)?;
    }
    if arguments.json {
        print::say(&best.as_json(arguments).to_string())?;
    } else {
        best.print(arguments)?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Bench<'a> {
    ready: Ready,
    arguments: &'a BenchGenerateArguments,
    /// Of the next prompt: none begins as another, so that nothing comes from the cache.
    serial: usize,
}

/// What a run of requests took.
struct RequestTiming {
    /// Until every request had its first token.
    first_seconds: f64,
    /// After that; of those that the model chose: what a constraint forces costs next to nothing.
    tokens_per_second: f64,
}

impl Bench<'_> {
    fn round(&mut self, best: &mut Best) -> Result<()> {
        let (prompt, tokens) = (self.arguments.prompt, self.arguments.tokens + 1);
        let alone = self.run(|bench| vec![bench.request(prompt, 1)])?;
        best.prompt = best.prompt.max(prompt as f64 / alone.first_seconds);
        let shorter = |known: f64, found: f64| if known == 0.0 { found } else { known.min(found) };
        best.alone_seconds = shorter(best.alone_seconds, alone.first_seconds);
        let decode = self.run(|bench| vec![bench.request(1, tokens)])?;
        best.decode = best.decode.max(decode.tokens_per_second);
        let constrained = self.run(|bench| vec![bench.constrained(1, tokens)])?;
        best.constrained = best.constrained.max(constrained.tokens_per_second);
        if self.arguments.group > 0 {
            let group = self.run(|bench| {
                let choices = bench.arguments.group;
                vec![GenerateRequest { choices, sampling: sampled(0), ..bench.request(prompt, 2) }]
            })?;
            best.group_seconds = shorter(best.group_seconds, group.first_seconds);
        }
        if self.arguments.sequences > 0 {
            let many = self.run(|bench| bench.many(tokens))?;
            best.many = best.many.max(many.tokens_per_second);
            let many = self.run(|bench| {
                let all = bench.many(tokens);
                all.into_iter()
                    .map(|request| GenerateRequest { constraint: Some(endless()), ..request })
                    .collect()
            })?;
            best.many_constrained = best.many_constrained.max(many.tokens_per_second);
        }
        Ok(())
    }

    /// Tokens that no other prompt begins with, continued greedily.
    fn request(&mut self, prompt: usize, tokens: usize) -> GenerateRequest {
        self.serial += 1;
        let (serial, vocabulary) = (self.serial, self.ready.generator.vocabulary());
        let text = (0..prompt).map(|index| ((index * 7919 + serial * 104_729 + 13) % vocabulary) as u32);
        GenerateRequest {
            end: EndTokens::Ignored,
            adapter: self.ready.adapter,
            ..GenerateRequest::new(text.collect(), tokens)
        }
    }

    fn constrained(&mut self, prompt: usize, tokens: usize) -> GenerateRequest {
        GenerateRequest { constraint: Some(endless()), ..self.request(prompt, tokens) }
    }

    fn many(&mut self, tokens: usize) -> Vec<GenerateRequest> {
        let all = (0..self.arguments.sequences).map(|index| GenerateRequest {
            sampling: sampled(index as u64),
            ..self.request(SHORT_PROMPT, tokens)
        });
        all.collect()
    }

    fn run(&mut self, requests: impl FnOnce(&mut Self) -> Vec<GenerateRequest>) -> Result<RequestTiming> {
        let requests = requests(self);
        let count: usize = requests.iter().map(|request| request.choices).sum();
        let started = Instant::now();
        let (mut first_seconds, mut tokens) = (None, 0);
        complete(&mut self.ready.generator, requests, &mut |chosen| {
            match first_seconds {
                Some(_) => tokens += chosen,
                None if chosen >= count => first_seconds = Some(started.elapsed().as_secs_f64()),
                None => {}
            }
            Ok(())
        })?;
        let first_seconds = first_seconds.unwrap_or(f64::INFINITY);
        let seconds = started.elapsed().as_secs_f64() - first_seconds;
        let tokens_per_second = speed::tokens_per_second(tokens, seconds).unwrap_or_default();
        Ok(RequestTiming { first_seconds, tokens_per_second })
    }
}

fn sampled(seed: u64) -> Sampling {
    Sampling { temperature: 1.0, seed, ..Sampling::default() }
}

/// JSON that goes on for as long as it is measured.
fn endless() -> Constraint {
    Constraint::JsonSchema(json!({
        "type": "array",
        "minItems": 1_000_000,
        "items": {
            "type": "object",
            "properties": {
                "label": { "enum": ["entailment", "neutral", "contradiction"] },
                "score": { "type": "integer", "minimum": 0, "maximum": 100 },
                "why": { "type": "string", "maxLength": 60 },
            },
            "required": ["label", "score", "why"],
            "additionalProperties": false,
        },
    }))
}

impl Best {
    fn as_json(&self, arguments: &BenchGenerateArguments) -> serde_json::Value {
        json!({
            "model": arguments.model.model,
            "device": self.device,
            "instructions": crate::engine::kernels::lanes::LaneIsa::best().name(),
            "threads": arguments.model.threads,
            "prompt_tokens_per_second": self.prompt,
            "decode_tokens_per_second": self.decode,
            "constrained_tokens_per_second": self.constrained,
            "sequences": arguments.sequences,
            "sequences_tokens_per_second": self.many,
            "sequences_constrained_tokens_per_second": self.many_constrained,
            "group": arguments.group,
            "first_token_seconds": self.alone_seconds,
            "group_first_token_seconds": self.group_seconds,
        })
    }

    fn print(&self, arguments: &BenchGenerateArguments) -> Result<()> {
        let line = |what: String, rate: f64| print::say(&format!("{what:<34}{rate:8.1} tokens/s"));
        line(format!("prompt of {} tokens", arguments.prompt), self.prompt)?;
        line(format!("one sequence of {}", arguments.tokens), self.decode)?;
        line("the same, under a JSON schema".to_owned(), self.constrained)?;
        if arguments.sequences > 0 {
            line(format!("{} sequences of {}", arguments.sequences, arguments.tokens), self.many)?;
            line("the same, under a JSON schema".to_owned(), self.many_constrained)?;
        }
        if arguments.group > 0 {
            print::say(&format!(
                "first tokens of a group of {:<7}{:8.3} s      (of one completion {:.3} s)",
                arguments.group, self.group_seconds, self.alone_seconds
            ))?;
        }
        Ok(())
    }
}
