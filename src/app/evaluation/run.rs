//! An evaluation from its order to its report: one model after the other answers all parts; what goes wrong with one is
//! told in a sentence, and the others go on.

use std::sync::Arc;

use anyhow::{Context, Error, Result};

use super::candidates::{self, EvaluationCandidate};
use super::engine::{Asking, LocalAnswerer};
use super::kept::{self, EvaluationFolder};
use super::plan::{EvaluationPlan, PlannedPart, plan};
use super::{EvaluationHost, EvaluationProgress, endpoint};
use crate::app::review::{Dry, speaker};
use crate::config::Folders;
use crate::domain::evaluation::{
    EvaluatedModel, EvaluationOrder, EvaluationReport, KeptEvaluation, ModelResult,
};
use crate::eval::MetricNeed;
use crate::eval::comparing::{compare, settle};
use crate::eval::scoring::{ItemAnswers, ScoredModel, ScoredPart};
use crate::ground::clock;
use crate::reward::text::wordnet::WordNet;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;
use crate::teacher::cache::AnswerCache;
use crate::teacher::course::Silence;

/// A person wanted it to stop.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub(super) struct StoppedByPerson;

/// What a report says until all is answered.
const BEGUN: &str = "it has not come to its end";

/// Counts what was asked.
pub(super) struct Counter {
    done: u64,
    all: u64,
    note: String,
}

impl Counter {
    /// One more question has its answer, or will have none.
    pub(super) fn one(&mut self, host: &mut EvaluationHost<'_>) {
        self.done += 1;
        self.tell(host, None);
    }

    /// Nothing comes.
    pub(super) fn waits(&self, host: &mut EvaluationHost<'_>, silence: Silence) {
        self.tell(host, Some(silence));
    }

    fn tell(&self, host: &mut EvaluationHost<'_>, silence: Option<Silence>) {
        let note = self.note.clone();
        (host.tell)(EvaluationProgress { done: self.done, all: self.all, note, silence });
    }
}

/// Carries out an order in a folder. A stop leaves a report of what was answered until then.
///
/// # Errors
/// If the order is wrong, nothing can be kept, or no model could be asked.
pub fn evaluate(
    folders: &Folders,
    folder: &EvaluationFolder,
    order: &EvaluationOrder,
    host: &mut EvaluationHost<'_>,
) -> Result<KeptEvaluation> {
    let order = with_whole_paths(order)?;
    let plan = plan(folders, &order)?;
    let wordnet = order.wordnet.as_deref().map(WordNet::open).transpose()?;
    let names = candidates::shown_names(&order.models);
    let mut kept = KeptEvaluation {
        report: EvaluationReport {
            name: folder.name(),
            made: clock::now(),
            order: order.clone(),
            models: names
                .iter()
                .map(|name| EvaluatedModel { name: name.clone(), ..EvaluatedModel::default() })
                .collect(),
            parts: plan.parts.iter().map(PlannedPart::described).collect(),
            notes: plan.notes.clone(),
            unfinished: Some(BEGUN.to_owned()),
        },
        items: plan.parts.iter().enumerate().flat_map(|(at, part)| part.items(at)).collect(),
        answers: Vec::new(),
    };
    // What an earlier run has left stays until there is more.
    if !folder.is_begun() {
        folder.keep(&kept)?;
    }
    let cache = kept::answers(folders)?;
    let asked: usize = plan.parts.iter().map(questions).sum();
    let all = (asked * order.models.len()) as u64;
    let mut counter = Counter { done: 0, all, note: String::new() };
    let mut scored: Vec<Vec<Option<ScoredModel>>> = plan.parts.iter().map(|_| Vec::new()).collect();
    let mut stopped = false;
    for (at, name) in order.models.iter().enumerate() {
        if stopped {
            scored.iter_mut().for_each(|part| part.push(None));
            continue;
        }
        counter.note = names.get(at).cloned().unwrap_or_default();
        counter.done = (asked * at) as u64;
        let model =
            ModelTurn { folders, order: &order, plan: &plan, wordnet: wordnet.as_ref(), cache: &cache, at };
        let failed = model.answer(name, (&mut *host, &mut counter), &mut kept, &mut scored).err();
        stopped = failed.as_ref().is_some_and(Error::is::<StoppedByPerson>);
        if let (Some(error), Some(told)) = (failed.filter(|_| !stopped), kept.report.models.get_mut(at)) {
            told.failed = Some(format!("{error:#}"));
        }
    }
    finish(&mut kept, &scored, (&names, order.seed), stopped);
    folder.keep(&kept)?;
    Ok(kept)
}

