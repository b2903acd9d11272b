//! Answers from a library: found, shown to the model, cited, or refused.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use dojo_studio::app::library::answer::LibraryPrompts;
use dojo_studio::app::library::served::LibraryDesk;
use dojo_studio::config::Folders;
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::retrieval::SearchMode;
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{Limits, Precision, Prompter, load};
use dojo_studio::rag::add::{Adder, ChunkCut};
use dojo_studio::rag::answer::{AskedConversation, standing_alone};
use dojo_studio::rag::library::Library;
use dojo_studio::serve::{Clients, Served, ServedLibrary, listen};
use serde_json::{Value, json};

use super::{Server, answering, content, json_of, settings, streamed};
use crate::rag::world::{Patient, document, query, source};
use crate::support::tiny::{Tiny, tools_template};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// A session with a library that is found by its words, and a server that answers from it.
struct LibraryWorld {
    server: Server,
    place: PathBuf,
    folders: Folders,
}

const DOCUMENTS: [(&str, &str); 3] = [
    ("salmon.md", "Salmon swim upstream to spawn in the gravel of cold rivers."),
    ("granite.md", "Granite is a rock of quartz and feldspar."),
    ("heron.md", "Herons stand in shallow rivers and wait for fish."),
];

/// What libraries complained of.
static COMPLAINTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn complain(error: &str) {
    COMPLAINTS.lock().unwrap().push(error.to_owned());
}

fn fill(folder: &std::path::Path, documents: &[(&str, &str)]) {
    let mut library = Library::create(folder).unwrap();
    let mut host = Patient(usize::MAX);
    let mut adder = Adder::new(&mut library, None, ChunkCut::Whole, &mut host).unwrap();
    for (name, text) in documents {
        let document = document(name, text);
        assert!(adder.offer(source(&document), &document, None).unwrap());
    }
    assert!(adder.finish().unwrap().is_some());
}

impl LibraryWorld {
    fn new() -> Self {
        Self::of(Tiny::new("llama"), 2048)
    }

    fn of(tiny: Tiny, prompt_tokens: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().to_path_buf();
        let folders = Folders::under(&place);
        fill(&place.join("session/library"), &DOCUMENTS);
        let (desk, counts) =
            LibraryDesk::start(folders.clone(), place.join("session/library"), 5, complain).unwrap();
        assert_eq!(counts.documents, 3);
        let model = Tiny { tied: false, context: super::CONTEXT, ..tiny }.open_folder(&place.join("model"));
        let served = Served {
            name: "tiny".into(),
            prompter: Prompter::new(&model).unwrap(),
            generator: load(
                &model,
                Precision::Full,
                &ComputeDevice::Cpu,
                Limits { threads: 1, ..Limits::default() },
            )
            .unwrap(),
            adapters: std::collections::BTreeMap::new(),
            embedder: None,
        };
        let library = ServedLibrary { name: "notes".into(), prompt_tokens, library: Arc::new(desk) };
        let listening = listen(settings(None, 64, Clients::default())).unwrap();
        let bound = listening.from_libraries(vec![library]).unwrap().with(served).unwrap();
        Self { server: answering(bound, home), place, folders }
    }

    fn library(&self) -> PathBuf {
        self.place.join("session/library")
    }

    fn prompts(&self) -> LibraryPrompts {
        LibraryPrompts::load(&self.folders, &self.place.join("session")).unwrap()
    }

    /// What `dojo rag ask` would ask the model, as a request of its own.
    fn by_hand(&self, words: &str) -> Value {
        let mut library = Library::open(&self.library()).unwrap();
        let mut asked = query(SearchMode::Bm25, words);
        asked.top = 5;
        let passages = library.search(&asked, None).unwrap().passages;
        let prompt = self.prompts().answer(words, &[], &passages, 2048, |_| Ok(0)).unwrap();
        let turns =
            prompt.messages.iter().map(|turn| json!({ "role": turn.role.name(), "content": turn.content }));
        json!({ "messages": turns.collect::<Vec<_>>(), "library": false })
    }
}

