//! Rows that are written column by column, as pandas and `datasets` do, and questions below the paragraphs that they are
//! about, as `SQuAD` has them. Rows are made one after another.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Numbers, Parsed, RawRow, exact, wrapper};
use crate::domain::record::Fields;

/// Paragraphs are said again with each of their questions: more bytes than this, and an article is left as it is.
const MOST_REPEATED: usize = 256 << 20;
/// Who speaks: an object of such columns is one conversation.
const SPEAKERS: [&str; 2] = ["role", "from"];
/// What one conversation is called.
const CONVERSATIONS: [&str; 5] = ["messages", "conversations", "conversation", "dialogue", "dialog"];

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TableForm {
    /// `{"columns": ["q", "a"], "data": [[.., ..], ..]}`
    Split,
    /// `{"q": {"0": .., "1": ..}, "a": {"0": .., "1": ..}}`
    Columns,
    /// `{"0": {"q": .., "a": ..}, "1": ...}`
    Index,
    /// `{"q": [.., ..], "a": [.., ..]}`
    Lists,
}

fn form(fields: &Fields) -> Option<TableForm> {
    let is_index = |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let is_turn = |value: &Value| SPEAKERS.iter().any(|name| value.get(*name).is_some());
    if let (Some(Value::Array(columns)), Some(Value::Array(data))) =
        (fields.get("columns"), fields.get("data"))
    {
        let known = fields.keys().all(|name| ["columns", "index", "data"].contains(&name.as_str()));
        let fits = |row: &Value| row.as_array().is_some_and(|cells| cells.len() == columns.len());
        let named = !columns.is_empty() && columns.iter().all(Value::is_string);
        return (known && named && !data.is_empty() && data.iter().all(fits)).then_some(TableForm::Split);
    }
    let mut objects = fields.values().map(Value::as_object);
    if let Some(first) = objects.next().flatten().filter(|first| !first.is_empty()) {
        let rest: Option<Vec<&Map<String, Value>>> = objects.collect();
        let rest = rest?;
        if fields.keys().all(is_index) {
            return (!fields.values().any(is_turn)).then_some(TableForm::Index);
        }
        let same = |column: &&Map<String, Value>| {
            column.len() == first.len() && column.keys().all(|name| first.contains_key(name))
        };
        return (first.keys().all(is_index) && rest.iter().all(same)).then_some(TableForm::Columns);
    }
    let lists: Option<Vec<&Vec<Value>>> = fields.values().map(Value::as_array).collect();
    let lists = lists.filter(|lists| lists.len() > 1)?;
    let rows = lists.first().map_or(0, |list| list.len());
    let is_one = |(name, value): (&String, &Value)| {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let talks = CONVERSATIONS.contains(&name.as_str());
        SPEAKERS.contains(&name.as_str())
            || items.iter().any(|item| is_turn(item) || talks && item.is_string())
    };
    let even = rows > 0 && lists.iter().all(|list| list.len() == rows);
    (even && !fields.iter().any(is_one)).then_some(TableForm::Lists)
}

/// Whether an object is a table and no row.
pub(super) fn is_table(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| form(fields).is_some())
}

/// The rows of an object that is a table.
pub(super) fn rows(line: u64, bytes: &[u8]) -> Option<Box<dyn Iterator<Item = RawRow> + Send>> {
    let (Value::Object(fields), numbers) = exact::parse(bytes).ok()? else { return None };
    let form = form(&fields)?;
    if let Some(column) = twice(form, &fields) {
        let reason =
            format!("two columns are called {column:?}, and only one of them would be kept; rename one");
        return Some(Box::new(std::iter::once(RawRow::bad(line, reason, bytes))));
    }
    let mut table = JsonTable::new(form, fields, &numbers);
    let mut next = 0..table.rows;
    Some(Box::new(std::iter::from_fn(move || {
        let row = next.next()?;
        let (fields, numbers) = table.take(row);
        let size = 64 + fields.values().map(size).sum::<usize>();
        Some(RawRow::Done(Parsed::Row { line, fields, numbers }, size))
    })))
}

/// A name that two columns have, where they are named apart.
fn twice(form: TableForm, fields: &Fields) -> Option<&str> {
    let names = fields.get("columns").and_then(Value::as_array).filter(|_| form == TableForm::Split)?;
    let mut known = HashSet::new();
    names.iter().filter_map(Value::as_str).find(|name| !known.insert(*name))
}

/// The names of rows, which are numbers, in the order of these.
fn in_order<'f>(names: impl Iterator<Item = &'f String>) -> Vec<String> {
    let mut names: Vec<String> = names.cloned().collect();
    let number = |name: &String| name.trim_start_matches('0').to_owned();
    names.sort_by_cached_key(|name| (number(name).len(), number(name)));
    names
}

struct JsonTable {
    form: TableForm,
    fields: Fields,
    /// Names of the columns where they stand apart, or of the rows.
    names: Vec<String>,
    rows: usize,
    numbers: HashMap<usize, Numbers>,
}

