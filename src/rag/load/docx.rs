//! DOCX: the paragraphs of an office document, with its styles for headings, its tables and its notes.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::archive::Archive;
use super::writer::BlockWriter;
use super::xml::{self, XmlPart, XmlTag};
use crate::domain::library::BlockKind;

/// # Errors
/// If the archive is damaged, encrypted or too large, or holds no such document.
pub(super) fn read(out: &mut BlockWriter, archive: &mut Archive<'_>) -> Result<()> {
    if let Some(facts) = archive.text("docProps/core.xml")? {
        out.title = xml::all(&facts, "dc:title").into_iter().next();
        out.facts.authors = xml::all(&facts, "dc:creator");
        out.facts.date = xml::all(&facts, "dcterms:created").into_iter().next();
        let tags = xml::all(&facts, "cp:keywords");
        out.facts.tags =
            tags.iter().flat_map(|tags| tags.split([',', ';'])).map(|tag| tag.trim().to_owned()).collect();
    }
    let styles = archive.text("word/styles.xml")?.map(|text| styles(&text)).unwrap_or_default();
    let body =
        archive.text("word/document.xml")?.context("it holds no word/document.xml: it is no DOCX file")?;
    let mut reader = DocxReader::new(out, &styles, DocxPart::Body);
    xml::parts(&body).for_each(|part| reader.take(part));
    if let Some(notes) = archive.text("word/footnotes.xml")? {
        let mut reader = DocxReader::new(out, &styles, DocxPart::Notes);
        xml::parts(&notes).for_each(|part| reader.take(part));
    }
    Ok(())
}

/// The level of each style that is a heading's, by the style's id; 0 for the document's title.
fn styles(text: &str) -> HashMap<String, u8> {
    let mut levels = HashMap::new();
    let mut id = None;
    for part in xml::parts(text) {
        let XmlPart::Start(tag) = part else { continue };
        match tag.name.as_str() {
            "w:style" => id = tag.value("w:styleid"),
            "w:name" => {
                let name = tag.value("w:val").unwrap_or_default().to_lowercase();
                let level = match name.strip_prefix("heading ").and_then(|level| level.parse().ok()) {
                    None if name == "title" => Some(0),
                    level => level,
                };
                if let (Some(id), Some(level)) = (&id, level) {
                    levels.insert(id.clone(), level);
                }
            }
            "w:outlinelvl" => {
                if let (Some(id), Some(level)) = (&id, outline_level(&tag)) {
                    levels.entry(id.clone()).or_insert(level);
                }
            }
            _ => {}
        }
    }
    levels
}

/// Outline levels count from 0; 9 is no heading.
fn outline_level(tag: &XmlTag) -> Option<u8> {
    tag.value("w:val")?.parse::<u8>().ok().filter(|level| *level < 9).map(|level| level + 1)
}

/// Which of the document's texts is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DocxPart {
    Body,
    Notes,
}

struct DocxReader<'a> {
    out: &'a mut BlockWriter,
    styles: &'a HashMap<String, u8>,
    part: DocxPart,
    text: String,
    level: Option<u8>,
    listed: bool,
    /// Within text: what is between `w:t` is the document's, the rest is the program's.
    words: bool,
    tables: usize,
    rows: String,
    /// Drawn a second time for programs that don't know the first form.
    fallbacks: usize,
    note: String,
}

impl<'a> DocxReader<'a> {
    fn new(out: &'a mut BlockWriter, styles: &'a HashMap<String, u8>, part: DocxPart) -> Self {
        Self {
            out,
            styles,
            part,
            text: String::new(),
            level: None,
            listed: false,
            words: false,
            tables: 0,
            rows: String::new(),
            fallbacks: 0,
            note: String::new(),
        }
    }

    fn take(&mut self, part: XmlPart) {
        match part {
            XmlPart::Start(tag) => self.start(&tag),
            XmlPart::End(name) => self.end(&name),
            XmlPart::Words(words) if self.words && self.fallbacks == 0 => self.text.push_str(&words),
            XmlPart::Words(_) => {}
        }
    }

    fn start(&mut self, tag: &XmlTag) {
        match tag.name.as_str() {
            "mc:fallback" if !tag.closed => self.fallbacks += 1,
            "w:p" => (self.level, self.listed) = (None, false),
            "w:pstyle" => {
                self.level = tag.value("w:val").and_then(|id| self.styles.get(&id).copied());
            }
            "w:outlinelvl" => self.level = outline_level(tag).or(self.level),
            "w:numpr" => self.listed = true,
            "w:t" | "m:t" => self.words = !tag.closed,
            "w:tab" => self.text.push(' '),
            "w:br" | "w:cr" => self.text.push('\n'),
            "w:nobreakhyphen" => self.text.push('-'),
            "w:footnotereference" => {
                if let Some(id) = tag.value("w:id") {
                    self.text.push_str(&format!("[{id}]"));
                }
            }
            "w:footnote" => self.note = tag.value("w:id").unwrap_or_default(),
            "w:tbl" => self.tables += 1,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "mc:fallback" => self.fallbacks = self.fallbacks.saturating_sub(1),
            "w:t" | "m:t" => self.words = false,
            "w:p" if self.tables > 0 => self.text.push(' '),
            "w:p" => self.paragraph(),
            "w:tc" => {
                let cell = std::mem::take(&mut self.text);
                if !self.rows.is_empty() && !self.rows.ends_with('\n') {
                    self.rows.push_str(" | ");
                }
                self.rows.push_str(&super::writer::one_line(&cell));
            }
            "w:tr" => self.rows.push('\n'),
            "w:tbl" => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    let rows = std::mem::take(&mut self.rows);
                    self.out.add(BlockKind::Table, &rows, None);
                    self.text.clear();
                }
            }
            _ => {}
        }
    }

    fn paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        match (self.part, self.level) {
            (DocxPart::Notes, _) => {
                let text = format!("[{}] {}", self.note, text.trim());
                self.out.add(BlockKind::Footnote, &text, None);
            }
            (DocxPart::Body, Some(0)) => {
                if self.out.title.is_none() {
                    self.out.title = Some(text.clone());
                }
                self.out.heading(1, &text, None);
            }
            (DocxPart::Body, Some(level)) => self.out.heading(level, &text, None),
            (DocxPart::Body, None) if self.listed => {
                self.out.add(BlockKind::ListItem, &format!("- {}", text.trim()), None);
            }
            (DocxPart::Body, None) => self.out.add(BlockKind::Prose, &text, None),
        }
    }
}
