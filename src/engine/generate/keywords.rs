//! What a constraint asks for that nobody would keep to: the library passes over what it doesn't know. Refused by name is
//! what binds elsewhere, and what looks like a mistyped key; whatever else only describes, and asks for nothing.

use std::collections::HashSet;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use dojo_core::ground::percent::decoded;

/// Keys whose value is one schema.
const ONE: [&str; 3] = ["items", "additionalItems", "additionalProperties"];
/// Keys whose value is a list of schemas; before 2020, `items` was one too.
const LISTS: [&str; 5] = ["anyOf", "oneOf", "allOf", "prefixItems", "items"];
/// Keys whose value names schemas.
const NAMED: [&str; 2] = ["properties", "patternProperties"];
/// Where schemas stand that others refer to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
/// Other keys that are kept to.
const KEPT: [&str; 18] = [
    "$ref",
    "const",
    "enum",
    "type",
    "minItems",
    "maxItems",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
/// # Errors
/// Where a schema asks for what can't be kept to, wherever that is.
pub(super) fn check_schema(kind: &str, root: &Value) -> Result<()> {
    if root.get("x-guidance").and_then(|settings| settings.get("lenient")?.as_bool()) == Some(true) {
        // It says itself that it may be kept to in part.
        return Ok(());
    }
    let draft = root.get("$schema").and_then(Value::as_str);
    let containers = containers(root);
    let mut seen = HashSet::new();
    let mut left = vec![root];
    while let Some(schema) = left.pop() {
        let Value::Object(fields) = schema else { continue };
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        for (key, value) in fields {
            let of_root = std::ptr::eq(schema, root) && containers.contains(key.as_str());
            if !of_root && !is_known(key, value, draft) {
                match meant_by(key) {
                    Meant::Nothing => {}
                    Meant::Itself => {
                        bail!("the {kind} can't be used: this server can't keep to its [{key:?}]")
                    }
                    Meant::Known(known) => bail!(
                        "the {kind} can't be used: this server can't keep to its [{key:?}]; is {known} meant?"
                    ),
                }
            }
            left.extend(below(key, value));
        }
        let target = fields.get("$ref").and_then(Value::as_str).and_then(|place| pointed(root, place));
        left.extend(target);
    }
    Ok(())
}

/// Keys that bind in other dialects and drafts, and under other conditions.
const BIND_ELSEWHERE: [&str; 21] = [
    "nullable",
    "divisibleBy",
    "disallow",
    "extends",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
    "prefixItems",
];
/// Letters that a mistyped key may differ in, and how many it has at least: shorter ones are near too many words.
const MISTYPED: usize = 2;
const SHORTEST: usize = 6;

/// What a key that isn't known was meant to be.
enum Meant {
    /// It describes.
    Nothing,
    /// A key that binds elsewhere.
    Itself,
    /// It is that one, mistyped.
    Known(&'static str),
}

fn meant_by(key: &str) -> Meant {
    if key == "required" || BIND_ELSEWHERE.contains(&key) {
        return Meant::Itself;
    }
    let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
    let typed = plain(key);
    let near = |known: &'static str| {
        let own = plain(known);
        let distance = strsim::damerau_levenshtein(&own, &typed);
        (distance == 0 || own.len() >= SHORTEST && distance <= MISTYPED).then_some((distance, known))
    };
    let known = KEPT.into_iter().chain(ONE).chain(LISTS).chain(NAMED);
    known.filter_map(near).min().map_or(Meant::Nothing, |(_, known)| Meant::Known(known))
}

/// Schemas in the value of a key.
fn below<'s>(key: &str, value: &'s Value) -> Vec<&'s Value> {
    match value {
        Value::Array(values) if LISTS.contains(&key) => values.iter().collect(),
        Value::Object(values) if NAMED.contains(&key) || DEFINITIONS.contains(&key) => {
            values.values().collect()
        }
        Value::Object(_) if ONE.contains(&key) => vec![value],
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => Vec::new(),
    }
}

fn is_known(key: &str, value: &Value, draft: Option<&str>) -> bool {
    match key {
        // What is said anyway where it is left out.
        "nullable" => value == &Value::Bool(false),
        // Once it was said of each property by itself.
        "required" => !value.is_boolean(),
        // Older drafts don't know it, and the library goes by the draft.
        "prefixItems" => draft.is_none_or(|draft| draft.contains("2020-12")),
        _ => {
            key.starts_with("x-")
                || KEPT.contains(&key)
                || ONE.contains(&key)
                || LISTS.contains(&key)
                || NAMED.contains(&key)
                || DEFINITIONS.contains(&key)
        }
    }
}

/// What a reference within a schema leads to.
fn pointed<'s>(root: &'s Value, place: &str) -> Option<&'s Value> {
    root.pointer(&decoded(place.strip_prefix('#')?))
}

/// Keys of the whole that hold what is referred to, as `components` does.
fn containers(root: &Value) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut left = vec![root];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(values) => left.extend(values),
            Value::Object(fields) => {
                let place = fields.get("$ref").and_then(Value::as_str);
                let first = place.and_then(|place| place.strip_prefix("#/")?.split_once('/'));
                found.extend(first.map(|(first, _)| decoded(first)));
                left.extend(fields.values());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

/// What a rule of a grammar may say of itself that changes no text, or would change how it is drawn.
const NOT_OBEYED: [&str; 3] = ["temperature", "capture", "stop_capture"];

/// # Errors
/// Where a grammar's rule has a setting that nobody obeys, or a schema in it asks for what can't be kept to.
pub(super) fn check_grammar(kind: &str, text: &str) -> Result<()> {
    for line in text.lines() {
        for name in settings_of(line) {
            ensure!(
                !NOT_OBEYED.contains(&name.as_str()),
                "the {kind} can't be used: this server doesn't obey the setting {name} of a rule: leave it out"
            );
        }
    }
    for after in text.split("%json").skip(1) {
        // Up to the value's end; where it isn't valid, the library says so.
        let schema = serde_json::Deserializer::from_str(after).into_iter::<Value>().next();
        if let Some(Ok(schema)) = schema {
            check_schema(kind, &schema)?;
        }
    }
    Ok(())
}

/// Names of what stands in brackets behind a rule's name, where a line begins with one.
fn settings_of(line: &str) -> Vec<String> {
    let head = line.trim_start().trim_start_matches(['?', '!']);
    let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    let name: String = head.chars().take_while(|sign| is_of_name(*sign)).collect();
    let rest = head.get(name.len()..).unwrap_or_default().trim_start();
    let Some(inside) = rest.strip_prefix('[').filter(|_| !name.is_empty()) else { return Vec::new() };
    let (mut names, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), None, false);
    for sign in inside.chars() {
        match (quoted, sign) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if mark == sign => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '/') => quoted = Some(sign),
            (None, _) if is_of_name(sign) => word.push(sign),
            (None, _) => {
                names.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
                if sign == ']' {
                    break;
                }
            }
        }
    }
    names
}
