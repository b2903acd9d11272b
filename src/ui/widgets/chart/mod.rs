//! A chart of metric series in braille: a pure function of series and view. Knows no run and no pane.
//!
//! One row of title and legend, the plot with its y-axis at the left, one row of x-axis. NaN and infinite values are
//! gaps, each marked `×` at the bottom of the plot.

pub mod axis;
pub mod grid;
pub mod scale;
pub mod trace;
pub mod view;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub use self::grid::Dash;
pub use self::trace::{XAxis, XMap};
pub use self::view::ChartView;

use self::grid::{ACROSS, Grid, GridLayer};
use self::scale::{Projection, YScale};
use self::trace::{Point, trace};
use self::view::{Clip, Scale};
use crate::domain::series::{Bucket, Series};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Columns of the y-axis, the space before the plot included.
pub const GUTTER: u16 = 7;
/// Below this a chart shows its title only.
const SMALLEST: (u16, u16) = (GUTTER + 4, 4);

/// A series in a chart.
#[derive(Debug, Clone)]
pub struct ChartLine<'a> {
    /// `train`, `eval`, or the run's name.
    pub label: String,
    pub series: &'a Series,
    /// The shown part of it value by value, where `series` holds several in a bucket.
    pub detail: Option<&'a Series>,
    pub map: XMap<'a>,
    pub style: Style,
    pub dash: Dash,
    /// Stands at the end of the line, and at each point where these are few.
    pub mark: Option<char>,
}

impl ChartLine<'_> {
    /// What was logged nearest to a step.
    fn near(&self, step: u32) -> Option<&Bucket> {
        let inside = |detail: &&Series| {
            let ends = detail.finest().first().zip(detail.finest().last());
            ends.is_some_and(|(first, last)| (first.first..=last.last).contains(&step))
        };
        self.detail.filter(inside).unwrap_or(self.series).near(step)
    }
}

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Chart<'a> {
    pub title: &'a str,
    pub lines: &'a [ChartLine<'a>],
    pub view: &'a ChartView,
    /// The whole x-axis.
    pub extent: (f64, f64),
    pub theme: &'a Theme,
    pub emphasis: Emphasis,
}

/// Whether keys act on this chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emphasis {
    Focused,
    Plain,
}

