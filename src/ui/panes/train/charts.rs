//! The charts of the selected run and of those laid over it: all in a grid, or one large.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::groups::{MetricGroup, groups};
use crate::app::store::runs::RunData;
use crate::domain::doctor::{Finding, Weight};
use crate::domain::run_info::RunInfo;
use crate::domain::series::{DETAIL_STEPS, Detail, Series};
use crate::ui::theme::Theme;
use crate::ui::widgets::chart::{Chart, ChartLine, ChartView, Dash, Emphasis, XAxis, XMap};
use crate::ui::widgets::{empty, text};

/// Signs of runs that are laid over each other: they tell lines apart without colour.
const RUN_MARKS: [char; 10] = ['●', '◆', '▲', '■', '✚', '○', '◇', '△', '□', '★'];

/// The sign of the run that is drawn in this place: letters once the signs are used up.
pub(super) fn run_mark(at: usize) -> char {
    let letter = at.saturating_sub(RUN_MARKS.len());
    RUN_MARKS.get(at).copied().or_else(|| ('a'..='z').chain('A'..='Z').nth(letter)).unwrap_or('·')
}

/// Charts that say nothing which the axis or the log doesn't say.
const QUIET: [&str; 2] = ["epoch", "truncated_fraction"];

/// A chart below this size tells nothing.
const LEAST_COLUMNS: u16 = 30;
const LEAST_ROWS: u16 = 6;
const FIRST_ROWS: u16 = 8;

/// A run that is drawn.
#[derive(Clone, Copy)]
pub(super) struct Drawn<'a> {
    pub(super) info: &'a RunInfo,
    pub(super) data: &'a RunData,
}

/// Which charts, and how.
#[derive(Debug)]
pub(super) struct Charts {
    pub(super) view: ChartView,
    pub(super) size: Size,
    /// The title of the chart in focus; the first where no chart has it.
    focus: String,
    /// Of the last draw: where values stand, and in which chart.
    plots: Vec<(Rect, String)>,
    titles: Vec<String>,
    /// Titles of charts that are left out.
    hidden: BTreeSet<String>,
    /// Titles in the order that was chosen; others come after them.
    order: Vec<String>,
}

impl Default for Charts {
    fn default() -> Self {
        Self {
            view: ChartView::default(),
            size: Size::default(),
            focus: String::new(),
            plots: Vec::new(),
            titles: Vec::new(),
            hidden: quiet(),
            order: Vec::new(),
        }
    }
}

fn quiet() -> BTreeSet<String> {
    QUIET.into_iter().map(str::to_owned).collect()
}

/// Whether one chart has all the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Size {
    #[default]
    Grid,
    Large,
}

impl Charts {
    /// The chart in focus moves among those of the last draw.
    pub(super) fn step_focus(&mut self, by: isize) {
        let count = self.titles.len();
        if count == 0 {
            return;
        }
        let at = self.focused().saturating_add_signed(by).min(count - 1);
        self.focus = self.titles.get(at).cloned().unwrap_or_default();
    }

    /// Leaves the chart in focus out.
    pub(super) fn hide(&mut self) {
        let at = self.focused();
        let Some(title) = self.titles.get(at).cloned() else { return };
        self.titles.remove(at);
        self.focus = self.titles.get(at).or(self.titles.last()).cloned().unwrap_or_default();
        self.hidden.insert(title);
    }

    /// Brings every chart back; once all are there, leaves out those that are at first.
    pub(super) fn show_all(&mut self) {
        self.hidden = if self.hidden.is_empty() { quiet() } else { BTreeSet::new() };
    }

    /// Moves the chart in focus among the others.
    pub(super) fn shift(&mut self, by: isize) {
        let at = self.focused();
        let to = at.saturating_add_signed(by).min(self.titles.len().saturating_sub(1));
        if at < self.titles.len() {
            self.focus = self.titles.get(at).cloned().unwrap_or_default();
            self.titles.swap(at, to);
            self.order.clone_from(&self.titles);
        }
    }

    fn arrange(&self, groups: &mut Vec<MetricGroup>) {
        groups.retain(|group| !self.hidden.contains(&group.title));
        let place = |group: &MetricGroup| self.order.iter().position(|title| *title == group.title);
        groups.sort_by_key(|group| place(group).unwrap_or(usize::MAX));
    }

    fn focused(&self) -> usize {
        self.titles.iter().position(|title| *title == self.focus).unwrap_or(0)
    }

