//! Row by row: a part that a file's first rows lack is taken where a row has it, a row of another form is read by its
//! own columns, and an odd one is refused.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::beside::check_thoughts;
use super::columns::Columns;
use super::detect::{NAMES, SOURCE, fits, is_listed, is_settled, names, settle, settle_thought};
use super::excluded::{excluded, unjudged};
use super::forms::{is_unsaid, settled};
use super::judged::{LabelUse, check_wanted};
use super::options::{Answers, lettered};
use super::rivals::check_rivals;
use super::unused::{Unused, unused};
use super::values::not_turns;
use super::verdicts::{CORRECT, DECISION, names_options};
use super::words::is_any;
use super::{ColumnPart, Mapping, MappingKind};
use crate::data::rows::{computable, inside, kind_of};
use crate::domain::message::Role;
use crate::domain::record::{Fields, Record};
use crate::domain::unseen::is_unseen;

/// How the rows of a file become records.
#[derive(Debug, Clone, PartialEq)]
pub struct RowMapping {
    mapping: Mapping,
    /// What a person has said of the columns.
    by_hand: Mapping,
    /// Parts whose columns hold what they should in most rows: where one does not, it is a mistake.
    settled: Vec<ColumnPart>,
    /// Parts that a row may add, with the names of their columns.
    more: Vec<(ColumnPart, &'static [&'static str])>,
    /// Columns that say something beside the mapped ones: they are no sign that a row is of another form.
    beside: HashSet<String>,
    /// What the labels of the sample are.
    labels: LabelUse,
    columns: Columns,
}

impl RowMapping {
    /// Whether a person has said what tells a row's part, or that nothing does.
    pub(in crate::data) fn knows(&self, part: ColumnPart) -> bool {
        let is_cleared = self.mapping.is_decided(part) && !self.mapping.has(part);
        is_cleared || self.by_hand.is_decided(part)
    }

    /// Whether rows become something that can be learnt.
    pub(in crate::data) fn learns(&self) -> bool {
        self.mapping.kind() != MappingKind::Columns
    }

    /// Whether a column plays a part in most rows, or was left out by hand.
    pub(in crate::data) fn plays(&self, column: &str) -> bool {
        self.mapping.takes(column)
    }

    /// Whether a column is one without which a row is nothing, says something of the record as a whole, or was left out by
    /// hand. Of another that was given a part, only the row tells whether its form has a place for it.
    pub(in crate::data) fn is_part_of_form(&self, column: &str) -> bool {
        let of_record =
            [ColumnPart::Label, ColumnPart::Split, ColumnPart::Tags].map(|part| self.mapping.column(part));
        main_columns(&self.mapping).any(|main| main == column)
            || of_record.contains(&Some(column))
            || self.mapping.leaves_out(column)
    }

    /// Whether a column was given to be the conversation.
    pub(in crate::data) fn is_conversation_of(&self, column: &str) -> bool {
        self.mapping.column(ColumnPart::Messages) == Some(column)
    }

