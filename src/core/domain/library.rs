//! Documents that answers are retrieved from: what was read of a source, and the chunks that are indexed. Plain data.

use serde::{Deserialize, Serialize};

/// What was read of one source: its words in reading order, and where each stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceDocument {
    /// A path, an address, or `arxiv:ID`.
    pub source: String,
    /// Its own title; its file's name if it has none.
    pub title: String,
    pub facts: DocumentFacts,
    pub blocks: Vec<DocumentBlock>,
    /// What couldn't be read of it (scanned pages, say), one sentence each.
    pub notices: Vec<String>,
}

/// What a source says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentFacts {
    pub authors: Vec<String>,
    /// As the source writes it, year first.
    pub date: Option<String>,
    /// ISO 639-1, of most of the text; none if it is too short to say.
    pub language: Option<String>,
    pub pages: Option<u32>,
    pub tags: Vec<String>,
    /// Where people read it, if that is another place than its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its abstract, as a catalogue has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// Words that belong together: a paragraph, a heading, a table, lines of code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentBlock {
    /// The headings that it stands under, outermost first, as they are written ("2 Method", "2.1 Data").
    pub section: Vec<String>,
    /// Of a source with pages, from 1.
    pub page: Option<u32>,
    pub kind: BlockKind,
    pub text: String,
}

/// What a block is, since chunks are cut by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// From 1, the outermost.
    Heading(u8),
    Prose,
    ListItem,
    Table,
    Footnote,
    /// Code, and its language if it is known ("rust").
    Code(Option<String>),
}

/// A piece of a document that is embedded, indexed and cited as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentChunk {
    /// Its place in the document, from 0.
    pub ordinal: u32,
    /// The headings that it begins under, outermost first.
    pub section: Vec<String>,
    /// First and last page, from 1.
    pub pages: Option<(u32, u32)>,
    pub text: String,
    /// By the tokenizer that it was cut with.
    pub tokens: u32,
}

/// How a document is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkSettings {
    /// Most tokens of a chunk.
    pub tokens: u32,
    /// Most tokens at a chunk's start that the one before ends with; whole sentences, so there may be fewer.
    pub overlap: u32,
}

impl Default for ChunkSettings {
    /// What the smallest embedding models read (256 tokens), and about two sentences of overlap.
    fn default() -> Self {
        Self { tokens: 256, overlap: 40 }
    }
}