    /// Puts the cursor at a place on the screen, and the chart there into focus.
    pub(super) fn point_at(&mut self, at: Position, extent: (f64, f64)) -> Option<f64> {
        let (plot, title) = self.plots.iter().find(|(plot, _)| plot.contains(at))?;
        let (low, high) = self.view.shown(extent);
        let share = (f64::from(at.x - plot.x) + 0.5) / f64::from(plot.width.max(1));
        self.focus.clone_from(title);
        Some(low + (high - low) * share)
    }

    /// Draws the charts of these runs, the selected one first; where there are none says why.
    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, runs: &[Drawn<'_>], theme: &Theme) {
        let mut groups = groups(runs.iter().map(|run| run.data));
        self.arrange(&mut groups);
        self.titles = groups.iter().map(|group| group.title.clone()).collect();
        self.plots.clear();
        if groups.is_empty() {
            let words = ["U brings all charts back."];
            empty::draw(buffer, area, theme, "Every chart is hidden", &words);
            return;
        }
        let places = match self.size {
            Size::Large => vec![(self.focused(), area)],
            Size::Grid => grid(area, groups.len(), self.focused()),
        };
        let extent = extent(runs, self.view.axis);
        for (at, place) in places {
            let Some(group) = groups.get(at) else { continue };
            let focused = at == self.focused();
            let plot = self.draw_one(buffer, place, group, runs, extent, theme, focused);
            self.plots.push((plot, group.title.clone()));
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one chart's place among the others, and what all of them share"
    )]
    fn draw_one(
        &self,
        buffer: &mut Buffer,
        mut place: Rect,
        group: &MetricGroup,
        runs: &[Drawn<'_>],
        extent: (f64, f64),
        theme: &Theme,
        focused: bool,
    ) -> Rect {
        let said = runs.first().and_then(|run| run.data.findings.iter().find(|one| group.holds(&one.metric)));
        if let Some(finding) = said.filter(|_| place.height > LEAST_ROWS) {
            place.height -= 1;
            draw_finding(buffer, Rect { y: place.bottom(), height: 1, ..place }, finding, theme);
        }
        let lines = lines(group, runs, (&self.view, extent), theme);
        let emphasis = if focused { Emphasis::Focused } else { Emphasis::Plain };
        Chart { title: &group.title, lines: &lines, view: &self.view, extent, theme, emphasis }
            .draw(buffer, place)
    }
}

/// The steps of a run that are shown, with as many again on either side to move among; nothing where its series have
/// all their values, or where more are shown than a screen has places for.
pub(super) fn wanted_detail(run: Drawn<'_>, view: &ChartView, extent: (f64, f64)) -> Option<(u32, u32)> {
    let (first, last) = map(run.data, view.axis).steps(view.shown(extent));
    let width = last - first;
    let known = |detail: &Detail| detail.covers((first, last), run.data.series.last_step());
    let wanted = run.data.series.is_coarse()
        && width <= DETAIL_STEPS
        && !run.data.looked_at.as_ref().is_some_and(known);
    wanted.then(|| (first.saturating_sub(width), last.saturating_add(width)))
}

/// `! kl is 2.31 …`, in one row.
pub(super) fn draw_finding(buffer: &mut Buffer, row: Rect, finding: &Finding, theme: &Theme) {
    let (sign, style) = match finding.weight {
        Weight::Bad => ('✗', theme.bad),
        Weight::Warning => ('!', theme.warning),
        Weight::Note => ('·', theme.dim),
    };
    let width = usize::from(row.width);
    let (x, _) = text::put(buffer, row.x, row.y, format!(" {sign} "), width, style);
    let room = usize::from(row.right().saturating_sub(x));
    text::put(buffer, x, row.y, &finding.text, room, theme.text);
}

/// The whole x-axis of some runs. Steps go to the planned end, or while a run is young to an eighth, a quarter or half
/// of it: the axis moves three times in a run's life, and not with every point.
pub(super) fn extent(runs: &[Drawn<'_>], axis: XAxis) -> (f64, f64) {
    let end = runs.iter().map(|run| match axis {
        XAxis::Step => {
            let last = run.data.series.last_step() as f64;
            let planned = run.info.state.as_ref().map_or(0, |state| state.total_steps) as f64;
            let horizons = [0.125, 0.25, 0.5, 1.0].map(|share| planned * share);
            horizons.into_iter().find(|horizon| *horizon >= last && *horizon >= 8.0).unwrap_or(last)
        }
        XAxis::Time => run.data.series.elapsed().latest().map_or(0.0, |(_, seconds)| seconds),
        XAxis::Tokens => run.data.series.latest("num_tokens").unwrap_or(0.0),
    });
    (0.0, end.fold(0.0, f64::max).max(1.0))
}

/// The right end of the data.
pub(super) fn newest(runs: &[Drawn<'_>], axis: XAxis) -> f64 {
    match axis {
        XAxis::Step => runs.iter().map(|run| run.data.series.last_step()).max().unwrap_or(0) as f64,
        XAxis::Time | XAxis::Tokens => extent(runs, axis).1,
    }
}

fn lines<'a>(
    group: &MetricGroup,
    runs: &[Drawn<'a>],
    (view, extent): (&ChartView, (f64, f64)),
    theme: &Theme,
) -> Vec<ChartLine<'a>> {
    const DASHES: [Dash; 3] = [Dash::Solid, Dash::Dashed, Dash::Dotted];
    let mut lines = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let map = map(run.data, view.axis);
        let steps = map.steps(view.shown(extent));
        for (nth, metric) in group.metrics.iter().enumerate() {
            let Some(series) = run.data.series.get(&metric.name) else { continue };
            let alone = runs.len() == 1;
            let eval = metric.label.starts_with("eval");
            let label = match (alone, nth) {
                (true, _) => metric.label.clone(),
                (false, 0) => run.info.id.name(),
                (false, _) => format!("{} {}", run.info.id.name(), metric.label),
            };
            let colour = if alone { nth } else { at };
            lines.push(ChartLine {
                label,
                series,
                detail: run.data.detail(&metric.name, steps),
                map,
                style: theme.series.get(colour % theme.series.len()).copied().unwrap_or(theme.text),
                dash: DASHES.get(nth % DASHES.len()).copied().unwrap_or_default(),
                mark: if alone { eval.then_some('•') } else { Some(run_mark(at)) },
            });
        }
    }
    lines
}

pub(super) fn map(run: &RunData, axis: XAxis) -> XMap<'_> {
    let through = |series: Option<&'_ Series>| series.is_some_and(|series| !series.is_empty());
    match axis {
        XAxis::Time if through(Some(run.series.elapsed())) => XMap::Through(run.series.elapsed()),
        XAxis::Tokens if through(run.series.get("num_tokens")) => {
            run.series.get("num_tokens").map_or(XMap::Step, XMap::Through)
        }
        XAxis::Step | XAxis::Time | XAxis::Tokens => XMap::Step,
    }
}

