//! Tables of a TOML file read key by key: what is wrong is collected with its line, and what nobody asked for is refused.

use std::cell::RefCell;

use toml_edit::{Item, Key, TableLike, Value};

use crate::domain::recipe::Issue;

/// The largest weight; the smallest is 0, which leaves a thing out.
pub(super) const WEIGHTS: (f64, f64) = (0.0, 1e6);

/// Values of a column, columns, forms, subtopics: more would be a dataset and no blueprint.
const MOST: usize = 500;

/// What is wrong so far.
pub(super) struct Issues<'t> {
    text: &'t str,
    found: RefCell<Vec<Issue>>,
}

impl<'t> Issues<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, found: RefCell::new(Vec::new()) }
    }

    pub(super) fn add(&self, key: &str, line: Option<usize>, message: String) {
        self.found.borrow_mut().push(Issue { key: key.to_owned(), line, message });
    }

    /// All of them, in the file's order; those without a line last.
    pub(super) fn take(self) -> Vec<Issue> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|issue| (issue.line.is_none(), issue.line));
        found
    }

    pub(super) fn line(&self, span: Option<std::ops::Range<usize>>) -> Option<usize> {
        let start = span?.start;
        Some(self.text.bytes().take(start).filter(|&byte| byte == b'\n').count() + 1)
    }
}

