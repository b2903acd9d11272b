//! `dojo bench`: figures with units, never a test.

mod data;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::bench_expand::{self, BenchExpandArguments};
use super::bench_generate::{self, BenchGenerateArguments};
use super::bench_guess::{self, BenchGuessArguments};
use super::bench_perplexity::{self, BenchPerplexityArguments};
use super::bench_review::{self, BenchReviewArguments, BenchTeacherArguments};
use super::bench_ui::{self, BenchUiArguments};
use super::{loading, print};
use crate::domain::device::DeviceName;
use crate::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use crate::engine::device::{self, ComputeDevice};
use crate::engine::kernels::gemm::MatmulPrecision;
use crate::engine::model::random::{self, RandomWeights};
use crate::engine::train::bench::{Subject, TrainBench, TrainFigures};
use crate::engine::train::step::StepOptions;

#[derive(Subcommand)]
pub(super) enum BenchSubcommand {
    /// A blueprint expanded by an endpoint that answers at once: time an example, memory, near-duplicates looked up.
    Expand(BenchExpandArguments),
    /// Generation: prompts read and tokens written, alone and many at once.
    Generate(Box<BenchGenerateArguments>),
    /// Tokens guessed ahead: what it saves, on texts that repeat their prompt and on some that don't.
    Guess(Box<BenchGuessArguments>),
    /// How well a model foresees a text.
    Perplexity(Box<BenchPerplexityArguments>),
    /// The Review pane: from a verdict to the next reflection, with many that wait.
    Review(BenchReviewArguments),
    /// Questions to an endpoint that takes its time: requests a second, memory.
    Teacher(BenchTeacherArguments),
    /// Import, search, filter, tag and undo over a file of records.
    Data(data::BenchDataArguments),
    /// One training step: tokens a second, seconds by part, peak memory, against the machine's own rate.
    Train(BenchTrainArguments),
    /// The screen: start, keys, frames, a run of a million steps.
    Ui(BenchUiArguments),
}

#[derive(Args)]
pub(super) struct BenchTrainArguments {
    /// A model's alias, hub or package name, or path.
    #[arg(long, default_value = "smollm2-135m")]
    model: String,
    /// A shape with weights at random instead of a model; needs no file. With `--base-format stored`, in `Q4_K`.
    #[arg(long, value_enum, conflicts_with = "model")]
    shape: Option<ModelShape>,
    /// Examples of a step.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// Tokens of each example.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(2..=131_072))]
    length: u32,
    /// Rank of the adapter on all projections.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    rank: u16,
    /// Steps that count, after one that doesn't.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    steps: u16,
    /// Count the first step, too.
    #[arg(long)]
    cold: bool,
    /// Train magnitudes as well (DoRA).
    #[arg(long)]
    dora: bool,
    /// Whether activations are kept or computed again.
    #[arg(long, default_value = "auto", value_name = "auto|keep|recompute", value_parser = recipe_value::<ActivationMemory>)]
    activation_memory: ActivationMemory,
    /// How the frozen base is held: f32, in its file's own blocks, or in 4 bits.
    #[arg(long, default_value = "f32", value_name = "f32|stored|nf4", value_parser = recipe_value::<BaseFormat>)]
    base_format: BaseFormat,
    /// Number format: on the CPU of the products with frozen weights, on a device of weights and activations.
    #[arg(long, default_value = "f32", value_name = "f32|bf16|f16", value_parser = recipe_value::<Dtype>)]
    dtype: Dtype,
    /// What to measure on: auto, cpu, cuda:N or metal.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: DeviceName,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModelShape {
    /// Mistral 7B
    #[value(name = "mistral-7b")]
    Mistral7b,
}

/// A value as a recipe has it.
fn recipe_value<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(json!(text))
}

