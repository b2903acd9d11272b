//! The metrics by name: what each is, how it is read, and what a model has to be asked for it.

use anyhow::{Result, bail};

use crate::domain::evaluation::{MetricDirection, MetricUnit};
use crate::reward::settings::nearest;

/// A figure that answers get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvalMetric {
    Known(&'static MetricKind),
    /// The task's weighted sum of rewards, or one reward by its name.
    Reward(Option<String>),
}

/// A row of the table of metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct MetricKind {
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    pub unit: MetricUnit,
    pub better: MetricDirection,
    pub asks: MetricNeed,
    pub figure: FigureKind,
}

/// What a metric needs of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricNeed {
    Answers,
    /// How likely it finds each label's text.
    Choices,
    /// How likely it finds the record's own answer.
    Reference,
}

/// Which figure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureKind {
    Accuracy,
    Precision,
    Recall,
    F1,
    Confusion,
    Unparsable,
    ExactMatch,
    NumericMatch,
    Bleu,
    Chrf,
    Rouge1,
    Rouge2,
    RougeL,
    Meteor,
    Length,
    Perplexity,
    ChoiceAccuracy,
    ChoiceAccuracyByLength,
    ChoiceLikelihood,
}

const fn kind(
    name: &'static str,
    figure: FigureKind,
    unit: MetricUnit,
    better: MetricDirection,
    asks: MetricNeed,
    about: &'static str,
) -> MetricKind {
    MetricKind { name, about, unit, better, asks, figure }
}

use FigureKind as F;
use MetricDirection::{Higher, Lower, Neither};
use MetricNeed::{Answers, Choices, Reference};
use MetricUnit::{Number, Points, Share, Tokens};

/// Every metric there is, but for the rewards.
#[rustfmt::skip]
pub const KINDS: &[MetricKind] = &[
    kind("accuracy", F::Accuracy, Share, Higher, Answers, "Answers whose label is the true one; one that can't be read is wrong"),
    kind("precision", F::Precision, Share, Higher, Answers, "Mean over the labels (macro): of the answers with a label, those that are right"),
    kind("recall", F::Recall, Share, Higher, Answers, "Mean over the labels (macro): of the records of a label, those that are found"),
    kind("f1", F::F1, Share, Higher, Answers, "Mean over the labels (macro) of the harmonic mean of precision and recall"),
    kind("confusion", F::Confusion, Share, Neither, Answers, "How often each label was answered with each; a table besides the figures"),
    kind("unparsable", F::Unparsable, Share, Lower, Answers, "Answers of which no label of the task can be read"),
    kind("exact-match", F::ExactMatch, Share, Higher, Answers, "Final answers that are the reference's as texts, written alike"),
    kind("numeric-match", F::NumericMatch, Share, Higher, Answers, "Final answers that are the reference's as numbers"),
    kind("bleu", F::Bleu, Points, Higher, Answers, "sacreBLEU's corpus BLEU against the reference"),
    kind("chrf", F::Chrf, Points, Higher, Answers, "sacreBLEU's corpus chrF against the reference"),
    kind("rouge-1", F::Rouge1, Share, Higher, Answers, "rouge_score's F-measure of words against the reference"),
    kind("rouge-2", F::Rouge2, Share, Higher, Answers, "rouge_score's F-measure of pairs of words against the reference"),
    kind("rouge-l", F::RougeL, Share, Higher, Answers, "rouge_score's F-measure of the longest common subsequence"),
    kind("meteor", F::Meteor, Share, Higher, Answers, "NLTK's METEOR against the reference; with --wordnet synonyms count"),
    kind("length", F::Length, Tokens, Neither, Answers, "Tokens of an answer on average"),
    kind("perplexity", F::Perplexity, Number, Lower, Reference, "Of the record's own answer after its prompt, by token"),
    kind("choice-accuracy", F::ChoiceAccuracy, Share, Higher, Choices, "Records whose true label's text is the likeliest after the prompt"),
    kind("choice-accuracy-norm", F::ChoiceAccuracyByLength, Share, Higher, Choices, "The same by each text's likelihood a byte"),
    kind("choice-likelihood", F::ChoiceLikelihood, Number, Higher, Choices, "Log-likelihood of the true label's text on average, in nats"),
];

/// What names a reward as a metric.
const REWARD: &str = "reward";

impl EvalMetric {
    /// The metric of that name; `reward` is the task's sum, `reward:NAME` one reward.
    ///
    /// # Errors
    /// If there is none; the sentence says which is near.
    pub fn parse(name: &str) -> Result<Self> {
        if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
            return Ok(Self::Known(kind));
        }
        match name.split_once(':') {
            None if name == REWARD => return Ok(Self::Reward(None)),
            Some((REWARD, reward)) if !reward.is_empty() => {
                return Ok(Self::Reward(Some(reward.to_owned())));
            }
            None | Some(_) => {}
        }
        let known = KINDS.iter().map(|kind| kind.name).chain([REWARD]);
        match nearest(known.clone(), name) {
            Some(near) => bail!("there is no metric {name:?}; the nearest is {near}"),
            None => bail!(
                "there is no metric {name:?}; there are {}, and reward:NAME for one reward",
                known.collect::<Vec<_>>().join(", ")
            ),
        }
    }

    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Known(kind) => kind.name.to_owned(),
            Self::Reward(None) => REWARD.to_owned(),
            Self::Reward(Some(name)) => format!("{REWARD}:{name}"),
        }
    }

    #[must_use]
    pub const fn unit(&self) -> MetricUnit {
        match self {
            Self::Known(kind) => kind.unit,
            Self::Reward(_) => Number,
        }
    }

    #[must_use]
    pub const fn better(&self) -> MetricDirection {
        match self {
            Self::Known(kind) => kind.better,
            Self::Reward(_) => Higher,
        }
    }

    #[must_use]
    pub const fn asks(&self) -> MetricNeed {
        match self {
            Self::Known(kind) => kind.asks,
            Self::Reward(_) => Answers,
        }
    }

    /// Whether it is a table rather than a figure.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self, Self::Known(kind) if kind.figure == FigureKind::Confusion)
    }
}
