//! The completion browser: a group of a step with its prompt, completions side by side, what each was worth, and which
//! way the step pushed it.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::charts::{self, Drawn};
use super::details::Tab;
use super::{TrainPane, runs};
use crate::app::store::Store;
use crate::app::store::runs::RunData;
use crate::domain::protocol::RunsCommand;
use crate::domain::rollout::{RolledCompletion, RolledGroup, StepGroups};
use crate::domain::run_info::RunId;
use crate::ui::pane::Effect;
use crate::ui::theme::Theme;
use crate::ui::widgets::{diff, text};

/// Columns of one completion, at least.
const COLUMN: usize = 36;
/// Seconds until what did not come is asked for again.
const AGAIN: f64 = 2.0;

/// Which group is looked at.
#[derive(Debug, Default)]
pub(super) struct Browser {
    at: usize,
    /// Groups there were at the last draw.
    count: usize,
}

/// What the pane asked for last, and when (seconds since 1970).
pub(super) type AskedGroups = Option<(RunId, u32, f64)>;

impl Browser {
    pub(super) fn step(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.count.saturating_sub(1));
    }

    pub(super) fn title(&self, run: &RunData) -> String {
        match run.rolled.as_deref() {
            Some(StepGroups { step: Some(step), groups, .. }) if !groups.is_empty() => {
                let at = self.at.min(groups.len() - 1) + 1;
                format!("completions · step {step} · group {at} of {}", groups.len())
            }
            _ => "completions".to_owned(),
        }
    }

    /// The group in lines of this width.
    pub(super) fn lines(&mut self, run: &RunData, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        let groups = run.rolled.as_ref().map_or(&[][..], |rolled| rolled.groups.as_slice());
        self.count = groups.len();
        self.at = self.at.min(groups.len().saturating_sub(1));
        let Some(group) = groups.get(self.at) else {
            let words = match (&run.rolled, rolls(run)) {
                (_, false) => " this run draws no completions: method = \"grpo\" does",
                (None, true) => " reading what was drawn",
                (Some(_), true) => " nothing is kept of what this step drew",
            };
            return vec![Line::styled(words, theme.dim)];
        };
        let mut lines = diff::folded(" Q  ", &[(group.prompt.replace('\n', " "), theme.text)], width, theme);
        if let Some(why) = &group.left_out {
            let rows =
                text::wrap(&format!("✗ nothing is learnt of it: {why}"), width.saturating_sub(2).max(2));
            lines.extend(rows.into_iter().map(|row| Line::styled(format!(" {row}"), theme.warning)));
        }
        lines.extend(columns(group, width, theme));
        lines
    }
}

/// Whether a run draws completions.
pub(super) fn rolls(run: &RunData) -> bool {
    run.series.get("reward").is_some()
}

/// Completions beside each other, as many in a row as there is room for.
fn columns(group: &RolledGroup, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let across = (width / COLUMN).clamp(1, group.completions.len().max(1));
    let column = (width / across).saturating_sub(2).max(2);
    let mut lines = Vec::new();
    for row in group.completions.chunks(across) {
        let cells: Vec<Vec<(String, Style)>> = row.iter().map(|one| cell(one, column, theme)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        lines.push(Line::default());
        for at in 0..height {
            let spans = cells.iter().map(|cell| {
                let (words, style) = cell.get(at).cloned().unwrap_or_default();
                let fill = " ".repeat((column + 1).saturating_sub(text::width(&words)));
                Span::styled(format!(" {words}{fill}"), style)
            });
            lines.push(Line::from(spans.collect::<Vec<_>>()));
        }
    }
    lines
}

/// One completion: which way it is pushed, what it is worth and why, and its text.
fn cell(one: &RolledCompletion, column: usize, theme: &Theme) -> Vec<(String, Style)> {
    let (sign, style) = match one.advantage {
        more if more > 0.0 => ("▲ more like this", theme.good),
        less if less < 0.0 => ("▼ less like this", theme.bad),
        _ => ("· neither", theme.dim),
    };
    let reward = one.reward.map_or_else(|| "no reward".to_owned(), |reward| format!("reward {reward:.3}"));
    let cut = if one.cut { " · cut" } else { "" };
    let heads = [
        (format!("{sign} {:+.2}", one.advantage), style),
        (format!("{reward} · {} tokens{cut}", one.tokens), theme.bright),
    ];
    let mut rows: Vec<(String, Style)> =
        heads.into_iter().map(|(words, style)| (text::shorten(&words, column), style)).collect();
    for part in &one.parts {
        let value = part.value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        let components: Vec<String> =
            part.components.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let why = if part.value.is_none() { part.why.first().cloned() } else { None };
        let told: Vec<String> = components.into_iter().chain(why).collect();
        let told = if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) };
        let words = format!("{} {value}{told}", part.name);
        rows.extend(text::wrap(&words, column).into_iter().map(|row| (row, theme.dim)));
    }
    rows.extend(text::wrap(&one.text, column).into_iter().map(|row| (row, theme.text)));
    rows
}

impl TrainPane {
    /// Asks for what the step under the cursor drew, or the latest.
    pub(super) fn ask_for_completions(&mut self, store: &Store) -> Option<Effect> {
        if self.details.tab != Tab::Completions {
            return None;
        }
        let drawn = self.drawn(store);
        let Drawn { info, data } = drawn.first().copied().filter(|run| rolls(run.data))?;
        let view = &self.charts.view;
        let cursor = view.cursor.map(|x| charts::map(data, view.axis).step(x));
        let step = cursor.unwrap_or_else(|| u32::try_from(data.series.last_step()).unwrap_or(u32::MAX));
        if data.rolled.as_ref().is_some_and(|rolled| rolled.asked == step) {
            return None;
        }
        let before = self.asked_groups.as_ref();
        if before.is_some_and(|(run, asked, at)| *run == info.id && *asked == step && store.now - at < AGAIN)
        {
            return None;
        }
        self.asked_groups = Some((info.id.clone(), step, store.now));
        Some(runs(RunsCommand::Completions { run: info.id.clone(), step }))
    }
}
