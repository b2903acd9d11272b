//! The filter over the review queue: `verdict:pending score<4 teacher:mistral "comparison"`. All terms must hold; `-`
//! before one turns it round.

use crate::domain::reflection::{Checks, Verdict};
use crate::domain::review::{Disagreement, EditDraft, QueueRow};
use crate::domain::term::{COMPARISONS, Comparison, MatchWanted};

/// What is asked for, ready to be matched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReviewFilter {
    terms: Vec<ReviewTerm>,
}

#[derive(Debug, Clone, PartialEq)]
struct ReviewTerm {
    wanted: MatchWanted,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Verdict(Vec<Verdict>),
    Label(String),
    Student(String),
    Teacher(String),
    By(String),
    Split(String),
    Tag(String),
    Record(i64),
    Check(FaultCheck),
    Disagreement,
    Miss,
    Decided,
    /// A thought that nobody has corrected.
    Uncorrected,
    /// Begun to be edited, and not saved.
    Draft,
    NoScore,
    Compare(Figure, Comparison, f64),
    Word(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Score,
    Tokens,
    /// Of its own label after the corrected thought, as a model finds them.
    Odds,
}

/// A fault that a check finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultCheck {
    Any,
    Label,
    Steps,
    Length,
    Leak,
    Copy,
    Repeat,
    Leads,
    Analysis,
}

const CHECKS: [(&str, FaultCheck); 9] = [
    ("any", FaultCheck::Any),
    ("label", FaultCheck::Label),
    ("steps", FaultCheck::Steps),
    ("length", FaultCheck::Length),
    ("leak", FaultCheck::Leak),
    ("copy", FaultCheck::Copy),
    ("repeat", FaultCheck::Repeat),
    ("leads", FaultCheck::Leads),
    ("analysis", FaultCheck::Analysis),
];

/// What can be asked for, in one line.
pub const HINT: &str = "verdict:pending  is:uncorrected  label:1  score<4  tokens>300  odds<0  check:leads  is:disagreement  teacher:NAME  by:NAME  words";

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub row: &'a QueueRow,
    pub split: Option<&'a str>,
    pub tags: &'a [String],
    /// Who has decided on it.
    pub reviewers: &'a [String],
    /// All texts of it, in lower case; empty where [`ReviewFilter::needs`] asks for less.
    pub text: &'a str,
    pub checks: Option<&'a Checks>,
}

/// How much of a reflection must be read to match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Row,
    Text,
    /// The record's own text too.
    Record,
}

impl ReviewFilter {
    /// Reads what a person typed. Words in double quotes are one term.
    ///
    /// # Errors
    /// One sentence that names the term and says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { terms: terms(text).iter().map(|text| term(text)).collect::<Result<_, _>>()? })
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The most that any term needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let need = |term: &ReviewTerm| match term.test {
            Test::Word(_) => Needs::Text,
            Test::Check(_) | Test::Compare(Figure::Odds, ..) => Needs::Record,
            _ => Needs::Row,
        };
        self.terms.iter().map(need).max().unwrap_or(Needs::Row)
    }

    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.terms.iter().all(|term| (term.wanted == MatchWanted::Match) == term.test.holds(facts))
    }
}

impl Test {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let row = facts.row;
        let corrected = row.id.correction().is_some();
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        match self {
            Self::Verdict(verdicts) => corrected && verdicts.contains(&row.verdict),
            Self::Label(label) => row.truth.eq_ignore_ascii_case(label),
            Self::Student(name) => has(&row.student, name),
            Self::Teacher(name) => has(&row.teacher, name),
            Self::By(name) => facts.reviewers.iter().any(|own| own.eq_ignore_ascii_case(name)),
            Self::Split(name) => facts.split.is_some_and(|own| own.eq_ignore_ascii_case(name)),
            Self::Tag(name) => facts.tags.iter().any(|own| own.eq_ignore_ascii_case(name)),
            Self::Record(number) => row.record.0 == *number,
            Self::Check(check) => facts.checks.is_some_and(|checks| check.finds(checks, row.own_label())),
            Self::Disagreement => row.disagreement != Disagreement::None,
            Self::Miss => corrected && *row.label != *row.truth,
            Self::Decided => row.mine.is_some(),
            Self::Uncorrected => !corrected,
            Self::Draft => row.draft == EditDraft::Kept,
            Self::NoScore => row.score.is_none(),
            Self::Compare(Figure::Score, comparison, than) => {
                row.score.is_some_and(|score| comparison.holds(f64::from(score), *than))
            }
            Self::Compare(Figure::Odds, comparison, than) => {
                let odds = facts.checks.and_then(|checks| checks.odds.as_ref()?.log_odds(row.own_label()));
                odds.is_some_and(|odds| comparison.holds(odds, *than))
            }
            Self::Compare(Figure::Tokens, comparison, than) => comparison.holds(f64::from(row.tokens), *than),
            Self::Word(word) => facts.text.contains(word.as_str()),
        }
    }
}

