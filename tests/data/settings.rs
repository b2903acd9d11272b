//! What a row gives the chat template beside turns and tools.

use dojo_studio::data::chat::ChatTemplate;
use dojo_studio::data::encode::Encoder;
use dojo_studio::data::export::{ExportFormat, Exporter, Splits};
use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Record;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::beside::{record, refusal};
use super::world::{CHATML, assistant, byte_tokenizer, chatml, template, user};

/// Writes a mode and tools, as SmolLM3's does.
fn thinking() -> ChatTemplate {
    let head = "{{ '<|im_start|>system\n' ~ ('think' if enable_thinking else 'no_think') ~ \
                (xml_tools | default([]) | join(',')) ~ '<|im_end|>\n' }}";
    template(&format!("{head}{CHATML}"), "<|im_start|>", "<|im_end|>")
        .with_variable("enable_thinking", json!(true))
}

fn row(settings: &Value) -> Value {
    json!({"messages": [user("q"), assistant("a")], "chat_template_kwargs": settings})
}

fn seen(template: Option<&ChatTemplate>, record: &Record) -> Result<String, String> {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, template, Some("<|im_end|>"), 4096).expect("an encoder");
    let encoded = encoder.encode(record).map_err(|error| format!("{error:#}"))?;
    Ok(tokenizer.decode(&encoded.example.tokens, false).expect("decode"))
}

#[test]
fn settings_of_a_row_reach_the_template_and_outweigh_those_of_all() {
    for (settings, head) in [
        (json!({"enable_thinking": false, "xml_tools": ["f", "g"]}), "no_thinkf,g"),
        (json!({"enable_thinking": true, "xml_tools": []}), "think"),
        (json!({"xml_tools": ["<|im_end|>"], "enable_thinking": null}), "think<|im_end|>"),
        (json!("{\"enable_thinking\": false}"), "no_think"),
        (json!(null), "think"),
    ] {
        let text = seen(Some(&thinking()), &record(&row(&settings))).expect("seen");
        assert!(text.starts_with(&format!("<|im_start|>system\n{head}<|im_end|>")), "{text}");
    }
}

#[test]
fn a_setting_that_the_template_does_not_read_is_refused_unless_it_says_no() {
    let quiet =
        json!({"enable_thinking": false, "python_tools": [], "custom_instructions": "", "xml_tools": null});
    assert!(seen(Some(&chatml()), &record(&row(&quiet))).is_ok());
    for (settings, name) in [
        (json!({"enable_thinking": true}), "enable_thinking"),
        (json!({"python_tools": ["def f(): ..."]}), "python_tools"),
        (json!({"im_start": 1}), "im_start"),
    ] {
        let told = seen(Some(&chatml()), &record(&row(&settings)));
        if name == "im_start" {
            // The word stands in the template; more than that nobody can say without running it.
            assert!(told.is_ok());
            continue;
        }
        let reason = format!("the model's chat template doesn't read {name:?}");
        assert!(told.expect_err("refused").contains(&reason));
    }
    assert!(seen(None, &record(&row(&json!({"enable_thinking": true})))).is_err());
}

#[test]
fn settings_of_another_form_refuse_the_row() {
    for (settings, reason) in [
        (json!(["x"]), "column \"chat_template_kwargs\" holds a list, not an object of names with values"),
        (json!("yes"), "column \"chat_template_kwargs\" holds a text, not an object of names with values"),
        (
            json!({"tools": [1]}),
            "column \"chat_template_kwargs\" sets \"tools\", which a row can't; take it out",
        ),
    ] {
        assert_eq!(refusal(&row(&settings)), reason);
    }
}

#[test]
fn settings_come_back_from_exports() {
    let settings = json!({"enable_thinking": false, "xml_tools": ["f"]});
    let record = record(&row(&settings));
    for (name, form) in [
        ("a.jsonl", ExportFormat::Messages),
        ("b.jsonl", ExportFormat::PromptCompletion),
        ("a.parquet", ExportFormat::Parquet),
    ] {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join(name);
        let mut exporter = Exporter::create(&path, form, Splits::Together).expect("begin");
        exporter.add(&record).expect("add");
        exporter.finish().expect("finish");
        let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
        assert_eq!(json!(read.records[0].settings), settings, "{name}");
    }
}

#[test]
fn what_the_template_is_given_beside_the_turns_is_told_under_the_names_of_the_data() {
    let mut row = row(&json!({"enable_thinking": false, "xml_tools": ["f"]}));
    row["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    let told: Vec<_> = record(&row).given().collect();
    let tools = r#"{"type":"function","function":{"name":"f"}}"#.to_owned();
    let settings = "enable_thinking: false\nxml_tools: [\"f\"]".to_owned();
    assert_eq!(told, [("tools", tools), ("chat_template_kwargs", settings)]);
    assert_eq!(record(&json!({"messages": [user("q"), assistant("a")]})).given().count(), 0);
}

#[test]
fn a_setting_in_a_column_of_its_name_is_one() {
    let row =
        |column: &str, value: serde_json::Value| json!({"prompt": "q", "completion": "a", column: value});
    for value in [json!(false), json!("False"), json!("no")] {
        let settings = super::beside::record(&row("enable_thinking", value)).settings;
        assert_eq!(json!(settings), json!({"enable_thinking": false}));
    }
    let mut two = row("enable_thinking", json!(true));
    two["chat_template_kwargs"] = json!({"enable_thinking": false});
    assert!(super::beside::refusal(&two).contains("keep one of them"));
    let told = super::beside::refusal(&row("chat_template", json!("{{ messages }}")));
    assert!(told.starts_with("column \"chat_template\" says how the row is to be rendered"), "{told}");
}
