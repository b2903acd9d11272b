//! The points: what each component gives and takes, with the reasons where they are wanted.

use std::borrow::Cow;

use super::normal::normal_mode;
use super::only::only_mode;
use super::text::{Line, Lines, QueryTerms, Thinking, cleaned, contents, hard_failure, mode, shortened};
use crate::domain::reward::{Deduction, ScoreDetail};

/// What the original program prints for a completion.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryExpansionScore {
    /// 0 to 1.
    pub score: f64,
    /// 0 to 100, to one decimal.
    pub percentage: f64,
    pub rating: &'static str,
    pub format: i64,
    pub diversity: i64,
    pub hyde: i64,
    pub quality: i64,
    pub entity: i64,
    pub think_bonus: i64,
    /// What a completion of its kind can have at most.
    pub most: i64,
    pub deductions: Vec<Deduction>,
}

/// Scores a completion of a query.
#[must_use]
pub fn score(query: &str, completion: &str, detail: ScoreDetail) -> QueryExpansionScore {
    let mut ledger = Ledger { deductions: Vec::new(), detail };
    let (text, thinking) = cleaned(completion);
    if let Some(why) = hard_failure(&text) {
        ledger.lost("score", 100, || why);
        return failed(ledger);
    }
    let (base, only) = mode(query);
    let contents = contents(&text);
    let lines = Lines::new(&contents);
    match only {
        Some(kind) => only_mode(&QueryTerms::new(base), &lines, kind, thinking, ledger),
        None => normal_mode(&QueryTerms::new(query), &lines, thinking, ledger),
    }
}

pub(super) fn failed(ledger: Ledger) -> QueryExpansionScore {
    QueryExpansionScore {
        score: 0.0,
        percentage: 0.0,
        rating: "Failed",
        format: 0,
        diversity: 0,
        hyde: 0,
        quality: 0,
        entity: 0,
        think_bonus: 0,
        most: 100,
        deductions: ledger.deductions,
    }
}

/// Points that were lost, in words.
pub(super) struct Ledger {
    pub(super) deductions: Vec<Deduction>,
    detail: ScoreDetail,
}

impl Ledger {
    pub(super) fn lost(&mut self, component: &'static str, points: i64, why: impl FnOnce() -> String) {
        if self.detail == ScoreDetail::Reasons && points != 0 {
            let points = -(points as f64);
            self.deductions.push(Deduction { component: Cow::Borrowed(component), points, why: why() });
        }
    }

    /// `points` if it holds; else they are lost.
    pub(super) fn gain(
        &mut self,
        component: &'static str,
        holds: bool,
        points: i64,
        why: impl FnOnce() -> String,
    ) -> i64 {
        if holds {
            return points;
        }
        self.lost(component, points, why);
        0
    }
}

pub(super) fn count(lines: &[Line<'_>], of: impl Fn(&Line<'_>) -> bool) -> i64 {
    lines.iter().filter(|line| of(line)).count() as i64
}

pub(super) fn quoted(lines: &[Line<'_>], of: impl Fn(&Line<'_>) -> bool) -> String {
    let found: Vec<String> =
        lines.iter().filter(|line| of(line)).map(|line| format!("{:?}", shortened(line.text))).collect();
    found.join(", ")
}

pub(super) fn think_bonus(thinking: Thinking, ledger: &mut Ledger) -> i64 {
    ledger.gain("think_bonus", thinking == Thinking::None, 20, || "it thinks first".to_owned())
}

pub(super) fn rating(percentage: f64) -> &'static str {
    match percentage {
        80.0.. => "Excellent",
        60.0.. => "Good",
        40.0.. => "Acceptable",
        20.0.. => "Poor",
        _ => "Failed",
    }
}

/// Rounded as Python's `round`: the number as it is in binary, half to even.
pub(super) fn one_decimal(number: f64) -> f64 {
    format!("{number:.1}").parse().unwrap_or(number)
}

pub(super) fn filler(terms: &QueryTerms, lex: &[Line<'_>], ledger: &mut Ledger) -> i64 {
    let has = |line: &Line<'_>| terms.has_filler(line);
    let lost = 3 * count(lex, has);
    ledger.lost("quality", lost, || format!("filler (overview, basics) in {}", quoted(lex, has)));
    lost
}
