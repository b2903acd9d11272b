//! One request over the wire, and what its outcome means: an answer, a reason to try again, or an end. Decides
//! nothing about when.
//!
//! This speaks HTTP itself: `async-openai`, whose types the requests are, has a client whose errors keep neither the
//! status nor `Retry-After`, and which retries by itself, unseen by the pace and the breaker.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode, redirect};
use serde_json::Value;

use super::error::AskError;
use super::key::{self, ApiKey};
use super::request::{self, BadBody, Request, TeacherAnswer};
use crate::domain::secret;
use crate::domain::teacher::TeacherSettings;

/// What came of a request.
#[derive(Debug)]
pub(super) enum SendOutcome {
    Answer(TeacherAnswer),
    /// Trying again may help.
    Again(Trouble),
    /// The endpoint doesn't know `response_format`.
    NoSchema,
    /// Trying again won't help.
    End(AskError),
}

/// Why a request should be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// In words.
    pub(super) why: String,
    /// What the endpoint asked for.
    pub(super) wait: Option<Duration>,
}

/// Kinds of trouble, by what they say of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TroubleKind {
    /// 429: it is well, but we are too fast.
    TooFast,
    /// No connection, or one that broke before an answer began.
    NoConnection,
    /// No answer in time.
    Hang,
    /// 5xx, half a body, nothing.
    Broken,
    /// HTML, told to be an answer.
    WebPage,
    /// A body without a choice, or an empty one: the model's doing.
    NoChoice,
}

impl TroubleKind {
    /// A short name, for counting.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TooFast => "rate-limited",
            Self::NoConnection => "no-connection",
            Self::Hang => "time-out",
            Self::Broken => "broken-answer",
            Self::WebPage => "web-page",
            Self::NoChoice => "no-choice",
        }
    }
}

/// What requests are sent by: to the host that the settings name, and to no other.
pub(super) fn http(at_once: usize) -> reqwest::Result<reqwest::Client> {
    let redirects = redirect::Policy::custom(on_the_same_host);
    reqwest::Client::builder().pool_max_idle_per_host(at_once).redirect(redirects).build()
}

fn on_the_same_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first();
    let same = first.is_some_and(|from| {
        let to = attempt.url();
        let secure = to.scheme() == from.scheme() || to.scheme() == "https";
        let port = to.port() == from.port();
        to.host_str() == from.host_str() && secure && port && attempt.previous().len() < 10
    });
    if same { attempt.follow() } else { attempt.stop() }
}

/// An answer is text; more than this is a mistake.
const LARGEST_BODY: usize = 16 << 20;

/// What a request is sent with.
pub(super) struct SendContext<'a> {
    pub(super) teacher: &'a str,
    pub(super) settings: &'a TeacherSettings,
    pub(super) key: Option<&'a ApiKey>,
    pub(super) http: &'a reqwest::Client,
    pub(super) date: SystemTime,
}

