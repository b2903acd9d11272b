//! Numbers, times and long lines, as every pane writes them. Widths are columns of grapheme clusters: a family in one
//! picture is two, a letter with its marks one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use super::fold::{cluster_width, drawable, indented, is_plain, rows};
use super::visible::visible;
use crate::domain::counted::grouped;

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { text.graphemes(true).map(cluster_width).sum() }
}

/// The text in at most `columns`; what is cut ends in `…`. Line breaks and tabs become spaces, what can't be seen
/// becomes a sign.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> String {
    if text.len() <= columns && is_plain(text) {
        return text.to_owned();
    }
    if let Some(begin) = text.get(..=columns).filter(|begin| columns > 0 && is_plain(begin)) {
        return format!("{}…", begin.get(..columns - 1).unwrap_or_default());
    }
    // Of a long text only the beginning is looked at.
    let head = beginning(text, columns.saturating_add(1).saturating_mul(BYTES_PER_COLUMN));
    // Seen first: a mark behind a tab has no letter to stand on, and a space in the tab's place would be one.
    let line = head.replace("\r\n", "\n");
    let line = visible(line.strip_suffix('\r').unwrap_or(&line)).replace(['\n', '\t'], " ");
    let mut short = String::with_capacity(head.len());
    let (mut used, mut fits) = (0, 0);
    for cluster in line.graphemes(true) {
        used += cluster_width(cluster);
        if used > columns {
            break;
        }
        short.push_str(cluster);
        if used < columns {
            fits = short.len();
        }
    }
    if used > columns || head.len() < text.len() {
        short.truncate(fits);
        short.extend((columns > 0).then_some('…'));
    }
    short
}

/// A path in at most `columns`: its end says which file it is, so the folders at its front give way to `…`.
#[must_use]
pub fn shorten_path(path: &str, columns: usize) -> String {
    let whole = shorten(path, usize::from(u16::MAX));
    if width(&whole) <= columns {
        return whole;
    }
    let folders = whole.match_indices('/').filter_map(|(at, _)| whole.get(at..));
    let mut ends = folders.filter(|end| end.len() > 1);
    let fitting = ends.find(|end| width(end) < columns).map(|end| format!("…{end}"));
    fitting.unwrap_or_else(|| {
        // A name that is longer than the room.
        let (mut end, mut used) = (whole.len(), 1);
        for (at, cluster) in whole.grapheme_indices(true).rev() {
            used += cluster_width(cluster);
            if used > columns {
                break;
            }
            end = at;
        }
        let rest = whole.get(end..).unwrap_or_default();
        if columns == 0 { String::new() } else { format!("…{rest}") }
    })
}

/// Writes a text into at most `columns` of a row, as [`shorten`] cuts it. Says where it ends.
pub fn put(
    buffer: &mut Buffer,
    x: u16,
    y: u16,
    text: impl AsRef<str>,
    columns: usize,
    style: impl Into<Style>,
) -> (u16, u16) {
    let columns = columns.min(usize::from(buffer.area.right().saturating_sub(x)));
    buffer.set_stringn(x, y, shorten(text.as_ref(), columns), columns, style)
}

/// Writes a styled line into a row; what is cut ends in `…`.
pub fn put_line(buffer: &mut Buffer, row: Rect, line: Line<'_>) {
    fit(line, usize::from(row.width)).render(row, buffer);
}

fn fit(line: Line<'_>, columns: usize) -> Line<'_> {
    let whole: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    // Spaces at the end are nothing to miss.
    if width(whole.trim_end()) <= columns {
        return line;
    }
    let (mut left, mut spans) = (columns, Vec::new());
    for span in line.spans {
        let wide = width(&span.content);
        // The one after it may have no room, and then the sign stands here.
        if wide < left {
            left -= wide;
            spans.push(span);
            continue;
        }
        let cut = format!("{}…", span.content.trim_end_matches('…'));
        spans.push(Span::styled(shorten(&cut, left), span.style));
        break;
    }
    Line { spans, ..line }
}

/// A cluster longer than this many bytes a column is cut: a letter under a hundred marks.
const BYTES_PER_COLUMN: usize = 32;

fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The text in lines of at most `columns` (at least 2), broken after spaces and between wide characters; longer words
/// are cut. Line breaks are kept, and so are the spaces that a line begins with: its further rows stand below its
/// first word. Spaces at a break are not shown.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let line = drawable(line);
        let (indent, body) = indented(&line, columns);
        let room = columns - indent;
        for row in rows(body, room, room) {
            let row = body.get(row).unwrap_or_default();
            lines.push(format!("{:indent$}{row}", ""));
        }
    }
    lines
}

/// Rows that a line takes in a field of text: of at most `columns`, without indentation of the further ones.
#[must_use]
pub fn rows_of(line: &str, columns: usize) -> usize {
    rows(&drawable(line), columns, columns).len()
}

/// `1.2 GB`, `97 MB`, `412 kB`: powers of 1000, three figures at most.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit > 0 && value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// `43s`, `6m12s`, `2h05m`, `3d4h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if days > 0 {
        format!("{days}d{}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h{:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

/// `43s`, `6m`, `2h05m`, `3d4h`: for what nobody knows to the second.
#[must_use]
pub fn coarse(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let minutes = (seconds / 60.0).round() as u64;
    if seconds < 59.5 {
        format!("{seconds:.0}s")
    } else if minutes < 60 {
        format!("{minutes}m")
    } else {
        duration(minutes as f64 * 60.0)
    }
}

/// `6m left`: as everything says it, from the header to the charts.
#[must_use]
pub fn left(seconds: f64) -> String {
    format!("{} left", coarse(seconds))
}

/// `now`, `3m ago`, `5h ago`, `2d ago`. Both in seconds since 1970.
#[must_use]
pub fn ago(then: f64, now: f64) -> String {
    let seconds = (now - then).max(0.0) as u64;
    match seconds {
        0..60 => "now".to_owned(),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// `12,345`.
#[must_use]
pub fn count(number: u64) -> String {
    grouped(number)
}
