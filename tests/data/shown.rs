//! Whether a template shows what turns say beside their contents, in long chats too.

use dojo_studio::data::chat::ChatTemplate;
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::message::{Message, Role};
use serde_json::json;

use super::world::{assistant, byte_tokenizer, template, trained_text, user};

/// A template that writes this of every turn.
fn writing(beside: &str) -> ChatTemplate {
    let source = format!(
        "{{% for m in messages %}}{{% set last = loop.last %}}{{{{ '<|im_start|>' + m.role + '\n' }}}}{beside}\
         {{{{ (m.content or '') + '<|im_end|>\n' }}}}{{% endfor %}}\
         {{% if add_generation_prompt %}}{{{{ '<|im_start|>assistant\n' }}}}{{% endif %}}"
    );
    template(&source, "<|im_start|>", "<|im_end|>")
}

const CALLS: &str =
    "{% for c in m.tool_calls or [] %}{{ c.function.name ~ (c.function.arguments | tojson) }}{% endfor %}";

fn thinking(thought: &str, said: &str) -> Message {
    Message { extra: [("reasoning_content".to_owned(), json!(thought))].into(), ..assistant(said) }
}

fn calling(name: &str, said: &str) -> Message {
    let calls = json!([{"type": "function", "function": {"name": name, "arguments": {}}}]);
    Message { extra: [("tool_calls".to_owned(), calls)].into(), ..assistant(said) }
}

fn told(template: &ChatTemplate, turns: &[Message]) -> Result<(), String> {
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(template, &tokenizer).mask(turns, 0);
    masked.map(drop).map_err(|error| format!("{error:#}"))
}

/// A chat of calls with their answers, and one turn of another kind in the midst of it.
fn chat(odd: Message) -> Vec<Message> {
    let call = || [user("q"), calling("f", "a"), Message::new(Role::Tool, "4"), assistant("b")];
    [call().to_vec(), call().to_vec(), vec![user("q"), odd], call().to_vec()].concat()
}

#[test]
fn a_call_that_a_template_leaves_out_is_named_among_many_that_it_shows() {
    let all = writing(CALLS);
    assert_eq!(told(&all, &chat(calling("g", ""))), Ok(()));
    let without_text = writing(&format!("{{% if m.content %}}{CALLS}{{% endif %}}"));
    let reason = told(&without_text, &chat(calling("g", ""))).expect_err("refused");
    assert!(reason.contains("doesn't show the \"tool_calls\" of turn 10"), "{reason}");
    let without_thought = told(&all, &chat(thinking("so", "a"))).expect_err("refused");
    assert!(
        without_thought.contains("doesn't show the \"reasoning_content\" of turn 10"),
        "{without_thought}"
    );
}

#[test]
fn thoughts_that_only_the_last_turn_shows_are_no_reason_to_refuse() {
    let last =
        writing(&format!("{{{{ '<think>' + m.reasoning_content if last and m.reasoning_content }}}}{CALLS}"));
    let turns: Vec<Message> = (0..4).flat_map(|_| [user("q"), thinking("so", "a")]).collect();
    assert_eq!(told(&last, &turns), Ok(()));
    assert_eq!(told(&last, &chat(thinking("so", "a"))), Ok(()));
    let silent = writing(CALLS);
    assert!(told(&silent, &turns).expect_err("refused").contains("of turn 2"));
}

fn calling_both(said: &str) -> Message {
    let call = |name: &str| json!({"type": "function", "function": {"name": name, "arguments": {}}});
    Message { extra: [("tool_calls".to_owned(), json!([call("f"), call("f")]))].into(), ..assistant(said) }
}

#[test]
fn a_sign_that_something_is_called_is_not_the_call() {
    let sign = writing("{% if m.tool_calls %}{{ '[CALLS]' }}{% endif %}");
    let reason = told(&sign, &[user("q"), calling("f", "")]).expect_err("refused");
    assert!(reason.contains("doesn't show the \"tool_calls\" of turn 2"), "{reason}");
}

#[test]
fn the_second_call_of_a_turn_is_missed_where_a_template_shows_the_first_alone() {
    let first = writing("{% if m.tool_calls %}{{ m.tool_calls[0].function.name }}{% endif %}");
    assert_eq!(told(&first, &[user("q"), calling("f", "")]), Ok(()));
    let reason = told(&first, &[user("q"), calling_both("")]).expect_err("refused");
    assert!(reason.contains("doesn't show call 2 in the \"tool_calls\" of turn 2"), "{reason}");
    assert_eq!(told(&writing(CALLS), &[user("q"), calling_both("")]), Ok(()));
}

#[test]
fn a_template_that_refuses_a_tool_without_a_call_is_asked_about_the_call_alone() {
    let strict = writing(
        "{% if m.role == 'tool' and not messages[loop.index0 - 1].tool_calls %}{{ raise_exception('no call before') }}{% endif %}\
         {% for c in m.tool_calls or [] %}{{ '[' ~ c.function.name ~ ']' }}{% endfor %}",
    );
    let turns = [user("q"), calling("f", ""), Message::new(Role::Tool, "4"), assistant("four")];
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(&strict, &tokenizer).mask(&turns, 0).expect("a mask");
    let learnt = trained_text(&tokenizer, &masked.tokens, &masked.trained);
    assert_eq!(learnt, "[f]<|im_end|>|four<|im_end|>");
    let lonely = [user("q"), Message::new(Role::Tool, "4"), assistant("four")];
    assert!(told(&strict, &lonely).expect_err("refused").contains("no call before"));
}

#[test]
fn a_call_whose_thought_is_shown_in_the_last_turn_alone_is_learnt_in_a_round() {
    let strict = writing(
        "{% if m.role == 'tool' and not messages[loop.index0 - 1].tool_calls %}{{ raise_exception('no call before') }}{% endif %}\
         {% if loop.last and m.reasoning_content %}{{ '(' ~ m.reasoning_content ~ ')' }}{% endif %}\
         {% for c in m.tool_calls or [] %}{{ '[' ~ c.function.name ~ ']' }}{% endfor %}",
    );
    let mut call = calling("f", "");
    call.extra.insert("reasoning_content".into(), json!("hm"));
    let turns = [user("q"), call, Message::new(Role::Tool, "4"), assistant("four")];
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(&strict, &tokenizer).mask(&turns, 0).expect("a mask");
    let learnt = trained_text(&tokenizer, &masked.tokens, &masked.trained);
    assert_eq!(learnt, "[f]<|im_end|>|four<|im_end|>");
    assert!(masked.unlearnt.first.is_some());
}