impl Chart<'_> {
    /// Draws, and returns the part of the area in which values stand: a click there is a place on the x-axis.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect) -> Rect {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return Rect::ZERO;
        }
        self.draw_title(buffer, Rect { height: 1, ..area });
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            return Rect::ZERO;
        }
        let plot =
            Rect { x: area.x + GUTTER, y: area.y + 1, width: area.width - GUTTER, height: area.height - 2 };
        let window = self.view.shown(self.extent);
        let columns = usize::from(plot.width) * ACROSS;
        let traces: Vec<Vec<Point>> = self
            .lines
            .iter()
            .map(|line| trace((line.series, line.detail), line.map, window, columns, self.view.smoothing))
            .collect();
        let Some(y) = YScale::of(&traces, window, self.view.scale, self.view.clip) else {
            self.draw_nothing(buffer, plot, &traces);
            return plot;
        };
        let projection = Projection { window, y, columns: plot.width, rows: plot.height };
        self.draw_cursor(buffer, plot, &projection);
        self.draw_lines(buffer, plot, &projection, &traces);
        self.draw_y_axis(buffer, plot, &projection);
        self.draw_x_axis(buffer, Rect { y: plot.bottom(), height: 1, ..plot }, &projection);
        plot
    }

    fn draw_title(&self, buffer: &mut Buffer, row: Rect) {
        let width = usize::from(row.width);
        let rule = "─".repeat(width);
        buffer.set_stringn(row.x, row.y, &rule, width, self.theme.rule);
        let style = match self.emphasis {
            Emphasis::Focused => self.theme.accent,
            Emphasis::Plain => self.theme.bright,
        };
        let title = format!(" {} ", text::shorten(self.title, width.saturating_sub(5)));
        let (mut x, _) =
            buffer.set_stringn(row.x + 2.min(row.width), row.y, &title, width.saturating_sub(2), style);
        for note in self.notes() {
            let room = usize::from(row.right().saturating_sub(x));
            if room > note.len() + 2 {
                (x, _) = buffer.set_stringn(x, row.y, format!("{note} "), room, self.theme.dim);
            }
        }
        self.draw_legend(buffer, Rect { x, width: row.right().saturating_sub(x), ..row });
    }

    /// What about the view is not plain to see.
    fn notes(&self) -> impl Iterator<Item = &'static str> {
        let log = (self.view.scale == Scale::Log).then_some("log");
        let clip = (self.view.clip == Clip::Outliers).then_some("clipped");
        log.into_iter().chain(clip)
    }

    /// Right-aligned: sign, name and value of each line, as many as there is room for.
    fn draw_legend(&self, buffer: &mut Buffer, row: Rect) {
        let mut entries: Vec<(char, Style, String, (String, Style))> = self
            .lines
            .iter()
            .map(|line| (sample(line), line.style, line.label.clone(), self.value_of(line)))
            .collect();
        let length = |entries: &[(char, Style, String, (String, Style))]| -> usize {
            entries.iter().map(|(_, _, label, (value, _))| text::width(label) + text::width(value) + 5).sum()
        };
        let room = usize::from(row.width).saturating_sub(2);
        let names = entries.len() > 1 && self.view.cursor.is_none();
        if length(&entries) > room && names {
            // Who can't tell lines apart learns nothing from their last values: those give way first.
            let each = (room / entries.len()).saturating_sub(5);
            let is_named = entries.iter().all(|(_, _, label, _)| !label.is_empty());
            for (_, _, label, (value, _)) in entries.iter_mut().filter(|_| is_named && each >= LEAST_NAME) {
                value.clear();
                *label = text::shorten(label, each.max(LEAST_NAME));
            }
        }
        if entries.len() == 1 || length(&entries) > room {
            // One line needs no name; many lines lose theirs before the values at the cursor.
            for (_, _, label, _) in &mut entries {
                label.clear();
            }
        }
        while length(&entries) > room && !entries.is_empty() {
            entries.pop();
        }
        let mut x = row.right().saturating_sub(length(&entries) as u16);
        for (sign, style, label, (value, value_style)) in entries {
            let put = |buffer: &mut Buffer, x: u16, text: &str, style: Style| {
                let room = usize::from(row.right().saturating_sub(x));
                buffer.set_stringn(x, row.y, text, room, style).0
            };
            x = put(buffer, x, &format!(" {sign} "), style);
            if label.is_empty() {
                x = put(buffer, x, &format!("{value} "), value_style);
                x = put(buffer, x, "", value_style);
            } else {
                x = put(buffer, x, &format!("{label} "), self.theme.dim);
                let value = if value.is_empty() { value } else { format!("{value} ") };
                x = put(buffer, x, &value, value_style);
            }
        }
    }

    /// At the cursor, else the last.
    fn value_of(&self, line: &ChartLine<'_>) -> (String, Style) {
        let value = match self.view.cursor {
            Some(x) => line
                .near(line.map.step(x))
                .map(|bucket| if bucket.count > 0 { f64::from(bucket.close) } else { f64::NAN }),
            None => line.series.latest().map(|(_, value)| value),
        };
        match value {
            Some(value) if value.is_finite() => (axis::exact(value), self.theme.text),
            Some(value) => (axis::short(value), self.theme.bad),
            None => ("–".to_owned(), self.theme.dim),
        }
    }

    fn draw_nothing(&self, buffer: &mut Buffer, plot: Rect, traces: &[Vec<Point>]) {
        let all_bad = traces.iter().flatten().any(|point| point.bad);
        let (words, style) =
            if all_bad { ("× only NaN", self.theme.bad) } else { ("no values yet", self.theme.dim) };
        let x = plot.x + plot.width.saturating_sub(words.chars().count() as u16) / 2;
        buffer.set_stringn(x, plot.y + plot.height / 2, words, usize::from(plot.width), style);
    }

    fn draw_cursor(&self, buffer: &mut Buffer, plot: Rect, projection: &Projection) {
        let Some(column) = self.cursor_column(projection) else { return };
        for y in plot.top()..plot.bottom() {
            if let Some(cell) = buffer.cell_mut((plot.x + column, y)) {
                cell.set_char('│').set_style(self.theme.dim);
            }
        }
    }

    fn cursor_column(&self, projection: &Projection) -> Option<u16> {
        let x = self.view.cursor.filter(|x| (projection.window.0..=projection.window.1).contains(x))?;
        u16::try_from(projection.x(x) / ACROSS as i64).ok().filter(|column| *column < projection.columns)
    }

    fn draw_lines(&self, buffer: &mut Buffer, plot: Rect, projection: &Projection, traces: &[Vec<Point>]) {
        let mut grid = Grid::new(plot.width, plot.height);
        for (line, points) in self.lines.iter().zip(traces).rev() {
            let smooth = points.iter().any(|point| point.smooth.is_some());
            let (layer, style) =
                if smooth { (GridLayer::Faint, self.theme.dim) } else { (GridLayer::Line, line.style) };
            draw_spans(&mut grid, projection, points, layer, style, line.dash);
            if smooth {
                draw_smooth(&mut grid, projection, points, line.style, line.dash);
            }
            draw_marks(&mut grid, projection, points, line);
        }
        let bottom = i64::from(plot.height) * grid::DOWN as i64 - 1;
        for point in traces.iter().flatten().filter(|point| point.bad) {
            grid.mark(projection.x(point.x), bottom, '×', self.theme.bad);
        }
        grid.paint(buffer, plot);
    }

    fn draw_y_axis(&self, buffer: &mut Buffer, plot: Rect, projection: &Projection) {
        let count = usize::from(plot.height / 3).clamp(1, 8);
        let y = projection.y;
        let mut ticks = match y.scale {
            Scale::Linear => axis::ticks(y.low, y.high, count),
            Scale::Log => axis::log_ticks(y.low, y.high, count),
        };
        if ticks.len() < 2 {
            ticks = axis::ticks(y.low, y.high, count + 2);
        }
        let mut taken = None;
        for tick in ticks.into_iter().rev() {
            let value = y.value(tick);
            let Some(row) = projection.y(value).and_then(|dot| u16::try_from(dot / grid::DOWN as i64).ok())
            else {
                continue;
            };
            if row < plot.height && taken != Some(row) {
                taken = Some(row);
                let label = format!("{:>width$}", axis::short(value), width = usize::from(GUTTER) - 1);
                let x = plot.x - GUTTER;
                buffer.set_stringn(x, plot.y + row, label, usize::from(GUTTER) - 1, self.theme.dim);
            }
        }
    }

    fn draw_x_axis(&self, buffer: &mut Buffer, row: Rect, projection: &Projection) {
        let (low, high) = projection.window;
        let count = usize::from(row.width / 14).clamp(1, 12);
        let ticks = match self.view.axis {
            XAxis::Time => axis::time_ticks(low, high, count),
            XAxis::Step | XAxis::Tokens => axis::ticks(low, high, count),
        };
        let mut labels = LabelRow { row, taken: Vec::new() };
        if let (Some(x), Some(column)) = (self.view.cursor, self.cursor_column(projection)) {
            let label = format!("{} {}", self.view.axis.name(), axis::place(self.view.axis, x));
            labels.put(buffer, column, &label, self.theme.accent);
        }
        let unit = match self.view.axis {
            XAxis::Time => "",
            XAxis::Step | XAxis::Tokens => self.view.axis.name(),
        };
        let each = |line: &ChartLine<'_>| line.detail.unwrap_or(line.series).values_per_bucket();
        let coarse = self.lines.iter().map(each).max().unwrap_or(1);
        let unit = if coarse > 1 && self.view.window.is_some() {
            format!("{coarse} values a point")
        } else {
            unit.to_owned()
        };
        labels.put(buffer, row.width, &unit, self.theme.dim);
        for tick in ticks {
            let column = u16::try_from(projection.x(tick) / ACROSS as i64).unwrap_or(0);
            labels.put(buffer, column, &axis::place(self.view.axis, tick), self.theme.dim);
        }
    }
}

