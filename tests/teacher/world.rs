//! A teacher on a local endpoint, with a clock that never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::teacher::TeacherSettings;
use dojo_studio::teacher::ApiKey;
use dojo_studio::teacher::budget::Budget;
use dojo_studio::teacher::cache::AnswerCache;
use dojo_studio::teacher::client::Teacher;
use dojo_studio::teacher::clock::Clock;
use dojo_studio::teacher::request::Request;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Time goes on only by waiting, and waiting takes none.
#[derive(Default)]
pub(crate) struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + self.now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.0.fetch_add(duration.as_nanos() as u64, Ordering::SeqCst);
        Box::pin(tokio::task::yield_now())
    }
}

pub(crate) const KEY: &str = "sk-very-secret-0123456789";

pub(crate) struct World {
    pub(crate) teacher: Teacher,
    pub(crate) clock: Arc<TestClock>,
}

pub(crate) fn settings(base_url: &str) -> TeacherSettings {
    let text = format!(
        "base_url = \"{base_url}\"\nmodel = \"m1\"\nkey_env = \"DOJO_TEST_KEY\"\ntimeout_seconds = 1\n\
         price_per_million_input = 1.0\nprice_per_million_output = 2.0\n"
    );
    toml::from_str(&text).expect("settings of a teacher")
}

pub(crate) fn world(base_url: &str) -> World {
    world_with(settings(base_url), Budget::default(), Arc::new(AnswerCache::in_memory().expect("a cache")))
}

pub(crate) fn world_with(settings: TeacherSettings, budget: Budget, cache: Arc<AnswerCache>) -> World {
    let clock = Arc::new(TestClock::default());
    let shared: Arc<dyn Clock> = clock.clone();
    let teacher =
        Teacher::new("t", settings, Some(ApiKey::new(KEY)), cache, budget, shared).expect("a teacher");
    World { teacher, clock }
}

pub(crate) fn request(text: &str) -> Request {
    Request {
        messages: vec![Message::new(Role::User, text)],
        max_tokens: 100,
        temperature: 0.0,
        schema: None,
        draw: 0,
    }
}

/// The body of an answer with 10 tokens of prompt and 20 of answer.
pub(crate) fn answer(text: &str) -> Value {
    json!({
        "model": "m1",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 20},
    })
}

/// A whole HTTP response.
pub(crate) fn response(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// A server that gives each connection the next of these bytes, then closes it; the last again and again. Gives its
/// base URL and the count of its connections.
pub(crate) async fn raw_server(replies: Vec<Vec<u8>>) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let served = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&served);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let number = count.fetch_add(1, Ordering::SeqCst) as usize;
            let reply = replies.get(number).or(replies.last()).cloned().unwrap_or_default();
            if !reply.is_empty() {
                let mut received = Vec::new();
                while !is_whole(&received) {
                    let mut part = [0; 4096];
                    match stream.read(&mut part).await {
                        Ok(0) | Err(_) => break,
                        Ok(length) => received.extend_from_slice(&part[..length]),
                    }
                }
                let _ = stream.write_all(&reply).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (url, served)
}

/// Whether a request is there with its body.
pub(crate) fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
