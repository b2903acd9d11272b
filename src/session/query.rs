//! From a filter to SQL. Whatever a person typed travels as a parameter, never as SQL.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, Error as SqlError};

use super::names::NameKind;
use super::{Result, content, index, similar};
use crate::data::rows::parse_row;
use crate::domain::filter::{Bounds, Case, Edge, Filter, NumberField, Property, Term, WordEnd, Words};

/// A query for the records that a filter matches: `SELECT id, KEY FROM … WHERE …` in one or two parts.
pub(super) struct RecordQuery {
    pub(super) sql: String,
    pub(super) parameters: Vec<Value>,
}

/// The query that gives the number and a further column (an SQL expression of ours) of each matching record.
///
/// Words at the top of a filter lead: the index gives its matches in the order of their numbers, without a list
/// being built first. Records that are not in the index yet have greater numbers and are read after it.
pub(super) fn build(connection: &Connection, filter: &Filter, column: &str) -> Result<RecordQuery> {
    let indexed_up_to = index::indexed_up_to(connection)?;
    let tail = index::is_behind(connection, indexed_up_to)?;
    let (words, rest) = split_words(filter);
    let mut alike = BTreeMap::new();
    find_alike(connection, filter, &mut alike)?;
    let mut compiler = Compiler { indexed_up_to, tail, alike, parameters: Vec::new() };
    if words.is_empty() {
        let condition = compiler.condition(filter);
        let sql = format!("SELECT records.id, {column} FROM records WHERE {condition}");
        return Ok(RecordQuery { sql, parameters: compiler.parameters });
    }
    let matched = words.iter().map(|words| match_expression(words)).collect::<Vec<_>>().join(" AND ");
    let matched = compiler.parameter(Value::Text(matched));
    let condition = compiler.all(&rest);
    let bare = rest.is_empty() && column == "0" && nothing_removed(connection)?;
    let mut sql = if bare {
        format!("SELECT rowid, 0 FROM search WHERE search MATCH {matched}")
    } else {
        format!(
            "SELECT records.id, {column} FROM search CROSS JOIN records ON records.id = search.rowid
             WHERE search MATCH {matched} AND {condition}"
        )
    };
    if tail {
        let condition = compiler.all(&rest);
        let scans: Vec<String> = words.iter().map(|words| compiler.scan(&word_pattern(words))).collect();
        let after = format!(
            " UNION ALL SELECT records.id, {column} FROM records CROSS JOIN contents ON contents.id = records.id
             WHERE records.id > {indexed_up_to} AND {condition} AND {}",
            scans.join(" AND ")
        );
        sql.push_str(&after);
    }
    Ok(RecordQuery { sql, parameters: compiler.parameters })
}

/// Finds what the filter's `like:` terms mean, before it is turned into SQL.
fn find_alike(connection: &Connection, filter: &Filter, found: &mut BTreeMap<i64, Vec<i64>>) -> Result<()> {
    match filter {
        Filter::Term(Term::Like(record)) => {
            if let Entry::Vacant(place) = found.entry(record.0) {
                place.insert(similar::like(connection, record.0)?);
            }
            Ok(())
        }
        Filter::Not(inside) => find_alike(connection, inside, found),
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().try_for_each(|part| find_alike(connection, part, found))
        }
        Filter::Everything | Filter::Term(_) => Ok(()),
    }
}

fn nothing_removed(connection: &Connection) -> Result<bool> {
    Ok(connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM removed)", [], |row| row.get(0))?)
}

/// The words that stand at the top of a filter and that the index can find, and everything else.
fn split_words(filter: &Filter) -> (Vec<&Words>, Vec<&Filter>) {
    let parts: Vec<&Filter> = match filter {
        Filter::And(parts) => parts.iter().collect(),
        other => vec![other],
    };
    let (mut words, mut rest) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Filter::Term(Term::Text(text)) if has_words(text) => words.push(text),
            Filter::Everything => {}
            other => rest.push(other),
        }
    }
    (words, rest)
}

/// Whether the index can find it: it holds letters or digits. The index takes a run of signs without spaces as one word,
/// so that a part of it is not found there: the texts themselves are read for that.
fn has_words(words: &Words) -> bool {
    words.text.chars().any(char::is_alphanumeric) && !words.stands_anywhere()
}

/// In the language of FTS5: one quoted phrase, so that nothing in it is an operator.
fn match_expression(words: &Words) -> String {
    let star = match words.end {
        WordEnd::Whole => "",
        WordEnd::Prefix => "*",
    };
    format!("\"{}\"{star}", words.text.replace('"', "\"\"").replace('\0', " "))
}

