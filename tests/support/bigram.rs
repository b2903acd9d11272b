//! The smallest real student: a bigram model whose logits are a low-rank table, and a world of runs around it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use dojo_studio::domain::batch::{IGNORED, PackedBatch, TokenExample};
use dojo_studio::domain::recipe::{Override, Recipe};
use dojo_studio::domain::run::{MetricLine, RunFolder};
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection, Slot};
use dojo_studio::engine::kernels::cross_entropy::RowLoss;
use dojo_studio::engine::train::course::GoOn;
use dojo_studio::engine::train::host::{Brake, Host, HostRequest, Sampler, TrainEvent};
use dojo_studio::engine::train::objective::Supervised;
use dojo_studio::engine::train::student::{LossSlope, Student};
use dojo_studio::engine::train::trainer::{self, TrainOutcome, TrainingTask};

pub(crate) const VOCABULARY: usize = 12;
const RANK: usize = 3;

/// Logits after a token are `B (A[:, token])`, with dropout over the rank.
#[derive(Default)]
pub(crate) struct Bigram {
    /// At this call of `backward`, counted from 0, the loss is NaN.
    pub(crate) nan_at: Option<usize>,
    pub(crate) calls: usize,
}

impl Bigram {
    fn pass(
        adapter: &Adapter,
        batch: &PackedBatch,
        dropout: Option<u64>,
        mut gradients: Option<(&mut [f32], &[f32])>,
    ) -> Vec<RowLoss> {
        let mut losses: Vec<RowLoss> = Vec::new();
        let (a, b) = adapter.values.split_at(RANK * VOCABULARY);
        for (position, (&token, &target)) in batch.tokens.iter().zip(&batch.targets).enumerate() {
            if target == IGNORED {
                continue;
            }
            let (token, target) = (token as usize, target as usize);
            let kept = |k: usize| {
                let bits = dropout.map_or(1, |seed| (seed >> (7 * (k + position) % 61)) & 3);
                f32::from(u8::from(bits != 0))
            };
            let hidden: Vec<f32> = (0..RANK).map(|k| a[k * VOCABULARY + token] * kept(k)).collect();
            let logits: Vec<f32> =
                (0..VOCABULARY).map(|v| (0..RANK).map(|k| b[v * RANK + k] * hidden[k]).sum()).collect();
            let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
            let odds: Vec<f32> =
                logits.iter().map(|logit| ((logit - highest).exp() / total).max(1e-30)).collect();
            losses.push(RowLoss {
                nll: -odds[target].ln(),
                entropy: odds.iter().map(|&p| -p * p.ln()).sum(),
                correct: odds.iter().all(|&p| p <= odds[target]),
            });
            let Some((gradients, slopes)) = &mut gradients else { continue };
            let slope = slopes[losses.len() - 1];
            for v in 0..VOCABULARY {
                let error = (odds[v] - f32::from(u8::from(v == target))) * slope;
                for k in 0..RANK {
                    gradients[RANK * VOCABULARY + v * RANK + k] += error * hidden[k];
                    gradients[k * VOCABULARY + token] += error * b[v * RANK + k] * kept(k);
                }
            }
        }
        losses
    }
}

impl Student for Bigram {
    fn backward_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        (slope, dropout): (LossSlope<'_>, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        if !go_on(0.0) {
            return Ok(None);
        }
        let mut losses = Self::pass(adapter, batch, dropout, None);
        let slopes = match slope {
            LossSlope::Same(slope) => vec![slope; losses.len()],
            LossSlope::Each(slopes) => slopes(&losses),
        };
        Self::pass(adapter, batch, dropout, Some((gradients, &slopes)));
        if self.nan_at == Some(self.calls) {
            losses[0].nll = f32::NAN;
        }
        self.calls += 1;
        Ok(Some(losses))
    }

    fn evaluate_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        Ok(go_on(0.0).then(|| Self::pass(adapter, batch, None, None)))
    }

    fn set_temperature(&mut self, _: f32) {}
}

