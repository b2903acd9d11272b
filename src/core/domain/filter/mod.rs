//! The filter language, as a tree that can't be wrong: `status:approved tokens>300 -tag:physics "broadcast domain"`.
//!
//! Terms beside each other must all hold; `OR` (or `|`) joins alternatives, `-` (or `NOT`) turns a term round,
//! parentheses group. Keywords and names of fields count in any case; in quotes they are words: `"or"`. Knows no
//! database: the session turns a tree into a query, panes show [`FilterError`] under the line.

mod complete;
mod explain;
mod operator;
mod parse;
mod so_far;
mod values;

use std::fmt;
use std::ops::Range;

use crate::domain::record::{RecordId, Status};

pub use complete::{Suggestion, Vocabulary, complete};
pub use explain::{explain, passed_over};
pub use parse::parse;
pub use so_far::{goes_on, so_far};

/// Which records are meant.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Filter {
    #[default]
    Everything,
    Term(Term),
    Not(Box<Filter>),
    And(Vec<Filter>),
    Or(Vec<Filter>),
}

impl Filter {
    /// Words and phrases that a match contains, for highlighting; turned-round terms have none.
    #[must_use]
    pub fn highlights(&self) -> Vec<Highlight> {
        let mut found = Vec::new();
        self.collect_highlights(&mut found);
        found
    }

    /// Whether it says anything of a property.
    #[must_use]
    pub fn speaks_of(&self, property: Property) -> bool {
        self.has(&|term| *term == Term::Is(property))
    }

    /// Whether it says anything of a person's verdicts.
    #[must_use]
    pub fn speaks_of_status(&self) -> bool {
        self.has(&|term| matches!(term, Term::Status(_)))
    }

    /// Whether it says anything of the split: then records are asked for by it.
    #[must_use]
    pub fn speaks_of_split(&self) -> bool {
        self.has(&|term| matches!(term, Term::Split(_)))
    }

    /// Whether a term is somewhere in it.
    fn has(&self, is: &dyn Fn(&Term) -> bool) -> bool {
        match self {
            Self::Term(term) => is(term),
            Self::Not(inside) => inside.has(is),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.has(is)),
            Self::Everything => false,
        }
    }

    fn collect_highlights(&self, found: &mut Vec<Highlight>) {
        match self {
            Self::Term(Term::Text(words)) => found.push(Highlight::Words(words.clone())),
            Self::Term(Term::Regex(pattern)) => found.push(Highlight::Pattern(pattern.clone())),
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.collect_highlights(found);
                }
            }
            Self::Everything | Self::Term(_) | Self::Not(_) => {}
        }
    }
}

/// What to highlight in a matching record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Highlight {
    Words(Words),
    Pattern(Pattern),
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    Status(Vec<Status>),
    /// One of these names, or none at all where the list holds `None`.
    Split(Vec<Option<String>>),
    Label(Vec<Option<String>>),
    /// Bears this tag; `None`: bears no tag.
    Tag(Option<String>),
    /// The source's name contains this, in any case.
    Source(String),
    /// A finding of `dojo data check` of this name.
    Check(String),
    /// Reads like this record.
    Like(RecordId),
    Number(NumberField, Bounds),
    Is(Property),
    /// An imported column equals this value.
    Field {
        column: String,
        value: String,
    },
    Text(Words),
    Regex(Pattern),
}

/// A word or a phrase, matched as whole words in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub text: String,
    /// Whether the last word may go on: `therm*`.
    pub end: WordEnd,
}

impl Words {
    /// Whether it is written without spaces between words (Chinese, Japanese, Thai, ...) or with endings that cling to
    /// them (Korean): then it is found wherever it stands, also within a longer run.
    #[must_use]
    pub fn stands_anywhere(&self) -> bool {
        self.text.chars().any(|sign| {
            sign.is_alphanumeric()
                && matches!(u32::from(sign),
                    0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x2E80..=0x9FFF | 0xAC00..=0xD7AF
                    | 0xF900..=0xFAFF | 0xFF66..=0xFF9F | 0x2_0000..=0x3_FFFF)
        })
    }
}

