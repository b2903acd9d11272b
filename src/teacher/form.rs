//! The form of an answer in full, for models that the program runs itself: constrained decoding holds them to it.
//! Endpoints of others get the plain schema, since many refuse patterns and lengths.

use serde_json::{Map, Value, json};

use super::expand::EXAMPLE;
use super::job::{IMPROVED, THOUGHT};
use super::request::Request;

/// Letters of a text at most: a small model that goes round in circles must come to an end.
const LONGEST: usize = 600;
/// Letters that a token has room for, on the safe side.
const LETTERS: usize = 3;
/// Three steps with room for a sentence or two each, so that neither dots nor a step without end pass; without colons, so
/// that no fourth step hides in one of them.
const THREE_STEPS: &str = "^step 1: [^\\n:]{20,180} step 2: [^\\n:]{20,180} step 3: [^\\n:]{20,180}$";

/// The request with its texts held to a length, and thoughts to three steps where the prompt asks for three.
#[must_use]
pub fn held_to_the_form(request: &Request) -> Request {
    let mut request = request.clone();
    let says = |words: &str| request.messages.iter().any(|turn| turn.content.contains(words));
    let three_steps = says("step 1") && says("step 3") && !says("step 4");
    let is_example = request.schema.as_ref().is_some_and(|(name, _)| *name == EXAMPLE);
    let texts = |schema: &Value| schema.get("properties").and_then(Value::as_object).map_or(1, Map::len);
    let most = request.schema.as_ref().map_or(1, |(_, schema)| texts(schema).max(1));
    // An example may be long; its parts together have room in what may be answered.
    let longest =
        if is_example { LONGEST.max(request.max_tokens as usize * LETTERS / most) } else { LONGEST };
    let properties = request.schema.as_mut().and_then(|(_, schema)| schema.get_mut("properties"));
    for (name, property) in properties.and_then(Value::as_object_mut).into_iter().flatten() {
        if property.get("type") != Some(&json!("string")) || property.get("enum").is_some() {
            continue;
        }
        if three_steps && [THOUGHT, IMPROVED].contains(&name.as_str()) {
            property["pattern"] = json!(THREE_STEPS);
        } else {
            property["maxLength"] = json!(longest);
        }
    }
    request
}
