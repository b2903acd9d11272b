//! Markdown: headings, paragraphs, list items, tables, code and footnotes, without the signs that mark them up.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use super::writer::{BlockWriter, one_line};
use crate::domain::library::BlockKind;

pub(super) fn read(out: &mut BlockWriter, text: &str) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = MarkdownReader { out, text: String::new(), context: Vec::new(), ordinals: Vec::new() };
    for event in Parser::new_ext(text, options) {
        reader.take(event);
    }
    reader.end_paragraph();
}

/// What a paragraph is in.
enum MarkdownContext {
    Item,
    Footnote,
    Code(Option<String>),
    Heading(u8),
    Table,
    Metadata,
}

struct MarkdownReader<'a> {
    out: &'a mut BlockWriter,
    /// What was read of the block that isn't ended.
    text: String,
    context: Vec<MarkdownContext>,
    /// The next number of each list that is open; none of a list without numbers.
    ordinals: Vec<Option<u64>>,
}

impl MarkdownReader<'_> {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::InlineMath(text) => self.text.push_str(&format!("${text}$")),
            Event::DisplayMath(text) => self.text.push_str(&format!("$${text}$$")),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::FootnoteReference(name) => self.text.push_str(&format!("[{name}]")),
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::Html(text) | Event::InlineHtml(text) => self.html(&text),
            Event::Rule => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => self.open(MarkdownContext::Heading(depth(level))),
            Tag::CodeBlock(kind) => self.open(MarkdownContext::Code(fence(&kind))),
            Tag::List(first) => {
                self.end_paragraph();
                self.ordinals.push(first);
            }
            Tag::Item => {
                self.open(MarkdownContext::Item);
                self.mark_item();
            }
            Tag::FootnoteDefinition(name) => {
                self.open(MarkdownContext::Footnote);
                self.text.push_str(&format!("[{name}] "));
            }
            Tag::Table(_) => self.open(MarkdownContext::Table),
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.open(MarkdownContext::Metadata);
            }
            Tag::TableCell => {
                if !self.text.is_empty() && !self.text.ends_with('\n') {
                    self.text.push_str(" | ");
                }
            }
            Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::HtmlBlock
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::TableHead
            | Tag::TableRow
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. } => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::DefinitionListTitle => self.end_paragraph(),
            TagEnd::TableHead | TagEnd::TableRow => self.text.push('\n'),
            TagEnd::List(_) => {
                self.end_paragraph();
                self.ordinals.pop();
            }
            TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::Table
            | TagEnd::DefinitionListDefinition
            | TagEnd::MetadataBlock(_) => {
                self.end_paragraph();
                self.context.pop();
            }
            TagEnd::BlockQuote(_)
            | TagEnd::DefinitionList
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image => {}
        }
    }

    fn open(&mut self, context: MarkdownContext) {
        self.end_paragraph();
        self.context.push(context);
    }

    /// The sign or the number in front of a list's item.
    fn mark_item(&mut self) {
        match self.ordinals.last_mut() {
            Some(Some(number)) => {
                self.text.push_str(&format!("{number}. "));
                *number += 1;
            }
            Some(None) | None => self.text.push_str("- "),
        }
    }

    fn end_paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        match self.context.last() {
            None => self.out.add(BlockKind::Prose, &text, None),
            Some(MarkdownContext::Item) => self.out.add(BlockKind::ListItem, &text, None),
            Some(MarkdownContext::Footnote) => self.out.add(BlockKind::Footnote, &text, None),
            Some(MarkdownContext::Code(language)) => {
                self.out.add(BlockKind::Code(language.clone()), &text, None);
            }
            Some(MarkdownContext::Heading(level)) => self.out.heading(*level, &text, None),
            Some(MarkdownContext::Table) => self.out.add(BlockKind::Table, &text, None),
            Some(MarkdownContext::Metadata) => front_matter(self.out, &text),
        }
    }

    /// Of HTML among Markdown the words stay, which come as text; tags and comments don't.
    fn html(&mut self, text: &str) {
        if text.starts_with("<br") {
            self.text.push('\n');
        }
    }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn fence(kind: &CodeBlockKind<'_>) -> Option<String> {
    match kind {
        CodeBlockKind::Fenced(language) => {
            language.split([' ', ',', '{']).next().filter(|word| !word.is_empty()).map(str::to_owned)
        }
        CodeBlockKind::Indented => None,
    }
}

/// Title, authors, date and tags of a YAML block; the rest of it is for other programs.
fn front_matter(out: &mut BlockWriter, text: &str) {
    let mut key = String::new();
    for line in text.lines() {
        let listed = line.trim_start().strip_prefix("- ");
        let value = if let Some(listed) = listed {
            listed.strip_prefix("name:").unwrap_or(listed)
        } else if let Some((name, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t'])) {
            key = name.trim().to_ascii_lowercase();
            value
        } else {
            continue;
        };
        let values = value.trim().trim_start_matches('[').trim_end_matches(']');
        let unquoted = |value: &str| one_line(value.trim().trim_matches(['"', '\'']));
        match key.as_str() {
            "title" if out.title.is_none() => {
                out.title = Some(unquoted(value)).filter(|title| !title.is_empty());
            }
            "date" if out.facts.date.is_none() => {
                out.facts.date = Some(unquoted(value)).filter(|date| !date.is_empty());
            }
            "author" | "authors" => out.facts.authors.extend(values_of(values)),
            "tags" | "keywords" | "categories" => out.facts.tags.extend(values_of(values)),
            _ => {}
        }
    }
}

fn values_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(',')
        .map(|value| one_line(value.trim().trim_matches(['"', '\''])))
        .filter(|value| !value.is_empty())
}
