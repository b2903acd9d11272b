//! One pass over a document's source.

use super::super::writer::{BlockWriter, one_line};
use super::command::{LatexCommand, LatexEnvironment, command, environment};
use crate::domain::library::BlockKind;

/// What ends a formula, or what is in brackets, is looked for in so many bytes.
const FARTHEST: usize = 10_000;
/// Deeper braces aren't taken for an argument.
const DEEPEST: usize = 200;

pub(super) struct LatexReader<'a> {
    out: &'a mut BlockWriter,
    rest: &'a str,
    text: String,
    /// Footnotes and captions, which follow the paragraph that they are in.
    asides: Vec<(BlockKind, String)>,
    lists: usize,
    item: bool,
    tables: usize,
    /// 1 if the document has chapters, which are then the outermost.
    below: u8,
}

impl<'a> LatexReader<'a> {
    pub(super) fn new(out: &'a mut BlockWriter, text: &'a str, sections_below: bool) -> Self {
        Self {
            out,
            rest: text,
            text: String::new(),
            asides: Vec::new(),
            lists: 0,
            item: false,
            tables: 0,
            below: u8::from(sections_below),
        }
    }

    /// Title, authors and date.
    pub(super) fn read_preamble(&mut self) {
        self.facts_in(self.rest);
    }

    fn facts_in(&mut self, text: &str) {
        let argument = |name: &str| {
            let (_, after) = text.split_once(&format!("\\{name}"))?;
            let argument = braced(skip_optional(after))?.0;
            Some(plain(argument)).filter(|words| !words.is_empty())
        };
        self.out.title = argument("title").or(self.out.title.take());
        self.out.facts.date = argument("date").filter(|date| !date.contains("today"));
        let authors = text.split_once("\\author").and_then(|(_, after)| braced(skip_optional(after)));
        if let Some((authors, _)) = authors {
            let names = authors.split("\\and").map(|name| plain(name.split("\\\\").next().unwrap_or(name)));
            self.out.facts.authors.extend(names.filter(|name| !name.is_empty()));
        }
    }

    pub(super) fn read(mut self) {
        if self.out.title.is_none() {
            self.facts_in(self.rest);
        }
        while let Some(letter) = self.rest.chars().next() {
            self.step(letter);
            if self.out.is_full() {
                return;
            }
        }
        self.flush();
    }

