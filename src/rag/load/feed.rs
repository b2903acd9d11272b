//! Atom feeds, as catalogues of papers give them: what each entry says of itself.

use anyhow::{Result, ensure};

use super::writer::one_line;
use super::xml::{XmlPart, XmlTag, parts};

/// Entries that are read at most; a catalogue gives 2,000 at once.
const MOST: usize = 10_000;

/// A feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::rag) struct AtomFeed {
    /// How many entries there are in all, if it says so (`OpenSearch`).
    pub(in crate::rag) all: Option<u64>,
    pub(in crate::rag) entries: Vec<AtomEntry>,
}

/// An entry; what it doesn't say is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::rag) struct AtomEntry {
    pub(in crate::rag) id: String,
    pub(in crate::rag) title: String,
    pub(in crate::rag) summary: String,
    pub(in crate::rag) published: String,
    pub(in crate::rag) authors: Vec<String>,
    pub(in crate::rag) categories: Vec<String>,
}

/// # Errors
/// Where it is no feed.
pub(in crate::rag) fn read(text: &str) -> Result<AtomFeed> {
    let (mut feed, mut entry, mut words) = (AtomFeed::default(), None, String::new());
    let (mut is_feed, mut is_whole, mut in_author) = (false, false, false);
    for part in parts(text) {
        match part {
            XmlPart::Start(tag) => {
                words.clear();
                is_feed |= tag.name == "feed";
                in_author |= tag.name == "author" && !tag.closed;
                if tag.name == "entry" {
                    entry = Some(AtomEntry::default());
                }
                entry.iter_mut().for_each(|entry| begin(entry, &tag));
            }
            XmlPart::Words(more) => words.push_str(&more),
            XmlPart::End(name) => {
                let said = one_line(&std::mem::take(&mut words));
                match (&mut entry, name.as_str()) {
                    (_, "author") => in_author = false,
                    (_, "feed") => is_whole = true,
                    (Some(_), "entry") => feed.entries.extend(entry.take()),
                    (Some(entry), "name") if in_author => entry.authors.push(said),
                    (Some(entry), name) => keep(entry, name, said),
                    (None, "opensearch:totalresults") => feed.all = said.parse().ok(),
                    (None, _) => {}
                }
            }
        }
        if feed.entries.len() >= MOST {
            break;
        }
    }
    ensure!(is_feed, "it is no Atom feed");
    ensure!(is_whole || feed.entries.len() >= MOST, "it breaks off in the middle");
    Ok(feed)
}

fn begin(entry: &mut AtomEntry, tag: &XmlTag) {
    if tag.name == "category" {
        entry.categories.extend(tag.value("term").filter(|term| !entry.categories.contains(term)));
    }
}

fn keep(entry: &mut AtomEntry, name: &str, said: String) {
    match name {
        "id" => entry.id = said,
        "title" => entry.title = said,
        "summary" => entry.summary = said,
        "published" => entry.published = said,
        _ => {}
    }
}
