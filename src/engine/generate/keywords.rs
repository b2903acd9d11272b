//! Keywords of a schema, and settings of a grammar's rules, that the library for constraints passes over without a word
//! although somebody meant them to bind: refused by name. What only describes passes.

use anyhow::{Result, bail, ensure};
use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that bind and are known.
const KNOWN: [&str; 28] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "definitions",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
    "x-guidance",
];
/// Keywords of other dialects that bind there, and what is written instead.
const OF_OTHERS: [(&str, &str); 4] = [
    ("divisibleBy", "write multipleOf"),
    ("disallow", "write the types that are allowed"),
    ("extends", "write allOf"),
    ("regex", "write pattern"),
];
/// Keywords whose values are schemas by name, lists of schemas, and schemas.
const BY_NAME: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
const SINGLE: [&str; 3] = ["items", "additionalProperties", "additionalItems"];
/// Keywords that describe and look like those that bind.
const DESCRIBE: [&str; 4] = ["title", "example", "examples", "default"];
/// Letters that a mistyped keyword may differ in.
const TYPED_WRONG: usize = 2;
/// Shorter ones are near too many words.
const SHORTEST: usize = 5;

/// # Errors
/// If a keyword is passed over that binds elsewhere, or is one that binds, mistyped.
pub(super) fn check_schema(kind: &str, schema: &Value) -> Result<()> {
    let mut left = vec![schema];
    while let Some(schema) = left.pop() {
        let Value::Object(fields) = schema else { continue };
        // Beside a $ref nothing else counts in older drafts, and the library merges it in newer ones.
        fields.iter().try_for_each(|(keyword, value)| check_keyword(kind, keyword, value))?;
        left.extend(within(fields));
    }
    Ok(())
}

/// The schemas within a schema.
fn within(fields: &Map<String, Value>) -> Vec<&Value> {
    let get = |keyword: &&str| fields.get(*keyword);
    let by_name = BY_NAME.iter().filter_map(get).filter_map(Value::as_object).flat_map(Map::values);
    let lists = LISTS.iter().chain(&["items"]).filter_map(get).filter_map(Value::as_array).flatten();
    by_name.chain(lists).chain(SINGLE.iter().filter_map(get)).collect()
}

fn check_keyword(kind: &str, keyword: &str, value: &Value) -> Result<()> {
    if keyword == "nullable" {
        ensure!(
            value.as_bool() != Some(true),
            "the {kind} says nullable, which JSON Schema doesn't know: write its type as [..., \"null\"]"
        );
        return Ok(());
    }
    if let Some((_, instead)) = OF_OTHERS.iter().find(|(other, _)| *other == keyword && !value.is_null()) {
        bail!("the {kind} has {keyword:?}, which JSON Schema doesn't know: {instead}");
    }
    if KNOWN.contains(&keyword) || DESCRIBE.contains(&keyword) || keyword.len() < SHORTEST {
        return Ok(());
    }
    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    let typed = plain(keyword);
    let distance = |known: &&'static str| {
        let own = plain(known);
        let distance = strsim::damerau_levenshtein(&own, &typed);
        (distance == 0 || own.len() > SHORTEST && distance <= TYPED_WRONG).then_some((distance, *known))
    };
    let meant = KNOWN.iter().filter(|known| **known != "x-guidance").filter_map(distance).min();
    match meant {
        Some((_, known)) => {
            bail!("the {kind} has {keyword:?}, which JSON Schema doesn't know: write {known}")
        }
        None => Ok(()),
    }
}

/// # Errors
/// If a rule asks for a temperature of its own: an answer has one.
pub(super) fn check_grammar(kind: &str, text: &str) -> Result<()> {
    let Ok(setting) = Regex::new(r"\[[^\]\n]*\btemperature\s*=") else { return Ok(()) };
    ensure!(
        !text.lines().any(|line| setting.is_match(&without_texts(line))),
        "the {kind} gives a rule a temperature of its own, which isn't known: an answer has one temperature"
    );
    Ok(())
}

/// A line without what it holds in quotes, and without its comment.
fn without_texts(line: &str) -> String {
    let (mut plain, mut inside, mut escaped) = (String::new(), false, false);
    for letter in line.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ if inside => {}
            letter => plain.push(letter),
        }
    }
    plain.split("//").next().unwrap_or_default().to_owned()
}
