//! Lines of a page, made of what a PDF draws: runs of letters, each with its place.

/// A run of letters of one font.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rag::load) struct PdfSpan {
    pub(super) text: String,
    /// Left and right end, in points from the page's left edge.
    pub(super) x0: f32,
    pub(super) x1: f32,
    /// Baseline, in points from the page's lower edge.
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) mono: bool,
}

/// What stands on one baseline and is read together.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::rag::load) struct PdfLine {
    pub(super) spans: Vec<PdfSpan>,
    pub(super) x0: f32,
    pub(super) x1: f32,
    pub(super) y: f32,
    /// Of its largest letters.
    pub(super) size: f32,
}

/// A page and its lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::rag::load) struct PdfPage {
    /// From 1.
    pub(super) number: u32,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) lines: Vec<PdfLine>,
}

/// Two spans are words of their own if they are further apart than this, in multiples of the letters' size.
const WORD_GAP: f32 = 0.15;
/// Cells of a table are further apart than this, and words of a justified line seldom.
const CELL_GAP: f32 = 1.2;
/// A raised or lowered letter is moved by less than this.
const SHIFT: f32 = 0.6;
/// Two runs of a line may overlap by so much: an accent is drawn over its letter.
const OVERLAP: f32 = 0.6;

/// Lines in the order in which the file draws them.
pub(super) fn in_file_order(spans: Vec<PdfSpan>) -> Vec<PdfLine> {
    let mut lines: Vec<PdfLine> = Vec::new();
    for span in spans {
        match lines.last_mut() {
            Some(line) if line.takes(&span) => line.push(span),
            Some(_) | None => lines.push(PdfLine::of(span)),
        }
    }
    lines
}

impl PdfLine {
    pub(super) fn of(span: PdfSpan) -> Self {
        Self { x0: span.x0, x1: span.x1, y: span.y, size: span.size, spans: vec![span] }
    }

    fn takes(&self, span: &PdfSpan) -> bool {
        let size = self.size.max(span.size);
        let last = self.spans.last().map_or(self.x1, |last| last.x1);
        (span.y - self.y).abs() <= SHIFT * size && span.x0 >= last - OVERLAP * size
    }

    pub(super) fn push(&mut self, span: PdfSpan) {
        self.x0 = self.x0.min(span.x0);
        self.x1 = self.x1.max(span.x1);
        if span.size > self.size * 1.05 {
            (self.size, self.y) = (span.size, span.y);
        }
        self.spans.push(span);
    }

    /// Its words. Raised and lowered figures are marked, so that `10^6` is not read as 106, nor a note's number as a
    /// part of the word before it.
    pub(super) fn text(&self) -> String {
        self.join(" ")
    }

    /// Its words, with a sign between what stands in different columns of a table.
    pub(super) fn cells(&self) -> String {
        self.join(" | ")
    }

    fn join(&self, between_cells: &str) -> String {
        let mut text = String::new();
        let mut last: Option<&PdfSpan> = None;
        for span in &self.spans {
            if let Some(last) = last {
                let gap = span.x0 - last.x1;
                let size = last.size.max(span.size);
                if gap > CELL_GAP * size {
                    text.truncate(text.trim_end().len());
                    text.push_str(between_cells);
                } else if gap > WORD_GAP * last.size.min(span.size) {
                    if !text.ends_with(' ') && !span.text.starts_with(' ') {
                        text.push(' ');
                    }
                } else if let Some(mark) = self.shift_mark(last, span) {
                    text.push(mark);
                }
            }
            text.push_str(&span.text);
            last = Some(span);
        }
        text
    }

    /// The sign before figures that are raised or lowered next to a letter or a figure.
    fn shift_mark(&self, last: &PdfSpan, span: &PdfSpan) -> Option<char> {
        let figure = span.text.starts_with(|c: char| c.is_ascii_digit());
        let beside = last.text.ends_with(char::is_alphanumeric);
        if !figure || !beside || span.size > last.size * 0.9 {
            return None;
        }
        let raised = span.y - last.y;
        if raised > 0.1 * self.size {
            Some('^')
        } else if raised < -0.05 * self.size {
            Some('_')
        } else {
            None
        }
    }

    /// How many cells it has, if it were a row of a table.
    pub(super) fn cell_count(&self) -> usize {
        let gaps = self.spans.windows(2).filter(|pair| match pair {
            [last, next] => next.x0 - last.x1 > CELL_GAP * last.size.max(next.size),
            _ => false,
        });
        gaps.count() + 1
    }

    /// The widest room between two of its spans: where it begins and where it ends.
    pub(super) fn widest_gap(&self) -> Option<(f32, f32)> {
        let gaps = self.spans.windows(2).filter_map(|pair| match pair {
            [last, next] if next.x0 - last.x1 > CELL_GAP * last.size.max(next.size) => {
                Some((last.x1, next.x0))
            }
            _ => None,
        });
        gaps.max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)))
    }

    /// Of most of its letters.
    pub(super) fn main_size(&self) -> f32 {
        let longest =
            self.spans.iter().max_by_key(|span| span.text.chars().filter(|c| c.is_alphanumeric()).count());
        longest.map_or(self.size, |span| span.size)
    }

    /// Whether most of its letters are bold.
    pub(super) fn is_bold(&self) -> bool {
        self.most(|span| span.bold)
    }

    pub(super) fn is_mono(&self) -> bool {
        self.most(|span| span.mono)
    }

    fn most(&self, is: impl Fn(&PdfSpan) -> bool) -> bool {
        let letters = |span: &PdfSpan| span.text.chars().filter(|c| c.is_alphanumeric()).count();
        let all: usize = self.spans.iter().map(letters).sum();
        let those: usize = self.spans.iter().filter(|span| is(span)).map(letters).sum();
        all > 0 && those * 5 >= all * 4
    }
}
