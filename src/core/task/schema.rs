//! The part of JSON Schema that answers need: `type`, `properties`, `required`, `enum`, `items`, lengths, ranges,
//! `pattern`, `additionalProperties = false`. Another keyword is refused when the task is read, not passed over.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde_json::Value;

/// A checked schema.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    kind: Option<JsonType>,
    properties: BTreeMap<String, Schema>,
    required: Vec<String>,
    others: OtherMembers,
    values: Option<Vec<Value>>,
    items: Option<Box<Schema>>,
    /// Characters of a text, items of a list.
    length: (Option<u64>, Option<u64>),
    range: (Option<f64>, Option<f64>),
    pattern: Option<Regex>,
}

/// Whether an object may have members that the schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum OtherMembers {
    #[default]
    Allowed,
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JsonType {
    Object,
    Array,
    Text,
    Number,
    Integer,
    Boolean,
    Null,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// Where a keyword is not known or its value is of the wrong form; the sentence names it.
    pub fn parse(schema: &Value) -> Result<Self> {
        let Value::Object(keys) = schema else { bail!("a schema is a table") };
        let mut parsed = Self::default();
        for (key, value) in keys {
            parsed.set(key, value).with_context(|| format!("{key} = {value}"))?;
        }
        for name in &parsed.required {
            ensure!(
                parsed.properties.contains_key(name),
                "{name:?} is required and not among the properties"
            );
        }
        Ok(parsed)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        let whole = || value.as_u64().context("must be a whole number");
        let number = || value.as_f64().context("must be a number");
        match key {
            "type" => self.kind = Some(kind(value)?),
            "properties" => {
                let properties = value.as_object().context("must be a table")?;
                for (name, schema) in properties {
                    self.properties.insert(name.clone(), Self::parse(schema).with_context(|| name.clone())?);
                }
            }
            "required" => {
                self.required = serde_json::from_value(value.clone()).context("must be a list of names")?;
            }
            "additionalProperties" => {
                ensure!(value == false, "only false is known");
                self.others = OtherMembers::Refused;
            }
            "enum" => self.values = Some(value.as_array().context("must be a list")?.clone()),
            "items" => self.items = Some(Box::new(Self::parse(value)?)),
            "minLength" | "minItems" => self.length.0 = Some(whole()?),
            "maxLength" | "maxItems" => self.length.1 = Some(whole()?),
            "minimum" => self.range.0 = Some(number()?),
            "maximum" => self.range.1 = Some(number()?),
            "pattern" => self.pattern = Some(Regex::new(value.as_str().context("must be a text")?)?),
            "title" | "description" => {}
            _ => bail!("this keyword is not known"),
        }
        Ok(())
    }

    /// The members that an object has to have.
    #[must_use]
    pub fn required(&self) -> &[String] {
        &self.required
    }

    /// What is wrong with a value, in words; nothing, if it fits.
    #[must_use]
    pub fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.look(value, "the answer", &mut problems);
        problems
    }

    fn look(&self, value: &Value, place: &str, problems: &mut Vec<String>) {
        if let Some(kind) = self.kind.filter(|kind| !kind.fits(value)) {
            problems.push(format!("{place} is not {}", kind.name()));
            return;
        }
        if let Some(values) = &self.values
            && !values.contains(value)
        {
            let known: Vec<String> = values.iter().map(Value::to_string).collect();
            problems.push(format!("{place} is not one of {}", known.join(", ")));
        }
        match value {
            Value::Object(members) => self.look_into(members, place, problems),
            Value::Array(items) => {
                self.measure(items.len() as u64, place, "items", problems);
                for (schema, (item, number)) in
                    self.items.iter().flat_map(|schema| std::iter::repeat(schema).zip(items.iter().zip(1..)))
                {
                    schema.look(item, &format!("item {number} of {place}"), problems);
                }
            }
            Value::String(text) => {
                self.measure(text.chars().count() as u64, place, "characters", problems);
                if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
                    problems.push(format!("{place} has not the form that was asked for"));
                }
            }
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                let (least, most) = self.range;
                if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
                    problems.push(format!("{place} is out of range"));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn look_into(&self, members: &serde_json::Map<String, Value>, place: &str, problems: &mut Vec<String>) {
        let missing = self.required.iter().filter(|name| !members.contains_key(*name));
        problems.extend(missing.map(|name| format!("{place} has no {name:?}")));
        for (name, member) in members {
            match self.properties.get(name) {
                Some(schema) => schema.look(member, &format!("{name:?}"), problems),
                None if self.others == OtherMembers::Refused => {
                    problems.push(format!("{place} has {name:?}, which was not asked for"));
                }
                None => {}
            }
        }
    }

    fn measure(&self, length: u64, place: &str, unit: &str, problems: &mut Vec<String>) {
        let (least, most) = self.length;
        if least.is_some_and(|least| length < least) {
            problems.push(format!("{place} has only {length} {unit}"));
        } else if most.is_some_and(|most| length > most) {
            problems.push(format!("{place} has {length} {unit}, which is too many"));
        }
    }
}

impl JsonType {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Null => value.is_null(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "a list",
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Boolean => "true or false",
            Self::Null => "null",
        }
    }
}

fn kind(value: &Value) -> Result<JsonType> {
    match value.as_str() {
        Some("object") => Ok(JsonType::Object),
        Some("array") => Ok(JsonType::Array),
        Some("string") => Ok(JsonType::Text),
        Some("number") => Ok(JsonType::Number),
        Some("integer") => Ok(JsonType::Integer),
        Some("boolean") => Ok(JsonType::Boolean),
        Some("null") => Ok(JsonType::Null),
        _ => bail!("must be object, array, string, number, integer, boolean or null"),
    }
}
