//! Measures the training step, its update included: real shapes, all positions trained, against the machine's own rate.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::device::{self, DeviceOptions, DeviceStudent};
use super::optimizer::{self, AdamW, Update};
use super::parameter_groups::ParameterGroups;
use super::step::{DecoderStudent, StepOptions, StepPart};
use super::student::Student;
use crate::adapter::{Adapter, LoraConfig, Projection};
use crate::device::ComputeDevice;
use crate::kernels::gemm::{GemmOutput, MatmulPrecision, Matrix, ProductTerm, Write};
use crate::model::{ModelConfig, Weights};
use dojo_core::domain::batch::{PackedBatch, TokenExample};
use dojo_core::domain::recipe::{BaseFormat, Dtype, Recipe};
use dojo_core::ground::memory;

/// What to measure.
#[derive(Debug, Clone, Copy)]
pub struct TrainBench {
    /// Examples of a step.
    pub batch: usize,
    /// Tokens of each.
    pub length: usize,
    pub rank: usize,
    /// Steps that count.
    pub steps: usize,
    /// Run one more before them, which makes the buffers.
    pub warm_up: bool,
    pub use_dora: bool,
    /// How the processor's step works; a device's takes all but `products`.
    pub options: StepOptions,
    /// Number format on a device.
    pub dtype: Dtype,
}

/// A model to measure; it needs no tokenizer.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub name: &'a str,
    pub config: &'a ModelConfig,
    pub weights: &'a dyn Weights,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct TrainFigures {
    /// To read the weights, and to quantise them where asked to.
    pub load_seconds: f64,
    /// Median of the steps.
    pub step_seconds: f64,
    pub tokens_per_second: f64,
    /// The most memory that was taken, on the device where it says so, in 10^9 bytes.
    pub peak_memory_gb: f64,
    /// Seconds of a step in each part, by name; none on a device, which works while the program goes on.
    pub parts: Vec<(&'static str, f64)>,
    /// Arithmetic of a step in 10^9 operations.
    pub gflop: f64,
    /// What the processor or device does in a large matrix product, 10^9 operations a second.
    pub machine_gflops: f64,
    /// The step's arithmetic at the machine's rate, in seconds: the floor.
    pub floor_seconds: f64,
}

impl TrainBench {
    /// Runs the steps.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged, or a step fails.
    pub fn run(&self, subject: Subject<'_>, place: &ComputeDevice) -> Result<TrainFigures> {
        ensure!(self.steps > 0 && self.batch > 0 && self.length > 1 && self.rank > 0, "nothing to measure");
        let config = subject.config;
        let start = Instant::now();
        let mut measured = self.open(subject, place)?;
        let load_seconds = start.elapsed().as_secs_f64();
        let mut adapter = self.random_adapter(subject)?;
        let batch = random_batch(self.batch, self.length, config.vocabulary);
        let mut gradients = vec![0.0; adapter.values.len()];
        let scale = 1.0 / batch.trained_tokens() as f32;
        let recipe = Recipe::parse("model.base = \"none\"\ndata.train = \"none\"", &[], "bench")?;
        let groups = ParameterGroups::new(&recipe.train, &adapter)?;
        let mut optimizer = AdamW::new(&recipe.train, adapter.values.len(), groups);
        let mut seconds = Vec::new();
        for step in 0..self.steps + usize::from(self.warm_up) {
            if step == usize::from(self.warm_up) {
                seconds.clear();
                measured.parts(1);
            }
            let start = Instant::now();
            gradients.fill(0.0);
            measured.student().backward(&adapter, &batch, scale, None, &mut gradients)?;
            let gradient_factor = optimizer::clip_factor(optimizer::norm(&gradients), 1.0);
            let update = Update { learning_rate: 1e-4, gradient_factor };
            optimizer.update(&mut adapter.values, &gradients, update);
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        let step_seconds = seconds[seconds.len() / 2];
        let gflop = gflop(config, &batch, adapter.values.len());
        let machine_gflops = match place {
            ComputeDevice::Cpu => machine_gflops(self.options.products),
            ComputeDevice::Device(device) => device::gflops(device, self.dtype)?,
        };
        Ok(TrainFigures {
            load_seconds,
            step_seconds,
            tokens_per_second: batch.tokens.len() as f64 / step_seconds,
            peak_memory_gb: measured.peak_memory_gb(),
            parts: measured.parts(self.steps),
            gflop,
            machine_gflops,
            floor_seconds: gflop / machine_gflops,
        })
    }

    fn open(&self, subject: Subject<'_>, place: &ComputeDevice) -> Result<Measured> {
        let Subject { name, config, weights } = subject;
        let StepOptions { activation_memory, base, .. } = self.options;
        Ok(match place {
            ComputeDevice::Cpu => Measured::Cpu(DecoderStudent::over(name, config, weights, self.options)?),
            ComputeDevice::Device(device) => {
                let options = DeviceOptions { activation_memory, base, dtype: self.dtype };
                Measured::Device(DeviceStudent::over((name, config), weights, device, options)?)
            }
        })
    }
}

/// The step that is measured.
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Measured {
    Cpu(DecoderStudent),
    Device(DeviceStudent),
}

impl Measured {
    fn student(&mut self) -> &mut dyn Student {
        match self {
            Self::Cpu(student) => student,
            Self::Device(student) => student,
        }
    }

