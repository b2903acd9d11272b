//! Training on rewards, with the smallest student: a bigram model that is drawn from by its own numbers.

use std::path::Path;

use anyhow::Result;
use dojo_studio::domain::recipe::Recipe;
use dojo_studio::domain::record::Record;
use dojo_studio::domain::reward::{
    Attempt, CompletionScorer, RewardOutcome, RewardPart, RewardTotal, ScoreDetail,
};
use dojo_studio::domain::rollout::{RolledGroup, TokenPrompt};
use dojo_studio::domain::run::RunFolder;
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::train::host::HostRequest;
use dojo_studio::engine::train::objective::{DrawOrder, Drawn, GroupRelative, RolloutSampler};
use dojo_studio::engine::train::trainer::{self, TrainOutcome, TrainingTask};
use dojo_studio::ground::random::{SplitMix64, combine};

use crate::support::bigram::{self, Bigram, Script, VOCABULARY, save_adapter, timeless};

const RANK: usize = 3;
/// What ends a completion.
const END: u32 = 0;

/// Draws from the bigram's distribution.
struct Walk {
    longest: usize,
}

impl Walk {
    fn one(&self, adapter: &Adapter, order: &DrawOrder<'_>, choice: usize) -> Drawn {
        let (a, b) = adapter.values.split_at(RANK * VOCABULARY);
        let mut random = SplitMix64::new(combine(&[order.seed, choice as u64]));
        let mut token = *order.prompt.last().unwrap() as usize;
        let mut drawn = Drawn { cut: true, ..Drawn::default() };
        while drawn.tokens.len() < self.longest {
            let logit = |v: usize| (0..RANK).map(|k| b[v * RANK + k] * a[k * VOCABULARY + token]).sum();
            let logits: Vec<f32> = (0..VOCABULARY).map(logit).collect();
            let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f32 = logits.iter().map(|logit| (logit - top).exp()).sum();
            let mut left = random.uniform() * total;
            token = (0..VOCABULARY)
                .find(|&v| {
                    left -= (logits[v] - top).exp();
                    left < 0.0
                })
                .unwrap_or(VOCABULARY - 1);
            drawn.tokens.push(token as u32);
            drawn.log_probabilities.push(logits[token] - top - total.ln());
            if token as u32 == END {
                drawn.cut = false;
                break;
            }
        }
        let words: Vec<String> = drawn.tokens.iter().map(ToString::to_string).collect();
        drawn.text = words.join(" ");
        drawn
    }
}