    /// What a record's question is about, from columns of their own.
    pub(in crate::data) fn inputs<'r>(&self, record: &'r Record) -> impl Iterator<Item = &'r str> {
        let is_named = |name: &str| {
            self.mapping.column(ColumnPart::Input) == Some(name) || is_any(names(ColumnPart::Input), name)
        };
        let asked = record.messages.iter().filter(|turn| turn.role == Role::User);
        let asked: Vec<&str> = asked.map(|turn| turn.content.as_str()).collect();
        let columns = record.fields.iter().filter(move |(name, _)| is_named(name));
        columns.filter_map(|(_, value)| value.as_str()).filter(move |text| {
            let is_below =
                |turn: &&str| turn.strip_suffix(*text).is_some_and(|above| above.ends_with("\n\n"));
            !text.is_empty() && asked.iter().any(is_below)
        })
    }

    /// Whether a column was found to be the label by its name: it may also judge the answers, and a word in it may mean
    /// nothing.
    pub(in crate::data) fn is_found_label(&self, column: &str) -> bool {
        !self.by_hand.is_decided(ColumnPart::Label)
            && is_any(names(ColumnPart::Label), column)
            && self.mapping.kind() != MappingKind::Nli
    }

    /// `by_hand` is the part of the mapping that a person has said; `sample` are rows that the rest was found from.
    #[must_use]
    pub fn new(mapping: Mapping, by_hand: Mapping, sample: &[Fields]) -> Self {
        let is_read = |row: &&Fields| main_columns(&mapping).all(|column| row.get(column).is_some_and(says));
        let columns =
            sample.iter().filter(is_read).flat_map(|row| row.iter().filter(|(_, value)| says(value)));
        let used = |name: &str| mapping.iter().any(|(_, column)| column == name);
        Self {
            settled: mapping
                .iter()
                .filter(|(part, column)| *part != ColumnPart::Messages && is_settled(*part, column, sample))
                .map(|(part, _)| part)
                .collect(),
            more: NAMES.iter().filter(|(part, _)| may_add(&mapping, *part)).copied().collect(),
            beside: columns.map(|(name, _)| name).filter(|name| !used(name)).cloned().collect(),
            labels: LabelUse::of(sample),
            columns: Columns::of(sample, Answers::of(sample, |row| with_own(&mapping, &by_hand, row))),
            mapping,
            by_hand,
        }
    }

    /// Makes a record of a row. The row itself and where it came from are for the caller to add.
    ///
    /// # Errors
    /// Says what is missing or of the wrong form, with the column's name.
    pub fn record(&self, fields: &Fields, numbers: &[String]) -> Result<Record, String> {
        self.read(fields, numbers).map(|(record, _)| record)
    }

    /// The column by which a row says that it is to be left out, and what it says.
    pub(in crate::data) fn excluded(&self, fields: &Fields) -> Option<String> {
        excluded(&self.mapping, &self.columns, fields)
    }

    /// What a mark says in words, where the others of its column tell.
    pub(in crate::data) fn plain(&self, column: &str, value: &Value) -> Option<Value> {
        self.columns.marked.plain(column, value)
    }

    /// A number of a row that would leave it out if it stood in a column of its own.
    pub(in crate::data) fn unjudged(&self, fields: &Fields) -> Option<String> {
        unjudged(&self.mapping, fields)
    }

    /// The same, with the columns of text that nothing of the record has.
    ///
    /// # Errors
    /// As [`RowMapping::record`].
    pub(in crate::data) fn read(
        &self,
        fields: &Fields,
        numbers: &[String],
    ) -> Result<(Record, Option<Unused>), String> {
        if fields.values().all(is_blank) {
            return Err("the row is empty".into());
        }
        let mapping = self.of_row(fields)?;
        for part in self.settled.iter().copied() {
            let odd = mapping.column(part).and_then(|column| Some((column, fields.get(column)?)));
            if let Some((column, value)) = odd.filter(|(_, value)| says(value) && !fits(part, value)) {
                return Err(wrong(part, column, value));
            }
        }
        if !self.by_hand.is_decided(ColumnPart::Thought) {
            check_thoughts(&mapping, &self.columns, fields)?;
        }
        check_rivals(&mapping, &self.by_hand, &self.columns, fields)?;
        check_wanted(&mapping, &self.by_hand, self.labels, fields)?;
        let computable = computable(fields, numbers)?;
        let settled = settled(&mapping, computable.as_ref().unwrap_or(fields))?;
        let lettered = lettered(&mapping, self.columns.answers, &settled)?;
        let record = mapping.apply_among(&self.columns, lettered.as_ref().unwrap_or(&settled))?;
        let unused = unused(&mapping, fields, &record);
        Ok((record, unused))
    }

    /// The mapping that fits a row.
    fn of_row(&self, fields: &Fields) -> Result<Cow<'_, Mapping>, String> {
        if let Some(own) = self.own_form(fields) {
            return Ok(Cow::Owned(own));
        }
        let mut mapping = with_own(&self.mapping, &self.by_hand, fields);
        for (part, names) in &self.more {
            let mut odd = None;
            let found = names.iter().find_map(|name| {
                let column = fields.keys().find(|key| key.eq_ignore_ascii_case(name))?;
                if mapping.takes(column) || self.columns.decisions && *name == DECISION {
                    return None;
                }
                let value =
                    fields.get(column).filter(|value| says(value) && !is_listed(*part, column, value))?;
                // Where a row comes from is no question.
                if fits(*part, value)
                    && (*name != CORRECT || value.is_string() && names_options([fields]))
                    && *name != SOURCE
                {
                    return Some(column);
                }
                odd = odd.or(Some((column, value)));
                None
            });
            match (found, odd) {
                (Some(column), _) => {
                    mapping.to_mut().columns.insert(*part, column.clone());
                    settle_thought(mapping.to_mut());
                }
                (None, Some((column, value))) if self.is_needed(*part, value) => {
                    return Err(wrong(*part, column, value));
                }
                (None, _) => {}
            }
        }
        Ok(mapping)
    }

    /// Whether a row is another example without this part.
    fn is_needed(&self, part: ColumnPart, value: &Value) -> bool {
        match part {
            ColumnPart::Messages => value.is_array() || value.is_object() || value.is_string(),
            ColumnPart::System => self.mapping.kind() != MappingKind::Columns,
            ColumnPart::Input | ColumnPart::Completion => true,
            ColumnPart::Thought => value.is_array() || value.is_object(),
            ColumnPart::Prompt
            | ColumnPart::Chosen
            | ColumnPart::Rejected
            | ColumnPart::Premise
            | ColumnPart::Hypothesis
            | ColumnPart::Explanation
            | ColumnPart::Label
            | ColumnPart::Text
            | ColumnPart::Split
            | ColumnPart::Tags
            | ColumnPart::Unused => false,
        }
    }

    /// The mapping of a row that lacks what the file's rows have, where it is whole by its own columns.
    fn own_form(&self, fields: &Fields) -> Option<Mapping> {
        let lacks = |column: &str| match fields.get(column) {
            None | Some(Value::Null) => true,
            Some(Value::Array(items)) => items.is_empty(),
            // A table has a blank where a row has no such column.
            Some(Value::String(text)) => is_unseen(text),
            Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => false,
        };
        if !self.by_hand.columns.is_empty() || !main_columns(&self.mapping).any(lacks) {
            return None;
        }
        let own: Fields = fields
            .iter()
            .filter(|(name, value)| says(value) && !is_blank(value) && !self.beside.contains(*name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut mapping = Mapping::detect(std::slice::from_ref(&own));
        for (part, column) in &self.mapping.columns {
            let is_main = main_columns(&self.mapping).any(|main| main == column);
            // A column that has another part in this row is read once: beside no question, an input is what is asked.
            let is_free = !is_main && !mapping.takes(column);
            if is_free && !mapping.is_decided(*part) && may_add(&mapping, *part) {
                mapping.columns.insert(*part, column.clone());
            }
        }
        match mapping.kind() {
            MappingKind::Columns | MappingKind::Prompts => None,
            MappingKind::Text => main_columns(&self.mapping).all(lacks).then_some(mapping),
            MappingKind::Messages
            | MappingKind::ShareGpt
            | MappingKind::Preference
            | MappingKind::Alpaca
            | MappingKind::PromptCompletion
            | MappingKind::QuestionAnswer
            | MappingKind::QueryExpansion
            | MappingKind::Nli => Some(mapping),
        }
    }
}

/// Parts that rows of one form may have in different columns.
const OWN: [ColumnPart; 3] = [ColumnPart::System, ColumnPart::Input, ColumnPart::Thought];

/// A mapping with a row's own columns for parts whose columns say nothing in it.
fn with_own<'m>(mapping: &'m Mapping, by_hand: &Mapping, fields: &Fields) -> Cow<'m, Mapping> {
    let mut own = Cow::Borrowed(mapping);
    for part in OWN.into_iter().filter(|part| !by_hand.is_decided(*part)) {
        let Some(column) = mapping.column(part) else { continue };
        if fields.get(column).is_some_and(says) {
            continue;
        }
        let is_named = |key: &String| names(part).iter().any(|name| key.eq_ignore_ascii_case(name));
        let may_be = |(key, value): &(&String, &Value)| {
            is_named(key) && says(value) && fits(part, value) && !mapping.takes(key)
        };
        if let Some((other, _)) = fields.iter().find(may_be) {
            own.to_mut().columns.insert(part, other.clone());
        }
    }
    own
}

