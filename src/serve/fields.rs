//! A request's JSON object, read field by field: null is as absent, a wrong type is named, and what nobody reads is
//! refused. Knows no endpoint.

use serde_json::error::Category;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::unambiguous::{self, Unclear};

/// The fields of an object that are not read yet.
pub(crate) struct Fields {
    /// Where the object is, as errors say it: empty for the request itself.
    place: String,
    left: Map<String, Value>,
}

impl Fields {
    /// Those of a request's body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let value = unambiguous::parse(body).map_err(|error| match error {
            Unclear::Invalid(error) => ApiError::bad(unreadable(body, &error)),
            Unclear::Doubled(place) => {
                let message = format!("{} is given twice: leave one out", shown(&place));
                ApiError::bad(message).code("duplicate_parameter").parameter(place)
            }
        })?;
        Self::of(value, "")
    }

    pub(crate) fn of(value: Value, place: impl Into<String>) -> Result<Self, ApiError> {
        let place = place.into();
        match value {
            Value::Object(left) => Ok(Self { place, left }),
            other => Err(wrong(&place, "an object", &other)),
        }
    }

    /// Where a field is, as errors say it.
    pub(crate) fn place(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Any value but null.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        self.read(name, "a text", |value| match value {
            Value::String(text) => Ok(text),
            other => Err(other),
        })
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.read(name, "true or false", |value| value.as_bool().ok_or(value))
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f32>, ApiError> {
        self.read(name, "a number", |value| value.as_f64().map(|number| number as f32).ok_or(value))
    }

    /// A whole number; `64.0` is one.
    pub(crate) fn whole(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        self.read(name, "a whole number", |value| whole(&value).ok_or(value))
    }

    /// A whole number from 0.
    pub(crate) fn count(&mut self, name: &str) -> Result<Option<usize>, ApiError> {
        let count = |value: Value| whole(&value).and_then(|count| usize::try_from(count).ok()).ok_or(value);
        self.read(name, "a whole number from 0", count)
    }

    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
        self.read(name, "a list", |value| match value {
            Value::Array(values) => Ok(values),
            other => Err(other),
        })
    }

    /// A text, or several.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.read(name, "a text or a list of texts", |value| match value {
            Value::String(text) => Ok(vec![text]),
            Value::Array(values) => texts(&values).ok_or(Value::Array(values)),
            other => Err(other),
        })
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, ApiError> {
        let place = self.place(name);
        self.value(name).map(|value| Self::of(value, place)).transpose()
    }

    /// Fields that change nothing of what this server computes.
    pub(crate) fn pass_over(&mut self, names: &[&str]) {
        names.iter().for_each(|name| drop(self.left.remove(*name)));
    }

    /// A field that may have only these values, since they are what is done anyway.
    pub(crate) fn only(&mut self, name: &str, allowed: &[Value]) -> Result<(), ApiError> {
        match self.value(name) {
            Some(value) if !allowed.contains(&value) => {
                let place = self.place(name);
                let message = format!("{place} can't be {} here: leave it out", shortened(&value));
                Err(ApiError::bad(message).parameter(place))
            }
            _ => Ok(()),
        }
    }

    /// A field that must be there.
    pub(crate) fn missing(&self, name: &str) -> ApiError {
        let place = self.place(name);
        ApiError::bad(format!("{place} is missing")).parameter(place)
    }

    /// What was not read.
    pub(crate) const fn rest(&self) -> &Map<String, Value> {
        &self.left
    }

    /// Refuses what nobody has read.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.left.iter().find(|(_, value)| !value.is_null()) {
            Some((name, _)) => {
                let place = self.place(name);
                let message = format!("this server doesn't know the field {place}: leave it out");
                Err(ApiError::bad(message).code("unknown_parameter").parameter(place))
            }
            None => Ok(()),
        }
    }

    fn read<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(Value) -> Result<T, Value>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        read(value).map(Some).map_err(|other| wrong(&self.place(name), kind, &other))
    }
}

/// Why a body can't be read, and where.
fn unreadable(body: &[u8], error: &serde_json::Error) -> String {
    if body.trim_ascii().is_empty() {
        return "the request has no body: send a JSON object".to_owned();
    }
    let place = format!("line {}, column {}", error.line(), error.column());
    let said = error.to_string();
    if said.starts_with("recursion limit") {
        return format!("the request's JSON is nested too deeply at {place}");
    }
    if said.starts_with("number out of range") {
        return format!("the request's JSON holds a number that is too large at {place}");
    }
    match error.classify() {
        Category::Eof => format!("the request isn't valid JSON: it ends at {place} before it is whole"),
        Category::Io | Category::Syntax | Category::Data => {
            format!("the request isn't valid JSON: look at {place}")
        }
    }
}

/// Texts, if all are.
pub(crate) fn texts(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn whole(value: &Value) -> Option<i64> {
    /// Whole numbers up to here are exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let rounded = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT);
    value.as_i64().or_else(|| rounded().map(|number| number as i64))
}

/// A value of another kind than was asked for.
pub(crate) fn wrong(place: &str, kind: &str, value: &Value) -> ApiError {
    let what = if place.is_empty() { "the request" } else { place };
    let message = format!("{what} must be {kind}, and is {}", shortened(value));
    ApiError::bad(message).code("invalid_type").parameter(place.to_owned())
}

/// A place, cut if what the client called it is long, and without what no line has.
fn shown(place: &str) -> String {
    const CHARACTERS: usize = 100;
    let plain = |sign: &char| !sign.is_control();
    let cut = if place.chars().count() > CHARACTERS { "…" } else { "" };
    place.chars().take(CHARACTERS).filter(plain).chain(cut.chars()).collect()
}

/// A value, or what it is if it is long.
fn shortened(value: &Value) -> String {
    const CHARACTERS: usize = 40;
    match value {
        Value::Array(values) => format!("a list of {}", values.len()),
        Value::Object(_) => "an object".to_owned(),
        other => {
            let text = other.to_string();
            if text.chars().count() <= CHARACTERS {
                return text;
            }
            text.chars().take(CHARACTERS).chain(std::iter::once('…')).collect()
        }
    }
}