pub(super) fn run(bench: &BenchSubcommand) -> Result<ExitCode> {
    match bench {
        BenchSubcommand::Expand(arguments) => return bench_expand::run(arguments),
        BenchSubcommand::Generate(arguments) => return bench_generate::run(arguments),
        BenchSubcommand::Guess(arguments) => return bench_guess::run(arguments),
        BenchSubcommand::Perplexity(arguments) => return bench_perplexity::run(arguments),
        BenchSubcommand::Data(arguments) => data::run(arguments)?,
        BenchSubcommand::Train(arguments) => train(arguments)?,
        BenchSubcommand::Review(arguments) => return bench_review::review(arguments),
        BenchSubcommand::Teacher(arguments) => return bench_review::teacher(arguments),
        BenchSubcommand::Ui(arguments) => return bench_ui::run(arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn train(arguments: &BenchTrainArguments) -> Result<()> {
    let (activation_memory, base, dtype) =
        (arguments.activation_memory, arguments.base_format, arguments.dtype);
    let products = match dtype {
        Dtype::F32 | Dtype::F16 => MatmulPrecision::F32,
        Dtype::Bf16 => MatmulPrecision::Bf16,
    };
    let place = device::choose(arguments.device)?;
    place.check(dtype)?;
    let bench = TrainBench {
        batch: arguments.batch.into(),
        length: arguments.length as usize,
        rank: arguments.rank.into(),
        steps: arguments.steps.into(),
        warm_up: !arguments.cold,
        use_dora: arguments.dora,
        options: StepOptions { activation_memory, base, products },
        dtype,
    };
    let figures = match arguments.shape {
        Some(ModelShape::Mistral7b) => {
            let (config, weights) = (random::mistral_7b(), RandomWeights::new()?);
            bench.run(Subject { name: arguments.name(), config: &config, weights: &weights }, &place)?
        }
        None => {
            let model = loading::open(&arguments.model)?;
            bench
                .run(Subject { name: &model.name, config: &model.config, weights: &*model.weights }, &place)?
        }
    };
    if arguments.json {
        print::say(&as_json(arguments, &place, &figures).to_string())?;
    } else {
        print::say(&as_text(arguments, &place, &figures))?;
    }
    Ok(())
}

impl BenchTrainArguments {
    fn name(&self) -> &str {
        match self.shape {
            Some(ModelShape::Mistral7b) => "mistral-7b (weights at random)",
            None => &self.model,
        }
    }
}

fn as_json(
    arguments: &BenchTrainArguments,
    place: &ComputeDevice,
    figures: &TrainFigures,
) -> serde_json::Value {
    let parts: serde_json::Map<_, _> =
        figures.parts.iter().map(|&(name, seconds)| (name.to_owned(), json!(seconds))).collect();
    json!({
        "model": arguments.name(),
        "device": place.name(),
        "batch": arguments.batch,
        "length": arguments.length,
        "rank": arguments.rank,
        "load_seconds": figures.load_seconds,
        "step_seconds": figures.step_seconds,
        "tokens_per_second": figures.tokens_per_second,
        "peak_memory_gb": figures.peak_memory_gb,
        "gflop_per_step": figures.gflop,
        "machine_gflops": figures.machine_gflops,
        "floor_seconds": figures.floor_seconds,
        "share_of_machine_rate": figures.floor_seconds / figures.step_seconds,
        "seconds_by_part": parts,
    })
}

fn as_text(arguments: &BenchTrainArguments, place: &ComputeDevice, figures: &TrainFigures) -> String {
    let mut text = format!(
        "{} \u{b7} {} \u{b7} {} x {} tokens \u{b7} rank {}\n{:>9.1} tokens/s   {:.2} s a step   {:.2} GB at the peak   \
         {:.1} s to load\n\
         {:>9.0} GFLOP a step; {} does {:.0} GFLOP/s: {:.2} s at the least, {:.0}% reached\n",
        arguments.name(),
        place.name(),
        arguments.batch,
        arguments.length,
        arguments.rank,
        figures.tokens_per_second,
        figures.step_seconds,
        figures.peak_memory_gb,
        figures.load_seconds,
        figures.gflop,
        if let ComputeDevice::Cpu = place { "this machine" } else { "this device" },
        figures.machine_gflops,
        figures.floor_seconds,
        100.0 * figures.floor_seconds / figures.step_seconds,
    );
    let parts =
        figures.parts.iter().map(|(name, seconds)| format!("{seconds:>9.3} s  {}", name.replace('_', " ")));
    text.push_str(&parts.collect::<Vec<_>>().join("\n"));
    text
}
