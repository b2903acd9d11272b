//! An example as it is made: written by a teacher, turned into a record that says where it is from, and scored by the
//! blueprint's own rewards. Knows no other example.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ExampleWriter;
use crate::blueprint::{Blueprint, Seed};
use crate::domain::message::{Message, Role};
use crate::domain::record::{Provenance, Record};
use crate::domain::reward::{Attempt, CompletionScorer, ScoreDetail};
use crate::reward::RewardSet;
use crate::teacher::AskError;
use crate::teacher::expand::{Expand, Rejection, Written};

/// An example with its record, or why it is none.
pub(super) type MadeExample = std::result::Result<(Written, Record), Rejection>;

/// The name under which examples are counted that rewards find too poor.
const REWARD: &str = "reward";

/// What makes examples of seeds.
pub(super) struct ExampleMaker<'s> {
    pub(super) expand: Expand<'s>,
    pub(super) writer: &'s ExampleWriter<'s>,
    pub(super) rewards: Option<Arc<RewardSet>>,
}

impl ExampleMaker<'_> {
    /// Has an example written, and checks it by itself.
    ///
    /// # Errors
    /// What ends the job; a reward that says nothing of it among them, for then nobody has looked at it.
    pub(super) async fn make(&self, seed: &Seed) -> Result<MadeExample, AskError> {
        let written = match self.expand.write(self.writer.speaker, seed).await? {
            Ok(written) => written,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let record = self.record(seed, &written);
        let Some(rewards) = self.rewards.clone() else { return Ok(Ok((written, record))) };
        // Programs and judges take their time, and a judge has an event loop of its own.
        let scored = tokio::task::spawn_blocking(move || {
            let attempt = Attempt { record: &record, completion: &written.answer };
            let total = rewards.score(&[attempt], ScoreDetail::Numbers).into_iter().next();
            (total, written, record)
        });
        let local = AskError::Local;
        let (total, written, record) =
            scored.await.map_err(|error| local(format!("score an example: {error}")))?;
        let total = total.ok_or_else(|| local("score an example: no reward said anything".to_owned()))?;
        let silent = total.parts.iter().find_map(|part| Some((&part.name, part.outcome.reason()?)));
        if let Some((name, why)) = silent {
            return Err(local(format!(
                "check an example by the reward {name}: {why}; its answer is kept, run this again to go on from there"
            )));
        }
        let (value, least) = (total.value.unwrap_or_default(), self.expand.blueprint.least_reward);
        if value < least {
            let (reason, raw) = (REWARD.to_owned(), written.as_text());
            return Ok(Err(Rejection {
                reason,
                words: format!("its rewards come to {value:.3}, below {least}"),
                raw,
            }));
        }
        Ok(Ok((written, record)))
    }

    fn record(&self, seed: &Seed, written: &Written) -> Record {
        let blueprint = self.expand.blueprint;
        let cell = blueprint.cell_name(seed.cell);
        let messages = vec![
            Message::new(Role::User, written.question.clone()),
            Message::new(Role::Assistant, written.answer.clone()),
        ];
        // The row as if it were imported: written as rows, it carries where it is from.
        let fields = json!({
            "messages": messages,
            "blueprint": blueprint.name,
            "version": blueprint.version,
            "subtopic": cell.subtopic,
            "evolution": cell.evolution,
            "form": cell.form,
            "number": seed.number,
            "columns": columns(blueprint, seed),
            "teacher": self.writer.speaker.name(),
            "terms": self.writer.terms,
            "prompt": self.expand.prompt.version(),
        });
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        Record {
            fields,
            messages,
            // What a filter finds a cell by, and a recipe its stages.
            tags: [blueprint.name.clone(), cell.subtopic, cell.evolution, cell.form].into(),
            provenance: Provenance { source: format!("expand:{}", blueprint.name), ..Provenance::default() },
            ..Record::default()
        }
    }
}

/// The values of a seed's columns, by their names.
pub(super) fn columns(blueprint: &Blueprint, seed: &Seed) -> Map<String, Value> {
    let columns = blueprint.columns.iter().zip(&seed.columns);
    columns.map(|(column, value)| (column.name.clone(), json!(value))).collect()
}
