//! Lines that are too long for their room: where they break, and what of their styles goes into which row. Counts in
//! columns of grapheme clusters, as the screen's buffer does.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::CellWidth;
use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;

use super::visible::visible;

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// Whether each byte is a column, and nothing needs a sign.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Columns of one grapheme cluster in a buffer, which leaves out those that hold control characters.
pub(super) fn cluster_width(cluster: &str) -> usize {
    match cluster.as_bytes() {
        [byte] => usize::from(!byte.is_ascii_control()),
        _ if cluster.contains(char::is_control) => 0,
        _ => usize::from(cluster.cell_width()),
    }
}

/// A line as it can be drawn: tabs as spaces up to the next stop, signs in the place of what can't be seen.
pub(super) fn drawable(line: &str) -> Cow<'_, str> {
    drawable_from(line.strip_suffix('\r').unwrap_or(line), 0)
}

fn drawable_from(part: &str, column: usize) -> Cow<'_, str> {
    let shown = visible(part);
    if !shown.contains('\t') {
        return shown;
    }
    let mut out = String::with_capacity(shown.len() + 16);
    let mut at = column;
    for cluster in shown.graphemes(true) {
        if cluster == "\t" {
            let wide = TAB - at % TAB;
            out.extend(std::iter::repeat_n(' ', wide));
            at += wide;
        } else {
            out.push_str(cluster);
            at += cluster_width(cluster);
        }
    }
    Cow::Owned(out)
}

/// The spaces that a line begins with, as many of them as are shown, and the rest of it. Half of the columns stay for
/// the text.
pub(super) fn indented(line: &str, columns: usize) -> (usize, &str) {
    let body = line.trim_start_matches(' ');
    ((line.len() - body.len()).min(columns / 2).min(columns.saturating_sub(2)), body)
}

/// The rows of a drawable line: `first` columns in the first of them, `rest` in the others, at least 2. Rows break
/// after spaces, which are not shown there, and between wide characters; what has no such place is cut between
/// clusters, before no closing sign if that can be.
pub(super) fn rows(line: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    if is_plain(line) {
        if line.len() <= first {
            return std::iter::once(0..line.len()).collect();
        }
        let clusters = line.char_indices().map(|(at, _)| (at, line.get(at..=at).unwrap_or_default(), 1));
        return fold(line, clusters, first, rest);
    }
    let least = first.min(rest);
    let clusters = line.grapheme_indices(true).flat_map(|(at, cluster)| parts(at, cluster, least));
    fold(line, clusters, first, rest)
}

/// A cluster with its columns, or its characters where no row could hold it (scripts whose consonants pile up).
fn parts(at: usize, cluster: &str, room: usize) -> impl Iterator<Item = (usize, &str, usize)> {
    let wide = cluster_width(cluster);
    let fits = wide <= room;
    let whole = std::iter::once((at, cluster, wide)).filter(move |_| fits);
    let single = cluster.char_indices().filter(move |_| !fits).map(move |(offset, character)| {
        let part = cluster.get(offset..offset + character.len_utf8()).unwrap_or_default();
        (at + offset, part, cluster_width(part))
    });
    whole.chain(single)
}

/// A place where a row may end.
struct Break {
    end: usize,
    next: usize,
    /// Columns from the row's start to `next`.
    used: usize,
}

fn fold<'t>(
    line: &str,
    clusters: impl Iterator<Item = (usize, &'t str, usize)>,
    first: usize,
    rest: usize,
) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let (mut start, mut used, mut room) = (0, 0, first.max(1));
    let (mut last, mut cut): (Option<Break>, Option<Break>) = (None, None);
    let mut words_end = 0;
    let mut before = ("", 0);
    for (at, cluster, wide) in clusters {
        if cluster == " " {
            used += 1;
            last = Some(Break { end: words_end, next: at + 1, used });
        } else {
            if before.0 != " " && at > start && may_part(before, (cluster, wide)) {
                last = Some(Break { end: at, next: at, used });
            }
            if at > start && may_cut(before.0, cluster) {
                cut = Some(Break { end: at, next: at, used });
            }
            while used + wide > room && at > start {
                let place = last.take().or_else(|| cut.take()).unwrap_or(Break { end: at, next: at, used });
                rows.push(start..place.end.max(start));
                start = place.next;
                used -= place.used;
                cut = cut.filter(|cut| cut.next > start);
                cut = cut.map(|cut| Break { used: cut.used - place.used, ..cut });
                room = rest.max(1);
            }
            used += wide;
            words_end = at + cluster.len();
        }
        before = (cluster, wide);
    }
    // Spaces past the edge are not shown.
    rows.push(start..if used > room { words_end.max(start) } else { line.len() });
    rows
}

/// Whether a row may end between two clusters without a space: beside wide ones, as Chinese and Japanese are set, but
/// not before what closes nor after what opens.
fn may_part((before, before_wide): (&str, usize), (next, wide): (&str, usize)) -> bool {
    (before_wide > 1 || wide > 1) && may_cut(before, next)
}

/// Whether a row may end between two clusters of a word: no row begins with what closes or ends with what opens.
fn may_cut(before: &str, next: &str) -> bool {
    const CLOSING: &str = "、。，．・：；？！）］｝」』】〕〉》〙〗゛゜ヽヾゝゞ々ー〜…‥ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ,.:;?!)]}%'\"”’»";
    const OPENING: &str = "（［｛「『【〔〈《〘〖([{“‘«$";
    let among = |sign: Option<char>, signs: &str| {
        sign.is_some_and(|sign| !sign.is_ascii_alphanumeric() && signs.contains(sign))
    };
    !among(next.chars().next(), CLOSING) && !among(before.chars().next_back(), OPENING)
}

/// A line in pieces of different styles.
#[derive(Debug, Default)]
pub(super) struct Styled {
    text: String,
    /// Where each piece ends, and its style.
    pieces: Vec<(usize, Style)>,
}

impl Styled {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a piece; what can't be drawn becomes a sign.
    pub(super) fn push(&mut self, piece: &str, style: Style) {
        let column = if piece.contains('\t') { super::text::width(&self.text) } else { 0 };
        let shown = drawable_from(piece, column);
        if !shown.is_empty() {
            self.text.push_str(&shown);
            self.pieces.push((self.text.len(), style));
        }
    }

    /// Some of its bytes as spans; those that were found get one more style.
    pub(super) fn spans(
        &self,
        range: Range<usize>,
        found: &[Range<usize>],
        matched: Style,
    ) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        let mut at = range.start;
        let mut piece = self.pieces.partition_point(|(end, _)| *end <= at);
        let mut hit = found.partition_point(|hit| hit.end <= at);
        while at < range.end {
            let Some((end, style)) = self.pieces.get(piece) else { break };
            let mut to = range.end.min(*end);
            let mut style = *style;
            if let Some(found) = found.get(hit) {
                if at >= found.start {
                    style = style.patch(matched);
                    to = to.min(found.end);
                } else {
                    to = to.min(found.start);
                }
                hit += usize::from(to == found.end);
            }
            spans.push(Span::styled(self.text.get(at..to).unwrap_or_default().to_owned(), style));
            piece += usize::from(to == *end);
            at = to;
        }
        spans
    }
}