impl JsonTable {
    fn new(form: TableForm, fields: Fields, numbers: &[String]) -> Self {
        let list = |name: &str| fields.get(name).and_then(Value::as_array).map(Vec::as_slice);
        let first = fields.values().next();
        let (names, rows): (Vec<String>, usize) = match form {
            TableForm::Split => {
                let names = list("columns").unwrap_or_default().iter().filter_map(Value::as_str);
                (names.map(str::to_owned).collect(), list("data").unwrap_or_default().len())
            }
            TableForm::Columns => {
                let names = in_order(first.and_then(Value::as_object).into_iter().flat_map(Map::keys));
                let rows = names.len();
                (names, rows)
            }
            TableForm::Index => (in_order(fields.keys()), fields.len()),
            TableForm::Lists => (Vec::new(), first.and_then(Value::as_array).map_or(0, Vec::len)),
        };
        let places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let mut of_rows: HashMap<usize, Numbers> = HashMap::new();
        for pointer in numbers {
            let mut steps = pointer.splitn(4, '/').skip(1);
            let (Some(first), Some(second)) = (steps.next(), steps.next()) else { continue };
            let rest = steps.next();
            let (row, own) = match form {
                TableForm::Split => {
                    let (column, deeper) = rest
                        .map(|rest| rest.split_once('/').map_or((rest, None), |(at, rest)| (at, Some(rest))))
                        .unwrap_or_default();
                    let name = column.parse::<usize>().ok().and_then(|column| names.get(column));
                    let name = name.map(|name| name.replace('~', "~0").replace('/', "~1"));
                    (second.parse().ok(), joined(&name.unwrap_or_default(), deeper))
                }
                TableForm::Columns => (places.get(second).copied(), joined(first, rest)),
                TableForm::Index => (places.get(first).copied(), joined(second, rest)),
                TableForm::Lists => (second.parse().ok(), joined(first, rest)),
            };
            if let Some(row) = row {
                of_rows.entry(row).or_default().push(own);
            }
        }
        Self { form, fields, names, rows, numbers: of_rows }
    }

    /// A row, out of the table.
    fn take(&mut self, row: usize) -> (Fields, Numbers) {
        let numbers = self.numbers.remove(&row).unwrap_or_default();
        let taken = |cell: Option<&mut Value>| cell.map(Value::take).unwrap_or_default();
        let fields = match self.form {
            TableForm::Split => {
                let cells = self.fields.get_mut("data").and_then(|data| data.get_mut(row)).map(Value::take);
                let cells = cells.and_then(|cells| serde_json::from_value::<Vec<Value>>(cells).ok());
                self.names.iter().cloned().zip(cells.unwrap_or_default()).collect()
            }
            TableForm::Columns => {
                let name = self.names.get(row).map(String::as_str).unwrap_or_default();
                let cell =
                    |(column, cells): (&String, &mut Value)| (column.clone(), taken(cells.get_mut(name)));
                self.fields.iter_mut().map(cell).collect()
            }
            TableForm::Index => {
                let name = self.names.get(row).map(String::as_str).unwrap_or_default();
                match self.fields.get_mut(name).map(Value::take) {
                    Some(Value::Object(fields)) => fields,
                    _ => Fields::new(),
                }
            }
            TableForm::Lists => {
                let cell =
                    |(column, cells): (&String, &mut Value)| (column.clone(), taken(cells.get_mut(row)));
                self.fields.iter_mut().map(cell).collect()
            }
        };
        (fields, numbers)
    }
}

fn joined(first: &str, rest: Option<&str>) -> String {
    rest.map_or_else(|| format!("/{first}"), |rest| format!("/{first}/{rest}"))
}

/// Bytes of a value, about.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 8,
        Value::Array(items) => 8 + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => {
            8 + fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>()
        }
    }
}

/// The questions of an article with paragraphs, each with what it is about.
pub(super) fn questions(
    line: u64,
    bytes: &[u8],
    list: Option<&str>,
) -> Option<impl Iterator<Item = RawRow> + Send + 'static> {
    memchr::memmem::find(bytes, b"\"paragraphs\"")?;
    let (Value::Object(mut article), numbers) = exact::parse(bytes).ok()? else { return None };
    let Some(Value::Array(paragraphs)) = article.remove("paragraphs") else { return None };
    let asked = |paragraph: &Value| Some(paragraph.get("qas")?.as_array()?.len());
    let mut repeated = 0;
    for paragraph in &paragraphs {
        let context = paragraph.get("context")?.as_str()?;
        repeated += context.len() * asked(paragraph)?;
    }
    let is_asked = |qa: &Value| qa.get("question").is_some_and(Value::is_string);
    let of_article = article.len() <= 1 && article.values().all(Value::is_string);
    let whole = paragraphs.iter().all(|paragraph| {
        paragraph.get("qas").and_then(Value::as_array).is_some_and(|qas| qas.iter().all(is_asked))
    });
    if paragraphs.is_empty() || !of_article || !whole || !numbers.is_empty() || repeated > MOST_REPEATED {
        return None;
    }
    let list = list.map(str::to_owned);
    let rows = paragraphs.into_iter().flat_map(move |mut paragraph| {
        let qas = match paragraph.as_object_mut().and_then(|fields| fields.remove("qas")) {
            Some(Value::Array(qas)) => qas,
            _ => Vec::new(),
        };
        qas.into_iter().map(row_of(&article, &paragraph))
    });
    Some(rows.map(move |mut fields: Fields| {
        if let Some(list) = &list {
            wrapper::name_split(&mut fields, list);
        }
        let size = 64 + fields.values().map(size).sum::<usize>();
        RawRow::Done(Parsed::Row { line, fields, numbers: Numbers::new() }, size)
    }))
}

/// What makes a row of a question.
fn row_of(article: &Fields, paragraph: &Value) -> impl FnMut(Value) -> Fields + use<> {
    let mut around = article.clone();
    around.extend(paragraph.as_object().cloned().unwrap_or_default());
    move |asked| {
        let mut row = around.clone();
        if let Value::Object(asked) = asked {
            row.extend(asked);
        }
        row
    }
}
