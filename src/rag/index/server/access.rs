//! Where a Qdrant server is, and the key to it. The key goes to that address alone and is shown to nobody.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::domain::secret;

/// The port that a server speaks gRPC on unless it is told otherwise.
const PORT: u16 = 6334;

/// The environment variables that say where the server is, and its key.
pub const URL_VARIABLE: &str = "DOJO_QDRANT_URL";
pub const KEY_VARIABLE: &str = "DOJO_QDRANT_KEY";

/// Where a server is, the key to it, and how long it is waited for.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAccess {
    url: String,
    key: Option<String>,
    pub(super) patience: ServerPatience,
}

/// How long a server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerPatience {
    pub connecting: Duration,
    /// For an answer while a person waits, and while much is written.
    pub finding: Duration,
    pub writing: Duration,
    /// Attempts at writing; finding has two.
    pub attempts: u32,
    /// Before the second attempt; each later wait is four times as long.
    pub first_wait: Duration,
}

impl Default for ServerPatience {
    fn default() -> Self {
        Self {
            connecting: Duration::from_secs(5),
            finding: Duration::from_secs(10),
            writing: Duration::from_secs(60),
            attempts: 5,
            first_wait: Duration::from_millis(250),
        }
    }
}

/// What this process was told at its start: the server, or why there is none that can be used.
static TOLD: OnceLock<Result<Option<ServerAccess>, String>> = OnceLock::new();

impl ServerAccess {
    /// # Errors
    /// Where the address can't be read or carries a password, or the key holds what no header can.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self> {
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        if let Some(key) = key {
            ensure!(
                key.chars().all(|letter| letter.is_ascii_graphic()),
                "the key in {KEY_VARIABLE} holds what no key can: it may have been cut or joined"
            );
            secret::remember(key);
        }
        Ok(Self { url: read(url)?, key: key.map(str::to_owned), patience: ServerPatience::default() })
    }

    /// Waits otherwise.
    #[must_use]
    pub const fn waiting(mut self, patience: ServerPatience) -> Self {
        self.patience = patience;
        self
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Another address, which gets the key only if it is this one.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn elsewhere(told: Option<&Self>, url: &str) -> Result<Self> {
        let other = Self::new(url, None)?;
        Ok(told.filter(|told| told.url == other.url).cloned().unwrap_or(other))
    }

    /// For the header, and nothing else.
    pub(super) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Keeps what a person set, for every library of this process. Once: a second time is passed over.
    pub fn tell(access: Result<Option<Self>>) {
        let _ = TOLD.set(access.map_err(|error| format!("{error:#}")));
    }

    /// What was told, if anything was.
    ///
    /// # Errors
    /// Where what a person set can't be used.
    pub fn told() -> Result<Option<Self>> {
        match TOLD.get() {
            Some(Ok(access)) => Ok(access.clone()),
            Some(Err(why)) => Err(anyhow!("{why}")),
            None => Ok(None),
        }
    }

    /// What was told; it has to be there.
    ///
    /// # Errors
    /// Where nothing was told, or it can't be used.
    pub fn needed() -> Result<Self> {
        Self::told()?.with_context(|| {
            format!(
                "no Qdrant server is named: set {URL_VARIABLE} to its address (http://localhost:{PORT}), or url under \
                 [qdrant] in settings.toml"
            )
        })
    }
}

impl fmt::Debug for ServerAccess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "ServerAccess({}, {})",
            self.url,
            if self.key.is_some() { "with a key" } else { "no key" }
        )
    }
}

/// An address as it is kept: with its scheme and port, without a path.
fn read(url: &str) -> Result<String> {
    let url = url.trim().trim_end_matches('/');
    let shown = || secret::mask(url);
    let parsed = reqwest::Url::parse(url).ok().filter(|parsed| {
        matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && parsed.path() == "/"
    });
    let parsed = parsed.with_context(|| {
        format!("{} is no address of a Qdrant server: write it as http://localhost:{PORT}", shown())
    })?;
    ensure!(
        parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none(),
        "the address {} has a key in it: put the key into {KEY_VARIABLE}, and leave it out here",
        shown()
    );
    let host = parsed.host_str().unwrap_or_default();
    // A port that is the scheme's own is said to be meant by being written.
    let written = url.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    Ok(format!("{}://{host}:{}", parsed.scheme(), written.unwrap_or(PORT)))
}
