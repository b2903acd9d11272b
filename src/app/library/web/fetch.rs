//! One document over HTTP: bounded in bytes and time, asked for again where that may help, at the pace that arXiv asks for.
//! Knows nothing of what is in it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use reqwest::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Response, Url};
use tokio::runtime::Runtime;

use crate::domain::secret;
use crate::ground::hash;
use crate::teacher::clock::Clock;
use crate::teacher::pace::back_off;

/// Larger documents aren't fetched.
const MOST_BYTES: usize = 128 << 20;
/// How long a connection, a silence, and a whole document may take.
const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_mins(10);
/// Attempts of one document, and the longest wait between two.
const ATTEMPTS: u32 = 5;
const LONGEST_WAIT: Duration = Duration::from_mins(3);
/// How often it is looked whether a person wants to stop.
const LOOK: Duration = Duration::from_millis(100);
/// arXiv asks programs for one request in three seconds, on one connection.
const ARXIV_PACE: Duration = Duration::from_secs(3);

/// How fast a server may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchPace {
    Free,
    Arxiv,
}

/// What the server said of the state that is here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Conditions {
    pub(super) etag: Option<String>,
    pub(super) modified: Option<String>,
}

/// A document that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    /// After redirects.
    pub(super) url: Url,
    pub(super) content_type: Option<String>,
    pub(super) state: Conditions,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchReply {
    Found(Fetched),
    /// It is as it was.
    Unchanged,
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchTrouble {
    /// A person wanted to stop.
    Stopped,
    /// There is none: 404 or 410.
    Missing(u16),
    /// The server won't give it; a clause for people.
    Refused(String),
    /// The server is away or asks for peace: others of it won't come either.
    Away(String),
}

/// How one attempt went wrong.
enum Attempt {
    Again { why: String, wait: Option<Duration> },
    End(FetchTrouble),
}

pub(super) struct WebFetcher {
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    /// When arXiv may be asked next.
    arxiv_next: Cell<Duration>,
    /// Nothing only while it is dropped.
    runtime: Option<Runtime>,
}

impl Drop for WebFetcher {
    fn drop(&mut self) {
        // Wherever it is dropped: a runtime must not wait for its threads within another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl WebFetcher {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("dojo/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(WHOLE)
            .pool_max_idle_per_host(1)
            .build()
            .context("make an HTTP client")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { http, clock, arxiv_next: Cell::new(Duration::ZERO), runtime: Some(runtime) })
    }

    /// Fetches a document, unless it is as it was. `goes_on` is asked ten times a second.
    pub(super) fn get(
        &self,
        url: &Url,
        pace: FetchPace,
        conditions: &Conditions,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<FetchReply, FetchTrouble> {
        let Some(runtime) = &self.runtime else { return Err(FetchTrouble::Stopped) };
        runtime.block_on(async {
            let work = self.attempts(url, pace, conditions);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    done = &mut work => return done,
                    () = tokio::time::sleep(LOOK) => {
                        if !goes_on() {
                            return Err(FetchTrouble::Stopped);
                        }
                    }
                }
            }
        })
    }

    async fn attempts(
        &self,
        url: &Url,
        pace: FetchPace,
        conditions: &Conditions,
    ) -> Result<FetchReply, FetchTrouble> {
        let mut attempt = 0;
        loop {
            if pace == FetchPace::Arxiv {
                self.paced(url).await;
            }
            let (why, asked) = match self.once(url, conditions).await {
                Ok(reply) => return Ok(reply),
                Err(Attempt::End(trouble)) => return Err(trouble),
                Err(Attempt::Again { why, wait }) => (why, wait),
            };
            attempt += 1;
            let wait = asked.unwrap_or_else(|| back_off(attempt, hash::of_bytes(url.as_str().as_bytes())));
            if wait > LONGEST_WAIT {
                let seconds = wait.as_secs();
                return Err(FetchTrouble::Away(format!(
                    "it asks to wait for {seconds} s ({why}): add it again then"
                )));
            }
            if attempt >= ATTEMPTS {
                return Err(FetchTrouble::Away(format!("{why}: add it again later")));
            }
            self.clock.wait(wait).await;
        }
    }

    /// Waits until arXiv may be asked. A stand-in on this machine is nobody's to spare.
    async fn paced(&self, url: &Url) {
        let is_here = url
            .host_str()
            .is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
        if is_here {
            return;
        }
        let now = self.clock.now();
        let start = self.arxiv_next.get().max(now);
        self.arxiv_next.set(start + ARXIV_PACE);
        if start > now {
            self.clock.wait(start.saturating_sub(now)).await;
        }
    }

    async fn once(&self, url: &Url, conditions: &Conditions) -> Result<FetchReply, Attempt> {
        let mut call = self.http.get(url.clone()).header(ACCEPT, "*/*");
        for (name, value) in [(IF_NONE_MATCH, &conditions.etag), (IF_MODIFIED_SINCE, &conditions.modified)] {
            if let Some(value) = value {
                call = call.header(name, value);
            }
        }
        let response = call.send().await.map_err(transport)?;
        self.refused(&response)?;
        if response.status().as_u16() == 304 {
            return Ok(FetchReply::Unchanged);
        }
        let said = |name: HeaderName| text(response.headers(), &name);
        let state = Conditions { etag: said(ETAG), modified: said(LAST_MODIFIED) };
        let (content_type, url) = (said(CONTENT_TYPE), response.url().clone());
        if let Some(coding) = said(CONTENT_ENCODING).filter(|coding| coding != "identity") {
            return Err(end(format!("it came as {coding}, which wasn't asked for")));
        }
        let bytes = body(response).await?;
        Ok(FetchReply::Found(Fetched { bytes, url, content_type, state }))
    }

    /// What a status means, if it is no document.
    fn refused(&self, response: &Response) -> Result<(), Attempt> {
        let status = response.status().as_u16();
        match status {
            200 | 203 | 304 => Ok(()),
            404 | 410 => Err(Attempt::End(FetchTrouble::Missing(status))),
            401 | 403 | 407 => Err(end(format!(
                "it wants a login, or doesn't answer programs (HTTP {status}): save it with your browser and add the file"
            ))),
            408 | 425 | 429 | 500..=599 => {
                let wait = retry_after(response.headers(), self.clock.date());
                let why = if status == 429 { "it is asked too often" } else { "it is out of order" };
                Err(Attempt::Again { why: format!("{why} (HTTP {status})"), wait })
            }
            200..=299 => Err(end(format!("it answers without a document (HTTP {status})"))),
            300..=399 => Err(end(format!("it redirects to nowhere (HTTP {status})"))),
            _ => Err(end(format!("it refuses the request (HTTP {status})"))),
        }
    }
}