fn asked(words: &str, more: Value) -> Value {
    let mut body = json!({
        "messages": [{ "role": "user", "content": words }], "max_tokens": 24, "temperature": 0,
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn an_answer_is_from_the_prompt_that_the_shell_makes_and_says_where_from() {
    let world = LibraryWorld::new();
    let words = "Where do salmon swim?";
    let whole = world.server.chat(asked(words, json!({}))).await;
    let by_hand = with(world.by_hand(words), json!({ "max_tokens": 24, "temperature": 0 }));
    let by_hand = world.server.chat(by_hand).await;
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], by_hand["choices"][0]["message"]["content"]);
    assert_eq!(whole["usage"]["prompt_tokens"], by_hand["usage"]["prompt_tokens"]);
    assert_eq!(whole["usage"]["completion_tokens"], by_hand["usage"]["completion_tokens"]);
    assert_eq!(by_hand["choices"][0]["message"].get("citations"), None);

    let citations = &message["citations"];
    assert_eq!((&citations["library"], &citations["question"]), (&json!("notes"), &json!(words)));
    assert_eq!((&citations["rewriting"], &citations["left_out"]), (&Value::Null, &json!(0)));
    let passages = citations["passages"].as_array().unwrap();
    assert_eq!(passages.len(), 1, "{citations}");
    let shown = &passages[0];
    assert_eq!((&shown["number"], &shown["source"]), (&json!(1), &json!("salmon.md")));
    assert_eq!((&shown["text"], &shown["dense"]), (&json!(DOCUMENTS[0].1), &Value::Null));
    assert!(shown["bm25"]["score"].as_f64().unwrap() > 0.0 && shown["cited"].is_boolean(), "{shown}");
    for list in ["cited", "points_nowhere", "in_no_passage", "uncited"] {
        assert!(citations[list].is_array(), "{list}: {citations}");
    }

    // Streamed, it is the same, and the last chunk of the choice says where it is from.
    let body = asked(words, json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = streamed(world.server.post(CHAT, &body).await).await;
    assert_eq!(content(&chunks), message["content"].as_str().unwrap());
    for count in ["prompt_tokens", "completion_tokens"] {
        assert_eq!(chunks.last().unwrap()["usage"][count], whole["usage"][count]);
    }
    let last = &chunks[chunks.len() - 2]["choices"][0];
    assert_eq!(last["finish_reason"], whole["choices"][0]["finish_reason"]);
    assert_eq!(&last["delta"]["citations"], citations);

    // And the same over the newer form.
    let body = json!({ "input": words, "max_output_tokens": 24, "temperature": 0 });
    let response = json_of(world.server.post(RESPONSES, &body).await).await;
    assert_eq!(&response["output"][0]["citations"], citations, "{response}");
    assert_eq!(response["output"][0]["content"][0]["text"], message["content"]);
    assert_eq!(response["usage"]["input_tokens"], whole["usage"]["prompt_tokens"]);

    // An answer that is sent back with its citations is taken.
    let again = json!({
        "messages": [{ "role": "user", "content": words }, message, { "role": "user", "content": "granite quartz" }],
        "max_tokens": 4,
    });
    world.server.chat(again).await;
    let item = &response["output"][0];
    let again = json!({ "input": [{ "role": "user", "content": words }, item, { "role": "user", "content": "granite" }] });
    assert_eq!(
        world.server.post(RESPONSES, &with(again, json!({ "max_output_tokens": 4 }))).await.status(),
        200
    );
    world.server.end().await;
}

#[tokio::test]
async fn several_choices_and_log_probabilities_each_say_where_they_are_from() {
    let world = LibraryWorld::new();
    let more = json!({ "n": 3, "temperature": 1.5, "logprobs": true, "seed": 5 });
    let several = world.server.chat(asked("quartz", more)).await;
    let choices = several["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 3);
    for choice in choices {
        assert_eq!(choice["message"]["citations"]["passages"][0]["source"], "granite.md");
        assert!(!choice["logprobs"]["content"].as_array().unwrap().is_empty());
    }
    let schema =
        json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": { "enum": ["yes", "no"] } } });
    let held = world.server.chat(asked("quartz", json!({ "response_format": schema }))).await;
    let said = &held["choices"][0]["message"];
    assert!(["\"yes\"", "\"no\""].contains(&said["content"].as_str().unwrap()), "{said}");
    assert_eq!(said["citations"]["passages"][0]["source"], "granite.md");
    world.server.end().await;
}

#[tokio::test]
async fn what_nothing_is_near_is_said_to_be_in_no_document_and_no_model_is_asked() {
    let world = LibraryWorld::new();
    let before = world.server.metric("dojo_requests_total").await;
    let none = json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
        "prompt_tokens_details": { "cached_tokens": 0 } });
    let whole = world.server.chat(asked("zebras", json!({ "n": 2 }))).await;
    for choice in whole["choices"].as_array().unwrap() {
        assert_eq!(choice["message"]["content"], "Not in the documents.");
        assert_eq!((&choice["finish_reason"], &choice["logprobs"]), (&json!("stop"), &Value::Null));
        assert_eq!(choice["message"]["citations"]["passages"], json!([]));
    }
    assert_eq!(whole["usage"], none);
    let other = world.server.chat(asked("zebras", json!({}))).await;
    assert_ne!(whole["id"], other["id"]);
    let body = asked("zebras", json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = streamed(world.server.post(CHAT, &body).await).await;
    assert_eq!(content(&chunks), "Not in the documents.");
    assert_eq!(chunks.last().unwrap()["usage"], none);

    // What was to have a form isn't given one that is made up.
    let held = world.server.chat(asked("zebras", json!({ "guided_regex": "[0-9]+" }))).await;
    let message = &held["choices"][0]["message"];
    assert_eq!((&message["content"], &message["refusal"]), (&Value::Null, &json!("Not in the documents.")));
    let body = json!({ "input": "zebras", "text": { "format": { "type": "json_object" } } });
    let response = json_of(world.server.post(RESPONSES, &body).await).await;
    let part = json!({ "type": "refusal", "refusal": "Not in the documents." });
    assert_eq!(
        (&response["status"], &response["output"][0]["content"]),
        (&json!("completed"), &json!([part]))
    );
    let text =
        world.server.post(RESPONSES, &with(body, json!({ "stream": true }))).await.text().await.unwrap();
    assert!(
        text.contains("event: response.refusal.done") && text.contains("event: response.completed"),
        "{text}"
    );
    assert_eq!(world.server.metric("dojo_requests_total").await, before);
    world.server.end().await;
}

#[tokio::test]
async fn a_question_that_follows_others_is_made_to_stand_alone_and_that_is_counted() {
    let world = LibraryWorld::new();
    let turns = [
        Message::new(Role::System, "Be brief."),
        Message::new(Role::User, "Where do salmon swim?"),
        Message::new(Role::Assistant, "Upstream [1]."),
        Message::new(Role::User, "granite quartz feldspar?"),
    ];
    let conversation = AskedConversation::of(&turns).unwrap();
    let rewriting = world.prompts().follow_up(&conversation, 4096, |_| Ok(0)).unwrap().unwrap();
    let as_json = |turns: &[Message]| -> Vec<Value> {
        turns.iter().map(|turn| json!({ "role": turn.role.name(), "content": turn.content })).collect()
    };
    let body =
        json!({ "messages": as_json(&rewriting), "max_tokens": 64, "temperature": 0, "library": false });
    let rewritten = world.server.chat(body).await;
    let written = rewritten["choices"][0]["message"]["content"].as_str().unwrap();
    let body = json!({ "messages": as_json(&turns), "max_tokens": 8, "temperature": 0 });
    let whole = world.server.chat(body).await;
    let citations = &whole["choices"][0]["message"]["citations"];
    assert_eq!(citations["question"], standing_alone(written, "granite quartz feldspar?"));
    let (rewriting, all) = (&citations["rewriting"], &whole["usage"]);
    for count in ["prompt_tokens", "completion_tokens"] {
        assert_eq!(rewriting[count], rewritten["usage"][count]);
        assert!(all[count].as_u64() >= rewriting[count].as_u64(), "{whole}");
    }
    world.server.end().await;
}

#[tokio::test]
async fn what_a_library_cant_do_is_refused_by_name() {
    let world = LibraryWorld::of(Tiny { template: tools_template(), ..Tiny::new("llama") }, 2048);
    let tools =
        json!([{ "type": "function", "function": { "name": "look", "parameters": { "type": "object" } } }]);
    let calls = json!([{ "id": "a", "type": "function", "function": { "name": "look", "arguments": "{}" } }]);
    let conversation = |last: Value| json!({ "messages": [{ "role": "user", "content": "salmon" }, last] });
    let with_call = json!({ "messages": [
        { "role": "user", "content": "salmon" },
        { "role": "assistant", "content": null, "tool_calls": calls },
        { "role": "tool", "tool_call_id": "a", "content": "x" },
        { "role": "user", "content": "and granite?" },
    ] });
    let cases = [
        (CHAT, asked("salmon", json!({ "library": "other" })), 404, "no library \"other\" here, but notes"),
        (
            CHAT,
            asked("salmon", json!({ "library": 5 })),
            400,
            "library must be a library's name, true or false",
        ),
        (CHAT, asked("salmon", json!({ "tools": tools })), 400, "tools and library can't both be used"),
        (CHAT, conversation(json!({ "role": "assistant", "content": "They" })), 400, "isn't the user's"),
        (CHAT, with_call, 400, "calls of tools"),
        (CHAT, asked("salmon", json!({ "librari": "notes" })), 400, "doesn't know the field librari"),
        (RESPONSES, json!({ "input": "salmon", "library": "other" }), 404, "no library \"other\""),
        (
            "/v1/completions",
            json!({ "prompt": "salmon", "library": "notes" }),
            400,
            "library can't be given here",
        ),
    ];
    for (path, body, status, words) in cases {
        let (found, message) = world.server.refusal(path, body).await;
        assert!(found == status && message.contains(words), "{found}: {message}");
    }
    // Without the library all of it is as ever.
    let body = asked("salmon", json!({ "tools": tools, "tool_choice": "none" }));
    assert_eq!(world.server.post(CHAT, &body).await.status(), 200);
    let body = asked("salmon", json!({ "library": false, "tools": tools }));
    assert_eq!(world.server.post(CHAT, &body).await.status(), 200);
    for library in [json!(false), Value::Null] {
        let body = json!({ "prompt": "the", "max_tokens": 2, "library": library });
        assert_eq!(world.server.post("/v1/completions", &body).await.status(), 200);
    }
    for library in [json!(true), json!("notes"), Value::Null] {
        let answer = world.server.chat(asked("salmon", json!({ "library": library }))).await;
        assert_eq!(answer["choices"][0]["message"]["citations"]["library"], "notes");
    }
    world.server.end().await;

    let server = super::serve(None, 8).await;
    for library in [json!(true), json!("notes")] {
        let (status, message) = server.refusal(CHAT, asked("salmon", json!({ "library": library }))).await;
        assert!(status == 404 && message.contains("dojo serve --library NAME"), "{status}: {message}");
    }
    server.chat(asked("salmon", json!({ "library": false }))).await;
    server.end().await;
}

#[tokio::test]
async fn a_passage_that_no_prompt_has_room_for_is_told() {
    let world = LibraryWorld::of(Tiny::new("llama"), 20);
    let (status, message) = world.server.refusal(CHAT, asked("salmon", json!({}))).await;
    assert_eq!(status, 400);
    assert!(
        message.contains("doesn't fit a prompt of 20 tokens") && message.contains("--library-prompt-tokens")
    );
    world.server.end().await;
}

#[tokio::test]
async fn many_ask_at_once_and_nobody_waits_for_whoever_adds() {
    let world = LibraryWorld::new();
    let words = "Where do salmon swim?";
    let expected = world.server.chat(asked(words, json!({}))).await["choices"][0]["message"].clone();
    let folder = world.library();
    let mut library = Library::open(&folder).unwrap();
    // Another has the index, as one that brings it up to what was added.
    library.index().unwrap();
    let body = asked(words, json!({}));
    let all = futures::future::join_all((0..24).map(|_| world.server.chat(body.clone())));
    let without = async {
        let answer = world.server.chat(asked(words, json!({ "library": false }))).await;
        assert_eq!(answer["choices"][0]["message"].get("citations"), None);
        // Only now is the index free.
        library.release();
    };
    let (answers, ()) = tokio::join!(all, without);
    for answer in answers {
        assert_eq!(answer["choices"][0]["message"], expected);
    }
    // What is added meanwhile is found.
    fill(&folder, &[("zebra.md", "Zebras have stripes.")]);
    let found = world.server.chat(asked("zebras", json!({}))).await;
    assert_eq!(found["choices"][0]["message"]["citations"]["passages"][0]["source"], "zebra.md");
    world.server.end().await;
}

#[tokio::test]
async fn a_library_that_is_taken_away_is_told_and_one_in_its_place_is_read() {
    let world = LibraryWorld::new();
    world.server.chat(asked("salmon", json!({}))).await;
    let away = world.place.join("away");
    std::fs::rename(world.library(), &away).unwrap();
    let (status, message) = world.server.refusal(CHAT, asked("salmon", json!({}))).await;
    assert_eq!(status, 503);
    assert!(message.contains("the library notes can't be read now"), "{message}");
    let told = |words: &str| COMPLAINTS.lock().unwrap().iter().any(|told| told.contains(words));
    assert!(told(&format!("there is no library in {}", world.library().display())));
    fill(&world.library(), &[("pike.md", "Pike hide among reeds.")]);
    let found = world.server.chat(asked("pike", json!({}))).await;
    assert_eq!(found["choices"][0]["message"]["citations"]["passages"][0]["source"], "pike.md");
    world.server.end().await;
}

#[test]
fn a_library_that_isnt_there_is_told_before_anything_is_served() {
    let home = tempfile::tempdir().unwrap();
    let started = LibraryDesk::start(Folders::under(home.path()), home.path().join("none"), 5, complain);
    let error = started.err().expect("refused");
    assert!(format!("{error:#}").contains("there is no library in"), "{error:#}");
}
