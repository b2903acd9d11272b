//! How templates write calls, and how answers are read in their forms.

use dojo_studio::data::calls::{AnswerPiece, CallForm, CallReader, ID};
use dojo_studio::data::chat::{ChatTemplate, SpecialTokens};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::tiny::tools_template;

const CONTROLS: [&str; 6] = ["<|im_start|>", "<|im_end|>", "</s>", "[CALLS]", "[ARGS]", "[ID]"];

fn form(source: &str, end: &str) -> Option<CallForm> {
    let template = ChatTemplate::new(source, SpecialTokens::default()).unwrap();
    let controls: Vec<(String, u32)> = CONTROLS.map(str::to_owned).into_iter().zip(0..).collect();
    CallForm::of(&template, &controls, Some(end))
}

/// Calls between marks.
fn marked() -> CallForm {
    form(tools_template(), "<|im_end|>").unwrap()
}

/// A list of calls after one mark, with their numbers.
fn listed() -> CallForm {
    let source = "{% for turn in messages %}{% if turn.role == 'user' %}[INST]{{ turn.content }}[/INST]{% else %}\
                  {% if turn.tool_calls %}[CALLS] [{% for call in turn.tool_calls %}\
                  {\"name\": \"{{ call.function.name }}\", \"arguments\": {{ call.function.arguments | tojson }}, \
                  \"id\": \"{{ call.id }}\"}{% if not loop.last %}, {% endif %}{% endfor %}]{% else %}{{ turn.content }}\
                  {% endif %}</s>{% endif %}{% endfor %}";
    form(source, "</s>").unwrap()
}

/// Nothing but a call, one a turn.
fn bare() -> CallForm {
    let source = "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{% if turn.tool_calls %}\
                  {% if turn.tool_calls | length > 1 %}{{ raise_exception('one call') }}{% endif %}\
                  {\"name\": \"{{ turn.tool_calls[0].function.name }}\", \"parameters\": \
                  {{ turn.tool_calls[0].function.arguments | tojson }}}{% else %}{{ turn.content }}{% endif %}<|im_end|>\n\
                  {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    form(source, "<|im_end|>").unwrap()
}

/// The name before the arguments.
fn named() -> CallForm {
    let source = "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}\
                  {% for call in turn.tool_calls or [] %}[CALLS]{{ call.function.name }}[ID]{{ call.id }}[ARGS]\
                  {{ call.function.arguments | tojson }}{% endfor %}<|im_end|>\n{% endfor %}\
                  {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
    form(source, "<|im_end|>").unwrap()
}

/// An answer's text, and its calls as `name(arguments)`.
fn read(form: &CallForm, answer: &[&str]) -> (String, Vec<String>) {
    let mut reader = CallReader::new(form.clone());
    let mut pieces: Vec<AnswerPiece> = answer.iter().flat_map(|text| reader.push(text)).collect();
    pieces.extend(reader.finish());
    let (mut said, mut calls) = (String::new(), Vec::<(String, String)>::new());
    for piece in pieces {
        match piece {
            AnswerPiece::Text(text) => said.push_str(&text),
            AnswerPiece::Call(name) => calls.push((name, String::new())),
            AnswerPiece::Arguments(text) => calls.last_mut().unwrap().1.push_str(&text),
        }
    }
    // Without the spaces that models put between.
    let squeezed = |text: String| serde_json::from_str(&text).map_or(text, |value: Value| value.to_string());
    (said, calls.into_iter().map(|(name, text)| format!("{name}({})", squeezed(text))).collect())
}

#[test]
fn a_templates_form_is_found() {
    let form = marked();
    assert_eq!(form.before, "<tool_call>\n");
    assert_eq!((form.open.as_str(), form.middle.as_str()), ("{\"name\": \"", "\", \"arguments\": "));
    assert_eq!((form.close.as_str(), form.after.as_str()), ("}", "\n</tool_call>"));
    assert_eq!(form.between.as_deref(), Some("\n</tool_call>\n<tool_call>\n"));
    let form = listed();
    assert_eq!((form.before.as_str(), form.mark.as_str()), ("[CALLS] [", "[CALLS]"));
    assert_eq!(form.close, format!(", \"id\": \"{ID}\"}}"));
    assert_eq!((form.between.as_deref(), form.after.as_str()), (Some(", "), "]"));
    let form = bare();
    assert_eq!((form.before.as_str(), form.mark.as_str(), form.between), ("", "", None));
    let form = named();
    assert_eq!((form.before.as_str(), form.open.as_str()), ("[CALLS]", ""));
    assert_eq!(form.middle, format!("[ID]{ID}[ARGS]"));
    assert_eq!((form.close.as_str(), form.between.as_deref()), ("", Some("[CALLS]")));
}

#[test]
fn a_template_without_calls_has_no_form() {
    let plain =
        "{% for turn in messages %}<|im_start|>{{ turn.role }}\n{{ turn.content }}<|im_end|>\n{% endfor %}";
    assert_eq!(form(plain, "<|im_end|>"), None);
    let words = "{% for turn in messages %}<|im_start|>{{ turn.content }}{% for call in turn.tool_calls or [] %}\
                 {{ call.function.name }}{% for key, value in call.function.arguments | items %} {{ key }}={{ value }}\
                 {% endfor %}{% endfor %}<|im_end|>{% endfor %}";
    assert_eq!(form(words, "<|im_end|>"), None);
}

