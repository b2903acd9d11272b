//! Lines put together to paragraphs, headings, tables, code and footnotes.

use super::super::writer::BlockWriter;
use super::heading::PdfFonts;
use super::hyphen::DocumentWords;
use super::line::{PdfLine, PdfPage};
use super::table::{beside_row, is_contents, is_row, leads_to_page, without_leaders};
use crate::domain::library::BlockKind;

/// A line that is further below than this, in multiples of the usual distance, begins a paragraph.
const APART: f32 = 1.3;
/// A first line is indented by at least this, in multiples of the letters' size.
const INDENT: f32 = 0.7;
/// Between two parts of one paragraph there may be so many notes and tables, at a page's end.
const BETWEEN: usize = 4;

/// Writes all pages' blocks.
pub(super) fn write(out: &mut BlockWriter, pages: &[PdfPage]) {
    let fonts = PdfFonts::of(pages);
    let words = DocumentWords::of(pages);
    let mut drafts = PdfDrafts { fonts: &fonts, words: &words, done: Vec::new() };
    for page in pages {
        for (index, line) in page.lines.iter().enumerate() {
            let kind = drafts.kind(page, index, line);
            let kind = drafts.rest_of_heading(page.number, line).unwrap_or(kind);
            drafts.take(page.number, kind, line);
        }
    }
    let done = drafts.joined();
    out.title = title(&done, &fonts);
    for draft in done {
        match draft.kind {
            LineKind::Heading(level) => out.heading(level, &draft.text, Some(draft.page)),
            LineKind::Prose => out.add(BlockKind::Prose, &draft.text, Some(draft.page)),
            LineKind::Item => out.add(BlockKind::ListItem, &draft.text, Some(draft.page)),
            LineKind::Row | LineKind::Contents => out.add(BlockKind::Table, &draft.text, Some(draft.page)),
            LineKind::Note => out.add(BlockKind::Footnote, &draft.text, Some(draft.page)),
            LineKind::Code => out.add(BlockKind::Code(None), &draft.text, Some(draft.page)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Heading(u8),
    Prose,
    Item,
    Row,
    Contents,
    Note,
    Code,
}

/// A block that is being put together.
#[derive(Debug)]
struct BlockDraft {
    kind: LineKind,
    page: u32,
    /// Of its last line.
    last_page: u32,
    text: String,
    last: PdfLine,
    lines: usize,
    left: f32,
    right: f32,
}

struct PdfDrafts<'a> {
    fonts: &'a PdfFonts,
    words: &'a DocumentWords,
    done: Vec<BlockDraft>,
}

impl PdfDrafts<'_> {
    fn kind(&self, page: &PdfPage, index: usize, line: &PdfLine) -> LineKind {
        let text = line.text();
        if is_contents(&text) || (self.fonts.level(line).is_some() && leads_to_page(line)) {
            LineKind::Contents
        } else if line.is_mono() {
            LineKind::Code
        } else if is_row(&page.lines, index) {
            LineKind::Row
        } else if let Some(level) = self.fonts.level(line).filter(|_| !beside_row(&page.lines, index)) {
            LineKind::Heading(level)
        } else if self.is_note(page, line) {
            LineKind::Note
        } else if is_item(&text) {
            LineKind::Item
        } else {
            LineKind::Prose
        }
    }

    /// The second line of a heading need not look like one by itself: "(and more)".
    fn rest_of_heading(&self, page: u32, line: &PdfLine) -> Option<LineKind> {
        let last = self.done.last().filter(|draft| matches!(draft.kind, LineKind::Heading(_)))?;
        let same = self.fonts.look_alike(&last.last, line) && line.cell_count() == 1;
        (same && continues(self.fonts, last, page, last.kind, line)).then_some(last.kind)
    }

    /// Small letters low on the page that begin with a raised number or a sign.
    fn is_note(&self, page: &PdfPage, line: &PdfLine) -> bool {
        let small = line.main_size() < self.fonts.body * 0.94;
        let Some(first) = line.spans.first().filter(|_| small && line.y < page.height * 0.5) else {
            return false;
        };
        let mark = first.text.trim();
        let number = mark.len() <= 2 && mark.parse::<u8>().is_ok() && first.size < line.main_size() * 0.9;
        let low = line.y < page.height * 0.35;
        let listed = low && listed_number(mark);
        number || listed || mark.starts_with(['*', '\u{2217}', '\u{2020}', '\u{2021}', '\u{a7}', '\u{b6}'])
    }

    fn take(&mut self, page: u32, kind: LineKind, line: &PdfLine) {
        let words = self.words;
        if let Some(draft) = self.done.last_mut()
            && continues(self.fonts, draft, page, kind, line)
        {
            draft.add(words, page, line);
            return;
        }
        let text = match kind {
            LineKind::Row => line.cells(),
            LineKind::Contents => without_leaders(&line.text()),
            LineKind::Heading(_) | LineKind::Prose | LineKind::Item | LineKind::Note | LineKind::Code => {
                line.text()
            }
        };
        self.done.push(BlockDraft {
            kind,
            page,
            last_page: page,
            text,
            last: line.clone(),
            lines: 1,
            left: line.x0,
            right: line.x1,
        });
    }

    /// Paragraphs that go on after a page's or a column's end are put together again, over the notes and tables between.
    fn joined(self) -> Vec<BlockDraft> {
        let mut joined: Vec<BlockDraft> = Vec::with_capacity(self.done.len());
        for draft in tables(self.done) {
            let before = joined.iter_mut().rev().take(BETWEEN + 1);
            let open = before.filter(|before| before.kind == LineKind::Prose && before.lines > 1);
            let open = open.into_iter().find(|open| draft.kind == LineKind::Prose && goes_on(open, &draft));
            if let Some(open) = open {
                self.words.join(&mut open.text, &draft.text);
                open.last_page = draft.last_page;
                open.last = draft.last;
            } else {
                joined.push(draft);
            }
        }
        joined
    }
}

/// Rows with the few words that stand alone between them; a row without another is a line of text with wide gaps.
fn tables(drafts: Vec<BlockDraft>) -> Vec<BlockDraft> {
    let is_row = |draft: Option<&BlockDraft>| draft.is_some_and(|draft| draft.kind == LineKind::Row);
    let aside = |draft: &BlockDraft| {
        draft.kind == LineKind::Prose && draft.lines == 1 && draft.text.split_whitespace().count() <= 4
    };
    let mut together: Vec<BlockDraft> = Vec::with_capacity(drafts.len());
    let mut rest = drafts.into_iter().peekable();
    while let Some(mut draft) = rest.next() {
        if aside(&draft) && (is_row(rest.peek()) || is_row(together.last())) {
            draft.kind = LineKind::Row;
        }
        match together.last_mut().filter(|last| last.kind == LineKind::Row && draft.kind == LineKind::Row) {
            Some(last) if last.page == draft.page => {
                last.text.push_str(&format!("\n{}", draft.text));
                last.lines += draft.lines;
                last.last = draft.last;
            }
            Some(_) | None => together.push(draft),
        }
    }
    for draft in &mut together {
        if draft.kind == LineKind::Row && draft.lines == 1 {
            draft.kind = LineKind::Prose;
            draft.text = draft.text.replace(" | ", " ");
        }
    }
    together
}

impl BlockDraft {
    fn add(&mut self, words: &DocumentWords, page: u32, line: &PdfLine) {
        match self.kind {
            LineKind::Row => self.text.push_str(&format!("\n{}", line.cells())),
            LineKind::Contents => self.text.push_str(&format!("\n{}", without_leaders(&line.text()))),
            LineKind::Code => {
                let indent = ((line.x0 - self.left) / (line.size * 0.6)).round().clamp(0.0, 40.0) as usize;
                self.text.push_str(&format!("\n{}{}", " ".repeat(indent), line.text()));
            }
            LineKind::Heading(_) | LineKind::Prose | LineKind::Item | LineKind::Note => {
                words.join(&mut self.text, &line.text());
            }
        }
        // An indented first line says nothing of where the others begin.
        self.left = if self.lines == 1 { line.x0.min(self.left) } else { self.left.min(line.x0) };
        self.right = self.right.max(line.x1);
        self.last = line.clone();
        self.last_page = page;
        self.lines += 1;
    }
}

/// Whether a line belongs to the block before it.
fn continues(fonts: &PdfFonts, draft: &BlockDraft, page: u32, kind: LineKind, line: &PdfLine) -> bool {
    let last = &draft.last;
    let size = line.size.max(last.size);
    let step = last.y - line.y;
    let same_size = (line.main_size() - last.main_size()).abs() < 0.08 * size;
    let leading = fonts.leading.max(fonts.body * 1.1) * (size / fonts.body).max(0.8);
    let near = page == draft.last_page && step > -0.5 * size && step < APART * leading;
    match (draft.kind, kind) {
        (LineKind::Heading(a), LineKind::Heading(b)) => {
            near && same_size
                && (a == b || !starts_with_number(&line.text()))
                && !starts_with_number(&line.text())
        }
        (LineKind::Row, LineKind::Row) => {
            page == draft.last_page && step > -0.5 * size && step < 2.5 * leading
        }
        (LineKind::Contents, LineKind::Contents) | (LineKind::Code, LineKind::Code) => {
            page == draft.last_page && step > -0.5 * size && step < 3.0 * leading
        }
        (LineKind::Prose | LineKind::Item | LineKind::Note, LineKind::Prose) => {
            near && same_size && !begins_paragraph(draft, line, size)
        }
        _ => false,
    }
}

/// Whether a line that stands right below a paragraph begins another.
fn begins_paragraph(draft: &BlockDraft, line: &PdfLine, size: f32) -> bool {
    let ended = ends_sentence(&draft.text);
    let indented = line.x0 > draft.last.x0 + INDENT * size && line.x0 < draft.last.x0 + 6.0 * size;
    let short = draft.lines > 1 && draft.last.x1 < draft.right - 3.0 * size;
    // A list of references: the lines after the first are indented.
    let hanging = draft.lines > 1 && line.x0 < draft.last.x0 - INDENT * size && ended;
    let elsewhere = line.x0 > draft.right + size || line.x1 < draft.left - size;
    (ended && (indented || short)) || hanging || elsewhere
}

/// Whether one paragraph is the rest of another that a page's or a column's end broke.
fn goes_on(open: &BlockDraft, next: &BlockDraft) -> bool {
    let same_size = (open.last.main_size() - next.last.main_size()).abs() < 0.3;
    let moved = next.page != open.last_page || next.last.y > open.last.y || next.left > open.right;
    let near = next.page <= open.last_page + 1;
    let lower = next.text.starts_with(|c: char| c.is_lowercase());
    let broken = open.text.ends_with(['-', '\u{ad}', ',']) || !ends_sentence(&open.text);
    let full = open.lines > 1 && open.last.x1 > open.right - 2.0 * open.last.size;
    near && moved && same_size && broken && (lower || (full && open.lines > 2 && next.lines > 1))
}

fn ends_sentence(text: &str) -> bool {
    let text = text.trim_end().trim_end_matches(['"', '\u{201d}', ')', ']', '\u{2019}']);
    text.ends_with(['.', '?', '!', ':', '\u{3002}'])
}

fn starts_with_number(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.starts_with(|c: char| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// "1." or "12. Words".
fn listed_number(text: &str) -> bool {
    let number = text.split_whitespace().next().and_then(|word| word.strip_suffix('.')).unwrap_or_default();
    !number.is_empty() && number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_item(text: &str) -> bool {
    let text = text.trim_start();
    let bullet = text.starts_with(['\u{2022}', '\u{25e6}', '\u{25aa}', '\u{25cf}', '\u{2023}', '\u{2043}']);
    bullet && text.contains(char::is_alphanumeric)
}

/// The largest heading of the first page, if it is larger than the others there.
fn title(drafts: &[BlockDraft], fonts: &PdfFonts) -> Option<String> {
    let first = drafts.first()?.page;
    let headings =
        drafts.iter().filter(|draft| draft.page == first && matches!(draft.kind, LineKind::Heading(_)));
    let largest = headings.max_by(|a, b| {
        // Of two of one size the upper one.
        a.last.main_size().total_cmp(&b.last.main_size()).then(a.last.y.total_cmp(&b.last.y))
    })?;
    (largest.last.main_size() > fonts.body * 1.15 && largest.text.chars().count() > 3)
        .then(|| largest.text.clone())
}
