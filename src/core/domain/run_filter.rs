//! The filter over runs: `tag:physics lr>=1e-4 method:sft sft-04`. All terms must hold; `-` before one turns it around.

use crate::domain::run_info::RunInfo;
use crate::domain::term::{COMPARISONS, Comparison, MatchWanted};

/// What is asked for, ready to be matched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunFilter {
    terms: Vec<RunTerm>,
}

#[derive(Debug, Clone, PartialEq)]
struct RunTerm {
    /// As typed, for messages.
    text: String,
    wanted: MatchWanted,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// Part of the name or of the note.
    Word(String),
    Tag(String),
    State(String),
    /// A recipe key whose value contains a text.
    Contains(String, String),
    /// A recipe key or a figure of the run.
    Compare(String, Comparison, f64),
}

const STATES: [&str; 8] = ["queued", "starting", "running", "paused", "done", "stopped", "failed", "crashed"];

/// Short names that people use, and figures that no recipe has.
const ALIASES: [(&str, &str); 4] = [
    ("lr", "learning_rate"),
    ("bs", "per_device_train_batch_size"),
    ("rank", "r"),
    ("eval", "best_eval_loss"),
];
const FIGURES: [&str; 5] = ["step", "total_steps", "best_eval_loss", "tokens_per_second", "minutes"];

impl RunFilter {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// One sentence that names the term and says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { terms: text.split_whitespace().map(term).collect::<Result<_, _>>()? })
    }

    /// What was typed so far, without the terms that can't be read.
    #[must_use]
    pub fn so_far(text: &str) -> Self {
        Self { terms: text.split_whitespace().filter_map(|one| term(one).ok()).collect() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a run passes every term. `now` is for how long it has gone on.
    #[must_use]
    pub fn matches(&self, run: &RunInfo, now: f64) -> bool {
        self.terms.iter().all(|term| (term.wanted == MatchWanted::Match) == term.test.holds(run, now))
    }

    /// The first name that no run has, as a sentence: a typing mistake looks like an empty list otherwise.
    #[must_use]
    pub fn unknown_name(&self, runs: &[&RunInfo]) -> Option<String> {
        self.terms.iter().find_map(|term| {
            let (Test::Contains(name, _) | Test::Compare(name, ..)) = &term.test else { return None };
            let known =
                FIGURES.contains(&name.as_str()) || runs.iter().any(|run| run.setting(name).is_some());
            let known = known || runs.is_empty();
            (!known).then(|| format!("{}: no run's recipe has a key '{name}'", term.text))
        })
    }
}

impl Test {
    fn holds(&self, run: &RunInfo, now: f64) -> bool {
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        match self {
            Self::Word(word) => has(&run.id.name(), word) || has(&run.notes.text, word),
            Self::Tag(tag) => run.notes.tags.iter().any(|own| own.to_lowercase() == *tag),
            Self::State(state) => run.standing().name() == state,
            Self::Contains(name, part) => run.setting(name).is_some_and(|value| has(value, part)),
            Self::Compare(name, comparison, than) => {
                figure(run, name, now).is_some_and(|value| comparison.holds(value, *than))
            }
        }
    }
}

fn figure(run: &RunInfo, name: &str, now: f64) -> Option<f64> {
    let state = run.state.as_ref();
    match name {
        "step" => state.map(|state| state.step as f64),
        "total_steps" => state.map(|state| state.total_steps as f64),
        "best_eval_loss" => state?.best_eval_loss,
        "tokens_per_second" => state?.tokens_per_second,
        "minutes" => Some(run.seconds(now) / 60.0),
        _ => run.setting(name)?.parse().ok(),
    }
}

fn term(text: &str) -> Result<RunTerm, String> {
    if text == "-" {
        return Err("-: something must follow, as in -tag:physics".to_owned());
    }
    let (wanted, inside) = MatchWanted::read(text);
    Ok(RunTerm { text: text.to_owned(), wanted, test: test(inside)? })
}

fn test(text: &str) -> Result<Test, String> {
    let compared = COMPARISONS
        .iter()
        .filter_map(|(sign, comparison)| text.find(sign).map(|at| (at, sign.len(), *comparison)))
        .min_by_key(|(at, length, _)| (*at, usize::MAX - length));
    if let Some((at, length, comparison)) = compared {
        let (name, value) = (text.get(..at).unwrap_or_default(), text.get(at + length..).unwrap_or_default());
        if name.is_empty() {
            return Err(format!("{text}: write a name before the comparison, as in lr>=1e-4"));
        }
        let number =
            value.parse().map_err(|_| format!("{text}: '{value}' is not a number, as 1e-4 or 0.5 are"))?;
        return Ok(Test::Compare(full_name(name), comparison, number));
    }
    let Some((name, value)) = text.split_once(':') else { return Ok(Test::Word(text.to_lowercase())) };
    if name.is_empty() || value.is_empty() {
        return Err(format!("{text}: write a name and a value, as in tag:physics or method:sft"));
    }
    let value = value.to_lowercase();
    match name {
        "tag" => Ok(Test::Tag(value)),
        "state" | "status" if STATES.contains(&value.as_str()) => Ok(Test::State(value)),
        "state" | "status" => Err(format!("{text}: no such state; there are {}", STATES.join(", "))),
        _ => Ok(Test::Contains(full_name(name), value)),
    }
}

fn full_name(name: &str) -> String {
    ALIASES.iter().find(|(short, _)| *short == name).map_or(name, |(_, full)| full).to_owned()
}
