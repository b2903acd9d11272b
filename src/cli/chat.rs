//! `dojo chat`: a conversation, question by question.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::ask::{AskedLine, Questions};
use super::generate::{Ready, stream_until};
use super::sampling::{ModelArguments, SamplingArguments};
use super::{loading, print};
use crate::config::Folders;
use crate::domain::message::{Message, Role};
use crate::ground::files;

/// Arguments of `dojo chat`.
#[derive(Args)]
pub(super) struct ChatArguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    sampling: SamplingArguments,
    /// A system message that the conversation begins with.
    #[arg(long)]
    system: Option<String>,
    /// Keep no questions for the next time; else the last 1000 are kept, readable by you only, without those that hold
    /// what looks like a key.
    #[arg(long)]
    no_history: bool,
}

const HELP: &str = "\
/again       answers the last question anew, with the next seed
/undo        takes back the last exchange
/system TEXT sets the system message; without a text takes it away
/save FILE   writes the conversation as one line of messages JSONL
/reset       begins again          /quit, Ctrl-D  ends
What begins with a path is a question, and so is what begins with a space. Lines that are pasted together are one
question; Alt-Enter, or \\ at the end of a line, begins another line. Up and Down bring back what was asked before.
Ctrl-C stops an answer.";

/// What a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChatLine<'t> {
    Nothing,
    Quit,
    Help,
    Reset,
    Undo,
    Again,
    System(&'t str),
    Save(&'t str),
    Question(&'t str),
    /// A word with a slash before it that means nothing here, or has a text after it that it takes none of.
    Unknown(&'t str),
}

/// Reads a line. A word with a second slash is a path, and several lines are never a command.
fn read(text: &str) -> ChatLine<'_> {
    let line = text.trim_end();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let is_command = word.len() > 1
        && word.strip_prefix('/').is_some_and(|name| !name.contains('/'))
        && !line.contains('\n');
    if line.trim().is_empty() {
        return ChatLine::Nothing;
    }
    if !is_command {
        return ChatLine::Question(text);
    }
    match (word, rest.trim()) {
        ("/system", text) => ChatLine::System(text),
        ("/save", path) => ChatLine::Save(path),
        ("/quit" | "/exit", "") => ChatLine::Quit,
        ("/help", "") => ChatLine::Help,
        ("/reset", "") => ChatLine::Reset,
        ("/undo", "") => ChatLine::Undo,
        ("/again", "") => ChatLine::Again,
        (word, _) => ChatLine::Unknown(word),
    }
}

pub(super) fn run(arguments: &ChatArguments) -> Result<ExitCode> {
    let mut interrupt = Interrupt::listen()?;
    let history = (!arguments.no_history).then(Folders::from_environment).transpose()?;
    // Before the model is loaded: the terminal cuts long lines that are typed until it is ours.
    let mut questions = Questions::open(history.map(|folders| folders.chat_history()).as_deref())?;
    let asks = questions.are_typed();
    if asks {
        interrupt.ask_only();
        print::complain("/help lists what can be said beside questions");
    }
    let ready = match load(&arguments.model, &mut questions, &interrupt)? {
        AfterLoad::Ready(ready) => *ready,
        AfterLoad::Stopped(code) => return Ok(ExitCode::from(code)),
    };
    ready.tell();
    let mut talk = Talk {
        ready,
        system: arguments.system.clone(),
        messages: Vec::new(),
        seed: arguments.sampling.seed,
        interrupt,
        shows_figures: std::io::stderr().is_terminal() && asks,
    };
    loop {
        let text = match questions.next(&|| talk.interrupt.code())? {
            AskedLine::Text(text) => text,
            AskedLine::End => return Ok(ExitCode::SUCCESS),
            AskedLine::Stopped(code) => return Ok(ExitCode::from(code)),
        };
        match talk.say(read(&text), &arguments.sampling) {
            Ok(ChatEnd::GoOn) => {}
            Ok(ChatEnd::End) => return Ok(ExitCode::SUCCESS),
            // What can't be shown can't be talked about.
            Err(error) if !asks || is_of_output(&error) => return Err(error),
            Err(error) => print::complain(&format!("{error:#}")),
        }
    }
}

/// How the load ended.
enum AfterLoad {
    Ready(Box<Ready>),
    /// Ctrl-C, or the system asked to end: the exit code that it stands for.
    Stopped(u8),
}

/// Loads the model. What is typed meanwhile is taken in.
fn load(model: &ModelArguments, questions: &mut Questions, interrupt: &Interrupt) -> Result<AfterLoad> {
    if !questions.are_typed() {
        return loading::ready(model).map(|ready| AfterLoad::Ready(Box::new(ready)));
    }
    let (tell, told) = mpsc::sync_channel(1);
    let model = model.clone();
    let load = move || drop(tell.send(loading::ready(&model)));
    std::thread::Builder::new().name("dojo-chat-load".to_owned()).spawn(load).context("start a thread")?;
    loop {
        questions.take_in()?;
        match told.try_recv() {
            Ok(ready) => return ready.map(|ready| AfterLoad::Ready(Box::new(ready))),
            Err(mpsc::TryRecvError::Disconnected) => {
                bail!("loading the model ended by a fault of the program")
            }
            Err(mpsc::TryRecvError::Empty) => {}
        }
        if let Some(code) = interrupt.code() {
            return Ok(AfterLoad::Stopped(code));
        }
    }
}

fn is_of_output(error: &anyhow::Error) -> bool {
    error.is::<print::Gone>() || error.is::<print::Unwritten>()
}

enum ChatEnd {
    GoOn,
    End,
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

    fn say(&mut self, said: ChatLine<'_>, sampling: &SamplingArguments) -> Result<ChatEnd> {
        match said {
            ChatLine::Nothing => {}
            ChatLine::Quit => return Ok(ChatEnd::End),
            ChatLine::Help => print::complain(HELP),
            ChatLine::Reset => self.messages.clear(),
            ChatLine::Undo => self.messages.truncate(self.messages.len().saturating_sub(2)),
            ChatLine::Again => self.again(sampling)?,
            ChatLine::System(text) => self.system = Some(text.to_owned()).filter(|text| !text.is_empty()),
            ChatLine::Save(path) => self.save(path)?,
            ChatLine::Question(text) => self.ask(text, sampling)?,
            ChatLine::Unknown(word) => bail!(
                "{word} says nothing here in this form: /help lists what there is, and a space before it makes it a \
                 question"
            ),
        }
        Ok(ChatEnd::GoOn)
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
        let stop = self.interrupt.answering();
        let mut shown = print::Parts::default();
        let outcome = stream_until(&mut self.ready.generator, request, stop, |text| shown.say(text));
        self.interrupt.waiting();
        let outcome = outcome?;
        shown.end()?;
        if self.shows_figures {
            print::complain(&outcome.summary());
        }
        self.messages.push(Message::new(Role::Assistant, outcome.text));
        Ok(())
    }

    fn save(&self, path: &str) -> Result<()> {
        anyhow::ensure!(!path.is_empty(), "/save wants a file's name");
        anyhow::ensure!(!self.messages.is_empty(), "there is nothing to save yet");
        let path = Path::new(path);
        let is_other = std::fs::metadata(path).is_ok_and(|there| !there.is_file());
        anyhow::ensure!(!is_other, "{} is no file that could be added to", path.display());
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

/// Ctrl-C and the system's requests to end: they stop an answer, and end the program where none is being written.
struct Interrupt {
    came: Arc<AtomicBool>,
    /// The exit code of the last one; 0 before there was any.
    code: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    asks_only: bool,
}

/// With the exit codes that shells expect of a program that was ended by them.
const SIGNALS: [(i32, u8); 3] = [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)];

impl Interrupt {
    fn listen() -> Result<Self> {
        let (came, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(true)));
        let code = Arc::new(AtomicUsize::new(0));
        for (signal, exit) in SIGNALS {
            flag::register_conditional_shutdown(signal, exit.into(), Arc::clone(&ends))
                .and_then(|_| flag::register(signal, Arc::clone(&came)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&code), exit.into()))
                .context("listen for Ctrl-C")?;
        }
        Ok(Self { came, code, ends, asks_only: false })
    }

    /// From now on whoever waits for a question ends the program, which leaves the terminal as it was.
    fn ask_only(&mut self) {
        self.asks_only = true;
        self.ends.store(false, Ordering::Release);
    }

    /// Whether the program is to end, and with which exit code.
    fn code(&self) -> Option<u8> {
        u8::try_from(self.code.load(Ordering::Acquire)).ok().filter(|code| *code > 0)
    }

    fn answering(&self) -> &AtomicBool {
        self.came.store(false, Ordering::Release);
        self.ends.store(false, Ordering::Release);
        &self.came
    }

    fn waiting(&self) {
        // Ctrl-C has stopped the answer, and that was all that it was for.
        self.code.compare_exchange(130, 0, Ordering::AcqRel, Ordering::Acquire).ok();
        if !self.asks_only {
            // Whoever asked the program to end meanwhile would wait for the next question.
            if let Some(code) = self.code() {
                std::process::exit(code.into());
            }
            self.ends.store(true, Ordering::Release);
        }
    }
}