/// A name that is cut shorter says nothing.
const LEAST_NAME: usize = 4;

/// A row of labels that don't touch; the first put has the place.
struct LabelRow {
    row: Rect,
    taken: Vec<(u16, u16)>,
}

impl LabelRow {
    /// Centres a label on a column of the row, moved inside where it would leave it.
    fn put(&mut self, buffer: &mut Buffer, column: u16, label: &str, style: Style) {
        let width = text::width(label) as u16;
        if width == 0 || width > self.row.width {
            return;
        }
        let left = column.saturating_sub(width / 2).min(self.row.width - width);
        let right = left + width;
        if self.taken.iter().any(|(from, to)| left < to + 2 && right + 2 > *from) {
            return;
        }
        self.taken.push((left, right));
        buffer.set_stringn(self.row.x + left, self.row.y, label, usize::from(width), style);
    }
}

fn sample(line: &ChartLine<'_>) -> char {
    line.mark.unwrap_or(match line.dash {
        Dash::Solid => '─',
        Dash::Dashed => '╌',
        Dash::Dotted => '┄',
    })
}

/// A bar from the lowest to the highest value of each point, joined to the one before.
fn draw_spans(
    grid: &mut Grid,
    to: &Projection,
    points: &[Point],
    layer: GridLayer,
    style: Style,
    dash: Dash,
) {
    let mut before: Option<(i64, i64)> = None;
    for point in points {
        let placed = point.y.and_then(|span| Some((to.y(span.max)?, to.y(span.min)?, to.y(span.close)?)));
        let Some((top, bottom, close)) = placed else {
            before = None;
            continue;
        };
        let x = to.x(point.x);
        grid.line((x, top), (x, bottom), layer, style, Dash::Solid);
        if let Some(before) = before {
            grid.line(before, (x, before.1.clamp(top, bottom)), layer, style, dash);
        }
        before = Some((x, close));
    }
}

