//! The pages of a file, by `unpdf`: opened, each read for itself, and what can't be read said.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use unpdf::ErrorKind;
use unpdf::parser::backend::{PageId, PdfBackend, RawBackend};
use unpdf::parser::{LayoutAnalyzer, TextSpan};

use super::super::writer::BlockWriter;
use super::line::{PdfPage, PdfSpan, in_file_order};
use super::line_numbers::LineNumbers;
use super::nesting;
use super::one_page::OnePage;
use crate::data::quiet::quietly;

/// Most pages of one document; more aren't read, and said.
const MOST_PAGES: usize = 10_000;
/// Longest time that one document is read for. A page that was begun is read to its end.
const LONGEST: Duration = Duration::from_secs(180);
/// Most runs of letters that are kept of one document.
const MOST_SPANS: usize = 4_000_000;

/// An open document.
pub(super) struct PdfPages {
    backend: RawBackend,
    pages: Vec<(u32, PageId)>,
    scanned: Vec<u32>,
    unreadable: Vec<u32>,
    garbled: Vec<u32>,
    notices: Vec<String>,
}

impl PdfPages {
    pub(super) fn open(bytes: &[u8]) -> Result<Self> {
        if nesting::is_too_deep(bytes) {
            bail!("the PDF is damaged, or made to do harm: it goes deeper than any document does");
        }
        let loaded = quietly(|| RawBackend::load_bytes(bytes).map(|backend| (backend.pages(), backend)));
        let (pages, backend) = match loaded {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => return Err(refusal(&error)),
            Err(_) => bail!("the PDF is damaged; print it to a new PDF"),
        };
        let integrity = backend.integrity();
        let mut notices = Vec::new();
        if integrity.pages_incomplete() && !pages.is_empty() {
            notices.push(match integrity.declared_page_count {
                Some(told) if told as usize > pages.len() => {
                    format!("the PDF is damaged: {} of its {told} pages were found", pages.len())
                }
                Some(_) | None => "the PDF is damaged: some of its pages weren't found".to_owned(),
            });
        }
        if pages.is_empty() && integrity.xref_reconstructed {
            bail!("the PDF is damaged, and no page of it was found; fetch it again");
        }
        let pages = pages.into_iter().collect();
        Ok(Self { backend, pages, scanned: Vec::new(), unreadable: Vec::new(), garbled: Vec::new(), notices })
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// What the file says of itself.
    pub(super) fn facts(&self, out: &mut BlockWriter) {
        let Ok(facts) = quietly(|| self.backend.metadata()) else { return };
        out.facts.date = facts.creation_date.as_deref().and_then(day);
        out.facts
            .authors
            .extend(facts.author.iter().flat_map(|names| names.split([';', '\n'])).filter_map(said));
        out.facts
            .tags
            .extend(facts.keywords.iter().flat_map(|words| words.split([',', ';'])).filter_map(said));
    }

    /// Every page's lines, in the order of the file.
    pub(super) fn lines(&mut self) -> Vec<PdfPage> {
        let began = Instant::now();
        let (mut pages, mut spans, mut numbers) = (Vec::new(), 0, LineNumbers::default());
        for (index, (number, id)) in self.pages.clone().into_iter().enumerate() {
            if index >= MOST_PAGES || spans > MOST_SPANS || began.elapsed() > LONGEST {
                self.notices.push(format!(
                    "its first {index} pages were read and the others weren't: it is too long; split it"
                ));
                break;
            }
            let page = self.page(number, id, &mut numbers);
            spans += page.lines.iter().map(|line| line.spans.len()).sum::<usize>();
            pages.push(page);
        }
        pages
    }

    fn page(&mut self, number: u32, id: PageId, numbers: &mut LineNumbers) -> PdfPage {
        let one = OnePage { document: &self.backend, number, id };
        let analyzer = LayoutAnalyzer::new(&one);
        let read = quietly(|| {
            let spans = analyzer.extract_page_spans(number)?;
            let size = one.page_dimensions(id);
            Ok::<_, unpdf::Error>((spans, size, analyzer.page_op_counts(), analyzer.page_facts()))
        });
        let Ok(Ok((spans, (width, height), drawn, facts))) = read else {
            self.unreadable.push(number);
            return PdfPage { number, ..PdfPage::default() };
        };
        let letters = spans.iter().flat_map(|span| span.text.chars()).filter(|c| c.is_alphanumeric()).count();
        if letters < 20 && (drawn.image > 0 || facts.image_coverage > 0.5) {
            self.scanned.push(number);
        } else if analyzer.suppressed_text_runs() > spans.len() {
            self.garbled.push(number);
        }
        let mut spans = upright(spans);
        numbers.remove(&mut spans);
        PdfPage { number, width, height, lines: in_file_order(spans) }
    }

    /// What wasn't read, a sentence each.
    pub(super) fn notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.notices);
        let all = self.pages.len();
        let mut say = |pages: &[u32], one: &str, many: &str| match pages {
            [] => {}
            [page] => notices.push(format!("page {page} {one}")),
            pages if pages.len() == all => notices.push(format!("all {all} pages {many}")),
            pages => notices.push(format!("pages {} {many}", ranges(pages))),
        };
        say(
            &self.scanned,
            "is a picture without text; recognise its text (OCR) first",
            "are pictures without text; recognise their text (OCR) first",
        );
        say(&self.unreadable, "is damaged and wasn't read", "are damaged and weren't read");
        say(
            &self.garbled,
            "has a font that doesn't say which letters it draws",
            "have fonts that don't say which letters they draw",
        );
        notices
    }
}

