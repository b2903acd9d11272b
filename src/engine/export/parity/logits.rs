//! The logits of two models along the answers of the trained one.

use anyhow::{Context, Result, ensure};

use super::{FormatBounds, ParityRow, ParityVerdict};
use crate::adapter::Adapter;
use crate::device::ComputeDevice;
use crate::generate::{AdapterId, GenerateRequest, Generator, Limits, Precision, complete, load, size};
use crate::model::OpenModel;

/// Tokens of each answer.
const STEPS: usize = 24;
/// Longest prompt and answer together: what they are compared over is short, and memory is granted for this alone.
const CONTEXT: usize = 1024;
/// Two models of the same numbers differ by the order of their sums; in nats.
const NOISE: f64 = 1e-4;

const LIMITS: Limits = Limits {
    threads: 0,
    sequences: 4,
    prompt_chunk: 256,
    cache_bytes: 0,
    context: CONTEXT,
    guesses: crate::generate::Guesses::None,
};

/// Bytes of memory that comparing the logits of a model takes.
#[must_use]
pub fn memory_bytes(model: &OpenModel) -> u64 {
    size::bytes(model, Precision::Full, &LIMITS)
}

/// Prompts with a model's greedy answers, and its logits before each token of them.
pub(super) struct GreedyAnswers {
    paths: Vec<(Vec<u32>, Vec<u32>)>,
    pub(super) logits: Vec<Vec<f32>>,
}

impl GreedyAnswers {
    /// The trained model's answers.
    pub(super) fn of(model: &OpenModel, adapter: Option<&Adapter>, prompts: &[Vec<u32>]) -> Result<Self> {
        let mut generator = generator(model)?;
        let adapter = adapter.map(|adapter| generator.add_adapter(adapter)).transpose()?;
        let room = generator.context();
        let prompts: Vec<&Vec<u32>> = prompts.iter().filter(|prompt| prompt.len() + STEPS < room).collect();
        let requests = prompts.iter().map(|prompt| {
            let request = GenerateRequest::new((*prompt).clone(), STEPS);
            GenerateRequest { adapter, ..request }
        });
        let answers = complete(&mut generator, requests.collect(), &mut |_| Ok(()))?;
        let answers = answers.into_iter().filter_map(|choices| Some(choices.into_iter().next()?.tokens));
        let paths: Vec<(Vec<u32>, Vec<u32>)> = prompts.into_iter().cloned().zip(answers).collect();
        ensure!(paths.iter().any(|(_, path)| !path.is_empty()), "no prompt is short enough to be answered");
        let logits = along(&mut generator, adapter, &paths)?;
        Ok(Self { paths, logits })
    }

    /// Another model's logits along the same answers.
    pub(super) fn again(&self, model: &OpenModel) -> Result<Vec<Vec<f32>>> {
        along(&mut generator(model)?, None, &self.paths)
    }
}

fn generator(model: &OpenModel) -> Result<Generator> {
    load(model, Precision::Full, &ComputeDevice::Cpu, LIMITS).with_context(|| format!("load {}", model.name))
}

fn along(
    generator: &mut Generator,
    adapter: Option<AdapterId>,
    paths: &[(Vec<u32>, Vec<u32>)],
) -> Result<Vec<Vec<f32>>> {
    let mut found = Vec::new();
    for (prompt, path) in paths {
        let Some((_, before)) = path.split_last() else { continue };
        let tokens = [prompt.as_slice(), before].concat();
        let first = prompt.len().saturating_sub(1);
        generator.walk(&tokens, adapter, &mut |position, logits| {
            if position >= first {
                found.push(logits.to_vec());
            }
        })?;
    }
    Ok(found)
}

/// What the logits come to.
pub(super) fn rows(
    answers: &GreedyAnswers,
    (expected, found): (&[Vec<f32>], &[Vec<f32>]),
    bounds: FormatBounds,
    rows: &mut Vec<ParityRow>,
) {
    let file = Distance::of(expected, found);
    let whole = Distance::of(&answers.logits, found);
    let count = answers.logits.len();
    let of = |within: bool, other: ParityVerdict| if within { ParityVerdict::Same } else { other };
    rows.push(ParityRow {
        what: "the file against the same rounding in memory (KL, nats)",
        trained: "0".to_owned(),
        exported: format!("{:.1e} at most", file.most),
        verdict: of(file.most <= NOISE, ParityVerdict::Broken),
    });
    rows.push(ParityRow {
        what: "likeliest token",
        trained: format!("{count}"),
        exported: format!("{} alike ({:.1}%)", whole.alike, 100.0 * whole.alike as f64 / count.max(1) as f64),
        verdict: of(whole.alike == count, ParityVerdict::Format),
    });
    let too_far = bounds.divergence.is_some_and(|most| whole.mean > most);
    rows.push(ParityRow {
        what: "divergence from the trained model (KL, nats)",
        trained: "0".to_owned(),
        exported: format!("{:.1e} mean, {:.1e} at most", whole.mean, whole.most),
        verdict: match (too_far, whole.most <= NOISE) {
            (true, _) => ParityVerdict::Broken,
            (false, true) => ParityVerdict::Same,
            (false, false) => ParityVerdict::Format,
        },
    });
}

/// How far the logits of one model are from another's.
struct Distance {
    mean: f64,
    most: f64,
    /// Places with the same likeliest token.
    alike: usize,
}

impl Distance {
    fn of(from: &[Vec<f32>], to: &[Vec<f32>]) -> Self {
        let places = || from.iter().zip(to);
        let divergences: Vec<f64> = places().map(|(from, to)| divergence(from, to)).collect();
        let mean = divergences.iter().sum::<f64>() / divergences.len().max(1) as f64;
        // What is no number is as far as can be.
        let most =
            divergences.iter().map(|&it| if it.is_finite() { it } else { f64::INFINITY }).fold(0.0, f64::max);
        let alike = places().filter(|(from, to)| likeliest(from) == likeliest(to)).count();
        let mean = if mean.is_finite() { mean } else { f64::INFINITY };
        Self { mean, most, alike }
    }
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    let best = logits.iter().enumerate().max_by(|one, other| one.1.total_cmp(other.1));
    best.map(|(token, _)| token)
}

/// The Kullback-Leibler divergence of two distributions by their logits, in nats.
fn divergence(from: &[f32], to: &[f32]) -> f64 {
    if from.len() != to.len() {
        return f64::INFINITY;
    }
    let (one, other) = (log_sum(from), log_sum(to));
    let terms = from.iter().zip(to).map(|(&from, &to)| {
        let (from, to) = (f64::from(from) - one, f64::from(to) - other);
        if from == f64::NEG_INFINITY { 0.0 } else { from.exp() * (from - to) }
    });
    terms.sum::<f64>().max(0.0)
}

fn log_sum(logits: &[f32]) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - most).exp()).sum();
    f64::from(most) + sum.ln()
}
