//! `dojo bench guess`: what guessing tokens ahead saves, on texts that repeat their prompt and on some that don't.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use super::generate::Ready;
use super::sampling::ModelArguments;
use super::{loading, print};
use crate::domain::message::{Message, Role};
use crate::engine::generate::{GenerateRequest, Guesses, complete};

/// Arguments of `dojo bench guess`.
#[derive(Args)]
pub(super) struct BenchGuessArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Tokens written for each task at most.
    #[arg(long, default_value_t = 160)]
    tokens: usize,
    /// Each is measured this often, with and without guesses in turns, and the best of both count.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

const REPORT: &str = "The ferry to the northern island leaves the old harbour at seven in the morning and comes back \
    at nine in the evening. Travellers who bring a bicycle pay three coins more, and dogs travel free if they stay on \
    the lower deck. In winter the ferry rests on Mondays, and in a storm the harbour master decides whether it leaves. \
    Tickets are sold at the green hut beside the lighthouse, where the old captain also sells tea and warm bread.";

const STOCK: &str = "[{\"product\": \"apple\", \"price\": 3, \"stock\": 12}, \
    {\"product\": \"pear\", \"price\": 4, \"stock\": 7}, {\"product\": \"plum\", \"price\": 2, \"stock\": 31}, \
    {\"product\": \"cherry\", \"price\": 9, \"stock\": 5}]";

/// A name and what is asked.
fn tasks() -> [(&'static str, String); 5] {
    [
        (
            "rewording",
            format!("Repeat this text word by word, but write \"boat\" in place of \"ferry\":\n\n{REPORT}"),
        ),
        (
            "JSON",
            "Write these people as a JSON list of objects with the keys \"name\", \"age\", \"city\" and \"member\": \
             Anna Berger, 34, Graz, yes; Tom Lind, 51, Oslo, no; Mia Costa, 27, Porto, yes; Jan Novak, 45, Brno, no; \
             Eva Marin, 39, Split, yes; Leo Hart, 62, Leeds, no."
                .to_owned(),
        ),
        (
            "JSON, changed",
            format!("Here is a list: {STOCK}. Write it again with every price doubled."),
        ),
        ("a story", "Tell a story about a clock maker who finds a letter in an old clock.".to_owned()),
        ("an explanation", "Explain to a child why the sky is blue and the evening is red.".to_owned()),
    ]
}

/// What a task took.
struct GuessRow {
    task: &'static str,
    tokens: usize,
    /// Tokens a second.
    without: f64,
    with: f64,
}

pub(super) fn run(arguments: &BenchGuessArguments) -> Result<ExitCode> {
    let mut ready = loading::ready(&arguments.model)?;
    let mut rows = Vec::new();
    for (task, prompt) in tasks() {
        let prompt = ready.prompter.chat(&[Message::new(Role::User, prompt)])?;
        let mut row = GuessRow { task, tokens: 0, without: 0.0, with: 0.0 };
        for _ in 0..arguments.repetitions.max(1) {
            let (plain, without) = write(&mut ready, &prompt, arguments.tokens, Guesses::None)?;
            let (guessed, with) = write(&mut ready, &prompt, arguments.tokens, Guesses::Few)?;
            ensure!(
                plain == guessed,
                "{task}: guesses changed the text, which they must not: please report it"
            );
            row.tokens = plain.len();
            row.without = row.without.max(without);
            row.with = row.with.max(with);
        }
        rows.push(row);
    }
    if arguments.json {
        let rows: Vec<_> = rows.iter().map(GuessRow::as_json).collect();
        print::say(&json!({ "model": arguments.model.model, "tasks": rows }).to_string())?;
    } else {
        for row in &rows {
            row.print()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tokens of a greedy answer, and how many came in a second after the first.
fn write(ready: &mut Ready, prompt: &[u32], tokens: usize, guesses: Guesses) -> Result<(Vec<u32>, f64)> {
    ready.generator.set_guesses(guesses);
    let request = GenerateRequest { adapter: ready.adapter, ..GenerateRequest::new(prompt.to_vec(), tokens) };
    let (mut first, mut after) = (None, 0);
    let answers = complete(&mut ready.generator, vec![request], &mut |generated| {
        match first {
            Some(_) => after += generated,
            None if generated > 0 => first = Some(Instant::now()),
            None => {}
        }
        Ok(())
    })?;
    let seconds = first.map_or(f64::INFINITY, |first: Instant| first.elapsed().as_secs_f64());
    let answer = answers.into_iter().flatten().next().map(|answer| answer.tokens).unwrap_or_default();
    Ok((answer, after as f64 / seconds.max(1e-9)))
}

impl GuessRow {
    fn as_json(&self) -> serde_json::Value {
        json!({
            "task": self.task,
            "tokens": self.tokens,
            "tokens_per_second": self.without,
            "guessing_tokens_per_second": self.with,
            "ratio": self.with / self.without,
        })
    }

    fn print(&self) -> Result<()> {
        let Self { task, tokens, without, with } = self;
        print::say(&format!(
            "{task:<16}{tokens:>4} tokens {without:>8.1} tokens/s, guessing {with:>8.1}: {:.2} x",
            with / without
        ))
    }
}
