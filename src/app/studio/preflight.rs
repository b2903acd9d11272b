//! What a run will take, asked of `dojo train --dry-run` in a process of its own: it loads the model and measures a
//! step, and what it took is free again when it ends.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::domain::protocol::runs::Fact;
use crate::ui::widgets::text;

/// The facts, or one sentence that says why there are none. Takes as long as loading the model and a step or two.
pub(super) fn ask(recipe: &Path) -> Result<Vec<Fact>, String> {
    let program = std::env::current_exe().map_err(|error| format!("the program's own file: {error}"))?;
    let output = Command::new(program)
        .args(["train", "--dry-run", "--json"])
        .arg(recipe)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("dojo train could not be started: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        return Err(last.unwrap_or("dojo train ended without a word").to_owned());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    let figures = serde_json::from_str(line).map_err(|error| format!("dojo train --json: {error}"))?;
    Ok(facts(&figures))
}

/// In the order in which people ask.
pub(super) fn facts(figures: &Value) -> Vec<Fact> {
    let number = |name: &str| figures.get(name).and_then(Value::as_f64);
    let whole = |name: &str| number(name).map(|value| text::count(value as u64));
    let bytes = |name: &str| number(name).map(|value| text::bytes(value as u64));
    let pair = |a: Option<String>, middle: &str, b: Option<String>| match (a, b) {
        (Some(a), Some(b)) => Some(format!("{a} {middle} {b}")),
        (a, _) => a,
    };
    let cut = number("truncated_share").map(|share| format!("{:.1}%", share * 100.0));
    let held_out = whole("eval_examples").map(|count| format!("{count} held out"));
    let trained = whole("trained_tokens").map(|count| format!("{count} trained on"));
    let speed = number("tokens_per_second").map(|speed| format!("{speed:.0} tok/s"));
    let rows = [
        ("examples", pair(whole("examples"), "+", held_out)),
        ("tokens", pair(whole("tokens"), "·", trained)),
        ("cut", pair(whole("truncated"), "·", cut)),
        ("skipped lines", whole("skipped_lines").filter(|count| count != "0")),
        ("steps", whole("total_steps")),
        ("parameters", whole("trained_parameters")),
        (
            "memory",
            pair(bytes("memory_needed_bytes"), "of", bytes("memory_free_bytes").map(|free| free + " free")),
        ),
        ("disk", pair(bytes("disk_needed_bytes"), "of", bytes("disk_free_bytes").map(|free| free + " free"))),
        (
            "time",
            pair(number("seconds").map(|seconds| format!("about {}", text::duration(seconds))), "at", speed),
        ),
    ];
    let fact = |(name, value): (&str, Option<String>)| Some(Fact { name: name.to_owned(), value: value? });
    let warnings = figures.get("warnings").and_then(Value::as_array).into_iter().flatten();
    let warnings = warnings.filter_map(Value::as_str);
    rows.into_iter()
        .filter_map(fact)
        .chain(warnings.map(|warning| Fact { name: "!".to_owned(), value: warning.to_owned() }))
        .collect()
}