/// Where a word must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordEnd {
    Whole,
    Prefix,
}

/// A regular expression that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    source: String,
    case: Case,
}

/// Whether letters' case counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Counts,
    Ignored,
}

impl Pattern {
    /// # Errors
    /// What is wrong with the expression, in one line.
    pub fn new(source: &str, case: Case) -> Result<Self, String> {
        let pattern = Self { source: source.to_owned(), case };
        pattern.compiled().map(|_| pattern)
    }

    /// The expression, compiled; memory is bounded, so one that is too large is refused.
    ///
    /// # Errors
    /// What is wrong with the expression, in one line.
    pub fn compiled(&self) -> Result<regex::Regex, String> {
        regex::RegexBuilder::new(&self.source)
            .case_insensitive(self.case == Case::Ignored)
            .multi_line(true)
            .size_limit(4 << 20)
            .build()
            .map_err(|error| short_reason(&error))
    }

    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    #[must_use]
    pub const fn case(&self) -> Case {
        self.case
    }
}

fn short_reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "this expression is too large".to_owned(),
        regex::Error::Syntax(text) => {
            let last = text.lines().last().unwrap_or_default();
            format!("not a regular expression: {}", last.trim_start_matches("error: "))
        }
        other => other.to_string(),
    }
}

/// Fields that are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberField {
    Id,
    Line,
    Tokens,
    Characters,
    Score,
    Turns,
}

impl NumberField {
    pub const ALL: [Self; 6] =
        [Self::Id, Self::Line, Self::Tokens, Self::Characters, Self::Score, Self::Turns];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Line => "line",
            Self::Tokens => "tokens",
            Self::Characters => "chars",
            Self::Score => "score",
            Self::Turns => "turns",
        }
    }
}

/// From where to where a number may be; `None` is no bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub low: Option<Edge>,
    pub high: Option<Edge>,
}

/// One end of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    Included(f64),
    Excluded(f64),
}

/// Things that a record is or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Its content was changed since it was imported.
    Edited,
    /// An equal row exists with a smaller number.
    Duplicate,
    /// A preference pair.
    Preference,
    /// It has a label.
    Labelled,
    /// It has at least one tag.
    Tagged,
    /// Its tokens have been counted.
    Counted,
    /// An edit of it was begun and not saved.
    Draft,
}

impl Property {
    pub const ALL: [Self; 7] = [
        Self::Edited,
        Self::Duplicate,
        Self::Preference,
        Self::Labelled,
        Self::Tagged,
        Self::Counted,
        Self::Draft,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Duplicate => "duplicate",
            Self::Preference => "preference",
            Self::Labelled => "labelled",
            Self::Tagged => "tagged",
            Self::Counted => "counted",
            Self::Draft => "draft",
        }
    }
}

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Bytes of the line that are meant; always on character borders and within the line, empty at its end.
    pub span: Range<usize>,
    /// What is wrong and what to do, in one sentence.
    pub message: String,
}

impl FilterError {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// The line with a caret under what is wrong, for terminals.
    #[must_use]
    pub fn pointed(&self, line: &str) -> String {
        let before = line.get(..self.span.start).unwrap_or(line).chars().count();
        let width = line.get(self.span.clone()).map_or(1, |text| text.chars().count()).max(1);
        format!("{line}\n{}{} {}", " ".repeat(before), "^".repeat(width), self.message)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (at character {})", self.message, self.span.start + 1)
    }
}

impl std::error::Error for FilterError {}

/// Names of fields that take words, in the order in which they are suggested.
pub(super) const WORD_FIELDS: [&str; 8] =
    ["status", "split", "label", "tag", "source", "check", "is", "like"];
