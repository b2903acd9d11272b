//! Clients that say nothing, take nothing, or stay while the server is to end.

use std::time::{Duration, Instant};

use dojo_studio::serve::{Clients, ServeEnd};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::{CONTEXT, Server, question, serve_to};
use crate::support::tiny::Tiny;

const SHORT: Duration = Duration::from_millis(60);

/// Without an end where a test doesn't shorten it.
fn patient() -> Clients {
    let long = Duration::from_secs(3600);
    Clients { head: long, body: long, idle: long, write: long, stop: long, ..Clients::default() }
}

fn serve(clients: Clients) -> Server {
    serve_to(Tiny::new("llama"), None, 64, None, clients)
}

fn address(server: &Server) -> &str {
    server.url.strip_prefix("http://").unwrap()
}

async fn connect(server: &Server, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address(server)).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes; a reset is an end too.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.ok();
    String::from_utf8(bytes).unwrap()
}

fn head(length: usize) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}

fn whole(body: &Value) -> String {
    let body = body.to_string();
    head(body.len()) + &body
}

/// An answer that doesn't end while a test runs.
fn endless() -> Value {
    question(json!({ "stream": true, "max_tokens": CONTEXT - 1000, "logit_bias": { "2": -100 } }))
}

async fn until_answering(server: &Server, count: usize) {
    while server.busy.answering() != count {
        tokio::task::yield_now().await;
    }
}

/// An answer's head and its first piece have come.
async fn begun(server: &Server) -> TcpStream {
    let mut stream = connect(server, &whole(&endless())).await;
    let mut bytes = [0; 4096];
    let mut text = String::new();
    while !text.contains("data: ") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    stream
}