/// "1-3, 7".
fn ranges(pages: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *page => *last = *page,
            Some(_) | None => runs.push((*page, *page)),
        }
    }
    let told: Vec<String> = runs
        .iter()
        .take(20)
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
        .collect();
    let more = if runs.len() > told.len() { " and others" } else { "" };
    told.join(", ") + more
}

/// "D:20220404120000Z" as "2022-04-04".
fn day(date: &str) -> Option<String> {
    let digits: String = date.chars().filter(char::is_ascii_digit).take(8).collect();
    let (year, month, day) = (digits.get(..4)?, digits.get(4..6)?, digits.get(6..8)?);
    Some(format!("{year}-{month}-{day}"))
}

fn said(text: &str) -> Option<String> {
    Some(super::super::writer::one_line(text)).filter(|text| !text.is_empty())
}

fn refusal(error: &unpdf::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::Encrypted | ErrorKind::InvalidPassword => {
            anyhow!("the PDF is encrypted; save a copy without its password and add that")
        }
        _ => anyhow!("the PDF is damaged or cut off ({error}); fetch it again"),
    }
}

/// What reads from left to right. Runs along a margin (a preprint's stamp) are left out, unless the whole page is turned.
fn upright(spans: Vec<TextSpan>) -> Vec<PdfSpan> {
    let letters = |span: &TextSpan| span.text.chars().filter(|c| c.is_alphanumeric()).count();
    let all: usize = spans.iter().map(letters).sum();
    let turned: usize = spans.iter().filter(|span| span.is_rotated()).map(letters).sum();
    let sideways = turned * 2 > all;
    let kept = spans.into_iter().filter(|span| span.is_rotated() == sideways && !span.text.trim().is_empty());
    kept.map(|span| if sideways { turn(&span) } else { placed(&span) }).collect()
}

fn placed(span: &TextSpan) -> PdfSpan {
    let width = span.ink_width.unwrap_or(span.width);
    let width = if width > 0.0 { width } else { guessed_width(span) };
    PdfSpan {
        x0: span.x,
        x1: span.x + width,
        y: span.y,
        size: span.font_size.abs().clamp(1.0, 200.0),
        bold: span.is_bold,
        mono: span.is_monospace,
        text: letters_of(&span.text),
    }
}

fn turn(span: &TextSpan) -> PdfSpan {
    let [along_x, along_y] = span.direction;
    let (x, y) = (span.x * along_x + span.y * along_y, span.y * along_x - span.x * along_y);
    let width = guessed_width(span);
    PdfSpan { x0: x, x1: x + width, y, ..placed(span) }
}

fn guessed_width(span: &TextSpan) -> f32 {
    span.text.chars().count() as f32 * span.font_size.abs() * 0.5
}

/// Ligatures as the letters that they stand for; no control characters.
fn letters_of(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{fb00}' => letters.push_str("ff"),
            '\u{fb01}' => letters.push_str("fi"),
            '\u{fb02}' => letters.push_str("fl"),
            '\u{fb03}' => letters.push_str("ffi"),
            '\u{fb04}' => letters.push_str("ffl"),
            '\u{fb05}' | '\u{fb06}' => letters.push_str("st"),
            '\u{a0}' => letters.push(' '),
            letter if letter.is_control() => letters.push(' '),
            letter => letters.push(letter),
        }
    }
    letters
}