/// Answers with the likeliest tokens, as numbers.
pub(crate) struct Greedy;

impl Sampler for Greedy {
    fn answer(
        &mut self,
        adapter: &Adapter,
        prompt: &str,
        max_new_tokens: usize,
        go_on: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<Option<String>> {
        let (a, b) = adapter.values.split_at(RANK * VOCABULARY);
        let mut token = prompt.len() % VOCABULARY;
        let mut words = Vec::new();
        for _ in 0..max_new_tokens {
            if !go_on()? {
                return Ok(None);
            }
            let logit =
                |v: usize| -> f32 { (0..RANK).map(|k| b[v * RANK + k] * a[k * VOCABULARY + token]).sum() };
            token = (0..VOCABULARY).max_by(|&v, &w| logit(v).total_cmp(&logit(w))).unwrap();
            words.push(token.to_string());
        }
        Ok(Some(words.join(" ")))
    }
}

/// An adapter whose numbers are all different.
pub(crate) fn adapter() -> Adapter {
    let numbers = 2 * RANK * VOCABULARY;
    Adapter {
        config: LoraConfig {
            r: RANK,
            lora_alpha: 3.0,
            lora_dropout: 0.1,
            target_modules: vec![Projection::QProj],
            use_rslora: false,
            use_dora: false,
        },
        base: "bigram".to_owned(),
        slots: vec![Slot {
            layer: 0,
            projection: Projection::QProj,
            inputs: VOCABULARY,
            outputs: VOCABULARY,
            a: 0,
            b: RANK * VOCABULARY,
            magnitudes: None,
        }],
        modules: Vec::new(),
        rows: Vec::new(),
        values: (0..numbers).map(|n| ((n * 37 % 101) as f32 / 101.0 - 0.5) * 0.4).collect(),
    }
}

/// The numbers as one file; what PEFT reads is tested with real models.
pub(crate) fn save_adapter(adapter: &Adapter, folder: &Path) -> Result<()> {
    let bytes: Vec<u8> = adapter.values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join("adapter_model.safetensors"), bytes)?)
}

/// Examples of different lengths that count up, from different starts.
pub(crate) fn examples(count: usize) -> Vec<TokenExample> {
    let example = |index: usize| {
        let tokens: Vec<u32> = (0..3 + index % 5).map(|n| ((index * 5 + n) % VOCABULARY) as u32).collect();
        let trained = (0..tokens.len()).map(|n| n > 0).collect();
        TokenExample { source: format!("example {index}"), tokens, trained }
    };
    (0..count).map(example).collect()
}

/// A recipe over that, with overrides.
pub(crate) fn recipe(overrides: &[&str]) -> Recipe {
    let small = [
        "train.learning_rate=0.05",
        "train.per_device_train_batch_size=2",
        "train.gradient_accumulation_steps=2",
        "train.num_train_epochs=4",
        "eval.eval_steps=3",
        "save.save_steps=4",
        "sample.sample_steps=5",
        "sample.max_new_tokens=6",
    ];
    let parse = |text: &&str| text.parse::<Override>().unwrap();
    let overrides: Vec<Override> = small.iter().chain(overrides).map(parse).collect();
    Recipe::parse("[model]\nbase = \"bigram\"\n[data]\ntrain = \"none\"\n", &overrides, "recipe").unwrap()
}

/// What a host was told, in short.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    Began(u64, u64),
    Rehearsed(usize),
    Stepped(u64),
    Evaluated(u64, bool),
    Sampled(u64),
    Saved(u64),
    StoppedEarly(u64),
    BestLost(u64),
}

