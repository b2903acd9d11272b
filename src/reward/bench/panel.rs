//! Answers that are no answers: what a model may find out that a reward pays for.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use crate::domain::message::Role;
use crate::domain::record::Record;
use crate::task::Task;

/// A way to answer. All but the first are not to be paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adversary {
    /// The record's own answer.
    Reference,
    Empty,
    PromptEcho,
    /// What the prompt asks about, as it is.
    InputEcho,
    /// The answer's first words, over and over.
    Repetition,
    /// The words that all answers share, without what differs.
    FormAlone,
    /// A record's answer whose label or wording is another.
    AnothersAnswer,
    /// The answer, and then the answers of others, on and on.
    VeryLong,
}

impl Adversary {
    pub const ALL: [Self; 8] = [
        Self::Reference,
        Self::Empty,
        Self::PromptEcho,
        Self::InputEcho,
        Self::Repetition,
        Self::FormAlone,
        Self::AnothersAnswer,
        Self::VeryLong,
    ];

    /// For tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference answer",
            Self::Empty => "empty",
            Self::PromptEcho => "echo of the prompt",
            Self::InputEcho => "copy of the input",
            Self::Repetition => "repetition",
            Self::FormAlone => "form without content",
            Self::AnothersAnswer => "another record's answer",
            Self::VeryLong => "very long",
        }
    }

    /// How much of what a good answer gains over an empty one it may gain: one that holds the good answer may get most.
    #[must_use]
    pub const fn allowed_share(self) -> f64 {
        match self {
            Self::Reference => f64::INFINITY,
            Self::VeryLong => 0.9,
            Self::Empty
            | Self::PromptEcho
            | Self::InputEcho
            | Self::Repetition
            | Self::FormAlone
            | Self::AnothersAnswer => 0.5,
        }
    }
}

/// A record with the answer that it is to get.
pub(super) struct ReferencedRecord<'a> {
    pub(super) record: &'a Record,
    pub(super) reference: String,
}

/// The panel over records.
pub(super) struct AttackPanel<'a> {
    task: &'a Task,
    answered: &'a [ReferencedRecord<'a>],
    /// Words that most answers have.
    common: HashMap<&'a str, usize>,
}

/// Words of a repetition, and how often.
const REPEATED: (usize, usize) = (4, 60);
/// Words of a very long answer.
const LONG: usize = 3000;
/// Of ten answers, in how many a word is part of the form.
const COMMON: usize = 9;

impl<'a> AttackPanel<'a> {
    pub(super) fn new(task: &'a Task, answered: &'a [ReferencedRecord<'a>]) -> Self {
        let mut common: HashMap<&str, usize> = HashMap::new();
        for one in answered {
            let mut words: Vec<&str> = one.reference.split_whitespace().collect();
            words.sort_unstable();
            words.dedup();
            words.into_iter().for_each(|word| *common.entry(word).or_default() += 1);
        }
        let enough = (answered.len() * COMMON).div_ceil(10).max(2);
        common.retain(|_, count| *count >= enough);
        Self { task, answered, common }
    }

    /// What the adversary says to the record at an index; nothing if it has nothing to say.
    pub(super) fn answer(&self, adversary: Adversary, index: usize) -> Option<String> {
        let one = self.answered.get(index)?;
        match adversary {
            Adversary::Reference => Some(one.reference.clone()),
            Adversary::Empty => Some(String::new()),
            Adversary::PromptEcho => self.prompt(one.record),
            Adversary::InputEcho => self.input(one.record),
            Adversary::Repetition => {
                let (words, times) = REPEATED;
                let first: Vec<&str> = one.reference.split_whitespace().take(words).collect();
                (!first.is_empty()).then(|| vec![first.join(" "); times].join(" "))
            }
            Adversary::FormAlone => self.hollow(&one.reference),
            Adversary::AnothersAnswer => self.others(index).next().map(|other| other.reference.clone()),
            Adversary::VeryLong => Some(self.long(index)),
        }
    }

    fn prompt(&self, record: &Record) -> Option<String> {
        let turns = self.task.prompt(record).ok()?;
        turns.iter().rfind(|turn| turn.role == Role::User).map(|turn| turn.content.clone())
    }

    /// The longest field that stands in the prompt, unless that is all of it.
    fn input(&self, record: &Record) -> Option<String> {
        let prompt = self.prompt(record)?;
        let fields = self.task.fields.keys().filter_map(|name| self.task.field(record, name));
        fields.filter(|field| prompt.contains(field.as_str()) && *field != prompt).max_by_key(String::len)
    }

    /// The others, the next first, that have another label, or another wording if there are no labels.
    fn others(&self, index: usize) -> impl Iterator<Item = &'a ReferencedRecord<'a>> + use<'a, '_> {
        let own = self.answered.get(index);
        let label = own.and_then(|own| self.task.true_label(own.record));
        let (before, after) = self.answered.split_at_checked(index).unwrap_or((self.answered, &[]));
        after.iter().skip(1).chain(before).filter(move |other| {
            let differs = own.is_none_or(|own| own.reference != other.reference);
            let other_label = self.task.true_label(other.record);
            let same_label =
                label.as_ref().zip(other_label.as_ref()).is_some_and(|(a, b)| self.task.same(a, b));
            differs && !same_label
        })
    }

    fn long(&self, index: usize) -> String {
        let mut text = self.answered.get(index).map(|one| one.reference.clone()).unwrap_or_default();
        let mut words = text.split_whitespace().count();
        let others: Vec<&ReferencedRecord<'_>> = self.others(index).collect();
        let filler = "and so on and so forth, as was said before";
        let parts = others.iter().map(|other| other.reference.as_str()).chain(std::iter::repeat(filler));
        for part in parts {
            if words >= LONG {
                break;
            }
            text.push('\n');
            text.push_str(part);
            words += part.split_whitespace().count();
        }
        text
    }

    /// The answer without what is its own. JSON keeps its keys, loses its label, and is hollowed text by text.
    fn hollow(&self, reference: &str) -> Option<String> {
        if let Ok(mut value @ Value::Object(_)) = serde_json::from_str(reference) {
            self.hollow_value(&mut value);
            return Some(value.to_string());
        }
        let hollow = self.common_words(reference);
        (!hollow.trim().is_empty()).then_some(hollow)
    }

    fn hollow_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.common_words(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hollow_value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.hollow_value(member)),
            Value::Number(_) | Value::Bool(_) => *value = Value::Null,
            Value::Null => {}
        }
    }

    fn common_words(&self, text: &str) -> String {
        let kept = |line: &str| {
            let words = line.split_whitespace().filter(|word| self.common.contains_key(word));
            words.collect::<Vec<_>>().join(" ")
        };
        text.lines().map(kept).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }
}
