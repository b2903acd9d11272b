//! The HTTP API over a tiny model, asked by a real client.

mod browsers;
mod forms;
mod hostile;
mod http2;
mod library;
mod parts;
mod plain_words;
mod responses;
mod shelf;
mod slow;
mod template_settings;
mod tools;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::teacher::TeacherSettings;
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::embed::Embedder;
use dojo_studio::engine::generate::{Limits, Precision, Prompter, load};
use dojo_studio::engine::model::ModelFiles;
use dojo_studio::serve::{
    Access, AllowedOrigin, Bound, Busy, Clients, ServeEnd, Served, Settings, bind, listen,
};
use dojo_studio::teacher::budget::Budget;
use dojo_studio::teacher::cache::AnswerCache;
use dojo_studio::teacher::client::Teacher;
use dojo_studio::teacher::clock::{Clock, MachineClock};
use dojo_studio::teacher::{self, ApiKey, Speaker};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::engine::embed::write_tiny_bert;
use crate::support::tiny::Tiny;

/// So long that an answer that fills it outlasts whatever a test does meanwhile.
const CONTEXT: usize = 16_384;

struct Server {
    url: String,
    client: Client,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<anyhow::Result<ServeEnd>>,
    busy: Busy,
    _place: tempfile::TempDir,
}

async fn serve(api_key: Option<&str>, queue: usize) -> Server {
    serve_with(api_key, queue, None).await
}

async fn serve_with(api_key: Option<&str>, queue: usize, embedder: Option<Embedder>) -> Server {
    serve_to(Tiny::new("llama"), api_key, queue, embedder, Clients::default())
}

async fn serve_model(tiny: Tiny, api_key: Option<&str>, queue: usize, embedder: Option<Embedder>) -> Server {
    serve_to(tiny, api_key, queue, embedder, Clients::default())
}

fn serve_to(
    tiny: Tiny,
    api_key: Option<&str>,
    queue: usize,
    embedder: Option<Embedder>,
    clients: Clients,
) -> Server {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny { tied: false, context: CONTEXT, ..tiny }.open_folder(place.path());
    let limits = Limits { threads: 1, ..Limits::default() };
    let served = Served {
        name: "tiny".into(),
        prompter: Prompter::new(&model).unwrap(),
        generator: load(&model, Precision::Full, &ComputeDevice::Cpu, limits).unwrap(),
        adapters: BTreeMap::new(),
        embedder,
    };
    let bound = bind(served, settings(api_key, queue, clients)).unwrap();
    answering(bound, place)
}

fn settings(api_key: Option<&str>, queue: usize, clients: Clients) -> Settings {
    Settings {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        api_key: api_key.map(str::to_owned),
        queue,
        body: 64 << 10,
        origins: vec![AllowedOrigin::Local],
        clients,
        log: Some(note),
    }
}

fn answering(bound: Bound, place: tempfile::TempDir) -> Server {
    let url = format!("http://{}", bound.address().unwrap());
    let busy = bound.busy();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let done = tokio::spawn(bound.run(async move { drop(stopped.await) }));
    Server { url, client: Client::new(), stop: Some(stop), done, busy, _place: place }
}

/// What the servers of all tests were asked.
static NOTED: Mutex<Vec<Access>> = Mutex::new(Vec::new());

fn note(access: &Access) {
    NOTED.lock().unwrap().push(access.clone());
}

impl Server {
    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).body(body.to_string());
        request.header("content-type", "application/json").send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    async fn chat(&self, body: Value) -> Value {
        let response = self.post("/v1/chat/completions", &body).await;
        assert_eq!(response.status(), 200);
        json_of(response).await
    }

    async fn refusal(&self, path: &str, body: Value) -> (u16, String) {
        let response = self.post(path, &body).await;
        let status = response.status().as_u16();
        (status, json_of(response).await["error"]["message"].as_str().unwrap().to_owned())
    }

    async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    async fn end(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        drop(self.client);
        self.done.await.unwrap().unwrap();
    }
}