fn questions(part: &PlannedPart) -> usize {
    [MetricNeed::Answers, MetricNeed::Choices, MetricNeed::Reference]
        .into_iter()
        .map(|need| part.questions_of(need))
        .sum()
}

fn with_whole_paths(order: &EvaluationOrder) -> Result<EvaluationOrder> {
    let whole =
        |names: &[String]| names.iter().map(|name| candidates::absolute(name)).collect::<Result<Vec<_>>>();
    let mut order = order.clone();
    order.models = whole(&order.models)?;
    order.prompts = whole(&order.prompts)?;
    order.data = whole(&order.data)?;
    // A task's name is looked up before a file of that name.
    let is_file = |name: &&mut String| std::path::Path::new(name.as_str()).extension().is_some();
    for task in order.tasks.iter_mut().filter(is_file) {
        *task = candidates::absolute(task)?;
    }
    for path in [&mut order.session, &mut order.wordnet].into_iter().flatten() {
        *path = std::path::absolute(&*path).context("find a folder")?;
    }
    Ok(order)
}

/// The comparisons, and that it is over.
fn finish(
    kept: &mut KeptEvaluation,
    scored: &[Vec<Option<ScoredModel>>],
    (names, seed): (&[String], u64),
    stopped: bool,
) {
    for (part, models) in kept.report.parts.iter_mut().zip(scored) {
        let there: Vec<(usize, &ScoredModel)> =
            models.iter().enumerate().filter_map(|(at, model)| Some((at, model.as_ref()?))).collect();
        for (at, (first, own)) in there.iter().enumerate() {
            for (second, other) in there.iter().skip(at + 1) {
                let pairs = own.evidence.iter().zip(&other.evidence);
                part.comparisons.extend(pairs.filter_map(|(a, b)| {
                    compare(&a.metric, (*first, &a.evidence), (*second, &b.evidence), seed)
                }));
            }
        }
    }
    settle(&mut kept.report.parts, names);
    kept.report.unfinished =
        stopped.then(|| "it was stopped; what was answered is kept, and resuming goes on there".to_owned());
}

/// One model's turn.
struct ModelTurn<'a> {
    folders: &'a Folders,
    order: &'a EvaluationOrder,
    plan: &'a EvaluationPlan,
    wordnet: Option<&'a WordNet>,
    cache: &'a AnswerCache,
    at: usize,
}

/// Whoever answers, ready.
enum OpenCandidate {
    Local(Box<LocalAnswerer>),
    Endpoint(Arc<dyn Speaker>),
}

