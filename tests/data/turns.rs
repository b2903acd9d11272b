//! Turns that carry more than role and content: kept whole, rendered where the template can, refused by name elsewhere.

use dojo_studio::data::chat::{ChatTemplate, RenderEnding};
use dojo_studio::data::encode::Encoder;
use dojo_studio::data::export::{ExportFormat, Exporter, Splits};
use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::data::mapping::Mapping;
use dojo_studio::domain::message::{Conversation, Message, Role};
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Record;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::{byte_tokenizer, chatml, template, trained_text, user};

/// Shows tools, thoughts and calls, as the templates of models that call tools do.
const TOOLS: &str = "{% if tools %}{{ '<|im_start|>system\n' + (tools | tojson) + '<|im_end|>\n' }}{% endif %}\
    {% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}\
    {% if m.reasoning_content %}{{ '<think>' + m.reasoning_content + '</think>' }}{% endif %}\
    {% if m.content %}{{ m.content }}{% endif %}\
    {% for call in m.tool_calls or [] %}{{ '<call>' + call.function.name + ' ' + (call.function.arguments | tojson) }}{% endfor %}\
    {{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

fn read(turns: &Value) -> Result<Vec<Message>, String> {
    let row = json!({"messages": turns});
    let mut mapping = Mapping::default();
    mapping.set("messages=messages").expect("a mapping");
    mapping.apply(row.as_object().expect("an object")).map(|record| record.messages)
}

fn call(arguments: &Value) -> Value {
    json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": arguments}}]})
}

fn record(row: &Value) -> Record {
    let row = row.as_object().expect("an object");
    Mapping::detect(std::slice::from_ref(row)).apply(row).expect("a record")
}

fn trained(template: &ChatTemplate, row: &Value) -> Result<String, String> {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, Some(template), Some("<|im_end|>"), 4096).expect("an encoder");
    let encoded = encoder.encode(&record(row)).map_err(|error| format!("{error:#}"))?;
    Ok(trained_text(&tokenizer, &encoded.example.tokens, &encoded.example.trained))
}

#[test]
fn a_turn_comes_back_from_json_as_it_was() {
    for turn in [
        json!({"role": "user", "content": "hi"}),
        json!({"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
        json!({"role": "assistant", "content": "", "reasoning_content": "so", "weight": 0}),
        json!({"role": "tool", "content": "4", "name": "add", "tool_call_id": "c1"}),
    ] {
        let read: Message = serde_json::from_value(turn.clone()).expect("a turn");
        assert_eq!(serde_json::to_value(&read).expect("written"), turn);
    }
}

#[test]
fn a_null_content_is_never_a_word_that_is_learnt() {
    let call = "{{ '<call>' + m.tool_calls[0].function.name if m.tool_calls else '' }}";
    for shown in [
        "{{ shown(m.content) }}",
        "{{ m.content | trim }}",
        "{{ m.content ~ '' }}",
        "{{ m.content if m.content is string else m.content | tojson }}",
        "{{ '' + m.content }}",
        "{{ '' if m.content is none else '' + m.content }}",
    ] {
        let source = format!(
            "{{% macro shown(content) %}}{{{{ content }}}}{{% endmacro %}}{{% for m in messages %}}\
             {{{{ '<|im_start|>' + m.role + '\n' }}}}{shown}{call}{{{{ '<|im_end|>\n' }}}}{{% endfor %}}\
             {{% if add_generation_prompt %}}{{{{ '<|im_start|>assistant\n' }}}}{{% endif %}}"
        );
        let template = template(&source, "<s>", "<|im_end|>");
        let row = json!({"messages": [user("None is null"), self::call(&json!({}))]});
        assert_eq!(trained(&template, &row).as_deref(), Ok("<call>weather<|im_end|>"), "{shown}");
    }
    let own =
        "{% for m in messages %}{{ '(nothing)' if m.content is none else m.content }}<|im_end|>{% endfor %}";
    let turns = [user("q"), serde_json::from_value(self::call(&json!({}))).expect("a turn")];
    let text = template(own, "<s>", "<|im_end|>").render(&turns, RenderEnding::Complete).expect("render");
    assert_eq!(text, "q<|im_end|>(nothing)<|im_end|>");
}

#[test]
fn a_call_and_what_belongs_to_it_are_kept() {
    let turns = read(&json!([
        {"role": "user", "content": "Rain?", "name": "Ada"},
        call(&json!("{\"city\": \"Ghent\"}")),
        {"role": "tool", "content": "yes", "tool_call_id": "c1"},
    ]))
    .expect("turns");
    let [asked, called, told] = turns.as_slice() else { panic!("three turns") };
    assert_eq!(asked.extra.get("name"), Some(&json!("Ada")));
    assert!(called.is_null() && !called.is_empty());
    assert_eq!(called.tool_calls().len(), 1);
    assert_eq!(told.extra.get("tool_call_id"), Some(&json!("c1")));
    assert_eq!(called.text(), "[tool call] weather({\"city\": \"Ghent\"})");
}

#[test]
fn older_and_other_forms_of_a_call_become_the_same_call() {
    let forms = [
        json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}}),
        json!({"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": \"{}\"}"}),
        json!({"role": "assistant", "content": null,
            "tool_calls": "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]"}),
    ];
    for form in forms {
        let turns = read(&json!([{"role": "user", "content": "q"}, form])).expect("turns");
        let expected = [json!({"type": "function", "function": {"name": "f", "arguments": "{}"}})];
        assert_eq!(turns.get(1).expect("a turn").tool_calls(), expected);
    }
}

