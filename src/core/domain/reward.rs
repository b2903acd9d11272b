//! What rewards say of completions, and which rewards a task or a recipe asks for. Knows no reward.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::record::Record;

/// One row of a task's or a recipe's table of rewards.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardUse {
    /// As metrics and tables name it; the table's key.
    pub name: String,
    /// Which reward it is: the name, unless the row says `reward = "…"`.
    pub reward: String,
    pub weight: f64,
    /// The row's other keys, which the reward itself knows.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}

/// The largest weight, to either side.
const MOST_WEIGHT: f64 = 1e6;

impl RewardUse {
    /// Reads a table of rewards: a list of names, each of weight 1, or a table of `name = weight` and
    /// `name = { weight = …, reward = "…", … }`.
    ///
    /// # Errors
    /// One sentence that names what is wrong.
    pub fn table(value: &Value) -> Result<Vec<Self>, String> {
        let rows: Vec<Self> = match value {
            Value::Array(names) => names.iter().map(Self::named).collect::<Result<_, _>>()?,
            Value::Object(rows) => {
                rows.iter().map(|(name, row)| Self::row(name, row)).collect::<Result<_, _>>()?
            }
            other => {
                return Err(format!("rewards are a list of names or a table of weights, and not {other}"));
            }
        };
        for (index, row) in rows.iter().enumerate() {
            check_name(&row.name)?;
            if rows.iter().take(index).any(|earlier| earlier.name == row.name) {
                return Err(format!("the reward {:?} is named twice", row.name));
            }
        }
        Ok(rows)
    }

    fn named(name: &Value) -> Result<Self, String> {
        let name = name.as_str().ok_or_else(|| format!("{name} is no reward's name"))?;
        Ok(Self { name: name.to_owned(), reward: name.to_owned(), weight: 1.0, settings: Map::new() })
    }

    fn row(name: &str, row: &Value) -> Result<Self, String> {
        let mut settings = match row {
            Value::Number(_) => Map::from_iter([("weight".to_owned(), row.clone())]),
            Value::Object(settings) => settings.clone(),
            other => {
                return Err(format!("rewards.{name} is {other}; it must be a weight or a table of settings"));
            }
        };
        let weight = match settings.remove("weight") {
            None => 1.0,
            Some(value) => value.as_f64().filter(|weight| weight.abs() <= MOST_WEIGHT).ok_or_else(|| {
                format!("rewards.{name}.weight is {value}; it must be a number from -1000000 to 1000000")
            })?,
        };
        let reward = match settings.remove("reward") {
            None => name.to_owned(),
            Some(Value::String(reward)) => reward,
            Some(other) => {
                return Err(format!("rewards.{name}.reward is {other}; it must be a reward's name"));
            }
        };
        Ok(Self { name: name.to_owned(), reward, weight, settings })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    if plain {
        Ok(())
    } else {
        Err(format!("{name:?} is no name: use lower-case letters, digits and hyphens"))
    }
}

/// What is scored: a completion of a record's prompt.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub record: &'a Record,
    pub completion: &'a str,
}

/// What one reward says of one completion.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RewardOutcome {
    Scored(RewardScore),
    /// It says nothing of this completion, for this reason.
    DoesNotApply {
        does_not_apply: String,
    },
}

impl RewardOutcome {
    #[must_use]
    pub fn does_not_apply(why: impl Into<String>) -> Self {
        Self::DoesNotApply { does_not_apply: why.into() }
    }

    /// A value without parts.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self::Scored(RewardScore { value, ..RewardScore::default() })
    }

    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Scored(score) => Some(score.value),
            Self::DoesNotApply { .. } => None,
        }
    }
}

impl RewardOutcome {
    /// Why it does not apply.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Scored(_) => None,
            Self::DoesNotApply { does_not_apply } => Some(does_not_apply),
        }
    }
}

/// A number, what it is made of, and why it is no higher.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RewardScore {
    pub value: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<RewardComponent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deductions: Vec<Deduction>,
}

impl RewardScore {
    /// Notes what a component lost, if there is a reason.
    pub fn lost(&mut self, component: &'static str, points: f64, why: Option<String>) {
        let component = Cow::Borrowed(component);
        self.deductions.extend(why.map(|why| Deduction { component, points, why }));
    }

    #[must_use]
    pub fn component(&self, name: &str) -> Option<&ComponentValue> {
        self.components.iter().find(|component| component.name == name).map(|component| &component.value)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardComponent {
    pub name: Cow<'static, str>,
    pub value: ComponentValue,
}

impl RewardComponent {
    pub fn number(name: impl Into<Cow<'static, str>>, value: f64) -> Self {
        Self { name: name.into(), value: ComponentValue::Number(value) }
    }

    pub fn word(name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), value: ComponentValue::Word(value.into()) }
    }
}

/// A number, or a word such as a rating or the answer that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ComponentValue {
    Number(f64),
    Word(Cow<'static, str>),
}

impl std::fmt::Display for ComponentValue {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) if number.fract() == 0.0 => write!(out, "{number}"),
            Self::Number(number) => write!(out, "{number:.3}"),
            Self::Word(word) => out.write_str(word),
        }
    }
}

/// Points that a component lost, and why, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deduction {
    pub component: Cow<'static, str>,
    /// Below 0, in the component's own unit.
    pub points: f64,
    pub why: String,
}

/// All rewards of a table on one completion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardTotal {
    /// The weighted sum over the rewards that apply, as TRL sums them; nothing if none does.
    pub value: Option<f64>,
    pub parts: Vec<RewardPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardPart {
    pub name: String,
    pub weight: f64,
    #[serde(flatten)]
    pub outcome: RewardOutcome,
}

/// Whether the reasons are wanted: training needs the numbers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreDetail {
    Numbers,
    Reasons,
}

/// Whoever scores completions, as training and evaluation see it.
pub trait CompletionScorer: Send + Sync {
    /// Names and weights, in the order of every total's parts.
    fn rewards(&self) -> Vec<(String, f64)>;

    /// One total for each completion, in their order.
    fn score(&self, attempts: &[Attempt<'_>], detail: ScoreDetail) -> Vec<RewardTotal>;
}
