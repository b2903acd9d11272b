//! The steps that train: first the form, from examples; then judgement, from a reward.

use anyhow::{Context, Result, ensure};

use super::{Tour, TourHost, TourStopped};
use crate::app::runs;
use crate::app::train::host::Process;
use crate::app::train::{self, TrainJob, recipe};
use crate::domain::recipe::Override;
use crate::domain::recipe::keys::{self, RecipeKey};
use crate::domain::run::{MetricLine, Phase, RunFolder};
use crate::engine::hub::Network;

pub(super) const SFT: &str = "tour-sft";
pub(super) const GRPO: &str = "tour-grpo";

/// Of the sample's recipe, what a tour does without: answers by the way, and all but two looks at the held-out part.
const SHORT: [(&str, &str); 2] = [("eval.eval_steps", "21"), ("sample.sample_steps", "0")];
/// A taste: a few small groups, and no more.
const TASTE: [(&str, &str); 7] = [
    ("grpo.prompts_per_step", "2"),
    ("grpo.num_generations", "4"),
    ("grpo.max_completion_length", "96"),
    ("train.max_steps", "4"),
    ("train.per_device_train_batch_size", "8"),
    ("eval.eval_steps", "0"),
    ("save.save_steps", "2"),
];

pub(super) fn sft(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let run = trained(tour, host, (SFT, "recipes/sft.toml", "loss"), &settings(&SHORT))?;
    let evals = figures(&run, "eval_loss");
    let losses = figures(&run, "loss");
    let told = format!("{}, {}", moved("loss", &losses)?, moved("eval_loss", &evals).unwrap_or_default());
    let told = told.trim_end_matches([',', ' ']).to_owned();
    host.say(&told)?;
    Ok(told)
}

pub(super) fn grpo(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let first = tour.run(SFT).adapter();
    ensure!(
        first.is_dir(),
        "GRPO goes on from the adapter of the training before it, and there is none: take that step first"
    );
    let mut taste = settings(&TASTE);
    taste.push(setting("model.adapter", &first.display().to_string()));
    let run = trained(tour, host, (GRPO, "recipes/grpo.toml", "reward"), &taste)?;
    let rewards = figures(&run, "reward");
    let told = moved("reward", &rewards)?;
    host.say(&told)?;
    Ok(told)
}

/// Trains by a recipe of the session, or goes on with the run that an earlier tour began.
fn trained(
    tour: &Tour,
    host: &mut dyn TourHost,
    (name, recipe, figure): (&str, &str, &'static str),
    settings: &[Override],
) -> Result<RunFolder> {
    let folder = tour.run(name);
    let path = tour.session.path.join(recipe);
    let of_model = [setting("model.base", &tour.model)];
    let own: Vec<Override> = of_model.iter().chain(settings).cloned().collect();
    let method = recipe::load(&path, &own)?.method;
    // What is set for one of the trainings is no key of the other.
    let fits =
        |one: &&Override| keys::key(&one.key).and_then(RecipeKey::method).is_none_or(|of| of == method);
    let overrides: Vec<Override> = own.iter().chain(tour.overrides.iter().filter(fits)).cloned().collect();
    let recipe = recipe::load(&path, &overrides)?;
    if !folder.path().is_dir() {
        runs::create_run_folder(&tour.session.runs(), Some(name), recipe.method.name())?;
    }
    let job = TrainJob {
        recipe,
        folder: folder.clone(),
        after: None,
        until: None,
        folders: tour.folders.clone(),
        network: Network::Allowed,
        process: Process::Own,
    };
    let ran = train::execute(&job, host.follows(&folder, figure), &mut *host.pulls());
    if ran.is_err() {
        runs::clear_unbegun(&folder);
    }
    ran?;
    let run = runs::summarise(folder.path()).context("read the state of the run that just ended")?;
    if run.state.phase != Phase::Done {
        let (step, total_steps) = (run.state.step, run.state.total_steps);
        return Err(TourStopped { run: name.to_owned(), step, total_steps }.into());
    }
    Ok(folder)
}

fn settings(of: &[(&str, &str)]) -> Vec<Override> {
    of.iter().map(|(key, value)| setting(key, value)).collect()
}

fn setting(key: &str, value: &str) -> Override {
    Override { key: key.to_owned(), value: value.to_owned() }
}

/// A figure at all the steps that have it.
fn figures(run: &RunFolder, name: &str) -> Vec<f64> {
    let text = runs::metrics_text(run);
    let lines = text.lines().filter_map(|line| serde_json::from_str::<MetricLine>(line).ok());
    lines.filter_map(|line| line.get(name)?.as_f64()).collect()
}

/// From its first to its last value.
fn moved(name: &str, figures: &[f64]) -> Result<String> {
    let (first, last) =
        figures.first().zip(figures.last()).with_context(|| format!("find the run's {name}"))?;
    Ok(format!("{name} {first:.3} → {last:.3} in {} measurements", figures.len()))
}
