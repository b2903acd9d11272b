//! Numbers come back as they were: in what is learnt, in a session, in every export.

use std::path::Path;

use dojo_studio::data::encode::Encoder;
use dojo_studio::data::export::{ExportFormat, Exporter, Splits};
use dojo_studio::data::import::{Import, ImportOptions, read_all};
use dojo_studio::data::rows::{parse_row, write_row};
use dojo_studio::domain::filter::parse;
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Record;
use dojo_studio::domain::view::SortOrder;
use dojo_studio::session::{self, Session};
use proptest::prelude::*;
use tempfile::TempDir;

use super::world::{byte_tokenizer, template as template_of, trained_text, write};

#[test]
fn a_number_is_learnt_as_it_stands_in_the_file() {
    let folder = TempDir::new().expect("a folder");
    let numbers = [
        "9007199254740993",
        "1180591620717411303424",
        "-18446744073709551616",
        "1e5",
        "1.10",
        "-0.0",
        "-0",
        "0.36995516654807925",
        "0.33333333333333333333",
        "1E+400",
        "5e-324",
        "0.7",
        "0",
    ];
    let rows: Vec<String> =
        numbers.iter().map(|n| format!("{{\"question\":\"q\",\"answer\":{n}}}")).collect();
    let path = write(&folder, "a.jsonl", rows.join("\n").as_bytes());
    let records = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read").records;
    let answers: Vec<&str> = records.iter().filter_map(Record::answer).collect();
    assert_eq!(answers, numbers);
    let written: Vec<String> =
        records.iter().map(|record| write_row(&record.fields, &record.numbers).expect("write")).collect();
    assert_eq!(written, rows);
    // A text is not the number that it looks like.
    let texts = write(&folder, "b.jsonl", b"{\"question\":\"q\",\"answer\":\"1.10\"}");
    let text =
        read_all(&texts, &ImportOptions::default(), OnMalformed::Fail).expect("read").records.remove(0);
    assert_eq!(write_row(&text.fields, &text.numbers).expect("write"), r#"{"question":"q","answer":"1.10"}"#);
    assert_ne!(text.provenance.hash, records[4].provenance.hash);
}

#[test]
fn what_a_template_computes_with_is_a_number_or_is_refused() {
    let call = |n: &str| {
        format!(
            r#"{{"messages":[{{"role":"user","content":"q"}},{{"role":"assistant","content":"a"}}],"tools":[{{"x":{n}}}]}}"#
        )
    };
    let folder = TempDir::new().expect("a folder");
    let path =
        write(&folder, "a.jsonl", [call("1.50"), call("1180591620717411303424")].join("\n").as_bytes());
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Skip).expect("read");
    assert_eq!((read.records.len(), read.malformed.len()), (1, 1));
    let reason = "the number 1180591620717411303424 in column \"tools\" does not fit into 64 bits";
    assert_eq!(read.malformed[0].reason, reason);
}

/// A JSON value, as text, with numbers of every kind.
fn json_text() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?";
    let text = ".{0,6}".prop_map(|text| serde_json::Value::from(text).to_string());
    let leaf = prop_oneof![4 => number, 1 => text, 1 => Just("null".to_owned())];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = proptest::string::string_regex("[a-c~/\\[]{1,2}").expect("a pattern");
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::btree_map(name, inner, 0..4).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn a_row_is_written_again_byte_by_byte(value in json_text()) {
        let row = format!("{{\"a\":{value}}}");
        let (fields, numbers) = parse_row(&row).expect("JSON");
        prop_assert_eq!(write_row(&fields, &numbers).expect("write"), row);
    }
}

#[test]
fn a_session_and_an_export_keep_numbers_as_they_were() {
    let folder = TempDir::new().expect("a folder");
    let rows = "{\"prompt\":\"q\",\"completion\":\"a\",\"score\":1.10,\"more\":[1e5,{\"x/y\":1180591620717411303424}]}\n\
                {\"messages\":[{\"role\":\"user\",\"content\":1.10}]}\n";
    let path = write(&folder, "a.jsonl", rows.as_bytes());
    let records = through_a_session(&folder, &path);
    assert_eq!(records[1].prompt(), "1.10");
    assert_eq!(exported(&folder, &records, ExportFormat::Rows), rows);
}

#[test]
fn a_number_that_a_tool_is_called_with_stays_the_same_float() {
    let folder = TempDir::new().expect("a folder");
    let arguments = r#"{"x":0.36995516654807925,"y":[1.0000000000000002,5e-324,8.988465674311579e+307]}"#;
    let call = format!(
        r#"{{"role":"assistant","content":"","tool_calls":[{{"type":"function","function":{{"name":"f","arguments":{arguments}}}}}]}}"#
    );
    let row = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"q\"}},{call}]}}\n");
    let path = write(&folder, "a.jsonl", row.as_bytes());
    let records = through_a_session(&folder, &path);
    for form in [ExportFormat::Messages, ExportFormat::Rows] {
        let text = exported(&folder, &records, form);
        assert!(text.contains(arguments), "{text}");
    }
}

