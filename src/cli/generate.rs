//! `dojo generate`: answers one prompt, streamed; or a file of them, line by line.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::sampling::{ModelArguments, SamplingArguments};
use super::{generate_batch, loading, print};
use crate::domain::message::{Message, Role};
use crate::domain::speed;
use crate::engine::generate::{AdapterId, Finish, GenerateRequest, Generator, Prompter, Usage, What};

/// Arguments of `dojo generate`.
#[derive(Args)]
pub(super) struct GenerateArguments {
    /// What to answer; read from standard input where it isn't given.
    prompt: Option<String>,
    #[command(flatten)]
    pub(super) model: ModelArguments,
    #[command(flatten)]
    pub(super) sampling: SamplingArguments,
    /// A system message before the prompt.
    #[arg(long)]
    pub(super) system: Option<String>,
    /// Continue the text as it stands, without the chat template.
    #[arg(long)]
    pub(super) raw: bool,
    /// Print one JSON object at the end instead of the text as it comes.
    #[arg(long)]
    json: bool,
    /// Answer every line of this file: JSON with one of `messages`, `prompt`, `input`, `question`, `instruction`, or plain
    /// text. A key beside it that changes what is asked is refused.
    #[arg(long, value_name = "FILE", requires = "output", conflicts_with = "prompt")]
    pub(super) input: Option<PathBuf>,
    /// Where the answers go, one JSON object a line. What is there already is kept and not done again.
    #[arg(long, value_name = "FILE", requires = "input")]
    pub(super) output: Option<PathBuf>,
}

/// A model with what it takes to ask it.
pub(super) struct Ready {
    pub(super) generator: Generator,
    pub(super) prompter: Prompter,
    pub(super) adapter: Option<AdapterId>,
    /// What the model's files ask for and Dojo doesn't do.
    pub(super) told: Vec<String>,
}

impl Ready {
    pub(super) fn tell(&self) {
        self.told.iter().for_each(|told| print::complain(told));
    }
}

pub(super) fn run(arguments: &GenerateArguments) -> Result<ExitCode> {
    if let (Some(input), Some(output)) = (&arguments.input, &arguments.output) {
        return generate_batch::run(arguments, input, output);
    }
    let prompt = match &arguments.prompt {
        Some(prompt) => prompt.clone(),
        None => from_standard_input()?,
    };
    let mut ready = loading::ready(&arguments.model)?;
    ready.tell();
    let tokens = if arguments.raw {
        ready.prompter.raw(&prompt)?
    } else {
        let system = arguments.system.iter().map(|text| Message::new(Role::System, text));
        let messages: Vec<Message> = system.chain([Message::new(Role::User, prompt.as_str())]).collect();
        ready.prompter.chat(&messages)?
    };
    let mut request = arguments.sampling.request(tokens)?;
    request.adapter = ready.adapter;
    let started = Instant::now();
    let mut shown = print::Parts::default();
    let outcome =
        stream(&mut ready.generator, request, |text| if arguments.json { Ok(()) } else { shown.say(text) })?;
    if arguments.json {
        print::say_json(&outcome.as_json(started.elapsed().as_secs_f64()).to_string())?;
    } else {
        shown.end()?;
        if std::io::stderr().is_terminal() {
            print::complain(&outcome.summary());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn from_standard_input() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("read the prompt from standard input")?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// One answer.
pub(super) struct GeneratedAnswer {
    pub(super) text: String,
    pub(super) why: Finish,
    pub(super) usage: Usage,
    first_token_seconds: f64,
    last_token_seconds: f64,
    /// Tokens that the model chose after its first step; under a constraint the steps, since the tokens that it leaves no
    /// choice about come along for nothing.
    counted: usize,
    /// Steps after the first that brought some of them.
    later_steps: usize,
}

/// Runs one request to its end, telling the text as it comes.
pub(super) fn stream(
    generator: &mut Generator,
    request: GenerateRequest,
    tell: impl FnMut(&str) -> Result<()>,
) -> Result<GeneratedAnswer> {
    stream_until(generator, request, &AtomicBool::new(false), tell)
}

/// As [`stream`], ended within a token once `stop` is set.
pub(super) fn stream_until(
    generator: &mut Generator,
    request: GenerateRequest,
    stop: &AtomicBool,
    mut tell: impl FnMut(&str) -> Result<()>,
) -> Result<GeneratedAnswer> {
    let started = Instant::now();
    let id = generator.submit(request)?;
    let mut outcome = GeneratedAnswer {
        text: String::new(),
        why: Finish::Cancelled,
        usage: Usage::default(),
        first_token_seconds: 0.0,
        last_token_seconds: 0.0,
        counted: 0,
        later_steps: 0,
    };
    while generator.unfinished() > 0 {
        let stopped = stop.load(Ordering::Acquire);
        let events = if stopped { generator.cancel(id) } else { generator.step()? };
        let tokens = events.iter().filter(|event| event.what.is_choice()).count();
        if tokens > 0 {
            outcome.last_token_seconds = started.elapsed().as_secs_f64();
            if outcome.first_token_seconds > 0.0 {
                outcome.counted += tokens;
                outcome.later_steps += 1;
            } else {
                outcome.first_token_seconds = outcome.last_token_seconds;
            }
        }
        for event in events {
            let text = event.what.text();
            tell(text)?;
            outcome.text.push_str(text);
            if let What::Finished { why, usage, .. } = event.what {
                (outcome.why, outcome.usage) = (why, usage);
            }
        }
    }
    if let Finish::Failed(fault) = outcome.why {
        bail!(fault.sentence());
    }
    Ok(outcome)
}

pub(super) const fn finish_name(why: Finish) -> &'static str {
    match why {
        Finish::EndToken | Finish::StopText => "stop",
        Finish::Length => "length",
        Finish::Context => "context",
        Finish::Cancelled => "cancelled",
        Finish::Failed(_) => "failed",
    }
}

impl GeneratedAnswer {
    /// Tokens that the model chose after the first; none where it chose too few to tell.
    fn tokens_per_second(&self) -> Option<f64> {
        // What one step brought, a right guess of many tokens say, tells that step's time and no speed.
        let seconds = self.last_token_seconds - self.first_token_seconds;
        speed::tokens_per_second(self.counted, seconds).filter(|_| self.later_steps > 1)
    }

    fn as_json(&self, seconds: f64) -> serde_json::Value {
        json!({
            "text": self.text,
            "finish_reason": finish_name(self.why),
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "seconds": seconds,
            "first_token_seconds": self.first_token_seconds,
            "tokens_per_second": self.tokens_per_second(),
        })
    }

    pub(super) fn summary(&self) -> String {
        let speed = self.tokens_per_second();
        format!(
            "{} prompt tokens, {} generated ({}){}",
            self.usage.prompt_tokens,
            self.usage.completion_tokens,
            finish_name(self.why),
            speed.map_or_else(String::new, |speed| format!(", {speed:.1} tokens/s"))
        )
    }
}
