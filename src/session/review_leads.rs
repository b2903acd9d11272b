//! What the session's labels mean, which thoughts contradict their own label, and how likely models find each label
//! after a text.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::{Durability, Result, Session};
use crate::domain::record::RecordId;
use crate::domain::reflection::{Reflection, ReflectionId};
use crate::domain::review::Reviewed;
use crate::domain::review_leads::{LabelMeanings, Leads, Odds, PremisePairs, hypothesis};
use crate::domain::thought::{Thought, ThoughtId};
use crate::ground::clock;
use crate::session::question;

/// The kind and the number under which tables hold a text of a review.
pub(super) const fn key(of: Reviewed) -> (i64, i64) {
    match of {
        Reviewed::Correction(id) => (0, id.0),
        Reviewed::Thought(id) => (1, id.0),
    }
}

/// A text that may be trained on, with where it leads.
#[derive(Debug, Clone, PartialEq)]
pub struct Led {
    pub of: Reviewed,
    pub record: RecordId,
    pub question: String,
    pub text: String,
    pub label: String,
    pub words: Leads,
    /// What the error analysis argues for; a thought has none.
    pub analysis: Leads,
    pub odds: Option<Odds>,
}

impl Led {
    /// Whether words or odds speak for another label than its own.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.words.is_elsewhere()
            || self.odds.as_ref().is_some_and(|odds| odds.leads(&self.label).is_elsewhere())
    }
}

impl Session {
    /// The session's labels, and what each means.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn labels(&self) -> Result<LabelMeanings> {
        let pairs =
            if self.has_columns(&["premise", "hypothesis"])? { PremisePairs::Yes } else { PremisePairs::No };
        Ok(LabelMeanings::of(&self.label_names()?, pairs))
    }

    /// Corrections that were not rejected, and thoughts with the true label: what is or may be trained on.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn led(&self) -> Result<Vec<Led>> {
        let labels = self.labels()?;
        let mut found = Vec::new();
        for (id, reflection) in self.reflections(None)? {
            if reflection.verdict != crate::domain::reflection::Verdict::Rejected {
                found.push(self.correction(&labels, id, &reflection)?);
            }
        }
        let right = self.thoughts()?.into_iter().filter(|(_, thought)| thought.is_right() == Some(true));
        for (id, thought) in right {
            let question = question(&self.record(thought.record)?);
            let of = Reviewed::Thought(id);
            let words = labels.of_thought(&thought.text, hypothesis(&question), &thought.label);
            let odds = self.odds(of, &thought.text)?;
            let Thought { record, text, label, .. } = thought;
            found.push(Led { of, record, question, text, label, words, analysis: Leads::Undecided, odds });
        }
        Ok(found)
    }

    /// Of these corrections, those whose words or odds speak for another label than their own: what `check:leads` finds.
    ///
    /// # Errors
    /// If the session can't be read.
    pub fn leading_elsewhere(&self, ids: &[ReflectionId]) -> Result<Vec<ReflectionId>> {
        let labels = self.labels()?;
        let mut found = Vec::new();
        for &id in ids {
            if let Some(reflection) = self.reflection(id)?
                && self.correction(&labels, id, &reflection)?.is_elsewhere()
            {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn correction(&self, labels: &LabelMeanings, id: ReflectionId, reflection: &Reflection) -> Result<Led> {
        let question = question(&self.record(reflection.record)?);
        let truth = self.thought(reflection.thought)?.and_then(|thought| thought.truth).unwrap_or_default();
        // What a person wrote leads where the person wants it.
        let label = if reflection.edited.is_some() { truth.clone() } else { reflection.label.clone() };
        let of = Reviewed::Correction(id);
        Ok(Led {
            of,
            record: reflection.record,
            words: labels.of_thought(reflection.text(), hypothesis(&question), &label),
            analysis: labels.of_analysis(&reflection.error_analysis, &truth),
            odds: self.odds(of, reflection.text())?,
            text: reflection.text().to_owned(),
            label,
            question,
        })
    }

    /// Of these thoughts with the true label, those whose own conclusion says another: with which label that is.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn contradicting<'a>(
        &self,
        thoughts: impl IntoIterator<Item = (&'a ThoughtId, &'a Thought)>,
    ) -> Result<HashMap<ThoughtId, String>> {
        let labels = self.labels()?;
        let mut found = HashMap::new();
        for (id, thought) in thoughts {
            if thought.is_right() != Some(true) {
                continue;
            }
            // By its words alone: the record is read only for those that say nothing.
            let mut leads = labels.of_thought(&thought.text, None, &thought.label);
            if leads == Leads::Undecided {
                let question = question(&self.record(thought.record)?);
                leads = labels.of_thought(&thought.text, hypothesis(&question), &thought.label);
            }
            if let Leads::Elsewhere(label) = leads {
                found.insert(*id, label);
            }
        }
        Ok(found)
    }

    /// Keeps how likely a model finds each label after a text; what the same model said before is replaced.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn keep_odds(&mut self, of: Reviewed, text: &str, odds: &Odds) -> Result<()> {
        let labels = serde_json::to_string(&odds.labels).unwrap_or_default();
        let (kind, id) = key(of);
        self.write("keep the odds of labels", Durability::WholeJobs, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO label_odds (kind, id, model, text, labels, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![kind, id, odds.model, text, labels, clock::milliseconds()],
            )?;
            Ok(())
        })
    }

    /// The last odds that were measured of a text as it is now.
    ///
    /// # Errors
    /// Where the session can't be read.
    pub fn odds(&self, of: Reviewed, text: &str) -> Result<Option<Odds>> {
        let (kind, id) = key(of);
        let mut statement = self.connection.prepare_cached(
            "SELECT model, labels FROM label_odds WHERE kind = ?1 AND id = ?2 AND text = ?3 ORDER BY at DESC LIMIT 1",
        )?;
        let row = statement
            .query_row(params![kind, id, text], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .optional()?;
        // Odds that can't be read are odds that weren't measured.
        Ok(row.and_then(|(model, labels)| Some(Odds { model, labels: serde_json::from_str(&labels).ok()? })))
    }
}
