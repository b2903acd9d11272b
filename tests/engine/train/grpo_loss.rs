//! Advantages, losses and gradients on rewards against figures of a program of its own: written from the papers' formulas,
//! with complex-step derivatives by the logits.

use dojo_studio::domain::recipe::{GrpoPart, Override, Recipe};
use dojo_studio::engine::train::objective::{CompletionTerms, advantages, completion_loss, token_weights};
use serde::Deserialize;

#[derive(Deserialize)]
struct Figures {
    num_generations: usize,
    max_completion_length: usize,
    batch_size: usize,
    epsilon: f64,
    reward_weights: Vec<f64>,
    rewards: Vec<Vec<Option<f64>>>,
    cut: Vec<bool>,
    tokens: Vec<Vec<usize>>,
    /// (completions, tokens, vocabulary)
    logits: Vec<Vec<Vec<f64>>>,
    old: Vec<Vec<f64>>,
    reference: Vec<Vec<f64>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    loss_type: String,
    importance_sampling_level: String,
    beta: f64,
    scale_rewards: String,
    multi_objective_aggregation: String,
    mask_truncated_completions: bool,
    epsilon_high: Option<f64>,
    advantages: Vec<f64>,
    loss: f64,
    grad_norm: f64,
}

fn part(figures: &Figures, case: &Case) -> GrpoPart {
    let mut set = vec![
        "method=grpo".to_owned(),
        format!("grpo.num_generations={}", figures.num_generations),
        format!("grpo.max_completion_length={}", figures.max_completion_length),
        format!("grpo.epsilon={}", figures.epsilon),
        format!("grpo.loss_type={}", case.loss_type),
        format!("grpo.importance_sampling_level={}", case.importance_sampling_level),
        format!("grpo.beta={}", case.beta),
        format!("grpo.scale_rewards={}", case.scale_rewards),
        format!("grpo.multi_objective_aggregation={}", case.multi_objective_aggregation),
        format!("grpo.mask_truncated_completions={}", case.mask_truncated_completions),
    ];
    set.extend(case.epsilon_high.map(|high| format!("grpo.epsilon_high={high}")));
    let overrides: Vec<Override> = set.iter().map(|one| one.parse().unwrap()).collect();
    let recipe =
        Recipe::parse("[model]\nbase = \"tiny\"\n[data]\ntrain = \"none\"\n", &overrides, "recipe").unwrap();
    recipe.grpo.unwrap()
}

fn softmax(row: &[f64]) -> Vec<f64> {
    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().map(|x| (x - top).exp()).sum();
    row.iter().map(|x| (x - top).exp() / sum).collect()
}

#[test]
fn advantages_losses_and_gradients_are_those_of_the_reference_for_every_loss() {
    let figures: Figures = serde_json::from_str(include_str!("../../fixtures/grpo.json")).unwrap();
    assert_eq!(figures.cases.len(), 20);
    for case in &figures.cases {
        let what = format!("{} {} beta {}", case.loss_type, case.importance_sampling_level, case.beta);
        let part = part(&figures, case);
        let found = advantages(&figures.rewards, &figures.reward_weights, &part).advantages;
        for (found, expected) in found.iter().zip(&case.advantages) {
            assert!((found - expected).abs() < 1e-9, "{what}: {found}, not {expected}");
        }
        let counts = |at: usize| !(case.mask_truncated_completions && figures.cut[at]);
        let lengths: Vec<usize> =
            (0..found.len()).map(|at| if counts(at) { figures.tokens[at].len() } else { 0 }).collect();
        let weights = token_weights(&part, &lengths, figures.batch_size);
        let (mut loss, mut squares) = (0.0, 0.0);
        for at in (0..found.len()).filter(|&at| counts(at)) {
            let odds: Vec<Vec<f64>> = figures.logits[at].iter().map(|row| softmax(row)).collect();
            let targets = &figures.tokens[at];
            let policy: Vec<f64> = odds.iter().zip(targets).map(|(odds, &token)| odds[token].ln()).collect();
            let reference: &[f64] = if case.beta > 0.0 { &figures.reference[at] } else { &[] };
            let terms =
                CompletionTerms { policy: &policy, old: &figures.old[at], reference, advantage: found[at] };
            let of = completion_loss(&part, &terms);
            loss += weights[at] * of.loss;
            for ((odds, &token), slope) in odds.iter().zip(targets).zip(&of.by_policy) {
                for (v, p) in odds.iter().enumerate() {
                    let one = if v == token { 1.0 } else { 0.0 };
                    squares += (weights[at] * slope * (one - p)).powi(2);
                }
            }
        }
        assert!((loss - case.loss).abs() < 1e-9, "{what}: loss {loss}, not {}", case.loss);
        let norm: f64 = f64::sqrt(squares);
        assert!((norm - case.grad_norm).abs() < 1e-9, "{what}: norm {norm}, not {}", case.grad_norm);
    }
}

#[test]
fn the_slopes_are_those_of_the_loss() {
    let figures: Figures = serde_json::from_str(include_str!("../../fixtures/grpo.json")).unwrap();
    // A held ratio has no slope, by which cispo differs from the slope of its own value.
    for case in figures.cases.iter().filter(|case| case.loss_type != "cispo") {
        let part = part(&figures, case);
        for (at, advantage) in case.advantages.iter().enumerate() {
            let (old, reference) = (&figures.old[at], &figures.reference[at]);
            let policy: Vec<f64> = old.iter().zip(reference).map(|(a, b)| 0.6 * a + 0.4 * b).collect();
            let loss = |policy: &[f64]| {
                completion_loss(&part, &CompletionTerms { policy, old, reference, advantage: *advantage })
            };
            for (token, slope) in loss(&policy).by_policy.iter().enumerate() {
                let moved = |by: f64| {
                    let mut policy = policy.clone();
                    policy[token] += by;
                    loss(&policy).loss
                };
                let measured = (moved(1e-6) - moved(-1e-6)) / 2e-6;
                assert!((slope - measured).abs() < 1e-5, "{}: {slope}, not {measured}", case.loss_type);
            }
        }
    }
}
