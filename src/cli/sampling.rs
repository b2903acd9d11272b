//! Arguments that every generating subcommand takes.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::domain::counted::counted;
use crate::domain::device::DeviceName;
use crate::engine::generate::{Constraint, GenerateRequest, Limits, Overflow, Precision, Sampling};

/// How tokens are chosen, and when it ends.
#[derive(Args, Clone)]
pub(super) struct SamplingArguments {
    /// Tokens to generate at most.
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(super) max_new_tokens: usize,
    /// 0 is greedy.
    #[arg(long, default_value_t = 0.0)]
    pub(super) temperature: f32,
    /// Only the likeliest tokens that make up this probability.
    #[arg(long, default_value_t = 1.0)]
    pub(super) top_p: f32,
    /// Only this many likeliest tokens; 0 is all.
    #[arg(long, default_value_t = 0)]
    pub(super) top_k: usize,
    /// Only tokens at least this fraction as likely as the likeliest.
    #[arg(long, default_value_t = 0.0)]
    pub(super) min_p: f32,
    /// Above 1 makes what was said before less likely.
    #[arg(long, default_value_t = 1.0)]
    pub(super) repetition_penalty: f32,
    /// The same seed gives the same answer.
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// A text that ends the answer; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub(super) stop: Vec<String>,
    /// Add to a token's logit: ID=BIAS; may be given several times.
    #[arg(long, value_name = "ID=BIAS", value_parser = read_bias)]
    pub(super) logit_bias: Vec<(u32, f32)>,
    /// What happens when the context is full.
    #[arg(long, value_enum, default_value_t = WhenFull::Stop)]
    pub(super) when_full: WhenFull,
    #[command(flatten)]
    pub(super) constraint: ConstraintArguments,
}

/// What the answer must be.
#[derive(Args, Clone)]
#[group(multiple = false)]
pub(super) struct ConstraintArguments {
    /// The answer is JSON that fits the schema in this file.
    #[arg(long, value_name = "FILE")]
    json_schema: Option<PathBuf>,
    /// The answer matches this regular expression.
    #[arg(long, value_name = "PATTERN")]
    regex: Option<String>,
    /// The answer is of the grammar (Lark) in this file.
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
    /// The answer is one of these; to be given several times.
    #[arg(long, value_name = "TEXT")]
    choice: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WhenFull {
    /// The answer ends.
    Stop,
    /// The older half of the conversation is forgotten.
    Slide,
}

/// Which model, and how it is run.
#[derive(Args, Clone)]
pub(super) struct ModelArguments {
    /// The model: a short name, hf:owner/name, or a path to a folder or GGUF.
    #[arg(long, short, default_value = "smollm2-135m")]
    pub(super) model: String,
    /// An adapter's folder (PEFT).
    #[arg(long, value_name = "DIR")]
    pub(super) adapter: Option<PathBuf>,
    /// Put the adapter into the weights in memory instead of adding it to each product: quicker where the weights are
    /// plain or 8-bit; others of those that change take 8 bits then.
    #[arg(long, requires = "adapter")]
    pub(super) merge: bool,
    /// What the arithmetic is done with.
    #[arg(long, value_enum, default_value_t = Arithmetic::Stored)]
    pub(super) precision: Arithmetic,
    /// Where it is computed: auto, cpu, cuda:N or metal.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: DeviceName,
    /// Threads, up to four for each core; all cores where it isn't given.
    #[arg(long, default_value_t = 0, value_parser = read_threads)]
    pub(super) threads: usize,
    /// Longest sequence in tokens; the model's own where it isn't given.
    #[arg(long, default_value_t = 0)]
    pub(super) context: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Arithmetic {
    /// Weights as they are stored.
    Stored,
    /// Everything in f32.
    Full,
    /// Plain weights rounded to 8 bits.
    Compact,
}

impl ModelArguments {
    pub(super) fn limits(&self) -> Limits {
        Limits { threads: self.threads, context: self.context, ..Limits::default() }
    }

    pub(super) const fn precision(&self) -> Precision {
        match self.precision {
            Arithmetic::Stored => Precision::Stored,
            Arithmetic::Full => Precision::Full,
            Arithmetic::Compact => Precision::Compact,
        }
    }
}

impl SamplingArguments {
    /// A request for a prompt.
    pub(super) fn request(&self, prompt: Vec<u32>) -> Result<GenerateRequest> {
        let sampling = Sampling {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            seed: self.seed,
            logit_bias: self.logit_bias.clone(),
            ..Sampling::default()
        };
        let overflow = match self.when_full {
            WhenFull::Stop => Overflow::Stop,
            WhenFull::Slide => Overflow::Slide { keep: 64 },
        };
        ensure!(self.max_new_tokens > 0, "--max-new-tokens is 0, and must be at least 1");
        Ok(GenerateRequest {
            sampling,
            overflow,
            stop: self.stop.clone(),
            constraint: self.constraint.read()?,
            ..GenerateRequest::new(prompt, self.max_new_tokens)
        })
    }
}

impl ConstraintArguments {
    fn read(&self) -> Result<Option<Constraint>> {
        let text = |path: &PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
        };
        Ok(if let Some(path) = &self.json_schema {
            let schema = serde_json::from_str(&text(path)?);
            Some(Constraint::JsonSchema(schema.with_context(|| format!("read {} as JSON", path.display()))?))
        } else if let Some(path) = &self.grammar {
            Some(Constraint::Grammar(text(path)?))
        } else if let Some(pattern) = &self.regex {
            Some(Constraint::Regex(pattern.clone()))
        } else if self.choice.is_empty() {
            None
        } else {
            Some(Constraint::Choice(self.choice.clone()))
        })
    }
}

/// They wait for each other many times a token: far more than there are cores would come to no end.
fn read_threads(text: &str) -> Result<usize> {
    const FOR_EACH_CORE: usize = 4;
    let threads: usize = text.parse()?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let most = cores * FOR_EACH_CORE;
    ensure!(
        threads <= most,
        "this machine has {}: give {most} threads at most",
        counted(cores as u64, "core")
    );
    Ok(threads)
}

fn read_bias(text: &str) -> Result<(u32, f32)> {
    let Some((token, bias)) = text.split_once('=') else { bail!("{text:?} isn't ID=BIAS") };
    Ok((token.trim().parse()?, bias.trim().parse()?))
}
