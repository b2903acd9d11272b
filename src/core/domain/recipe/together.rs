//! What no key of a recipe for preferences or rewards can tell alone.

use serde_json::Value;

use super::check::Issue;
use super::parse::{ParsedValues, issue};
use super::{Method, keys};

/// Keys that say nothing in a recipe of a method unless they have this value, and what is done instead.
const USELESS: &[(Method, &str, &str, &str)] = &[
    (Method::Dpo, "data.packing", "off", "pairs are laid end to end without padding as they are"),
    (Method::Grpo, "data.packing", "off", "completions are laid end to end without padding as they are"),
    (Method::Dpo, "data.assistant_only_loss", "true", "preferences are learnt of answers alone"),
    (Method::Grpo, "data.assistant_only_loss", "true", "rewards are learnt of completions alone"),
    (
        Method::Grpo,
        "train.gradient_accumulation_steps",
        "1",
        "a step is grpo.prompts_per_step x grpo.num_generations completions, in micro-batches of \
         train.per_device_train_batch_size",
    ),
    (
        Method::Grpo,
        "compute.base_format",
        "f32",
        "the same weights sample and train, which nf4 can't: take \"f32\" or \"stored\"",
    ),
    (Method::Grpo, "eval.early_stopping_patience", "0", "a run on rewards has no evaluation loss"),
    (Method::Grpo, "save.load_best_model_at_end", "false", "a run on rewards has no evaluation loss"),
];

/// Every such thing.
pub(super) fn check(found: &ParsedValues, method: Method) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (of, name, usual, instead) in USELESS.iter().filter(|(of, ..)| *of == method) {
        let Some((value, line)) = found.get(*name) else { continue };
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let stored = *name == "compute.base_format" && written == "stored";
        if written != *usual && !stored {
            let message = format!("`{name}` is {value} in a recipe of {}: {instead}; take it out", of.name());
            issues.push(issue(name, *line, message));
        }
    }
    match method {
        Method::Sft => {}
        Method::Dpo => issues.extend(of_preferences(found)),
        Method::Grpo => issues.extend(of_rewards(found)),
    }
    issues
}

fn line(found: &ParsedValues, name: &str) -> Option<usize> {
    found.get(name).and_then(|(_, line)| *line)
}

fn of_preferences(found: &ParsedValues) -> Vec<Issue> {
    let mut issues = Vec::new();
    let value = |name: &str| found.get(name).map(|(value, _)| value);
    let kinds: Vec<&str> = match value("dpo.loss_type") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(one) => one.as_str().into_iter().collect(),
        None => vec!["sigmoid"],
    };
    let weights = value("dpo.loss_weights").and_then(Value::as_array).map_or(0, Vec::len);
    if weights > 0 && weights != kinds.len() {
        let message =
            format!("`dpo.loss_weights` has {weights} weights, and `dpo.loss_type` {} losses", kinds.len());
        issues.push(issue("dpo.loss_weights", line(found, "dpo.loss_weights"), message));
    }
    let smooths = kinds.iter().any(|kind| ["sigmoid", "robust", "exo_pair"].contains(kind));
    if value("dpo.label_smoothing").and_then(Value::as_f64).is_some_and(|share| share > 0.0) && !smooths {
        let message =
            format!("`dpo.label_smoothing` changes nothing in the loss {}: take it out", kinds.join(", "));
        issues.push(issue("dpo.label_smoothing", line(found, "dpo.label_smoothing"), message));
    }
    issues
}

fn of_rewards(found: &ParsedValues) -> Vec<Issue> {
    let mut issues = Vec::new();
    let number = |name: &str| match found.get(name) {
        Some((value, _)) => value.as_f64(),
        None => keys::key(name)?.default_for(Method::Grpo)?.parse().ok(),
    };
    if let (Some(longest), Some(completion)) =
        (number("data.max_length"), number("grpo.max_completion_length"))
        && completion >= longest
    {
        let name = "grpo.max_completion_length";
        let message = format!(
            "`{name}` is {completion}, which leaves no room for a prompt in data.max_length = {longest}: raise \
             data.max_length"
        );
        issues.push(issue(name, line(found, name).or(line(found, "data.max_length")), message));
    }
    issues
}
