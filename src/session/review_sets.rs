//! What comes out of a review: the training set of right thoughts and accepted corrections, and preference pairs, each
//! row with where it came from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Result, Session};
use crate::domain::message::Role;
use crate::domain::recipe::Balance;
use crate::domain::record::{Record, RecordId};
use crate::domain::thought::{Thought, ThoughtId};

/// One thought to be trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub record: RecordId,
    pub text: String,
    pub label: String,
    /// The flawed thought, where this is its correction.
    pub rejected: Option<Thought>,
    /// Record, student, teacher, prompt, judge and reviewer, as far as there are any.
    pub provenance: Value,
}

impl Session {
    /// Right thoughts and accepted corrections, one of each text for a record, in the order of the records.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn lessons(&self, balance: Balance) -> Result<Vec<Lesson>> {
        let mut lessons = self.all_lessons()?;
        lessons.sort_by(|one, other| (one.record, &one.text).cmp(&(other.record, &other.text)));
        lessons.dedup_by(|one, other| one.record == other.record && one.text == other.text);
        Ok(if balance == Balance::ByLabel { balanced(lessons) } else { lessons })
    }

    /// Accepted corrections, each with the flawed thought that it corrects.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn preference_pairs(&self) -> Result<Vec<Lesson>> {
        let mut lessons = self.all_lessons()?;
        lessons.retain(|lesson| lesson.rejected.is_some());
        Ok(lessons)
    }

    fn all_lessons(&self) -> Result<Vec<Lesson>> {
        let thoughts: BTreeMap<ThoughtId, Thought> = self.thoughts()?.into_iter().collect();
        // What concludes another label than its own would teach the opposite.
        let contradicting = self.contradicting(&thoughts)?;
        let mut lessons: Vec<Lesson> = thoughts
            .iter()
            .filter(|(id, thought)| thought.is_right() == Some(true) && !contradicting.contains_key(id))
            .map(|(id, thought)| Lesson {
                record: thought.record,
                text: thought.text.clone(),
                label: thought.label.clone(),
                rejected: None,
                provenance: json!({
                    "record": thought.record, "thought": id, "student": thought.model, "prompt": thought.prompt,
                }),
            })
            .collect();
        for (id, reflection) in self.accepted_reflections()? {
            let Some(flawed) = thoughts.get(&reflection.thought) else { continue };
            lessons.push(Lesson {
                record: reflection.record,
                text: reflection.text().to_owned(),
                // What a person edited leads where the record's label says.
                label: flawed.truth.clone().unwrap_or_else(|| reflection.label.clone()),
                rejected: Some(flawed.clone()),
                provenance: json!({
                    "record": reflection.record, "thought": reflection.thought, "student": flawed.model,
                    "reflection": id, "teacher": reflection.teacher, "prompt": reflection.prompt,
                    "judge": reflection.judge, "judge_score": reflection.score,
                    "improved_by": reflection.improved_by,
                    "verdict": reflection.verdict, "reviewer": reflection.reviewer,
                }),
            });
        }
        lessons.sort_by_key(|lesson| lesson.record);
        // What the data gives no weight is not learnt by its thoughts either.
        let mut records: Vec<RecordId> = lessons.iter().map(|lesson| lesson.record).collect();
        records.dedup();
        let mut unlearnt = BTreeSet::new();
        for record in records {
            if self.record(record)?.is_unlearnt() {
                unlearnt.insert(record);
            }
        }
        lessons.retain(|lesson| !unlearnt.contains(&lesson.record));
        Ok(lessons)
    }
}

/// Of each label as many as the rarest has, the first ones.
#[must_use]
pub fn balanced(lessons: Vec<Lesson>) -> Vec<Lesson> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for lesson in &lessons {
        *counts.entry(lesson.label.clone()).or_default() += 1;
    }
    let rarest = counts.values().copied().min().unwrap_or_default();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut fits = |lesson: &Lesson| {
        let count = taken.entry(lesson.label.clone()).or_default();
        *count += 1;
        *count <= rarest
    };
    lessons.into_iter().filter(|lesson| fits(lesson)).collect()
}

/// The answer that a model is trained to give: the thought and its label; a text that leads to none, as it stands.
#[must_use]
pub fn answer(text: &str, label: &str) -> String {
    if label.is_empty() {
        return text.to_owned();
    }
    // Reason first: what stands before the label is what leads to it.
    json!({"thought_process": text, "predicted_label": label}).to_string()
}

/// How a record is asked about: premise and hypothesis where it has them, else the question that was answered.
#[must_use]
pub fn question(record: &Record) -> String {
    match asked(record).as_slice() {
        [(_, premise), (_, hypothesis)] => format!("Premise: {premise}\nHypothesis: {hypothesis}"),
        parts => parts.iter().map(|(_, words)| words.as_str()).collect(),
    }
}

/// What a record asks, with a name for each part: premise and hypothesis, or the last question of its conversation.
pub(super) fn asked(record: &Record) -> Vec<(&'static str, String)> {
    let field =
        |name: &str| record.fields.get(name).and_then(Value::as_str).map(|text| text.trim().to_owned());
    if let (Some(premise), Some(hypothesis)) = (field("premise"), field("hypothesis")) {
        return vec![("premise", premise), ("hypothesis", hypothesis)];
    }
    let last = record.messages.iter().rfind(|turn| turn.role == Role::User);
    vec![("question", last.map_or_else(|| record.prompt(), |turn| turn.content.as_str()).to_owned())]
}
