//! An evaluation: which models on which items, their figures with intervals, and whether two models differ. Plain data,
//! as it is kept in an evaluation's folder and shown.

mod figure;
mod line;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use figure::{MetricDirection, MetricFigure, MetricUnit};
pub use line::{LINE_HINT, OF_SESSION};

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationOrder {
    /// Models by name, `MODEL+ADAPTER`, runs, `RUN@STEP`, folders, GGUF files, teachers.
    pub models: Vec<String>,
    pub tasks: Vec<String>,
    /// Files with a prompt in the place of the task's; [`OWN_PROMPT`] is the task's. None means the task's alone.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// Files, folders, sessions, `session:FILTER` or `set:...`: one for all tasks, or one for each.
    pub data: Vec<String>,
    /// `part=column`.
    #[serde(default)]
    pub map: Vec<String>,
    /// Each is evaluated by itself; none means all records.
    #[serde(default)]
    pub filters: Vec<String>,
    #[serde(default)]
    pub session: Option<PathBuf>,
    /// None means the task's.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// So many items at most, drawn by the seed.
    #[serde(default)]
    pub limit: Option<usize>,
    pub seed: u64,
    pub max_new_tokens: u32,
    pub temperature: f32,
    /// What is compared for a label: `LABEL=TEXT`.
    #[serde(default)]
    pub choices: Vec<String>,
    #[serde(default)]
    pub judge: Option<String>,
    #[serde(default)]
    pub embedder: Option<String>,
    #[serde(default)]
    pub wordnet: Option<PathBuf>,
}

/// The task's own prompt, among others.
pub const OWN_PROMPT: &str = "own";

impl Default for EvaluationOrder {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            tasks: Vec::new(),
            prompts: Vec::new(),
            data: Vec::new(),
            map: Vec::new(),
            filters: Vec::new(),
            session: None,
            metrics: Vec::new(),
            limit: None,
            seed: 0,
            max_new_tokens: 256,
            temperature: 0.0,
            choices: Vec::new(),
            judge: None,
            embedder: None,
            wordnet: None,
        }
    }
}

/// What came of an evaluation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EvaluationReport {
    pub name: String,
    /// Seconds since 1970.
    pub made: f64,
    pub order: EvaluationOrder,
    pub models: Vec<EvaluatedModel>,
    pub parts: Vec<EvaluationPart>,
    /// What a person should know, in sentences.
    pub notes: Vec<String>,
    /// Why it ended before all was answered.
    pub unfinished: Option<String>,
}

/// A model, as exactly as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EvaluatedModel {
    pub name: String,
    /// A hash of weights, tokenizer, template and adapter; of an endpoint its address and model.
    pub version: String,
    /// What it is, in words.
    pub about: String,
    /// Why there are no figures of it.
    pub failed: Option<String>,
}

/// One task with one prompt on one choice of records, by all models.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EvaluationPart {
    pub task: String,
    pub prompt: String,
    /// A hash of what is asked of all items.
    pub prompt_version: String,
    pub data: String,
    /// A hash of all items.
    pub data_version: String,
    pub filter: String,
    pub items: u64,
    /// The first is what models are ordered by.
    pub metrics: Vec<String>,
    /// In the order of the report's models; none of those that failed.
    pub results: Vec<ModelResult>,
    pub comparisons: Vec<ModelComparison>,
}

/// One model's figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelResult {
    /// Among the report's models.
    pub model: usize,
    pub answered: u64,
    /// Items that could not be answered, with the reason of the first.
    pub failed: u64,
    pub first_failure: Option<String>,
    /// Answers that were cut at the longest length.
    pub cut: u64,
    pub tokens: u64,
    /// Seconds of computing, and answers that it is of: those kept from before took none.
    pub seconds: f64,
    pub computed: u64,
    pub figures: Vec<MetricFigure>,
    pub confusion: Option<ConfusionMatrix>,
}

impl ModelResult {
    #[must_use]
    pub fn figure(&self, metric: &str) -> Option<&MetricFigure> {
        self.figures.iter().find(|figure| figure.metric == metric)
    }
}

/// How often each true label was answered with each, and with none that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    pub labels: Vec<String>,
    /// (labels) rows of the true label, (labels + 1) columns of the read one, the last for none.
    pub counts: Vec<Vec<u64>>,
}

/// Two models on the items that both answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelComparison {
    pub metric: String,
    /// Among the report's models: the difference is the second's figure less the first's.
    pub first: usize,
    pub second: usize,
    pub difference: f64,
    pub interval: Option<(f64, f64)>,
    pub p: f64,
    /// As it counts among all comparisons by this metric (Holm).
    pub adjusted_p: f64,
    /// How many comparisons those are.
    pub among: u64,
    pub test: PairedTest,
    /// Items that both have.
    pub items: u64,
    /// Items that one alone has right, if the metric is right or wrong.
    pub only_first: Option<u64>,
    pub only_second: Option<u64>,
    /// The outcome in a sentence.
    pub told: String,
}

