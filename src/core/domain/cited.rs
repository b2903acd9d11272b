//! An answer from passages: which were shown, which it cites, and what of it is in none of them. Plain data.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::domain::message::Message;
use crate::domain::retrieval::FoundPassage;

/// A number that stands for a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    pub number: u32,
    /// Bytes of the answer, the brackets among them.
    pub at: Range<usize>,
    /// Whether there is a passage of this number.
    pub exists: bool,
}

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerSentence {
    /// Bytes of the answer.
    pub at: Range<usize>,
    pub ground: SentenceGround,
    /// The share of its terms (stemmed, without stop words) that the passage has which has most of them, 0 to 1.
    pub share: f32,
}

/// Whether a sentence's words are in the passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentenceGround {
    /// A passage has enough of them.
    Found,
    /// No passage has.
    Missing,
    /// It says too little to tell.
    TooShort,
}

/// An answer held against the passages that it was given from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CheckedAnswer {
    pub citations: Vec<Citation>,
    pub sentences: Vec<AnswerSentence>,
    /// Numbers of the passages that it cites, each once, ascending.
    pub cited: Vec<u32>,
}

impl CheckedAnswer {
    /// Numbers that point nowhere.
    pub fn dangling(&self) -> impl Iterator<Item = &Citation> {
        self.citations.iter().filter(|citation| !citation.exists)
    }

    /// Sentences whose words are in none of the passages.
    pub fn ungrounded(&self) -> impl Iterator<Item = &AnswerSentence> {
        self.sentences.iter().filter(|sentence| sentence.ground == SentenceGround::Missing)
    }

    /// Sentences of an answer that say something and cite nothing. A number after a sentence's full stop is that
    /// sentence's.
    pub fn uncited<'a>(&'a self, answer: &'a str) -> impl Iterator<Item = &'a AnswerSentence> {
        let nexts = self.sentences.iter().skip(1).map(Some).chain([None]);
        let with_next = self.sentences.iter().zip(nexts);
        with_next
            .filter(|(own, next)| {
                let from = self.end_of_leading_citations(own.at.start, answer);
                let to = next.map_or(answer.len(), |next| {
                    self.end_of_leading_citations(next.at.start, answer).max(own.at.end)
                });
                let is_here = |citation: &Citation| (from..to).contains(&citation.at.start);
                own.ground != SentenceGround::TooShort && !self.citations.iter().any(is_here)
            })
            .map(|(own, _)| own)
    }

    /// Where the citations that begin at a place end, with nothing but spaces between them.
    fn end_of_leading_citations(&self, place: usize, answer: &str) -> usize {
        let mut end = place;
        for citation in self.citations.iter().filter(|citation| citation.at.start >= place) {
            let between = answer.get(end..citation.at.start);
            if citation.at.start >= end && between.is_none_or(|between| !between.trim().is_empty()) {
                break;
            }
            end = end.max(citation.at.end);
        }
        end
    }
}

/// What a chat's answer was given from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AnswerSources {
    /// What was searched for: the question, made to stand alone if it followed others.
    pub question: String,
    /// What the model read, passages and all: a record of the answer teaches to answer from passages.
    #[serde(default)]
    pub asked: Vec<Message>,
    /// The passages that the model saw, by their numbers from 1.
    pub passages: Vec<FoundPassage>,
    /// Passages that were found and didn't fit the prompt.
    pub left_out: usize,
    /// How long finding them took.
    pub milliseconds: f64,
    /// Of the library's documents, as the answer's words are read (ISO 639-1).
    #[serde(default)]
    pub languages: Vec<String>,
    /// None while the answer is written.
    pub checked: Option<CheckedAnswer>,
}

/// What a person wants of a document in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceMark {
    /// It is always looked in, and its passages come first.
    Pinned,
    /// It is never looked in.
    Excluded,
}

impl SourceMark {
    pub const ALL: [Self; 2] = [Self::Pinned, Self::Excluded];

    /// As the database keeps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Excluded => "excluded",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.name() == name)
    }
}

/// Documents with what a person wants of them in a chat, by their sources.
pub type SourceMarks = BTreeMap<String, SourceMark>;

/// Whether a chat's answers are from the library's passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LibraryUse {
    pub on: bool,
    /// Passages of a question at most.
    pub top: usize,
}

impl Default for LibraryUse {
    fn default() -> Self {
        Self { on: false, top: 5 }
    }
}
