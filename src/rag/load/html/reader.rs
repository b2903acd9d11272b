//! One pass over a page's tags and words.

use std::collections::BTreeMap;

use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};

use super::super::writer::{BlockWriter, one_line};
use super::tags::{heading_level, holds_no_words, is_block, is_frame, is_frame_role, is_void};
use super::{Markup, PassedOver};
use crate::domain::library::BlockKind;

/// Most blocks of one page.
const MOST_BLOCKS: usize = 500_000;
/// Deeper lists are read as if they were one.
const DEEPEST: usize = 200;

/// Words that belong together.
#[derive(Debug)]
pub(super) struct HtmlBlock {
    pub(super) kind: BlockKind,
    pub(super) text: String,
    /// Whether it is within the page's main part.
    pub(super) main: bool,
    /// Whether nearly all of it leads elsewhere.
    pub(super) link: bool,
}

pub(super) struct HtmlReader<'a> {
    out: &'a mut BlockWriter,
    hidden: PassedOver,
    blocks: Vec<HtmlBlock>,
    text: String,
    /// A tag that nothing is read in, and how many of its name are open.
    passed: Option<(String, usize)>,
    main: usize,
    tables: usize,
    pre: usize,
    quoted: Option<String>,
    heading: Option<u8>,
    /// Items that are open, and how many were where each open list began: many pages don't close them.
    /// Links that are open, and the letters in links of the block so far.
    anchors: usize,
    linked: usize,
    items: usize,
    lists: Vec<usize>,
    title: Option<String>,
}

impl<'a> HtmlReader<'a> {
    pub(super) fn new(out: &'a mut BlockWriter, hidden: PassedOver) -> Self {
        Self {
            out,
            hidden,
            blocks: Vec::new(),
            text: String::new(),
            passed: None,
            main: 0,
            tables: 0,
            pre: 0,
            quoted: None,
            heading: None,
            anchors: 0,
            linked: 0,
            items: 0,
            lists: Vec::new(),
            title: None,
        }
    }

