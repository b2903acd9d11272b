//! What stands below the charts: samples with what changed, completions, the latest values, the log, and the doctor's
//! sentences.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::charts::{self, Drawn};
use super::completions::{Browser, rolls};
use crate::app::store::runs::RunData;
use crate::domain::run::{Sample, Standing};
use crate::domain::run_compare::Compared;
use crate::ui::theme::Theme;
use crate::ui::widgets::chart::{ChartView, axis};
use crate::ui::widgets::diff::{self, DiffSide};
use crate::ui::widgets::text;

/// What is shown, and where in it.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) tab: Tab,
    pub(super) room: DetailsSize,
    pub(super) diff: Diff,
    /// Samples back from the latest.
    back: usize,
    /// Rows scrolled: down in samples and values, up in the log.
    scroll: usize,
    /// Rows there were to scroll at the last draw.
    most: usize,
    samples: usize,
    browser: Browser,
    /// For the recipe: beside what it is shown, and the study that the run is of.
    pub(super) compared: Compared,
    pub(super) study: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    #[default]
    Samples,
    Completions,
    Values,
    Recipe,
    Log,
}

/// Whether the details take the charts' place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum DetailsSize {
    #[default]
    Strip,
    Large,
}

/// Whether a run draws completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rolls {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Diff {
    #[default]
    Hidden,
    Shown,
}

impl Details {
    pub(super) fn next_tab(&mut self, rolls: Rolls) {
        self.tab = match self.tab {
            Tab::Samples if rolls == Rolls::Yes => Tab::Completions,
            Tab::Samples | Tab::Completions => Tab::Values,
            Tab::Values => Tab::Recipe,
            Tab::Recipe => Tab::Log,
            Tab::Log => Tab::Samples,
        };
        self.scroll = 0;
    }

    pub(super) fn step_sample(&mut self, back: isize) {
        if self.tab == Tab::Completions {
            self.scroll = 0;
            return self.browser.step(-back);
        }
        self.back = self.back.saturating_add_signed(back).min(self.samples.saturating_sub(1));
        self.scroll = 0;
    }

    pub(super) fn scroll(&mut self, by: isize) {
        let by = if self.tab == Tab::Log { -by } else { by };
        self.scroll = self.scroll.saturating_add_signed(by).min(self.most);
    }

    /// Another run: everything begins at its latest.
    pub(super) fn reset(&mut self) {
        (self.back, self.scroll) = (0, 0);
    }

    /// A title row, then what the tab shows.
    pub(super) fn draw(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        run: Drawn<'_>,
        view: &ChartView,
        status: &str,
        theme: &Theme,
    ) {
        let title = match self.tab {
            Tab::Samples => match self.sample(run.data) {
                Some((sample, _)) => format!("{} · step {}", self.position(), sample.step),
                None => "samples".to_owned(),
            },
            Tab::Completions => self.browser.title(run.data),
            Tab::Values => "values".to_owned(),
            Tab::Recipe => "recipe".to_owned(),
            Tab::Log => "log".to_owned(),
        };
        draw_title(buffer, Rect { height: 1, ..area }, &title, status, theme);
        let mut body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        if let Some(why) = ended_badly(run) {
            let row = Rect { height: 1.min(body.height), ..body };
            let line = text::shorten(&why, usize::from(row.width).saturating_sub(1));
            text::put(buffer, row.x + 1, row.y, line, usize::from(row.width), theme.bad);
            body.y += row.height;
            body.height -= row.height;
        }
        match self.tab {
            Tab::Samples => self.draw_sample(buffer, body, run.data, theme),
            Tab::Completions => {
                let lines = self.browser.lines(run.data, usize::from(body.width), theme);
                self.draw_lines(buffer, body, lines);
            }
            Tab::Values => self.draw_values(buffer, body, run.data, view, theme),
            Tab::Recipe => self.draw_recipe(buffer, body, theme),
            Tab::Log => self.draw_log(buffer, body, run.data, theme),
        }
    }

    fn position(&self) -> String {
        if self.back == 0 {
            "latest sample".to_owned()
        } else {
            format!("sample {} of {}", self.samples - self.back, self.samples)
        }
    }

