//! From answers to figures: one model's answers to the items of one part, read by the task and scored by every metric.

use std::collections::BTreeMap;

use super::classes::{LabelCounts, LabelFigure, LabelPair};
use super::evidence::Evidence;
use super::metric::{EvalMetric, FigureKind, MetricNeed};
use crate::domain::evaluation::{ConfusionMatrix, EvaluatedAnswer, MetricFigure};
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, CompletionScorer, RewardTotal, ScoreDetail};
use crate::reward::answer;
use crate::reward::text::bleu::BleuCounts;
use crate::reward::text::chrf::ChrfCounts;
use crate::reward::text::meteor::meteor_with;
use crate::reward::text::rouge::{RougeKind, Stems, f_measure};
use crate::reward::text::wordnet::WordNet;
use crate::task::Task;

/// What a model said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelAnswer {
    pub text: String,
    pub tokens: u64,
    /// `stop`, `length`, ...
    pub finish: String,
}

/// How likely a label's text is after the prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceLikelihood {
    pub label: String,
    /// In nats.
    pub log_likelihood: f64,
    pub bytes: u64,
}

/// Everything that a model gave for one item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemAnswers {
    pub answer: Option<ModelAnswer>,
    pub choices: Option<Vec<ChoiceLikelihood>>,
    /// Of the record's own answer: negative log-likelihood in nats, and tokens.
    pub reference: Option<(f64, u64)>,
    /// Why something is missing.
    pub failed: Option<String>,
    /// Why whoever was asked tells no likelihoods, if so.
    pub no_likelihoods: Option<&'static str>,
}

/// The items of a part, and what scores answers to them.
pub struct ScoredPart<'a> {
    pub task: &'a Task,
    pub records: &'a [Record],
    pub scorer: Option<&'a dyn CompletionScorer>,
    pub wordnet: Option<&'a WordNet>,
}

/// What one metric says of one model.
pub struct MetricEvidence {
    pub metric: EvalMetric,
    pub evidence: Evidence,
    /// Why it says nothing of some items.
    pub why: Option<String>,
}

/// One model's answers, scored.
pub struct ScoredModel {
    pub evidence: Vec<MetricEvidence>,
    pub confusion: Option<ConfusionMatrix>,
    read: Vec<Option<String>>,
    right: Vec<Option<bool>>,
}

