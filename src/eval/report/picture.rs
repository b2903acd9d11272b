//! Pictures as SVG: figures with their intervals, and a confusion matrix. Nothing is fetched, and no text of a model is
//! markup.

use super::html::escaped;
use crate::domain::evaluation::{ConfusionMatrix, MetricFigure};

/// Height of a row, in the picture's own unit.
const ROW: usize = 26;
/// Where names end and the scale begins and ends.
const NAMES: f64 = 220.0;
const SCALE: f64 = 420.0;
const WIDTH: usize = 760;

/// One metric of several models: a dot for each value, a line for its interval, and the value in words.
#[must_use]
pub(super) fn intervals(rows: &[(&str, &MetricFigure)]) -> String {
    let ends = rows.iter().flat_map(|(_, figure)| {
        let (low, high) = figure.interval.unzip();
        [figure.value, low, high].into_iter().flatten()
    });
    let (mut least, mut most) =
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if !least.is_finite() || !most.is_finite() {
        return String::new();
    }
    if (most - least).abs() < f64::EPSILON {
        (least, most) = (least - 0.5, most + 0.5);
    }
    let room = (most - least) * 0.05;
    let (least, most) = (least - room, most + room);
    let x = |value: f64| NAMES + (value - least) / (most - least) * SCALE;
    let height = rows.len() * ROW + 8;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" width=\"{WIDTH}\"><line class=\"axis\" x1=\"{NAMES}\" \
         y1=\"0\" x2=\"{NAMES}\" y2=\"{height}\"/>"
    );
    for (at, (name, figure)) in rows.iter().enumerate() {
        let y = at * ROW + ROW / 2 + 4;
        let short: String = name.chars().take(30).collect();
        out += &format!(
            "<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>",
            NAMES - 10.0,
            y + 4,
            escaped(&short)
        );
        if let Some((low, high)) = figure.interval {
            out += &format!(
                "<line class=\"interval\" x1=\"{:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\"/>",
                x(low),
                x(high)
            );
        }
        if let Some(value) = figure.value {
            out += &format!("<circle cx=\"{:.1}\" cy=\"{y}\" r=\"4\"/>", x(value));
        }
        let told = escaped(&figure.told_with_interval());
        out += &format!("<text x=\"{}\" y=\"{}\">{told}</text>", NAMES + SCALE + 10.0, y + 4);
    }
    out + "</svg>"
}

/// Rows of true labels, columns of read ones, darker the larger the share of the row.
#[must_use]
pub(super) fn matrix(confusion: &ConfusionMatrix) -> String {
    const CELL: usize = 84;
    const LEFT: usize = 130;
    let columns = confusion.labels.len() + 1;
    let (width, height) = (LEFT + columns * CELL, (confusion.labels.len() + 1) * ROW + 6);
    let short = |label: &str| escaped(&label.chars().take(14).collect::<String>());
    let mut out = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" width=\"{width}\">");
    let heads = confusion.labels.iter().map(String::as_str).chain(["unread"]);
    for (at, head) in heads.enumerate() {
        let x = LEFT + at * CELL + CELL / 2;
        out += &format!("<text x=\"{x}\" y=\"17\" class=\"middle\">{}</text>", short(head));
    }
    for (at, (label, counts)) in confusion.labels.iter().zip(&confusion.counts).enumerate() {
        let y = (at + 1) * ROW;
        let all: u64 = counts.iter().sum();
        out += &format!("<text x=\"{}\" y=\"{}\" class=\"name\">{}</text>", LEFT - 10, y + 17, short(label));
        for (column, count) in counts.iter().enumerate() {
            let share = *count as f64 / all.max(1) as f64;
            let x = LEFT + column * CELL;
            let kind = if column == at { "hit" } else { "miss" };
            out += &format!(
                "<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill-opacity=\"{share:.2}\"/>\
                 <text x=\"{}\" y=\"{}\" class=\"middle\">{count}</text>",
                CELL - 2,
                ROW - 2,
                x + CELL / 2,
                y + 17
            );
        }
    }
    out + "</svg>"
}
