//! The step that holds the base and what was trained against each other on held-out items.

use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};

use super::training::{GRPO, SFT};
use super::{Tour, TourHost};
use crate::app::evaluation::{EvaluationHost, evaluate, make_folder};
use crate::domain::evaluation::{EvaluationOrder, EvaluationReport, MetricFigure};
use crate::domain::run::RunFolder;
use crate::engine::hub::Network;

const ITEMS: usize = 6;
const ANSWER_TOKENS: u32 = 128;

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let order = order(tour)?;
    let folder = make_folder(&tour.folders, None)?;
    let stop = AtomicBool::new(false);
    let mut named = String::new();
    let mut tell = |progress: crate::app::evaluation::EvaluationProgress| {
        if progress.note != named {
            named.clone_from(&progress.note);
            host.note(&format!("{named} answers"));
        }
    };
    let mut evaluating = EvaluationHost { stop: &stop, network: Network::Allowed, tell: &mut tell };
    let kept = evaluate(&tour.folders, &folder, &order, &mut evaluating);
    if kept.is_err() {
        folder.remove_unbegun();
    }
    let report = kept?.report;
    let rows = rows(&report);
    rows.iter().try_for_each(|row| host.say(row))?;
    host.say(&format!("kept as {}: `dojo eval show {}` shows every item", folder.name(), folder.name()))?;
    for model in &report.models {
        if let Some(why) = &model.failed {
            anyhow::bail!("{}: {why}", model.name);
        }
    }
    Ok(rows.join("; "))
}

/// Each model's first figure with its interval.
fn rows(report: &EvaluationReport) -> Vec<String> {
    let mut rows = Vec::new();
    for part in &report.parts {
        let Some(metric) = part.metrics.first() else { continue };
        for result in &part.results {
            let name = report.models.get(result.model).map_or("", |model| model.name.as_str());
            let figure =
                result.figure(metric).map_or_else(|| "–".to_owned(), MetricFigure::told_with_interval);
            rows.push(format!("{name}: {metric} {figure} on {} items", part.items));
        }
    }
    rows
}

fn order(tour: &Tour) -> Result<EvaluationOrder> {
    let runs = [SFT, GRPO].map(|name| tour.run(name));
    let mut models = vec![tour.model.clone()];
    let trained = runs.iter().map(RunFolder::adapter).filter(|adapter| adapter.is_dir());
    models.extend(trained.map(|adapter| adapter.display().to_string()));
    ensure!(
        models.len() > 1,
        "nothing is trained yet to hold against {}: take the step sft first",
        tour.model
    );
    Ok(EvaluationOrder {
        models,
        tasks: vec!["query-expansion".to_owned()],
        prompts: Vec::new(),
        data: vec![tour.data().display().to_string()],
        map: Vec::new(),
        filters: vec!["split:eval".to_owned()],
        session: Some(tour.session.path.clone()),
        metrics: vec!["reward".to_owned()],
        limit: Some(ITEMS),
        seed: 0,
        max_new_tokens: ANSWER_TOKENS,
        temperature: 0.0,
        choices: Vec::new(),
        judge: None,
        embedder: None,
        wordnet: None,
    })
}
