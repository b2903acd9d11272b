//! Which column plays which part. Found from names and values, changed by the user, remembered by the session.

mod apply;
mod beside;
mod called;
mod calls;
mod columns;
mod detect;
mod excluded;
mod forms;
mod judged;
mod left_out;
mod marks;
mod masks;
mod one_turn;
mod options;
mod options_apart;
mod pairs;
mod per_turn;
mod responses;
mod rivals;
mod rows;
mod splits;
mod thoughts;
mod transcript;
mod turn;
mod turn_mask;
mod turn_weights;
mod unfinished;
mod unused;
mod values;
mod verdicts;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::domain::name::one_line;
use crate::domain::record::Fields;

pub(in crate::data) use excluded::keeps_in;
pub use forms::is_unsaid;
pub(in crate::data) use judged::judged;
pub use left_out::{finds_answer_wrong, left_out};
pub use pairs::learn_chosen;
pub use rows::RowMapping;
pub(in crate::data) use unused::Unused;
pub(in crate::data) use words::{agrees, is_no};

/// The column of our own exports that says how many turns of `messages`, from the first, are a prompt.
pub(in crate::data) const PROMPT_TURNS: &str = "prompt_turns";
/// The key of a turn of our own Parquet exports that holds, as JSON, what the turn has beside role and content.
pub(in crate::data) const TURN_EXTRA: &str = "turn_extra";
/// The columns that describe what the assistant may call, as `OpenAI` names them.
pub(in crate::data) const TOOLS: [&str; 2] = ["tools", "functions"];

/// The column of what a chat template is given beside turns and tools, as TRL names it.
pub(in crate::data) const SETTINGS: &str = "chat_template_kwargs";

/// The part that a column plays in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnPart {
    /// A list of turns, as OpenAI's `messages` or as `ShareGPT`'s `from` and `value`.
    Messages,
    System,
    /// A question or instruction.
    Prompt,
    /// What the instruction is about, laid below it.
    Input,
    /// The answer.
    Completion,
    /// What was thought before the answer.
    Thought,
    Chosen,
    Rejected,
    Premise,
    Hypothesis,
    /// Why the label is right.
    Explanation,
    Label,
    /// Text to train on as it stands.
    Text,
    Split,
    Tags,
    /// Columns that are left out, whatever their names say: several, with commas between. Said by hand only.
    Unused,
}

impl ColumnPart {
    /// Those that one column plays.
    pub const ALL: [Self; 15] = [
        Self::Messages,
        Self::System,
        Self::Prompt,
        Self::Input,
        Self::Completion,
        Self::Thought,
        Self::Chosen,
        Self::Rejected,
        Self::Premise,
        Self::Hypothesis,
        Self::Explanation,
        Self::Label,
        Self::Text,
        Self::Split,
        Self::Tags,
    ];

    /// The name for `--map name=column`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::System => "system",
            Self::Prompt => "prompt",
            Self::Input => "input",
            Self::Completion => "completion",
            Self::Thought => "thought",
            Self::Chosen => "chosen",
            Self::Rejected => "rejected",
            Self::Premise => "premise",
            Self::Hypothesis => "hypothesis",
            Self::Explanation => "explanation",
            Self::Label => "label",
            Self::Text => "text",
            Self::Split => "split",
            Self::Tags => "tags",
            Self::Unused => "unused",
        }
    }
}

/// How to leave a column out, for messages to people.
pub(in crate::data) fn leave_out(column: &str) -> String {
    format!("--map unused={column} (data.map in a recipe) leaves the column out")
}

/// Parts and their columns. A part that was cleared by hand has an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping {
    columns: BTreeMap<ColumnPart, String>,
}

/// What a mapping makes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MappingKind {
    Messages,
    ShareGpt,
    Preference,
    Alpaca,
    PromptCompletion,
    QuestionAnswer,
    QueryExpansion,
    Nli,
    /// Questions without answers.
    Prompts,
    Text,
    /// Nothing that can be trained on: only columns.
    Columns,
}

impl MappingKind {
    /// For people.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::ShareGpt => "ShareGPT conversations",
            Self::Preference => "preference pairs",
            Self::Alpaca => "Alpaca instructions",
            Self::PromptCompletion => "prompt and completion",
            Self::QuestionAnswer => "questions and answers",
            Self::QueryExpansion => "queries and their expansions",
            Self::Nli => "pairs of sentences with a label",
            Self::Prompts => "prompts without answers",
            Self::Text => "plain text",
            Self::Columns => "columns only",
        }
    }
}

impl Mapping {
    /// Finds the mapping from the first rows.
    #[must_use]
    pub fn detect(rows: &[Fields]) -> Self {
        detect::detect(rows)
    }

