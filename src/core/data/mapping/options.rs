//! Questions with options beside them, and answers that name one by its letter or its place: the options get the letters
//! that the answer means, so that what is learnt can be understood.

use std::borrow::Cow;

use serde_json::Value;

use super::forms::is_unsaid;
use super::options_apart::of_columns;
use super::values::text;
use super::{ColumnPart, Mapping};
use crate::data::rows::inside;
use crate::domain::record::Fields;

/// Words in names of columns that hold options.
const NAMES: [&str; 4] = ["option", "choice", "ending", "candidate"];
/// What texts and letters are called where an object has a list of each.
const TEXTS: [&str; 2] = ["text", "texts"];
const LETTERS: [&str; 2] = ["label", "labels"];
/// More options than letters have none.
const MOST: usize = 26;

/// How the answers of a file name the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Answers {
    places: AnswerNumbers,
    /// Whether nearly all of its first answers name one.
    all_name: bool,
}

/// What an answer that is a number may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum AnswerNumbers {
    /// No place: options are named by a letter, by their own text, or not at all.
    #[default]
    None,
    /// Counted from 0 or from 1.
    FromZero,
    FromOne,
    /// Which is the first can't be told.
    Unclear,
}

impl Answers {
    /// `of_row` is the mapping of a row.
    pub(super) fn of<'m>(sample: &[Fields], of_row: impl Fn(&Fields) -> Cow<'m, Mapping>) -> Self {
        let known = |row: &Fields| {
            let mapping = of_row(row);
            let answer = mapping.column(ColumnPart::Completion)?;
            Some((beside(&mapping, row)?.0, row.get(answer)?.clone()))
        };
        let rows: Vec<(Options, Value)> = sample.iter().filter_map(known).collect();
        let said = || rows.iter().filter(|(_, answer)| !is_unsaid(answer));
        let named = said().filter(|(options, answer)| options.may_be_named_by(answer)).count();
        let count = said().count();
        Self { places: AnswerNumbers::of(&rows), all_name: count > 1 && named * 5 >= count * 4 }
    }
}

impl AnswerNumbers {
    fn of(rows: &[(Options, Value)]) -> Self {
        let are_texts = rows.iter().all(|(options, answer)| options.has(answer));
        let places: Vec<(usize, usize)> =
            rows.iter().filter_map(|(options, answer)| Some((place(answer)?, options.texts.len()))).collect();
        if are_texts || places.len() * 2 <= rows.len() {
            return Self::None;
        }
        let from_zero = places.iter().any(|(place, _)| *place == 0);
        let from_one = places.iter().any(|(place, count)| place == count);
        match (from_zero, from_one) {
            (true, false) => Self::FromZero,
            (false, true) => Self::FromOne,
            (true, true) | (false, false) => Self::Unclear,
        }
    }
}

/// Options with the letters that they have.
struct Options {
    texts: Vec<String>,
    /// Empty where they have none.
    letters: Vec<String>,
    /// Whether the letters are in the texts already.
    written: bool,
}

impl Options {
    fn read(value: &Value) -> Option<Self> {
        let list = |value: &Value| {
            let items = value.as_array().filter(|items| items.len() > 1)?;
            let is_plain = |item: &Value| item.is_string() || item.is_number() || item.is_boolean();
            items.iter().all(is_plain).then(|| items.iter().map(text).collect::<Vec<String>>())
        };
        if let Value::String(text) = value {
            // A table has lists as texts.
            let read = text.trim_start().starts_with(['[', '{']).then(|| inside::parse(text.trim()));
            return read?.ok().filter(|value| !value.is_string()).and_then(|value| Self::read(&value));
        }
        if let Some(texts) = list(value) {
            let begins = |(text, letter): (&String, String)| begins_with(text, &letter);
            let written = texts.len() <= MOST && texts.iter().zip(alphabet()).all(begins);
            let letters = if written { alphabet().take(texts.len()).collect() } else { Vec::new() };
            return Some(Self { texts, letters, written });
        }
        if let Value::Array(items) = value {
            let one = |item: &Value| {
                let of = |names: &[&str]| names.iter().find_map(|name| item.get(*name)?.as_str());
                Some((of(&LETTERS)?.to_owned(), of(&TEXTS)?.to_owned()))
            };
            let both: Option<Vec<(String, String)>> = items.iter().map(one).collect();
            let (letters, texts) = both.filter(|both| both.len() > 1)?.into_iter().unzip();
            return Some(Self { texts, letters, written: false });
        }
        let fields = value.as_object()?;
        let of = |names: &[&str]| names.iter().find_map(|name| list(fields.get(*name)?));
        if let (Some(texts), Some(letters)) = (of(&TEXTS), of(&LETTERS)) {
            return (fields.len() == 2 && texts.len() == letters.len()).then_some(Self {
                texts,
                letters,
                written: false,
            });
        }
        let is_lettered = fields.len() > 1
            && fields
                .iter()
                .all(|(name, value)| name.chars().count() == 1 && (value.is_string() || value.is_number()));
        is_lettered.then(|| Self {
            texts: fields.values().map(text).collect(),
            letters: fields.keys().cloned().collect(),
            written: false,
        })
    }

