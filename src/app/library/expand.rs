//! A model that writes more lines for a question, on a thread of its own: one that was tuned for it, or a teacher. It is
//! asked as the shipped task `query-expansion` says, and its answer is read by that task.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::timeout_at;

use super::background::{Background, Loading};
use super::named::{NamePlaces, NamedModel};
use crate::app::local_model::PromptedModel;
use crate::domain::counted::counted;
use crate::domain::message::Message;
use crate::domain::record::Record;
use crate::domain::retrieval::{LineKind, QueryLine};
use crate::engine::generate::{Finish, GenerateRequest, What};
use crate::engine::hub::PullProgress;
use crate::rag::search::{Expansion, QueryExpander};
use crate::task::{self, Task};
use crate::teacher::Speaker;
use crate::teacher::request::Request;

/// The task that says what is asked and how it is answered.
const TASK: &str = "query-expansion";
/// Tokens of an answer at most: three lines of each kind.
const TOKENS: usize = 400;
/// An answer that isn't whole in time is handed over as far as it is, this part of the time before the end.
const HANDING_OVER: u32 = 20;

/// What one question asks for.
struct ExpandJob {
    messages: Vec<Message>,
    deadline: Instant,
    tell: SyncSender<Result<Written, String>>,
}

/// What a model wrote.
struct Written {
    text: String,
    /// Whether its time was over before it had ended.
    is_cut: bool,
}

/// What writes.
enum Writer {
    Local(Box<PromptedModel>),
    Teacher(Arc<dyn Speaker>, Runtime),
}

/// A model that answers from its own thread.
pub struct BackgroundExpander {
    name: String,
    task: Task,
    background: Background<ExpandJob>,
}

impl BackgroundExpander {
    /// Begins to load the model of a name; finds out before whether there is one.
    ///
    /// # Errors
    /// Where there is none of that name, or the task can't be read.
    pub(super) fn start(
        places: &NamePlaces<'_>,
        given: &str,
        progress: &mut dyn PullProgress,
    ) -> Result<Self> {
        let task = task::find(TASK, places.library.parent())?;
        let found = places.find(given, progress).context("open the model that expands questions")?;
        let load: Box<dyn FnOnce() -> Result<Writer> + Send> = match found {
            NamedModel::Teacher(speaker) => Box::new(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                Ok(Writer::Teacher(speaker, runtime.context("start asking the teacher")?))
            }),
            NamedModel::Local { files, adapter } => Box::new(move || {
                let adapter = adapter.map(|folder| folder.to_string_lossy().into_owned());
                Ok(Writer::Local(Box::new(PromptedModel::open(&files, adapter.as_deref())?)))
            }),
        };
        let background = Background::start("expander", load, |writer: &mut Writer, job| writer.work(&job))?;
        Ok(Self { name: given.to_owned(), task, background })
    }

    /// Waits until it is loaded.
    ///
    /// # Errors
    /// Where it can't be.
    pub fn wait_until_loaded(&self) -> Result<()> {
        self.background
            .wait_until_loaded()
            .with_context(|| format!("open {}, which expands questions", self.name))
    }

    fn asked(&self, question: &str, intent: Option<&str>) -> Result<Vec<Message>> {
        let query = intent
            .map_or_else(|| question.to_owned(), |intent| format!("{question}\nQuery intent: {intent}"));
        let mut record = Record::default();
        record.fields.insert("query".to_owned(), Value::String(query));
        self.task.prompt(&record)
    }

    fn written(&self, messages: Vec<Message>, within: Duration) -> Result<Written, String> {
        let (tell, told) = sync_channel(1);
        let began = Instant::now();
        let deadline = began + within.saturating_sub(within / HANDING_OVER);
        self.background.give(ExpandJob { messages, deadline, tell })?;
        match told.recv_timeout(within) {
            Ok(written) => written,
            Err(RecvTimeoutError::Timeout) => Err(match self.background.loading() {
                Loading::UnderWay => format!("it was still being loaded after {} ms", within.as_millis()),
                Loading::Done | Loading::Failed(_) => {
                    format!("it wrote nothing in {} ms", within.as_millis())
                }
            }),
            Err(RecvTimeoutError::Disconnected) => Err(match self.background.loading() {
                Loading::Failed(why) => why,
                Loading::Done | Loading::UnderWay => "its thread has ended".to_owned(),
            }),
        }
    }

    /// The lines of an answer, and what of it is none, in a sentence.
    fn read(&self, written: &Written, within: Duration) -> Expansion {
        let name = &self.name;
        let mut text = written.text.as_str();
        if written.is_cut {
            // The line that it was at says less than it was to.
            text = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        }
        let read = self.task.read(text);
        let line = |line: crate::task::TypedAnswerLine| {
            Some(QueryLine { kind: LineKind::of_name(&line.kind)?, text: line.text })
        };
        let lines: Vec<QueryLine> = read.lines.into_iter().filter_map(line).collect();
        let within = within.as_millis();
        let notice = match (lines.len(), read.problems.len(), written.is_cut) {
            (0, _, true) => Some(format!(
                "{name} came to no whole line of lex, vec or hyde within {within} ms: searched without"
            )),
            (0, _, false) => Some(format!(
                "{name} wrote no lines of lex, vec or hyde: searched without; is it tuned for {TASK}?"
            )),
            (_, 0, false) => None,
            (count, 0, true) => Some(format!(
                "{name}'s answer was cut short: {} of it searched for",
                counted(count as u64, "line")
            )),
            (_, wrong, _) => Some(format!(
                "left out of {name}'s answer, since it is no lex, vec or hyde: {}",
                counted(wrong as u64, "line")
            )),
        };
        Expansion { lines, notice }
    }
}