/// One table, and which of its keys were asked for.
pub(super) struct TableReader<'a> {
    table: &'a dyn TableLike,
    /// As messages name it: `forms[2]`.
    name: String,
    issues: &'a Issues<'a>,
    known: RefCell<Vec<&'static str>>,
    /// Where the table begins, for what is missing in it.
    pub(super) line: Option<usize>,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(
        table: &'a dyn TableLike,
        name: &str,
        line: Option<usize>,
        issues: &'a Issues<'a>,
    ) -> Self {
        Self { table, name: name.to_owned(), issues, known: RefCell::default(), line }
    }

    /// `map.topic`.
    pub(super) fn dotted(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        let item = || self.table.get(key).and_then(Item::span);
        self.issues.line(self.table.key(key).and_then(Key::span).or_else(item)).or(self.line)
    }

    /// Something is wrong with one of its keys.
    pub(super) fn wrong(&self, key: &str, message: &str) {
        let dotted = self.dotted(key);
        self.issues.add(&dotted, self.line_of(key), format!("`{dotted}` {message}"));
    }

    pub(super) fn item(&self, key: &'static str) -> Option<&'a Item> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
        self.table.get(key).filter(|item| !item.is_none())
    }

    /// A text that has to be there.
    pub(super) fn text(&self, key: &'static str, help: &str) -> String {
        if self.item(key).is_none() {
            let dotted = self.dotted(key);
            self.issues.add(&dotted, self.line, format!("`{dotted}` is missing: {help}"));
            return String::new();
        }
        self.text_or(key, "")
    }

    /// A text that may be missing.
    pub(super) fn text_or(&self, key: &'static str, other: &str) -> String {
        let Some(item) = self.item(key) else { return other.to_owned() };
        match item.as_str() {
            Some(text) if !text.trim().is_empty() => text.trim().to_owned(),
            Some(_) => {
                self.wrong(key, "is empty");
                String::new()
            }
            None => {
                self.wrong(key, "must be a text in quotes");
                String::new()
            }
        }
    }

    /// A list of texts, or one text.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(item) = self.item(key) else { return Vec::new() };
        if let Some(text) = item.as_str() {
            return vec![text.trim().to_owned()];
        }
        let texts = item.as_array().and_then(|list| {
            let text = |value: &Value| value.as_str().map(|text| text.trim().to_owned());
            list.iter().map(text).collect::<Option<Vec<_>>>()
        });
        let sound = |texts: &Vec<String>| !texts.is_empty() && texts.iter().all(|text| !text.is_empty());
        texts.filter(sound).unwrap_or_else(|| {
            self.wrong(key, "must be a list of texts, none of them empty");
            Vec::new()
        })
    }

    /// A number in a range.
    pub(super) fn number(&self, key: &'static str, (least, most): (f64, f64), other: f64) -> f64 {
        let Some(item) = self.item(key) else { return other };
        if let Some(number) = number(item).filter(|number| (least..=most).contains(number)) {
            number
        } else {
            self.wrong(key, &format!("must be a number from {least} to {most}"));
            other
        }
    }

    /// A whole number in a range.
    pub(super) fn whole(&self, key: &'static str, (least, most): (u64, u64), other: u64) -> u64 {
        let Some(item) = self.item(key) else { return other };
        let given = item.as_integer().and_then(|number| u64::try_from(number).ok());
        if let Some(number) = given.filter(|number| (least..=most).contains(number)) {
            number
        } else {
            self.wrong(key, &format!("must be a whole number from {least} to {most}"));
            other
        }
    }

    /// A table within it.
    pub(super) fn table(&self, key: &'static str) -> Option<TableReader<'a>> {
        let item = self.item(key)?;
        let Some(table) = item.as_table_like() else {
            self.wrong(key, &format!("is a section: write [{}]", self.dotted(key)));
            return None;
        };
        Some(TableReader::new(table, &self.dotted(key), self.line_of(key), self.issues))
    }

    /// A list of tables, at least one.
    pub(super) fn tables(&self, key: &'static str) -> Vec<TableReader<'a>> {
        let dotted = self.dotted(key);
        let found: Vec<(&'a dyn TableLike, Option<usize>)> = match self.item(key) {
            Some(Item::ArrayOfTables(tables)) => {
                tables.iter().map(|table| (table as &dyn TableLike, self.issues.line(table.span()))).collect()
            }
            Some(Item::Value(Value::Array(list))) => list
                .iter()
                .filter_map(|value| {
                    let table = value.as_inline_table()?;
                    Some((table as &dyn TableLike, self.issues.line(value.span())))
                })
                .collect(),
            Some(_) | None => Vec::new(),
        };
        if found.is_empty() {
            self.wrong(key, &format!("is missing or is no list of tables: begin each with [[{dotted}]]"));
        }
        let reader = |(number, (table, line)): (usize, (&'a dyn TableLike, Option<usize>))| {
            TableReader::new(table, &format!("{dotted}[{}]", number + 1), line.or(self.line), self.issues)
        };
        found.into_iter().enumerate().map(reader).collect()
    }

    /// Every key with what it holds, for tables whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Item)> {
        self.table.iter()
    }

    /// A table under a key that is a name.
    pub(super) fn named(&self, name: &str) -> Option<TableReader<'a>> {
        let table = self.table.get(name)?.as_table_like()?;
        Some(TableReader::new(table, &self.dotted(name), self.line_of(name), self.issues))
    }

    /// Refuses keys that nobody has asked for.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(key)) {
            let near = nearest(key, known.iter().copied());
            let hint = near.map_or_else(
                || format!("known here are {}", known.join(", ")),
                |near| format!("the nearest known one is `{near}`"),
            );
            let dotted = self.dotted(key);
            self.issues.add(&dotted, self.line_of(key), format!("unknown key `{dotted}`; {hint}"));
        }
    }
}

/// A list of not too many.
pub(super) fn few<T>(top: &TableReader<'_>, key: &str, list: Vec<T>) -> Vec<T> {
    if list.len() > MOST {
        top.wrong(key, &format!("has {} entries; at most {MOST} are read", list.len()));
    }
    list
}

/// A number, whole or not.
pub(super) fn number(item: &Item) -> Option<f64> {
    item.as_float()
        .or_else(|| item.as_integer().map(|whole| whole as f64))
        .filter(|number| number.is_finite())
}

/// The name that is most like another, if one is like it.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.75)
        .map(|(_, other)| other)
}