impl ModelTurn<'_> {
    fn answer(
        &self,
        name: &str,
        (host, counter): (&mut EvaluationHost<'_>, &mut Counter),
        kept: &mut KeptEvaluation,
        scored: &mut [Vec<Option<ScoredModel>>],
    ) -> Result<()> {
        let opened = self.open(name, host, kept);
        let mut outcome = opened.as_ref().err().map(|error| anyhow::anyhow!("{error:#}"));
        let mut answerer = opened.ok();
        let mut first_item = 0;
        for (number, (part, scored)) in self.plan.parts.iter().zip(scored).enumerate() {
            let mut items = vec![ItemAnswers::default(); part.records.len()];
            let mut spent = (0.0, 0);
            if let Some(answerer) = answerer.as_mut().filter(|_| outcome.is_none()) {
                let asked = match answerer {
                    OpenCandidate::Local(local) => {
                        let asking = Asking { part, order: self.order, cache: self.cache };
                        local.answer(&asking, &mut items, (&mut *host, &mut *counter))
                    }
                    OpenCandidate::Endpoint(speaker) => endpoint::answer(
                        &**speaker,
                        (part, self.order),
                        &mut items,
                        (&mut *host, &mut *counter),
                    ),
                };
                match asked {
                    Ok(asked) => spent = asked,
                    Err(error) => outcome = Some(error),
                }
            }
            let said = items.iter().any(|item| {
                item.answer.is_some()
                    || item.choices.is_some()
                    || item.reference.is_some()
                    || item.failed.is_some()
            });
            scored.push(said.then(|| self.score((number, first_item), part, (&items, spent), kept)));
            first_item += part.records.len();
        }
        outcome.map_or(Ok(()), Err)
    }

    fn open(
        &self,
        name: &str,
        host: &EvaluationHost<'_>,
        kept: &mut KeptEvaluation,
    ) -> Result<OpenCandidate> {
        let candidate = candidates::find(self.folders, name)?;
        let told = kept.report.models.get_mut(self.at).context("a model beyond the list")?;
        match candidate {
            EvaluationCandidate::Endpoint(name) => {
                let place = kept::place(self.folders);
                let (settings, _) = self.folders.read_settings();
                let endpoint = settings.teachers.get(&name);
                let model = endpoint.map(|endpoint| format!("{} at {}", endpoint.model, endpoint.base_url));
                told.about = format!("the endpoint {}", model.unwrap_or_default());
                told.version.clone_from(&told.about);
                Ok(OpenCandidate::Endpoint(speaker(
                    self.folders,
                    &name,
                    &place,
                    Budget::default(),
                    Dry::Run,
                )?))
            }
            EvaluationCandidate::Local(local) => {
                let opened = LocalAnswerer::open(self.folders, &local, host)?;
                let adapter = local.adapter.as_ref().map_or_else(String::new, |folder| {
                    format!(" with the adapter {}", crate::app::train::described::short(folder))
                });
                let base = candidates::shown_names(std::slice::from_ref(&local.base)).concat();
                told.about = format!("{base}{adapter}");
                told.version.clone_from(&opened.version);
                let name = &told.name;
                kept.report.notes.extend(opened.notes.iter().map(|note| format!("{name}: {note}")));
                Ok(OpenCandidate::Local(Box::new(opened)))
            }
        }
    }

    /// Scores what was answered, and keeps it.
    fn score(
        &self,
        (number, first_item): (usize, usize),
        part: &PlannedPart,
        (items, (seconds, computed)): (&[ItemAnswers], (f64, u64)),
        kept: &mut KeptEvaluation,
    ) -> ScoredModel {
        let scorer = part.scorer.as_ref().map(|set| set as &dyn crate::domain::reward::CompletionScorer);
        let scoring = ScoredPart { task: &part.task, records: &part.records, scorer, wordnet: self.wordnet };
        let scored = scoring.score(items, &part.metrics);
        let answered = |item: &&ItemAnswers| item.failed.is_none();
        let result = ModelResult {
            model: self.at,
            answered: items
                .iter()
                .filter(answered)
                .filter(|item| item.answer.is_some() || item.choices.is_some() || item.reference.is_some())
                .count() as u64,
            failed: items.iter().filter(|item| item.failed.is_some()).count() as u64,
            first_failure: items.iter().find_map(|item| item.failed.clone()),
            cut: items
                .iter()
                .filter(|item| item.answer.as_ref().is_some_and(|said| said.finish == "length"))
                .count() as u64,
            tokens: items.iter().filter_map(|item| Some(item.answer.as_ref()?.tokens)).sum(),
            seconds,
            computed,
            figures: scored.figures(self.order.seed),
            confusion: scored.confusion.clone(),
        };
        if let Some(part) = kept.report.parts.get_mut(number) {
            part.results.push(result);
        }
        for (row, item) in items.iter().enumerate() {
            if item.answer.is_none()
                && item.failed.is_none()
                && item.choices.is_none()
                && item.reference.is_none()
            {
                continue;
            }
            let mut answer = scored.answer(row, item);
            (answer.item, answer.model) = (first_item + row, self.at);
            kept.answers.push(answer);
        }
        scored
    }
}
