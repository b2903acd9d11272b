//! Conversations with a model: a tree of turns, so that an edited question or another answer is a branch and nothing
//! is lost.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::cited::{AnswerSources, LibraryUse, SourceMarks};
use crate::domain::message::{Message, Role};
use crate::domain::record::RecordId;

/// A chat's number within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatId(pub i64);

/// A turn's number within its session; later turns have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(pub i64);

/// Who answers: a base model, or an adapter on its base model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answerer {
    /// As the screen says it.
    pub name: String,
    /// The base model's name or path; an adapter's own folder says it where this is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The adapter's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<PathBuf>,
}

/// How tokens are chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatSampling {
    /// 0 is greedy.
    pub temperature: f32,
    pub top_p: f32,
    /// 0 is all.
    pub top_k: usize,
    pub min_p: f32,
    pub repetition_penalty: f32,
    /// Tokens of an answer at most.
    pub max_tokens: usize,
    /// Of the first answer to a question; each further one takes the next.
    pub seed: u64,
}

impl Default for ChatSampling {
    fn default() -> Self {
        Self {
            temperature: 0.7,
            top_p: 0.95,
            top_k: 0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            max_tokens: 512,
            seed: 0,
        }
    }
}

/// Whether the names of two answerers are hidden until the vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswererNames {
    #[default]
    Shown,
    Hidden,
}

/// Who answers a chat, and how.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    pub system: String,
    pub left: Answerer,
    /// The second column, where two answer side by side.
    pub right: Option<Answerer>,
    pub names: AnswererNames,
    pub sampling: ChatSampling,
    /// Whether answers are from the library.
    pub library: LibraryUse,
}

/// Which column an answer was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    #[default]
    Left,
    Right,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub id: TurnId,
    /// What it continues; none at the beginning.
    pub parent: Option<TurnId>,
    pub role: Role,
    pub side: Side,
    pub content: String,
    /// Who answered: an [`Answerer`]'s name; empty for a person's turn.
    pub by: String,
    /// How the answer ended; none while it is written, or where the program was ended meanwhile.
    pub outcome: Option<AnswerOutcome>,
}

/// How an answer ended, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerOutcome {
    pub why: Why,
    pub prompt_tokens: usize,
    /// Of those, taken from the cache.
    pub cached_tokens: usize,
    pub tokens: usize,
    /// 0 where it is too short to tell.
    pub tokens_per_second: f64,
    pub first_token_seconds: f64,
    /// Tokens that the model's context holds.
    pub context: usize,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The model ended it.
    End,
    /// As many tokens as were asked for.
    Length,
    /// The context is full.
    Context,
    /// The person stopped it.
    Stopped,
    /// One sentence.
    Failed(String),
}

/// A person's word on two answers to the same turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    Left,
    Right,
    Tie,
    BothBad,
}

impl Vote {
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Tie, Self::BothBad];

    /// As the database keeps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Tie => "tie",
            Self::BothBad => "both_bad",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vote| vote.name() == name)
    }
}

/// What became of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// A record as it is.
    Good,
    /// A reflection with the person's correction, and a record of it.
    Corrected,
}

impl Keep {
    /// As the database keeps it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Corrected => "corrected",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Good, Self::Corrected].into_iter().find(|keep| keep.name() == name)
    }
}

/// An answer that was kept, and its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptAnswer {
    pub how: Keep,
    pub record: RecordId,
}

/// What a person decided in a chat. A later word on the same answers takes an earlier one's place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions {
    /// By left and right answer.
    pub votes: BTreeMap<(TurnId, TurnId), Vote>,
    /// Answers whose records are still there.
    pub kept: BTreeMap<TurnId, KeptAnswer>,
    /// Documents that the next questions are always, or never, answered from.
    pub sources: SourceMarks,
    /// What undo takes back first, in words; none when nothing is left.
    pub last: Option<String>,
}

/// Where a text is being written that was not sent or kept yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DraftPlace {
    /// The next question.
    Question,
    /// An earlier question, being changed.
    Edit(TurnId),
    /// The correction of an answer.
    Correction(TurnId),
    System,
}

/// A chat in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatSummary {
    pub id: ChatId,
    /// The beginning of the first question, or what a person called it.
    pub title: String,
    pub turns: usize,
    /// Milliseconds since 1970, of the last turn.
    pub at: i64,
    /// What a search found, in its surroundings; empty without one.
    pub found: String,
    /// Drafts that wait in it.
    pub drafts: usize,
}

