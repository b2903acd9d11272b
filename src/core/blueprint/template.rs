//! Templates of a blueprint: which names they use, and what they are with values in their places.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use minijinja::{Environment, UndefinedBehavior};

/// The names that a template uses.
///
/// # Errors
/// Where it can't be read as a template; the sentence is minijinja's.
pub(super) fn names_in(template: &str) -> Result<BTreeSet<String>> {
    let environment = Environment::new();
    let template = environment.template_from_str(template)?;
    Ok(template.undeclared_variables(false).into_iter().collect())
}

/// A template with values in their places.
///
/// # Errors
/// Where it names a value that isn't there.
pub(super) fn fill(template: &str, values: &serde_json::Value) -> Result<String> {
    if !template.contains('{') {
        return Ok(template.to_owned());
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A file of a stranger: its loops end.
    environment.set_fuel(Some(FUEL));
    let filled = environment.render_str(template, minijinja::value::Serde(values));
    filled.with_context(|| format!("fill in the template {template:?}"))
}

/// Steps of a template.
const FUEL: u64 = 100_000;