async fn json_of(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn question(more: Value) -> Value {
    let mut body =
        json!({ "messages": [{ "role": "user", "content": "the other" }], "max_tokens": 24, "seed": 7 });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The JSON objects of an event stream, which must end with `[DONE]`.
async fn streamed(response: Response) -> Vec<Value> {
    let text = response.text().await.unwrap();
    let mut data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.pop(), Some("[DONE]"));
    data.into_iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn content(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test]
async fn a_chat_streams_what_it_answers_whole() {
    let server = serve(None, 8).await;
    let whole = server.chat(question(json!({ "logprobs": true, "top_logprobs": 2 }))).await;
    let choice = &whole["choices"][0];
    assert_eq!(choice["message"]["role"], "assistant");
    let count = whole["usage"]["completion_tokens"].as_u64().unwrap() as usize;
    let logprobs = choice["logprobs"]["content"].as_array().unwrap();
    // The token that ends an answer writes nothing, and isn't told.
    assert!(logprobs.len() == count || logprobs.len() + 1 == count);
    assert!(logprobs.iter().all(|token| token["top_logprobs"].as_array().unwrap().len() == 2));
    let body = question(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let chunks = streamed(server.post("/v1/chat/completions", &body).await).await;
    assert_eq!(content(&chunks), choice["message"]["content"].as_str().unwrap());
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let last = chunks.last().unwrap();
    assert_eq!(last["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], choice["finish_reason"]);
    server.end().await;
}

#[tokio::test]
async fn several_choices_plain_completions_and_stop_texts_are_served() {
    let server = serve(None, 8).await;
    let several = server.chat(question(json!({ "n": 3, "temperature": 1.5 }))).await;
    assert_eq!(several["choices"].as_array().unwrap().len(), 3);
    let body = json!({ "prompt": "the ", "max_tokens": 10, "temperature": 0, "logprobs": 1 });
    let response = json_of(server.post("/v1/completions", &body).await).await;
    let choice = &response["choices"][0];
    let tokens = choice["logprobs"]["tokens"].as_array().unwrap().len();
    assert_eq!(tokens as u64, response["usage"]["completion_tokens"].as_u64().unwrap());
    let models = json_of(server.get("/v1/models").await).await;
    assert_eq!(models["data"][0]["id"], "tiny");
    assert_eq!(server.get("/health").await.status(), 200);
    server.end().await;
}

#[tokio::test]
async fn a_response_format_is_kept() {
    let server = serve(None, 8).await;
    let schema = json!({
        "type": "object",
        "properties": { "label": { "enum": ["yes", "no"] } },
        "required": ["label"],
        "additionalProperties": false,
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "verdict", "schema": schema } });
    let answer = server.chat(question(json!({ "response_format": format, "max_tokens": 60 }))).await;
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    let value: Value = serde_json::from_str(text).unwrap();
    assert!(["yes", "no"].contains(&value["label"].as_str().unwrap()));
    server.end().await;
}

#[tokio::test]
async fn what_cant_be_served_is_refused_in_words() {
    let server = serve(None, 8).await;
    let chat = "/v1/chat/completions";
    let cases = [
        (chat, question(json!({ "tools": [{ "type": "function" }] })), 400, "tools"),
        (chat, question(json!({ "model": "gpt-9" })), 404, "gpt-9"),
        (chat, question(json!({ "temperature": -1 })), 400, "temperature is -1"),
        (chat, question(json!({ "n": 0 })), 400, "n is 0"),
        (chat, question(json!({ "response_format": { "type": "yaml" } })), 400, "response_format"),
        (chat, json!({ "messages": [{ "role": "narrator", "content": "x" }] }), 400, "narrator"),
        (
            chat,
            json!({ "messages": [{ "role": "user", "content": "in ".repeat(20_000) }] }),
            400,
            "maximum context length is 16384",
        ),
        (
            chat,
            json!({ "messages": [{ "role": "user", "content": "x".repeat(70_000) }] }),
            413,
            "length limit",
        ),
        (chat, json!({ "messages": 5 }), 400, "messages must be a list, and is 5"),
        ("/v1/embeddings", json!({ "input": "x" }), 501, "--embeddings"),
        ("/v1/nothing", json!({}), 404, "no such endpoint"),
    ];
    for (path, body, status, words) in cases {
        let (found, message) = server.refusal(path, body).await;
        assert_eq!(found, status, "{message}");
        assert!(message.contains(words), "{message}");
    }
    server.end().await;
}

#[tokio::test]
async fn embeddings_are_given_as_numbers_and_as_base64() {
    let bert = tempfile::tempdir().unwrap();
    write_tiny_bert(bert.path());
    let embedder = Embedder::open(&ModelFiles::at(bert.path()).unwrap()).unwrap();
    // Not by the folders that it lies in.
    let name = bert.path().file_name().unwrap().to_str().unwrap().to_owned();
    let expected = embedder.embed(&["a b c", "x"]).unwrap();
    let server = serve_with(None, 8, Some(embedder)).await;
    let path = "/v1/embeddings";
    let listed = json_of(server.get("/v1/models").await).await;
    assert!(listed["data"].as_array().unwrap().iter().any(|model| model["id"] == name.as_str()), "{listed}");
    let body = json!({ "model": name, "input": ["a b c", "x"] });
    let plain = json_of(server.post(path, &body).await).await;
    let vector = |number: usize| -> Vec<f32> {
        let values = plain["data"][number]["embedding"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap() as f32).collect()
    };
    assert_eq!([vector(0), vector(1)].as_slice(), expected.vectors.as_slice());
    assert_eq!(plain["usage"]["prompt_tokens"], expected.tokens);
    let body = json!({ "model": name, "input": "x", "encoding_format": "base64" });
    let packed = json_of(server.post(path, &body).await).await;
    let text = packed["data"][0]["embedding"].as_str().unwrap();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(values, expected.vectors[1]);
    // As the model's own tokens, and cut to what it reads.
    let tokenizer = tokenizers::Tokenizer::from_file(bert.path().join("tokenizer.json")).unwrap();
    let ids = tokenizer.encode("a b c", false).unwrap().get_ids().to_vec();
    let body = json!({ "model": name, "input": [ids.clone(), ids] });
    let tokens = json_of(server.post(path, &body).await).await;
    assert_eq!(tokens["data"][1]["embedding"], plain["data"][0]["embedding"]);
    let long = "a ".repeat(100);
    let body = json!({ "model": name, "input": long, "truncate": true });
    assert_eq!(server.post(path, &body).await.status(), 200);
    let cases = [
        (json!({ "model": "other", "input": "x" }), 404, "gives no embeddings"),
        (json!({ "model": name, "input": [] }), 400, "0 texts"),
        (json!({ "model": name, "input": "x", "encoding_format": "hex" }), 400, "hex"),
        (json!({ "model": name, "input": "x", "dimensions": 3 }), 400, "16 dimensions"),
        (json!({ "model": name, "input": 5 }), 400, "input must be a text, a list of texts"),
        (json!({ "model": name, "input": [[99_999]] }), 400, "check_embedding_ctx_length=False"),
        (json!({ "model": name, "input": "x", "colour": "red" }), 400, "doesn't know the field colour"),
        (json!({ "model": name, "input": ["x", "a ".repeat(100)] }), 400, "input[1] has more than"),
    ];
    for (body, status, words) in cases {
        let (found, message) = server.refusal(path, body).await;
        assert!(found == status && message.contains(words), "{found}: {message}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_served_model_teaches_and_keeps_to_the_schema() {
    let server = serve(Some("secret"), 8).await;
    let text = format!("base_url = \"{}/v1\"\nmodel = \"tiny\"\njson_schema = true\n", server.url);
    let settings: TeacherSettings = toml::from_str(&text).unwrap();
    let cache = Arc::new(AnswerCache::in_memory().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(MachineClock::default());
    let key = Some(ApiKey::new("secret"));
    let teacher = Teacher::new("own", settings, key, cache, Budget::default(), clock).unwrap();
    let schema = json!({
        "type": "object",
        "properties": { "label": { "enum": ["0", "1"] }, "why": { "type": "string", "maxLength": 9 } },
        "required": ["label", "why"],
        "additionalProperties": false,
    });
    let request = teacher::request::Request {
        messages: vec![Message::new(Role::User, "which label?")],
        max_tokens: 200,
        temperature: 1.0,
        schema: Some(("nli", schema)),
        draw: 0,
    };
    let answer = teacher.ask(&request).await.unwrap();
    let value: Value = serde_json::from_str(&answer.text).unwrap();
    assert!(["0", "1"].contains(&value["label"].as_str().unwrap()), "{value}");
    server.end().await;
}

#[tokio::test]
async fn a_key_is_asked_for_where_one_is_set() {
    let server = serve(Some("secret"), 8).await;
    assert_eq!(server.refusal("/v1/chat/completions", question(json!({}))).await.0, 401);
    assert_eq!(server.get("/v1/models").await.status(), 401);
    assert_eq!(server.get("/health").await.status(), 200);
    let request = server.client.get(format!("{}/v1/models", server.url)).bearer_auth("secret");
    assert_eq!(request.send().await.unwrap().status(), 200);
    server.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_with_it() {
    let server = serve(None, 8).await;
    let body = question(json!({ "stream": true, "max_tokens": CONTEXT - 1000, "logit_bias": { "2": -100 } }));
    let mut response = server.post("/v1/chat/completions", &body).await;
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    // The count says when it was noticed; a request that ran to its end would leave it at zero.
    while server.metric("dojo_requests_cancelled_total").await < 1.0 {
        assert!(server.metric("dojo_generated_tokens_total").await < 15_000.0);
    }
    server.end().await;
}

#[tokio::test]
async fn many_clients_stream_at_once_and_too_many_are_turned_away() {
    let server = serve(None, 16).await;
    let body = question(json!({ "stream": true }));
    let expected = content(&streamed(server.post("/v1/chat/completions", &body).await).await);
    let all =
        (0..16).map(|_| async { content(&streamed(server.post("/v1/chat/completions", &body).await).await) });
    for text in futures::future::join_all(all).await {
        assert_eq!(text, expected);
    }
    let long = question(json!({ "max_tokens": 500, "logit_bias": { "2": -100 } }));
    let statuses = futures::future::join_all(
        (0..40).map(|_| async { server.post("/v1/chat/completions", &long).await.status().as_u16() }),
    );
    let statuses = statuses.await;
    assert!(statuses.contains(&429), "{statuses:?}");
    assert!(statuses.iter().filter(|&&status| status == 200).count() >= 16, "{statuses:?}");
    server.end().await;
}

#[tokio::test]
async fn whoever_has_an_answer_can_ask_again_at_once() {
    let server = serve(None, 1).await;
    for round in 0..200 {
        let body = question(json!({ "max_tokens": 1, "stream": round % 2 == 0 }));
        let response = server.post("/v1/chat/completions", &body).await;
        assert_eq!(response.status(), 200, "round {round}");
        response.text().await.unwrap();
    }
    let refused = json!({ "messages": [], "max_tokens": 0, "n": 0 });
    for _ in 0..50 {
        assert_eq!(server.refusal("/v1/chat/completions", refused.clone()).await.0, 400);
    }
    server.end().await;
}

#[tokio::test]
async fn an_address_open_to_all_needs_a_key() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(place.path());
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
        adapters: BTreeMap::new(),
        embedder: None,
    };
    let address = SocketAddr::from(([0, 0, 0, 0], 0));
    let settings = |key: Option<&str>| Settings {
        address,
        api_key: key.map(str::to_owned),
        queue: 1,
        body: 1 << 10,
        origins: Vec::new(),
        clients: Clients::default(),
        log: None,
    };
    // A key of blanks is none.
    assert!(listen(settings(Some("  "))).err().unwrap().to_string().contains("DOJO_API_KEY"));
    let outcome = bind(served, settings(None));
    assert!(outcome.err().unwrap().to_string().contains("DOJO_API_KEY"));
}

#[tokio::test]
async fn every_request_is_told_without_what_may_be_secret() {
    let server = serve(None, 1).await;
    assert_eq!(server.get("/v1/models/nobody-else-asks-for?key=sk-secret").await.status(), 404);
    server.end().await;
    let noted = NOTED.lock().unwrap();
    let own = noted.iter().find(|access| access.path.contains("nobody-else-asks-for")).unwrap();
    assert_eq!((own.method.as_str(), own.status), ("GET", 404));
    assert_eq!(own.path, "/v1/models/nobody-else-asks-for");
}