impl QueryExpander for BackgroundExpander {
    fn name(&self) -> &str {
        &self.name
    }

    fn expand(&mut self, question: &str, intent: Option<&str>, within: Duration) -> Expansion {
        let written = self.asked(question, intent).map_err(|error| format!("{error:#}"));
        match written.and_then(|messages| self.written(messages, within)) {
            Ok(written) => self.read(&written, within),
            Err(why) => {
                let notice = format!("{} added nothing to the question: {why}; searched without", self.name);
                Expansion { lines: Vec::new(), notice: Some(notice) }
            }
        }
    }
}

impl Writer {
    fn work(&mut self, job: &ExpandJob) {
        if Instant::now() >= job.deadline {
            return;
        }
        let written = match self {
            Self::Local(model) => write(model, job).map_err(|error| format!("{error:#}")),
            Self::Teacher(speaker, runtime) => runtime.block_on(ask(speaker.as_ref(), job)),
        };
        // Whoever asked may have gone.
        job.tell.send(written).ok();
    }
}

fn write(model: &mut PromptedModel, job: &ExpandJob) -> Result<Written> {
    let prompt = model.prompt(&job.messages, "\n")?;
    let mut request = GenerateRequest::new(prompt, TOKENS);
    request.adapter = model.adapter;
    let generator = &mut model.generator;
    let id = generator.submit(request)?;
    let mut written = Written { text: String::new(), is_cut: false };
    while generator.unfinished() > 0 {
        let is_over = Instant::now() >= job.deadline;
        written.is_cut |= is_over;
        let events = if is_over { generator.cancel(id) } else { generator.step()? };
        for event in events {
            written.text.push_str(event.what.text());
            match event.what {
                What::Finished { why: Finish::Failed(fault), .. } => bail!(fault.sentence()),
                What::Finished { why: Finish::Length | Finish::Context, .. } => written.is_cut = true,
                What::Finished { .. } | What::Prompt { .. } | What::Token { .. } => {}
            }
        }
    }
    Ok(written)
}

async fn ask(speaker: &dyn Speaker, job: &ExpandJob) -> Result<Written, String> {
    let messages = job.messages.clone();
    let request = Request { messages, max_tokens: TOKENS as u32, temperature: 0.0, schema: None, draw: 0 };
    match timeout_at(job.deadline.into(), speaker.ask(&request)).await {
        Ok(answer) => {
            let answer = answer.map_err(|error| error.to_string())?;
            Ok(Written { is_cut: answer.finish == crate::teacher::request::LENGTH, text: answer.text })
        }
        Err(_) => {
            Err(speaker.account().last_trouble.unwrap_or_else(|| "it didn't answer in time".to_owned()))
        }
    }
}
