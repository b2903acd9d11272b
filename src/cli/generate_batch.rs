//! `dojo generate --input FILE --output FILE`: many prompts, many at once, resumable.

use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::generate::{GenerateArguments, Ready, finish_name};
use super::{loading, print};
use crate::domain::message::{Message, Role};
use crate::domain::speed;
use crate::engine::generate::{RequestId, What};

/// Lines handed to the generator ahead of those it works on.
const AHEAD: usize = 96;

/// One input line, numbered from 1.
struct InputLine {
    number: usize,
    messages: Vec<Message>,
}

pub(super) fn run(arguments: &GenerateArguments, input: &Path, output: &Path) -> Result<ExitCode> {
    let lines = read_lines(arguments, input)?;
    let done = done_already(output)?;
    let todo: Vec<InputLine> = lines.into_iter().filter(|line| !done.contains(&line.number)).collect();
    if todo.is_empty() {
        print::complain(&format!("all lines of {} are answered in {}", input.display(), output.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut ready = loading::ready(&arguments.model)?;
    ready.tell();
    let mut out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(output)
        .with_context(|| format!("open {}", output.display()))?;
    let total = todo.len();
    let started = Instant::now();
    let (tokens, chosen) = answer(arguments, &mut ready, todo, &mut |line| {
        writeln!(out, "{line}").and_then(|()| out.flush()).context("write an answer")
    })?;
    let seconds = started.elapsed().as_secs_f64();
    print::complain(&format!(
        "{total} answers, {tokens} tokens in {seconds:.1} s{}, in {}",
        speed_words(total, tokens, chosen, seconds),
        output.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The speed of all together; nothing where the answers are so short that it is the time of reading the prompts.
fn speed_words(answers: usize, tokens: usize, chosen: usize, seconds: f64) -> String {
    if speed::tokens_per_second(chosen / answers.max(1), seconds).is_none() {
        return String::new();
    }
    let of_all = if chosen < tokens { " that the model chose" } else { "" };
    format!(" ({:.1} tokens/s{of_all})", chosen as f64 / seconds)
}

/// Answers all; how many tokens were written, and how many of them the model chose.
fn answer(
    arguments: &GenerateArguments,
    ready: &mut Ready,
    todo: Vec<InputLine>,
    write: &mut dyn FnMut(&Value) -> Result<()>,
) -> Result<(usize, usize)> {
    let mut lines = todo.into_iter();
    let mut open: HashMap<RequestId, (usize, String)> = HashMap::new();
    let (mut tokens, mut chosen) = (0, 0);
    loop {
        while open.len() < AHEAD {
            let Some(line) = lines.next() else { break };
            let id = submit(arguments, ready, &line).with_context(|| format!("line {}", line.number))?;
            open.insert(id, (line.number, String::new()));
        }
        if open.is_empty() {
            return Ok((tokens, chosen));
        }
        for event in ready.generator.step()? {
            let Some((number, text)) = open.get_mut(&event.request) else { continue };
            text.push_str(event.what.text());
            chosen += usize::from(event.what.is_choice());
            if let What::Finished { why, usage, .. } = event.what {
                tokens += usage.completion_tokens;
                write(&json!({
                    "line": *number,
                    "text": text,
                    "finish_reason": finish_name(why),
                    "prompt_tokens": usage.prompt_tokens,
                    "completion_tokens": usage.completion_tokens,
                }))?;
                open.remove(&event.request);
            }
        }
    }
}

fn submit(arguments: &GenerateArguments, ready: &mut Ready, line: &InputLine) -> Result<RequestId> {
    let tokens = if arguments.raw {
        let text: Vec<&str> = line.messages.iter().map(|message| message.content.as_str()).collect();
        ready.prompter.raw(&text.join("\n"))?
    } else {
        ready.prompter.chat(&line.messages)?
    };
    let mut request = arguments.sampling.request(tokens)?;
    request.adapter = ready.adapter;
    request.sampling.seed = request.sampling.seed.wrapping_add(line.number as u64);
    ready.generator.submit(request)
}

fn read_lines(arguments: &GenerateArguments, input: &Path) -> Result<Vec<InputLine>> {
    let file = std::fs::File::open(input).with_context(|| format!("open {}", input.display()))?;
    let mut lines = Vec::new();
    for (index, text) in BufReader::new(file).lines().enumerate() {
        let text = text.with_context(|| format!("read {}", input.display()))?;
        if text.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let mut messages = conversation(&text)
            .with_context(|| format!("line {number} of {} can't be read as a prompt", input.display()))?;
        let has_system = messages.first().is_some_and(|message| message.role == Role::System);
        if let Some(system) = arguments.system.as_ref().filter(|_| !has_system) {
            messages.insert(0, Message::new(Role::System, system));
        }
        lines.push(InputLine { number, messages });
    }
    ensure!(!lines.is_empty(), "{} holds no prompts", input.display());
    Ok(lines)
}

/// A line is JSON with `messages` (up to the last answer), `prompt` or `input`; a JSON string; or plain text.
fn conversation(text: &str) -> Result<Vec<Message>> {
    if !text.trim_start().starts_with(['{', '"']) {
        return Ok(vec![Message::new(Role::User, text)]);
    }
    let value: Value = serde_json::from_str(text)?;
    if let Value::String(prompt) = &value {
        return Ok(vec![Message::new(Role::User, prompt)]);
    }
    if let Some(messages) = value.get("messages") {
        let mut messages: Vec<Message> = serde_json::from_value(messages.clone())?;
        if messages.last().is_some_and(|message| message.role == Role::Assistant) {
            messages.pop();
        }
        ensure!(!messages.is_empty(), "`messages` holds nothing to answer");
        return Ok(messages);
    }
    for key in ["prompt", "input", "question", "instruction"] {
        if let Some(prompt) = value.get(key).and_then(Value::as_str) {
            return Ok(vec![Message::new(Role::User, prompt)]);
        }
    }
    bail!("it has none of `messages`, `prompt`, `input`, `question`, `instruction`")
}

/// The line numbers that are answered; a last line that was cut short is taken off the file.
fn done_already(output: &Path) -> Result<HashSet<usize>> {
    // A device or a pipe holds nothing to go on from, and may have no end.
    if std::fs::metadata(output).is_ok_and(|there| !there.is_file()) {
        return Ok(HashSet::new());
    }
    let text = match std::fs::read_to_string(output) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", output.display())),
    };
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        let file = OpenOptions::new().write(true).open(output)?;
        file.set_len(whole as u64)
            .with_context(|| format!("cut the unfinished last line of {}", output.display()))?;
    }
    let mut done = HashSet::new();
    for (index, line) in text[..whole].lines().enumerate() {
        let number = serde_json::from_str::<Value>(line).ok().and_then(|line| line.get("line")?.as_u64());
        let number = number.with_context(|| {
            format!(
                "line {} of {} isn't an answer of this command: use another file",
                index + 1,
                output.display()
            )
        })?;
        done.insert(number as usize);
    }
    Ok(done)
}
