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
            "file" => bail!("add a file by its path, and not as {text}"),
            other => bail!("addresses that begin with {other}:// aren't fetched; http and https are"),
        }
        let mut url = Url::parse(text).with_context(|| format!("{text} is no address"))?;
        ensure!(
            url.username().is_empty()
                && url.password().is_none()
                && secret::clean(url.as_str()) == url.as_str(),
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

/// The paper that a page of arXiv's is about.
fn paper_of(url: &Url) -> Option<ArxivId> {
    let host = url.host_str()?;
    let is_paper = ["/abs/", "/pdf/", "/html/"].iter().any(|part| url.path().starts_with(part));
    let is_arxiv = ["arxiv.org", "www.arxiv.org", "export.arxiv.org"].contains(&host) && url.port().is_none();
    if is_arxiv && is_paper { ArxivId::parse(&format!("https://{host}{}", url.path())).ok() } else { None }
}
