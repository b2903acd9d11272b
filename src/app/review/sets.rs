//! What comes out of a review, as records to train on: `set:reviewed` is right thoughts and accepted corrections,
//! `set:pairs` accepted corrections over flawed thoughts. A recipe names them as `set:reviewed balance:label
//! split:train`; `dojo review export` writes the same rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{assignment, prompt};
use crate::config::Folders;
use crate::domain::filter::Filter;
use crate::domain::message::{Message, Role};
use crate::domain::recipe::{Balance, ExampleSource, SetKind, SetOrder};
use crate::domain::record::{ContentHash, Preference, Record, RecordId};
use crate::domain::reflection::ReflectionId;
use crate::domain::review_leads::told_of_elsewhere;
use crate::domain::thought::{Thought, ThoughtId};
use crate::domain::view::SortOrder;
use crate::session::{Lesson, Seen, Session, Since, answer, balanced, question, version_of};
use crate::task::Task;
use crate::teacher::job::{Drawing, RecordQuestion};
use crate::teacher::think::Think;

/// One row with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct SetRow {
    pub id: RecordId,
    /// Turns to train on; for a pair the prompt alone, with both answers beside it.
    pub record: Record,
    /// Record, student, teacher, prompts, judge, reviewer.
    pub provenance: Value,
}

impl SetRow {
    /// The correction that it comes from.
    #[must_use]
    pub fn correction(&self) -> Option<ReflectionId> {
        self.provenance.get("reflection").and_then(Value::as_i64).map(ReflectionId)
    }
}

/// What should be known of a set's rows before they are trained on.
///
/// # Errors
/// If the session can't be read.
pub fn told(session: &Session, rows: &[SetRow]) -> Result<Option<String>> {
    let corrections: Vec<ReflectionId> = rows.iter().filter_map(SetRow::correction).collect();
    let elsewhere = session.leading_elsewhere(&corrections)?.len();
    let of = corrections.len();
    Ok(told_of_elsewhere(elsewhere).map(|told| format!("of the {of} corrections to train on, {told}")))
}

/// The rows of a set, in the order of their records.
///
/// # Errors
/// Where the session can't be read, or a prompt can't be filled in.
pub fn rows(folders: &Folders, session: &Session, order: &SetOrder) -> Result<Vec<SetRow>> {
    let mut lessons = match order.kind {
        SetKind::Reviewed => session.lessons(Balance::AsItIs)?,
        SetKind::Pairs => session.preference_pairs()?,
    };
    if order.filter != Filter::Everything {
        let wanted = wanted(session, order)?;
        lessons.retain(|lesson| wanted.contains(&lesson.record.0));
    }
    if order.balance == Balance::ByLabel {
        lessons = balanced(lessons);
    }
    let form = PromptForm::of(folders, session)?;
    lessons.into_iter().map(|lesson| row(session, &form, order.kind, lesson)).collect()
}

/// The right thoughts that a set leaves out since they conclude another label than their own, each with its reason.
///
/// # Errors
/// Where the session can't be read.
pub fn left_out(session: &Session, order: &SetOrder) -> Result<Vec<String>> {
    if order.kind != SetKind::Reviewed {
        return Ok(Vec::new());
    }
    let thoughts: BTreeMap<ThoughtId, Thought> = session.thoughts()?.into_iter().collect();
    let mut found: Vec<(ThoughtId, String)> = session.contradicting(&thoughts)?.into_iter().collect();
    found.sort_unstable();
    if order.filter != Filter::Everything {
        let wanted = wanted(session, order)?;
        found.retain(|(id, _)| thoughts.get(id).is_some_and(|thought| wanted.contains(&thought.record.0)));
    }
    let told = |(id, other): &(ThoughtId, String)| {
        let thought = thoughts.get(id)?;
        Some(format!(
            "thought {id} of record {}: left out, for it concludes {other} and its label is {}",
            thought.record, thought.label
        ))
    };
    Ok(found.iter().filter_map(told).collect())
}

/// The records of a set.
fn wanted(session: &Session, order: &SetOrder) -> Result<HashSet<i64>> {
    let view = session.view(&order.filter, SortOrder::default()).context("find the records of the set")?;
    Ok(view.ids().iter().copied().collect())
}

fn row(session: &Session, form: &PromptForm, kind: SetKind, lesson: Lesson) -> Result<SetRow> {
    let source = session.record(lesson.record)?;
    let mut messages = form.conversation(&source, &lesson.text, &lesson.label)?;
    let chosen = messages.pop();
    let preference = match (kind, &lesson.rejected) {
        (SetKind::Pairs, Some(flawed)) => {
            let rejected = form.conversation(&source, &flawed.text, &flawed.label)?.pop();
            Some(Preference {
                chosen: chosen.clone().into_iter().collect(),
                rejected: rejected.into_iter().collect(),
            })
        }
        _ => None,
    };
    // An answer of a conversation, corrected, is learnt with what it could call.
    let (tools, settings) = if lesson.label.is_empty() {
        (source.tools.clone(), source.settings.clone())
    } else {
        Default::default()
    };
    let mut prompt_turns = 0;
    if preference.is_none() {
        // What the prompt's own examples answer, a student would learn by heart and give back.
        prompt_turns = messages.len();
        messages.extend(chosen);
    }
    let record = Record {
        messages,
        tools,
        settings,
        prompt_turns,
        preference,
        label: Some(lesson.label),
        split: source.split,
        tags: source.tags,
        provenance: source.provenance,
        ..Record::default()
    };
    Ok(SetRow { id: lesson.record, record, provenance: lesson.provenance })
}