#[test]
fn a_number_beside_a_turns_content_is_a_number_in_every_export() {
    let folder = TempDir::new().expect("a folder");
    let user = r#"{"role":"user","content":"q","meta":{"at":[1e5,{"n":123456789012345678901234567890}]},"s":"1.10"}"#;
    let turns = format!(r#"[{user},{{"role":"assistant","content":"1.10","score":1.10}}]"#);
    let row = format!("{{\"messages\":{turns}}}\n");
    let plain = write(&folder, "a.jsonl", row.as_bytes());
    let records = through_a_session(&folder, &plain);
    assert_eq!(exported(&folder, &records, ExportFormat::Messages), row);
    // Turns that are JSON in a cell.
    let cell = write(&folder, "b.csv", format!("messages\n\"{}\"\n", turns.replace('"', "\"\"")).as_bytes());
    let read = read_all(&cell, &ImportOptions::default(), OnMalformed::Fail).expect("read").records;
    assert_eq!(exported(&folder, &read, ExportFormat::Messages), row);
    // Through Parquet and back.
    let table = folder.path().join("c.parquet");
    let mut exporter = Exporter::create(&table, ExportFormat::Parquet, Splits::Together).expect("begin");
    for record in &records {
        exporter.add(record).expect("add");
    }
    exporter.finish().expect("finish");
    let read = read_all(&table, &ImportOptions::default(), OnMalformed::Fail).expect("read").records;
    assert_eq!(exported(&folder, &read, ExportFormat::Messages), row);
}

/// Takes a call's arguments as they stand where they are a text, as Qwen3's template does.
const TEXTS: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (m.content or '') }}\
    {% for call in m.tool_calls or [] %}{% set a = call.function.arguments %}\
    {{ a if a is string else a | tojson }}{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}";

