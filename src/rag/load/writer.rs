//! Blocks as the readers find them, put under the headings that they are under.

use std::path::Path;

use anyhow::{Result, bail};

use unicode_normalization::UnicodeNormalization as _;

use super::language;
use crate::domain::library::{BlockKind, DocumentBlock, DocumentFacts, SourceDocument};

/// Most bytes of text that are kept of one document; the Bible has 4 MB.
const MOST_TEXT: usize = 64 << 20;
/// Longest title, and longest heading in a section path, in characters.
const LONGEST_TITLE: usize = 300;

/// Collects what a reader finds.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    pub(super) title: Option<String>,
    pub(super) facts: DocumentFacts,
    pub(super) notices: Vec<String>,
    blocks: Vec<DocumentBlock>,
    /// The headings that what comes next is under, with their levels.
    open: Vec<(u8, String)>,
    bytes: usize,
}

impl BlockWriter {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A heading; what follows is under it until one of its level or further out.
    pub(super) fn heading(&mut self, level: u8, text: &str, page: Option<u32>) {
        let text = one_line(&composed(text));
        if text.is_empty() {
            return;
        }
        self.open.retain(|(open, _)| *open < level);
        self.push(BlockKind::Heading(level), text.clone(), page);
        self.open.push((level, cut(&text)));
    }

    pub(super) fn add(&mut self, kind: BlockKind, text: &str, page: Option<u32>) {
        let text = match &kind {
            BlockKind::Code(_) => text.trim_matches(['\n', '\r']).trim_end(),
            BlockKind::Heading(_)
            | BlockKind::Prose
            | BlockKind::ListItem
            | BlockKind::Table
            | BlockKind::Footnote => text.trim(),
        };
        if !text.is_empty() {
            self.push(kind, composed(text), page);
        }
    }

    /// Whether nothing was read so far.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Whether there is no room for more text.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= MOST_TEXT
    }

    fn push(&mut self, kind: BlockKind, text: String, page: Option<u32>) {
        if self.is_full() {
            return;
        }
        self.bytes += text.len();
        if self.is_full() {
            self.notices.push(format!(
                "it has more than {} MB of text, and only those were read; split it",
                MOST_TEXT >> 20
            ));
        }
        let section = self.open.iter().map(|(_, heading)| heading.clone()).collect();
        self.blocks.push(DocumentBlock { section, page, kind, text });
    }

    /// The document, named by its file if it says no title.
    ///
    /// # Errors
    /// If there are no words in it.
    pub(super) fn finish(mut self, path: &Path) -> Result<SourceDocument> {
        if self.blocks.is_empty() {
            match self.notices.first() {
                Some(notice) => bail!("{notice}"),
                None => bail!("it holds no text"),
            }
        }
        let first = self.blocks.iter().find(|block| block.kind == BlockKind::Heading(1));
        let language = self.facts.language.take().or_else(|| language::of(&self.blocks));
        let own = self.title.map(|title| cut(&one_line(&title))).filter(|title| !title.is_empty());
        let title = own.or_else(|| first.map(|block| cut(&block.text))).unwrap_or_else(|| name(path));
        Ok(SourceDocument {
            source: path.display().to_string(),
            title,
            facts: DocumentFacts { language, ..self.facts },
            blocks: self.blocks,
            notices: self.notices,
        })
    }
}

/// Letters with their accents as one character each, as people type them to search; no zero characters.
fn composed(text: &str) -> String {
    if text.is_ascii() {
        text.replace('\0', "")
    } else {
        text.nfc().filter(|letter| *letter != '\0').collect()
    }
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Words with one space between them.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TITLE).collect()
}