#[test]
fn what_of_a_turn_cannot_be_used_refuses_the_row() {
    for (turn, reason) in [
        (json!({"role": "assistant", "content": null}), "turn 1 of column \"messages\" has the content null"),
        (json!({"role": "assistant", "content": null, "tool_calls": []}), "has the content null"),
        (json!({"role": "assistant", "content": {"answer": 4}}), "has an object as its content, not a text"),
        (json!({"role": "assistant", "content": null, "refusal": "No."}), "is a refusal"),
        (
            json!({"role": "assistant", "content": "a", "audio": {"id": "x"}}),
            "has \"audio\", and only text can be read",
        ),
        (
            json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}),
            "is no text (of type \"image_url\")",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": "a", "weight": 0}]}),
            "has a part of its content with \"weight\"",
        ),
        (json!({"role": "assistant", "content": "a", "weight": 0.5}), "has the weight 0.5"),
        (
            json!({"role": "user", "content": "a", "train": true}),
            "asks with \"train\" to learn what the user says",
        ),
        (
            json!({"role": "assistant", "content": "a", "reasoning_content": {"a": 1}}),
            "has an object as its \"reasoning_content\"",
        ),
        (
            json!({"role": "assistant", "content": null, "tool_calls": [{"function": {}}]}),
            "calls a tool without a name",
        ),
        (
            json!({"role": "assistant", "content": "a", "train_detail": [{"begin": 0}]}),
            "can only be learnt as a whole or not at all",
        ),
        (json!({"role": "assistant", "content": "a", "loss_weight": 0.2}), "has the loss_weight 0.2"),
        (json!({"role": "narrator", "content": "a"}), "has the unknown role \"narrator\""),
        (json!("hello"), "turn 1 of column \"messages\" is a text, not a turn"),
    ] {
        let told = read(&json!([turn])).expect_err("refused");
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn empty_keys_of_other_turns_are_no_refusal() {
    let turn = json!({"role": "assistant", "content": "a", "tool_calls": [], "refusal": null, "audio": null,
        "function_call": null, "reasoning_content": "", "weight": 1});
    let turns = read(&json!([turn])).expect("turns");
    assert_eq!(turns.first().expect("a turn").extra.keys().collect::<Vec<_>>(), ["weight"]);
}

#[test]
fn a_thought_among_the_parts_of_a_content_is_a_thought() {
    let parts = json!([{"type": "thinking", "thinking": "so"}, {"type": "text", "text": "a"}]);
    let turns = read(&json!([{"role": "assistant", "content": parts}])).expect("turns");
    let turn = turns.first().expect("a turn");
    assert_eq!((turn.thought(), turn.content.as_str()), (Some("so"), "a"));
}

#[test]
fn a_turn_with_two_thoughts_is_refused_unless_they_are_one() {
    let keys = ["reasoning_content", "reasoning", "thinking"];
    for (first, second) in [(0, 1), (0, 2), (1, 2)].map(|(a, b): (usize, usize)| (keys[a], keys[b])) {
        let turn = |other: &str| json!([{"role": "assistant", "content": "a", first: "so", second: other}]);
        let told = read(&turn("no")).expect_err("refused");
        assert!(told.contains(&format!("different thoughts as its {first:?} and its {second:?}")), "{told}");
        assert_eq!(read(&turn("so")).expect("turns")[0].thought(), Some("so"));
        assert_eq!(read(&turn("")).expect("turns")[0].thought(), Some("so"));
    }
    let part = |thought: &str| json!({"type": "thinking", "thinking": thought});
    let parts = |parts: Value| json!([{"role": "assistant", "content": parts, "reasoning": "so"}]);
    let text = json!({"type": "text", "text": "a"});
    for odd in [json!([part("no"), text]), json!([part("so"), part("no"), text])] {
        assert!(read(&parts(odd)).expect_err("refused").contains("different thoughts"));
    }
    assert_eq!(read(&parts(json!([part("so"), text]))).expect("turns")[0].thought(), Some("so"));
}

#[test]
fn a_developer_speaks_as_developer_or_refuses_the_record() {
    let row = json!({"messages": [{"role": "developer", "content": "Be brief."}, user("q"), {"role": "assistant", "content": "a"}]});
    let conversation = record(&row).messages;
    let shown = chatml().render(&conversation, RenderEnding::Complete).expect("rendered");
    assert!(shown.contains("<|im_start|>developer\nBe brief.<|im_end|>"), "{shown}");
    let knows_three = "{% for m in messages %}{% if m.role in ['system', 'user', 'assistant'] %}\
        {{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
    let told = trained(&template(knows_three, "<|im_start|>", "<|im_end|>"), &row).expect_err("refused");
    assert!(told.contains("doesn't show turn 1, the developer's; write its role as \"system\""), "{told}");
}

#[test]
fn calls_and_thoughts_are_trained_where_the_template_shows_them() {
    let template = template(TOOLS, "<|im_start|>", "<|im_end|>");
    let called = json!({"messages": [user("Rain?"), call(&json!("{\"city\": \"Ghent\"}"))]});
    assert_eq!(
        trained(&template, &called).expect("trained"),
        "<call>weather {\"city\": \"Ghent\"}<|im_end|>"
    );
    let thought =
        |key: &str| json!({"messages": [user("2+2?"), {"role": "assistant", "content": "4", key: "so"}]});
    for key in ["reasoning_content", "reasoning", "thinking"] {
        assert_eq!(trained(&template, &thought(key)).expect("trained"), "<think>so</think>4<|im_end|>");
    }
}

#[test]
fn what_the_template_does_not_show_refuses_the_record() {
    let thought = json!({"messages": [user("q"), {"role": "assistant", "content": "a", "thinking": "so"}]});
    let refused = trained(&chatml(), &thought).expect_err("refused");
    assert!(refused.contains("chat template doesn't show the \"thinking\" of turn 2"), "{refused}");
    for key in ["reasoning_details", "thought", "tool_plan", "thinking_blocks"] {
        let thought = json!({"messages": [user("q"), {"role": "assistant", "content": "a", key: "so"}]});
        let refused = trained(&chatml(), &thought).expect_err("refused");
        assert!(refused.contains(&format!("doesn't show the {key:?} of turn 2")), "{refused}");
    }
    let called = json!({"messages": [user("q"), {"role": "assistant", "content": "Wait.",
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]});
    let refused = trained(&chatml(), &called).expect_err("refused");
    assert!(refused.contains("chat template doesn't show the \"tool_calls\" of turn 2"), "{refused}");
    let silent = json!({"messages": [user("q"), call(&json!("{}"))]});
    let refused = trained(&chatml(), &silent).expect_err("refused");
    assert!(refused.contains("chat template doesn't show the \"tool_calls\" of turn 2"), "{refused}");
    let tools = json!({"messages": [user("q"), {"role": "assistant", "content": "a"}],
        "tools": [{"type": "function", "function": {"name": "f"}}]});
    let refused = trained(&chatml(), &tools).expect_err("refused");
    assert!(refused.contains("doesn't show the tools"), "{refused}");
}

#[test]
fn tools_reach_the_template() {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    for (column, given) in [
        ("tools", tools.clone()),
        ("tools", json!(tools.to_string())),
        ("functions", json!([{"name": "f", "parameters": {}}])),
    ] {
        let record = record(&json!({"messages": [user("q")], column: given}));
        assert_eq!(json!(record.tools), tools);
        let conversation = Conversation { messages: &record.messages, tools: &record.tools, settings: None };
        let text = template(TOOLS, "<|im_start|>", "<|im_end|>").render(conversation, RenderEnding::Complete);
        assert!(text.expect("rendered").contains("\"name\": \"f\""));
    }
}

#[test]
fn a_turn_without_weight_is_context_only() {
    for (key, none, full) in [("weight", json!(0), json!(1)), ("train", json!(false), json!(true))] {
        let turn = |said: &str, weight: &Value| json!({"role": "assistant", "content": said, key: weight});
        let row = json!({"messages": [user("a"), turn("wrong", &none), user("b"), turn("right", &full)]});
        assert_eq!(trained(&chatml(), &row).expect("trained"), "right<|im_end|>");
        let row = json!({"messages": [user("a"), turn("wrong", &none)]});
        assert!(trained(&chatml(), &row).expect_err("refused").contains("no assistant turn to train on"));
    }
}

#[test]
fn whole_turns_come_back_from_every_form_that_holds_turns() {
    let rows = [
        json!({"messages": [user("Rain?"), call(&json!("{\"city\": \"Ghent\"}")),
            {"role": "tool", "content": "yes", "tool_call_id": "c1"},
            {"role": "assistant", "content": "Yes.", "reasoning_content": "It rains.", "weight": 0},
            {"role": "user", "content": "Sure?", "name": "Ada"},
            {"role": "assistant", "content": "Sure."}],
            "tools": [{"type": "function", "function": {"name": "weather"}}]}),
        json!({"messages": [user("q"), {"role": "assistant", "content": "a", "thinking": "so"}]}),
    ];
    let folder = TempDir::new().expect("a folder");
    for (row, form, name) in [
        (&rows[0], ExportFormat::Messages, "a.jsonl"),
        (&rows[0], ExportFormat::Parquet, "a.parquet"),
        (&rows[1], ExportFormat::Messages, "b.jsonl"),
        (&rows[1], ExportFormat::PromptCompletion, "c.jsonl"),
        (&rows[1], ExportFormat::Parquet, "b.parquet"),
    ] {
        let path = folder.path().join(name);
        let mut exporter = Exporter::create(&path, form, Splits::Together).expect("create");
        let written = record(row);
        exporter.add(&written).expect("add");
        exporter.finish().expect("finish");
        let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
        let back = read.records.first().expect("a record");
        assert_eq!((&back.messages, &back.tools), (&written.messages, &written.tools), "{}", form.name());
    }
}

#[test]
fn a_form_without_a_place_for_calls_says_so() {
    let folder = TempDir::new().expect("a folder");
    let called = record(&json!({"messages": [user("Rain?"), call(&json!("{}"))]}));
    let mut exporter =
        Exporter::create(&folder.path().join("a.csv"), ExportFormat::Csv, Splits::Together).expect("create");
    exporter.add(&called).expect("add");
    let told = format!("{:#}", exporter.finish().expect_err("nothing fits"));
    assert!(told.contains("its turns have more than a text (tools, calls, thoughts, weights)"), "{told}");
}

#[test]
fn columns_that_change_what_is_said_refuse_the_row() {
    let turns = [user("q"), Message::new(Role::Assistant, "a")];
    for (column, value, reason) in [
        ("images", json!(["a.png"]), "the row has \"images\", and only text can be read"),
        ("audio", json!("a.wav"), "the row has \"audio\", and only text can be read"),
    ] {
        let row = json!({"messages": turns, column: value});
        let row = row.as_object().expect("an object");
        let told = Mapping::detect(std::slice::from_ref(row)).apply(row).expect_err("refused");
        assert!(told.contains(reason), "{told}");
        let empty = json!({"messages": turns, column: []});
        assert_eq!(record(&empty).messages, turns);
    }
}

#[test]
fn several_questions_or_answers_in_one_row_are_not_joined() {
    for (row, reason) in [
        (json!({"prompt": ["a", "b"], "completion": ["c", "d"]}), "holds a list of texts, not one question"),
        (json!({"question": "q", "answers": ["a", "b"]}), "holds 2 answers; keep the one to be learnt"),
    ] {
        let row = row.as_object().expect("an object");
        let told = Mapping::detect(std::slice::from_ref(row)).apply(row).expect_err("refused");
        assert!(told.contains(reason), "{told}");
    }
    assert_eq!(record(&json!({"question": "q", "answers": ["a"]})).answer(), Some("a"));
}

#[test]
fn earlier_questions_and_answers_beside_an_instruction_are_turns() {
    let row = json!({"instruction": "c", "output": "d", "history": [["a", "b"]]});
    let said: Vec<String> = record(&row).messages.into_iter().map(|turn| turn.content).collect();
    assert_eq!(said, ["a", "b", "c", "d"]);
}

#[test]
fn the_turns_that_both_answers_share_stay_a_prompt_in_an_export() {
    let shared = [user("a"), Message::new(Role::Assistant, "m"), user("b")];
    let pair = record(&json!({"prompt": shared, "chosen": "good", "rejected": "bad"}));
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.jsonl");
    let mut exporter = Exporter::create(&path, ExportFormat::Messages, Splits::Together).expect("create");
    exporter.add(&pair).expect("add");
    exporter.finish().expect("finish");
    let read = read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read");
    assert_eq!(read.records.first().expect("a record").prompt_turns, 3);
}

#[test]
fn a_plain_turn_is_only_role_and_content() {
    let plain = Message::new(Role::User, "hi");
    assert_eq!(serde_json::to_string(&plain).expect("written"), "{\"role\":\"user\",\"content\":\"hi\"}");
}

#[test]
fn bare_texts_among_the_parts_of_a_content_are_refused() {
    let of = |content: Value| {
        read(&json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": content}]))
    };
    let text = json!({"type": "text", "text": "b"});
    for content in [json!(["a", text]), json!([text, "a"]), json!(["a", text, "c"])] {
        let told = of(content.clone()).expect_err("a refusal");
        assert!(
            told.starts_with(
                "turn 2 of column \"messages\" has bare texts among the parts of its content; write each as"
            ),
            "{content}: {told}"
        );
    }
    let thought = of(json!([{"type": "thinking", "thinking": ["a", text]}, text])).expect_err("a refusal");
    assert!(thought.contains("has bare texts among the parts of its thought"), "{thought}");
    // Templates put the texts of parts together as they are.
    assert_eq!(of(json!([text, text])).expect("turns")[1].content, "bb");
    assert_eq!(of(json!(["a"])).expect("turns")[1].content, "a");
}