    /// Whether an answer is one of the options itself.
    fn has(&self, answer: &Value) -> bool {
        let said = text(answer);
        let is_same = |text: &str| match answer {
            Value::Bool(_) => text.eq_ignore_ascii_case(&said),
            _ => text == said.trim(),
        };
        self.texts.iter().any(|text| is_same(text.trim()))
    }

    /// Whether an answer is one of the options, its letter or its place.
    fn may_be_named_by(&self, answer: &Value) -> bool {
        self.has(answer)
            || self.are_named_by(answer)
            || place(answer).is_some_and(|place| place <= self.texts.len())
    }

    /// Whether an answer begins with a letter that stands for an option, or is several such letters.
    fn are_named_by(&self, answer: &Value) -> bool {
        let said = match answer {
            Value::String(_) | Value::Number(_) => text(answer),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return false,
        };
        let said = said.trim();
        let is_letter = |word: &str| {
            let bare = word.trim_matches(|sign: char| "().:[]".contains(sign));
            let known = if self.letters.is_empty() {
                alphabet().take(self.texts.len()).any(|letter| bare.eq_ignore_ascii_case(&letter))
            } else {
                self.letters.iter().any(|letter| letter.eq_ignore_ascii_case(bare))
            };
            known && !bare.is_empty()
        };
        let mut words = said.split([' ', ',', ';', '&']).filter(|word| !word.is_empty()).peekable();
        if words.peek().is_some() && words.all(is_letter) {
            return true;
        }
        // `AC`: several letters, in their order.
        let is_run =
            said.bytes().all(|byte| byte.is_ascii_uppercase()) && said.bytes().is_sorted_by(|a, b| a < b);
        if is_run && !said.is_empty() && said.chars().all(|letter| is_letter(&letter.to_string())) {
            return true;
        }
        // A letter with the option's text behind it.
        let first = said.split(' ').next().unwrap_or_default();
        let rest = said.get(first.len()..).unwrap_or_default().trim();
        first.ends_with(['.', ')', ':'])
            && is_letter(first)
            && self.texts.iter().any(|text| text.trim() == rest)
    }

    /// The letters of the options, given or counted.
    fn named(&self, small: bool) -> Vec<String> {
        if !self.letters.is_empty() {
            return self.letters.clone();
        }
        let letters = alphabet().take(self.texts.len());
        letters.map(|letter| if small { letter.to_ascii_lowercase() } else { letter }).collect()
    }

    /// Each option behind its letter, a line each.
    fn lines(&self, letters: &[String]) -> String {
        let lines: Vec<String> = if self.written {
            self.texts.clone()
        } else {
            letters.iter().zip(&self.texts).map(|(letter, text)| format!("{letter}. {text}")).collect()
        };
        lines.join("\n")
    }
}

fn alphabet() -> impl Iterator<Item = String> {
    ('A'..='Z').map(String::from)
}

/// Whether an option begins with its letter, as `A)`, `(a)` or `A.`.
fn begins_with(text: &str, letter: &str) -> bool {
    let text = text.trim_start().trim_start_matches('(');
    let rest = text
        .get(letter.len()..)
        .filter(|_| text.get(..letter.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(letter)));
    rest.is_some_and(|rest| rest.trim_start().starts_with([')', '.', ':']))
}

/// A whole number, also as a text of a table, or as a table's number with a point.
fn place(answer: &Value) -> Option<usize> {
    match answer {
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).parse().ok()
        }
        Value::String(text) => {
            let text = text.trim();
            text.strip_suffix(".0").unwrap_or(text).parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a value holds options with letters or texts of their own.
pub(super) fn is_options(value: &Value) -> bool {
    Options::read(value).is_some()
}

/// Whether a column's name is one of options.
pub(super) fn is_named(column: &str) -> bool {
    let lower = column.to_ascii_lowercase();
    NAMES.iter().any(|name| lower.contains(name))
}

/// Where a row's options are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OptionsPlace<'m> {
    /// In the column of what the question is about.
    Input(&'m str),
    /// Each in a column of its own, so that the question lacks them.
    Apart,
}

/// The options beside a row's question.
fn beside<'m>(mapping: &'m Mapping, fields: &Fields) -> Option<(Options, OptionsPlace<'m>)> {
    let asked = fields.get(mapping.column(ColumnPart::Prompt)?)?;
    let input = mapping.column(ColumnPart::Input).filter(|column| is_named(column));
    let own =
        input.and_then(|column| Some((Options::read(fields.get(column)?)?, OptionsPlace::Input(column))));
    own.or_else(|| {
        let (letters, texts) = of_columns(mapping, fields).filter(|_| asked.is_string())?;
        Some((Options { texts, letters, written: false }, OptionsPlace::Apart))
    })
}

