//! Which line is read after which. Programs that write papers draw a page in reading order, figures and columns
//! included, and that order is better than any guess; if it goes astray (up and down in one column, or across two), the
//! order is found from the places alone.

use super::heading::letters;
use super::line::{PdfLine, PdfPage, PdfSpan};

/// So many lines may follow one that isn't before them, as a part of all: heads, notes and figures.
const ASTRAY_PART: f32 = 0.06;
/// And so many on any page.
const ASTRAY: usize = 3;
/// A line of a text, and no label, has so many letters.
const TEXT_LETTERS: usize = 20;
/// A gutter is looked for in this part of the width, and so many parts of it.
const MIDDLE: (f32, f32) = (0.25, 0.75);
const STEPS: usize = 60;
/// Most lines of a page with columns that may go across the gutter.
const ACROSS: f32 = 0.4;

/// Puts a page's lines in the order in which they are read.
pub(super) fn settle(page: &mut PdfPage) {
    if is_natural(&page.lines) {
        return;
    }
    let spans: Vec<PdfSpan> = page.lines.drain(..).flat_map(|line| line.spans).collect();
    let (left, right) = extent(&spans);
    page.lines = by_place(spans, left, right, 3);
}

/// Whether the file's own order can be a reader's.
fn is_natural(lines: &[PdfLine]) -> bool {
    // What a figure is labelled with is drawn in any order.
    let texts: Vec<&PdfLine> = lines.iter().filter(|line| letters(line) >= TEXT_LETTERS).collect();
    let astray = texts.windows(2).filter(|pair| match pair {
        [last, next] => is_astray(last, next),
        _ => false,
    });
    let allowed = ASTRAY.max((texts.len() as f32 * ASTRAY_PART) as usize);
    astray.count() <= allowed && !goes_across(lines)
}

/// Up in the same column, or to the left at the same height.
fn is_astray(last: &PdfLine, next: &PdfLine) -> bool {
    let size = last.size.max(next.size);
    let to_the_right = next.x0 > last.x1 - size;
    let up = next.y > last.y + size * 0.8;
    let level = (next.y - last.y).abs() <= size * 0.3;
    (up && !to_the_right) || (level && next.x1 < last.x0)
}

/// Whether lines of two columns were drawn as one: words on both sides of a gap that is at the same place in many lines.
fn goes_across(lines: &[PdfLine]) -> bool {
    let gaps: Vec<(f32, f32)> =
        lines.iter().filter(|line| is_two_texts(line)).filter_map(PdfLine::widest_gap).collect();
    let most =
        gaps.iter().map(|gap| gaps.iter().filter(|other| other.0 < gap.1 && gap.0 < other.1).count()).max();
    most.unwrap_or(0) * 4 > lines.len() && gaps.len() > 5
}

/// Several words on both sides of its widest gap, and no other gap: a row of a table has more, or shorter cells.
fn is_two_texts(line: &PdfLine) -> bool {
    let Some((from, _)) = line.widest_gap() else { return false };
    let words = |right: bool| -> usize {
        let side = line.spans.iter().filter(|span| (span.x0 > from) == right);
        side.map(|span| span.text.split_whitespace().filter(|word| word.len() > 1).count()).sum()
    };
    line.cell_count() == 2 && words(false) >= 3 && words(true) >= 3
}

fn extent(spans: &[PdfSpan]) -> (f32, f32) {
    spans.iter().fold((f32::MAX, f32::MIN), |(left, right), span| (left.min(span.x0), right.max(span.x1)))
}

/// Lines by their places: top to bottom, columns one after the other between what goes across them.
fn by_place(spans: Vec<PdfSpan>, left: f32, right: f32, depth: usize) -> Vec<PdfLine> {
    let Some(gutter) = gutter(&spans, left, right).filter(|_| depth > 0) else { return rows(spans) };
    let mut ordered = Vec::new();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let flush = |ordered: &mut Vec<PdfLine>, first: &mut Vec<PdfSpan>, second: &mut Vec<PdfSpan>| {
        ordered.extend(by_place(std::mem::take(first), left, gutter, depth - 1));
        ordered.extend(by_place(std::mem::take(second), gutter, right, depth - 1));
    };
    for row in baselines(spans) {
        if row.iter().any(|span| span.x0 < gutter && span.x1 > gutter) {
            flush(&mut ordered, &mut first, &mut second);
            ordered.extend(rows(row));
            continue;
        }
        for span in row {
            if span.x1 <= gutter { first.push(span) } else { second.push(span) }
        }
    }
    flush(&mut ordered, &mut first, &mut second);
    ordered
}

/// Where two columns part: hardly any line goes across, and both sides have text.
fn gutter(spans: &[PdfSpan], left: f32, right: f32) -> Option<f32> {
    let width = right - left;
    let letters = |span: &PdfSpan| span.text.trim().chars().count();
    let all: usize = spans.iter().map(letters).sum();
    if width < 120.0 || spans.len() < 10 {
        return None;
    }
    let places = (0..=STEPS)
        .map(|step| left + width * (MIDDLE.0 + (MIDDLE.1 - MIDDLE.0) * step as f32 / STEPS as f32));
    let counted = places.filter_map(|place| {
        let across: usize = spans.iter().filter(|s| s.x0 < place && s.x1 > place).map(letters).sum();
        let before: usize = spans.iter().filter(|s| s.x1 <= place).map(letters).sum();
        let after = all.saturating_sub(across + before);
        let fits = across as f32 <= all as f32 * ACROSS && before * 5 >= all && after * 5 >= all;
        fits.then_some((across, place))
    });
    let counted: Vec<(usize, f32)> = counted.collect();
    let least = counted.iter().map(|(across, _)| *across).min()?;
    let best: Vec<f32> =
        counted.iter().filter(|(across, _)| *across == least).map(|(_, place)| *place).collect();
    best.get(best.len() / 2).copied()
}

/// Spans that stand on one baseline, from the top.
fn baselines(mut spans: Vec<PdfSpan>) -> Vec<Vec<PdfSpan>> {
    spans.sort_by(|a, b| b.y.total_cmp(&a.y));
    let mut rows: Vec<Vec<PdfSpan>> = Vec::new();
    for span in spans {
        match rows.last_mut() {
            Some(row)
                if row.first().is_some_and(|first| first.y - span.y <= 0.35 * first.size.max(span.size)) =>
            {
                row.push(span);
            }
            Some(_) | None => rows.push(vec![span]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    rows
}

fn rows(spans: Vec<PdfSpan>) -> Vec<PdfLine> {
    let lines = baselines(spans).into_iter().filter_map(|row| {
        let mut row = row.into_iter();
        let mut line = PdfLine::of(row.next()?);
        row.for_each(|span| line.push(span));
        Some(line)
    });
    lines.collect()
}