impl RolloutSampler for Walk {
    fn draw(
        &mut self,
        adapter: &Adapter,
        orders: &[DrawOrder<'_>],
        done: &mut dyn FnMut(usize, Vec<Drawn>),
        tick: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<bool> {
        for (at, order) in orders.iter().enumerate() {
            if !tick()? {
                return Ok(false);
            }
            done(at, (0..order.completions).map(|choice| self.one(adapter, order, choice)).collect());
        }
        Ok(true)
    }
}

/// The share of a completion's tokens that are a certain one, and a reward that never differs.
#[derive(Clone, Copy)]
enum Worth {
    Share(u32),
    Same,
    Nothing,
}

impl CompletionScorer for Worth {
    fn rewards(&self) -> Vec<(String, f64)> {
        vec![("share".to_owned(), 1.0)]
    }

    fn score(&self, attempts: &[Attempt<'_>], _: ScoreDetail) -> Vec<RewardTotal> {
        let total = |attempt: &Attempt<'_>| {
            let words: Vec<&str> = attempt.completion.split(' ').collect();
            let value = match self {
                Self::Share(token) => {
                    let wanted = token.to_string();
                    let found = words.iter().filter(|word| **word == wanted).count();
                    Some(found as f64 / words.len() as f64)
                }
                Self::Same => Some(1.0),
                Self::Nothing => None,
            };
            let outcome =
                value.map_or_else(|| RewardOutcome::does_not_apply("nobody knows"), RewardOutcome::of);
            RewardTotal { value, parts: vec![RewardPart { name: "share".to_owned(), weight: 1.0, outcome }] }
        };
        attempts.iter().map(total).collect()
    }
}

fn recipe(overrides: &[&str]) -> Recipe {
    let grpo = [
        "method=grpo",
        "train.learning_rate=0.05",
        "train.gradient_accumulation_steps=1",
        "train.per_device_train_batch_size=5",
        "train.max_steps=12",
        "lora.lora_dropout=0.0",
        "sample.sample_steps=0",
        "grpo.prompts_per_step=3",
        "grpo.num_generations=4",
        "grpo.max_completion_length=6",
    ];
    bigram::recipe(&[&grpo, overrides].concat())
}

fn prompts(count: usize) -> Vec<TokenPrompt> {
    let prompt = |at: usize| TokenPrompt {
        tokens: vec![1 + at as u32 % 5, 2 + at as u32 % 7],
        record: Record { text: Some(format!("count {at}")), ..Record::default() },
    };
    (0..count).map(prompt).collect()
}

fn train(folder: &Path, recipe: &Recipe, worth: Worth, host: &mut Script) -> Result<TrainOutcome> {
    std::fs::create_dir_all(folder).unwrap();
    let (all, folder) = (prompts(14), RunFolder::new(folder));
    let (learnt, held_out) = all.split_at(12);
    let part = recipe.grpo.as_ref().unwrap();
    let mut sampler = Walk { longest: part.max_completion_length };
    let with = (&mut sampler as &mut dyn RolloutSampler, &worth as &dyn CompletionScorer);
    let mut objective =
        GroupRelative::new((learnt, held_out), (recipe, part), with, bigram::adapter(), &folder);
    let task = TrainingTask {
        recipe,
        folder: &folder,
        student: &mut Bigram::default(),
        sampler: None,
        adapter: bigram::adapter(),
        objective: &mut objective,
        truncated_fraction: 0.0,
        prompts: &[],
        save_adapter: &save_adapter,
    };
    trainer::train(task, host)
}

fn numbers(folder: &Path, name: &str) -> Vec<f64> {
    timeless(&folder.join("metrics.jsonl")).iter().filter_map(|line| line.get(name)?.as_f64()).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn groups(folder: &Path, step: u64) -> Vec<RolledGroup> {
    let text = std::fs::read_to_string(RunFolder::new(folder).completions_of(step)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_on_rewards_raises_them_whatever_the_loss() {
    for loss in ["dapo", "grpo", "dr_grpo", "bnpo", "cispo"] {
        let home = tempfile::tempdir().unwrap();
        let kind = format!("grpo.loss_type={loss}");
        let recipe = recipe(&[&kind, "train.max_steps=60", "train.lr_scheduler_type=constant"]);
        let outcome = train(home.path(), &recipe, Worth::Share(7), &mut Script::default()).unwrap();
        assert_eq!(outcome, TrainOutcome::Done);
        let rewards = numbers(home.path(), "reward");
        let (first, last) = (mean(&rewards[..10]), mean(&rewards[50..]));
        assert!(last > first + 0.2, "{loss}: from {first} to {last}");
        let held_out = numbers(home.path(), "eval_reward");
        assert!(held_out.last().unwrap() > &held_out[0], "{loss}: {held_out:?}");
    }
}

#[test]
fn a_step_says_what_trl_says_and_its_first_ratio_is_one() {
    let home = tempfile::tempdir().unwrap();
    train(home.path(), &recipe(&["grpo.beta=0.1"]), Worth::Share(7), &mut Script::default()).unwrap();
    for name in [
        "loss",
        "entropy",
        "kl",
        "reward",
        "reward_std",
        "rewards/share/mean",
        "rewards/share/std",
        "frac_reward_zero_std",
        "completions/mean_length",
        "completions/max_length",
        "completions/min_terminated_length",
        "completions/clipped_ratio",
        "clip_ratio/low_mean",
        "clip_ratio/low_min",
        "clip_ratio/high_mean",
        "clip_ratio/high_max",
        "clip_ratio/region_mean",
        "sampling/sampling_logp_difference/mean",
        "sampling/importance_sampling_ratio/mean",
    ] {
        assert_eq!(numbers(home.path(), name).len(), 12, "{name}");
    }
    assert!(numbers(home.path(), "sampling/sampling_logp_difference/max").iter().all(|gap| *gap < 1e-5));
    assert!(numbers(home.path(), "clip_ratio/region_mean").iter().all(|share| *share < 1e-12));
    assert!(numbers(home.path(), "kl")[0] < 1e-9, "before a step the model is its reference");
    let groups = groups(home.path(), 12);
    assert_eq!(groups.len(), 3);
    for group in &groups {
        assert_eq!(group.completions.len(), 4, "{group:?}");
        let sum: f64 = group.completions.iter().map(|one| one.advantage).sum();
        assert!(sum.abs() < 1e-9, "{group:?}");
    }
}

#[test]
fn a_run_on_rewards_stopped_anywhere_goes_on_as_one_that_was_not() {
    for overrides in [&["grpo.num_iterations=3", "grpo.beta=0.05"][..], &["grpo.dynamic_sampling=2"]] {
        let recipe = recipe(overrides);
        let home = tempfile::tempdir().unwrap();
        let (whole, mut host) = (home.path().join("whole"), Script::default());
        train(&whole, &recipe, Worth::Share(7), &mut host).unwrap();
        let values = |folder: &Path| std::fs::read(folder.join("adapter/adapter_model.safetensors")).unwrap();
        for tick in (0..host.ticks()).step_by(5) {
            let broken = home.path().join(format!("broken-{tick}"));
            let mut stopping = Script::at(tick, HostRequest::Stop);
            assert_eq!(
                train(&broken, &recipe, Worth::Share(7), &mut stopping).unwrap(),
                TrainOutcome::Stopped
            );
            train(&broken, &recipe, Worth::Share(7), &mut Script::default()).unwrap();
            let lines = |folder: &Path| timeless(&folder.join("metrics.jsonl"));
            assert_eq!(lines(&broken), lines(&whole), "{overrides:?}: stopped at tick {tick}");
            assert!(values(&broken) == values(&whole), "{overrides:?}: stopped at tick {tick}");
            let last = if overrides.len() == 2 { 10 } else { 12 };
            assert_eq!(groups(&broken, last), groups(&whole, last), "stopped at tick {tick}");
        }
    }
}

#[test]
fn steps_on_the_same_completions_clip_ratios_and_draw_no_others() {
    let home = tempfile::tempdir().unwrap();
    let recipe = recipe(&["grpo.num_iterations=4", "train.learning_rate=0.5", "grpo.epsilon=0.05"]);
    train(home.path(), &recipe, Worth::Share(7), &mut Script::default()).unwrap();
    assert_eq!(numbers(home.path(), "reward").len(), 3, "one in four steps draws");
    let clipped = numbers(home.path(), "clip_ratio/region_mean");
    assert!(clipped[0] < 1e-12 && clipped[1..4].iter().any(|share| *share > 0.0), "{clipped:?}");
}

#[test]
fn rewards_that_never_differ_teach_nothing_and_say_why() {
    let home = tempfile::tempdir().unwrap();
    train(home.path(), &recipe(&["train.max_steps=2"]), Worth::Same, &mut Script::default()).unwrap();
    assert_eq!(numbers(home.path(), "frac_reward_zero_std"), [1.0, 1.0]);
    assert_eq!(
        (numbers(home.path(), "loss"), numbers(home.path(), "grad_norm")),
        (vec![0.0; 2], vec![0.0; 2])
    );
    let told: Vec<Option<String>> = groups(home.path(), 1).into_iter().map(|group| group.left_out).collect();
    assert_eq!(told, vec![Some("no spread: every completion got 1.000".to_owned()); 3]);

    let home = tempfile::tempdir().unwrap();
    train(home.path(), &recipe(&["train.max_steps=1"]), Worth::Nothing, &mut Script::default()).unwrap();
    let told: Vec<Option<String>> = groups(home.path(), 1).into_iter().map(|group| group.left_out).collect();
    assert_eq!(told, vec![Some("no reward applies: nobody knows".to_owned()); 3]);
}

#[test]
fn groups_without_spread_are_drawn_anew_of_other_prompts_as_often_as_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let overrides = ["train.max_steps=1", "grpo.dynamic_sampling=2"];
    train(home.path(), &recipe(&overrides), Worth::Same, &mut Script::default()).unwrap();
    let groups = groups(home.path(), 1);
    assert_eq!(groups.len(), 9, "three places, each drawn three times");
    let replaced = "no spread: every completion got 1.000: another prompt took its place";
    assert_eq!(groups.iter().filter(|group| group.left_out.as_deref() == Some(replaced)).count(), 6);
    assert_eq!(numbers(home.path(), "groups_replaced"), [6.0]);
}

#[test]
fn completions_that_are_cut_teach_nothing_if_that_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let overrides =
        ["train.max_steps=1", "grpo.mask_truncated_completions=true", "grpo.max_completion_length=1"];
    train(home.path(), &recipe(&overrides), Worth::Share(7), &mut Script::default()).unwrap();
    let all_cut = groups(home.path(), 1)
        .into_iter()
        .filter(|group| group.completions.iter().all(|one| one.cut))
        .map(|group| group.left_out.unwrap())
        .collect::<Vec<_>>();
    assert!(!all_cut.is_empty());
    assert!(all_cut.iter().all(|why| why.starts_with("all completions are cut at 1 tokens")), "{all_cut:?}");
}