    fn step(&mut self, letter: char) {
        let after = self.rest.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            '\\' => self.command(after),
            '$' => self.formula(after),
            '{' | '}' => self.rest = after,
            '~' => self.sign(" ", after),
            '&' if self.tables > 0 => self.sign(" | ", after),
            '`' if after.starts_with('`') => self.sign("\u{201c}", after.get(1..).unwrap_or_default()),
            '\'' if after.starts_with('\'') => self.sign("\u{201d}", after.get(1..).unwrap_or_default()),
            '-' if after.starts_with("--") => self.sign("\u{2014}", after.get(2..).unwrap_or_default()),
            '-' if after.starts_with('-') => self.sign("\u{2013}", after.get(1..).unwrap_or_default()),
            '\n' => self.line_end(after),
            letter => {
                self.text.push(letter);
                self.rest = after;
            }
        }
    }

    fn sign(&mut self, sign: &str, after: &'a str) {
        self.text.push_str(sign);
        self.rest = after;
    }

    /// An empty line ends a paragraph; any other line's end is a space.
    fn line_end(&mut self, after: &'a str) {
        let trimmed = after.trim_start_matches([' ', '\t']);
        self.rest = after;
        if trimmed.starts_with('\n') && self.tables == 0 {
            self.flush();
            self.rest = trimmed.trim_start();
        } else if !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    /// Up to the next `$` or `$$`, as it is written.
    fn formula(&mut self, after: &'a str) {
        let sign = if after.starts_with('$') { "$$" } else { "$" };
        let inside = after.get(sign.len() - 1..).unwrap_or_default();
        let Some((formula, rest)) = until(inside, sign) else {
            self.rest = after;
            return;
        };
        self.text.push_str(&format!("{sign}{}{sign}", one_line(formula)));
        self.rest = rest;
    }

    fn command(&mut self, after: &'a str) {
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let length = if letters > 0 { letters } else { after.chars().next().map_or(0, char::len_utf8) };
        let (name, rest) = after.split_at(length);
        if matches!(name, "[" | "(") {
            return self.bracketed_formula(name, rest);
        }
        let star = rest.strip_prefix('*').filter(|_| letters > 0).unwrap_or(rest);
        // A space after a command's name is not the text's.
        self.rest = if letters > 0 { star.trim_start_matches([' ', '\t']) } else { rest };
        match command(name) {
            LatexCommand::Begin => self.begin(),
            LatexCommand::End => self.end(),
            LatexCommand::Heading(level) => {
                let title = plain(self.argument());
                self.flush();
                self.out.heading((level + self.below).max(1), &title, None);
            }
            LatexCommand::Drop(count) => (0..count).for_each(|_| {
                self.argument();
            }),
            LatexCommand::Name => {
                let name = one_line(self.argument());
                self.text.push_str(&format!("[{name}]"));
            }
            LatexCommand::Note => {
                let note = plain(self.argument());
                self.asides.push((BlockKind::Footnote, note));
            }
            LatexCommand::Second => {
                self.argument();
            }
            LatexCommand::Item => self.start_item(name),
            LatexCommand::Caption => {
                let caption = plain(self.argument());
                self.asides.push((BlockKind::Prose, caption));
            }
            LatexCommand::Sign(" ") if self.tables > 0 && name == "\\" => {
                self.rest = skip_optional(self.rest);
                self.text.push('\n');
            }
            LatexCommand::Sign(sign) => self.text.push_str(sign),
            LatexCommand::Accent(mark) => self.accent(mark),
            LatexCommand::Transparent => self.rest = skip_optional(self.rest),
        }
    }

    fn bracketed_formula(&mut self, open: &str, rest: &'a str) {
        let (close, sign) = if open == "[" { ("\\]", "$$") } else { ("\\)", "$") };
        let Some((formula, after)) = until(rest, close) else {
            self.rest = rest;
            return;
        };
        self.text.push_str(&format!("{sign}{}{sign}", one_line(formula)));
        self.rest = after;
    }

    /// What is in braces next, after what is in brackets.
    fn argument(&mut self) -> &'a str {
        let mut rest = skip_optional(self.rest);
        // `\def\name{...}`
        if let Some(named) = rest.strip_prefix('\\') {
            rest = named.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            self.rest = rest;
            return "";
        }
        let Some((argument, after)) = braced(rest) else { return "" };
        rest = after;
        self.rest = rest;
        argument
    }

    fn accent(&mut self, mark: char) {
        let rest = self.rest.trim_start_matches(['{', '\\']);
        let Some(letter) = rest.chars().next().filter(|letter| letter.is_alphabetic()) else { return };
        self.text.push(letter);
        self.text.push(mark);
        self.rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }

    fn start_item(&mut self, name: &str) {
        self.flush();
        self.item = true;
        self.text.push_str("- ");
        let rest = self.rest.trim_start();
        if name == "bibitem" {
            let key = one_line(self.argument());
            self.text.push_str(&format!("[{key}] "));
        } else if let Some((label, after)) = rest.strip_prefix('[').and_then(|rest| until(rest, "]")) {
            self.text.push_str(&format!("{} ", plain(label)));
            self.rest = after;
        }
    }

    fn begin(&mut self) {
        let name = self.argument();
        let kind = environment(name);
        let inside = self.rest;
        match kind {
            LatexEnvironment::Formula | LatexEnvironment::Code | LatexEnvironment::Nothing => {
                let end = format!("\\end{{{name}}}");
                let (inside, after) = inside.split_once(end.as_str()).unwrap_or((inside, ""));
                self.rest = after;
                self.raw(kind, inside);
            }
            LatexEnvironment::List => {
                self.flush();
                self.lists += 1;
                if name == "thebibliography" {
                    self.argument();
                    self.out.heading(1 + self.below, "References", None);
                }
                self.rest = skip_optional(self.rest);
            }
            LatexEnvironment::Table => {
                self.flush();
                self.tables += 1;
                if matches!(name, "tabularx" | "tabular*" | "tabulary") {
                    self.argument();
                }
                self.argument();
            }
            LatexEnvironment::Abstract => {
                self.flush();
                self.out.heading(1 + self.below, "Abstract", None);
            }
            LatexEnvironment::Text => {
                self.flush();
                self.rest = skip_optional(self.rest);
            }
        }
    }

    fn raw(&mut self, kind: LatexEnvironment, inside: &str) {
        match kind {
            LatexEnvironment::Formula => self.text.push_str(&format!(" $${}$$ ", one_line(inside))),
            LatexEnvironment::Code => {
                self.flush();
                let code = skip_optional(inside);
                self.out.add(BlockKind::Code(None), code, None);
            }
            LatexEnvironment::Nothing
            | LatexEnvironment::List
            | LatexEnvironment::Table
            | LatexEnvironment::Abstract
            | LatexEnvironment::Text => {}
        }
    }

    fn end(&mut self) {
        let name = self.argument();
        self.flush();
        match environment(name) {
            LatexEnvironment::List => self.lists = self.lists.saturating_sub(1),
            LatexEnvironment::Table => self.tables = self.tables.saturating_sub(1),
            LatexEnvironment::Formula
            | LatexEnvironment::Code
            | LatexEnvironment::Nothing
            | LatexEnvironment::Abstract
            | LatexEnvironment::Text => {}
        }
        self.item = self.item && self.lists > 0;
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim_matches(['-', ' ', '\n', '|']).is_empty() {
            // Signs alone.
        } else if self.tables > 0 {
            let rows: Vec<String> =
                text.lines().map(one_line).filter(|row| row.contains(char::is_alphanumeric)).collect();
            self.out.add(BlockKind::Table, &rows.join("\n"), None);
        } else {
            let kind = if self.item { BlockKind::ListItem } else { BlockKind::Prose };
            self.out.add(kind, &one_line(&text), None);
        }
        for (kind, text) in std::mem::take(&mut self.asides) {
            self.out.add(kind, &text, None);
        }
    }
}

