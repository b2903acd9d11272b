//! What a person writes to name a document on the network.

use anyhow::{Context, Result, bail, ensure};
use reqwest::Url;

use crate::domain::secret;
use crate::rag::arxiv::ArxivId;

/// A document on the network, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentAddress {
    /// A page or a file.
    Page(Url),
    /// A paper of arXiv's: the newest version, unless one is named.
    Paper(ArxivId),
    /// Papers of arXiv's that words find.
    Search(String),
}

const PAPER: &str = "arxiv:";
const SEARCH: &str = "arxiv-search:";

impl DocumentAddress {
    /// None if it is a path of this machine's.
    ///
    /// # Errors
    /// Where it begins like an address and is none that is fetched, or holds what would be a secret.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let text = text.trim();
        if let Some(words) = text.strip_prefix(SEARCH) {
            ensure!(!words.trim().is_empty(), "say what to search for: {SEARCH}\"retrieval augmented\"");
            return Ok(Some(Self::Search(words.split_whitespace().collect::<Vec<_>>().join(" "))));
        }
        if let Some(id) = text.strip_prefix(PAPER) {
            return ArxivId::parse(id).map(|id| Some(Self::Paper(id)));
        }
        let Some((scheme, _)) = text.split_once("://") else { return Ok(None) };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {}
            "file" => bail!("add a file by its path, and not as {}", shown(text)),
            other => bail!("addresses that begin with {other}:// aren't fetched; http and https are"),
        }
        let mut url = Url::parse(text).with_context(|| format!("{} is no address", shown(text)))?;
        ensure!(
            !holds_key(&url),
            "the address holds a password or a key, which the library would keep and show: download the document and \
             add the file"
        );
        // A place within the document.
        url.set_fragment(None);
        Ok(Some(paper_of(&url).map_or(Self::Page(url), Self::Paper)))
    }

    /// As the library keeps it, and as it may be said again.
    #[must_use]
    pub fn root(&self) -> String {
        match self {
            Self::Page(url) => url.to_string(),
            Self::Paper(id) => id.source(),
            Self::Search(words) => format!("{SEARCH}{words}"),
        }
    }
}

/// Names after which a path or a question has a key.
const KEYS: [&str; 9] =
    ["token", "tokens", "key", "secret", "signature", "sig", "auth", "password", "session"];

/// Whether an address holds what would let others in: a password, a parameter that is named for a key, what has the form
/// of one, or what comes after such a name in a path.
fn holds_key(url: &Url) -> bool {
    let has_login = !url.username().is_empty() || url.password().is_some();
    // An escaped name is the same name.
    let pairs = url.query_pairs().map(|(name, value)| format!("{name}={value}"));
    let unescaped = format!("{}?{}", url.path(), pairs.collect::<Vec<_>>().join("&"));
    let is_masked = |text: &str| secret::clean(text) != text;
    let parts: Vec<&str> = url.path_segments().map(Iterator::collect).unwrap_or_default();
    let in_path = parts
        .iter()
        .zip(parts.iter().skip(1))
        .any(|(name, value)| KEYS.contains(&name.to_ascii_lowercase().as_str()) && secret::is_secret(value));
    has_login || is_masked(url.as_str()) || is_masked(&unescaped) || in_path
}

/// An address as it may be shown, even one that holds a key.
#[must_use]
pub fn shown(address: &str) -> String {
    match Url::parse(address) {
        // Nobody needs more of it to know which it is.
        Ok(url) if url.has_host() && holds_key(&url) => {
            format!("{}://{}/{}", url.scheme(), url.host_str().unwrap_or_default(), secret::MASK)
        }
        Ok(_) | Err(_) => secret::clean(address),
    }
}

/// The paper that a page of arXiv's is about.
fn paper_of(url: &Url) -> Option<ArxivId> {
    let host = url.host_str()?;
    let is_paper = ["/abs/", "/pdf/", "/html/"].iter().any(|part| url.path().starts_with(part));
    let is_arxiv = ["arxiv.org", "www.arxiv.org", "export.arxiv.org"].contains(&host) && url.port().is_none();
    if is_arxiv && is_paper { ArxivId::parse(&format!("https://{host}{}", url.path())).ok() } else { None }
}