/// Whether a cell may name one of the options beside it: by its letter, its place or its text.
pub(super) fn may_name(mapping: &Mapping, fields: &Fields, answer: &Value) -> bool {
    beside(mapping, fields).is_some_and(|(options, _)| options.may_be_named_by(answer))
}

/// A row whose options have letters, where its answer is a letter or a place; the answer is a letter then.
///
/// # Errors
/// Where the answer is a place that nobody can tell, or one that no option has.
pub(super) fn lettered(
    mapping: &Mapping,
    answers: Answers,
    fields: &Fields,
) -> Result<Option<Fields>, String> {
    let Some((options, at)) = beside(mapping, fields) else { return Ok(None) };
    let answer = mapping
        .column(ColumnPart::Completion)
        .and_then(|column| Some((column, fields.get(column).filter(|value| !is_unsaid(value))?)));
    let by_letter = answer.is_some_and(|(_, value)| options.are_named_by(value));
    let is_text = answer.is_none_or(|(_, value)| options.has(value) && answers.places == AnswerNumbers::None);
    let place = answer.and_then(|(_, value)| place(value)).filter(|place| {
        !is_text && !by_letter && (answers.places != AnswerNumbers::None || *place <= options.texts.len())
    });
    let named = match (answer, place) {
        (Some((column, _)), Some(place)) => {
            Some((column, option_at(&options, answers.places, column, place)?))
        }
        _ => None,
    };
    if let Some((column, value)) = answer
        && answers.all_name
        && named.is_none()
        && !options.may_be_named_by(value)
    {
        return Err(format!(
            "column {column:?} is {value}, which names none of the {} options, as the answers of other rows do",
            options.texts.len()
        ));
    }
    let is_plain = options.letters.is_empty() || options.written || at == OptionsPlace::Apart;
    if named.is_none() && is_plain && (is_text || !by_letter || options.written) {
        let are_shown = at != OptionsPlace::Apart || answer.is_none_or(|(_, value)| !options.has(value));
        return Ok((!are_shown).then(|| shown(mapping, fields, at, &options.texts.join("\n"))));
    }
    if options.letters.is_empty() && options.texts.len() > MOST {
        return Err(format!(
            "the question has {} options, and there are {MOST} letters",
            options.texts.len()
        ));
    }
    let small = by_letter
        && answer
            .and_then(|(_, value)| value.as_str())
            .is_some_and(|said| said.starts_with(char::is_lowercase));
    let letters = options.named(small);
    let mut row = shown(mapping, fields, at, &options.lines(&letters));
    if let Some((column, at)) = named {
        let letter = letters.get(at).cloned().unwrap_or_default();
        row.insert(column.to_owned(), Value::String(letter));
    }
    Ok(Some(row))
}

/// The row with these lines in the place of its options.
fn shown(mapping: &Mapping, fields: &Fields, at: OptionsPlace<'_>, lines: &str) -> Fields {
    let mut row = fields.clone();
    match (at, mapping.column(ColumnPart::Prompt)) {
        (OptionsPlace::Input(column), _) => {
            row.insert(column.to_owned(), Value::String(lines.to_owned()));
        }
        (OptionsPlace::Apart, Some(column)) => {
            let asked = row.get(column).map(text).unwrap_or_default();
            row.insert(column.to_owned(), Value::String(format!("{asked}\n\n{lines}")));
        }
        (OptionsPlace::Apart, None) => {}
    }
    row
}

/// Which of the options an answer means by a place.
fn option_at(options: &Options, places: AnswerNumbers, column: &str, place: usize) -> Result<usize, String> {
    let count = options.texts.len();
    let at = match places {
        AnswerNumbers::FromZero => Some(place),
        AnswerNumbers::FromOne => place.checked_sub(1),
        AnswerNumbers::None | AnswerNumbers::Unclear => {
            return Err(format!(
                "column {column:?} is {place}, and whether the first of the {count} options is 0 or 1 can't be told from \
                 the first rows; write the letter or the option itself, or map another column with --map completion=COLUMN"
            ));
        }
    };
    at.filter(|at| *at < count).ok_or_else(|| {
        format!("column {column:?} is {place}, and there are {count} options; none of them is that")
    })
}
