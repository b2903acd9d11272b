//! The list of runs: how each stands, how far it is, what it reached.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::charts::run_mark;
use super::early::begins;
use crate::app::store::Store;
use crate::domain::counted::noun;
use crate::domain::run::Standing;
use crate::domain::run_info::{RunId, RunInfo};
use crate::ui::theme::Theme;
use crate::ui::widgets::chart::axis;
use crate::ui::widgets::text;

/// What the list shows besides the runs themselves.
pub(super) struct Listing<'a> {
    pub(super) runs: &'a [&'a RunInfo],
    pub(super) selected: Option<&'a RunId>,
    /// Runs that are drawn, in the order of their marks; one alone carries no mark.
    pub(super) drawn: &'a [RunId],
    /// A run that was asked to pause before it began.
    pub(super) pauses_early: Option<&'a RunId>,
    pub(super) store: &'a Store,
    pub(super) theme: &'a Theme,
}

impl Listing<'_> {
    /// Draws as many runs as there is room for, the selected one among them. Returns each run's rows, for the mouse.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect) -> Vec<(Rect, RunId)> {
        let heights: Vec<u16> = self.runs.iter().map(|run| self.height(run)).collect();
        let selected = self.runs.iter().position(|run| Some(&run.id) == self.selected).unwrap_or(0);
        let mut first = 0;
        let until_selected =
            |first: usize| -> u16 { heights.iter().take(selected + 1).skip(first).sum::<u16>() };
        while first < selected && until_selected(first) > area.height {
            first += 1;
        }
        let mut places = Vec::new();
        let mut y = area.y;
        for (run, height) in self.runs.iter().zip(&heights).skip(first) {
            let place = Rect { y, height: *height, ..area }.intersection(area);
            if place.is_empty() {
                break;
            }
            self.draw_run(buffer, place, run);
            places.push((place, run.id.clone()));
            y += height;
        }
        places
    }

    /// Living runs and the selected one say more.
    fn height(&self, run: &RunInfo) -> u16 {
        let selected = Some(&run.id) == self.selected;
        let live = run.standing().is_live();
        let notes = selected && !run.notes.line().is_empty();
        1 + u16::from(live || selected) + u16::from(notes)
    }

    fn draw_run(&self, buffer: &mut Buffer, place: Rect, run: &RunInfo) {
        let theme = self.theme;
        if Some(&run.id) == self.selected {
            buffer.set_style(Rect { height: 1, ..place }, theme.selection);
        }
        let standing = run.standing();
        let mut line = RowWriter { buffer, x: place.x, y: place.y, right: place.right() };
        line.put(&format!(" {} ", sign(standing)), style(standing, theme));
        let marked = (self.drawn.len() > 1)
            .then(|| self.drawn.iter().position(|id| *id == run.id))
            .flatten()
            .and_then(|at| Some((run_mark(at), theme.series.get(at % theme.series.len())?)));
        let mark_room = 2 * usize::from(marked.is_some());
        let name = run.id.name();
        let beside = usize::from(place.width).saturating_sub(5 + mark_room);
        // A name is whole as long as what it reached can be said shorter.
        let forms = self.right_side(run, standing);
        let fitting = forms.iter().find(|form| text::width(form) + text::width(&name) <= beside);
        let right = fitting.or(forms.last()).cloned().unwrap_or_default();
        let room = beside.saturating_sub(text::width(&right));
        let name_style = if Some(&run.id) == self.selected { theme.bright } else { theme.text };
        line.put(&text::shorten(&name, room), name_style);
        if let Some((mark, style)) = marked {
            line.put(&format!(" {mark}"), *style);
        }
        line.put_right(&format!("{right} "), theme.dim);
        if place.height > 1 {
            let mut line = RowWriter { buffer, x: place.x + 3, y: place.y + 1, right: place.right() };
            let room = usize::from(place.width).saturating_sub(3);
            line.put(&self.second(run, standing, room), theme.dim);
        }
        if place.height > 2 {
            let notes = text::shorten(&run.notes.line(), usize::from(place.width).saturating_sub(4));
            let mut line = RowWriter { buffer, x: place.x + 3, y: place.y + 2, right: place.right() };
            line.put(&notes, theme.dim);
        }
    }

    /// How far, or what it reached and how long it took: in full, then ever shorter.
    fn right_side(&self, run: &RunInfo, standing: Standing) -> Vec<String> {
        let Some(state) = &run.state else { return Vec::new() };
        if standing.is_live() && state.total_steps > 0 {
            let percent = 100 * state.step / state.total_steps;
            return vec![
                format!("{}/{} {percent:>3}%", state.step, state.total_steps),
                format!("{percent:>3}%"),
                String::new(),
            ];
        }
        let best = state.best_eval_loss.map(|loss| format!("eval {}  ", axis::exact(loss)));
        let took = text::duration(run.seconds(self.store.now));
        let short = state.best_eval_loss.map(axis::exact).unwrap_or_default();
        let whole = match standing {
            Standing::Failed => "failed".to_owned(),
            Standing::Crashed => format!("crashed at {}", state.step),
            Standing::Stopped => format!("{}at {}", best.unwrap_or_default(), state.step),
            _ => format!("{}{took:>6}", best.unwrap_or_default()),
        };
        vec![whole, short, String::new()]
    }

    /// In at most `room` columns where closer words make it fit.
    fn second(&self, run: &RunInfo, standing: Standing, room: usize) -> String {
        let Some(state) = &run.state else { return "waits for its first state".to_owned() };
        if let Some(problem) = &run.problem {
            return problem.clone();
        }
        let mut parts = Vec::new();
        if begins(run) && self.pauses_early == Some(&run.id) && !state.is_stopping() {
            parts.push("pauses when it begins".to_owned());
        }
        match standing {
            Standing::Queued | Standing::Running | Standing::Paused if state.is_stopping() => {
                parts.extend(state.why.clone());
            }
            Standing::Queued => parts.push("waits for the run before it".to_owned()),
            Standing::Starting if state.is_fetching() => {
                parts.extend(state.doing());
                parts.extend(run.seconds_left().map(text::left));
            }
            Standing::Starting => {
                parts.extend(state.start_share.map(|share| format!("{:.0}%", (share * 100.0).floor())));
                parts.extend(run.seconds_left().map(text::left));
                parts.push(state.why.clone().unwrap_or_else(|| "starting".to_owned()));
            }
            Standing::Paused => parts.push("paused".to_owned()),
            // Why it failed, or what it is at between its steps: an evaluation.
            // Of one that is done, what is to be known of its adapter.
            Standing::Failed | Standing::Running | Standing::Done => parts.extend(state.why.clone()),
            Standing::Crashed if run.can_resume() => {
                parts.push(format!("r resumes at step {}", state.checkpoint_step.unwrap_or_default()));
            }
            Standing::Crashed => parts.push("no checkpoint to resume from".to_owned()),
            Standing::Stopped => {}
        }
        if matches!(standing, Standing::Running | Standing::Paused) {
            parts.extend(state.best_eval_loss.map(|loss| format!("eval {}", axis::exact(loss))));
            parts.extend(state.tokens_per_second.map(|speed| format!("{speed:.0} tok/s")));
            let left = run.seconds_left().map(text::left);
            parts.push(left.unwrap_or_else(|| text::duration(run.seconds(self.store.now))));
        }
        if matches!(standing, Standing::Done | Standing::Stopped) {
            parts.push(format!("{} {}", state.step, noun(state.step, "step")));
            parts.push(text::ago(state.heartbeat, self.store.now));
        }
        if text::width(&parts.join(" ")) > room {
            // What is left says more than how fast it goes.
            parts.retain(|part| !part.ends_with(" tok/s"));
        }
        let apart = parts.join("  ");
        if text::width(&apart) > room { parts.join(" ") } else { apart }
    }
}

