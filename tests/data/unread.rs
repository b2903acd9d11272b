//! Keys of turns and of calls that have no part in a template's text, whatever its source names.

use std::collections::BTreeSet;

use dojo_studio::data::chat::ChatTemplate;
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::message::{Message, Role};
use serde_json::{Value, json};

use super::world::{assistant, byte_tokenizer, template, user};

/// Names `name` of a call, of a tool's turn where it is asked for, and of no other turn.
const CALLS: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
    {% if m.role == 'tool' and tells %}{{ '[' + m.name + ']' }}{% endif %}{{ m.content or '' }}\
    {% for c in m.tool_calls or [] %}{{ c.function.name ~ (c.function.arguments | tojson) }}{% endfor %}\
    {{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn calls(tells: bool) -> ChatTemplate {
    template(&format!("{{% set tells = {tells} %}}{CALLS}"), "<|im_start|>", "<|im_end|>")
}

fn with(turn: Message, key: &str, value: Value) -> Message {
    let mut turn = turn;
    turn.extra.insert(key.to_owned(), value);
    turn
}

fn unread(template: &ChatTemplate, turns: &[Message]) -> Vec<String> {
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(template, &tokenizer).mask(turns, 0).expect("a mask");
    masked.unlearnt.unread.into_iter().collect()
}

fn round(call: Value, answer: Message) -> Vec<Message> {
    let call = with(assistant(""), "tool_calls", json!([call]));
    vec![user("q"), call, answer, assistant("a")]
}

fn call() -> Value {
    json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}})
}

#[test]
fn a_name_that_the_template_has_for_something_else_is_told() {
    let named = with(user("q"), "name", json!("Bob"));
    assert_eq!(unread(&calls(false), &[named, assistant("a")]), ["name"]);
    let odd = with(assistant("a"), "function", json!({"name": "f", "arguments": "{}"}));
    assert_eq!(unread(&calls(false), &[user("q"), odd]), ["function"]);
    for value in [json!(7), json!(true), json!("張三"), json!(["x"])] {
        assert_eq!(unread(&calls(false), &[with(user("q"), "name", value), assistant("a")]), ["name"]);
    }
    for nothing in [json!(""), json!([]), json!({})] {
        assert_eq!(unread(&calls(false), &[with(user("q"), "name", nothing), assistant("a")]), [""; 0]);
    }
}

#[test]
fn a_name_is_read_of_those_turns_alone_whose_text_has_it() {
    let tool = || with(Message::new(Role::Tool, "4"), "name", json!("f"));
    assert_eq!(unread(&calls(true), &round(call(), tool())), [""; 0]);
    assert_eq!(unread(&calls(false), &round(call(), tool())), ["name"]);
    let mut turns = round(call(), tool());
    turns[0].extra.insert("name".into(), json!("Bob"));
    assert_eq!(unread(&calls(true), &turns), ["name"]);
}

#[test]
fn what_a_template_decides_by_is_read() {
    let source =
        CALLS.replace("{{ m.content or '' }}", "{{ 'hm ' if m.hint == 'slow' }}{{ m.content or '' }}");
    let deciding = template(&format!("{{% set tells = false %}}{source}"), "<|im_start|>", "<|im_end|>");
    assert_eq!(unread(&deciding, &[with(user("q"), "hint", json!("slow")), assistant("a")]), [""; 0]);
    assert_eq!(unread(&deciding, &[with(user("q"), "hint", json!("fast")), assistant("a")]), ["hint"]);
}

#[test]
fn what_a_call_has_beside_its_name_and_arguments_is_told() {
    let tool = || Message::new(Role::Tool, "4");
    assert_eq!(unread(&calls(false), &round(call(), tool())), [""; 0]);
    let mut odd = call();
    odd["response"] = json!("R");
    odd["function"]["description"] = json!("D");
    assert_eq!(
        unread(&calls(false), &round(odd, tool())),
        ["tool_calls.function.description", "tool_calls.response"]
    );
    let flat = json!({"name": "f", "arguments": {"a": 1}, "error": "E"});
    let flat_calls = CALLS.replace("c.function.", "c.");
    let flat_calls =
        template(&format!("{{% set tells = false %}}{flat_calls}"), "<|im_start|>", "<|im_end|>");
    assert_eq!(unread(&flat_calls, &round(flat, tool())), ["tool_calls.error"]);
}

#[test]
fn a_thousand_keys_are_told_in_bounded_time() {
    let mut asked = user("q");
    let keys: BTreeSet<String> = (0..1000).map(|key| format!("key_{key}")).collect();
    asked.extra.extend(keys.iter().map(|key| (key.clone(), json!("v"))));
    let dumping = "{% for m in messages %}{{ '<|im_start|>' + m.role }}{% for key in m %}{{ m[key] }}{% endfor %}\
        {{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}";
    let told = unread(&calls(false), &[asked.clone(), assistant("a")]);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), keys);
    let dumping = template(dumping, "<|im_start|>", "<|im_end|>");
    assert!(unread(&dumping, &[asked, assistant("a")]).len() < keys.len());
}
