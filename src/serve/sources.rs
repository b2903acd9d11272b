//! Where an answer is from, as its client is told: the passages that the model saw, and what of the answer they bear.

use serde_json::{Value, json};

use super::answer::usage;
use crate::domain::cited::CheckedAnswer;
use crate::domain::retrieval::FoundPassage;
use crate::engine::generate::Usage;
use crate::rag::answer::AnswerCheck;
use crate::rag::terms::TermReader;

/// The field of a message that says where it is from. OpenAI's clients pass over it.
pub(crate) const CITATIONS: &str = "citations";

/// What the answers of one request are given from.
pub(crate) struct Sources {
    /// The library's name.
    library: String,
    /// What was searched for.
    question: String,
    /// Those that the model saw, by their numbers from 1.
    passages: Vec<FoundPassage>,
    /// Passages that were found and didn't fit the prompt.
    left_out: usize,
    /// What making the question stand alone took; nothing if it stood alone.
    pub rewriting: Option<Usage>,
    check: AnswerCheck,
    terms: TermReader,
}

impl Sources {
    /// # Errors
    /// Where a language can't be read.
    pub(crate) fn new(
        library: String,
        question: String,
        (passages, left_out): (Vec<FoundPassage>, usize),
        languages: &[String],
        rewriting: Option<Usage>,
    ) -> anyhow::Result<Self> {
        let mut terms = TermReader::default();
        let check = AnswerCheck::new(&passages, &mut terms, languages)?;
        Ok(Self { library, question, passages, left_out, rewriting, check, terms })
    }

    /// What is said of one answer.
    pub(crate) fn citations(&mut self, answer: &str) -> Value {
        let checked = self.check.check(answer, &mut self.terms);
        let checked = checked
            .inspect_err(|error| tracing::warn!("an answer can't be held against its passages: {error:#}"))
            .ok();
        let passages = (1_u32..).zip(&self.passages);
        let passages = passages.map(|(number, passage)| {
            let mut own = shown(number, passage);
            own["cited"] = checked.as_ref().map(|checked| checked.cited.contains(&number)).into();
            own
        });
        let mut said = json!({
            "library": self.library,
            "question": self.question,
            "passages": passages.collect::<Vec<_>>(),
            "left_out": self.left_out,
            "rewriting": self.rewriting.map(|rewriting| usage(&[rewriting], 1, None)),
        });
        if let (Some(said), Some(checked)) = (said.as_object_mut(), &checked) {
            let found = found(answer, checked);
            said.extend(found.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        said
    }
}

fn shown(number: u32, passage: &FoundPassage) -> Value {
    json!({
        "number": number,
        "source": passage.source,
        "title": passage.title,
        "section": passage.section,
        "pages": passage.pages,
        "context": passage.context,
        "text": passage.text,
        "score": passage.score,
        "bm25": passage.bm25,
        "dense": passage.dense,
    })
}

/// What holding an answer against its passages found. Places are in characters, since that is what clients count.
fn found(answer: &str, checked: &CheckedAnswer) -> [(&'static str, Value); 4] {
    let characters = |bytes: usize| answer.get(..bytes).map_or(0, |before| before.chars().count());
    let sentence = |at: &std::ops::Range<usize>| {
        json!({
            "text": answer.get(at.clone()),
            "start": characters(at.start),
            "end": characters(at.end),
        })
    };
    let nowhere = checked.dangling().map(|citation| {
        let at = &citation.at;
        json!({ "number": citation.number, "start": characters(at.start), "end": characters(at.end) })
    });
    let missing = checked.ungrounded().map(|own| {
        let mut said = sentence(&own.at);
        said["share"] = json!(own.share);
        said
    });
    let uncited = checked.uncited(answer).map(|own| sentence(&own.at));
    [
        ("cited", json!(checked.cited)),
        ("points_nowhere", nowhere.collect()),
        ("in_no_passage", missing.collect()),
        ("uncited", uncited.collect()),
    ]
}
