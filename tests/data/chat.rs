use chrono::{Local, TimeZone};
use dojo_studio::data::chat::{ChatTemplate, RenderEnding, SpecialTokens};

use super::world::{assistant, chatml, system, template, user};

#[test]
fn a_conversation_is_rendered_turn_by_turn() {
    let text = chatml()
        .render(&[system("Short."), user("Hi"), assistant("Yo")], RenderEnding::Complete)
        .expect("render");
    assert_eq!(
        text,
        "<|im_start|>system\nShort.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYo<|im_end|>\n"
    );
}

#[test]
fn a_default_system_prompt_and_the_generation_prompt_come_from_the_template() {
    let text = chatml().render(&[user("Hi")], RenderEnding::GenerationPrompt).expect("render");
    assert_eq!(
        text,
        "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
}

#[test]
fn blocks_are_trimmed_as_transformers_trims_them() {
    let source = "{% for message in messages %}\n    {% if true %}\n{{ message.content }}\n    {% endif %}\n{% endfor %}\n";
    let text = template(source, "<s>", "</s>")
        .render(&[user("a"), user("b")], RenderEnding::Complete)
        .expect("render");
    assert_eq!(text, "a\nb\n");
}

#[test]
fn json_is_written_as_python_writes_it() {
    let source =
        "{{ messages[0] | tojson }}{{ {'a': [1, 2.5, true, none]} | tojson }}{{ [1] | tojson(indent=2) }}";
    let text =
        template(source, "<s>", "</s>").render(&[user("é<\"")], RenderEnding::Complete).expect("render");
    assert_eq!(text, "{\"role\": \"user\", \"content\": \"é<\\\"\"}{\"a\": [1, 2.5, true, null]}[\n  1\n]");
}

#[test]
fn python_methods_work_in_templates() {
    let source = "{{ bos_token + messages[0]['content'].strip().split('|')[-1].upper() }}\
        {%- if messages[0].content.startswith(' x') %}!{% endif %}{% if tools is none %}?{% endif %}";
    let text =
        template(source, "<s>", "</s>").render(&[user(" x|y ")], RenderEnding::Complete).expect("render");
    assert_eq!(text, "<s>Y!?");
}

#[test]
fn lines_of_a_template_end_alike_whatever_its_file_says() {
    let render =
        |source: &str| template(source, "<s>", "</s>").render(&[user("a\r\nb")], RenderEnding::Complete);
    let source = "{% for m in messages %}\n{{ m.content }}\n|{% endfor %}\n";
    assert_eq!(render(source).expect("render"), "a\r\nb\n|");
    assert_eq!(render(&source.replace('\n', "\r\n")).expect("render"), "a\r\nb\n|");
}

#[test]
fn none_is_not_iterable_as_in_jinja() {
    let source = "{{ tools is iterable }} {{ missing is iterable }} {{ messages is iterable }} {{ 'a' is iterable }} \
        {{ 1 is iterable }}";
    let text = template(source, "<s>", "</s>").render(&[user("q")], RenderEnding::Complete).expect("render");
    assert_eq!(text.to_lowercase(), "false true true true false");
}

#[test]
fn a_refusal_of_the_template_is_told_in_its_own_words() {
    let source = "{% if messages|length > 1 %}{{ raise_exception('Only one turn, please') }}{% endif %}";
    let error = template(source, "<s>", "</s>")
        .render(&[user("a"), user("b")], RenderEnding::Complete)
        .expect_err("the template refuses two turns");
    assert_eq!(
        format!("{error:#}"),
        "the model's chat template refuses this conversation: Only one turn, please (line 1 of the template)"
    );
}

#[test]
fn the_time_that_a_template_tells_can_be_fixed() {
    let time = Local.with_ymd_and_hms(2024, 7, 26, 12, 0, 0).single().expect("a time");
    let fixed = template("{{ strftime_now('%d %b %Y') }}", "<s>", "</s>").at(time);
    assert_eq!(fixed.render(&[], RenderEnding::Complete).expect("render"), "26 Jul 2024");
}

#[test]
fn a_variable_reaches_the_template() {
    let source =
        "{% if enable_thinking is defined and enable_thinking is false %}quick{% else %}slow{% endif %}";
    let slow = template(source, "<s>", "</s>");
    let quick = slow.clone().with_variable("enable_thinking", false.into());
    assert_eq!(slow.render(&[], RenderEnding::Complete).expect("render"), "slow");
    assert_eq!(quick.render(&[], RenderEnding::Complete).expect("render"), "quick");
}

#[test]
fn a_template_that_does_not_parse_is_an_error() {
    let error = ChatTemplate::new("{% for %}", SpecialTokens::default()).expect_err("not a template");
    assert!(format!("{error:#}").starts_with("compile the model's chat template"), "{error:#}");
}

#[test]
fn generation_blocks_leave_the_text_as_it_is() {
    let plain = "{%- for m in messages %}\n  {%- if m.role == 'assistant' %}\n    A: {%- if true %} {{ m.content }}\n    {%- endif %}\n  {%- endif %}\n{%- endfor %}";
    let marked = plain.replacen("{%- if true %}", "{%- generation %}", 1).replacen(
        "{%- endif %}",
        "{%- endgeneration %}",
        1,
    );
    let turns = [user("a"), assistant("b"), assistant("c")];
    let render = |source: &str| {
        template(source, "<s>", "</s>").render(&turns, RenderEnding::Complete).expect("render")
    };
    assert_eq!(render(&marked), render(plain));
}
