//! Rows with clusters whose columns terminals disagree about are written whole, while they are there and once after.

use std::collections::BTreeSet;

use dojo_studio::ui::widgets::uneven::write_whole;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

fn frame(rows: [&str; 2]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
    for (y, row) in (0..).zip(rows) {
        buffer.set_string(0, y, row, Style::new());
    }
    buffer
}

/// Columns of the first row that are sent to the terminal.
fn written(before: &Buffer, now: &Buffer) -> Vec<u16> {
    before.diff(now).into_iter().filter(|(_, y, _)| *y == 0).map(|(x, ..)| x).collect()
}

#[test]
fn what_such_a_cluster_was_drawn_too_far_is_written_over_with_it_and_when_it_goes() {
    for cluster in ["👍🏽", "👩🏾‍🔬", "🇩🇪", "❤️"] {
        let blank = frame(["", "plain"]);
        let mut first = frame([&format!("a {cluster}"), "plain"]);
        let rows = write_whole(&mut first, &BTreeSet::new());
        assert_eq!(rows, BTreeSet::from([0]));
        let columns = written(&blank, &first);
        assert!((4..12).all(|x| columns.contains(&x)), "{cluster}: {columns:?}");
        let mut second = frame(["abc", "plain"]);
        let rows = write_whole(&mut second, &rows);
        assert_eq!(rows, BTreeSet::new());
        assert_eq!(written(&first, &second), (0..12).collect::<Vec<u16>>(), "{cluster}");
        let mut third = frame(["abd", "plain"]);
        assert_eq!(write_whole(&mut third, &rows), rows);
        assert_eq!(written(&frame(["abc", "plain"]), &third), [2]);
    }
}

#[test]
fn letters_with_marks_and_wide_letters_are_written_as_ever() {
    let mut buffer = frame(["é日本", "ü"]);
    assert_eq!(write_whole(&mut buffer, &BTreeSet::new()), BTreeSet::new());
}
