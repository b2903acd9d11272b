//! `dojo chat`: a conversation, line by line.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use super::generate::stream;
use super::sampling::{ModelArguments, SamplingArguments};
use super::{loading, print};
use crate::domain::message::{Message, Role};

/// Arguments of `dojo chat`.
#[derive(Args)]
pub(super) struct Chat {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    sampling: SamplingArguments,
    /// A system message that the conversation begins with.
    #[arg(long)]
    system: Option<String>,
}

const HELP: &str = "/reset begins again, /undo takes back the last exchange, /quit (or Ctrl-D) ends. \
                    A line that ends in \\ goes on in the next.";

pub(super) fn run(arguments: &Chat) -> Result<ExitCode> {
    let mut ready = loading::ready(&arguments.model)?;
    let system = arguments.system.iter().map(|text| Message::new(Role::System, text));
    let beginning: Vec<Message> = system.collect();
    let mut messages = beginning.clone();
    let asks = std::io::stdin().is_terminal();
    if asks {
        print::complain(HELP);
    }
    let mut lines = std::io::stdin().lock().lines();
    while let Some(line) = next_message(&mut lines, asks)? {
        match line.trim() {
            "" => continue,
            "/quit" | "/exit" => break,
            "/help" => {
                print::complain(HELP);
                continue;
            }
            "/reset" => {
                messages.clone_from(&beginning);
                continue;
            }
            "/undo" => {
                let left = messages.len().saturating_sub(2).max(beginning.len());
                messages.truncate(left);
                continue;
            }
            _ => {}
        }
        messages.push(Message::new(Role::User, line));
        let mut request = arguments.sampling.request(ready.prompter.chat(&messages)?)?;
        request.adapter = ready.adapter;
        match stream(&mut ready.generator, request, print::say_part) {
            Ok(outcome) => {
                print::say("");
                messages.push(Message::new(Role::Assistant, outcome.text));
            }
            Err(error) => {
                messages.pop();
                print::complain(&format!("{error:#}"));
                if !asks {
                    return Ok(ExitCode::from(1));
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The next line, or several joined where they end in a backslash.
fn next_message(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
    asks: bool,
) -> Result<Option<String>> {
    let mut text = String::new();
    loop {
        if asks {
            print::say_part(if text.is_empty() { "> " } else { ". " });
        }
        let Some(line) = lines.next() else {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        };
        let line = line.context("read a line from standard input")?;
        let Some(head) = line.strip_suffix('\\') else {
            text.push_str(&line);
            return Ok(Some(text));
        };
        text.push_str(head);
        text.push('\n');
    }
}