    /// Reads `part=column`; an empty column clears the part, and `unused=column` leaves a column out.
    ///
    /// # Errors
    /// Where there is no `=` or no such part.
    pub fn set(&mut self, assignment: &str) -> Result<()> {
        let Some((part, column)) = assignment.split_once('=') else {
            bail!("{assignment:?} is no mapping; write part=column, such as prompt=question")
        };
        let name = part.trim();
        let mut all = ColumnPart::ALL.into_iter().chain([ColumnPart::Unused]);
        let Some(part) = all.clone().find(|part| part.name() == name) else {
            let names: Vec<&str> = all.by_ref().map(ColumnPart::name).collect();
            let nearest = names
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
            bail!(
                "{name:?} is no part of a record; did you mean {:?}? There are {}",
                nearest.copied().unwrap_or_default(),
                names.join(", ")
            )
        };
        let column = column.trim();
        // What is learnt as an answer is one of no pair.
        let is_of_pair = self.column(ColumnPart::Chosen) == Some(column)
            || self.column(ColumnPart::Rejected) == Some(column);
        if is_of_pair && [ColumnPart::Completion, ColumnPart::Messages, ColumnPart::Text].contains(&part) {
            self.columns.retain(|other, _| ![ColumnPart::Chosen, ColumnPart::Rejected].contains(other));
        }
        match self.columns.get_mut(&part).filter(|known| part == ColumnPart::Unused && !known.is_empty()) {
            Some(known) if !column.is_empty() => *known = format!("{known},{column}"),
            _ => drop(self.columns.insert(part, column.to_owned())),
        }
        let columns = std::mem::take(&mut self.columns);
        let is_left_out = |name: &str| part == ColumnPart::Unused && is_among(column, name);
        self.columns =
            columns.into_iter().filter(|(other, name)| *other == part || !is_left_out(name)).collect();
        Ok(())
    }

    /// What a person has said of the columns, as `part=column`.
    ///
    /// # Errors
    /// As [`Mapping::set`], and where a part has two columns.
    pub fn by_hand(assignments: &[String]) -> Result<Self> {
        let mut mapping = Self::default();
        for assignment in assignments {
            let before = mapping.clone();
            mapping.set(assignment)?;
            for (part, column) in before.iter().filter(|(part, _)| *part != ColumnPart::Unused) {
                let now = mapping.column(part).unwrap_or(column);
                ensure!(
                    now == column,
                    "the part {:?} is mapped to {column:?} and to {now:?}; keep one of them",
                    part.name()
                );
            }
        }
        Ok(mapping)
    }

    /// Whether a column plays a part, or was left out by hand.
    fn takes(&self, column: &str) -> bool {
        self.columns.iter().any(|(part, own)| match part {
            ColumnPart::Unused => is_among(own, column),
            _ => own == column,
        })
    }

    /// The column that plays a part.
    #[must_use]
    pub fn column(&self, part: ColumnPart) -> Option<&str> {
        self.columns.get(&part).map(String::as_str).filter(|column| !column.is_empty())
    }

    /// All parts with their columns.
    pub fn iter(&self) -> impl Iterator<Item = (ColumnPart, &str)> {
        let columns = self.columns.iter().map(|(part, column)| (*part, column.as_str()));
        columns.filter(|(_, column)| !column.is_empty())
    }

    /// Fails where a column is named that no row has.
    ///
    /// # Errors
    /// Names the column and those that are there.
    pub fn check(&self, rows: &[Fields]) -> Result<()> {
        for (part, column) in self.iter() {
            let is_there = |column: &str| rows.iter().any(|row| row.contains_key(column));
            let known = is_there(column)
                || part == ColumnPart::Unused && column.split(',').all(|column| is_there(column.trim()));
            let columns = || {
                let mut names: Vec<&str> = rows.iter().flat_map(Fields::keys).map(String::as_str).collect();
                names.sort_unstable();
                names.dedup();
                one_line(&names.join(", "))
            };
            ensure!(
                known,
                "no row has a column {column:?} for the part {:?}; there are {}",
                part.name(),
                columns()
            );
        }
        Ok(())
    }

    /// Whether a person has said that a column is not to be used.
    fn leaves_out(&self, column: &str) -> bool {
        self.column(ColumnPart::Unused).is_some_and(|columns| is_among(columns, column))
    }

    fn has(&self, part: ColumnPart) -> bool {
        self.column(part).is_some()
    }

    /// Whether a part has a column, or was cleared by hand.
    fn is_decided(&self, part: ColumnPart) -> bool {
        self.columns.contains_key(&part)
    }

    /// What the rows become.
    #[must_use]
    pub fn kind(&self) -> MappingKind {
        let column = |part| self.column(part).unwrap_or_default();
        if self.has(ColumnPart::Chosen) && self.has(ColumnPart::Rejected) {
            MappingKind::Preference
        } else if self.has(ColumnPart::Messages) {
            if column(ColumnPart::Messages).starts_with("conversation") {
                MappingKind::ShareGpt
            } else {
                MappingKind::Messages
            }
        } else if self.has(ColumnPart::Premise) && self.has(ColumnPart::Hypothesis) {
            MappingKind::Nli
        } else if self.has(ColumnPart::Prompt) && self.has(ColumnPart::Completion) {
            match (column(ColumnPart::Prompt), column(ColumnPart::Completion)) {
                ("query", "output") => MappingKind::QueryExpansion,
                ("instruction", _) => MappingKind::Alpaca,
                ("question" | "problem", _) => MappingKind::QuestionAnswer,
                _ => MappingKind::PromptCompletion,
            }
        } else if self.has(ColumnPart::Prompt) {
            MappingKind::Prompts
        } else if self.has(ColumnPart::Text) {
            MappingKind::Text
        } else {
            MappingKind::Columns
        }
    }
}

/// Whether a column is one of several, with commas between, and of those not empty.
fn is_among(columns: &str, column: &str) -> bool {
    !column.is_empty() && (columns == column || columns.split(',').any(|one| one.trim() == column))
}

impl fmt::Display for Mapping {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (part, column)) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{} = {column}", part.name())?;
        }
        Ok(())
    }
}
