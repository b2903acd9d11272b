//! What goes wrong with a server, told apart, and said in one sentence: what, where, and what to do.

use std::time::Duration;

use qdrant_client::QdrantError;
use tonic::{Code, Status};

use super::access::{KEY_VARIABLE, ServerAccess};
use crate::domain::secret;

/// Why a server did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerTrouble {
    /// It can't be reached, and why.
    Away(&'static str),
    /// It was reached and did not answer in time.
    Slow(Duration),
    /// It asks to be left alone for so long.
    Busy(Duration),
    /// It has no room, in its own words.
    Full(String),
    /// The key is refused, or there is none.
    Refused,
    /// The key is known and may not do this.
    Forbidden,
    /// There is no such collection.
    Missing,
    /// Something else, in its own words.
    Other(String),
}

impl ServerTrouble {
    pub(super) fn of(error: &QdrantError) -> Self {
        match error {
            QdrantError::ResourceExhaustedError { retry_after_seconds, .. } => {
                Self::Busy(Duration::from_secs(*retry_after_seconds))
            }
            QdrantError::ResponseError { status } => Self::of_status(status),
            other => Self::Other(words(&other.to_string())),
        }
    }

    fn of_status(status: &Status) -> Self {
        let said = words(status.message());
        if said.contains("No space left") || said.to_lowercase().contains("disk is full") {
            return Self::Full(said);
        }
        match status.code() {
            Code::ResourceExhausted => Self::Full(said),
            Code::Unauthenticated => Self::Refused,
            Code::PermissionDenied => Self::Forbidden,
            Code::NotFound => Self::Missing,
            Code::DeadlineExceeded => Self::Slow(Duration::ZERO),
            Code::Internal | Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Aborted => {
                unreached(status).map_or(Self::Other(said), Self::Away)
            }
            _ => Self::Other(said),
        }
    }

    /// How long to wait before asking again, if that may help: at least so long as the back-off says.
    pub(super) fn again_after(&self, back_off: Duration) -> Option<Duration> {
        match self {
            Self::Away(_) | Self::Slow(_) => Some(back_off),
            Self::Busy(wait) => Some(back_off.max(*wait)),
            Self::Full(_) | Self::Refused | Self::Forbidden | Self::Missing | Self::Other(_) => None,
        }
    }

    /// One sentence; `what` is what it was asked for ("search").
    pub(super) fn sentence(&self, access: &ServerAccess, what: &str) -> String {
        let server = format!("the Qdrant server at {}", access.url());
        match self {
            Self::Away(why) => format!("{server} can't be reached ({why}): start it, or check its address"),
            Self::Slow(waited) if waited.is_zero() => {
                format!("{server} ran out of time to {what}: see what it is busy with, and try again")
            }
            Self::Slow(waited) => format!(
                "{server} took longer than {} s to {what}: see what it is busy with, and try again",
                waited.as_secs_f32()
            ),
            Self::Busy(wait) => {
                format!("{server} is asked too often to {what}: try again in {} s", wait.as_secs().max(1))
            }
            Self::Full(said) => {
                format!(
                    "{server} has no room to {what} ({said}): make room there, and try again: what is there stays"
                )
            }
            Self::Refused if access.key().is_some() => {
                format!(
                    "{server} refuses the key in {KEY_VARIABLE}: it may be another server's, or have ended"
                )
            }
            Self::Refused => {
                format!(
                    "{server} wants a key: put it into the environment variable {KEY_VARIABLE}, and its address into DOJO_QDRANT_URL"
                )
            }
            Self::Forbidden => {
                format!(
                    "the key in {KEY_VARIABLE} may not {what} on {server}: use one with the right to write"
                )
            }
            Self::Missing => format!("{server} has no such collection"),
            Self::Other(said) => format!("{server} can't {what}: {said}"),
        }
    }
}

/// Why a server can't be reached, if that is what happened: told by the client in words only.
fn unreached(status: &Status) -> Option<&'static str> {
    let cause = std::error::Error::source(status);
    if cause.is_none() && !status.message().starts_with("Failed to connect") {
        // The server's own words.
        return (status.code() == Code::Unavailable).then_some("it says that it is not available");
    }
    let said = format!("{} {cause:?}", status.message()).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["connectionrefused", "connection refused"]) {
        Some("nothing listens there")
    } else if has(&["dns", "lookup", "name or service"]) {
        Some("there is no such host")
    } else if has(&["invalidcontenttype", "corrupt message"]) {
        Some("it speaks no TLS: write http:// instead of https://")
    } else if has(&["invalidcertificate", "unknownissuer", "certificate"]) {
        Some("its certificate is not trusted")
    } else if has(&["frame_size_error", "protocol_error", "invalid content-type", "invalid compression"]) {
        Some("it speaks no gRPC: the port for that is 6334 mostly, and not 6333")
    } else if has(&["timedout", "timed out", "deadline has elapsed", "timeout"]) {
        Some("no connection in time")
    } else {
        Some("the connection broke")
    }
}

/// A server's own words: one short line, without a key that it may repeat.
fn words(said: &str) -> String {
    const MOST: usize = 300;
    let line = secret::mask(&secret::clean(said.lines().next().unwrap_or_default().trim()));
    if line.chars().count() > MOST { line.chars().take(MOST).chain(['…']).collect() } else { line }
}
