//! The vectors of a search's questions, computed before the index is opened: an endpoint may take its time, and others
//! want the index meanwhile. If none come in time, the search goes on by words.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::lists::{PlannedList, QuestionVector};
use super::milliseconds;
use crate::rag::embedding::{EmbeddedAs, EmbedderAway, EmbeddingPace, TextEmbedder};
use crate::rag::library::Library;

/// What an intent counts beside the question in one vector. Half of it leaves the question's own words the larger part,
/// however long the intent is.
const INTENT: f32 = 0.5;
/// An endpoint is waited for so long at most.
pub const QUESTION_WITHIN: Duration = Duration::from_secs(5);

/// The vector of each list that needs one; nothing for those of words.
pub(super) type QuestionVectors = Vec<Option<QuestionVector>>;

impl Library {
    /// Embeds the questions of some lists. Those whose endpoint gives nothing are taken out, if words are searched too,
    /// and the notices say so.
    pub(super) fn embedded(
        &mut self,
        planned: &mut Vec<PlannedList<'_>>,
        embedder: Option<&dyn TextEmbedder>,
        notices: &mut Vec<String>,
    ) -> Result<QuestionVectors> {
        if !planned.iter().any(|list| list.is_dense) {
            return Ok(planned.iter().map(|_| None).collect());
        }
        match self.question_vectors(planned, embedder) {
            Ok(vectors) => Ok(vectors),
            Err(error) => {
                let away = error.downcast_ref::<EmbedderAway>();
                let has_words = planned.iter().any(|list| !list.is_dense || list.is_expansion);
                let Some(away) = away.filter(|_| has_words) else { return Err(error) };
                planned.retain(|list| !list.is_dense);
                notices.push(format!("searched by words alone: {away}"));
                Ok(planned.iter().map(|_| None).collect())
            }
        }
    }

    fn question_vectors(
        &mut self,
        planned: &[PlannedList<'_>],
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<QuestionVectors> {
        let embedder =
            embedder.context("this search needs an embedding model: say --mode bm25 to do without")?;
        let (_, model) = self.database.model()?.context(
            "this library has no embeddings: `dojo rag embed` computes them, --mode bm25 does without",
        )?;
        ensure!(model == *embedder.model(), "{}", model.mismatch(embedder.model()));
        if embedder.pace() == EmbeddingPace::Slow {
            self.lend_index();
        }
        let began = Instant::now();
        let texts = planned.iter().filter(|list| list.is_dense);
        let texts: Vec<&str> = texts.flat_map(|list| std::iter::once(list.text).chain(list.intent)).collect();
        let vectors = embedder
            .embed_within(&texts, EmbeddedAs::Query, QUESTION_WITHIN)
            .context("embed the question")?;
        let mut vectors = vectors.into_iter();
        // All are asked for at once: the first list has the time of all.
        let mut embed_ms = milliseconds(began);
        let mut next = || vectors.next().context("embed the question: a vector is missing");
        let vector = |list: &PlannedList<'_>| -> Result<Option<QuestionVector>> {
            if !list.is_dense {
                return Ok(None);
            }
            let question = next()?;
            let numbers = match list.intent {
                Some(_) => with_intent(question, &next()?),
                None => question,
            };
            Ok(Some(QuestionVector { numbers, embed_ms: std::mem::take(&mut embed_ms) }))
        };
        planned.iter().map(vector).collect()
    }
}

/// The question's vector and that of what is meant as one, of length 1.
fn with_intent(mut question: Vec<f32>, meant: &[f32]) -> Vec<f32> {
    question.iter_mut().zip(meant).for_each(|(value, meant)| *value += INTENT * meant);
    let length = question.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    question.iter_mut().for_each(|value| *value /= length);
    question
}