impl SendContext<'_> {
    pub(super) async fn send(&self, request: &Request, with_schema: bool) -> SendOutcome {
        let body = request.body(&self.settings.model, with_schema).to_string();
        match self.post("chat/completions", body, with_schema && request.schema.is_some()).await {
            Ok(bytes) => self.read(&bytes, request),
            Err(outcome) => outcome,
        }
    }

    /// Sends a body to a path under the base URL; gives that of a successful answer, or what else came of it.
    pub(super) async fn post(
        &self,
        path: &str,
        body: String,
        with_schema: bool,
    ) -> Result<Vec<u8>, SendOutcome> {
        let url = format!("{}/{path}", self.settings.base_url.trim_end_matches('/'));
        let mut call = self
            .http
            .post(&url)
            .header(CONTENT_TYPE, "application/json")
            .timeout(Duration::from_secs(self.settings.timeout_seconds))
            .body(body);
        if let Some(key) = self.key {
            call = call.bearer_auth(key.reveal());
        }
        let response = match call.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.transport(error)),
        };
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            return Err(SendOutcome::End(self.redirected(&url, to)));
        }
        let wait = retry_after(&response, self.date);
        match body_of(response).await {
            Ok(bytes) if status.is_success() => Ok(bytes),
            Ok(bytes) => Err(self.refusal(status, wait, &bytes, with_schema, &url)),
            Err(error) if status.is_success() || status.is_server_error() => Err(self.transport(error)),
            Err(_) => Err(self.refusal(status, wait, &[], false, &url)),
        }
    }

    /// A redirect that wasn't followed: to another host, or one of very many.
    fn redirected(&self, from: &str, to: &str) -> AskError {
        let (teacher, shown) = (self.teacher.to_owned(), self.clean(to));
        let from = reqwest::Url::parse(from).ok();
        let there = from.as_ref().and_then(|from| from.join(to).ok());
        let place = |url: reqwest::Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        if there.map(place) == from.map(place) {
            let why = format!("it redirects again and again, last to {shown}: is base_url right?");
            return AskError::Unreachable { teacher, why };
        }
        AskError::Redirected { teacher, to: shown }
    }

    fn transport(&self, error: reqwest::Error) -> SendOutcome {
        let kind = if error.is_timeout() {
            TroubleKind::Hang
        } else if error.is_body() || error.is_decode() {
            TroubleKind::Broken
        } else if error.is_builder() {
            let why = format!("its base_url is no address: {}", self.clean(&error.without_url().to_string()));
            return SendOutcome::End(AskError::Unreachable { teacher: self.teacher.to_owned(), why });
        } else {
            TroubleKind::NoConnection
        };
        let why = self.clean(&chain(&error.without_url()));
        SendOutcome::Again(Trouble { kind, why, wait: None })
    }

    fn read(&self, bytes: &[u8], request: &Request) -> SendOutcome {
        let again = |kind, why: &str| SendOutcome::Again(Trouble { kind, why: why.to_owned(), wait: None });
        match request::read(bytes, request) {
            Ok(answer) => SendOutcome::Answer(self.without_key(&answer)),
            Err(BadBody::Empty) => again(TroubleKind::Broken, "an empty body"),
            Err(BadBody::Html) => {
                again(TroubleKind::WebPage, "a web page instead of an answer; is base_url right?")
            }
            Err(BadBody::NotJson) => again(TroubleKind::Broken, "a body that is no JSON"),
            Err(BadBody::NoChoice) => again(TroubleKind::NoChoice, "an answer without text"),
            Err(BadBody::Error(message)) => again(TroubleKind::Broken, &self.clean(&message)),
        }
    }

    fn refusal(
        &self,
        status: StatusCode,
        wait: Option<Duration>,
        bytes: &[u8],
        schema: bool,
        url: &str,
    ) -> SendOutcome {
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let message = request::error_message(&value)
            .map_or_else(|| "no reason given".to_owned(), |said| self.clean(&said));
        let teacher = self.teacher.to_owned();
        let out_of_money = request::error_code(&value) == Some("insufficient_quota");
        match status.as_u16() {
            401 | 403 => {
                let place = key::place(self.teacher, self.settings);
                SendOutcome::End(AskError::KeyRefused { teacher, status: status.as_u16(), place })
            }
            402 => SendOutcome::End(AskError::NoCredit { teacher, message }),
            429 if out_of_money => SendOutcome::End(AskError::NoCredit { teacher, message }),
            404 => {
                let model = self.settings.model.clone();
                SendOutcome::End(AskError::NotFound { teacher, model, url: self.clean(url) })
            }
            408 | 425 | 500..=599 => {
                let why = format!("HTTP {}: {message}", status.as_u16());
                SendOutcome::Again(Trouble { kind: TroubleKind::Broken, why, wait })
            }
            429 => SendOutcome::Again(Trouble { kind: TroubleKind::TooFast, why: message, wait }),
            400 | 422 if schema => SendOutcome::NoSchema,
            status => SendOutcome::End(AskError::Refused { teacher, status, message }),
        }
    }

    /// An answer may repeat the key: it is kept and shown without.
    fn without_key(&self, answer: &TeacherAnswer) -> TeacherAnswer {
        TeacherAnswer {
            text: self.hide_keys(&answer.text),
            model: self.hide_keys(&answer.model),
            finish: self.hide_keys(&answer.finish),
            ..answer.clone()
        }
    }

    /// A text without the teacher's key, and without those that its address holds.
    fn hide_keys(&self, text: &str) -> String {
        let of_address = key::of_address(&self.settings.base_url);
        self.key.into_iter().chain(&of_address).fold(text.to_owned(), |text, key| key.hide_in(&text))
    }

    /// One short line without the key.
    pub(super) fn clean(&self, message: &str) -> String {
        const LONGEST: usize = 200;
        let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = secret::mask(&line);
        let line = self.hide_keys(&line);
        if line.chars().count() > LONGEST {
            line.chars().take(LONGEST).chain(['…']).collect()
        } else {
            line
        }
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn body_of(mut response: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > LARGEST_BODY {
            break;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Seconds, or a date.
fn retry_after(response: &Response, date: SystemTime) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let moment: SystemTime = chrono::DateTime::parse_from_rfc2822(text).ok()?.into();
    Some(moment.duration_since(date).unwrap_or_default())
}
