//! The jobs of the review loop on a session: who is asked, what is asked, and where the results go. The studio and the
//! subcommands use the same code.

pub mod bench;
mod gauge;
mod jobs;
mod lane;
mod local;
mod orders;
pub mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Serialize;

use self::local::Local;
use crate::config::Folders;
use crate::domain::filter::Filter;
use crate::domain::protocol::models::ModelKind;
use crate::domain::session::SessionInfo;
use crate::domain::teacher::TeacherSettings;
use crate::session::{Access, Session};
use crate::teacher::budget::{Budget, Spending};
use crate::teacher::cache::{self, AnswerCache};
use crate::teacher::client::Teacher;
use crate::teacher::clock::MachineClock;
use crate::teacher::course::TeacherJobEnd;
use crate::teacher::extract::{entailment, plain};
use crate::teacher::job::{Assignment, Drawing, Examples, Relations};
use crate::teacher::prompt::Prompt;
use crate::teacher::request::Request;
use crate::teacher::{ApiKey, Left, Speaker};

pub use gauge::{ThoughtReader, measure};
pub use jobs::{JobProgress, JudgeOptions, OnProgress, judge, reflect, think};
pub(crate) use lane::Reviews;

/// What every job needs to know.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// Only about the records that this filter lets through; about all otherwise.
    pub filter: Option<Filter>,
    /// Questions at most; all that are left otherwise.
    pub limit: Option<usize>,
    pub budget: Budget,
    pub drawing: Drawing,
    /// A model of this machine that reads each thought: it has to find its label the likeliest.
    pub gauge: Option<String>,
    /// Say what it would take, and ask nothing.
    pub dry: Dry,
}

/// Whether a job is only planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dry {
    Plan,
    Run,
}

/// How a job went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    pub job: &'static str,
    pub speaker: String,
    /// Questions that there were to ask.
    pub questions: u64,
    /// Results that are in the session now.
    pub kept: u64,
    /// Of those, how many reach the true label.
    pub right: u64,
    /// Answers that could not be used, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// Questions that were not asked.
    pub left: u64,
    /// Tokens and dollars that it was expected to take, before it began.
    pub estimated_tokens: u64,
    pub estimated_dollars: f64,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub dollars: f64,
    /// Answers paid for, and those that were there already.
    pub answers: u64,
    pub from_cache: u64,
    /// Trouble by name, also what was overcome.
    pub troubles: BTreeMap<&'static str, u64>,
    /// Other models that answered than the one that was asked.
    pub other_models: BTreeMap<String, u64>,
    /// Why it ended before all was asked, in a sentence.
    pub cut: Option<String>,
}

impl Summary {
    /// What came of it in all. What it has spent is kept until nothing of it is left.
    fn finish(&mut self, ended: &TeacherJobEnd, speaker: &dyn Speaker) -> Result<()> {
        leave(self.job, ended, speaker)?;
        self.close(ended, speaker);
        Ok(())
    }

    /// What came of it in all; the job's budget is the caller's matter.
    pub(in crate::app) fn close(&mut self, ended: &TeacherJobEnd, speaker: &dyn Speaker) {
        let account = speaker.account();
        let asked = self.kept + self.set_aside.values().sum::<u64>();
        self.left = self.questions.saturating_sub(asked);
        self.prompt_tokens = account.spent.prompt_tokens;
        self.answer_tokens = account.spent.answer_tokens;
        self.dollars = account.spent.money.0 as f64 / 1e6;
        self.answers = account.answers;
        self.from_cache = account.from_cache;
        self.troubles = account.troubles;
        self.other_models = account.other_models;
        self.cut = match ended {
            TeacherJobEnd::Finished => None,
            TeacherJobEnd::Stopped => Some("stopped; run this again to continue".to_owned()),
            TeacherJobEnd::Cut(error) => Some(error.to_string()),
        };
    }

    fn estimate(
        &mut self,
        requests: impl Iterator<Item = Result<Request>>,
        speaker: &dyn Speaker,
    ) -> Result<()> {
        let mut sum = Spending::default();
        for request in requests {
            let request = request?;
            let expected = Request { max_tokens: request.max_tokens.min(EXPECTED_ANSWER), ..request };
            sum = sum.plus(speaker.most(&expected));
            self.questions += 1;
        }
        self.estimated_tokens = sum.tokens();
        self.estimated_dollars = sum.money.0 as f64 / 1e6;
        Ok(())
    }
}

fn leave(job: &str, ended: &TeacherJobEnd, speaker: &dyn Speaker) -> Result<()> {
    let left = match ended {
        TeacherJobEnd::Finished => Left::Finished,
        TeacherJobEnd::Stopped | TeacherJobEnd::Cut(_) => Left::Unfinished,
    };
    Ok(speaker.leave(job, left)?)
}

/// Tokens of a usual answer, for estimates.
const EXPECTED_ANSWER: u32 = 200;

/// Opens a session to work on its reviews.
///
/// # Errors
/// Where it can't be opened to write.
pub fn open(info: &SessionInfo) -> Result<Session> {
    Session::create(&info.path)
        .or_else(|_| Session::open(&info.path, Access::Write))
        .with_context(|| format!("open the session {}", info.path.display()))
}

