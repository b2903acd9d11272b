//! From a line of text to a [`Filter`], by recursive descent. Knows the grammar only.

use std::ops::Range;

use super::operator::Operator;
use super::values::{any, figure, like, or_none, property, statuses};
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
        let start = self.at;
        let mut parts = vec![self.conjunction()?];
        while self.or() {
            let after = self.at;
            let part = self.conjunction()?;
            if part == Filter::Everything {
                let message = "something must follow OR; the word itself is found in quotes: \"or\"";
                return Err(FilterError::new(after..after, message));
            }
            parts.push(part);
        }
        if parts.len() > 1 && parts.first() == Some(&Filter::Everything) {
            let message = "something must be before OR; the word itself is found in quotes: \"or\"";
            return Err(FilterError::new(start..start, message));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::Or(parts) })
    }

    fn conjunction(&mut self) -> Parsed<Filter> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            while self.keyword("AND") || self.keyword("&&") || self.keyword("&") {
                self.skip_space();
            }
            match self.peek() {
                None | Some(')' | '|') => break,
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
        if turns > 0 && self.peek().is_none_or(|next| next.is_whitespace() || matches!(next, ')' | '|')) {
            let word = &self.line[start..self.at];
            let message = if word.starts_with('-') {
                "something must follow: -tag:x leaves out what bears x"
            } else {
                "something must follow: NOT tag:x leaves out what bears x; the word is found in quotes: \"not\""
            };
            return Err(FilterError::new(start..self.at, message));
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
        if self.sees_keyword_before("field.", '"') {
            return self.quoted_column();
        }
        let name_end = self.rest().find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        let name_end = start + name_end.unwrap_or(self.rest().len());
        let name = &self.line[start..name_end];
        match Operator::after(name, &self.line[name_end..]) {
            Some((operator, long)) if !name.is_empty() => {
                self.at = name_end + long;
                self.field(name, start..name_end, operator)
            }
            _ => Ok(Filter::Term(Term::Text(self.word()))),
        }
    }

    /// `field."two words":value`.
    fn quoted_column(&mut self) -> Parsed<Filter> {
        let start = self.at;
        self.at += "field.".len();
        let column = self.quoted()?;
        let name_end = self.at;
        let Some((operator, long)) = Operator::at(self.rest()) else {
            let example = format!("a value must follow the column: field.\"{column}\":value");
            return Err(FilterError::new(start..name_end, example));
        };
        self.at += long;
        self.column(&column, start..name_end, operator)
    }

    fn word(&mut self) -> Words {
        let start = self.at;
        let end = self.rest().find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '|'));
        // At least one character is taken, so that the parser always moves.
        let first = self.peek().map_or(0, char::len_utf8);
        self.at = start + end.unwrap_or(self.rest().len()).max(first);
        let text = &self.line[start..self.at];
        match text.strip_suffix('*') {
            Some(stem) if !stem.is_empty() => Words { text: stem.to_owned(), end: WordEnd::Prefix },
            _ => Words { text: text.to_owned(), end: WordEnd::Whole },
        }
    }

    fn field(&mut self, name: &str, span: Range<usize>, operator: Operator) -> Parsed<Filter> {
        // What a column is called is data; the names of fields are ours, in any case.
        if let Some(column) = strip_prefix(name, "field.").filter(|column| !column.is_empty()) {
            return self.column(column, span, operator);
        }
        let written = name;
        let name = name.to_lowercase();
        if let Some(field) = NumberField::ALL.into_iter().find(|field| field.name() == name) {
            return self.number(field, operator);
        }
        if !WORD_FIELDS.contains(&name.as_str()) {
            return Err(FilterError::new(span, unknown_field(written)));
        }
        let turned = self.is_turned(&name, span, operator)?;
        let start = self.at;
        let values = self.values()?;
        let span = start..self.at;
        let found = match name.as_str() {
            "status" => Filter::Term(statuses(&values, span)?),
            "split" => Filter::Term(Term::Split(values.into_iter().map(or_none).collect())),
            "label" => Filter::Term(Term::Label(values.into_iter().map(or_none).collect())),
            "tag" => any(values, |value| Ok(Term::Tag(or_none(value))))?,
            "source" => any(values, |value| Ok(Term::Source(value)))?,
            "check" => any(values, |value| Ok(Term::Check(value)))?,
            "like" => any(values, |value| like(&value, span.clone()))?,
            _ => any(values, |value| property(&value, span.clone()))?,
        };
        Ok(if turned { Filter::Not(Box::new(found)) } else { found })
    }

    fn column(&mut self, column: &str, span: Range<usize>, operator: Operator) -> Parsed<Filter> {
        let turned = self.is_turned(&format!("field.{column}"), span, operator)?;
        let values = self.values()?;
        let found = any(values, |value| Ok(Term::Field { column: column.to_owned(), value }))?;
        Ok(if turned { Filter::Not(Box::new(found)) } else { found })
    }

    /// Whether a field of words is compared with `!=`; other signs than that and `:` are for numbers.
    fn is_turned(&self, name: &str, span: Range<usize>, operator: Operator) -> Parsed<bool> {
        match operator {
            Operator::Is => Ok(false),
            Operator::IsNot => Ok(true),
            Operator::AtLeast | Operator::AtMost | Operator::Above | Operator::Below => {
                let message =
                    format!("{name} is not a number: write {name}:value, or -{name}:value for its opposite");
                Err(FilterError::new(span.start..self.at, message))
            }
        }
    }

    /// One value or several with commas or bars between: `a`, `"a b"`, `a,b`, `a|b`.
    fn values(&mut self) -> Parsed<Vec<String>> {
        let mut values = Vec::new();
        loop {
            let value = if self.peek() == Some('"') { self.quoted()? } else { self.plain_value()? };
            values.push(value);
            if !self.take(',') && !self.takes_bar() {
                return Ok(values);
            }
        }
    }

    /// A bar between two values, and not one between two terms: `tag:a|b`, but not `tag:a|tag:b` or `tag:a | b`.
    fn takes_bar(&mut self) -> bool {
        let Some(after) = self.rest().strip_prefix('|') else { return false };
        let name_end = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
        let (name, follows) = after.split_at(name_end.unwrap_or(after.len()));
        let is_value = !name.is_empty() || follows.starts_with('"');
        is_value && Operator::at(follows).is_none() && self.take('|')
    }

    fn plain_value(&mut self) -> Parsed<String> {
        let start = self.at;
        let end = self.rest().find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '|'));
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
            return Err(FilterError::new(open..self.at, "there is nothing between these quotes"));
        }
        Ok(text)
    }

    fn number(&mut self, field: NumberField, operator: Operator) -> Parsed<Filter> {
        let start = self.at;
        let text = self.plain_value()?;
        let span = start..self.at;
        let bounds = match (operator, text.split_once("..")) {
            (Operator::Is | Operator::IsNot, Some((low, high))) => {
                let end = |text: &str| (!text.is_empty()).then(|| figure(text, span.clone())).transpose();
                Bounds { low: end(low)?.map(Edge::Included), high: end(high)?.map(Edge::Included) }
            }
            (operator, _) => operator.bounds(figure(&text, span)?),
        };
        let term = Filter::Term(Term::Number(field, bounds));
        Ok(if operator == Operator::IsNot { Filter::Not(Box::new(term)) } else { term })
    }

    /// `OR` in any case, or bars.
    fn or(&mut self) -> bool {
        self.skip_space();
        let bars = self.rest().len() - self.rest().trim_start_matches('|').len();
        self.at += bars.min(2);
        bars > 0 || self.keyword("OR")
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.skip_space();
        let sees = self.sees_keyword(word);
        if sees {
            self.at += word.len();
        }
        sees
    }

    /// In any case: `or` is `OR`. The word itself is found in quotes.
    fn sees_keyword(&self, word: &str) -> bool {
        let ends = |next: char| next.is_whitespace() || matches!(next, '(' | '|' | ')');
        strip_prefix(self.rest(), word).is_some_and(|rest| rest.chars().next().is_none_or(ends))
    }

    fn sees_keyword_before(&self, word: &str, letter: char) -> bool {
        strip_prefix(self.rest(), word).is_some_and(|rest| rest.starts_with(letter))
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

/// What follows a beginning that is written in any case.
fn strip_prefix<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (before, after) = text.split_at_checked(start.len())?;
    before.eq_ignore_ascii_case(start).then_some(after)
}

fn unknown_field(name: &str) -> String {
    let fields = WORD_FIELDS.iter().copied().chain(NumberField::ALL.map(NumberField::name));
    let nearest = fields
        .map(|field| (strsim::damerau_levenshtein(&name.to_lowercase(), field), field))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    match nearest {
        Some((_, field)) => format!("there is no field {name:?}; did you mean {field}?"),
        None => {
            format!("there is no field {name:?}: put the text in quotes, or write field.{name} for a column")
        }
    }
}
