//! arXiv's papers: their names, what a search asks for, and what its catalogue (an Atom feed) says of each. Asks nobody.

use anyhow::{Context, Result, bail, ensure};

use super::load::feed;

/// A paper, or one version of it: `2501.01234`, `2501.01234v2`, `hep-th/9901001`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArxivId {
    /// Without its version.
    pub paper: String,
    pub version: Option<u32>,
}

impl ArxivId {
    /// From what people write: an id, with or without a version, or the address of its page.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self> {
        let said = text.trim();
        let bare =
            ["https://", "http://"].iter().find_map(|scheme| said.strip_prefix(scheme)).unwrap_or(said);
        let bare = ["arxiv.org/", "www.arxiv.org/", "export.arxiv.org/"]
            .iter()
            .find_map(|host| bare.strip_prefix(host))
            .map_or(bare, |path| path.split_once('/').map_or(path, |(_, id)| id));
        let bare = bare.strip_suffix(".pdf").unwrap_or(bare);
        let (paper, version) = match bare.rsplit_once('v') {
            Some((paper, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => {
                let version = version.parse().ok().filter(|version| *version > 0);
                (paper, Some(version.with_context(|| format!("{said} has no version that there is"))?))
            }
            _ => (bare, None),
        };
        ensure!(
            is_new_form(paper) || is_old_form(paper),
            "{said} is no id of arXiv's: they look like 2501.01234, 2501.01234v2 or hep-th/9901001"
        );
        Ok(Self { paper: paper.to_owned(), version })
    }

    /// `2501.01234v2`.
    #[must_use]
    pub fn name(&self) -> String {
        self.version.map_or_else(|| self.paper.clone(), |version| format!("{}v{version}", self.paper))
    }

    /// As a library has it: `arxiv:2501.01234v2`.
    #[must_use]
    pub fn source(&self) -> String {
        format!("arxiv:{}", self.name())
    }
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_new_form(paper: &str) -> bool {
    paper.split_once('.').is_some_and(|(month, number)| digits(month, 4..=4) && digits(number, 4..=5))
}

/// Until 2007: `math.GT/0309136`.
fn is_old_form(paper: &str) -> bool {
    paper.split_once('/').is_some_and(|(archive, number)| {
        let letters = |letter: char| letter.is_ascii_alphabetic() || letter == '-' || letter == '.';
        !archive.is_empty() && archive.chars().all(letters) && digits(number, 7..=7)
    })
}

/// What arXiv's catalogue says of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArxivPaper {
    pub paper: String,
    pub version: u32,
    pub title: String,
    pub authors: Vec<String>,
    /// The day on which its first version came out: `2025-01-02`.
    pub published: Option<String>,
    pub summary: String,
    pub categories: Vec<String>,
}

impl ArxivPaper {
    #[must_use]
    pub fn id(&self) -> ArxivId {
        ArxivId { paper: self.paper.clone(), version: Some(self.version) }
    }
}

/// An answer of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArxivAnswer {
    /// Papers that match, of which these are a part.
    pub all: u64,
    pub papers: Vec<ArxivPaper>,
}

/// Reads an answer.
///
/// # Errors
/// Where it is no feed, or says what was wrong with the question.
pub fn read_answer(text: &str) -> Result<ArxivAnswer> {
    let feed = feed::read(text).context("arXiv's answer can't be read")?;
    let mut papers = Vec::new();
    for entry in feed.entries {
        if entry.id.contains("/api/errors") {
            bail!("arXiv refuses the question: {}", entry.summary);
        }
        // An id that there is no paper of comes back empty.
        let Ok(id) = ArxivId::parse(&entry.id) else { continue };
        if entry.title.is_empty() {
            continue;
        }
        papers.push(ArxivPaper {
            paper: id.paper,
            version: id.version.unwrap_or(1),
            title: entry.title,
            authors: entry.authors,
            published: entry.published.get(..10).map(str::to_owned),
            summary: entry.summary,
            categories: entry.categories,
        });
    }
    Ok(ArxivAnswer { all: feed.all.unwrap_or(papers.len() as u64), papers })
}

/// Beginnings of a term that say which part of a paper it is looked for in.
const FIELDS: &[&str] = &["ti:", "au:", "abs:", "co:", "jr:", "cat:", "rn:", "id:", "all:"];

/// What the catalogue is asked for: words as people write them must all be in a paper, what is in quotes in that order; a
/// question in arXiv's own form (`ti:attention AND cat:cs.CL`) goes as it is.
#[must_use]
pub fn search_terms(words: &str) -> String {
    let words = words.trim();
    let is_own_form = words.split([' ', '(']).any(|word| FIELDS.iter().any(|field| word.starts_with(field)));
    if is_own_form {
        return words.to_owned();
    }
    let mut terms = Vec::new();
    for (place, part) in words.split('"').enumerate() {
        // Between quotes.
        if place % 2 == 1 {
            let phrase = part.split_whitespace().collect::<Vec<_>>().join(" ");
            terms.extend((!phrase.is_empty()).then(|| format!("all:\"{phrase}\"")));
        } else {
            terms.extend(part.split_whitespace().map(|word| format!("all:{word}")));
        }
    }
    terms.join(" AND ")
}