impl FaultCheck {
    fn finds(self, checks: &Checks, label: &str) -> bool {
        match self {
            Self::Any => !checks.all_good() || checks.leads_elsewhere(label),
            Self::Label => !checks.reaches_label,
            Self::Steps => !checks.three_steps,
            Self::Length => !checks.length_fits,
            Self::Leak => checks.leaks_label,
            Self::Copy => checks.copies_record,
            Self::Repeat => checks.repeats_flawed,
            Self::Leads => checks.leads_elsewhere(label),
            Self::Analysis => checks.analysis.is_elsewhere(),
        }
    }
}

/// Parted at spaces that stand in no quotes.
fn terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_whitespace() && !quoted => terms.push(String::new()),
            letter => {
                if let Some(last) = terms.last_mut() {
                    last.push(letter);
                }
            }
        }
    }
    terms.retain(|term| !term.is_empty());
    terms
}

fn term(text: &str) -> Result<ReviewTerm, String> {
    if text == "-" {
        return Err("-: something must follow, as in -verdict:pending".to_owned());
    }
    let (wanted, inside) = MatchWanted::read(text);
    Ok(ReviewTerm { wanted, test: test(inside)? })
}

fn test(text: &str) -> Result<Test, String> {
    let text = text.to_lowercase();
    for (name, figure) in [("score", Figure::Score), ("tokens", Figure::Tokens), ("odds", Figure::Odds)] {
        let Some(rest) = text.strip_prefix(name) else { continue };
        let Some((sign, comparison)) = COMPARISONS.iter().find(|(sign, _)| rest.starts_with(sign)) else {
            continue;
        };
        let value = rest.get(sign.len()..).unwrap_or_default();
        let number = value.parse().map_err(|_| format!("{text}: '{value}' is not a number, as 4 is"))?;
        return Ok(Test::Compare(figure, *comparison, number));
    }
    let Some((name, value)) = text.split_once(':') else { return Ok(Test::Word(text)) };
    if value.is_empty() {
        return Err(format!("{text}: write a value behind the colon, as in verdict:pending"));
    }
    let value = value.to_owned();
    match name {
        "verdict" => value.split(',').map(verdict).collect::<Result<_, _>>().map(Test::Verdict),
        "label" => Ok(Test::Label(value)),
        "student" => Ok(Test::Student(value)),
        "teacher" => Ok(Test::Teacher(value)),
        "by" => Ok(Test::By(value)),
        "split" => Ok(Test::Split(value)),
        "tag" => Ok(Test::Tag(value)),
        "record" => {
            value.parse().map(Test::Record).map_err(|_| format!("{text}: '{value}' is no record's number"))
        }
        "check" => {
            let found = CHECKS.iter().find(|(name, _)| *name == value);
            let names = CHECKS.map(|(name, _)| name).join(", ");
            found
                .map(|(_, check)| Test::Check(*check))
                .ok_or_else(|| format!("{text}: there is no check '{value}'; there are {names}"))
        }
        "is" if value == "disagreement" => Ok(Test::Disagreement),
        "is" if value == "miss" => Ok(Test::Miss),
        "is" if value == "mine" => Ok(Test::Decided),
        "is" if value == "uncorrected" => Ok(Test::Uncorrected),
        "is" if value == "draft" => Ok(Test::Draft),
        "is" => Err(format!("{text}: write is:uncorrected, is:disagreement, is:miss, is:mine or is:draft")),
        "score" if value == "none" => Ok(Test::NoScore),
        _ => Err(format!(
            "{text}: there is no field '{name}'; there are verdict, label, score, tokens, odds, check, is, student, \
             teacher, by, split, tag, record"
        )),
    }
}

fn verdict(name: &str) -> Result<Verdict, String> {
    Verdict::from_name(name).ok_or_else(|| {
        let names = Verdict::ALL.map(Verdict::name).join(", ");
        format!("verdict:{name}: there is no verdict '{name}'; there are {names}")
    })
}