fn end(why: String) -> Attempt {
    Attempt::End(FetchTrouble::Refused(why))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn body(mut response: Response) -> Result<Vec<u8>, Attempt> {
    let too_large = || end(format!("it has more than {} MB: download it and add the file", MOST_BYTES >> 20));
    if response.content_length().is_some_and(|bytes| bytes > MOST_BYTES as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn transport(error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    if error.is_redirect() {
        return end("it redirects again and again".to_owned());
    }
    if error.is_builder() {
        return end("it leads to what is no address of the web".to_owned());
    }
    let why = if error.is_timeout() {
        "it takes too long".to_owned()
    } else if error.is_body() || error.is_decode() {
        "it broke off in the middle".to_owned()
    } else {
        format!("it can't be reached ({})", secret::clean(&innermost(&error)))
    };
    Attempt::Again { why, wait: None }
}

/// What is at the bottom of an error: those above say no more than that it failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Seconds, or a date.
fn retry_after(headers: &HeaderMap, date: SystemTime) -> Option<Duration> {
    let said = text(headers, &RETRY_AFTER)?;
    if let Ok(seconds) = said.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let moment: SystemTime = chrono::DateTime::parse_from_rfc2822(said.trim()).ok()?.into();
    Some(moment.duration_since(date).unwrap_or_default())
}