/// The same words as a regular expression, for text that is not in the index.
fn word_pattern(words: &Words) -> String {
    let parts: Vec<String> = words
        .text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(regex::escape)
        .collect();
    if parts.is_empty() {
        return regex::escape(&words.text);
    }
    let between = r"[^\p{L}\p{N}]+";
    if words.stands_anywhere() {
        return format!("(?i){}", parts.join(between));
    }
    let end = match words.end {
        WordEnd::Whole => r"\b",
        WordEnd::Prefix => "",
    };
    format!(r"(?i)\b{}{end}", parts.join(between))
}

struct Compiler {
    /// What reads like the records that the filter names.
    alike: BTreeMap<i64, Vec<i64>>,
    indexed_up_to: i64,
    tail: bool,
    parameters: Vec<Value>,
}

impl Compiler {
    fn parameter(&mut self, value: Value) -> String {
        self.parameters.push(value);
        format!("?{}", self.parameters.len())
    }

    fn text(&mut self, text: &str) -> String {
        self.parameter(Value::Text(text.to_owned()))
    }

    fn all(&mut self, parts: &[&Filter]) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
        if parts.is_empty() { "1".to_owned() } else { parts.join(" AND ") }
    }

    fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Everything => "1".to_owned(),
            Filter::Term(term) => self.term(term),
            // What is not known (no label, no count) does not match, so its opposite does.
            Filter::Not(inside) => format!("NOT coalesce({}, 0)", self.condition(inside)),
            Filter::And(parts) => self.joined(parts, " AND "),
            Filter::Or(parts) => self.joined(parts, " OR "),
        }
    }

    fn joined(&mut self, parts: &[Filter], operator: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
        format!("({})", parts.join(operator))
    }

    fn term(&mut self, term: &Term) -> String {
        match term {
            Term::Status(statuses) => {
                let numbers: Vec<String> =
                    statuses.iter().map(|status| (*status as i64).to_string()).collect();
                format!("records.status IN ({})", numbers.join(", "))
            }
            Term::Split(names) => self.named("records.split", NameKind::Split, names),
            Term::Label(names) => self.named("records.label", NameKind::Label, names),
            Term::Tag(Some(tag)) => {
                let name = self.text(tag);
                format!(
                    "records.id IN (SELECT record FROM record_tags WHERE tag =
                     (SELECT id FROM names WHERE kind = 3 AND name = {name}))"
                )
            }
            Term::Tag(None) => "records.id NOT IN (SELECT record FROM record_tags)".to_owned(),
            Term::Source(part) => {
                let part = self.text(part);
                format!(
                    "records.source IN (SELECT id FROM sources WHERE instr(lower(name), lower({part})) > 0)"
                )
            }
            Term::Check(name) => {
                let name = self.text(name);
                format!("records.id IN (SELECT record FROM findings WHERE check_name = {name})")
            }
            Term::Like(record) => {
                let alike = self.alike.get(&record.0).map(Vec::as_slice).unwrap_or_default();
                let numbers: Vec<String> = alike.iter().map(i64::to_string).collect();
                format!("records.id IN ({})", numbers.join(", "))
            }
            Term::Number(field, bounds) => self.number(*field, *bounds),
            Term::Is(property) => is(*property).to_owned(),
            Term::Field { column, value } => {
                let (column, value) = (self.text(column), self.text(value));
                Self::of_content(&format!("dojo_field({column}, {value}, contents.fields)"))
            }
            Term::Text(words) if has_words(words) => self.words(words),
            Term::Text(words) => {
                let scan = self.scan(&word_pattern(words));
                Self::of_content(&scan)
            }
            Term::Regex(pattern) => {
                let case = match pattern.case() {
                    Case::Ignored => "(?im)",
                    Case::Counts => "(?m)",
                };
                let scan = self.scan(&format!("{case}{}", pattern.source()));
                Self::of_content(&scan)
            }
        }
    }

    fn words(&mut self, words: &Words) -> String {
        let matched = self.text(&match_expression(words));
        let mut list = format!("SELECT rowid FROM search WHERE search MATCH {matched}");
        if self.tail {
            let scan = self.scan(&word_pattern(words));
            let tail = format!(
                " UNION ALL SELECT contents.id FROM contents WHERE contents.id > {} AND {scan}",
                self.indexed_up_to
            );
            list.push_str(&tail);
        }
        format!("records.id IN ({list})")
    }

    fn scan(&mut self, pattern: &str) -> String {
        let pattern = self.text(pattern);
        format!("dojo_matches({pattern}, contents.fields, contents.body)")
    }

    fn of_content(condition: &str) -> String {
        format!("EXISTS (SELECT 1 FROM contents WHERE contents.id = records.id AND {condition})")
    }

    fn named(&mut self, column: &str, kind: NameKind, names: &[Option<String>]) -> String {
        let mut parts = Vec::new();
        let given: Vec<String> = names.iter().flatten().map(|name| self.text(name)).collect();
        if !given.is_empty() {
            let given = given.join(", ");
            parts.push(format!(
                "{column} IN (SELECT id FROM names WHERE kind = {} AND name IN ({given}))",
                kind as i64
            ));
        }
        if names.contains(&None) {
            parts.push(format!("{column} IS NULL"));
        }
        format!("({})", parts.join(" OR "))
    }

    fn number(&mut self, field: NumberField, bounds: Bounds) -> String {
        let column = match field {
            NumberField::Id => "records.id",
            NumberField::Line => "records.line",
            NumberField::Tokens => "records.tokens",
            NumberField::Characters => "records.characters",
            NumberField::Score => "records.score",
            NumberField::Turns => "records.turns",
        };
        let mut parts = Vec::new();
        for (edge, with, without) in [(bounds.low, ">=", ">"), (bounds.high, "<=", "<")] {
            let (number, operator) = match edge {
                Some(Edge::Included(number)) => (number, with),
                Some(Edge::Excluded(number)) => (number, without),
                None => continue,
            };
            parts.push(format!("{column} {operator} {}", self.parameter(Value::Real(number))));
        }
        if parts.is_empty() { format!("{column} IS NOT NULL") } else { format!("({})", parts.join(" AND ")) }
    }
}

