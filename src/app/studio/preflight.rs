//! What a run will take, asked of `dojo train --dry-run` in a process of its own: it loads the model and measures a
//! step, and what it took is free again when it ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::app::jobs::Working;
use crate::domain::protocol::runs::Fact;
use crate::domain::protocol::system::Progress;
use crate::ground::thread;
use crate::ui::widgets::text;

/// How often a stop is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// The facts, or one sentence that says why there are none. Takes as long as loading the model and a step or two, and
/// ends early when the job is asked to stop.
pub(super) fn ask(recipe: &Path, job: &Working) -> Result<Vec<Fact>> {
    let program = std::env::current_exe().context("find the program's own file")?;
    let mut child = Command::new(program)
        .args(["train", "--dry-run", "--json"])
        .arg(recipe)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("start dojo train --dry-run")?;
    let answer =
        child.stdout.take().and_then(|stream| thread::start("preflight read", move || read_all(stream)));
    let (status, last) = follow(&mut child, job)?;
    if !status.success() {
        bail!("{}", if last.is_empty() { "dojo train ended without a word" } else { &last });
    }
    let said = answer.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let line = said.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    let figures = serde_json::from_str(line).context("read what dojo train --json says")?;
    Ok(facts(&figures))
}

/// Tells what the process says it is doing until it ends; its last line.
fn follow(child: &mut Child, job: &Working) -> Result<(ExitStatus, String)> {
    // Bounded: it says a few lines, and the other end reads all the time.
    let (sender, lines) = sync_channel(64);
    if let Some(stream) = child.stderr.take() {
        thread::start("preflight tell", move || {
            let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
            // The program's name before each line is known here.
            lines.find(|line| sender.send(line.trim().trim_start_matches("dojo: ").to_owned()).is_err());
        });
    }
    let mut last = String::new();
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) if line.is_empty() => {}
            Ok(line) => {
                job.go_on(Progress { note: line.clone(), ..Progress::default() });
                last = line;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !job.is_wanted() {
            child.kill().context("stop the preflight")?;
        }
    }
    let status = child.wait().context("wait for dojo train --dry-run")?;
    if !job.is_wanted() {
        bail!("stopped before it was measured");
    }
    Ok((status, last))
}

fn read_all(mut stream: impl Read) -> String {
    let mut text = String::new();
    // What was read before an error still tells.
    stream.read_to_string(&mut text).ok();
    text
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
        ("rollouts", figures.get("rollout").and_then(Value::as_str).map(str::to_owned)),
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