/// Whoever answers under this name: a teacher of the settings, or `local:MODEL`. With [`Dry::Plan`] it can be asked for
/// its prices only, and neither key nor model is needed.
///
/// # Errors
/// Where there is none of that name, its key is missing, or its answers can't be kept.
pub fn speaker(
    folders: &Folders,
    name: &str,
    session: &Path,
    budget: Budget,
    dry: Dry,
) -> Result<Arc<dyn Speaker>> {
    let cache = Arc::new(open_answers(session)?);
    match (name.strip_prefix("local:"), dry) {
        (Some(model), Dry::Run) => return Ok(Arc::new(Local::start(folders, model, cache, budget)?)),
        (Some(model), Dry::Plan) => return Ok(Arc::new(Local::planned(model, cache)?)),
        (None, _) => {}
    }
    let teacher = teacher_settings(folders, name)?;
    let key = match dry {
        Dry::Run => ApiKey::of(name, &teacher)?,
        Dry::Plan => None,
    };
    let clock = Arc::new(MachineClock::default());
    Ok(Arc::new(Teacher::new(name, teacher, key, cache, budget, clock)?))
}

/// What the settings say of a teacher.
///
/// # Errors
/// Where they name none of that name.
pub(crate) fn teacher_settings(folders: &Folders, name: &str) -> Result<TeacherSettings> {
    let (mut settings, left_out) = folders.read_settings();
    let Some(teacher) = settings.teachers.remove(name) else {
        ensure!(left_out.is_empty(), "find teacher {name}: {}", left_out.join("; "));
        let known: Vec<&str> = settings.teachers.keys().map(String::as_str).collect();
        let path = folders.settings.join("settings.toml");
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        bail!(
            "find teacher {name}: add [teachers.{name}] with base_url and model to {}, or name a model of this \
             machine as local:MODEL; known are: {known}",
            path.display()
        );
    };
    Ok(teacher)
}

fn open_answers(session: &Path) -> Result<AnswerCache> {
    AnswerCache::open(session).map_err(|error| {
        anyhow!("open what keeps the answers of teachers in {}: {}", session.display(), cache::trouble(error))
    })
}

/// Names that a job can be given: teachers of the settings, then models of this machine.
///
/// # Errors
/// Where the models folder can't be read.
pub fn speakers(folders: &Folders) -> Result<Vec<String>> {
    let mut names: Vec<String> = folders.read_settings().0.teachers.into_keys().collect();
    let models = crate::app::models::list(folders, None)?;
    names.extend(
        models
            .into_iter()
            .filter(|model| model.kind == ModelKind::Base)
            .map(|model| format!("local:{}", model.name)),
    );
    Ok(names)
}

/// What the session's questions have in common, read from its records: their labels, and whether they are pairs of
/// premise and hypothesis.
///
/// # Errors
/// Where the session can't be read, or has no labels.
pub fn assignment(session: &Session) -> Result<Assignment> {
    let names = session.label_names().context("read the session's labels")?;
    if names.is_empty() {
        bail!(
            "find out what may be answered: no record of this session has a label; import data with labels first"
        );
    }
    let pairs = session.has_columns(&["premise", "hypothesis"]).context("read the session's columns")?;
    let two: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    if pairs && two.is_subset(&BTreeSet::from(["0", "1"])) {
        return Ok(Assignment {
            task: "Decide whether the hypothesis follows from the premise. Label 1: it follows. Label 0: it does not."
                .to_owned(),
            classes: entailment(),
            examples: Examples::Entailment,
        });
    }
    let classes = plain(&names);
    if let Some(relations) = relations(&names).filter(|_| pairs) {
        let Relations { entailment, neutral, contradiction } = &relations;
        let task = format!(
            "Say how the hypothesis relates to the premise. {entailment}: it must be true where the premise is. \
             {contradiction}: it can't be true where the premise is. {neutral}: it may be true or not."
        );
        return Ok(Assignment { task, classes, examples: Examples::Relations(relations) });
    }
    let task = if pairs {
        "Say how the hypothesis relates to the premise.".to_owned()
    } else {
        "Give the label that fits the text.".to_owned()
    };
    Ok(Assignment { task, classes, examples: Examples::General })
}

/// The three labels of natural language inference, where the session has these and no others.
fn relations(names: &[String]) -> Option<Relations> {
    let name = |wanted: &str| names.iter().find(|name| name.eq_ignore_ascii_case(wanted)).cloned();
    let relations = Relations {
        entailment: name("entailment")?,
        neutral: name("neutral")?,
        contradiction: name("contradiction")?,
    };
    (names.len() == 3).then_some(relations)
}

/// A prompt: the session's own, else the user's, else the shipped one.
///
/// # Errors
/// Where a file can't be read.
pub fn prompt(folders: &Folders, session: &Path, name: &str) -> Result<Prompt> {
    Prompt::load(name, &[&session.join("prompts"), &folders.settings.join("prompts")])
}
