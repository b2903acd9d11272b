//! Numbers that count the lines of a draft, beside them: they are the page's, and not read.

use std::collections::BTreeMap;

use super::line::PdfSpan;

/// A page has at least so many, unless they go on from the page before.
const LEAST: usize = 8;
/// They are beside at least this part of the page's text.
const COVERED: f32 = 0.4;

/// Takes them out of one page after the other.
#[derive(Debug, Default)]
pub(super) struct LineNumbers {
    /// The last one of the page before.
    last: Option<u32>,
}

impl LineNumbers {
    pub(super) fn remove(&mut self, spans: &mut Vec<PdfSpan>) {
        let found = Self::columns(spans).into_iter().find(|column| self.counts(spans, column));
        self.last = found.as_ref().and_then(|column| column.last()).map(|number| number.number);
        let Some(column) = found else { return };
        let mut gone = vec![false; spans.len()];
        for number in column {
            if let Some(gone) = gone.get_mut(number.index) {
                *gone = true;
            }
        }
        let mut gone = gone.into_iter();
        spans.retain(|_| !gone.next().unwrap_or(false));
    }

    /// Numbers that stand one under the other, from the top: their right ends are at one place, or their left ends.
    fn columns(spans: &[PdfSpan]) -> Vec<Vec<CountedLine>> {
        let mut columns: BTreeMap<(bool, i32), Vec<CountedLine>> = BTreeMap::new();
        for (index, span) in spans.iter().enumerate() {
            let text = span.text.trim();
            if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let Ok(number) = text.parse() else { continue };
            for (right, end) in [(true, span.x1), (false, span.x0)] {
                let place = (right, (end / 2.0).round() as i32);
                columns.entry(place).or_default().push(CountedLine { index, y: span.y, number });
            }
        }
        let mut columns: Vec<Vec<CountedLine>> = columns.into_values().collect();
        for column in &mut columns {
            column.sort_by(|a, b| b.y.total_cmp(&a.y));
        }
        columns.sort_by_key(|column| std::cmp::Reverse(column.len()));
        columns
    }

    /// Whether each is one more than the one above, or five, as far down as there is text.
    fn counts(&self, spans: &[PdfSpan], column: &[CountedLine]) -> bool {
        let (Some(first), Some(last)) = (column.first(), column.last()) else { return false };
        let goes_on =
            self.last.is_some_and(|before| first.number == before + 1 || first.number == before + 5);
        let follows = column.windows(2).filter(|pair| match pair {
            [above, below] => below.number == above.number + 1 || below.number == above.number + 5,
            _ => false,
        });
        let follow = follows.count() * 5 >= (column.len() - 1) * 4;
        let top = spans.iter().map(|span| span.y).fold(f32::MIN, f32::max);
        let bottom = spans.iter().map(|span| span.y).fold(f32::MAX, f32::min);
        let long = column.len() >= LEAST && first.y - last.y >= COVERED * (top - bottom);
        follow && (long || goes_on)
    }
}

/// A number and the height that it is at.
#[derive(Debug)]
struct CountedLine {
    index: usize,
    y: f32,
    number: u32,
}