impl ScoredPart<'_> {
    /// Scores one model's answers, which are in the order of the records.
    #[must_use]
    pub fn score(&self, answers: &[ItemAnswers], metrics: &[EvalMetric]) -> ScoredModel {
        let read = self.read(answers);
        let totals = self.totals(answers, metrics);
        let labels = Labels::of(self, answers, &read);
        let evidence: Vec<MetricEvidence> = metrics
            .iter()
            .filter(|metric| !metric.is_table())
            .map(|metric| {
                let (evidence, why) = match metric {
                    EvalMetric::Reward(name) => of_rewards(name.as_deref(), &totals),
                    EvalMetric::Known(kind) => self.evidence(kind.figure, answers, &read, &labels),
                };
                let why = why.or_else(|| self.lacking(metric, answers));
                MetricEvidence { metric: metric.clone(), evidence, why }
            })
            .collect();
        let is_asked = metrics.iter().any(EvalMetric::is_table);
        let confusion = (is_asked && !labels.names.is_empty()).then(|| labels.matrix());
        let right = (0..answers.len()).map(|row| labels.right.get(row).copied().flatten());
        let right = right.enumerate().map(|(row, own)| own.or_else(|| right_by_metric(&evidence, row)));
        let right = right.collect();
        ScoredModel { evidence, confusion, read, right }
    }

    /// The labels that the task reads; none that it doesn't know.
    fn read(&self, answers: &[ItemAnswers]) -> Vec<Option<String>> {
        let of = |item: &ItemAnswers| {
            let label = self.task.read(&item.answer.as_ref()?.text).label?;
            (!label.is_empty() && self.task.knows(&label)).then_some(label)
        };
        answers.iter().map(of).collect()
    }

    fn totals(&self, answers: &[ItemAnswers], metrics: &[EvalMetric]) -> Vec<Option<RewardTotal>> {
        let wanted = metrics.iter().any(|metric| matches!(metric, EvalMetric::Reward(_)));
        let Some(scorer) = self.scorer.filter(|_| wanted) else { return vec![None; answers.len()] };
        let answered: Vec<Attempt<'_>> = self
            .records
            .iter()
            .zip(answers)
            .filter_map(|(record, item)| Some(Attempt { record, completion: &item.answer.as_ref()?.text }))
            .collect();
        let mut totals = scorer.score(&answered, ScoreDetail::Numbers).into_iter();
        answers.iter().map(|item| item.answer.as_ref().and_then(|_| totals.next())).collect()
    }

    fn evidence(
        &self,
        figure: FigureKind,
        answers: &[ItemAnswers],
        read: &[Option<String>],
        labels: &Labels,
    ) -> (Evidence, Option<String>) {
        let by_text = |of: &dyn Fn(&str, &str) -> f64| Evidence::Mean(self.against_reference(answers, of));
        let rouge = |kind| by_text(&|given, wanted| f_measure(kind, Stems::Ignored, given, wanted));
        let by_label = |figure| {
            let pairs = labels.pairs.clone();
            Evidence::Labels { pairs, labels: labels.names.len(), figure }
        };
        let named = (labels.names.is_empty()).then(|| "the task names no labels".to_owned());
        let evidence = match figure {
            FigureKind::Accuracy => Evidence::Mean(
                labels.right.iter().map(|right| right.map(|right| f64::from(u8::from(right)))).collect(),
            ),
            FigureKind::Precision => return (by_label(LabelFigure::Precision), named),
            FigureKind::Recall => return (by_label(LabelFigure::Recall), named),
            FigureKind::F1 => return (by_label(LabelFigure::F1), named),
            FigureKind::Confusion => Evidence::Mean(vec![None; answers.len()]),
            FigureKind::Unparsable => Evidence::Mean(
                answers
                    .iter()
                    .zip(read)
                    .map(|(item, read)| item.answer.as_ref().map(|_| f64::from(u8::from(read.is_none()))))
                    .collect(),
            ),
            FigureKind::ExactMatch => Evidence::Mean(self.matches(answers, read, same_text)),
            FigureKind::NumericMatch => Evidence::Mean(self.matches(answers, read, same_number)),
            FigureKind::Bleu => Evidence::Bleu(self.against_reference(answers, BleuCounts::of)),
            FigureKind::Chrf => Evidence::Chrf(self.against_reference(answers, ChrfCounts::of)),
            FigureKind::Rouge1 => rouge(RougeKind::Ngrams(1)),
            FigureKind::Rouge2 => rouge(RougeKind::Ngrams(2)),
            FigureKind::RougeL => rouge(RougeKind::Longest),
            FigureKind::Meteor => by_text(&|given, wanted| meteor_with(given, wanted, self.wordnet)),
            FigureKind::Length => Evidence::Mean(
                answers.iter().map(|item| item.answer.as_ref().map(|answer| answer.tokens as f64)).collect(),
            ),
            FigureKind::Perplexity => {
                Evidence::Perplexity(answers.iter().map(|item| item.reference).collect())
            }
            FigureKind::ChoiceAccuracy => self.by_choices(answers, |choice| choice.log_likelihood),
            FigureKind::ChoiceAccuracyByLength => {
                self.by_choices(answers, |choice| choice.log_likelihood / choice.bytes.max(1) as f64)
            }
            FigureKind::ChoiceLikelihood => {
                let of = |(record, item): (&Record, &ItemAnswers)| {
                    let truth = self.task.true_label(record)?;
                    let mut choices = item.choices.as_ref()?.iter();
                    Some(choices.find(|choice| self.task.same(&choice.label, &truth))?.log_likelihood)
                };
                Evidence::Mean(self.records.iter().zip(answers).map(of).collect())
            }
        };
        (evidence, None)
    }

    /// Something of each answer and its record's own; nothing if one is missing.
    fn against_reference<T>(&self, answers: &[ItemAnswers], of: impl Fn(&str, &str) -> T) -> Vec<Option<T>> {
        let one = |(record, item): (&Record, &ItemAnswers)| {
            Some(of(&item.answer.as_ref()?.text, &reference(self.task, record)?))
        };
        self.records.iter().zip(answers).map(one).collect()
    }

    /// Whether each final answer is the record's: its label as it was read, else what the text ends with.
    fn matches(
        &self,
        answers: &[ItemAnswers],
        read: &[Option<String>],
        same: fn(&str, &str) -> bool,
    ) -> Vec<Option<f64>> {
        let one = |((record, item), read): ((&Record, &ItemAnswers), &Option<String>)| {
            let text = &item.answer.as_ref()?.text;
            let truth = self.task.true_label(record).or_else(|| reference(self.task, record))?;
            let given = read.clone().or_else(|| answer::extract(text, None)).unwrap_or_else(|| text.clone());
            Some(f64::from(u8::from(same(&given, &truth) || same(text, &truth))))
        };
        self.records.iter().zip(answers).zip(read).map(one).collect()
    }

    fn by_choices(&self, answers: &[ItemAnswers], worth: fn(&ChoiceLikelihood) -> f64) -> Evidence {
        let one = |(record, item): (&Record, &ItemAnswers)| {
            let truth = self.task.true_label(record)?;
            let likeliest = item.choices.as_ref()?.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)))?;
            Some(f64::from(u8::from(self.task.same(&likeliest.label, &truth))))
        };
        Evidence::Mean(self.records.iter().zip(answers).map(one).collect())
    }

    /// Why a metric says nothing of an item.
    fn lacking(&self, metric: &EvalMetric, answers: &[ItemAnswers]) -> Option<String> {
        let failed = answers.iter().find_map(|item| item.failed.clone());
        let is_missing = |item: &ItemAnswers| match metric.asks() {
            MetricNeed::Answers => item.answer.is_none(),
            MetricNeed::Choices => item.choices.is_none(),
            MetricNeed::Reference => item.reference.is_none(),
        };
        if answers.iter().all(is_missing) {
            let untold = answers.iter().find_map(|item| item.no_likelihoods).map(str::to_owned);
            return failed.or(untold).or_else(|| match metric.asks() {
                MetricNeed::Reference => Some("no record has an answer of its own".to_owned()),
                MetricNeed::Choices => Some("the task names no labels".to_owned()),
                MetricNeed::Answers => None,
            });
        }
        let has_no_truth = |record: &Record| self.task.true_label(record).is_none();
        let has_no_reference = |record: &Record| reference(self.task, record).is_none();
        let EvalMetric::Known(kind) = metric else { return None };
        let (count, what) = match kind.figure {
            FigureKind::Accuracy
            | FigureKind::ChoiceAccuracy
            | FigureKind::ChoiceAccuracyByLength
            | FigureKind::ChoiceLikelihood => {
                (self.records.iter().filter(|record| has_no_truth(record)).count(), "no label")
            }
            FigureKind::Bleu
            | FigureKind::Chrf
            | FigureKind::Rouge1
            | FigureKind::Rouge2
            | FigureKind::RougeL
            | FigureKind::Meteor => (
                self.records.iter().filter(|record| has_no_reference(record)).count(),
                "no answer of its own",
            ),
            _ => (0, ""),
        };
        let all = self.records.len();
        (count > 0).then(|| format!("{count} of {all} records have {what}"))
    }
}

