//! What `data.train` and `data.eval` may name: files, records of a session, or a set that came out of its review.

use crate::domain::filter::{Filter, parse};

/// Where examples come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ExampleSource {
    /// A file or a folder.
    Files(String),
    /// `session:FILTER`: the session's records that match.
    Records(Filter),
    /// `set:reviewed FILTER` and `set:pairs FILTER`.
    Set(SetOrder),
}

impl ExampleSource {
    /// Reads the value of `data.train` or `data.eval`.
    ///
    /// # Errors
    /// Where a set, a balance or a filter is none; one sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(words) = of_session(text) else { return Ok(Self::Files(text.to_owned())) };
        match SetOrder::parse(words)? {
            Some(order) => Ok(Self::Set(order)),
            None => parse(words).map(Self::Records).map_err(|error| error.to_string()),
        }
    }
}

impl ExampleSource {
    /// Whether records are asked for by their split: then those are taken whatever their split is for.
    #[must_use]
    pub fn names_split(&self) -> bool {
        match self {
            Self::Files(_) => false,
            Self::Records(filter) | Self::Set(SetOrder { filter, .. }) => filter.speaks_of_split(),
        }
    }
}

/// The words after `session:`, or those that begin with `set:`; nothing where files are meant.
#[must_use]
pub fn of_session(text: &str) -> Option<&str> {
    let text = text.trim();
    text.strip_prefix("session:").map(str::trim).or_else(|| text.starts_with("set:").then_some(text))
}

/// Which of a review's sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetKind {
    /// Right thoughts and accepted corrections.
    Reviewed,
    /// Accepted corrections over the flawed thoughts.
    Pairs,
}

/// Whether labels are made equally frequent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    #[default]
    AsItIs,
    /// Of each label as many as the rarest has, the first ones.
    ByLabel,
}

/// A set as a recipe names it.
#[derive(Debug, Clone, PartialEq)]
pub struct SetOrder {
    pub kind: SetKind,
    pub balance: Balance,
    /// Of the records that the rows are about.
    pub filter: Filter,
}

impl SetOrder {
    /// Reads `set:reviewed balance:label split:train`; nothing where the words name no set.
    ///
    /// # Errors
    /// Where a set, a balance or the filter behind them is none; one sentence.
    pub fn parse(words: &str) -> Result<Option<Self>, String> {
        let (mut kind, mut balance, mut filter) = (None, Balance::AsItIs, String::new());
        let mut quoted = false;
        for word in words.split_inclusive(char::is_whitespace) {
            let inside = quoted;
            quoted ^= word.matches('"').count() % 2 == 1;
            match word.trim_end().split_once(':').filter(|_| !inside) {
                Some(("set", "reviewed")) => kind = Some(SetKind::Reviewed),
                Some(("set", "pairs")) => kind = Some(SetKind::Pairs),
                Some(("set", other)) => {
                    return Err(format!("there is no set \"{other}\": write set:reviewed or set:pairs"));
                }
                Some(("balance", "label")) => balance = Balance::ByLabel,
                Some(("balance", other)) => {
                    return Err(format!("there is no balance \"{other}\": write balance:label"));
                }
                _ => filter.push_str(word),
            }
        }
        let Some(kind) = kind else { return Ok(None) };
        let filter = parse(filter.trim()).map_err(|error| error.message)?;
        Ok(Some(Self { kind, balance, filter }))
    }
}