/// Writes along a row.
struct RowWriter<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    right: u16,
}

impl RowWriter<'_> {
    fn put(&mut self, text: &str, style: Style) {
        let room = usize::from(self.right.saturating_sub(self.x));
        let text = text::shorten(text, room);
        (self.x, _) = text::put(self.buffer, self.x, self.y, text, room, style);
    }

    fn put_right(&mut self, text: &str, style: Style) {
        let width = text::width(text) as u16;
        let x = self.right.saturating_sub(width).max(self.x + 1);
        self.x = x.min(self.right);
        self.put(text, style);
    }
}

/// Stands before the name: colour alone tells nothing.
pub(super) const fn sign(standing: Standing) -> char {
    match standing {
        Standing::Queued => '◌',
        Standing::Starting => '◔',
        Standing::Running => '●',
        Standing::Paused => '‖',
        Standing::Done => '✓',
        Standing::Stopped => '■',
        Standing::Failed => '✗',
        Standing::Crashed => '†',
    }
}

pub(super) const fn style(standing: Standing, theme: &Theme) -> Style {
    match standing {
        Standing::Queued | Standing::Stopped => theme.dim,
        Standing::Starting | Standing::Running => theme.accent,
        Standing::Paused => theme.warning,
        Standing::Done => theme.good,
        Standing::Failed | Standing::Crashed => theme.bad,
    }
}