#[tokio::test]
async fn a_head_or_a_body_that_doesnt_come_ends_its_connection() {
    let server = serve(Clients { head: SHORT, body: SHORT, ..patient() });
    for said in ["", "GET /health HT", "GET /health HTTP/1.1\r\nhost: loc"] {
        assert_eq!(rest(connect(&server, said).await).await, "", "{said:?}");
    }
    let answer = rest(connect(&server, &(head(100) + "{")).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timeout"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    // A head without an end is no way around.
    let endless = format!("GET /health HTTP/1.1\r\nx: {}", "x".repeat(1 << 20));
    let mut stream = TcpStream::connect(address(&server)).await.unwrap();
    stream.write_all(endless.as_bytes()).await.ok();
    rest(stream).await;
    server.end().await;
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_ends_when_none_comes() {
    let server = serve(Clients { idle: SHORT, ..patient() });
    let mut stream = TcpStream::connect(address(&server)).await.unwrap();
    for _ in 0..3 {
        stream.write_all(whole(&question(json!({ "max_tokens": 2 }))).as_bytes()).await.unwrap();
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(String::from_utf8_lossy(&bytes[..count]).starts_with("HTTP/1.1 200 "));
    }
    rest(stream).await;
    server.end().await;
}

#[tokio::test]
async fn an_answer_may_take_longer_than_a_client_may_be_silent() {
    let server = serve(Clients { head: SHORT, body: SHORT, idle: SHORT, write: SHORT, ..patient() });
    for stream in [false, true] {
        let mut tokens = 512;
        loop {
            let more = json!({ "max_tokens": tokens, "stream": stream, "logit_bias": { "2": -100 } });
            let begun = Instant::now();
            let response = server.post("/v1/chat/completions", &question(more)).await;
            assert_eq!(response.status(), 200);
            let text = response.text().await.unwrap();
            assert!(if stream { text.ends_with("[DONE]\n\n") } else { text.ends_with('}') });
            if begun.elapsed() > 4 * SHORT {
                break;
            }
            tokens *= 2;
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_answer() {
    let server = serve(Clients { write: SHORT, ..patient() });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address(&server).parse().unwrap()).await.unwrap();
    // Far more than the system's buffers hold.
    let mut body = endless();
    body.as_object_mut().unwrap().extend([
        ("logprobs".to_owned(), json!(true)),
        ("top_logprobs".to_owned(), json!(20)),
        ("n".to_owned(), json!(4)),
    ]);
    stream.write_all(whole(&body).as_bytes()).await.unwrap();
    until_answering(&server, 1).await;
    // It is neither closed nor read.
    while server.busy.answering() > 0 {
        server.get("/health").await;
    }
    drop(stream);
    server.end().await;
}

#[tokio::test]
async fn a_new_connection_takes_the_place_of_the_longest_silent_one() {
    let server = serve(Clients { connections: 3, ..patient() });
    let first = connect(&server, "GET /health HT").await;
    let others = [connect(&server, &(head(100) + "{")).await, connect(&server, "").await];
    assert_eq!(server.get("/health").await.status(), 200);
    assert_eq!(rest(first).await, "");
    drop(others);
    // Whoever is being answered keeps the place.
    let answered = [begun(&server).await, begun(&server).await, begun(&server).await];
    assert!(rest(connect(&server, "").await).await.contains("connections_full"));
    assert_eq!(server.busy.answering(), 3);
    drop(answered);
    until_answering(&server, 0).await;
    assert_eq!(server.get("/health").await.status(), 200);
    server.end().await;
}

#[tokio::test]
async fn half_sent_bodies_have_a_bound_together_and_small_ones_pass() {
    let server = serve(Clients { half_sent: 0, ..patient() });
    // The bound is one body of the longest length; the beginning of each is free.
    let most = 64 << 10;
    let big = |length: usize| question(json!({ "user": "x".repeat(length), "max_tokens": 2 }));
    let held = connect(&server, &(head(most) + &"x".repeat(most - 1))).await;
    while server.post("/v1/chat/completions", &big(40_000)).await.status() != 503 {}
    assert_eq!(server.post("/v1/chat/completions", &big(1000)).await.status(), 200);
    drop(held);
    while server.post("/v1/chat/completions", &big(40_000)).await.status() != 200 {}
    server.end().await;
}

#[tokio::test]
async fn an_end_waits_for_answers_only_and_not_for_long() {
    let mut server = serve(Clients { stop: SHORT, ..patient() });
    let half = connect(&server, &(head(100) + "{")).await;
    let silent = connect(&server, "").await;
    let answered = begun(&server).await;
    server.stop.take().unwrap().send(()).unwrap();
    assert_eq!(rest(half).await, "");
    assert_eq!(rest(silent).await, "");
    assert!(!rest(answered).await.contains("[DONE]"));
    assert_eq!(server.done.await.unwrap().unwrap(), ServeEnd::Cut(1));
    // An answer that ends in its time is whole.
    let mut server = serve(patient());
    let mut body = endless();
    body["max_tokens"] = json!(600);
    let answered = connect(&server, &whole(&body)).await;
    until_answering(&server, 1).await;
    server.stop.take().unwrap().send(()).unwrap();
    assert!(rest(answered).await.contains("[DONE]"));
    assert_eq!(server.done.await.unwrap().unwrap(), ServeEnd::Whole);
}

/// What a stream says last before its connection ends, as JSON.
fn last_said(text: &str) -> Value {
    let last = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test]
async fn whoever_is_cut_off_is_told_so_in_every_form() {
    let mut plain = endless();
    plain.as_object_mut().unwrap().remove("messages");
    plain["prompt"] = json!("the other");
    // Longer than a test runs, without a word against the end token.
    let responses = json!({ "input": "the other", "stream": true, "logit_bias": { "2": -100 } });
    let forms =
        [("/v1/chat/completions", endless()), ("/v1/completions", plain), ("/v1/responses", responses)];
    for (path, body) in forms {
        let mut server = serve(Clients { stop: SHORT, ..patient() });
        let mut response = server.post(path, &body).await;
        assert_eq!(response.status(), 200, "{path}");
        let mut text = String::new();
        while !text.contains("data: ") {
            text.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().unwrap()));
        }
        let mut whole = body.clone();
        whole["stream"] = json!(false);
        let asking = server.client.post(format!("{}{path}", server.url)).body(whole.to_string());
        let asking = asking.header("content-type", "application/json").send();
        tokio::pin!(asking);
        tokio::select! {
            _ = &mut asking => panic!("it has an end"),
            () = until_answering(&server, 2) => {}
        }
        server.stop.take().unwrap().send(()).unwrap();
        while let Some(part) = response.chunk().await.unwrap() {
            text.push_str(&String::from_utf8_lossy(&part));
        }
        let error = last_said(&text)["error"].clone();
        assert_eq!(error["code"], "server_stopping", "{path}: {error}");
        assert_eq!(error["type"], "server_error");
        assert!(error["message"].as_str().unwrap().contains("the server was stopped"));
        assert!(!text.contains("[DONE]"), "{path}");
        assert_eq!(text.contains("event: response.failed"), path == "/v1/responses");
        // One that isn't streamed is an error as a whole.
        let refused = asking.await.unwrap();
        assert_eq!(refused.status(), 503, "{path}");
        let body: Value = serde_json::from_str(&refused.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "server_stopping", "{path}");
        assert_eq!(server.done.await.unwrap().unwrap(), ServeEnd::Cut(2));
    }
}

#[tokio::test]
async fn a_hurry_cuts_off_before_the_time_is_over() {
    let mut server = serve(patient());
    let answered = begun(&server).await;
    server.stop.take().unwrap().send(()).unwrap();
    server.busy.hurry();
    let text = rest(answered).await;
    assert!(text.contains("server_stopping"), "{text}");
    assert_eq!(server.done.await.unwrap().unwrap(), ServeEnd::Cut(1));
}
