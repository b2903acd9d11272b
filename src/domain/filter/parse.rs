//! From a line of text to a [`Filter`], by recursive descent. Knows the grammar only.

use std::ops::Range;

use super::values::{figure, like, one, or_none, property, statuses};
use super::{
    Bounds, Case, Edge, Filter, FilterError, NumberField, Pattern, Term, WORD_FIELDS, WordEnd, Words,
};

/// Parentheses deeper than this are refused, so that no line can exhaust the stack.
const DEEPEST: usize = 64;

pub(super) type Parsed<T> = Result<T, FilterError>;

/// Reads a filter; an empty line is [`Filter::Everything`].
///
/// # Errors
/// What is wrong, with the bytes that it concerns.
pub fn parse(line: &str) -> Parsed<Filter> {
    let mut parser = Parser { line, at: 0, depth: 0 };
    let filter = parser.alternatives()?;
    match parser.peek() {
        None => Ok(filter),
        Some(_) => Err(FilterError::new(parser.at..parser.at + 1, "this parenthesis closes nothing")),
    }
}

struct Parser<'a> {
    line: &'a str,
    /// Byte offset, always on a character border.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn alternatives(&mut self) -> Parsed<Filter> {
        let mut parts = vec![self.conjunction()?];
        while self.keyword("OR") {
            let start = self.at;
            let part = self.conjunction()?;
            if part == Filter::Everything {
                return Err(FilterError::new(start..start, "something must follow OR"));
            }
            parts.push(part);
        }
        if parts.len() > 1 && parts.first() == Some(&Filter::Everything) {
            return Err(FilterError::new(0..0, "something must stand before OR"));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn conjunction(&mut self) -> Parsed<Filter> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            while self.keyword("AND") {
                self.skip_space();
            }
            match self.peek() {
                None | Some(')') => break,
                Some(_) if self.sees_keyword("OR") => break,
                Some(_) => parts.push(self.turned()?),
            }
        }
        Ok(match parts.len() {
            0 => Filter::Everything,
            1 => parts.remove(0),
            _ => Filter::And(parts),
        })
    }

    fn turned(&mut self) -> Parsed<Filter> {
        let start = self.at;
        let mut turns = 0_usize;
        loop {
            if self.sees_keyword("NOT") {
                self.at += "NOT".len();
                self.skip_space();
            } else if !self.take('-') {
                break;
            }
            turns += 1;
        }
        if turns > 0 && self.peek().is_none_or(|next| next.is_whitespace() || next == ')') {
            return Err(FilterError::new(
                start..self.at,
                "something must follow: -tag:x leaves out what bears x",
            ));
        }
        let term = self.term()?;
        Ok(if turns % 2 == 1 { Filter::Not(Box::new(term)) } else { term })
    }

    fn term(&mut self) -> Parsed<Filter> {
        match self.peek() {
            Some('(') => self.group(),
            Some('"') => {
                let text = self.quoted()?;
                let end = if self.take('*') { WordEnd::Prefix } else { WordEnd::Whole };
                Ok(Filter::Term(Term::Text(Words { text, end })))
            }
            Some('/') => self.regex(),
            _ => self.field_or_word(),
        }
    }

    fn group(&mut self) -> Parsed<Filter> {
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::new(open..open + 1, "too many parentheses within each other"));
        }
        let inside = self.alternatives()?;
        if !self.take(')') {
            return Err(FilterError::new(open..open + 1, "this parenthesis is not closed"));
        }
        self.depth -= 1;
        Ok(inside)
    }

    fn regex(&mut self) -> Parsed<Filter> {
        let open = self.at;
        self.at += 1;
        let mut source = String::new();
        loop {
            match self.next() {
                None => {
                    return Err(FilterError::new(open..self.line.len(), "this expression has no closing /"));
                }
                Some('/') => break,
                Some('\\') if self.peek() == Some('/') => {
                    self.at += 1;
                    source.push('/');
                }
                Some('\\') => {
                    source.push('\\');
                    source.extend(self.next());
                }
                Some(letter) => source.push(letter),
            }
        }
        let case = if self.take('i') { Case::Ignored } else { Case::Counts };
        if source.is_empty() {
            return Err(FilterError::new(open..self.at, "this expression is empty"));
        }
        let pattern =
            Pattern::new(&source, case).map_err(|reason| FilterError::new(open..self.at, reason))?;
        Ok(Filter::Term(Term::Regex(pattern)))
    }

    fn field_or_word(&mut self) -> Parsed<Filter> {
        let start = self.at;
        let name_end = self.rest().find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        let name_end = start + name_end.unwrap_or(self.rest().len());
        let name = &self.line[start..name_end];
        let operator = Operator::at(&self.line[name_end..]);
        match operator {
            Some(operator) if !name.is_empty() => {
                self.at = name_end + operator.text().len();
                self.field(name, start..name_end, operator).map(Filter::Term)
            }
            _ => Ok(Filter::Term(Term::Text(self.word()))),
        }
    }

    fn word(&mut self) -> Words {
        let start = self.at;
        let end = self.rest().find(|c: char| c.is_whitespace() || c == '(' || c == ')');
        // At least one character is taken, so that the parser always moves.
        let first = self.peek().map_or(0, char::len_utf8);
        self.at = start + end.unwrap_or(self.rest().len()).max(first);
        let text = &self.line[start..self.at];
        match text.strip_suffix('*') {
            Some(stem) if !stem.is_empty() => Words { text: stem.to_owned(), end: WordEnd::Prefix },
            _ => Words { text: text.to_owned(), end: WordEnd::Whole },
        }
    }

    fn field(&mut self, name: &str, span: Range<usize>, operator: Operator) -> Parsed<Term> {
        if let Some(field) = NumberField::ALL.into_iter().find(|field| field.name() == name) {
            return self.number(field, operator);
        }
        let column = name.strip_prefix("field.").filter(|column| !column.is_empty());
        if column.is_none() && !WORD_FIELDS.contains(&name) {
            return Err(FilterError::new(span, unknown_field(name)));
        }
        if operator != Operator::Is {
            let end = self.at;
            return Err(FilterError::new(
                span.start..end,
                format!("{name} is not a number: write {name}:value, or -{name}:value for its opposite"),
            ));
        }
        let start = self.at;
        let values = self.values()?;
        let span = start..self.at;
        match (column, name) {
            (Some(column), _) => {
                one(values, span).map(|value| Term::Field { column: column.to_owned(), value })
            }
            (None, "status") => statuses(&values, span),
            (None, "split") => Ok(Term::Split(values.into_iter().map(or_none).collect())),
            (None, "label") => Ok(Term::Label(values.into_iter().map(or_none).collect())),
            (None, "tag") => one(values, span).map(|value| Term::Tag(or_none(value))),
            (None, "source") => one(values, span).map(Term::Source),
            (None, "check") => one(values, span).map(Term::Check),
            (None, "like") => like(&one(values, span.clone())?, span),
            (None, _) => property(&one(values, span.clone())?, span),
        }
    }

    /// One value or several with commas between: `a`, `"a b"`, `a,b`.
    fn values(&mut self) -> Parsed<Vec<String>> {
        let mut values = Vec::new();
        loop {
            let value = if self.peek() == Some('"') { self.quoted()? } else { self.plain_value()? };
            values.push(value);
            if !self.take(',') {
                return Ok(values);
            }
        }
    }

    fn plain_value(&mut self) -> Parsed<String> {
        let start = self.at;
        let end = self.rest().find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')'));
        self.at = start + end.unwrap_or(self.rest().len());
        if self.at == start {
            return Err(FilterError::new(start..start, "a value is missing here"));
        }
        Ok(self.line[start..self.at].to_owned())
    }

    fn quoted(&mut self) -> Parsed<String> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(FilterError::new(open..self.line.len(), "this quote is not closed")),
                Some('"') => break,
                Some('\\') if matches!(self.peek(), Some('"' | '\\')) => text.extend(self.next()),
                Some(letter) => text.push(letter),
            }
        }
        if text.trim().is_empty() {
            return Err(FilterError::new(open..self.at, "nothing stands between these quotes"));
        }
        Ok(text)
    }

    fn number(&mut self, field: NumberField, operator: Operator) -> Parsed<Term> {
        let start = self.at;
        let text = self.plain_value()?;
        let span = start..self.at;
        let bounds = match (operator, text.split_once("..")) {
            (Operator::Is, Some((low, high))) => {
                let end = |text: &str| (!text.is_empty()).then(|| figure(text, span.clone())).transpose();
                Bounds { low: end(low)?.map(Edge::Included), high: end(high)?.map(Edge::Included) }
            }
            (operator, _) => operator.bounds(figure(&text, span)?),
        };
        Ok(Term::Number(field, bounds))
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.skip_space();
        let sees = self.sees_keyword(word);
        if sees {
            self.at += word.len();
        }
        sees
    }

    fn sees_keyword(&self, word: &str) -> bool {
        self.rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.chars().next().is_none_or(|next| next.is_whitespace() || next == '('))
    }

    fn skip_space(&mut self) {
        self.at = self.line.len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn take(&mut self, letter: char) -> bool {
        let sees = self.peek() == Some(letter);
        if sees {
            self.at += letter.len_utf8();
        }
        sees
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    AtLeast,
    AtMost,
    Above,
    Below,
    Is,
}

impl Operator {
    /// The longer ones first, so that `>=` is not read as `>`.
    const ALL: [Self; 5] = [Self::AtLeast, Self::AtMost, Self::Above, Self::Below, Self::Is];

    fn at(rest: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| rest.starts_with(operator.text())).or_else(|| {
            // `=` is what people type who come from programming.
            rest.starts_with('=').then_some(Self::Is)
        })
    }

    const fn text(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::Below => "<",
            Self::Is => ":",
        }
    }

    const fn bounds(self, number: f64) -> Bounds {
        let (low, high) = match self {
            Self::AtLeast => (Some(Edge::Included(number)), None),
            Self::AtMost => (None, Some(Edge::Included(number))),
            Self::Above => (Some(Edge::Excluded(number)), None),
            Self::Below => (None, Some(Edge::Excluded(number))),
            Self::Is => (Some(Edge::Included(number)), Some(Edge::Included(number))),
        };
        Bounds { low, high }
    }
}

fn unknown_field(name: &str) -> String {
    let fields = WORD_FIELDS.iter().copied().chain(NumberField::ALL.map(NumberField::name));
    let nearest = fields
        .map(|field| (strsim::damerau_levenshtein(name, field), field))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    match nearest {
        Some((_, field)) => format!("there is no field {name:?}; did you mean {field}?"),
        None => {
            format!("there is no field {name:?}: put the text in quotes, or write field.{name} for a column")
        }
    }
}