/// Goes on, but for the requests scripted for certain ticks.
#[derive(Default)]
pub(crate) struct Script {
    ticks: usize,
    /// How often passes asked whether to go on, and when the answer is no for the first time.
    asked: Arc<AtomicUsize>,
    passes: Option<usize>,
    /// Rising by tick.
    pub(crate) requests: VecDeque<(usize, HostRequest)>,
    pub(crate) heard: Vec<Heard>,
    /// How much was heard before each tick.
    pub(crate) heard_before: Vec<usize>,
}

impl Script {
    pub(crate) fn at(tick: usize, request: HostRequest) -> Self {
        Self { requests: VecDeque::from([(tick, request)]), ..Self::default() }
    }

    /// Lets so many passes over a batch begin, the first of which is the rehearsal.
    pub(crate) fn that_stops_after(passes: usize) -> Self {
        Self { passes: Some(passes), ..Self::default() }
    }

    pub(crate) const fn ticks(&self) -> usize {
        self.ticks
    }
}

impl Host for Script {
    fn tick(&mut self) -> Result<HostRequest> {
        let tick = self.ticks;
        self.ticks += 1;
        self.heard_before.push(self.heard.len());
        let due = self.requests.pop_front_if(|(at, _)| *at == tick);
        Ok(due.map_or(HostRequest::GoOn, |(_, request)| request))
    }

    fn brake(&self) -> Brake {
        let (asked, passes) = (Arc::clone(&self.asked), self.passes);
        Arc::new(move |_| {
            let before = asked.fetch_add(1, Ordering::Relaxed);
            passes.is_none_or(|passes| before < passes)
        })
    }

    fn report(&mut self, progress: &TrainEvent<'_>) {
        let step = |line: &MetricLine| line["step"].as_u64().unwrap();
        self.heard.push(match progress {
            TrainEvent::Began { step, total_steps, .. } => Heard::Began(*step, *total_steps),
            TrainEvent::Rehearsed { tokens, .. } => Heard::Rehearsed(*tokens),
            TrainEvent::Stepped { line, .. } => Heard::Stepped(step(line)),
            TrainEvent::Evaluating { .. } => return,
            TrainEvent::Evaluated { line, best } => Heard::Evaluated(step(line), *best),
            TrainEvent::Sampled(sample) => Heard::Sampled(sample.step),
            TrainEvent::Saved { step } => Heard::Saved(*step),
            TrainEvent::StoppedEarly { step } => Heard::StoppedEarly(*step),
            TrainEvent::BestLost { step, .. } => Heard::BestLost(*step),
        });
    }
}

/// Trains the bigram model on 20 examples in a run folder.
pub(crate) fn train(folder: &Path, recipe: &Recipe, host: &mut Script) -> Result<TrainOutcome> {
    train_student(folder, recipe, host, &mut Bigram::default())
}

/// As [`train`], with another student.
pub(crate) fn train_student(
    folder: &Path,
    recipe: &Recipe,
    host: &mut Script,
    student: &mut dyn Student,
) -> Result<TrainOutcome> {
    std::fs::create_dir_all(folder).unwrap();
    let (all, prompts) = (examples(24), ["count".to_owned(), "on".to_owned()]);
    let (train, eval) = all.split_at(20);
    let folder = RunFolder::new(folder);
    let mut sampler = Greedy;
    let task = TrainingTask {
        recipe,
        folder: &folder,
        student,
        sampler: Some(&mut sampler),
        adapter: adapter(),
        objective: &mut Supervised { train, eval },
        truncated_fraction: 0.25,
        prompts: &prompts,
        save_adapter: &save_adapter,
    };
    trainer::train(task, host)
}

/// The lines of a metrics file without what depends on the clock.
pub(crate) fn timeless(path: &Path) -> Vec<MetricLine> {
    let text = std::fs::read_to_string(path).unwrap();
    let parse = |line: &str| {
        let mut line: MetricLine = serde_json::from_str(line).unwrap();
        line.retain(|name, _| {
            !["tokens_per_second", "memory_gb"].contains(&name.as_str()) && !name.starts_with("step_time")
        });
        line
    };
    text.lines().map(parse).collect()
}
