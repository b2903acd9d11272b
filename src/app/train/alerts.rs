//! Tells a program of the user's when a run needs somebody: when the run's doctor finds something that isn't in order, and
//! when the run ends. Runs go on for days without anybody who looks.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::host::Listener;
use crate::app::follow::Scanner;
use crate::config::Folders;
use crate::domain::doctor::{self, Weight};
use crate::domain::run::{MetricLine, Phase, RunFolder, RunState};
use crate::domain::series::RunSeries;
use crate::engine::train::host::TrainEvent;
use crate::ground::process::ended_within;
use crate::ground::thread;

/// How long the program may take; then it is ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was told of a run.
struct Told {
    command: Vec<String>,
    run: RunFolder,
    scanner: Scanner,
    series: RunSeries,
    findings: BTreeSet<(String, Weight)>,
    /// The program that was told last: two never run at the same time.
    last: Option<JoinHandle<()>>,
}

/// The alerts of one run; none where no program is set.
#[derive(Clone)]
pub(super) struct Alerts(Option<Arc<Mutex<Told>>>);

impl Alerts {
    pub(super) fn of(folders: &Folders, run: &RunFolder) -> Self {
        let command = folders.read_settings().0.alerts.command;
        let told = (!command.is_empty()).then(|| Told {
            command,
            run: run.clone(),
            scanner: Scanner::default(),
            series: RunSeries::default(),
            findings: BTreeSet::new(),
            last: None,
        });
        Self(told.map(|told| Arc::new(Mutex::new(told))))
    }

    /// A listener that hears what this one does, and looks at the values besides.
    pub(super) fn beside(&self, listener: Box<dyn Listener>) -> Box<dyn Listener> {
        if self.0.is_none() {
            return listener;
        }
        Box::new(AlertListener { alerts: self.clone(), listener })
    }

    /// Tells how the run ended, and waits until that is told: the process may end then.
    pub(super) fn ended(&self, state: &RunState) {
        let Some(told) = &self.0 else { return };
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let why = state.why.as_deref().filter(|_| state.phase == Phase::Failed);
        let steps = format!("{} of {} steps", state.step, state.total_steps);
        let sentence = match why {
            Some(why) => format!("{} failed: {why}", told.run.name()),
            None => format!("{} is {}: {steps}", told.run.name(), state.phase.name()),
        };
        let more = json!({
            "event": "ended", "phase": state.phase, "why": state.why, "step": state.step,
            "total_steps": state.total_steps, "best_eval_loss": state.best_eval_loss,
        });
        told.tell(&sentence, more);
        if let Some(last) = told.last.take() {
            last.join().unwrap_or_default();
        }
    }
}

impl Told {
    /// Takes a line of values in, and tells of what is found for the first time.
    fn look(&mut self, line: &MetricLine) {
        let mut text = Value::Object(line.clone()).to_string();
        text.push('\n');
        self.scanner.feed(text.as_bytes());
        self.series.append(&self.scanner.take());
        let step = line.get("step").cloned();
        for finding in doctor::diagnose(&self.series) {
            if finding.weight == Weight::Note
                || !self.findings.insert((finding.metric.clone(), finding.weight))
            {
                continue;
            }
            let sentence = format!("{}: {}", self.run.name(), finding.text);
            let weight = if finding.weight == Weight::Bad { "bad" } else { "warning" };
            let more =
                json!({ "event": "finding", "weight": weight, "metric": finding.metric, "step": step });
            self.tell(&sentence, more);
        }
    }

    fn tell(&mut self, sentence: &str, mut more: Value) {
        more["run"] = self.run.name().into();
        more["folder"] = self.run.path().to_string_lossy().into();
        more["text"] = sentence.into();
        let (command, sentence) = (self.command.clone(), sentence.to_owned());
        let before = self.last.take();
        self.last = thread::start("alert", move || {
            before.into_iter().for_each(|before| before.join().unwrap_or_default());
            if let Err(error) = run(&command, &sentence, &more.to_string()) {
                tracing::warn!("the program of [alerts] could not be told: {error:#}");
            }
        });
    }
}

/// Runs the program with the sentence as its last argument and the event as JSON on its standard input.
fn run(command: &[String], sentence: &str, event: &str) -> Result<()> {
    let (program, arguments) = command.split_first().context("it has no program")?;
    let mut child = Command::new(program)
        .args(arguments)
        .arg(sentence)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("start {program}"))?;
    if let Some(mut input) = child.stdin.take() {
        // Whoever reads only the sentence closes it.
        writeln!(input, "{event}").unwrap_or_default();
    }
    let status = ended_within(&mut child, PATIENCE, |_| {})?;
    let status =
        status.with_context(|| format!("{program} took more than {} s and was ended", PATIENCE.as_secs()))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

struct AlertListener {
    alerts: Alerts,
    listener: Box<dyn Listener>,
}

impl Listener for AlertListener {
    fn heard(&mut self, progress: &TrainEvent<'_>, state: &RunState) {
        self.listener.heard(progress, state);
        if let (TrainEvent::Stepped { line, .. } | TrainEvent::Evaluated { line, .. }, Some(told)) =
            (progress, &self.alerts.0)
        {
            told.lock().unwrap_or_else(PoisonError::into_inner).look(line);
        }
    }

    fn phase(&mut self, state: &RunState) {
        self.listener.phase(state);
    }
}
