//! Models that put passages in order, on a thread of their own: a cross-encoder, a model that says yes or no, or a
//! teacher that gives grades. Nobody waits longer for them than they want.

mod graded;
mod yes_or_no;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::background::{Background, Loading};
use super::named::{NamePlaces, NamedModel};
use crate::app::review;
use crate::domain::counted::counted;
use crate::engine::embed::{CrossEncoder, is_cross_encoder};
use crate::engine::hub::{PullProgress, embeds_only};
use crate::rag::search::{PassageReranker, RerankScores};
use crate::teacher::Speaker;
use graded::GradingTeacher;
use yes_or_no::YesOrNo;

/// What one question wants scored.
struct RerankJob {
    question: String,
    passages: Vec<String>,
    deadline: Instant,
    /// Set when nobody waits any more.
    given_up: Arc<AtomicBool>,
    tell: SyncSender<(usize, Result<f64, String>)>,
}

impl RerankJob {
    fn is_over(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

/// What scores.
enum Scorer {
    CrossEncoder(Box<CrossEncoder>),
    YesOrNo(Box<YesOrNo>),
    Teacher(GradingTeacher),
}

/// A reranker that answers from its own thread.
pub struct BackgroundReranker {
    name: String,
    background: Background<RerankJob>,
    /// Whoever is asked over the network, and may have a reason for being late.
    teacher: Option<Arc<dyn Speaker>>,
}

impl BackgroundReranker {
    /// Begins to load the model of a name; finds out before whether there is one.
    ///
    /// # Errors
    /// Where there is none of that name, or it can't rerank.
    pub(super) fn start(
        places: &NamePlaces<'_>,
        given: &str,
        progress: &mut dyn PullProgress,
    ) -> Result<Self> {
        let session = places.library.parent().unwrap_or(Path::new("."));
        let prompt = |name: &str| review::prompt(places.folders, session, name);
        let start = |load: Box<dyn FnOnce() -> Result<Scorer> + Send>| {
            Background::start("reranker", load, |scorer: &mut Scorer, job| scorer.work(&job))
        };
        let found = places.find(given, progress).context("open the reranker")?;
        let (background, teacher) = match found {
            NamedModel::Teacher(speaker) => {
                let (prompt, asked) = (prompt("relevance")?, Arc::clone(&speaker));
                let load = move || Ok(Scorer::Teacher(GradingTeacher::new(asked, prompt)?));
                (start(Box::new(load))?, Some(speaker))
            }
            NamedModel::Local { files, adapter: None } if is_cross_encoder(&files) => {
                let load = move || Ok(Scorer::CrossEncoder(Box::new(CrossEncoder::open(&files)?)));
                (start(Box::new(load))?, None)
            }
            NamedModel::Local { files, .. } if embeds_only(&files.name, Some(&files)) => bail!(
                "{given} turns texts into vectors and puts nothing in order: name a cross-encoder \
                 (ms-marco-minilm-l6-v2), a chat model, or a teacher"
            ),
            NamedModel::Local { files, adapter } => {
                let prompt = prompt("rerank")?;
                let load =
                    move || Ok(Scorer::YesOrNo(Box::new(YesOrNo::open(&files, adapter.as_deref(), prompt)?)));
                (start(Box::new(load))?, None)
            }
        };
        Ok(Self { name: given.to_owned(), background, teacher })
    }

    /// Waits until it is loaded.
    ///
    /// # Errors
    /// Where it can't be.
    pub fn wait_until_loaded(&self) -> Result<()> {
        self.background.wait_until_loaded().with_context(|| format!("open the reranker {}", self.name))
    }

    /// Why it scored less than it was asked for, in a sentence; nothing if it only ran out of time.
    fn notice(&self, reached: usize, failed: usize, fault: Option<&str>, late: Lateness) -> Option<String> {
        let name = &self.name;
        let kept = "the fused order is as it was";
        if let Loading::Failed(why) = self.background.loading() {
            return Some(format!("{name} reranks nothing: {why}; {kept}"));
        }
        match (reached, fault, late) {
            (0, Some(fault), _) => Some(format!("{name} reranks nothing: {fault}; {kept}")),
            (0, None, Lateness::After(budget)) => {
                let trouble = self.teacher.as_ref().and_then(|teacher| teacher.account().last_trouble);
                let why = match (self.background.loading(), trouble) {
                    (Loading::UnderWay, _) => ", since it was still being loaded".to_owned(),
                    (_, Some(trouble)) => format!(" ({trouble})"),
                    (_, None) => String::new(),
                };
                let budget = budget.as_millis();
                Some(format!(
                    "{name} scored no passage within {budget} ms{why}: {kept}; a larger budget may help"
                ))
            }
            (_, Some(fault), _) => {
                Some(format!("{name} couldn't score {}: {fault}", counted(failed as u64, "passage")))
            }
            (_, None, Lateness::After(_) | Lateness::No) => None,
        }
    }
}

/// Whether the time was over before all was scored.
#[derive(Debug, Clone, Copy)]
enum Lateness {
    No,
    After(Duration),
}

impl PassageReranker for BackgroundReranker {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&mut self, question: &str, passages: Vec<String>, budget: Duration) -> RerankScores {
        let mut scores = vec![None; passages.len()];
        if passages.is_empty() {
            return RerankScores { scores, notice: None };
        }
        // A passage is told of once, so that the thread never waits for whoever has gone.
        let (tell, told) = sync_channel(passages.len());
        let given_up = Arc::new(AtomicBool::new(false));
        let deadline = Instant::now() + budget;
        let question = question.to_owned();
        let job = RerankJob { question, passages, deadline, given_up: Arc::clone(&given_up), tell };
        if let Err(why) = self.background.give(job) {
            let notice = format!("{} reranks nothing: {why}; the fused order is as it was", self.name);
            return RerankScores { scores, notice: Some(notice) };
        }
        let (mut failed, mut fault) = (0, None);
        let late = collect(&told, deadline, budget, |place, score| match score {
            Ok(score) => {
                if let Some(place) = scores.get_mut(place) {
                    *place = Some(score);
                }
            }
            Err(why) => {
                failed += 1;
                fault.get_or_insert(why);
            }
        });
        given_up.store(true, Ordering::Relaxed);
        let reached = scores.iter().flatten().count();
        RerankScores { notice: self.notice(reached, failed, fault.as_deref(), late), scores }
    }
}

/// Takes what is told until the time is over.
fn collect(
    told: &Receiver<(usize, Result<f64, String>)>,
    deadline: Instant,
    budget: Duration,
    mut take: impl FnMut(usize, Result<f64, String>),
) -> Lateness {
    loop {
        match told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((place, score)) => take(place, score),
            Err(RecvTimeoutError::Timeout) => return Lateness::After(budget),
            // The thread looks at the clock too, and may have been first.
            Err(RecvTimeoutError::Disconnected) if Instant::now() >= deadline => {
                return Lateness::After(budget);
            }
            Err(RecvTimeoutError::Disconnected) => return Lateness::No,
        }
    }
}

impl Scorer {
    /// Scores passages, the first ones first, until the time is over.
    fn work(&mut self, job: &RerankJob) {
        let one_by_one = |score: &mut dyn FnMut(&str) -> Result<f64>| {
            for (place, passage) in job.passages.iter().enumerate() {
                if job.is_over() {
                    return;
                }
                let told = score(passage).map_err(|error| format!("{error:#}"));
                if job.tell.send((place, told)).is_err() {
                    return;
                }
            }
        };
        match self {
            Self::CrossEncoder(model) => {
                one_by_one(&mut |passage| model.score(&job.question, passage).map(f64::from));
            }
            Self::YesOrNo(model) => one_by_one(&mut |passage| model.score(&job.question, passage)),
            Self::Teacher(teacher) => teacher.work(job),
        }
    }
}