/// The record's own answer, if it says something.
#[must_use]
pub fn reference(task: &Task, record: &Record) -> Option<String> {
    task.answer_to_learn(record).ok().flatten().filter(|text| !text.trim().is_empty())
}

fn same_text(given: &str, truth: &str) -> bool {
    answer::normalised(given) == answer::normalised(truth)
}

fn same_number(given: &str, truth: &str) -> bool {
    let pair = answer::number(given).zip(answer::number(truth));
    pair.is_some_and(|(a, b)| (a - b).abs() <= (1e-9 * a.abs().max(b.abs())).max(1e-6))
}

fn of_rewards(name: Option<&str>, totals: &[Option<RewardTotal>]) -> (Evidence, Option<String>) {
    let of = |total: &RewardTotal| match name {
        // One that was asked for besides has no weight, and is no part of the sum.
        None => {
            let own = total.parts.iter().filter(|part| part.weight != 0.0);
            let values: Vec<f64> = own.filter_map(|part| Some(part.weight * part.outcome.value()?)).collect();
            (!values.is_empty()).then(|| values.iter().sum())
        }
        Some(name) => total.parts.iter().find(|part| part.name == name)?.outcome.value(),
    };
    let values = totals.iter().map(|total| total.as_ref().and_then(of)).collect();
    let reason = totals.iter().flatten().flat_map(|total| &total.parts).find_map(|part| {
        let is_meant = name.is_none_or(|name| name == part.name);
        part.outcome.reason().filter(|_| is_meant).map(|why| format!("{}: {why}", part.name))
    });
    (Evidence::Mean(values), reason)
}

