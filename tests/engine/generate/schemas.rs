//! Twenty schemas, and whatever a random model writes under them: valid by construction.

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{
    Constraint, Finish, GenerateRequest, Generator, Limits, Precision, Prompter, Sampling, complete, load,
};
use dojo_studio::engine::model;
use regex::Regex;
use serde_json::{Value, json};

use super::{generator, open, tokens};
use crate::support::models;
use crate::support::tiny::Tiny;

/// Generations for each schema.
const EACH: usize = 50;

fn schemas() -> Vec<Value> {
    let short = json!({ "type": "string", "maxLength": 12 });
    let object = |properties: Value, required: Value| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    vec![
        json!({ "enum": ["entailment", "neutral", "contradiction"] }),
        json!({ "const": { "a": [1, null, "x"] } }),
        json!({ "type": "boolean" }),
        json!({ "type": "integer", "minimum": -5, "maximum": 120 }),
        // A number between bounds has no last digit: a random model would never end it.
        json!({ "enum": [0.25, 0.5, 1, null] }),
        json!({ "type": "string", "minLength": 3, "maxLength": 9 }),
        json!({ "type": "string", "pattern": "^[a-f]{2}-[0-9]{3}$" }),
        json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 2, "maxItems": 4 }),
        json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 9 }, "maxItems": 6 }),
        object(json!({ "label": { "enum": [0, 1, 2] }, "why": short }), json!(["label", "why"])),
        object(
            json!({ "score": { "type": "integer", "minimum": 1, "maximum": 5 }, "note": short }),
            json!(["score"]),
        ),
        object(
            json!({ "a": { "type": "null" }, "b": { "type": ["integer", "null"], "minimum": 0, "maximum": 9 } }),
            json!(["a", "b"]),
        ),
        object(
            json!({ "steps": { "type": "array", "items": short, "minItems": 3, "maxItems": 3 } }),
            json!(["steps"]),
        ),
        object(
            json!({ "point": object(json!({ "x": { "type": "integer", "minimum": -9, "maximum": 9 }, "y": { "type": "integer", "minimum": -9, "maximum": 9 } }), json!(["x", "y"])) }),
            json!(["point"]),
        ),
        json!({ "anyOf": [{ "type": "boolean" }, { "type": "integer", "minimum": 10, "maximum": 99 }, { "const": "none" }] }),
        json!({ "type": "array", "items": { "anyOf": [{ "enum": ["lex", "vec", "hyde"] }, { "type": "null" }] }, "minItems": 1, "maxItems": 5 }),
        json!({ "$defs": { "name": { "type": "string", "pattern": "^[A-Z][a-z]{1,6}$" } }, "type": "array", "items": { "$ref": "#/$defs/name" }, "minItems": 1, "maxItems": 3 }),
        object(
            json!({ "ja": short, "größe": { "type": "integer", "minimum": 0, "maximum": 300 }, "\"q\"": { "type": "boolean" } }),
            json!(["ja", "größe", "\"q\""]),
        ),
        object(
            json!({ "thought_process": { "type": "string", "maxLength": 40 }, "predicted_label": { "enum": ["0", "1"] } }),
            json!(["thought_process", "predicted_label"]),
        ),
        object(
            json!({ "lex": { "type": "array", "items": short, "minItems": 1, "maxItems": 3 }, "hyde": { "type": "string", "minLength": 1, "maxLength": 20 }, "sure": { "type": "boolean" } }),
            json!(["lex", "hyde"]),
        ),
    ]
}

/// Whether a value fits a schema, as far as the schemas above go; written from JSON Schema's text, not from what the
/// constraint is made with.
fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    let of = |key: &str| schema.get(key);
    let at_most = |key: &str, count: usize| of(key).is_none_or(|most| count as u64 <= most.as_u64().unwrap());
    let at_least =
        |key: &str, count: usize| of(key).is_none_or(|least| count as u64 >= least.as_u64().unwrap());
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    if let Some(reference) = of("$ref").and_then(Value::as_str) {
        return fits(value, root.pointer(&reference[1..]).unwrap(), root);
    }
    let kind = match of("type") {
        None => true,
        Some(Value::String(name)) => is(name),
        Some(names) => names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap())),
    };
    kind && of("const").is_none_or(|only| only == value)
        && of("enum").is_none_or(|list| list.as_array().unwrap().contains(value))
        && of("anyOf").is_none_or(|list| list.as_array().unwrap().iter().any(|one| fits(value, one, root)))
        && value.as_f64().is_none_or(|number| {
            of("minimum").is_none_or(|least| number >= least.as_f64().unwrap())
                && of("maximum").is_none_or(|most| number <= most.as_f64().unwrap())
        })
        && value.as_str().is_none_or(|text| {
            let pattern = of("pattern").map(|pattern| Regex::new(pattern.as_str().unwrap()).unwrap());
            at_least("minLength", text.chars().count())
                && at_most("maxLength", text.chars().count())
                && pattern.is_none_or(|pattern| pattern.is_match(text))
        })
        && value.as_array().is_none_or(|items| {
            at_least("minItems", items.len())
                && at_most("maxItems", items.len())
                && of("items").is_none_or(|each| items.iter().all(|item| fits(item, each, root)))
        })
        && value.as_object().is_none_or(|fields| {
            let Some(known) = of("properties").and_then(Value::as_object) else { return true };
            let required = of("required").and_then(Value::as_array);
            fields.iter().all(|(name, field)| known.get(name).is_some_and(|each| fits(field, each, root)))
                && required
                    .is_none_or(|names| names.iter().all(|name| fields.contains_key(name.as_str().unwrap())))
        })
}

