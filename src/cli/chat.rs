//! `dojo chat`: a conversation, line by line.

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use signal_hook::consts::SIGINT;
use signal_hook::flag;

use super::generate::{Ready, stream_until};
use super::sampling::{ModelArguments, SamplingArguments};
use super::{loading, print};
use crate::domain::message::{Message, Role};
use crate::engine::files;

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

const HELP: &str = "\
/again       answers the last question anew, with the next seed
/undo        takes back the last exchange
/system TEXT sets the system message; without a text takes it away
/save FILE   writes the conversation as one line of messages JSONL
/reset       begins again          /quit, Ctrl-D  ends
Ctrl-C stops an answer. A line that ends in \\ goes on in the next.";

pub(super) fn run(arguments: &Chat) -> Result<ExitCode> {
    let asks = std::io::stdin().is_terminal();
    let interrupt = Interrupt::listen()?;
    let mut talk = Talk {
        ready: loading::ready(&arguments.model)?,
        system: arguments.system.clone(),
        messages: Vec::new(),
        seed: arguments.sampling.seed,
        interrupt,
        shows_figures: std::io::stderr().is_terminal() && asks,
    };
    if asks {
        print::complain("/help lists what can be said beside questions");
    }
    let mut lines = std::io::stdin().lock().lines();
    while let Some(line) = next_message(&mut lines, asks)? {
        let said = line.trim();
        let (word, rest) = said.split_once(char::is_whitespace).unwrap_or((said, ""));
        let outcome = match word {
            "" => Ok(()),
            "/quit" | "/exit" => break,
            "/help" => {
                print::complain(HELP);
                Ok(())
            }
            "/reset" => {
                talk.messages.clear();
                Ok(())
            }
            "/undo" => {
                talk.messages.truncate(talk.messages.len().saturating_sub(2));
                Ok(())
            }
            "/system" => {
                talk.system = Some(rest.trim().to_owned()).filter(|text| !text.is_empty());
                Ok(())
            }
            "/save" => talk.save(rest.trim()),
            "/again" => talk.again(&arguments.sampling),
            word if word.starts_with('/') && !said.contains('\n') && word.len() > 1 => {
                Err(anyhow::anyhow!("there is no {word} here; /help lists what there is"))
            }
            _ => talk.ask(&line, &arguments.sampling),
        };
        if let Err(error) = outcome {
            print::complain(&format!("{error:#}"));
            if !asks {
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The conversation so far.
struct Talk {
    ready: Ready,
    system: Option<String>,
    /// Questions and answers in turn.
    messages: Vec<Message>,
    seed: u64,
    interrupt: Interrupt,
    shows_figures: bool,
}

impl Talk {
    fn whole(&self) -> Vec<Message> {
        let system = self.system.iter().map(|text| Message::new(Role::System, text));
        system.chain(self.messages.iter().cloned()).collect()
    }

    fn ask(&mut self, question: &str, sampling: &SamplingArguments) -> Result<()> {
        self.messages.push(Message::new(Role::User, question));
        self.answer(sampling).inspect_err(|_| {
            self.messages.pop();
        })
    }

    fn again(&mut self, sampling: &SamplingArguments) -> Result<()> {
        anyhow::ensure!(!self.messages.is_empty(), "nothing was asked yet");
        self.messages.pop();
        self.seed = self.seed.wrapping_add(1);
        self.answer(sampling)
    }

    fn answer(&mut self, sampling: &SamplingArguments) -> Result<()> {
        let mut request = sampling.request(self.ready.prompter.chat(&self.whole())?)?;
        request.adapter = self.ready.adapter;
        request.sampling.seed = self.seed;
        let started = Instant::now();
        let stop = self.interrupt.answering();
        let outcome = stream_until(&mut self.ready.generator, request, stop, print::say_part);
        self.interrupt.waiting();
        let outcome = outcome?;
        print::say("");
        if self.shows_figures {
            print::complain(&outcome.summary(started.elapsed().as_secs_f64()));
        }
        self.messages.push(Message::new(Role::Assistant, outcome.text));
        Ok(())
    }

    fn save(&self, path: &str) -> Result<()> {
        anyhow::ensure!(!path.is_empty(), "/save wants a file's name");
        anyhow::ensure!(!self.messages.is_empty(), "there is nothing to save yet");
        let path = Path::new(path);
        let mut text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        text.push_str(&json!({ "messages": self.whole() }).to_string());
        text.push('\n');
        files::write_atomically(path, text.as_bytes())?;
        print::complain(&format!("added to {}", path.display()));
        Ok(())
    }
}

/// Ctrl-C: stops an answer, and ends the program where none is being written.
struct Interrupt {
    came: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
}

impl Interrupt {
    fn listen() -> Result<Self> {
        let (came, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
        // 130 is what shells expect of a program that was interrupted.
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&ends)).context("listen for Ctrl-C")?;
        flag::register(SIGINT, Arc::clone(&came)).context("listen for Ctrl-C")?;
        Ok(Self { came, ends })
    }

    fn answering(&self) -> &AtomicBool {
        self.came.store(false, Ordering::Release);
        self.ends.store(false, Ordering::Release);
        &self.came
    }

    fn waiting(&self) {
        self.ends.store(true, Ordering::Release);
    }
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