    pub(super) fn read(mut self, text: &str, markup: Markup) -> Vec<HtmlBlock> {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(markup == Markup::Html);
        for token in Tokenizer::new_with_emitter(text, emitter) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) => self.start(&tag, markup),
                Token::EndTag(tag) => self.end(&words(&tag.name)),
                Token::String(text) => self.say(&words(&text)),
                Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
            }
            if self.blocks.len() >= MOST_BLOCKS {
                self.out.notices.push("the page is too long, and only its beginning was read".to_owned());
                break;
            }
        }
        self.flush();
        self.blocks
    }

    fn start(&mut self, tag: &StartTag<()>, markup: Markup) {
        let name = words(&tag.name);
        let closed = is_void(&name) || (tag.self_closing && markup == Markup::Xhtml);
        if let Some((passed, depth)) = &mut self.passed {
            *depth += usize::from(*passed == name && !closed);
            return;
        }
        if name == "math" {
            // TeX, as the page's author wrote it.
            let tex = attribute(&tag.attributes, "alttext").map(|tex| format!(" ${tex}$ "));
            if let Some(tex) = tex.filter(|_| !closed) {
                self.say(&tex);
                self.passed = Some((name, 1));
            }
            return;
        }
        if self.is_passed(&name, tag) {
            if !closed {
                self.passed = Some((name, 1));
            }
            return;
        }
        if let Some(level) = heading_level(&name) {
            self.flush();
            self.heading = Some(level);
        } else {
            self.open(&name, tag);
        }
        if closed && !is_void(&name) {
            self.end(&name);
        }
    }

    fn is_passed(&self, name: &str, tag: &StartTag<()>) -> bool {
        let value = |name| attribute(&tag.attributes, name);
        let unseen = value("hidden").is_some() || value("aria-hidden").is_some_and(|value| value == "true");
        let frame = is_frame(name)
            || value("role").is_some_and(|role| is_frame_role(&role))
            || (name == "header" && self.main == 0);
        holds_no_words(name) || (self.hidden == PassedOver::Frame && (frame || unseen))
    }

    fn open(&mut self, name: &str, tag: &StartTag<()>) {
        match name {
            "title" => self.title = Some(String::new()),
            "meta" => self.meta(tag),
            "html" => self.language(tag),
            "br" => self.text.push('\n'),
            "a" => self.anchors += 1,
            "pre" => {
                self.flush();
                self.pre += 1;
                self.quoted = code_language(tag);
            }
            "code" if self.pre > 0 => self.quoted = code_language(tag).or(self.quoted.take()),
            "table" => {
                if self.tables == 0 {
                    self.flush();
                }
                self.tables += 1;
            }
            "td" | "th" if !self.text.is_empty() && !self.text.ends_with('\n') => self.text.push_str(" | "),
            "ul" | "ol" | "dl" if self.tables == 0 && self.lists.len() < DEEPEST => {
                self.flush();
                self.lists.push(self.items);
            }
            "li" => {
                self.flush();
                self.items = self.lists.last().copied().unwrap_or(0) + 1;
            }
            "main" | "article" => {
                self.flush();
                self.main += 1;
            }
            name if is_block(name) && self.tables == 0 => self.flush(),
            name if is_block(name) => self.text.push(' '),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((passed, depth)) = &mut self.passed {
            *depth -= usize::from(passed == name);
            if *depth == 0 {
                self.passed = None;
            }
            return;
        }
        if heading_level(name).is_some() {
            self.flush();
            self.heading = None;
            return;
        }
        match name {
            "title" => self.keep_title(),
            "a" => self.anchors = self.anchors.saturating_sub(1),
            "pre" => {
                self.flush();
                self.pre = self.pre.saturating_sub(1);
                self.quoted = None;
            }
            "tr" if self.tables > 0 => self.text.push('\n'),
            "table" => {
                if self.tables == 1 {
                    self.flush();
                }
                self.tables = self.tables.saturating_sub(1);
            }
            "ul" | "ol" | "dl" if self.tables == 0 => {
                self.flush();
                self.items = self.lists.pop().unwrap_or(0);
            }
            "li" => {
                self.flush();
                self.items = self.lists.last().copied().unwrap_or(0);
            }
            "main" | "article" => {
                self.flush();
                self.main = self.main.saturating_sub(1);
            }
            name if is_block(name) && self.tables == 0 => self.flush(),
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        if self.passed.is_some() {
            return;
        }
        if self.anchors > 0 {
            self.linked += letters(text);
        }
        if let Some(title) = &mut self.title {
            title.push_str(text);
        } else if self.pre > 0 {
            self.text.push_str(text);
        } else {
            // A break that the page asks for is kept, those of its source are spaces.
            for letter in text.chars() {
                if !letter.is_whitespace() {
                    self.text.push(letter);
                } else if !self.text.ends_with([' ', '\n']) {
                    self.text.push(' ');
                }
            }
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let linked = std::mem::take(&mut self.linked);
        if text.trim().is_empty() {
            return;
        }
        let kind = if let Some(level) = self.heading {
            BlockKind::Heading(level)
        } else if self.pre > 0 {
            BlockKind::Code(self.quoted.clone())
        } else if self.tables > 0 && text.contains(" | ") {
            BlockKind::Table
        } else if self.items > 0 {
            BlockKind::ListItem
        } else {
            BlockKind::Prose
        };
        let text = if kind == BlockKind::Table {
            let rows: Vec<String> = text.lines().map(one_line).filter(|row| !row.is_empty()).collect();
            rows.join("\n")
        } else {
            text
        };
        let text = if kind == BlockKind::ListItem { format!("- {}", text.trim()) } else { text };
        let link = linked * 10 >= letters(&text) * 9;
        self.blocks.push(HtmlBlock { kind, text, main: self.main > 0, link });
    }

    fn keep_title(&mut self) {
        let title = self.title.take().map(|title| one_line(&title)).filter(|title| !title.is_empty());
        if self.out.title.is_none() {
            self.out.title = title;
        }
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let name = attribute(&tag.attributes, "name").or_else(|| attribute(&tag.attributes, "property"));
        let content = attribute(&tag.attributes, "content").map(|content| one_line(&content));
        let (Some(name), Some(content)) = (name, content.filter(|content| !content.is_empty())) else {
            return;
        };
        let facts = &mut self.out.facts;
        match name.to_ascii_lowercase().as_str() {
            "citation_title" | "dc.title" => self.out.title = Some(content),
            "author" | "citation_author" | "dc.creator" if !facts.authors.contains(&content) => {
                facts.authors.push(content);
            }
            "citation_date" | "citation_publication_date" | "dc.date" | "article:published_time" | "date" => {
                facts.date.get_or_insert(content);
            }
            "keywords" => facts.tags.extend(content.split(',').map(one_line).filter(|tag| !tag.is_empty())),
            _ => {}
        }
    }

    fn language(&mut self, tag: &StartTag<()>) {
        let told = attribute(&tag.attributes, "lang").or_else(|| attribute(&tag.attributes, "xml:lang"));
        let code = told.map(|told| told.chars().take_while(char::is_ascii_alphabetic).collect::<String>());
        if let Some(code) = code.filter(|code| code.len() == 2) {
            self.out.facts.language.get_or_insert(code.to_ascii_lowercase());
        }
    }
}

pub(super) fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

pub(in crate::rag::load) fn words(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

pub(in crate::rag::load) fn attribute<T: std::ops::Deref<Target = HtmlString>>(
    attributes: &BTreeMap<HtmlString, T>,
    name: &str,
) -> Option<String> {
    attributes.get(name.as_bytes()).map(|value| words(value))
}

/// `class="language-rust"` and what else is usual.
fn code_language(tag: &StartTag<()>) -> Option<String> {
    let classes = attribute(&tag.attributes, "class")?;
    let named = classes.split_whitespace().find_map(|class| {
        class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")).map(str::to_owned)
    });
    named.filter(|name| name.len() < 30)
}