#[test]
fn answers_are_read_in_their_forms() {
    let one = "f({\"a\":[1,{\"b\":\"}\"}]})";
    let cases: [(CallForm, &str, &str, Vec<&str>); 14] = [
        (marked(), "Hello there. ", "Hello there. ", vec![]),
        (
            marked(),
            "Let me look.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, {\"b\": \"}\"}]}}\n</tool_call>",
            "Let me look.",
            vec![one],
        ),
        (
            marked(),
            "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call><tool_call>{\"name\":\"g\"}</tool_call>\n",
            "",
            vec!["f({})", "g({})"],
        ),
        (marked(), "a <tool_ b", "a <tool_ b", vec![]),
        (marked(), "a <tool_call> b", "a <tool_call> b", vec![]),
        (
            marked(),
            "<tool_call>\n{\"name\": \"f\", \"argum",
            "<tool_call>\n{\"name\": \"f\", \"argum",
            vec![],
        ),
        (
            listed(),
            "[CALLS][{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {\"x\": 1}, \"id\": \"a\"}]",
            "",
            vec!["f({})", "g({\"x\":1})"],
        ),
        (listed(), "No [calls] here", "No [calls] here", vec![]),
        (bare(), "{\"name\": \"f\", \"parameters\": {\"x\": \"1\"}}", "", vec!["f({\"x\":\"1\"})"]),
        (bare(), "In JSON: {\"name\": \"f\"}", "In JSON: {\"name\": \"f\"}", vec![]),
        (bare(), "{\"colour\": \"red\"}", "{\"colour\": \"red\"}", vec![]),
        (named(), "[CALLS]f[ID]abc123def[ARGS]{\"x\": 1}[CALLS]g[ARGS]{}", "", vec!["f({\"x\":1})", "g({})"]),
        (named(), "So [CALLS]f", "So[CALLS]f", vec![]),
        (named(), "So be it.", "So be it.", vec![]),
    ];
    for (form, answer, said, calls) in cases {
        let (text, found) = read(&form, &[answer]);
        assert_eq!(found, calls, "{answer}");
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(squeezed(&text), squeezed(said), "{answer}");
    }
}

#[test]
fn arguments_are_told_as_they_are_written() {
    for (form, head, arguments, end) in [
        (
            marked(),
            "<tool_call>\n{\"name\": \"f\", \"arguments\": ",
            "{\"a\": \"}\\\"{\", \"b\": [{}]}",
            "}\n</tool_call>",
        ),
        (
            listed(),
            "[CALLS] [{\"name\": \"f\", \"arguments\": ",
            "{\"a\": [1, 2]}",
            ", \"id\": \"abcdefghi\"}]",
        ),
        (bare(), "{\"name\": \"f\", \"parameters\": ", "{}", "}"),
        (named(), "[CALLS]f[ID]abcdefghi[ARGS]", "{\"a\": {\"b\": 1}}", ""),
    ] {
        let mut reader = CallReader::new(form);
        let mut pieces = reader.push(head);
        for sign in arguments.chars() {
            let told = reader.push(&sign.to_string());
            let expected = AnswerPiece::Arguments(sign.to_string());
            // The first one says that a call it is.
            assert_eq!(told.last(), Some(&expected), "{arguments}");
            pieces.extend(told);
        }
        assert_eq!((reader.push(end), reader.finish()), (vec![], vec![]));
        assert_eq!(pieces[0], AnswerPiece::Call("f".to_owned()));
        assert_eq!(pieces.len(), 1 + arguments.chars().count());
    }
    // One that is cut is a call as far as it goes.
    let (said, calls) = read(&marked(), &["<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"on"]);
    assert_eq!((said.as_str(), calls), ("", vec!["f({\"a\": \"on)".to_owned()]));
}

fn answers() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z {}\\n]{0,8}",
        Just("<tool_call>".to_owned()),
        Just("\n</tool_call>\n".to_owned()),
        Just("[CALLS]".to_owned()),
        Just("{\"name\": \"f\", \"arguments\": {\"x\": \"é\"}}".to_owned()),
        Just("{\"name\": \"f\", \"arg".to_owned()),
        Just("f[ARGS]{\"x\": 1}".to_owned()),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn an_answer_is_read_alike_in_any_pieces(answer in answers(), cuts in prop::collection::vec(0_usize..80, 0..6)) {
        for form in [marked(), listed(), bare(), named()] {
            let mut ends: Vec<usize> = cuts.iter().copied().filter(|cut| answer.is_char_boundary(*cut)).collect();
            ends.push(answer.len());
            ends.sort_unstable();
            let mut pieces = Vec::new();
            let mut start = 0;
            for end in ends {
                pieces.push(&answer[start..end]);
                start = end;
            }
            prop_assert_eq!(read(&form, &pieces), read(&form, &[&answer]));
        }
    }
}
