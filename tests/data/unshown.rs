//! Turns that nobody learns from still have to be in what the model reads.

use dojo_studio::data::mask::{Masker, warnings};
use dojo_studio::domain::message::{Message, Role};

use super::world::{assistant, byte_tokenizer, system, template, user};

const PROMPT: &str = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn tool(text: &str) -> Message {
    Message::new(Role::Tool, text)
}

/// What is told of a conversation in a template whose turns are written by `turn`, of `messages`.
fn told(messages: &str, turn: &str, turns: &[Message]) -> Vec<String> {
    let source = format!("{{% for m in {messages} %}}{turn}{{% endfor %}}{PROMPT}");
    let (template, tokenizer) = (template(&source, "<s>", "<|im_end|>"), byte_tokenizer());
    let masked = Masker::new(&template, &tokenizer).mask(turns, 0).expect("mask");
    let unshown = masked.unlearnt.unshown;
    unshown.iter().map(|one| format!("{}: {}", one.role.name(), one.part.told())).collect()
}

/// `ChatML`, with an expression for what a turn says.
fn chatml(content: &str) -> String {
    format!("{{{{ '<|im_start|>' + m.role + '\n' + {content} + '<|im_end|>\n' }}}}")
}

fn conversation() -> [Message; 5] {
    [
        system("Answer in Welsh."),
        user("Is 12 Even?"),
        tool("{\"even\": true}"),
        user("So?"),
        assistant("Ydy."),
    ]
}

#[test]
fn a_turn_that_a_template_leaves_out_is_told_by_its_role() {
    let without = |role: &str| format!("{{% if m.role != '{role}' %}}{}{{% endif %}}", chatml("m.content"));
    let turns = conversation();
    assert_eq!(told("messages", &chatml("m.content"), &turns), [""; 0]);
    assert_eq!(told("messages", &without("system"), &turns), ["system: \"Answer in Welsh.\" in turn 1"]);
    assert_eq!(told("messages", &without("tool"), &turns), ["tool: \"{\\\"even\\\": true}\" in turn 3"]);
    assert_eq!(told("messages", &without("user"), &turns), ["user: \"Is 12 Even?\" in turn 2"]);
    let last = told("messages[-3:]", &chatml("m.content"), &turns);
    assert_eq!(last, ["system: \"Answer in Welsh.\" in turn 1", "user: \"Is 12 Even?\" in turn 2"]);
}

#[test]
fn a_turn_that_a_template_changes_is_told() {
    let lower = told(
        "messages",
        &chatml("(m.content if m.role == 'assistant' else m.content | lower)"),
        &conversation(),
    );
    assert_eq!(lower.len(), 2, "{lower:?}");
    let cut = chatml("(m.content if m.role != 'user' else m.content[:8])");
    assert_eq!(told("messages", &cut, &conversation()), ["user: \"Is 12 Even?\" in turn 2"]);
}

#[test]
fn a_short_turn_is_not_found_inside_of_another_word_or_in_another_turn() {
    let asked =
        "{% if m.role == 'assistant' or loop.first %}".to_owned() + &chatml("m.content") + "{% endif %}";
    let turns = [user("this is it"), user("hi"), assistant("hi")];
    assert_eq!(told("messages", &asked, &turns), ["user: \"hi\" in turn 2"]);
    let turns = [user("yes"), user("yes"), assistant("Done")];
    assert_eq!(told("messages", &asked, &turns), ["user: \"yes\" in turn 2"]);
}

#[test]
fn a_turn_that_is_written_elsewhere_or_otherwise_is_there() {
    let turns = conversation();
    let moved = "{% if m.role == 'user' and loop.index == 4 %}".to_owned()
        + &chatml("messages[0].content + '\n\n' + m.content")
        + "{% elif m.role != 'system' %}"
        + &chatml("m.content")
        + "{% endif %}";
    assert_eq!(told("messages", &moved, &turns), [""; 0]);
    let quoted = chatml("(m.content if m.role == 'assistant' else m.content | tojson)");
    assert_eq!(told("messages", &quoted, &turns), [""; 0]);
    let lines = [user("one\n  two\n\nthree"), assistant("Yes")];
    assert_eq!(told("messages", &chatml("m.content | replace('\n', '\n> ')"), &lines), [""; 0]);
    assert_eq!(told("messages", &chatml("m.content | trim"), &[user("  hi \n"), assistant("hi")]), [""; 0]);
    let glued = "{{ '<|im_start|>' + m.role + m.content + '<|im_end|>' }}";
    let source = format!(
        "{{% for m in messages %}}{glued}{{% endfor %}}{{% if add_generation_prompt %}}<|im_start|>assistant{{% endif %}}"
    );
    let (template, tokenizer) = (template(&source, "<s>", "<|im_end|>"), byte_tokenizer());
    let masked = Masker::new(&template, &tokenizer).mask(&[user("Hi"), assistant("Yes")], 0).expect("mask");
    assert!(masked.unlearnt.unshown.is_empty());
}

#[test]
fn a_run_is_warned_of_turns_that_its_template_leaves_out() {
    let source = format!(
        "{{% for m in messages %}}{{% if m.role != 'system' %}}{}{{% endif %}}{{% endfor %}}{PROMPT}",
        chatml("m.content")
    );
    let (template, tokenizer) = (template(&source, "<s>", "<|im_end|>"), byte_tokenizer());
    let masker = Masker::new(&template, &tokenizer);
    let [hidden, plain] =
        [vec![system("Be brief."), user("q"), assistant("a")], vec![user("q"), assistant("a")]]
            .map(|turns| masker.mask(&turns, 0).expect("mask").unlearnt);
    assert_eq!(
        warnings([("a.jsonl:1", &hidden), ("a.jsonl:2", &plain)]),
        [
            "the model's chat template leaves out or changes what system turns say in 1 of 2 examples, and the model \
             doesn't read it; give the model a template that writes it, or change the data; the first is a.jsonl:1: \
             \"Be brief.\" in turn 1"
        ]
    );
}

#[test]
fn a_turn_that_is_there_is_not_told_of_whatever_stands_around_it() {
    let turns = [user("yes"), assistant("yes yes"), user("yes yes"), assistant("no")];
    // In the other order, the first question would be found in the second one.
    assert_eq!(told("messages[::-1]", &chatml("m.content"), &turns), [""; 0]);
    assert_eq!(
        told("messages[:2] + messages[3:]", &chatml("m.content"), &turns),
        ["user: \"yes yes\" in turn 3"]
    );
    // The next role's name directly behind.
    let glued = "{{ m.role + ': ' + m.content }}{% if m.role == 'assistant' %}{{ '<|im_end|>' }}{% endif %}";
    assert_eq!(told("messages", glued, &[user("a"), assistant("b"), user("1"), assistant("one")]), [""; 0]);
    // What is marked as generated is taught, and so it is there.
    let marked = "{{ m.role + ': ' }}{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}";
    assert_eq!(told("messages", marked, &[user("x"), assistant("x"), user("x"), assistant("x")]), [""; 0]);
}
