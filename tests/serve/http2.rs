//! Clients that speak HTTP/2 with prior knowledge, by hand.

use std::time::Duration;

use dojo_studio::serve::Clients;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CONTEXT, Server, question, serve_to};
use crate::support::tiny::Tiny;

const SHORT: Duration = Duration::from_millis(60);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const WINDOW: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn serve(write: Duration) -> Server {
    let long = Duration::from_secs(3600);
    let clients = Clients { head: long, body: long, idle: long, write, stop: long, ..Clients::default() };
    serve_to(Tiny::new("llama"), None, 64, None, clients)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header that is written out.
fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0, name.len() as u8];
    bytes.extend(name.bytes());
    bytes.push(value.len() as u8);
    bytes.extend(value.bytes());
    bytes
}

/// A request on its stream.
fn asked(stream: u32, path: &str, body: &Value) -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("content-type", "application/json"),
    ];
    let head: Vec<u8> = headers.iter().flat_map(|(name, value)| header(name, value)).collect();
    let mut bytes = frame(HEADERS, END_HEADERS, stream, &head);
    bytes.extend(frame(DATA, END_STREAM, stream, body.to_string().as_bytes()));
    bytes
}

/// A connection whose streams may be sent so many bytes before more are asked for.
async fn connect(server: &Server, window: u32) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    let mut settings = vec![0, 4];
    settings.extend(window.to_be_bytes());
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &settings));
    // The connection itself has room.
    bytes.extend(frame(WINDOW, 0, 0, &(1_u32 << 30).to_be_bytes()));
    stream.write_all(&bytes).await.unwrap();
    stream
}

fn endless() -> Value {
    question(json!({ "stream": true, "max_tokens": CONTEXT - 1000, "logit_bias": { "2": -100 } }))
}

async fn until_answering(server: &Server, count: usize) {
    while server.busy.answering() != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_answer_that_its_client_has_no_room_for_ends_its_connection() {
    // Streamed or whole, with no room at all or for a few bytes.
    let long = question(json!({ "n": 8, "logprobs": true, "top_logprobs": 20 }));
    for (window, body) in [(0, endless()), (100, endless()), (0, long.clone()), (10, long)] {
        let server = serve(SHORT);
        let mut stream = connect(&server, window).await;
        stream.write_all(&asked(1, "/v1/chat/completions", &body)).await.unwrap();
        until_answering(&server, 1).await;
        // What comes is read, but never asked for.
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        until_answering(&server, 0).await;
        server.end().await;
    }
}

#[tokio::test]
async fn answers_of_one_connection_are_counted_each_and_outlast_the_time_for_taking_them() {
    let server = serve(SHORT);
    let mut stream = connect(&server, 1 << 30).await;
    stream.write_all(&asked(1, "/v1/chat/completions", &endless())).await.unwrap();
    stream.write_all(&asked(3, "/v1/chat/completions", &endless())).await.unwrap();
    until_answering(&server, 2).await;
    let begun = std::time::Instant::now();
    let mut bytes = [0; 4096];
    while begun.elapsed() < 3 * SHORT {
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
    }
    assert_eq!(server.busy.answering(), 2);
    drop(stream);
    until_answering(&server, 0).await;
    server.end().await;
}
