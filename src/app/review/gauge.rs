//! How likely a model of this machine finds each label after a question and a thought: for every text of a session
//! that is or may be trained on, and while a job asks for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};

use super::{assignment, prompt};
use crate::config::Folders;
use crate::domain::device::DeviceName;
use crate::domain::review_leads::Odds;
use crate::engine::device;
use crate::engine::generate::{Generator, Limits, Precision, Prompter, load};
use crate::engine::hub::{self, Network, Silent};
use crate::engine::model;
use crate::session::{Led, Session};
use crate::teacher::gauge::Gauge;
use crate::teacher::job::{Assignment, RecordQuestion};
use crate::teacher::prompt::Prompt;

/// A model that reads thoughts.
pub struct ThoughtReader {
    name: String,
    generator: RefCell<Generator>,
    prompter: Prompter,
    prompt: Prompt,
    assignment: Assignment,
    /// Of each label its tokens.
    labels: Vec<(String, Vec<u32>)>,
    /// What was measured already.
    known: RefCell<HashMap<(String, String), Odds>>,
}

impl ThoughtReader {
    /// Loads a model to read a session's thoughts.
    ///
    /// # Errors
    /// Where the model can't be found or loaded, or the session has no labels.
    pub fn load(folders: &Folders, session: &Session, name: &str) -> Result<Self> {
        let name = name.strip_prefix("local:").unwrap_or(name);
        let assignment = assignment(session)?;
        ensure!(
            assignment.classes.len() > 1,
            "measure where thoughts lead: the records of this session have one label only, so every thought leads to it"
        );
        let source = hub::resolve(&folders.models(), name, Network::Allowed, &mut Silent)?;
        let open = model::open(&source).with_context(|| format!("load {name} to read thoughts with"))?;
        let prompter = Prompter::new(&open)?;
        let place = device::choose(DeviceName::Auto)?;
        let generator = load(&open, Precision::Stored, &place, Limits::default())?;
        let before = if prompter.has_template() { "" } else { " " };
        let tokens = |label: &str| prompter.continuation(&format!("{before}{label}"));
        let labels = assignment
            .classes
            .iter()
            .map(|class| Ok((class.name.clone(), tokens(&class.name)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            name: name.to_owned(),
            generator: RefCell::new(generator),
            prompt: prompt(folders, session.folder(), "leads")?,
            prompter,
            assignment,
            labels,
            known: RefCell::default(),
        })
    }

    fn measure(&self, question: &str, thought: &str) -> Result<Odds> {
        let key = (question.to_owned(), thought.to_owned());
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let messages = self.assignment.gauging(&self.prompt, question, thought)?;
        let tokens = if self.prompter.has_template() {
            self.prompter.chat(&messages)?
        } else {
            let turns: Vec<&str> = messages.iter().map(|turn| turn.content.as_str()).collect();
            self.prompter.raw(&turns.join("\n\n"))?
        };
        let continuations: Vec<Vec<u32>> = self.labels.iter().map(|(_, tokens)| tokens.clone()).collect();
        let found = self.generator.borrow_mut().log_likelihoods_of(&tokens, &continuations, None)?;
        let named = self.labels.iter().map(|(name, _)| name.clone()).zip(found).collect();
        let odds = Odds::of(self.name.clone(), named);
        self.known.borrow_mut().insert(key, odds.clone());
        Ok(odds)
    }
}

impl Gauge for ThoughtReader {
    fn odds(&self, question: &RecordQuestion, thought: &str) -> Result<Odds> {
        self.measure(&question.text, thought)
    }
}

/// Measures every text that this model has not read as it is now, and keeps each as it comes. Gives how many it read.
///
/// # Errors
/// Where the session can't be read or written, or the model fails.
pub fn measure(
    session: &mut Session,
    reader: &ThoughtReader,
    wanted: impl Fn(&Led) -> bool,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64> {
    let mut todo = session.led()?;
    todo.retain(|led| wanted(led) && led.odds.as_ref().is_none_or(|odds| odds.model != reader.name));
    let all = todo.len() as u64;
    let mut done = 0;
    for led in &todo {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let odds = reader
            .measure(&led.question, &led.text)
            .with_context(|| format!("read a thought about record {}", led.record))?;
        session.keep_odds(led.of, &led.text, &odds)?;
        done += 1;
        progress(done, all);
    }
    Ok(done)
}

/// The model that a job is to measure with, loaded; none where none is named.
///
/// # Errors
/// As [`ThoughtReader::load`].
pub(super) fn named(folders: &Folders, session: &Path, name: Option<&str>) -> Result<Option<ThoughtReader>> {
    let Some(name) = name else { return Ok(None) };
    let session = Session::open(session, crate::session::Access::Read)?;
    ThoughtReader::load(folders, &session, name).map(Some)
}
