//! `dojo generate --input FILE --output FILE`: many prompts, many at once, resumable.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::batch_input::{InputLine, read_lines};
use super::generate::{GenerateArguments, Ready, finish_name};
use super::{loading, print};
use crate::domain::speed;
use crate::engine::generate::{RequestId, What};

/// Lines handed to the generator ahead of those it works on.
const AHEAD: usize = 96;

pub(super) fn run(arguments: &GenerateArguments, input: &Path, output: &Path) -> Result<ExitCode> {
    let lines = read_lines(arguments.system.as_deref(), input)?;
    let done = done_already(output)?;
    let todo: Vec<InputLine> = lines.into_iter().filter(|line| !done.contains(&line.number)).collect();
    if todo.is_empty() {
        print::complain(&format!("all lines of {} are answered in {}", input.display(), output.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut ready = loading::ready(&arguments.model)?;
    ready.tell();
    tell_unshown(arguments, &ready, &todo, input)?;
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

/// Says what lines have beside what is said, and the model doesn't read.
fn tell_unshown(
    arguments: &GenerateArguments,
    ready: &Ready,
    todo: &[InputLine],
    input: &Path,
) -> Result<()> {
    let mut unshown: BTreeMap<String, usize> = BTreeMap::new();
    let has_more = |line: &&InputLine| line.messages.iter().any(|turn| !turn.extra.is_empty());
    for line in todo.iter().filter(has_more) {
        let keys: BTreeSet<String> = if arguments.raw {
            line.messages.iter().flat_map(|turn| turn.extra.keys().cloned()).collect()
        } else {
            let keys = ready.prompter.unshown_keys(&line.messages);
            keys.with_context(|| format!("line {} of {}", line.number, input.display()))?
                .into_iter()
                .collect()
        };
        keys.into_iter().filter(|key| key != "content").for_each(|key| *unshown.entry(key).or_default() += 1);
    }
    if !unshown.is_empty() {
        let names: Vec<String> = unshown.iter().map(|(name, lines)| format!("{name:?} ({lines})")).collect();
        print::complain(&format!(
            "turns of {} have keys that the model doesn't read, with how many lines have them: {}",
            input.display(),
            names.join(", ")
        ));
    }
    Ok(())
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
