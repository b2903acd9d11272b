use std::sync::Arc;

use dojo_studio::domain::doctor::{Weight, diagnose};
use dojo_studio::domain::series::{MetricChunk, MetricColumn, RunSeries};

/// A run of these metrics, a value a step from step 1.
fn run(metrics: &[(&str, Vec<f64>)]) -> RunSeries {
    let columns: Vec<MetricColumn> = metrics
        .iter()
        .map(|(name, values)| MetricColumn {
            name: Arc::from(*name),
            steps: (1..=values.len() as u64).collect(),
            values: values.clone(),
        })
        .collect();
    let mut run = RunSeries::default();
    run.append(&MetricChunk { columns, lines: 1, last_step: 1, unreadable: 0 });
    run
}

fn sentences(metrics: &[(&str, Vec<f64>)]) -> Vec<String> {
    diagnose(&run(metrics))
        .into_iter()
        .map(|finding| format!("{}: {}", finding.metric, finding.text))
        .collect()
}

fn falling(values: usize) -> Vec<f64> {
    (0..values).map(|at| 3.0 - 2.0 * at as f64 / values as f64).collect()
}

#[test]
fn a_healthy_run_is_left_in_peace() {
    let metrics = [
        ("loss", falling(200)),
        ("grad_norm", vec![0.9; 200]),
        ("entropy", vec![1.2; 200]),
        ("tokens_per_second", vec![270.0; 200]),
        ("eval_loss", falling(6)),
    ];
    assert_eq!(sentences(&metrics), Vec::<String>::new());
}

#[test]
fn a_nan_is_the_worst_and_comes_first() {
    let mut loss = falling(40);
    loss[29] = f64::NAN;
    let found = diagnose(&run(&[("kl", vec![3.0; 40]), ("loss", loss)]));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].weight, Weight::Bad);
    assert!(found[0].text.starts_with("loss is NaN at step 30: lower learning_rate"), "{}", found[0].text);
    assert_eq!(found[1].metric, "kl");
}

#[test]
fn equal_rewards_for_many_values_are_no_learning_signal() {
    let mut share = vec![0.5; 8];
    share.extend([1.0; 12]);
    let found = sentences(&[("frac_reward_zero_std", share)]);
    assert!(found[0].contains("same reward in the last 12 values"), "{found:?}");
    assert_eq!(sentences(&[("frac_reward_zero_std", vec![1.0; 9])]), Vec::<String>::new());
}

#[test]
fn each_published_threshold_has_its_sentence() {
    for (name, value, words) in [
        ("entropy", 0.004, "the policy collapsed"),
        ("kl", 2.5, "(above 2)"),
        ("completions/clipped_ratio", 0.9, "90% of completions are cut off"),
        ("grad_norm", 140.0, "grad_norm reached 140"),
        ("truncated_fraction", 0.11, "11% of examples are cut"),
    ] {
        let found = sentences(&[(name, vec![value; 30])]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(name) && found[0].contains(words), "{found:?}");
    }
}

#[test]
fn a_rising_loss_is_told_from_a_noisy_one() {
    let noisy: Vec<f64> =
        falling(160).iter().enumerate().map(|(at, loss)| loss + 0.3 * ((at % 5) as f64 - 2.0)).collect();
    assert_eq!(sentences(&[("loss", noisy)]), Vec::<String>::new());
    let mut rising = falling(100);
    rising.extend((0..60).map(|at| 1.0 + f64::from(at) * 0.05));
    let found = sentences(&[("loss", rising)]);
    assert!(found[0].starts_with("loss: loss is rising:"), "{found:?}");
}

#[test]
fn eval_loss_that_rises_while_loss_falls_is_overfitting() {
    let mut run = run(&[("loss", falling(100))]);
    let eval = MetricColumn {
        name: Arc::from("eval_loss"),
        steps: vec![20, 40, 60, 80, 100],
        values: vec![2.0, 1.84, 1.88, 1.93, 1.97],
    };
    run.append(&MetricChunk { columns: vec![eval], lines: 5, last_step: 100, unreadable: 0 });
    let found = diagnose(&run);
    assert_eq!(found[0].metric, "eval_loss");
    assert!(found[0].text.starts_with("eval_loss rose from 1.840 at step 40 to 1.970"), "{}", found[0].text);
}

#[test]
fn a_grpo_loss_near_zero_is_a_note_and_its_gradients_are_not_judged_as_those_of_sft() {
    let metrics = [("loss", vec![0.001; 40]), ("reward", vec![0.4; 40]), ("grad_norm", vec![500.0; 40])];
    let found = diagnose(&run(&metrics));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].weight, found[0].metric.as_str()), (Weight::Note, "loss"));
}

#[test]
fn a_run_on_preferences_whose_model_stays_its_reference_has_not_moved() {
    let margins = |value: f64| [("loss", vec![0.693; 12]), ("rewards/margins", vec![value; 12])];
    let found = sentences(&margins(0.0));
    assert!(found[0].starts_with("rewards/margins: the adapter has not moved: after 12 steps"), "{found:?}");
    assert_eq!(sentences(&margins(0.02)), Vec::<String>::new());
}

#[test]
fn both_answers_getting_less_likely_is_noted() {
    let rewards = |chosen: f64| [("rewards/chosen", vec![chosen; 30]), ("rewards/rejected", vec![-6.0; 30])];
    let found = sentences(&rewards(-2.5));
    assert!(found[0].starts_with("rewards/chosen: the chosen answers get less likely too"), "{found:?}");
    assert_eq!(sentences(&rewards(0.4)), Vec::<String>::new());
}

#[test]
fn a_reward_that_never_differs_is_named() {
    let metrics = [
        ("reward", vec![1.0; 12]),
        ("reward_std", vec![0.0; 12]),
        ("frac_reward_zero_std", vec![1.0; 12]),
        ("grad_norm", vec![0.0; 12]),
    ];
    let told = sentences(&metrics);
    assert!(
        told.iter().any(|one| one.starts_with("reward: reward was 1.000 in every one of 12 steps")),
        "{told:?}"
    );
    assert!(told.iter().any(|one| one.contains("no learning signal")), "{told:?}");
}

#[test]
fn an_adapter_that_rewards_do_not_move_is_named() {
    let rewards: Vec<f64> = (0..12).map(|at| f64::from(at % 3)).collect();
    let metrics = [
        ("reward", rewards),
        ("reward_std", vec![0.4; 12]),
        ("grad_norm", vec![0.0; 12]),
        ("learning_rate", vec![1e-5; 12]),
    ];
    let told = sentences(&metrics);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("grad_norm: the adapter has not moved in 12 steps though rewards differ"),
        "{told:?}"
    );
}

#[test]
fn a_reward_that_falls_below_its_start_and_completions_that_are_all_cut_are_named() {
    let rewards: Vec<f64> =
        (0..80).map(|at| if at < 40 { 0.4 + 0.01 * f64::from(at) } else { 0.1 }).collect();
    let told = sentences(&[("reward", rewards)]);
    assert!(told[0].starts_with("reward: reward fell to 0.100, below where it began"), "{told:?}");
    let found = diagnose(&run(&[("reward", vec![0.5; 6]), ("completions/clipped_ratio", vec![1.0; 6])]));
    assert_eq!((found[0].weight, found.len()), (Weight::Bad, 1), "{found:?}");
}
