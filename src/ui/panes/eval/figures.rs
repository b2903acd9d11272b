//! The figures of all rows: how the scores spread, what each reward says on average, how two versions differ, and the worst
//! and best to pick from.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::EvalPane;
use super::act::ListLine;
use super::draw::rule;
use super::told::put_lines;
use crate::app::store::Store;
use crate::domain::protocol::rewards::ScoredBench;
use crate::domain::reward_scores::{DatasetScores, VersionComparison};
use crate::ui::theme::Theme;
use crate::ui::widgets::visible::visible;
use crate::ui::widgets::{empty, gauge, progress, text};

/// From this width on, the list is beside the figures.
const BESIDE: u16 = 100;
/// Columns of the two ends of a step of the histogram, with its count.
const STEP: u16 = 30;

impl EvalPane {
    pub(super) fn draw_all(&mut self, buffer: &mut Buffer, body: Rect, (store, theme): (&Store, &Theme)) {
        let Some(scored) = self.scored(store) else {
            let words =
                ["Every completion gets its score; then the histogram and the worst and best are here."];
            empty::draw(buffer, body, theme, "Scoring all rows", &words);
            if let Some(job) = store.jobs.named("score ").filter(|_| body.height > 1) {
                let row = Rect { x: body.x + 2, y: body.y, width: body.width.saturating_sub(4), height: 1 };
                progress::draw(buffer, row, job, store.now, theme);
            }
            return;
        };
        let (figures, list) = if body.width >= BESIDE {
            let width = body.width / 2;
            let right = Rect { x: body.x + width + 1, width: body.width - width - 1, ..body };
            (Rect { width, ..body }, right)
        } else {
            let height = (body.height / 2).min(16);
            (Rect { height, ..body }, Rect { y: body.y + height, height: body.height - height, ..body })
        };
        draw_figures(buffer, figures, scored, theme);
        self.draw_list(buffer, list, (store, theme));
    }

    fn draw_list(&mut self, buffer: &mut Buffer, area: Rect, (store, theme): (&Store, &Theme)) {
        let lines = self.list(store);
        let length = lines.len();
        self.list = area;
        let window = self.cursor.window(length, usize::from(area.height));
        let chosen = self.cursor.row();
        for (y, at) in (area.y..area.bottom()).zip(window) {
            let row = Rect { y, height: 1, ..area };
            match lines.get(at) {
                Some(ListLine::Heading(heading)) => rule(buffer, row, heading, "", theme),
                Some(ListLine::Row(record, other)) => {
                    let value = record.total.value.unwrap_or_default();
                    let value = match other {
                        Some(other) => format!(" {value:7.4} → {other:.4}  "),
                        None => format!(" {value:7.4}  "),
                    };
                    let words = visible(&record.completion).replace('\n', " ⏎ ");
                    let line = Line::from(vec![
                        Span::styled(value, theme.accent),
                        Span::styled(format!("{}  ", text::shorten_path(&record.place, 24)), theme.dim),
                        Span::styled(words, theme.text),
                    ]);
                    text::put_line(buffer, row, line);
                    if at == chosen {
                        buffer.set_style(row, theme.selection);
                    }
                }
                None => {}
            }
        }
    }
}

fn draw_figures(buffer: &mut Buffer, area: Rect, scored: &ScoredBench, theme: &Theme) {
    let scores = &*scored.scores;
    let mut lines = told(scores, theme);
    let steps = scores.histogram.len().min(usize::from(area.height).saturating_sub(lines.len()));
    let above = lines.split_off(1.min(lines.len()));
    put_lines(buffer, Rect { height: 1.min(area.height), ..area }, lines, theme);
    let bars = Rect { y: area.y + 1.min(area.height), height: steps as u16, ..area };
    draw_histogram(buffer, bars, scores, theme);
    let top = bars.bottom().min(area.bottom());
    let rest = Rect { y: top, height: area.bottom() - top, ..area };
    let mut lines = above;
    if let Some((other, comparison)) = &scored.against {
        lines.extend(compared(other, comparison, theme));
    }
    put_lines(buffer, rest, lines, theme);
}

/// The mean first; each reward and what does not apply after it.
fn told(scores: &DatasetScores, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::from(vec![
        Span::styled(" mean ", theme.dim),
        Span::styled(format!("{:.4}", scores.mean), theme.accent),
        Span::styled(
            format!(
                "  deviation {:.4}  {:.4} to {:.4}  {} scored",
                scores.standard_deviation,
                scores.lowest,
                scores.highest,
                scores.records - scores.without_completion - scores.without_score
            ),
            theme.dim,
        ),
    ])];
    for (count, words) in
        [(scores.without_completion, "without a completion"), (scores.without_score, "without a score")]
    {
        lines.extend((count > 0).then(|| Line::styled(format!(" {count} {words}"), theme.warning)));
    }
    for reward in &scores.rewards {
        let mean = reward.mean.map_or_else(|| "n/a".to_owned(), |mean| format!("{mean:.4}"));
        lines.push(Line::from(vec![
            Span::styled(format!(" {}  ", reward.name), theme.bright),
            Span::styled(mean, theme.text),
            Span::styled(format!("  weight {}  of {} rows", reward.weight, reward.applies), theme.dim),
        ]));
        let reasons = reward.reasons.iter();
        lines.extend(reasons.map(|(why, count)| {
            Line::styled(format!("   does not apply to {count}: {}", visible(why)), theme.dim)
        }));
    }
    lines
}

fn draw_histogram(buffer: &mut Buffer, area: Rect, scores: &DatasetScores, theme: &Theme) {
    let most = scores.histogram.iter().map(|step| step.count).max().unwrap_or(1).max(1);
    for (y, step) in (area.y..area.bottom()).zip(&scores.histogram) {
        let ends = format!(" {:7.3} to {:7.3} {:6} ", step.from, step.to, step.count);
        text::put(buffer, area.x, y, ends, usize::from(STEP), theme.dim);
        let width = area.width.saturating_sub(STEP + 2);
        let bar = Rect { x: area.x + STEP, y, width, height: 1 };
        gauge::draw(buffer, bar, step.count as f64 / most as f64, theme.accent, theme.rule);
    }
}

fn compared(other: &DatasetScores, comparison: &VersionComparison, theme: &Theme) -> Vec<Line<'static>> {
    let VersionComparison { mean, other_mean, higher, lower, same, one_sided, correlation, .. } = comparison;
    let correlation = correlation.map_or_else(|| "none".to_owned(), |value| format!("{value:.3}"));
    vec![
        Line::from(vec![
            Span::styled(format!(" against {}  ", other.task), theme.bright),
            Span::styled(format!("{other_mean:.4}"), theme.accent),
            Span::styled(format!(" instead of {mean:.4}"), theme.dim),
        ]),
        Line::styled(
            format!("   {higher} higher, {lower} lower, {same} the same, {one_sided} by one alone"),
            theme.dim,
        ),
        Line::styled(format!("   correlation {correlation}"), theme.dim),
    ]
}