/// What of a conversation is learnt that ends with this turn.
fn learnt(template: &str, turn: &str) -> Result<String, String> {
    let folder = TempDir::new().expect("a folder");
    let row = format!(r#"{{"messages":[{{"role":"user","content":"q"}},{turn}]}}"#);
    let path = write(&folder, "a.jsonl", row.as_bytes());
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    let (tokenizer, template) = (byte_tokenizer(), template_of(template, "<|im_start|>", "<|im_end|>"));
    let encoder = Encoder::new(&tokenizer, Some(&template), Some("<|im_end|>"), 4096).expect("an encoder");
    let encoded = encoder.encode(&read.records[0]).map_err(|error| format!("{error:#}"))?;
    Ok(trained_text(&tokenizer, &encoded.example.tokens, &encoded.example.trained))
}

/// A turn that calls a tool with arguments in a text, in each of the forms that data has it in.
fn calling(arguments: &str) -> [String; 4] {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let whole = format!(r#"{{"name":"f","arguments":{arguments}}}"#);
    [
        format!(
            r#"{{"role":"assistant","content":"","tool_calls":[{{"function":{{"name":"f","arguments":{}}}}}]}}"#,
            text(arguments)
        ),
        format!(
            r#"{{"role":"assistant","content":"","function_call":{{"name":"f","arguments":{}}}}}"#,
            text(arguments)
        ),
        format!(r#"{{"from":"function_call","value":{}}}"#, text(&whole)),
        format!(
            r#"{{"role":"assistant","content":"","tool_calls":{}}}"#,
            text(&format!(r#"[{{"function":{whole}}}]"#))
        ),
    ]
}

#[test]
fn arguments_in_a_text_are_learnt_digit_by_digit() {
    for number in ["12345678901234567890123", "1.10", "1e2", "1E+2", "-0", "1e400", "0.1000000000000000055"] {
        let arguments = format!(r#"{{"x":{number},"y":"z"}}"#);
        for turn in calling(&arguments) {
            assert_eq!(learnt(TEXTS, &turn), Ok(format!("{arguments}<|im_end|>")), "{turn}");
        }
    }
    let twice = r#"{"x":1,"x":2}"#;
    let [first, second, ..] = calling(twice);
    for turn in [first, second] {
        assert_eq!(learnt(TEXTS, &turn), Ok(format!("{twice}<|im_end|>")));
    }
    for turn in calling(r#"{"x": [1.0, 7], "y": {}}"#) {
        assert_eq!(learnt(TEXTS, &turn), Ok(r#"{"x": [1.0, 7], "y": {}}<|im_end|>"#.to_owned()));
    }
}

#[test]
fn arguments_that_a_template_would_change_refuse_the_record() {
    let values = TEXTS.replace("a if a is string else a | tojson", "a | tojson");
    let pairs = TEXTS.replace(
        "{{ a if a is string else a | tojson }}",
        "{% for key in a.keys() %}{{ key ~ '=' ~ a[key] }}{% endfor %}",
    );
    for (arguments, reason) in [
        (
            r#"{"x":12345678901234567890123}"#,
            "turn 2 have the number 12345678901234567890123, which does not fit",
        ),
        (r#"{"x":1e400}"#, "turn 2 have the number 1e400, which does not fit"),
        (r#"{"x":1,"x":2}"#, "turn 2 have a key twice"),
    ] {
        let [turn, ..] = calling(arguments);
        for template in [&values, &pairs] {
            let told = learnt(template, &turn).expect_err("refused");
            assert!(told.contains(reason), "{told}");
        }
    }
}

#[test]
fn arguments_that_a_template_writes_again_have_the_numbers_that_python_writes() {
    let values = TEXTS.replace("a if a is string else a | tojson", "a | tojson");
    let lines = values.replace("tojson", "tojson(indent=1)");
    for (given, written) in [
        ("1.5", "1.5"),
        ("1.10", "1.1"),
        ("1e3", "1000.0"),
        ("1E-4", "0.0001"),
        ("0.00001", "1e-05"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e+16"),
        ("-12.5e120", "-1.25e+121"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("0.1000000000000000055", "0.1"),
    ] {
        let [text, ..] = calling(&format!(r#"{{"x":{given}}}"#));
        let object = format!(
            r#"{{"role":"assistant","content":"","tool_calls":[{{"function":{{"name":"f","arguments":{{"x":{given}}}}}}}]}}"#
        );
        for turn in [text, object] {
            assert_eq!(learnt(&values, &turn), Ok(format!("{{\"x\": {written}}}<|im_end|>")), "{turn}");
            assert_eq!(learnt(&lines, &turn), Ok(format!("{{\n \"x\": {written}\n}}<|im_end|>")), "{turn}");
        }
    }
}

#[test]
fn parameters_of_a_call_in_a_text_are_arguments() {
    for number in ["12345678901234567890123", "1.10", "1e400"] {
        let whole = format!(r#"{{"name":"f","parameters":{{"x":{number}}}}}"#);
        let turn = format!(r#"{{"from":"function_call","value":{}}}"#, serde_json::Value::from(whole));
        assert_eq!(learnt(TEXTS, &turn), Ok(format!(r#"{{"x":{number}}}<|im_end|>"#)));
    }
}

#[test]
fn numbers_of_a_conversation_in_a_text_stay_numbers() {
    let folder = TempDir::new().expect("a folder");
    let [turn, ..] = calling(r#"{"x":1}"#);
    let turn = turn.replace(r#""{\"x\":1}""#, r#"{"x":1.10}"#);
    let turns = format!(r#"[{{"role":"user","content":"q"}},{turn}]"#);
    let row =
        serde_json::json!({ "messages": turns, "tools": r#"[{"name":"f","parameters":{"most":1e2}}]"# });
    let path = write(&folder, "a.jsonl", row.to_string().as_bytes());
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    let record = &read.records[0];
    assert_eq!(record.messages[1].tool_calls()[0]["function"]["arguments"], r#"{"x":1.10}"#);
    assert_eq!(record.tools[0]["function"]["parameters"]["most"], 100.0);
    let big = row.to_string().replace("1e2", "12345678901234567890123");
    let path = write(&folder, "b.jsonl", big.as_bytes());
    let told = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect_err("refused");
    let reason = "holds tools with a number that does not fit into 64 bits, or with a key twice";
    assert!(format!("{told:#}").contains(reason), "{told:#}");
}

/// What a session gives back of a file that was imported into it.
fn through_a_session(folder: &TempDir, path: &Path) -> Vec<Record> {
    let mut session = Session::create(&folder.path().join("session")).expect("a session");
    let source = Import::open(path, &ImportOptions::default()).expect("open");
    session::import(&mut session, "a", source, |_| true).expect("import");
    let view = session.view(&parse("").expect("a filter"), SortOrder::default()).expect("view");
    session.rows(view.ids()).expect("rows").into_iter().map(|row| row.record).collect()
}

fn exported(folder: &TempDir, records: &[Record], form: ExportFormat) -> String {
    let out = folder.path().join("out.jsonl");
    let mut exporter = Exporter::create(&out, form, Splits::Together).expect("begin");
    for record in records {
        exporter.add(record).expect("add");
    }
    exporter.finish().expect("finish");
    std::fs::read_to_string(out).expect("read")
}