/// A chat, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    pub id: ChatId,
    pub title: String,
    pub setup: Setup,
    pub turns: BTreeMap<TurnId, Turn>,
    /// The last turn shown in each column; the right one only where two answer side by side.
    pub heads: [Option<TurnId>; 2],
    pub decisions: Decisions,
    /// By answer, what it was given from.
    pub sources: BTreeMap<TurnId, AnswerSources>,
}

impl Chat {
    /// The turns from the first to this one.
    #[must_use]
    pub fn path(&self, head: Option<TurnId>) -> Vec<&Turn> {
        let mut path = Vec::new();
        let mut next = head;
        while let Some(turn) = next.and_then(|id| self.turns.get(&id)) {
            path.push(turn);
            // A parent is always older: a damaged row can't make this go round.
            next = turn.parent.filter(|parent| *parent < turn.id);
        }
        path.reverse();
        path
    }

    /// The conversation up to and with this turn, as a model reads it.
    #[must_use]
    pub fn messages(&self, head: Option<TurnId>) -> Vec<Message> {
        let system = (!self.setup.system.trim().is_empty())
            .then(|| Message::new(Role::System, self.setup.system.clone()));
        let turns = self.path(head).into_iter().map(|turn| Message::new(turn.role, turn.content.clone()));
        system.into_iter().chain(turns).collect()
    }

    /// Turns that continue the same turn as this one, itself among them, oldest first: for a person's turn all of
    /// them, for an answer those of its column.
    #[must_use]
    pub fn siblings(&self, turn: &Turn) -> Vec<TurnId> {
        let same = |other: &&Turn| {
            other.parent == turn.parent
                && other.role == turn.role
                && (self.heads[1].is_none() || turn.role == Role::User || other.side == turn.side)
        };
        self.turns.values().filter(same).map(|other| other.id).collect()
    }

    /// The newest turn below this one, or itself.
    #[must_use]
    pub fn newest_below(&self, turn: TurnId) -> TurnId {
        // Later turns have greater numbers: the last one that names a parent is its newest.
        let newest: BTreeMap<TurnId, TurnId> = self
            .turns
            .range(turn..)
            .filter_map(|(id, child)| Some((child.parent.filter(|parent| parent < id)?, *id)))
            .collect();
        let mut at = turn;
        while let Some(child) = newest.get(&at) {
            at = *child;
        }
        at
    }

    /// The two answers that stand side by side at the end of the columns, where they answer the same turn.
    #[must_use]
    pub fn pair(&self) -> Option<(&Turn, &Turn)> {
        let of = |head: Option<TurnId>| head.and_then(|id| self.turns.get(&id));
        let (left, right) = (of(self.heads[0])?, of(self.heads[1])?);
        let answers = left.role == Role::Assistant && right.role == Role::Assistant;
        (answers && left.id != right.id && left.parent == right.parent).then_some((left, right))
    }

    /// What the next question continues in each column: the better answer of a pair in both, so that the next two
    /// answer the same turns again; else each column goes on by itself.
    #[must_use]
    pub fn ends(&self) -> [Option<TurnId>; 2] {
        let Some((left, right)) = self.pair() else {
            return [self.heads[0], self.heads[1].or(self.heads[0])];
        };
        match self.decisions.votes.get(&(left.id, right.id)) {
            Some(Vote::Left | Vote::Tie | Vote::BothBad) => [Some(left.id); 2],
            Some(Vote::Right) => [Some(right.id); 2],
            None => [Some(left.id), Some(right.id)],
        }
    }

    /// What was decided about an answer, from whichever side.
    #[must_use]
    pub fn vote_on(&self, turn: TurnId) -> Option<Vote> {
        let mut votes = self.decisions.votes.iter();
        votes.find(|((left, right), _)| *left == turn || *right == turn).map(|(_, vote)| *vote)
    }
}

/// The texts between code fences, in order.
#[must_use]
pub fn code_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<Vec<&str>> = None;
    for line in text.split('\n') {
        if line.trim_start().starts_with("```") {
            match open.take() {
                Some(lines) => blocks.push(lines.join("\n")),
                None => open = Some(Vec::new()),
            }
        } else if let Some(lines) = &mut open {
            lines.push(line);
        }
    }
    blocks.extend(open.filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")));
    blocks
}