/// Whether a cell is null or blank.
pub(super) fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(is_unseen)
}

fn says(value: &Value) -> bool {
    !is_unsaid(value)
}

/// The columns without which a row is no record of the mapping's kind.
fn main_columns(mapping: &Mapping) -> impl Iterator<Item = &str> {
    let parts: &[ColumnPart] = match mapping.kind() {
        MappingKind::Messages | MappingKind::ShareGpt => &[ColumnPart::Messages],
        MappingKind::Preference => &[ColumnPart::Chosen, ColumnPart::Rejected],
        MappingKind::Alpaca
        | MappingKind::PromptCompletion
        | MappingKind::QuestionAnswer
        | MappingKind::QueryExpansion => &[ColumnPart::Prompt, ColumnPart::Completion],
        MappingKind::Nli => &[ColumnPart::Premise, ColumnPart::Hypothesis],
        MappingKind::Prompts => &[ColumnPart::Prompt],
        MappingKind::Text => &[ColumnPart::Text],
        MappingKind::Columns => &[],
    };
    parts.iter().filter_map(|part| mapping.column(*part))
}

/// Whether a part makes sense beside those of a mapping, and changes none of them.
fn may_add(mapping: &Mapping, part: ColumnPart) -> bool {
    if mapping.is_decided(part) {
        return false;
    }
    let mut more = mapping.clone();
    more.columns.insert(part, "another".to_owned());
    let before = more.columns.len();
    settle(&mut more, &[]);
    more.columns.len() == before
}

fn wrong(part: ColumnPart, column: &str, value: &Value) -> String {
    let twice = |text: &str| inside::parse(text).err().and_then(|error| inside::twice(&error));
    if let Some(told) = value.as_str().filter(|_| part == ColumnPart::Messages).and_then(twice) {
        return format!("column {column:?} holds turns in which {told}; take one out");
    }
    if let Some(printed) =
        value.as_str().filter(|text| part == ColumnPart::Messages && inside::is_of_python(text))
    {
        return not_turns(printed, column);
    }
    let part = part.name();
    let kind = kind_of(value);
    format!("column {column:?} holds {kind}, which is no {part}; --map {part}= leaves the column out")
}
