//! What some rewards need and can't have of their own: a tokenizer, a model for embeddings, a judge, leave to run a
//! program. Whoever has one hands it in; a reward that lacks its own does not apply, and says so.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

/// Counts tokens as the model that trains does.
pub trait TokenCounter: Send + Sync {
    /// # Errors
    /// Where the text can't be tokenised.
    fn count(&self, text: &str) -> Result<usize>;
}

/// Turns sentences into vectors of length 1.
pub trait SentenceVectors: Send + Sync {
    /// The model's name, for messages.
    fn name(&self) -> String;

    /// One vector for each text, in their order.
    ///
    /// # Errors
    /// Where the model can't read a text.
    fn vectors(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>>;
}

/// Whether a hypothesis follows from a premise.
#[derive(Debug, Clone, PartialEq)]
pub struct Entailment {
    /// 0 to 1; a judge that only says yes or no gives 1 or 0.
    pub probability: f64,
    /// The judge's reasons, if it gives any.
    pub why: String,
}

/// A judge of natural language inference.
pub trait EntailmentJudge: Send + Sync {
    fn name(&self) -> String;

    /// A judgement for each (premise, hypothesis), in their order; an error where one could not be had.
    fn judge(&self, pairs: &[(&str, &str)]) -> Vec<Result<Entailment>>;
}

/// What is asked of a judge of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grading {
    pub question: String,
    pub answer: String,
    /// A good answer to compare with, if there is one.
    pub reference: Option<String>,
    /// What counts, in words.
    pub criteria: String,
}

/// A judge's word on an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// 1 to 5.
    pub score: u8,
    pub why: String,
}

/// A judge of answers.
pub trait AnswerJudge: Send + Sync {
    fn name(&self) -> String;

    /// A grade for each, in their order; an error where one could not be had.
    fn grade(&self, asked: &[Grading]) -> Vec<Result<Grade>>;
}

/// Whether programs that a task names may run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Programs {
    /// None may, for this reason.
    Refused(String),
    /// Those of a folder that the user trusts; they run in it.
    Trusted { folder: PathBuf },
    /// Nobody was asked.
    #[default]
    Unasked,
}

/// Everything that was handed in.
#[derive(Clone, Default)]
pub struct Helpers {
    pub tokens: Option<Arc<dyn TokenCounter>>,
    pub vectors: Option<Arc<dyn SentenceVectors>>,
    pub entailment: Option<Arc<dyn EntailmentJudge>>,
    pub judge: Option<Arc<dyn AnswerJudge>>,
    pub programs: Programs,
}
