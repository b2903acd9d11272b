//! How far a job is, in a line: for the drawer, and for the pane that waits for it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::{JobRow, Wish};
use crate::domain::protocol::system::{Progress, Unit};
use crate::ui::theme::Theme;
use crate::ui::widgets::{gauge, text};

/// Columns of the bar at most.
const BAR: u16 = 24;

/// A bar and the words, with the key that stops it. `now` is in seconds since 1970.
pub fn draw(buffer: &mut Buffer, line: Rect, row: &JobRow, now: f64, theme: &Theme) {
    let mut x = line.x;
    if let Some(share) = row.share() {
        let bar = Rect { width: BAR.min(line.width / 4), height: 1, ..line };
        gauge::draw(buffer, bar, share, theme.accent, theme.rule);
        x = bar.right() + 2;
    }
    let stop = if row.wish == Wish::GoOn { "  f3 x stops it" } else { "" };
    let room = usize::from(line.right().saturating_sub(x));
    let said = text::shorten(&format!("{}{stop}", words(row, now)), room);
    text::put(buffer, x, line.y, said, room, theme.dim);
}

/// `12,000 of 40,000  6m left  note`; what it took so far while nobody knows the rest.
#[must_use]
pub fn words(row: &JobRow, now: f64) -> String {
    let time = match (row.wish, row.seconds_left(now)) {
        (Wish::Stop, _) => "stopping …".to_owned(),
        (Wish::GoOn, Some(left)) => text::left(left),
        (Wish::GoOn, None) => text::coarse(now - row.job.started),
    };
    let parts = [amount(&row.job.progress), time, row.job.progress.note.clone()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

fn amount(progress: &Progress) -> String {
    let write = |number: u64| match progress.unit {
        Unit::Items => text::count(number),
        Unit::Bytes => text::bytes(number),
    };
    match progress.total {
        // Sizes that are announced are rounded: a little more may come.
        Some(total) => format!("{} of {}", write(progress.done.min(total)), write(total)),
        None if progress.done == 0 => String::new(),
        None => write(progress.done),
    }
}
