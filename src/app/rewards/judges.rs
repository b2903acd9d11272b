//! Models that help rewards: embeddings, tokens, and a judge that is a teacher or a model of this machine.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use futures::StreamExt;
use futures::stream;
use tokio::runtime::Runtime;

use crate::app::library::LocalEmbedder;
use crate::app::review::{Dry, speaker};
use crate::config::Folders;
use crate::engine::hub::{self, Network, Silent};
use crate::engine::model;
use crate::rag::embedding::{EmbeddedAs, TextEmbedder};
use crate::reward::helpers::{
    AnswerJudge, Entailment, EntailmentJudge, Grade, Grading, SentenceVectors, TokenCounter,
};
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::grade::Grader;
use crate::teacher::job::Drawing;
use crate::teacher::prompt::Prompt;

/// A sentence model of this machine.
pub(super) struct Vectors(LocalEmbedder);

impl Vectors {
    pub(super) fn open(folders: &Folders, name: &str) -> Result<Self> {
        let files = hub::resolve(&folders.models(), name, Network::Allowed, &mut Silent)?;
        LocalEmbedder::open(&files).map(Self)
    }
}

impl SentenceVectors for Vectors {
    fn name(&self) -> String {
        self.0.model().name.clone()
    }

    fn vectors(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.0.embed(texts, EmbeddedAs::Passage)
    }
}

/// The tokenizer of a model of this machine.
pub(super) struct Tokens(Arc<tokenizers::Tokenizer>);

impl Tokens {
    pub(super) fn open(folders: &Folders, name: &str) -> Result<Self> {
        let files = hub::resolve(&folders.models(), name, Network::Allowed, &mut Silent)?;
        Ok(Self(model::open(&files)?.tokenizer))
    }
}

impl TokenCounter for Tokens {
    fn count(&self, text: &str) -> Result<usize> {
        let encoded = self.0.encode_fast(text, false).map_err(|error| anyhow!("{error}"))?;
        Ok(encoded.len())
    }
}

/// Who judges, asked many questions at once. Every answer is kept, so that none is paid for twice.
pub(super) struct SpeakerJudge {
    speaker: Arc<dyn Speaker>,
    grader: Grader,
    runtime: Runtime,
}

impl SpeakerJudge {
    pub(super) fn open(folders: &Folders, name: &str) -> Result<Self> {
        let kept = folders.cache.join("judged");
        std::fs::create_dir_all(&kept).with_context(|| format!("make {}", kept.display()))?;
        let speaker = speaker(folders, name, &kept, Budget::default(), Dry::Run)?;
        let own = folders.settings.join("prompts");
        let prompt = |name| Prompt::load(name, &[&own]);
        let (grade, entail, again) = (prompt("grade")?, prompt("entail")?, prompt("again")?);
        let grader = Grader { grade, entail, again, drawing: Drawing::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Ok(Self { speaker, grader, runtime: runtime.context("start the judge's event loop")? })
    }

    /// Asks about each, as many at once as the speaker takes, and gives the answers in their order.
    fn ask_all<'a, Q: Sync, T: Send, F>(&'a self, asked: &'a [Q], ask: impl Fn(&'a Q) -> F) -> Vec<Result<T>>
    where
        F: Future<Output = Result<T>> + 'a,
    {
        let at_once = self.speaker.at_once().max(1);
        self.runtime.block_on(stream::iter(asked.iter().map(ask)).buffered(at_once).collect())
    }
}

impl EntailmentJudge for SpeakerJudge {
    fn name(&self) -> String {
        self.speaker.name()
    }

    fn judge(&self, pairs: &[(&str, &str)]) -> Vec<Result<Entailment>> {
        self.ask_all(pairs, |(premise, hypothesis)| async move {
            let (follows, why) = self.grader.entails(&*self.speaker, premise, hypothesis).await?;
            Ok(Entailment { probability: f64::from(follows), why })
        })
    }
}

impl AnswerJudge for SpeakerJudge {
    fn name(&self) -> String {
        self.speaker.name()
    }

    fn grade(&self, asked: &[Grading]) -> Vec<Result<Grade>> {
        self.ask_all(asked, |one| async move {
            let reference = one.reference.as_deref();
            let grade =
                self.grader.grade(&*self.speaker, &one.question, &one.answer, reference, &one.criteria);
            let (score, why) = grade.await?;
            Ok(Grade { score, why })
        })
    }
}