/// What is in the braces that the text begins with, and what comes after them.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inside = text.trim_start().strip_prefix('{')?;
    let (mut depth, mut escaped) = (1, false);
    for (at, letter) in inside.char_indices().take(FARTHEST * 100) {
        match letter {
            '{' if !escaped => depth += 1,
            '}' if !escaped => depth -= 1,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if depth == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
        if depth > DEEPEST {
            return None;
        }
    }
    None
}

/// What is before the end, if it is near, and what is after it.
fn until<'a>(text: &'a str, end: &str) -> Option<(&'a str, &'a str)> {
    let near = text.get(..text.floor_char_boundary(FARTHEST))?;
    let at = memchr::memmem::find(near.as_bytes(), end.as_bytes())?;
    Some((text.get(..at)?, text.get(at + end.len()..)?))
}

/// Without what is in brackets at the text's beginning.
fn skip_optional(text: &str) -> &str {
    let Some(mut rest) = text.trim_start_matches([' ', '\t']).strip_prefix('[') else { return text };
    for _ in 0..DEEPEST {
        let Some((option, after)) = until(rest, "]") else { break };
        if option.matches('{').count() == option.matches('}').count() {
            return after;
        }
        rest = after;
    }
    text
}

/// A heading's or a note's words: its commands passed over.
fn plain(text: &str) -> String {
    let mut out = BlockWriter::new();
    let mut reader = LatexReader::new(&mut out, text, false);
    let mut words = String::new();
    while let Some(letter) = reader.rest.chars().next() {
        reader.step(letter);
        if reader.text.len() > 1 << 20 {
            break;
        }
    }
    words.push_str(&reader.text);
    drop(reader);
    one_line(&words)
}
