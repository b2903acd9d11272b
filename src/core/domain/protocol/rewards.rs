//! The reward bench: completions scored as they are typed, whole datasets, and two versions of a reward side by side.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::reward::RewardTotal;
use crate::domain::reward_scores::{DatasetScores, VersionComparison};

/// Names what was opened; answers carry it, so that a stale one is told apart. Greater ones are newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BenchId(pub u64);

/// Names a completion that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TryId(pub u64);

/// Which rewards, and of which rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BenchOrder {
    /// A task's name, or its file.
    pub task: String,
    /// Another version, which scores the same completions.
    pub against: Option<String>,
    pub embedder: Option<String>,
    pub judge: Option<String>,
    pub tokenizer: Option<String>,
    /// A file or folder; nothing means the records of the open session with their own answers.
    pub data: Option<PathBuf>,
    /// `part=column`.
    pub map: Vec<String>,
    pub completions: BenchCompletions,
}

/// Whose completions the rows of a file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BenchCompletions {
    #[default]
    OfColumn,
    /// The records' own answers.
    Reference,
}

/// What asks for the records' own answers, here as in the shell.
const REFERENCE: &str = "--reference-answers";

impl BenchOrder {
    /// Reads the two lines that a person types: `TASK [OTHER] [--embedder MODEL] [--judge NAME] [--tokenizer MODEL]`, and
    /// `FILE [PART=COLUMN]... [--reference-answers]`, or nothing for the session's records.
    ///
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn parse(task: &str, data: &str) -> Result<Self, String> {
        let mut order = Self::default();
        let mut words = task.split_whitespace();
        let mut tasks = Vec::new();
        while let Some(word) = words.next() {
            let place = match word {
                "--embedder" => &mut order.embedder,
                "--judge" => &mut order.judge,
                "--tokenizer" => &mut order.tokenizer,
                _ if word.starts_with('-') => {
                    return Err(format!(
                        "{word:?} is not known: there are --embedder, --judge and --tokenizer"
                    ));
                }
                _ => {
                    tasks.push(word.to_owned());
                    continue;
                }
            };
            let name = words.next().ok_or_else(|| format!("{word} needs a name after it"))?;
            *place = Some(name.to_owned());
        }
        let mut tasks = tasks.into_iter();
        order.task = tasks.next().ok_or("name a task, and another one to compare it with")?;
        order.against = tasks.next();
        if let Some(more) = tasks.next() {
            return Err(format!("two versions are compared at most, and {more:?} is a third"));
        }
        let mut path: Vec<&str> = Vec::new();
        for word in data.split_whitespace() {
            if word == REFERENCE {
                order.completions = BenchCompletions::Reference;
            } else if word.contains('=') {
                order.map.push(word.to_owned());
            } else {
                path.push(word);
            }
        }
        order.data = (!path.is_empty()).then(|| path.join(" ").into());
        if order.data.is_none() && !order.map.is_empty() {
            return Err("name the file whose columns these are".to_owned());
        }
        Ok(order)
    }
}

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum RewardsCommand {
    /// Make these rewards, and read these rows.
    Open(BenchId, BenchOrder),
    /// Say what a row asks, and what its completion is.
    Show(BenchId, usize),
    /// Score a completion of a row.
    Try(CompletionTry),
    /// Score the completions of all rows.
    Score(BenchId),
}

/// A completion to score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionTry {
    pub bench: BenchId,
    pub question: TryId,
    /// Of the record that it answers.
    pub row: usize,
    pub completion: String,
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum RewardsEvent {
    Opened(Box<OpenedBench>),
    /// They can't be made or read, or not be scored, for this reason.
    Failed(BenchId, String),
    Shown(Box<ShownRow>),
    Tried(Box<TriedCompletion>),
    Scored(Box<ScoredBench>),
}

/// Rewards that are ready, with their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedBench {
    pub bench: BenchId,
    pub task: String,
    pub against: Option<String>,
    pub rows: usize,
    /// What was taken from which column, in sentences.
    pub taken: Vec<String>,
}

/// A row, as it is read by a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    pub bench: BenchId,
    pub row: usize,
    /// `file:line`.
    pub place: String,
    pub prompt: String,
    pub completion: Option<String>,
}

/// What a completion is worth.
#[derive(Debug, Clone, PartialEq)]
pub struct TriedCompletion {
    pub bench: BenchId,
    pub question: TryId,
    pub total: RewardTotal,
    /// By the other version.
    pub against: Option<RewardTotal>,
}

/// What all completions are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredBench {
    pub bench: BenchId,
    pub scores: Arc<DatasetScores>,
    /// By the other version, and how they differ.
    pub against: Option<(Arc<DatasetScores>, VersionComparison)>,
}