/// Places for charts: the first two (one, where it is narrow) larger in a row of their own, the others below, up to
/// four in a row; as many rows as there is room for, those around the focus.
fn grid(area: Rect, count: usize, focused: usize) -> Vec<(usize, Rect)> {
    let first = usize::from(area.width / (LEAST_COLUMNS + 4)).clamp(1, 2).min(count);
    let across = usize::from(area.width / LEAST_COLUMNS).clamp(1, 4);
    let rest = count - first;
    let rows = rest.div_ceil(across);
    let room = area.height.saturating_sub(FIRST_ROWS);
    let shown = rows.min(usize::from(room / LEAST_ROWS));
    if shown == 0 {
        // Only one row fits: the focused chart is in it.
        let from = (focused / first) * first;
        return row(area, from, first.min(count - from)).collect();
    }
    let spare = area.height - FIRST_ROWS - LEAST_ROWS * shown as u16;
    let each = LEAST_ROWS + (spare / (shown as u16 + 1)).min(4);
    let top = area.height - each * shown as u16;
    let mut places: Vec<(usize, Rect)> = row(Rect { height: top, ..area }, 0, first).collect();
    let focused_row = focused.saturating_sub(first) / across;
    let begin = focused_row.saturating_sub(shown - 1);
    for at in 0..shown {
        let from = first + (begin + at) * across;
        let band = Rect { y: area.y + top + each * at as u16, height: each, ..area };
        places.extend(row(band, from, across.min(count.saturating_sub(from))));
    }
    places
}

/// Equal parts beside each other, a column between.
fn row(area: Rect, from: usize, count: usize) -> impl Iterator<Item = (usize, Rect)> {
    let parts = count.max(1) as u16;
    let width = (area.width + 1) / parts;
    (0..count).map(move |at| {
        let x = area.x + width * at as u16;
        let right = if at + 1 == count { area.right() } else { x + width - 1 };
        (from + at, Rect { x, width: right.saturating_sub(x), ..area })
    })
}
