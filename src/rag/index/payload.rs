//! What a chunk says, for those who read an index without the library: other programs, and a library that is made again
//! from it.

use serde::{Deserialize, Serialize};

/// A chunk and its document. Names and forms are for everybody; what only a library needs is apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChunkPayload {
    /// The document's number in its library.
    pub document: u64,
    pub source: String,
    pub title: String,
    /// A sentence that says what the document is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The headings that it begins under, outermost first.
    pub section: Vec<String>,
    /// First and last page, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_page: Option<u32>,
    /// Its place in the document, from 0.
    pub chunk: u32,
    pub text: String,
    pub tags: Vec<String>,
    pub authors: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    pub dojo: LibraryPayload,
}

/// What makes the library's rows again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LibraryPayload {
    pub tokens: u32,
    /// Its words as BM25 counts them.
    pub terms: u32,
    /// The hash of what is embedded, in hexadecimal digits; and the file's.
    pub embedded: String,
    pub hash: String,
    pub bytes: u64,
    /// When the file was written and the document added, in milliseconds since 1970.
    pub modified: i64,
    pub added: i64,
    /// The document's pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}
