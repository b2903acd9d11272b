//! The tour: the whole of the studio on the shipped samples, a step after the other, in a session of its own. Each step
//! calls what the subcommands and the studio call, and says what it measured; what is done is kept, so that a tour goes
//! on where it was left. Knows nothing of terminals.

mod data;
mod export;
mod kept;
mod library;
mod measure;
mod review;
mod sides;
mod steps;
mod training;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

pub use kept::{StepOutcome, TakenStep};
pub use steps::{STEPS, TourStep};

use self::kept::KeptTour;
use super::sessions;
use super::train::host::Listener;
use crate::config::Folders;
use crate::domain::recipe::Override;
use crate::domain::run::RunFolder;
use crate::domain::session::{FILE, SessionInfo};
use crate::engine::hub::{self, Network, PullProgress};

/// The session that a tour works in.
pub const SESSION: &str = "tour";

/// What the session is made of: a sample, and in it a file, a folder, or all.
const PARTS: [(&str, &str); 4] = [
    ("query-expansion", ""),
    ("nli-reflection", "thoughts.jsonl"),
    ("nli-reflection", "reflections.jsonl"),
    ("first-principles", "documents"),
];

/// What a tour begins with.
pub struct TourOrder {
    pub folders: Folders,
    pub model: String,
    /// For both of its recipes.
    pub overrides: Vec<Override>,
    pub begin: TourBegin,
}

/// Whether an earlier tour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TourBegin {
    WhereItStopped,
    Anew,
}

/// A person stopped a run, and with it the tour.
#[derive(Debug, thiserror::Error)]
#[error("stopped: {run} is at step {step} of {total_steps}, and the next `dojo tour` goes on with it")]
pub struct TourStopped {
    run: String,
    step: u64,
    total_steps: u64,
}

/// Who takes the tour: sees what comes, and decides where a person has to.
pub trait TourHost {
    /// A result, or a part of one.
    ///
    /// # Errors
    /// Where nobody can be told.
    fn say(&mut self, text: &str) -> Result<()>;

    /// Two texts, each under its name, that are to be read beside each other.
    ///
    /// # Errors
    /// Where nobody can be told.
    fn say_beside(&mut self, left: (&str, &str), right: (&str, &str)) -> Result<()>;

    /// What goes on now.
    fn note(&mut self, text: &str);

    /// Whether the person agrees with what was shown last.
    ///
    /// # Errors
    /// Where nobody can be asked.
    fn agrees(&mut self, question: &str) -> Result<bool>;

    /// Who follows a run whose progress is in this figure.
    fn follows(&mut self, run: &RunFolder, figure: &'static str) -> Box<dyn Listener>;

    /// Who follows what is fetched.
    fn pulls(&mut self) -> Box<dyn PullProgress>;
}

/// A tour under way.
pub struct Tour {
    folders: Folders,
    session: SessionInfo,
    model: String,
    overrides: Vec<Override>,
    kept: KeptTour,
}

impl Tour {
    /// Opens the session of the tour, making it where there is none, and the model that is toured with.
    ///
    /// # Errors
    /// Where a session of that name is the user's own, or it can't be made; or the model can't be had.
    pub fn open(order: TourOrder, progress: &mut dyn PullProgress) -> Result<Self> {
        let TourOrder { folders, model, overrides, begin } = order;
        let path = folders.sessions().join(SESSION);
        ensure!(
            !path.join(FILE).is_file() || KeptTour::is_in(&path),
            "the session '{SESSION}' in {} is your own, and a tour needs that name: give yours another one",
            path.display()
        );
        if begin == TourBegin::Anew && path.join(FILE).is_file() {
            sessions::delete(&folders, &path)?;
        }
        hub::resolve(&folders.models(), &model, Network::Allowed, progress)?;
        let session = if path.join(FILE).is_file() {
            sessions::open(&path)?
        } else {
            sessions::create_of_samples(&folders, SESSION, &PARTS, kept::FILE)?
        };
        let kept = KeptTour::load(&session.path)?.with_model(&model)?;
        Ok(Self { folders, session, model, overrides, kept })
    }

    /// Where its session is.
    #[must_use]
    pub fn session(&self) -> &SessionInfo {
        &self.session
    }

    /// What became of a step so far.
    #[must_use]
    pub fn taken(&self, step: &TourStep) -> Option<&TakenStep> {
        self.kept.taken.iter().find(|taken| taken.step == step.name)
    }

    /// Takes a step and keeps what came of it. What goes wrong in it is its outcome.
    ///
    /// # Errors
    /// [`TourStopped`], or where what came of it can't be kept.
    pub fn take(&mut self, step: &TourStep, host: &mut dyn TourHost) -> Result<TakenStep> {
        let begun = Instant::now();
        let (outcome, told) = match (step.run)(self, host) {
            Ok(told) => (StepOutcome::Done, told),
            Err(error) if error.is::<TourStopped>() => return Err(error),
            Err(error) => (StepOutcome::Failed, format!("{error:#}")),
        };
        let seconds = begun.elapsed().as_secs_f64();
        self.keep(TakenStep { step: step.name.to_owned(), outcome, seconds, told })
    }

    /// Leaves a step out.
    ///
    /// # Errors
    /// Where that can't be kept.
    pub fn skip(&mut self, step: &TourStep) -> Result<TakenStep> {
        let told = "left out".to_owned();
        self.keep(TakenStep { step: step.name.to_owned(), outcome: StepOutcome::Skipped, seconds: 0.0, told })
    }

    fn keep(&mut self, taken: TakenStep) -> Result<TakenStep> {
        self.kept.keep(&self.session.path, taken.clone())?;
        Ok(taken)
    }

    fn data(&self) -> PathBuf {
        self.session.path.join("data.jsonl")
    }

    fn run(&self, name: &str) -> RunFolder {
        RunFolder::new(self.session.runs().join(name))
    }
}
