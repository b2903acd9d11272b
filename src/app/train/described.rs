//! What the card of a run's model says: base and licence, data, recipe, what was measured; and the card beside its adapter.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::recipe;
use crate::app::runs;
use crate::data::regular;
use crate::domain::run::RunFolder;
use crate::engine::export::{ModelFacts, describe_adapter};
use crate::engine::hub;
use crate::engine::model::hf::MOST_JSON;
use crate::engine::model::{ModelFiles, OpenModel};
use crate::session;

/// Bytes of a card that are looked at for the licence.
const HEAD: usize = 1 << 16;

/// Leaves the tokenizer, the chat template and a card beside a run's adapter, so that others load it as it is.
pub(super) fn describe(run: &RunFolder, model: &OpenModel) {
    let folder = run.adapter();
    if !folder.is_dir() {
        return;
    }
    let facts = ModelFacts { name: run.name(), ..of_run(run, of_base(&model.files)) };
    // The adapter itself is there.
    if let Err(error) = describe_adapter(model, &facts, &folder) {
        tracing::warn!("describe the adapter: {error:#}");
    }
}

/// Of a base by itself.
#[must_use]
pub fn of_base(files: &ModelFiles) -> ModelFacts {
    // Whose folder it lies in is nobody's matter.
    let path = Path::new(&files.base).file_name().filter(|_| Path::new(&files.base).is_absolute());
    let base = path.map_or_else(|| files.base.clone(), |name| name.to_string_lossy().into_owned());
    ModelFacts { base, licence: licence(files), ..ModelFacts::default() }
}

/// The same with what a run's folder says.
#[must_use]
pub fn of_run(run: &RunFolder, mut facts: ModelFacts) -> ModelFacts {
    facts.data = data(run);
    facts.metrics = metrics(run);
    facts.recipe = recipe::of_run(run, &[]).ok().map(|recipe| without_places(&recipe.to_toml()));
    facts
}

/// The last two parts of a path: whose home it lies in is nobody's matter.
#[must_use]
pub fn short(path: &Path) -> String {
    let parts: Vec<_> =
        path.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// A recipe's paths by their last parts.
fn without_places(text: &str) -> String {
    let line = |line: &str| -> String {
        let Some((key, value)) = line.split_once(" = \"/") else { return line.to_owned() };
        let Some((path, rest)) = value.split_once('"') else { return line.to_owned() };
        format!("{key} = \"{}\"{rest}", short(Path::new(path)))
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// By the table of short names, else by the card beside the base's files.
fn licence(files: &ModelFiles) -> Option<String> {
    if let Some(alias) =
        hub::aliases().iter().find(|alias| alias.hub == files.base || alias.name == files.name)
    {
        return Some(alias.licence.clone());
    }
    let text = regular::text(&files.path().join("README.md"), MOST_JSON).ok()?;
    let head = text.get(..text.len().min(HEAD)).unwrap_or(&text).strip_prefix("---")?;
    let mut lines = head.split("\n---").next()?.lines();
    let value = lines.find_map(|line| line.strip_prefix("license:"))?.trim();
    Some(value.trim_matches(['"', '\'']).to_owned()).filter(|value| !value.is_empty())
}

/// How many rows came from where.
fn data(run: &RunFolder) -> Vec<String> {
    let mut lines = Vec::new();
    if let Ok(recipe) = recipe::of_run(run, &[]) {
        lines.push(format!("trained on `{}`", short(Path::new(&recipe.data.train))));
        lines.extend(recipe.data.eval.map(|eval| format!("evaluated on `{}`", short(Path::new(&eval)))));
    }
    if let Ok(Some(seen)) = session::what_a_run_saw(run.path()) {
        lines.push(format!("{} records seen", seen.len()));
    }
    lines
}

/// The last value of each metric that says how good it became.
fn metrics(run: &RunFolder) -> Vec<(String, String)> {
    const TOLD: [&str; 6] =
        ["step", "epoch", "loss", "eval_loss", "rewards/accuracies", "eval_rewards/accuracies"];
    let text = runs::metrics_text(run);
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        let Ok(Value::Object(line)) = serde_json::from_str(line) else { continue };
        last.extend(line);
    }
    let shown = |value: &Value| match value.as_f64() {
        Some(number) if number.fract() == 0.0 => format!("{number}"),
        Some(number) => format!("{number:.4}"),
        None => value.to_string(),
    };
    TOLD.iter().filter_map(|name| Some(((*name).to_owned(), shown(last.get(*name)?)))).collect()
}
