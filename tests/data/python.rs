//! What templates write as Python does.

use dojo_studio::data::chat::RenderEnding;
use dojo_studio::domain::message::Message;
use serde_json::{Value, json};

use super::world::{assistant, template, user};

/// What an expression about `v` is written as.
fn written(expression: &str, value: &Value) -> Result<String, String> {
    let source = format!(
        "{{{{ messages[0].content }}}}{{% if messages[1] %}}{{% set v = messages[1].tool_calls[0].function.arguments.v %}}\
         {{{{ {expression} }}}}{{% endif %}}"
    );
    let calls = json!([{"type": "function", "function": {"name": "f", "arguments": {"v": value}}}]);
    let call = Message { extra: [("tool_calls".to_owned(), calls)].into(), ..assistant("") };
    let text = template(&source, "<s>", "</s>").render(&[user(""), call], RenderEnding::Complete);
    text.map_err(|error| format!("{error:#}"))
}

fn equal(cases: &[(&str, Value, &str)]) {
    for (expression, value, expected) in cases {
        assert_eq!(written(expression, value).as_deref(), Ok(*expected), "{expression} of {value}");
    }
}

#[test]
fn numbers_lists_and_mappings_are_printed_as_python_prints_them() {
    equal(&[
        ("v", json!(1e-5), "1e-05"),
        ("v", json!(2e16), "2e+16"),
        ("v", json!(1.5e-7), "1.5e-07"),
        ("v", json!(-0.25), "-0.25"),
        ("v", json!(3.0), "3.0"),
        ("v", json!(123_456_789.125), "123456789.125"),
        ("v", json!(12), "12"),
        ("v | string", json!(1e16), "1e+16"),
        ("1e-5", json!(1), "1e-05"),
        ("v", json!([1e16, 1, true, null, "it's", "a\"b"]), "[1e+16, 1, True, None, \"it's\", 'a\"b']"),
        ("v", json!({"k": 1e-7, "é": {"x": [false]}}), "{'k': 1e-07, 'é': {'x': [False]}}"),
        ("v", json!(["\u{2028}\u{7f}\u{0}\n\\e\u{301}🎉"]), "['\\u2028\\x7f\\x00\\n\\\\e\u{301}🎉']"),
        ("v | string", json!([1e-5]), "[1e-05]"),
        ("(v, 'a')", json!(1.0), "(1.0, 'a')"),
        ("(v,)", json!(1e22), "(1e+22,)"),
        ("v | groupby('a') | list", json!([{"a": 1.0}]), "[(1.0, [{'a': 1.0}])]"),
        ("v | items | list", json!({"a": 1e-5}), "[('a', 1e-05)]"),
        ("v.items() | list", json!({"a": 1e-5}), "[('a', 1e-05)]"),
    ]);
}

#[test]
fn a_number_that_is_joined_in_another_form_than_pythons_is_refused() {
    let error = written("'x' ~ v", &json!(1e-5)).expect_err("another form");
    assert!(error.contains("1e-05") && error.contains("0.00001"), "{error}");
    equal(&[("'x' ~ v", json!(0.25), "x0.25"), ("'x' ~ v ~ '0.00001'", json!(2), "x20.00001")]);
}

#[test]
fn json_is_written_with_pythons_options() {
    let value = json!({"b": 1, "a": {"d": [1.0, "é🎉\u{7f}"], "c": []}});
    equal(&[
        (
            "v | tojson(separators=(',', ':'))",
            value.clone(),
            "{\"b\":1,\"a\":{\"d\":[1.0,\"é🎉\u{7f}\"],\"c\":[]}}",
        ),
        (
            "v | tojson(sort_keys=true)",
            value.clone(),
            "{\"a\": {\"c\": [], \"d\": [1.0, \"é🎉\u{7f}\"]}, \"b\": 1}",
        ),
        ("v.a.d | tojson(ensure_ascii=True)", value.clone(), "[1.0, \"\\u00e9\\ud83c\\udf89\\u007f\"]"),
        ("v.a.d | tojson(true)", value.clone(), "[1.0, \"\\u00e9\\ud83c\\udf89\\u007f\"]"),
        ("v.a.d | tojson(ensure_ascii=False)", value.clone(), "[1.0, \"é🎉\u{7f}\"]"),
        (
            "v.a | tojson(indent=1)",
            value.clone(),
            "{\n \"d\": [\n  1.0,\n  \"é🎉\u{7f}\"\n ],\n \"c\": []\n}",
        ),
        ("v.a.c | tojson(indent=none)", value.clone(), "[]"),
        (
            "v | tojson(indent='\t', separators=[';', '='])",
            json!({"a": 1, "b": {}}),
            "{\n\t\"a\"=1;\n\t\"b\"={}\n}",
        ),
        ("v | tojson(indent=0)", json!([1, 2]), "[\n1,\n2\n]"),
    ]);
    let error = written("v | tojson(skipkeys=true)", &value).expect_err("not an option");
    assert!(error.contains("tojson") && error.contains("skipkeys"), "{error}");
    let error = written("v | tojson(separators=',')", &value).expect_err("one separator");
    assert!(error.contains("two texts"), "{error}");
}

#[test]
fn texts_and_mappings_are_sequences_as_in_jinja() {
    equal(&[
        ("v is sequence", json!("a"), "True"),
        ("v is sequence", json!({}), "True"),
        ("v is sequence", json!([]), "True"),
        ("v is sequence", json!(1), "False"),
        ("none is sequence", json!(1), "False"),
        ("v.nothing is sequence", json!({}), "True"),
    ]);
}

#[test]
fn methods_of_texts_do_what_pythons_do() {
    let text =
        |expression: &'static str, value: &str, expected: &'static str| (expression, json!(value), expected);
    equal(&[
        text("v.rsplit('-', 1)", "a-b-c", "['a-b', 'c']"),
        text("v.rsplit('-')", "a-b-c", "['a', 'b', 'c']"),
        text("v.rsplit(none, 1)", " a  b c ", "[' a  b', 'c']"),
        text("v.rsplit()", " a  b c ", "['a', 'b', 'c']"),
        text("v.removeprefix('a') ~ v.removeprefix('b')", "ab", "bab"),
        text("v.removesuffix('b') ~ v.removesuffix('a')", "ab", "aab"),
        text("v.zfill(4)", "-5", "-005"),
        text("v.zfill(1)", "12", "12"),
        text("v.ljust(3) ~ '|' ~ v.rjust(3, '0')", "a", "a  |00a"),
        text("v.partition('X')", "aXbXc", "('a', 'X', 'bXc')"),
        text("v.partition('Y')", "aXb", "('aXb', '', '')"),
        text("v.rpartition('X')", "aXbXc", "('aXb', 'X', 'c')"),
        text("v | wordcount", "it's a-b c_d", "5"),
        text("v | wordcount", "", "0"),
        text("v | truncate(9)", "abc defg hij klm", "abc..."),
        text("v | truncate(9, true)", "abc defg hij klm", "abc de..."),
        text("v | truncate(9, true, '', leeway=0)", "abc defg hij klm", "abc defg "),
        text("v | truncate(length=5)", "abcdefghij", "abcdefghij"),
        text("v | urlencode", "ä b/c?d=e+~", "%C3%A4%20b/c%3Fd%3De%2B~"),
        text("v.upper()", "ab", "AB"),
    ]);
    assert!(written("v.partition('')", &json!("a")).is_err());
    assert!(written("v.encode('utf8')", &json!("a")).expect_err("no such method").contains("encode"));
}
