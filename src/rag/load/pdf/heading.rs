//! Which lines are headings, and how deep: by their numbers if they have any, else by their letters' size.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::line::{PdfLine, PdfPage};

/// Longer ones are no headings.
const LONGEST: usize = 180;
/// A heading's letters are larger than the text's by at least so much, unless it is bold.
const LARGER: f32 = 1.1;

static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:Appendix\s+)?([A-Z]|\d{1,2}|[IVX]{1,4})((?:\.\d{1,2})*)\.?)\s+\p{Lu}").ok()
});

/// The sizes of a document's letters, and what they are for.
#[derive(Debug, Default)]
pub(super) struct PdfFonts {
    /// Of most of the text.
    pub(super) body: f32,
    /// Distance between two lines of text.
    pub(super) leading: f32,
    /// Levels of headings without a number, by their size in tenths of a point and whether they are bold.
    levels: BTreeMap<(i32, bool), u8>,
    body_bold: bool,
}

impl PdfFonts {
    pub(super) fn of(pages: &[PdfPage]) -> Self {
        let lines = || pages.iter().flat_map(|page| &page.lines);
        let body = weighted(lines().map(|line| (line.main_size(), letters(line)))).unwrap_or(10.0);
        let at_body = |line: &PdfLine| (line.main_size() - body).abs() < 0.3;
        let bold: usize = lines().filter(|line| at_body(line) && line.is_bold()).map(letters).sum();
        let all: usize = lines().filter(|line| at_body(line)).map(letters).sum();
        let steps = pages.iter().flat_map(|page| page.lines.windows(2)).filter_map(|pair| match pair {
            [last, next] if at_body(last) && at_body(next) => {
                let step = last.y - next.y;
                (step > body * 0.8 && step < body * 3.0).then_some((step, 1))
            }
            _ => None,
        });
        let leading = weighted(steps).unwrap_or(body * 1.2);
        let mut fonts = Self { body, leading, levels: BTreeMap::new(), body_bold: bold * 2 > all };
        fonts.levels = fonts.levels(pages);
        fonts
    }

    /// The level of each look of a heading: that of numbered ones with the same look, else by size.
    fn levels(&self, pages: &[PdfPage]) -> BTreeMap<(i32, bool), u8> {
        let mut numbered: BTreeMap<(i32, bool), BTreeMap<u8, usize>> = BTreeMap::new();
        let mut others: BTreeMap<(i32, bool), usize> = BTreeMap::new();
        for line in pages.iter().flat_map(|page| &page.lines).filter(|line| self.stands_out(line)) {
            match depth(&line.text()) {
                Some(depth) => *numbered.entry(look(line)).or_default().entry(depth).or_default() += 1,
                None => *others.entry(look(line)).or_default() += 1,
            }
        }
        let mut levels: BTreeMap<(i32, bool), u8> = BTreeMap::new();
        for (look, depths) in &numbered {
            if let Some((depth, _)) = depths.iter().max_by_key(|(_, times)| **times) {
                levels.insert(*look, *depth);
            }
        }
        // Larger letters are further out; a size that is used once is a title's.
        let mut level = 1;
        for look in others.keys().rev() {
            if let Some(known) = levels.get(look) {
                level = *known;
            } else {
                levels.insert(*look, level.min(6));
            }
            if others.get(look).is_some_and(|times| *times > 2) {
                level += 1;
            }
        }
        levels
    }

    /// The level of a heading; none of what is no heading.
    pub(super) fn level(&self, line: &PdfLine) -> Option<u8> {
        if !self.stands_out(line) || line.cell_count() > 2 {
            return None;
        }
        let text = line.text();
        let text = text.trim();
        if let Some(depth) = depth(text).filter(|_| !text.contains("://")) {
            return Some(depth);
        }
        let large = line.main_size() > self.body * LARGER;
        let ends = text.ends_with(['.', ',', ';', ':']);
        let begins =
            text.starts_with(char::is_uppercase) || (large && text.starts_with(char::is_alphanumeric));
        // Names with their marks, or addresses.
        let others = text.contains(['^', '@']) || text.contains("://") || text.matches(',').count() > 2;
        if ends || !begins || others || letters(line) < 3 {
            return None;
        }
        self.levels.get(&look(line)).copied()
    }

    /// Whether two lines have the letters of one heading.
    pub(super) fn look_alike(&self, one: &PdfLine, other: &PdfLine) -> bool {
        self.stands_out(one) && self.stands_out(other) && look(one) == look(other)
    }

    fn stands_out(&self, line: &PdfLine) -> bool {
        let size = line.main_size();
        let long = line.text().len() > LONGEST;
        !long && letters(line) > 2 && (size > self.body * LARGER || self.is_bold_at_body(line, size))
    }

    fn is_bold_at_body(&self, line: &PdfLine, size: f32) -> bool {
        !self.body_bold && line.is_bold() && size > self.body * 0.96
    }
}

/// How deep a heading's number says that it is: "3.1 Data" is 2.
fn depth(text: &str) -> Option<u8> {
    let found = NUMBERED.as_ref()?.captures(text)?;
    let below = found.get(2).map_or(0, |rest| rest.as_str().matches('.').count());
    u8::try_from(below + 1).ok()
}

fn look(line: &PdfLine) -> (i32, bool) {
    // Half points: one size is often written in two ways.
    ((line.main_size() * 2.0).round() as i32, line.is_bold())
}

pub(super) fn letters(line: &PdfLine) -> usize {
    line.spans.iter().flat_map(|span| span.text.chars()).filter(|c| c.is_alphabetic()).count()
}

/// What most of the weight is at, to a tenth.
fn weighted(values: impl Iterator<Item = (f32, usize)>) -> Option<f32> {
    let mut weights: BTreeMap<i32, usize> = BTreeMap::new();
    for (value, weight) in values {
        *weights.entry((value * 10.0).round() as i32).or_default() += weight;
    }
    let (value, _) = weights.into_iter().max_by_key(|(_, weight)| *weight)?;
    Some(value as f32 / 10.0)
}
