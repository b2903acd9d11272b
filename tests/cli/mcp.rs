//! `dojo mcp`, as an assistant talks to it: one JSON message a line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::engine::embed::write_tiny_cross_encoder;
use crate::support::program::World;

/// An assistant at the other end of the program's standard input and output.
struct Assistant {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    asked: u64,
}

impl Assistant {
    fn start(world: &World) -> Self {
        let mut command = world.command(&["mcp", "--library", "./lib"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut assistant = Self { child, to, from, asked: 0 };
        let hello = assistant.ask(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } }),
        );
        assert_eq!(hello["result"]["serverInfo"]["name"], "dojo", "{hello}");
        assert!(hello["result"]["instructions"].as_str().unwrap().contains("2 documents"), "{hello}");
        assistant.tell(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        assistant
    }

    fn tell(&mut self, message: &Value) {
        writeln!(self.to.as_mut().unwrap(), "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        self.tell(&json!({ "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params }));
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        // Logs never enter the protocol: every line is a message.
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(answer["id"], self.asked, "{answer}");
        answer
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))["result"].clone()
    }

    /// What is said to a call that can't be answered.
    fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

fn world() -> World {
    let world = World::new();
    std::fs::create_dir_all(world.path().join("notes")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(world.path().join("notes").join(name), text).unwrap();
    write("salmon.md", "# Salmon\n\nSalmon swim upstream to spawn.\n");
    write("granite.md", "# Granite\n\nGranite is a rock of quartz.\n");
    world.say(&["rag", "add", "notes", "--no-embeddings", "--library", "./lib"]);
    world
}

#[test]
fn an_assistant_finds_and_reads_documents_by_the_names_that_it_knows() {
    let world = world();
    let mut assistant = Assistant::start(&world);
    let tools = assistant.ask("tools/list", json!({}));
    let names: Vec<&str> = tools["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["query", "get", "multi_get", "status", "runs", "metrics", "records"]);

    let typed = json!({ "searches": [{ "type": "lex", "query": "swimming salmon" }], "limit": 3 });
    for arguments in
        [typed, json!({ "query": "lex: swimming salmon" }), json!({ "query": "swimming salmon" })]
    {
        let found = assistant.call("query", arguments.clone());
        let results = found["structuredContent"]["results"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{arguments}: {found}");
        assert!(results[0]["file"].as_str().unwrap().ends_with("notes/salmon.md"));
        assert!(found["content"][0]["text"].as_str().unwrap().contains("upstream"));
    }
    let read = assistant.call("get", json!({ "file": "salmon.md", "lineNumbers": true }));
    assert!(read["content"][0]["text"].as_str().unwrap().contains("Salmon swim upstream"), "{read}");
    let part = assistant.call("get", json!({ "file": "salmon.md", "maxLines": 0 }));
    let lines =
        |read: &Value| ["fromLine", "lines", "totalLines"].map(|key| read["structuredContent"][key].clone());
    assert_eq!(lines(&part), [json!(1), json!(0), lines(&read)[2].clone()]);
    assert_eq!(lines(&read)[1], lines(&read)[2]);
    let past = assistant.refused("get", json!({ "file": "salmon.md", "fromLine": 99 }));
    assert!(past.contains("and line 99 was asked for"), "{past}");
    let both = assistant.call("multi_get", json!({ "pattern": "*.md" }));
    assert_eq!(both["structuredContent"]["documents"].as_array().unwrap().len(), 2);
    assert_eq!(assistant.call("status", json!({}))["structuredContent"]["documents"], 2);
    assert_eq!(assistant.call("runs", json!({}))["structuredContent"]["runs"], json!([]));
    assistant.to = None;
    assert!(assistant.child.wait().unwrap().success(), "it ends when the assistant goes");
}

#[test]
fn what_a_tool_does_not_know_is_refused_by_name() {
    let world = world();
    let mut assistant = Assistant::start(&world);
    for (tool, arguments, said) in [
        ("query", json!({ "query": "salmon", "colour": 1 }), "colour"),
        ("query", json!({ "query": "salmon", "rerank": true }), "rerank"),
        ("query", json!({ "searches": [{ "type": "sql", "query": "x" }] }), "lex, vec or hyde"),
        ("query", json!({ "query": "salmon", "candidateLimit": 0 }), "candidateLimit"),
        ("query", json!({}), "say what to search for"),
        ("query", json!({ "query": "lex: salmon\nfoo: bar" }), "line 2 of the query begins with foo:"),
        ("query", json!({ "searches": [{ "type": "vec", "query": "fish" }] }), "embed"),
        ("get", json!({ "file": "salmo.md" }), "salmon.md"),
        ("get", json!({ "file": "#999" }), "#999"),
        ("metrics", json!({ "run": "none" }), "none"),
        ("delete", json!({}), "there is no tool delete"),
    ] {
        let refused = assistant.refused(tool, arguments.clone());
        assert!(refused.contains(said), "{tool} {arguments}: {refused}");
    }
}

#[test]
fn an_index_that_an_assistant_keeps_open_is_lent_to_others() {
    let world = world();
    let mut assistant = Assistant::start(&world);
    let found = |assistant: &mut Assistant| {
        assistant.call("query", json!({ "query": "lex: quartz -salmon" }))["structuredContent"]["results"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(found(&mut assistant), 1);
    // The shell's search and its adding both want the index meanwhile.
    assert!(world.say(&["rag", "search", "salmon", "--library", "./lib"]).contains("upstream"));
    std::fs::write(world.path().join("notes/more.md"), "# More\n\nQuartz is hard.\n").unwrap();
    world.say(&["rag", "add", "--library", "./lib"]);
    assert_eq!(found(&mut assistant), 2);
}

#[test]
fn what_is_meant_and_how_many_are_kept_is_used_and_told() {
    let world = world();
    let mut assistant = Assistant::start(&world);
    let both = assistant.call("query", json!({ "query": "salmon rock" }));
    assert_eq!(both["structuredContent"]["results"].as_array().unwrap().len(), 2, "{both}");
    let one = json!({ "query": "salmon rock", "candidateLimit": 1, "rerank": false, "intent": "the fish" });
    let one = assistant.call("query", one);
    assert_eq!(one["structuredContent"]["results"].as_array().unwrap().len(), 1, "{one}");
    let trace = &one["structuredContent"]["trace"];
    assert_eq!((&trace["intent"], &trace["rerank"]), (&json!("the fish"), &Value::Null));
    assert!(one["content"][0]["text"].as_str().unwrap().contains("the intent changed nothing"), "{one}");
}

#[test]
fn passages_are_reranked_by_the_model_of_the_settings_unless_that_is_not_wanted() {
    let world = world();
    write_tiny_cross_encoder(&world.path().join("cross"), 1);
    std::fs::create_dir_all(world.path().join("settings")).unwrap();
    let settings = "[search]\nrerank = \"./cross\"\nrerank_ms = 60000\n";
    std::fs::write(world.path().join("settings/settings.toml"), settings).unwrap();
    let mut assistant = Assistant::start(&world);
    for (arguments, reached) in [
        (json!({ "query": "salmon rock" }), json!(2)),
        (json!({ "query": "salmon rock", "rerank": true, "candidateLimit": 1 }), json!(1)),
        (json!({ "query": "salmon rock", "rerank": false }), Value::Null),
        (json!({ "searches": [{ "type": "lex", "query": "salmon" }] }), json!(1)),
    ] {
        let found = assistant.call("query", arguments.clone());
        assert_eq!(found["structuredContent"]["trace"]["rerank"]["reached"], reached, "{arguments}: {found}");
    }
}