/// Draws so many answers under each schema and counts those that are whole and fit; the first that doesn't is told.
fn valid(generator: &mut Generator, prompt: &[u32]) -> (usize, Option<String>) {
    let schemas = schemas();
    assert_eq!(schemas.len(), 20);
    let requests = schemas.iter().flat_map(|schema| {
        (0..EACH as u32).map(|seed| GenerateRequest {
            constraint: Some(Constraint::JsonSchema(schema.clone())),
            sampling: Sampling { temperature: 1.0, seed: u64::from(seed), ..Sampling::default() },
            ..GenerateRequest::new(if prompt.is_empty() { tokens(4, seed) } else { prompt.to_vec() }, 900)
        })
    });
    let all = complete(generator, requests.collect(), &mut |_| Ok(())).unwrap();
    assert_eq!(all.len(), 1000);
    let mut wrong = all.iter().enumerate().filter_map(|(place, choices)| {
        let (schema, answer) = (&schemas[place / EACH], &choices[0]);
        let value = serde_json::from_str::<Value>(&answer.text);
        let fit = answer.why == Finish::EndToken && value.is_ok_and(|value| fits(&value, schema, schema));
        (!fit).then(|| format!("{schema}: {:?} {:?}", answer.why, answer.text))
    });
    let first = wrong.next();
    (all.len() - usize::from(first.is_some()) - wrong.count(), first)
}

#[test]
fn a_thousand_generations_against_twenty_schemas_are_all_valid() {
    let (model, _place) = open(&Tiny { context: 1024, ..Tiny::new("llama") });
    let mut generator = generator(&model, Precision::Full, Limits::default());
    assert_eq!(valid(&mut generator, &[]), (1000, None));
}

#[test]
#[ignore = "minutes: the same with SmolLM2-135M, by `cargo test --release -- --ignored of_a_real_model`"]
fn a_thousand_generations_of_a_real_model_are_valid() {
    let Some(files) = models::smollm2() else { return };
    let model = model::open(&files).unwrap();
    let mut generator = load(&model, Precision::Stored, &ComputeDevice::Cpu, Limits::default()).unwrap();
    let question = Message::new(Role::User, "Tell me about a small town, as JSON.");
    let prompt = Prompter::new(&model).unwrap().chat(&[question]).unwrap();
    let found = valid(&mut generator, &prompt);
    println!("{} of 1000 generations of {} fit their schemas", found.0, model.name);
    assert_eq!(found, (1000, None));
}

fn keyed(schema: Value, seed: u64) -> GenerateRequest {
    GenerateRequest {
        sampling: Sampling { temperature: 1.0, seed, ..Sampling::default() },
        constraint: Some(Constraint::JsonSchema(schema)),
        ..GenerateRequest::new(tokens(12, 1), 300)
    }
}

#[test]
fn patterns_of_keys_are_kept_beside_named_ones() {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    // `a_x` is a property, and fits a pattern as well: its value has to fit both.
    let schema = json!({
        "type": "object",
        "properties": { "a_x": { "type": "integer", "minimum": 0, "maximum": 9 }, "other": { "type": "null" } },
        "patternProperties": {
            "^a_[a-z]{1,2}$": { "type": "integer", "minimum": 5, "maximum": 20 },
            "^b_[a-z]{1,2}$": { "enum": ["yes", "no"] },
        },
        "required": ["a_x", "other", "b_q"],
        "additionalProperties": false,
        "maxProperties": 4,
    });
    let completions =
        complete(&mut generator, (0..30).map(|seed| keyed(schema.clone(), seed)).collect(), &mut |_| Ok(()))
            .unwrap();
    let mut whole = 0;
    for choices in completions {
        if choices[0].why == Finish::Length {
            continue;
        }
        whole += 1;
        let value: Value = serde_json::from_str(&choices[0].text).unwrap();
        let fields = value.as_object().unwrap();
        assert!(fields.len() <= 4 && fields.contains_key("b_q"), "{value}");
        assert!((5..=9).contains(&value["a_x"].as_u64().unwrap()), "{value}");
        for (key, value) in fields {
            let fits = match key.as_bytes().first() {
                Some(b'a') => (5..=20).contains(&value.as_u64().unwrap()),
                Some(b'b') => ["yes", "no"].contains(&value.as_str().unwrap()),
                _ => key == "other" && value.is_null(),
            };
            assert!(fits, "{key}: {value}");
        }
    }
    assert!(whole > 10, "{whole} came to their end");
}

#[test]
fn patterns_of_keys_that_overlap_are_refused_by_name() {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    let cases = [
        (
            json!({ "patternProperties": { "^a": { "type": "integer" }, "z$": { "type": "string" } } }),
            "overlap",
        ),
        (
            json!({ "patternProperties": { "foo": { "type": "integer" }, "bar": { "type": "string" } } }),
            "overlap",
        ),
        (
            json!({ "properties": { "a": {}, "b": {} }, "maxProperties": 1, "additionalProperties": true }),
            "minProperties and maxProperties",
        ),
    ];
    for (schema, words) in cases {
        let error = format!("{:#}", generator.submit(keyed(schema, 1)).unwrap_err());
        assert!(error.contains(words) && !error.contains("regex"), "{error}");
    }
}