fn right_by_metric(evidence: &[MetricEvidence], row: usize) -> Option<bool> {
    let says_right = |one: &&MetricEvidence| {
        matches!(
            &one.metric,
            EvalMetric::Known(kind) if matches!(
                kind.figure,
                FigureKind::ExactMatch | FigureKind::NumericMatch | FigureKind::ChoiceAccuracy
            )
        )
    };
    evidence.iter().filter(says_right).find_map(|one| one.evidence.is_right(row))
}

/// True and read labels of all items, by their places among the labels that occur.
struct Labels {
    names: Vec<String>,
    pairs: Vec<Option<LabelPair>>,
    right: Vec<Option<bool>>,
}

impl Labels {
    fn of(part: &ScoredPart<'_>, answers: &[ItemAnswers], read: &[Option<String>]) -> Self {
        let task = part.task;
        // What was not answered is neither right nor wrong.
        let truth = |(record, item): (&Record, &ItemAnswers)| {
            item.answer.as_ref().and_then(|_| task.true_label(record))
        };
        let truths: Vec<Option<String>> = part.records.iter().zip(answers).map(truth).collect();
        let is_classes = !task.labels().is_empty();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        if is_classes {
            truths.iter().chain(read).flatten().for_each(|label| _ = places.insert(label, 0));
        }
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        let answered = read.len();
        let pair = |row: usize| {
            let truth = truths.get(row)?.as_deref()?;
            Some((*places.get(truth)?, read.get(row)?.as_deref().and_then(|read| places.get(read).copied())))
        };
        let right = |row: usize| {
            let truth = truths.get(row)?.as_deref()?;
            Some(read.get(row)?.as_deref().is_some_and(|read| task.same(read, truth)))
        };
        Self {
            pairs: (0..answered).map(pair).collect(),
            right: (0..answered).map(right).collect(),
            names: places.keys().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn matrix(&self) -> ConfusionMatrix {
        let counts = LabelCounts::of(self.names.len(), self.pairs.iter().copied().flatten());
        ConfusionMatrix { labels: self.names.clone(), counts: counts.rows() }
    }
}

impl ScoredModel {
    /// Every metric's figure with its interval.
    #[must_use]
    pub fn figures(&self, seed: u64) -> Vec<MetricFigure> {
        let figure = |one: &MetricEvidence| {
            let rows = one.evidence.applies();
            let value = one.evidence.value(&rows);
            let interval = value.and_then(|_| one.evidence.interval(seed));
            MetricFigure {
                metric: one.metric.name(),
                unit: one.metric.unit(),
                better: one.metric.better(),
                value,
                interval: interval.map(|interval| (interval.low, interval.high)),
                items: rows.len() as u64,
                why: one.why.clone(),
            }
        };
        self.evidence.iter().map(figure).collect()
    }

    /// An item's answer as it is kept; `item` and `model` are left to the caller.
    #[must_use]
    pub fn answer(&self, row: usize, answers: &ItemAnswers) -> EvaluatedAnswer {
        let values = self.evidence.iter().filter_map(|one| {
            let value = one.evidence.of_item(row)?;
            value.is_finite().then(|| (one.metric.name(), value))
        });
        let said = answers.answer.clone().unwrap_or_default();
        EvaluatedAnswer {
            answer: said.text,
            read: self.read.get(row).cloned().flatten(),
            right: self.right.get(row).copied().flatten(),
            tokens: said.tokens,
            failed: answers.failed.clone(),
            values: values.collect(),
            ..EvaluatedAnswer::default()
        }
    }
}