fn draw_smooth(grid: &mut Grid, to: &Projection, points: &[Point], style: Style, dash: Dash) {
    let mut before: Option<(i64, i64)> = None;
    for point in points {
        let placed = point.y.and(point.smooth).and_then(|value| Some((to.x(point.x), to.y(value)?)));
        if let (Some(from), Some(dot)) = (before, placed) {
            grid.line(from, dot, GridLayer::Line, style, dash);
        } else if let Some((x, y)) = placed {
            grid.dot(x, y, GridLayer::Line, style);
        }
        before = placed;
    }
}

/// Signs where the points are so few that each counts, and at the end of the line.
fn draw_marks(grid: &mut Grid, to: &Projection, points: &[Point], line: &ChartLine<'_>) {
    let inside = |point: &&Point| point.x >= to.window.0 && point.x <= to.window.1 && point.y.is_some();
    let count = points.iter().filter(inside).count();
    let few = count * 5 <= usize::from(to.columns);
    let mark = match (line.mark, count) {
        (Some(mark), _) => mark,
        (None, 1) => '•',
        (None, _) => return,
    };
    let skipped = if few { 0 } else { count.saturating_sub(1) };
    for point in points.iter().filter(inside).skip(skipped) {
        let value = point.smooth.or(point.y.map(|span| span.close));
        if let Some(y) = value.and_then(|value| to.y(value)) {
            grid.mark(to.x(point.x), y, mark, line.style);
        }
    }
}