const fn is(property: Property) -> &'static str {
    match property {
        Property::Edited => "(records.flags & 2) <> 0",
        Property::Duplicate => "records.occurrence > 0",
        Property::Preference => "(records.flags & 1) <> 0",
        Property::Labelled => "records.label IS NOT NULL",
        Property::Tagged => "records.id IN (SELECT record FROM record_tags)",
        Property::Counted => "records.tokens IS NOT NULL",
        Property::Draft => "records.id IN (SELECT CAST(place AS INTEGER) FROM drafts WHERE kind = 'record')",
    }
}

/// Teaches a connection the functions that filters use.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("dojo_matches", 3, flags, matches)?;
    connection.create_scalar_function("dojo_field", 3, flags, field_is)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_aggregate_function("dojo_ids", 1, flags, Ids)?;
    Ok(())
}

/// All numbers of a query as one value: eight bytes each, the least first.
struct Ids;

impl Aggregate<Vec<u8>, Option<Vec<u8>>> for Ids {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, ids: &mut Vec<u8>) -> rusqlite::Result<()> {
        ids.extend_from_slice(&context.get::<i64>(0)?.to_le_bytes());
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, ids: Option<Vec<u8>>) -> rusqlite::Result<Option<Vec<u8>>> {
        Ok(ids)
    }
}

fn matches(context: &Context<'_>) -> rusqlite::Result<bool> {
    let pattern = context.get_or_create_aux(0, |value| -> std::result::Result<_, regex::Error> {
        let source = value.as_str().map_err(|error| regex::Error::Syntax(error.to_string()))?;
        regex::RegexBuilder::new(source).size_limit(8 << 20).build()
    })?;
    let fields = context.get_raw(1).as_str().map_err(|error| SqlError::UserFunctionError(error.into()))?;
    let body = context.get_raw(2);
    let body = body.as_str_or_null().map_err(|error| SqlError::UserFunctionError(error.into()))?;
    Ok(pattern.is_match(&content::searchable(fields, body)))
}

fn field_is(context: &Context<'_>) -> rusqlite::Result<bool> {
    let (column, wanted): (String, String) = (context.get(0)?, context.get(1)?);
    let text = context.get_raw(2).as_str().map_err(|error| SqlError::UserFunctionError(error.into()))?;
    let Ok((fields, _)) = parse_row(text) else { return Ok(false) };
    Ok(match fields.get(&column) {
        Some(serde_json::Value::String(value)) => *value == wanted,
        Some(serde_json::Value::Null) | None => wanted == "none",
        Some(other) => {
            let text = other.to_string();
            text == wanted
        }
    })
}
