//! Which part of a rendering the model writes: its own turn's, without what others say inside of it.

use dojo_studio::data::chat::ChatTemplate;
use dojo_studio::data::mask::Masker;
use dojo_studio::domain::message::{Message, Role};
use serde_json::json;

use super::world::{assistant, byte_tokenizer, template, trained_text, user};

fn trained(template: &ChatTemplate, turns: &[Message]) -> String {
    let tokenizer = byte_tokenizer();
    let masked = Masker::new(template, &tokenizer).mask(turns, 0).expect("mask");
    trained_text(&tokenizer, &masked.tokens, &masked.trained)
}

fn calling(said: &str) -> Message {
    let calls =
        json!([{"id": "abcdefghi", "type": "function", "function": {"name": "look", "arguments": {}}}]);
    Message { extra: [("tool_calls".to_owned(), calls)].into(), ..assistant(said) }
}

fn tool(said: &str) -> Message {
    Message {
        extra: [("tool_call_id".to_owned(), json!("abcdefghi"))].into(),
        ..Message::new(Role::Tool, said)
    }
}

/// A template that writes what tools say inside of the turn that called them; `waiting` is written where none does.
fn inside(waiting: &str) -> ChatTemplate {
    let source = "{% for m in messages %}{% if m.role != 'tool' %}\
        {% if m.role == 'user' or loop.index0 == 0 or messages[loop.index0 - 1].role == 'user' %}\
        {{ '<|im_start|>' + m.role + '\n' }}{% endif %}\
        {% if m.tool_calls %}{% for c in m.tool_calls %}{{ '[CALL]' + c.function.name + '[/CALL]' }}{% endfor %}\
        {% set ns = namespace(open=true, heard=false) %}{% for t in messages[loop.index0 + 1:] %}\
        {% if t.role != 'tool' %}{% set ns.open = false %}{% elif ns.open %}{% set ns.heard = true %}\
        {{ '[ANSWER]' + t.content + '[/ANSWER]' }}{% endif %}{% endfor %}{% endif %}{{ m.content }}\
        {% if m.tool_calls and not ns.heard %}WAITING\
        {% elif m.content or not m.tool_calls %}{{ '<|im_end|>\n' }}{% endif %}{% endif %}{% endfor %}\
        {% if add_generation_prompt and messages[-1].role != 'tool' %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    template(&source.replace("WAITING", waiting), "<s>", "<|im_end|>")
}

#[test]
fn what_a_tool_says_inside_of_the_assistants_turn_is_not_trained() {
    let turns = [user("Sky?"), calling(""), tool("{\"sky\": \"blue\"}"), assistant("Blue sky.")];
    // The model writes the mark that it stops at.
    assert_eq!(trained(&inside("[ANSWER]"), &turns), "[CALL]look[/CALL][ANSWER]|Blue sky.<|im_end|>");
    assert_eq!(trained(&inside(""), &turns), "[CALL]look[/CALL]|Blue sky.<|im_end|>");
}

#[test]
fn neither_are_the_answers_of_several_tools_nor_one_without_words() {
    for said in ["rain", "look", "✓", "[/CALL]"] {
        let turns = [user("Sky?"), calling(""), tool(said), tool("3.5"), assistant("So.")];
        assert_eq!(trained(&inside("[ANSWER]"), &turns), "[CALL]look[/CALL][ANSWER]|So.<|im_end|>", "{said}");
    }
}

#[test]
fn what_the_turn_itself_says_behind_a_tool_is_trained() {
    let turns =
        [user("Sky?"), calling("I looked."), tool("rain"), assistant("Rain."), user("Ta"), assistant("Yes.")];
    assert_eq!(
        trained(&inside("[ANSWER]"), &turns),
        "[CALL]look[/CALL][ANSWER]|I looked.<|im_end|>|Rain.<|im_end|>|Yes.<|im_end|>"
    );
    // Also where a question comes right behind the tool.
    let turns = [user("Sky?"), calling("I looked."), tool("rain"), user("I looked, too"), assistant("Yes.")];
    assert_eq!(
        trained(&inside("[ANSWER]"), &turns),
        "[CALL]look[/CALL][ANSWER]|I looked.<|im_end|>|Yes.<|im_end|>"
    );
}

#[test]
fn tools_inside_of_turns_are_left_out_of_long_conversations_too() {
    let round = [user("Sky?"), calling(""), tool("OBSERVED"), calling(""), tool("AGAIN"), assistant("Done.")];
    let turns: Vec<Message> = std::iter::repeat_n(round, 4).flatten().collect();
    let expected = ["[CALL]look[/CALL][ANSWER]|[CALL]look[/CALL][ANSWER]|Done.<|im_end|>"; 4].join("|");
    assert_eq!(trained(&inside("[ANSWER]"), &turns), expected);
}

