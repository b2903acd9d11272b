//! How the session's first run begins, or what it waits for: said in the empty pane, and when a key can't begin it.

use super::TrainPane;
use crate::app::store::{JobRow, Store};
use crate::domain::protocol::data::Imported;
use crate::domain::protocol::runs::Promise;
use crate::ui::widgets::progress;

/// How the jobs begin that count the tokens before a run, and those of new records.
const COUNTING: &str = "counting tokens";
const COUNTING_IN_THE_BACKGROUND: &str = "count tokens";

impl TrainPane {
    /// What leads to the first run from here.
    pub(super) fn way_to_first(&self, store: &Store) -> String {
        if let Some(promise) = store.runs.promised().last() {
            return promised(promise, store);
        }
        if let Some(recipe) = self.recipes.current(store) {
            if self.recipes.can_start(store) {
                return format!("⏎ trains by the recipe {}. e shows it first, key by key.", recipe.name);
            }
            return self.recipes.missing(recipe).map_or_else(
                || "e shows the recipes; t there starts one.".to_owned(),
                |missing| format!("No run can start yet: {missing}."),
            );
        }
        without_recipe(store)
    }
}

/// What a run that was promised waits for, and how far that is.
pub(super) fn promised(promise: &Promise, store: &Store) -> String {
    let how_far = ["pull ", COUNTING].into_iter().find_map(|what| store.jobs.named(what));
    format!(
        "The run by the recipe {} starts by itself when {} is here and the tokens are counted{}.",
        promise.name(),
        promise.model,
        in_brackets(how_far, store)
    )
}

/// Why there is no recipe yet, and what follows.
fn without_recipe(store: &Store) -> String {
    if let Some(import) = store.job_here("import ") {
        return format!(
            "Records are coming in{}: then a recipe is made for them, and ⏎ trains by it.",
            in_brackets(Some(import), store)
        );
    }
    if let Some(counting) = store.job_here(COUNTING_IN_THE_BACKGROUND) {
        return format!(
            "The tokens of the records are being counted{}: then a recipe is made that fits them, and ⏎ trains by it.",
            in_brackets(Some(counting), store)
        );
    }
    if store.runs.recipes().is_none() {
        return "Looking for the session's recipes …".to_owned();
    }
    if has_records(store) {
        return "No recipe yet: one is made as soon as there is something to learn in the records; e, then n makes \
                one by hand."
            .to_owned();
    }
    "No records yet, so no recipe: 1, then i brings data in, and a recipe is made for it.".to_owned()
}

fn has_records(store: &Store) -> bool {
    let (_, all) = store.data.indexed;
    let came = |outcome: &Result<_, String>| matches!(outcome, Ok(came) if !Imported::is_empty(came));
    let imported = store.data.imported.as_ref().is_some_and(|(_, outcome)| came(outcome));
    all > 0 || store.data.count() > 0 || imported
}

fn in_brackets(row: Option<&JobRow>, store: &Store) -> String {
    let words = row.map(|row| progress::words(row, store.now)).filter(|words| !words.is_empty());
    words.map_or_else(String::new, |words| format!(" ({words})"))
}
