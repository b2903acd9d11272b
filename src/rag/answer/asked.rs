//! A conversation that asks a library something, and which passages are worth an answer. One path for the shell, the
//! Chat pane and the server; the words of the prompt are a file's, which others read.

use super::ShownPassage;
use crate::domain::inline_thought;
use crate::domain::message::{Message, Role};
use crate::domain::retrieval::FoundPassage;

/// What is said when nothing in the library is near a question; the prompt asks models for the same words.
pub const NOT_THERE: &str = "Not in the documents.";

/// Tokens of a question that a model makes to stand alone.
pub const QUESTION_TOKENS: usize = 64;

/// A passage is near a question from this cosine on: those that answer one have 0.3 and more with sentence models, those
/// about other things 0.1.
const NEAR: f32 = 0.2;
/// Or from this score of BM25 on, which two seldom words in common have: a name or a number is a word, not a meaning.
const WORDS: f32 = 4.0;
/// Turns of the conversation that go with a question at most.
const HISTORY: usize = 6;
/// Characters of a rewritten question at most: a longer one is an answer or a speech.
const LONGEST_QUESTION: usize = 600;

/// What a model is asked, and the passages that it sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerPrompt {
    pub messages: Vec<Message>,
    pub shown: Vec<ShownPassage>,
}

/// A conversation whose last turn is a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedConversation {
    /// What the model is told before everything else.
    pub own: Vec<Message>,
    /// What was said before the question.
    pub history: Vec<Message>,
    pub question: String,
}

impl AskedConversation {
    /// Nothing if its last turn isn't a person's.
    #[must_use]
    pub fn of(messages: &[Message]) -> Option<Self> {
        let (last, before) = messages.split_last().filter(|(last, _)| last.role == Role::User)?;
        let is_own = |turn: &&Message| matches!(turn.role, Role::System | Role::Developer);
        Some(Self {
            own: before.iter().filter(is_own).cloned().collect(),
            history: before.iter().filter(|turn| !is_own(turn)).cloned().collect(),
            question: last.content.clone(),
        })
    }

    /// A prompt under what the model is told before everything else.
    #[must_use]
    pub fn under_own(&self, mut prompt: Vec<Message>) -> Vec<Message> {
        let own: Vec<&str> = self.own.iter().map(|turn| turn.content.as_str()).collect();
        let Some(first) = self.own.first() else { return prompt };
        match prompt.first_mut().filter(|turn| turn.role == Role::System) {
            Some(head) => head.content = format!("{}\n\n{}", own.join("\n\n"), head.content),
            None => prompt.insert(0, Message::new(first.role, own.join("\n\n"))),
        }
        prompt
    }
}

/// Tokens that a prompt with passages may have: no more than `most`, and so few that an answer fits after it. A long
/// answer may take half of the context at most.
#[must_use]
pub fn prompt_budget(context: usize, answer: usize, most: usize) -> usize {
    context.saturating_sub(answer.min(context / 2)).min(most)
}

/// The question that a model made to stand alone, or the one that was asked if it made none, or one about something else:
/// small models answer instead, or go on about what was said before.
#[must_use]
pub fn standing_alone<'q>(written: &'q str, question: &'q str) -> &'q str {
    let said = inline_thought::behind(written);
    let line = said.trim().lines().next().unwrap_or_default().trim().trim_matches('"').trim();
    let is_question = !line.is_empty()
        && line.chars().count() <= LONGEST_QUESTION
        && !inline_thought::MARKS.iter().any(|(mark, _)| line.starts_with(mark))
        && keeps_words(line, question);
    if is_question { line } else { question }
}

/// Whether at least half of a question's own words are in another; the endings of long words may differ. Short words may
/// go, and so may those of a language that is written without spaces.
fn keeps_words(written: &str, question: &str) -> bool {
    let written = written.to_lowercase();
    let stem = |word: &str| -> String {
        let letters: Vec<char> = word.chars().collect();
        let kept = if letters.len() > 5 { letters.len() - 2 } else { letters.len() };
        letters.into_iter().take(kept).collect()
    };
    let lower = question.to_lowercase();
    if lower.split_whitespace().nth(1).is_none() {
        return true;
    }
    let words: Vec<String> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.chars().count() > 3 || word.chars().any(|letter| letter.is_ascii_digit()))
        .filter(|word| !EMPTY.contains(word))
        .map(stem)
        .collect();
    let kept = words.iter().filter(|word| written.contains(word.as_str())).count();
    kept * 2 >= words.len()
}

/// English words that stand for others or for none.
const EMPTY: [&str; 20] = [
    "about", "does", "have", "into", "more", "than", "that", "their", "them", "then", "there", "these",
    "they", "this", "those", "what", "when", "where", "which", "with",
];

/// The passages that are near enough to a question to be worth an answer: what is about other things misleads a model.
/// Without embeddings a word in common is all that is known.
#[must_use]
pub fn near(passages: Vec<FoundPassage>) -> Vec<FoundPassage> {
    if passages.iter().all(|passage| passage.dense.is_none()) {
        return passages;
    }
    let is_near = |passage: &FoundPassage| {
        passage.dense.is_some_and(|place| place.score >= NEAR)
            || passage.bm25.is_some_and(|place| place.score >= WORDS)
    };
    passages.into_iter().filter(is_near).collect()
}

/// The last turns of a conversation that people and models spoke, beginning with a question.
#[must_use]
pub fn recent(history: &[Message]) -> &[Message] {
    let from = history.len().saturating_sub(HISTORY);
    from_a_question(history.get(from..).unwrap_or_default())
}

/// A conversation without its first question and the answer to it.
#[must_use]
pub fn without_the_oldest(history: &[Message]) -> &[Message] {
    from_a_question(history.get(1..).unwrap_or_default())
}

fn from_a_question(turns: &[Message]) -> &[Message] {
    let first = turns.iter().position(|turn| turn.role == Role::User).unwrap_or(turns.len());
    turns.get(first..).unwrap_or_default()
}