#[test]
fn what_a_tool_says_in_a_key_of_the_call_is_not_trained_either() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
        {% for c in m.tool_calls or [] %}{{ '[CALL]' + c.function.name + '[/CALL]' }}{% endfor %}\
        {% for r in m.tool_responses or [] %}{{ '[ANSWER]' + r.response.sky + '[/ANSWER]' }}{% endfor %}\
        {{ m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let mut call = calling("Blue.");
    call.extra
        .insert("tool_responses".to_owned(), json!([{"name": "look", "response": {"sky": "OBSERVED"}}]));
    let turns = [user("Sky?"), call, user("Ta"), assistant("Yes.")];
    assert_eq!(
        trained(&template(source, "<s>", "<|im_end|>"), &turns),
        "[CALL]look[/CALL]|Blue.<|im_end|>|Yes.<|im_end|>"
    );
}

#[test]
fn a_tool_whose_words_a_call_repeats_takes_nothing_of_the_call() {
    let source = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
        {% for c in m.tool_calls or [] %}{{ '[CALL]' + c.function.name + '[/CALL]' }}{% endfor %}\
        {{ m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let turns = [user("Sky?"), calling(""), tool("look"), assistant("look")];
    assert_eq!(
        trained(&template(source, "<s>", "<|im_end|>"), &turns),
        "[CALL]look[/CALL]<|im_end|>|look<|im_end|>"
    );
}

/// A template whose assistant begins with a special token behind the generation prompt.
fn opening(before: &str, prompt: &str) -> ChatTemplate {
    let source = "{% set asked = messages | selectattr('role', 'equalto', 'user') | list %}\
        {% for m in messages %}{% if m == asked[-1] %}BEFORE{% endif %}{{ '<|im_start|>' + m.role + '\n' }}\
        {% if m.role == 'assistant' %}{{ '<s>' }}{% endif %}{{ m.content + '<|im_end|>\n' }}{% endfor %}PROMPT";
    template(&source.replace("BEFORE", before).replace("PROMPT", prompt), "<|im_start|>", "<|im_end|>")
}

const ASKED: &str = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

#[test]
fn special_tokens_behind_the_generation_prompt_are_trained() {
    let turns = [user("Light?"), assistant("Light is."), user("And?"), assistant("Dark.")];
    assert_eq!(trained(&opening("", ASKED), &turns), "<s>Light is.<|im_end|>|<s>Dark.<|im_end|>");
    let many: Vec<Message> = std::iter::repeat_n(turns, 4).flatten().collect();
    let expected = ["<s>Light is.<|im_end|>|<s>Dark.<|im_end|>"; 4].join("|");
    assert_eq!(trained(&opening("", ASKED), &many), expected);
}

#[test]
fn so_they_are_where_a_template_moves_the_tools_to_the_last_question() {
    let turns = [user("Light?"), assistant("Light is."), user("And?"), assistant("Dark.")];
    assert_eq!(trained(&opening("[TOOLS]", ASKED), &turns), "<s>Light is.<|im_end|>|<s>Dark.<|im_end|>");
}

#[test]
fn so_they_are_where_a_template_writes_the_prompt_unasked() {
    let turns = [user("Light?"), assistant("Light is.")];
    assert_eq!(trained(&opening("", "{{ '<|im_start|>assistant\n' }}"), &turns), "<s>Light is.<|im_end|>");
}

#[test]
fn a_template_that_writes_no_prompt_keeps_the_head_of_the_turn() {
    let turns = [user("Light?"), assistant("Light is.")];
    assert_eq!(trained(&opening("", ""), &turns), "Light is.<|im_end|>");
}

#[test]
fn calls_are_masked_where_roles_alternate_without_them_and_tools_move_to_the_last_question() {
    let source = "{% set ns = namespace(index=0) %}{% set asked = messages | selectattr('role', 'equalto', 'user') | list %}\
        {% for m in messages %}{% if not (m.role == 'tool' or m.tool_calls is defined) %}\
        {% if (m.role == 'user') != (ns.index % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}\
        {% set ns.index = ns.index + 1 %}{% endif %}{% endfor %}\
        {% for m in messages %}{% if m.role == 'user' %}{% if m == asked[-1] %}[TOOLS]{% endif %}\
        {{ '[ASK]' + m.content + '[/ASK]' }}{% elif m.tool_calls is defined %}\
        {% for c in m.tool_calls %}{{ '[CALL]' + c.function.name }}{% endfor %}{{ '</s>' }}\
        {% elif m.role == 'tool' %}{{ '[HEARD]' + m.content + '[/HEARD]' }}{% else %}{{ ' ' + m.content + '</s>' }}{% endif %}{% endfor %}";
    let turns = [
        user("q"),
        calling(""),
        tool("r"),
        assistant("x"),
        user("m"),
        assistant("y"),
        user("n"),
        assistant("z"),
    ];
    let learnt = trained(&template(source, "<s>", "</s>"), &turns);
    let parts: Vec<&str> = learnt.split('|').map(str::trim).collect();
    assert_eq!(parts, ["[CALL]look</s>", "x</s>", "y</s>", "z</s>"]);
}