    /// Seconds of each part since the last call, a step.
    fn parts(&mut self, steps: usize) -> Vec<(&'static str, f64)> {
        let Self::Cpu(student) = self else { return Vec::new() };
        let profile = student.take_profile();
        StepPart::ALL.map(|part| (part.name(), profile.seconds(part) / steps as f64)).to_vec()
    }

    fn peak_memory_gb(&self) -> f64 {
        match self {
            Self::Cpu(_) => memory::peak_gb(),
            Self::Device(student) => student.memory_gb(),
        }
    }
}

impl TrainBench {
    fn random_adapter(&self, subject: Subject<'_>) -> Result<Adapter> {
        let lora = LoraConfig {
            r: self.rank,
            lora_alpha: 2.0 * self.rank as f32,
            lora_dropout: 0.0,
            target_modules: Projection::ALL.to_vec(),
            use_rslora: false,
            use_dora: self.use_dora,
        };
        let mut adapter = Adapter::fresh(lora, "random", subject.config, 1)?;
        let mut next = numbers(7);
        adapter.values.fill_with(|| (next() % 2001) as f32 / 1e5 - 0.01);
        let format = if self.options.base == BaseFormat::F32 { BaseFormat::F32 } else { BaseFormat::Stored };
        adapter.measure_magnitudes(subject.weights, format)?;
        Ok(adapter)
    }
}

/// Operations of a step without recomputation: frozen products forward and backward, adapters three times, attention
/// (causal half) twice forward and five times backward, 10^9.
fn gflop(config: &ModelConfig, batch: &PackedBatch, trained: usize) -> f64 {
    let frozen = 4.0 * (config.layer_weights() * config.layers * batch.tokens.len()) as f64
        + 4.0 * (config.vocabulary * config.hidden * batch.trained_tokens()) as f64;
    let low_rank = 6.0 * (trained * batch.tokens.len()) as f64;
    let pairs: usize = batch.borders.windows(2).map(|pair| (pair[1] - pair[0]).pow(2) / 2).sum();
    let attention = 14.0 * (pairs * config.query_width() * config.layers) as f64;
    (frozen + low_rank + attention) / 1e9
}

/// The best of a few products of a feed-forward block's shape.
fn machine_gflops(products: MatmulPrecision) -> f64 {
    let (rows, depth, columns) = (2048, 576, 1536);
    let (a, b) = (vec![0.5f32; rows * depth], vec![0.25f32; depth * columns]);
    let mut c = vec![0f32; rows * columns];
    let fastest = (0..12)
        .map(|_| {
            let start = Instant::now();
            let output = GemmOutput { data: &mut c, stride: columns, write: Write::Replace };
            let term = ProductTerm::new(Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns));
            products.matmul(output, 1.0, &[term]);
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    2.0 * (rows * depth * columns) as f64 / fastest / 1e9
}

fn random_batch(batch: usize, length: usize, vocabulary: usize) -> PackedBatch {
    let mut next = numbers(42);
    let examples: Vec<TokenExample> = (0..batch)
        .map(|i| TokenExample {
            source: format!("random example {i}"),
            tokens: (0..length).map(|_| (next() % vocabulary as u64) as u32).collect(),
            trained: vec![true; length],
        })
        .collect();
    PackedBatch::pack(&examples)
}

/// Marsaglia's xorshift: any numbers do.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 16
    }
}