    /// The sample, and the one before it of the same prompt.
    fn sample<'a>(&mut self, run: &'a RunData) -> Option<(&'a Sample, Option<&'a Sample>)> {
        self.samples = run.samples.len();
        let at = run.samples.len().checked_sub(1)?.saturating_sub(self.back);
        let sample = run.samples.get(at)?;
        let before = run.samples.get(..at)?.iter().rev().find(|one| one.prompt == sample.prompt);
        Some((sample, before))
    }

    fn draw_sample(&mut self, buffer: &mut Buffer, area: Rect, run: &RunData, theme: &Theme) {
        let Some((sample, before)) = self.sample(run) else {
            let words = if rolls(run) {
                "no samples; d goes on to the completions that each step drew"
            } else {
                "no samples yet; sample.sample_steps in the recipe says how often the model answers"
            };
            text::put(
                buffer,
                area.x + 1,
                area.y,
                words,
                usize::from(area.width.saturating_sub(1)),
                theme.dim,
            );
            return;
        };
        let room = usize::from(area.width);
        let mut lines = diff::folded(" Q  ", &[(sample.prompt.replace('\n', " "), theme.text)], room, theme);
        let answer = match before.filter(|_| self.diff == Diff::Shown) {
            Some(before) => diff::pieces(&before.completion, &sample.completion, DiffSide::Both, theme),
            None => vec![(sample.completion.clone(), theme.text)],
        };
        let head = if self.diff == Diff::Shown && before.is_some() { " Δ  " } else { " A  " };
        lines.extend(diff::folded(head, &answer, room, theme));
        if let Some(before) = before.filter(|_| self.diff == Diff::Hidden) {
            let short = text::shorten(&before.completion, room.saturating_sub(30));
            lines.push(Line::styled(format!("    (step {}: \"{short}\")", before.step), theme.dim));
        }
        self.draw_lines(buffer, area, lines);
    }

    /// As many as there is room for, from where they were scrolled to.
    fn draw_lines(&mut self, buffer: &mut Buffer, area: Rect, lines: Vec<Line<'_>>) {
        self.most = lines.len().saturating_sub(usize::from(area.height));
        self.scroll = self.scroll.min(self.most);
        for (y, line) in (area.top()..area.bottom()).zip(lines.into_iter().skip(self.scroll)) {
            text::put_line(buffer, Rect { y, height: 1, ..area }, line);
        }
    }

    fn draw_values(
        &mut self,
        buffer: &mut Buffer,
        area: Rect,
        run: &RunData,
        view: &ChartView,
        theme: &Theme,
    ) {
        let mut lines = vec![Line::styled(
            format!(" {:<38}{:>10}{:>10}{:>10}{:>10}", "", "latest", "cursor", "lowest", "highest"),
            theme.dim,
        )];
        for (name, series) in run.series.iter() {
            let at_cursor = view.cursor.map(|x| charts::map(run, view.axis).step(x));
            let near = |step| run.detail(name, (step, step)).unwrap_or(series).near(step);
            let cursor = at_cursor.and_then(near).map(|bucket| f64::from(bucket.close));
            let whole = series.whole().filter(|all| all.count > 0);
            let cell =
                |value: Option<f64>| format!("{:>10}", value.map_or_else(|| "–".to_owned(), axis::exact));
            let latest = series.latest().map(|(_, value)| value);
            let odd = latest.is_some_and(|value| !value.is_finite());
            lines.push(Line::from(vec![
                Span::styled(format!(" {:<38}", text::shorten(name, 37)), theme.text),
                Span::styled(cell(latest), if odd { theme.bad } else { theme.bright }),
                Span::styled(cell(cursor), theme.accent),
                Span::styled(cell(whole.map(|all| f64::from(all.min))), theme.dim),
                Span::styled(cell(whole.map(|all| f64::from(all.max))), theme.dim),
            ]));
        }
        self.draw_lines(buffer, area, lines);
    }

    /// What differs first, then what is the same.
    fn draw_recipe(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let compared = std::mem::take(&mut self.compared);
        let study = self.study.take();
        let mut lines: Vec<Line<'_>> = Vec::new();
        lines.extend(study.map(|words| Line::styled(format!(" {words}"), theme.accent)));
        let room = usize::from(area.width);
        if compared.names.len() > 1 {
            let names = compared.names.iter().map(String::as_str);
            lines.extend(rows("what differs", names, room, (theme.dim, theme.dim)));
        }
        for (key, values) in &compared.differing {
            let values = values.iter().map(|value| value.as_deref().unwrap_or("–"));
            lines.extend(rows(key, values, room, (theme.text, theme.bright)));
        }
        if compared.names.len() > 1 && compared.differing.is_empty() {
            lines.push(Line::styled(" nothing differs", theme.dim));
        }
        for (key, value) in &compared.same {
            lines.extend(rows(key, std::iter::once(value.as_str()), room, (theme.dim, theme.text)));
        }
        self.draw_lines(buffer, area, lines);
    }

    fn draw_log(&mut self, buffer: &mut Buffer, area: Rect, run: &RunData, theme: &Theme) {
        let height = usize::from(area.height);
        self.most = run.log.len().saturating_sub(height);
        self.scroll = self.scroll.min(self.most);
        let end = run.log.len() - self.scroll;
        let lines = run.log.range(end.saturating_sub(height)..end);
        if run.log.is_empty() {
            text::put(buffer, area.x + 1, area.y, "the log is empty", usize::from(area.width), theme.dim);
        }
        for (y, line) in (area.top()..area.bottom()).zip(lines) {
            let room = usize::from(area.width).saturating_sub(1);
            text::put(buffer, area.x + 1, y, line, room, theme.text);
        }
    }
}