/// By what two models were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairedTest {
    McNemar,
    Bootstrap,
}

impl ModelComparison {
    /// Above this, a difference could be chance.
    pub const LEVEL: f64 = 0.05;

    #[must_use]
    pub fn could_be_chance(&self) -> bool {
        self.adjusted_p > Self::LEVEL
    }
}

/// What was asked, of all models alike.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EvaluationItem {
    /// Among the report's parts.
    pub part: usize,
    /// `file:line`.
    pub place: String,
    /// A hash of the record and of what is asked of it.
    pub version: String,
    pub prompt: String,
    pub truth: Option<String>,
    pub reference: Option<String>,
}

/// What one model answered to one item.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EvaluatedAnswer {
    /// Among the evaluation's items.
    pub item: usize,
    /// Among the report's models.
    pub model: usize,
    pub answer: String,
    /// The label that was read out of it.
    pub read: Option<String>,
    pub right: Option<bool>,
    pub tokens: u64,
    pub failed: Option<String>,
    /// By metric, as far as it is of one item.
    pub values: BTreeMap<String, f64>,
}

/// Everything of one evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeptEvaluation {
    pub report: EvaluationReport,
    pub items: Vec<EvaluationItem>,
    pub answers: Vec<EvaluatedAnswer>,
}

/// An item that two models answered differently.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerDisagreement<'a> {
    pub item: &'a EvaluationItem,
    pub first: &'a EvaluatedAnswer,
    pub second: &'a EvaluatedAnswer,
}

impl KeptEvaluation {
    /// Items of a part that one of two models has right and the other not, or whose values of the part's first metric
    /// differ, the greatest difference first.
    #[must_use]
    pub fn disagreements(&self, part: usize, first: usize, second: usize) -> Vec<AnswerDisagreement<'_>> {
        let metric = self.report.parts.get(part).and_then(|part| part.metrics.first());
        let of = |model: usize| -> BTreeMap<usize, &EvaluatedAnswer> {
            let own = self.answers.iter().filter(|answer| answer.model == model && answer.failed.is_none());
            own.map(|answer| (answer.item, answer)).collect()
        };
        let others = of(second);
        let difference = |first: &EvaluatedAnswer, second: &EvaluatedAnswer| {
            let value = |answer: &EvaluatedAnswer| answer.values.get(metric?).copied();
            match (first.right, second.right) {
                (Some(a), Some(b)) => f64::from(u8::from(a != b)),
                _ => value(first).zip(value(second)).map_or(0.0, |(a, b)| (a - b).abs()),
            }
        };
        let mut found: Vec<(f64, AnswerDisagreement<'_>)> = of(first)
            .into_iter()
            .filter_map(|(at, first)| {
                let item = self.items.get(at).filter(|item| item.part == part)?;
                let second = others.get(&at).copied()?;
                let by = difference(first, second);
                (by > 0.0).then_some((by, AnswerDisagreement { item, first, second }))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.into_iter().map(|(_, one)| one).collect()
    }
}

/// One evaluation in a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EvaluationSummary {
    pub name: String,
    pub folder: PathBuf,
    pub made: f64,
    pub models: Vec<String>,
    pub tasks: Vec<String>,
    pub items: u64,
    /// The best model by the first part's first metric, in words.
    pub best: String,
    pub unfinished: bool,
}

impl EvaluationPart {
    /// Its results, the best by the first metric first.
    #[must_use]
    pub fn ordered(&self) -> Vec<&ModelResult> {
        let mut ordered: Vec<&ModelResult> = self.results.iter().collect();
        let Some(metric) = self.metrics.first() else { return ordered };
        let worth = |result: &ModelResult| {
            let figure = result.figure(metric)?;
            let value = figure.value?;
            Some(match figure.better {
                MetricDirection::Higher | MetricDirection::Neither => value,
                MetricDirection::Lower => -value,
            })
        };
        let least = f64::NEG_INFINITY;
        ordered.sort_by(|a, b| worth(b).unwrap_or(least).total_cmp(&worth(a).unwrap_or(least)));
        ordered
    }

    /// What tells this part from others, in words.
    #[must_use]
    pub fn title(&self) -> String {
        let mut title = self.task.clone();
        if self.prompt != OWN_PROMPT {
            title.push_str(&format!(" · prompt {}", self.prompt));
        }
        if !self.filter.is_empty() {
            title.push_str(&format!(" · {}", self.filter));
        }
        title
    }
}