/// How a record is asked about, and answered: as the session's task has it, where that task has a place for a thought;
/// else as a student is asked to think.
struct PromptForm {
    task: Option<Task>,
    /// Nothing where no record has a label to think about.
    think: Option<Think>,
}

impl PromptForm {
    fn of(folders: &Folders, session: &Session) -> Result<Self> {
        let folder = session.folder();
        let name = crate::app::sessions::open(folder)?.file.task;
        let task = if name.is_empty() { None } else { Some(crate::task::find(&name, Some(folder))?) };
        let (asking, again) = (prompt(folders, folder, "think")?, prompt(folders, folder, "again")?);
        let think = assignment(session).ok().map(|assignment| Think {
            assignment,
            prompt: asking,
            again,
            drawing: Drawing::default(),
        });
        Ok(Self { task, think })
    }

    fn conversation(&self, record: &Record, text: &str, label: &str) -> Result<Vec<Message>> {
        if label.is_empty() {
            // An answer of a chat, corrected: it is learnt as it stands.
            let asked = record.messages.iter().rposition(|turn| turn.role == Role::User);
            let turns = asked.and_then(|last| record.messages.get(..=last)).map(<[_]>::to_vec);
            let mut messages = turns.unwrap_or_else(|| vec![Message::new(Role::User, question(record))]);
            messages.push(Message::new(Role::Assistant, text));
            return Ok(messages);
        }
        if let Some(messages) = self.task.as_ref().and_then(|task| of_task(task, record, text, label)) {
            return Ok(messages);
        }
        let think = self.think.as_ref().context("find the labels that may be answered: no record has one")?;
        let asked =
            RecordQuestion { record: RecordId(0), text: question(record), truth: record.label.clone() };
        let mut messages = think.request(&asked)?.messages;
        messages.push(Message::new(Role::Assistant, answer(text, label)));
        Ok(messages)
    }
}

/// Nothing where the task's answer is another one than the thought: a task for plain chats, for instance.
fn of_task(task: &Task, record: &Record, text: &str, label: &str) -> Option<Vec<Message>> {
    let mut own = record.clone();
    // The names by which tasks know a thought.
    for name in ["improved_thought_process", "thought_process", "explanation"] {
        own.fields.insert(name.to_owned(), Value::String(text.to_owned()));
    }
    own.label = Some(label.to_owned());
    let messages = task.conversation(&own).ok()?;
    let escaped = Value::String(text.to_owned()).to_string();
    let inside = escaped.trim_matches('"');
    messages.last().is_some_and(|last| last.content.contains(inside)).then_some(messages)
}

/// The rows that a session's sets have now, for comparing with those that a run saw.
#[derive(Debug, Default)]
pub struct RowsNow(HashMap<RowOrigin, ContentHash>);

/// The thought and the reflection that a row is made from.
type RowOrigin = (Option<i64>, Option<i64>);

impl RowsNow {
    /// Of the set that a recipe names as its examples; none where it names no set.
    ///
    /// # Errors
    /// As [`rows`], and where the words are wrong.
    pub fn add(&mut self, folders: &Folders, session: &Session, source: &str) -> Result<()> {
        let ExampleSource::Set(order) = ExampleSource::parse(source).map_err(anyhow::Error::msg)? else {
            return Ok(());
        };
        // A row that the filter no longer lets through is still there.
        let all = SetOrder { balance: Balance::AsItIs, filter: Filter::Everything, ..order };
        for row in rows(folders, session, &all)? {
            self.0.insert(origin(&row.provenance), version_of(&row.record)?);
        }
        Ok(())
    }

    /// What became of a row since a run saw it.
    #[must_use]
    pub fn since(&self, seen: &Seen, provenance: &Value) -> Since {
        match self.0.get(&origin(provenance)) {
            Some(version) if *version == seen.version => Since::Same,
            Some(_) => Since::Changed,
            None => Since::Gone,
        }
    }
}

fn origin(provenance: &Value) -> RowOrigin {
    let number = |name: &str| provenance.get(name).and_then(Value::as_i64);
    (number("thought"), number("reflection"))
}

/// A row of a file, with where it comes from: TRL's `prompt` and `completion`, for the prompt's own examples are not to
/// be learnt; or its `prompt`, `chosen`, `rejected`.
#[must_use]
pub fn line(row: &SetRow) -> Value {
    match &row.record.preference {
        None => {
            let (prompt, completion) = row.record.messages.split_at(row.record.prompt_turns);
            json!({
                "prompt": prompt, "completion": completion, "label": row.record.label,
                "provenance": row.provenance,
            })
        }
        Some(pair) => json!({
            "prompt": row.record.messages, "chosen": pair.chosen, "rejected": pair.rejected,
            "provenance": row.provenance,
        }),
    }
}