/// Columns of a key, and of a value at least.
const KEY: usize = 37;
const VALUE: usize = 24;

/// A key, then values in columns of their own, whole: a long one takes several rows.
fn rows<'a>(
    key: &str,
    values: impl ExactSizeIterator<Item = &'a str>,
    room: usize,
    (dim, bright): (Style, Style),
) -> Vec<Line<'static>> {
    let count = values.len().max(1);
    let column = (room.saturating_sub(KEY) / count).saturating_sub(2).max(VALUE);
    let wrapped: Vec<Vec<String>> =
        values.map(|value| text::wrap(&value.replace('\n', " "), column)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let line = |row: usize| {
        let key = if row == 0 { text::shorten(key, KEY - 2) } else { String::new() };
        let mut spans = vec![Span::styled(format!(" {key:<width$}", width = KEY - 1), dim)];
        spans.extend(wrapped.iter().map(|value| {
            let value = value.get(row).map_or("", String::as_str);
            let fill = " ".repeat((column + 2).saturating_sub(text::width(value)));
            Span::styled(format!("{value}{fill}"), bright)
        }));
        Line::from(spans)
    };
    (0..height).map(line).collect()
}

/// `── title ────── status ──`.
pub(super) fn draw_title(buffer: &mut Buffer, row: Rect, title: &str, status: &str, theme: &Theme) {
    let width = usize::from(row.width);
    text::put(buffer, row.x, row.y, "─".repeat(width), width, theme.rule);
    let title = format!(" {} ", text::shorten(title, width.saturating_sub(6)));
    let (end, _) =
        text::put(buffer, row.x + 2.min(row.width), row.y, title, width.saturating_sub(2), theme.bright);
    let status = format!(" {status} ");
    let length = text::width(&status) as u16;
    if status.trim().is_empty() || end + length + 2 > row.right() {
        return;
    }
    text::put(buffer, row.right() - length - 2, row.y, &status, usize::from(length), theme.dim);
}

/// Why there is something to do: for runs that ended by themselves.
fn ended_badly(run: Drawn<'_>) -> Option<String> {
    let state = run.info.state.as_ref()?;
    if let Some(why) = state.why_not_continued() {
        return Some(format!("✗ not continued, and as it was before: {why}"));
    }
    let resume = match (run.info.can_resume(), state.checkpoint_step) {
        (true, Some(step)) => format!("; r takes it up at step {step}"),
        (true, None) => "; r takes it up before its first step".to_owned(),
        _ => "; there is no checkpoint to take it up from".to_owned(),
    };
    match run.info.standing() {
        Standing::Crashed => Some(format!(
            "† crashed at step {}: process {} on {} is gone{resume}",
            state.step, state.process, state.host
        )),
        Standing::Failed => {
            Some(format!("✗ failed: {}{resume}", state.why.as_deref().unwrap_or("it did not say why")))
        }
        Standing::Done => state.why.as_ref().map(|why| format!("✗ {why}")),
        _ => None,
    }
}
