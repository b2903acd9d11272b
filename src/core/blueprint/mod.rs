//! Blueprints: how a domain is thought, and what is to be written of it. Read from TOML with every mistake named, and
//! sampled to a plan by a seed. Knows no teacher and no session.

mod check;
mod columns;
mod parse;
mod parse_columns;
mod plan;
mod reader;
mod shipped;
mod template;

use crate::domain::recipe::Issue;
use crate::domain::reward::RewardUse;

pub use check::{QUESTION, section_key};
pub use columns::{Choice, Column, ColumnParent};
pub use plan::{CellDraws, CellIndex, Seed, SeedOrder, cell_counts};
pub use shipped::{EXAMPLE, SHIPPED, find};

/// Stages that a subtopic goes through.
pub const EVOLUTIONS: usize = 4;

/// A blueprint, checked: its templates name what there is, and its columns depend on each other without circles.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    pub name: String,
    /// What the domain is, in a sentence or two.
    pub domain: String,
    pub language: Language,
    pub principles: Principles,
    /// The systems map: its core topic, four stages, and the subtopics that go through them.
    pub topic: String,
    pub evolutions: Vec<Evolution>,
    pub subtopics: Vec<Subtopic>,
    pub forms: Vec<Form>,
    pub voice: String,
    pub constraints: Vec<String>,
    /// Each after the one that it depends on.
    pub columns: Vec<Column>,
    /// Examples, if nobody says another number.
    pub count: u64,
    pub seed: u64,
    /// The share of word triples from which on two answers are near-duplicates.
    pub near_duplicate: f64,
    /// Rewards that each example has to reach [`Self::least_reward`] with; a program of one's own among them.
    pub rewards: Vec<RewardUse>,
    pub least_reward: f64,
    /// The beginning of a hash of the file: what was written under another one is told apart.
    pub version: String,
}

/// How the domain is thought: the first-principles frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Principles {
    pub final_principle: String,
    pub explanatory: String,
    pub core_logic: String,
    pub compression: String,
}

/// One stage of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Evolution {
    pub name: String,
    pub about: String,
    pub weight: f64,
}

/// One part of the domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Subtopic {
    pub name: String,
    pub about: String,
    pub weight: f64,
    /// What each stage is in this subtopic; empty, or four.
    pub evolutions: Vec<String>,
}

/// A form that an answer has.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    pub name: String,
    pub weight: f64,
    /// What the user asks, one of these for each example; the teacher writes the question where there is none.
    pub ask: Vec<String>,
    /// What the teacher is told to write.
    pub write: String,
    pub body: FormBody,
    /// Words that the whole answer has, at least and at most.
    pub words: Option<(u64, u64)>,
}

/// What an answer is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum FormBody {
    /// Plain text.
    Text,
    /// Parts under these headings, in this order.
    Sections(Vec<String>),
    /// A JSON value of this schema.
    Json(serde_json::Value),
}

/// A language that answers are checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// ISO 639-1, as blueprints write it.
    pub code: &'static str,
    /// ISO 639-3.
    pub long_code: &'static str,
    pub name: &'static str,
}

const fn language(code: &'static str, long_code: &'static str, name: &'static str) -> Language {
    Language { code, long_code, name }
}

/// Languages that a blueprint can be in; the first is meant where none is named.
pub const LANGUAGES: [Language; 16] = [
    language("en", "eng", "English"),
    language("cs", "ces", "Czech"),
    language("da", "dan", "Danish"),
    language("de", "deu", "German"),
    language("es", "spa", "Spanish"),
    language("fi", "fin", "Finnish"),
    language("fr", "fra", "French"),
    language("it", "ita", "Italian"),
    language("ja", "jpn", "Japanese"),
    language("ko", "kor", "Korean"),
    language("nl", "nld", "Dutch"),
    language("pl", "pol", "Polish"),
    language("pt", "por", "Portuguese"),
    language("ru", "rus", "Russian"),
    language("sv", "swe", "Swedish"),
    language("zh", "cmn", "Chinese"),
];

/// Why a blueprint was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct BlueprintError {
    /// The file's name.
    pub origin: String,
    /// At least one.
    pub issues: Vec<Issue>,
}

impl std::error::Error for BlueprintError {}

impl std::fmt::Display for BlueprintError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, issue) in self.issues.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            match issue.line {
                Some(line) => write!(out, "{separator}{}, line {line}: {}", self.origin, issue.message)?,
                None => write!(out, "{separator}{}: {}", self.origin, issue.message)?,
            }
        }
        Ok(())
    }
}

impl Blueprint {
    /// Reads a blueprint; `origin` is the file's name, for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line and its key.
    pub fn parse(text: &str, origin: &str) -> Result<Self, BlueprintError> {
        parse::parse(text).map_err(|issues| BlueprintError { origin: origin.to_owned(), issues })
    }

    /// Cells of the map: subtopics by stages by forms.
    #[must_use]
    pub const fn cell_count(&self) -> usize {
        self.subtopics.len() * self.evolutions.len() * self.forms.len()
    }
}
