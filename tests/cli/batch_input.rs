//! What `dojo generate --input` asks, refuses and tells of a file's lines.

use serde_json::{Value, json};

use crate::support::program::World;

/// What is said on standard error when a file of these lines is asked, and the answers.
fn ask(world: &World, lines: &str) -> (String, Vec<Value>) {
    std::fs::write(world.path().join("in.jsonl"), lines).expect("write prompts");
    let _ = std::fs::remove_file(world.path().join("out.jsonl"));
    let command = ["generate", "--model", "model", "--threads", "1", "--max-new-tokens", "1"];
    let said = world.dojo(&[&command[..], &["--input", "in.jsonl", "--output", "out.jsonl"]].concat());
    let answers = std::fs::read_to_string(world.path().join("out.jsonl")).unwrap_or_default();
    let answers = answers.lines().map(|line| serde_json::from_str(line).expect("an answer")).collect();
    (String::from_utf8(said.stderr).expect("text"), answers)
}

#[test]
fn a_key_that_changes_what_is_asked_is_refused_by_name() {
    let world = World::new();
    let keys = [
        ("system", json!("Be brief")),
        ("systemPrompt", json!("Be brief")),
        ("tools", json!([{"type": "function"}])),
        ("chat_template_kwargs", json!({"enable_thinking": false})),
        ("context", json!("the bridge is red")),
        ("history", json!([["a", "b"]])),
        ("images", json!(["x.png"])),
        ("documents", json!(["long"])),
        ("prefill", json!("The")),
        ("suffix", json!("end")),
        ("response_format", json!({"type": "json_object"})),
        ("temperature", json!(1.5)),
        ("max_tokens", json!(1)),
        ("stop", json!(["a"])),
        ("seed", json!(0)),
        ("input", json!("the bridge")),
        ("messages", json!([{"role": "user", "content": "ho"}])),
    ];
    for (key, value) in keys {
        let (told, answers) = ask(&world, &format!("plain\n{}\n", json!({"prompt": "the", key: value})));
        assert!(told.contains("line 2") && told.contains(&format!("{key:?}")), "{key}: {told}");
        assert!(answers.is_empty(), "{key}");
    }
    let (told, _) = ask(&world, "{\"prompt\": \"a\", \"prompt\": \"b\"}\n");
    assert!(told.contains("the key \"prompt\" is there twice"), "{told}");
}

#[test]
fn a_turn_that_cant_be_read_is_named_in_plain_words() {
    let world = World::new();
    let user = json!({"role": "user", "content": "the"});
    let turns = [
        (json!({"role": "user", "content": [{"type": "text", "text": "the"}]}), "a list of parts"),
        (json!({"role": "user", "content": null}), "no content"),
        (json!({"role": "user", "content": 5}), "write it as a text"),
        (json!({"role": "human", "content": "the"}), "its role is \"human\""),
        (json!({"content": "the"}), "no role"),
        (json!("the"), "a turn is an object"),
    ];
    for (turn, words) in turns {
        let (told, _) = ask(&world, &json!({"messages": [user, turn]}).to_string());
        assert!(told.contains("turn 2 of `messages`") && told.contains(words), "{words}: {told}");
    }
    let (told, _) = ask(&world, &json!({"prompt": ["a", "b"]}).to_string());
    assert!(told.contains("\"prompt\" holds") && told.contains("a prompt is a text"), "{told}");
}

#[test]
fn what_says_nothing_is_passed_over_and_other_keys_are_told_once() {
    let world = World::new();
    let user = json!({"role": "user", "content": "the"});
    let lines = [
        json!({"messages": [user]}),
        json!({"messages": [{"role": "system", "content": null}, user], "prompt": null, "tools": []}),
        json!({"prompt": "the", "id": 7, "label": "x", "system": ""}),
        json!({"prompt": "the", "id": 8}),
    ];
    let (told, answers) = ask(&world, &lines.map(|line| line.to_string()).join("\n"));
    assert_eq!(answers.len(), 4, "{told}");
    assert!(answers.iter().all(|answer| answer["prompt_tokens"] == answers[0]["prompt_tokens"]));
    assert_eq!(told.matches("\"id\" (2), \"label\" (1)").count(), 1, "{told}");
}

#[test]
fn keys_of_turns_that_the_model_does_not_read_are_told_with_their_counts() {
    let world = World::new();
    let turns = |more: Value| {
        let mut user = json!({"role": "user", "content": "the"});
        user.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        format!("{}\n", json!({"messages": [user]}))
    };
    let lines =
        [turns(json!({"name": "ada"})), turns(json!({"name": "bob", "mood": "calm"})), turns(json!({}))];
    let (told, answers) = ask(&world, &lines.concat());
    assert_eq!(answers.len(), 3, "{told}");
    let sentence = "turns of in.jsonl have keys that the model doesn't read, with how many lines have them: \"mood\" (1), \"name\" (2)";
    assert!(told.contains(sentence), "{told}");
    let (told, _) = ask(&world, &turns(json!({})));
    assert!(!told.contains("doesn't read"), "{told}");
    let (told, answers) = ask(
        &world,
        &format!(
            "{}\n",
            json!({"messages": [{"role": "user", "content": "the"}, {"role": "assistant", "content": "a", "reasoning_content": "b"},
                {"role": "user", "content": "the"}]})
        ),
    );
    assert!(
        told.contains("line 1") && told.contains("doesn't show the \"reasoning_content\" of turn 2"),
        "{told}"
    );
    assert_eq!(answers.len(), 0);
}
