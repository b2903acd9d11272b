//! Where the parts of the pane stand.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::charts::{self, Drawn};
use super::details::{DetailsSize, Tab, draw_title};
use super::list::Listing;
use super::recipes::draw_field;
use super::{About, TrainPane};
use crate::app::store::Store;
use crate::domain::run::{RunState, Standing};
use crate::domain::run_compare;
use crate::domain::run_info::RunInfo;
use crate::ui::pane::View;
use crate::ui::widgets::chart::axis;
use crate::ui::widgets::chart::view::{Clip, Scale};
use crate::ui::widgets::{empty, text};

/// Below this width the runs stand above the charts.
const WIDE: u16 = 96;
/// From this height on, details stand below the charts.
const TALL: u16 = 24;

impl TrainPane {
    pub(super) fn draw_runs(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let listed = self.listed(view.store);
        if view.store.runs.all().is_empty() {
            return self.draw_without_runs(buffer, area, view);
        }
        let [side, main] = if area.width >= WIDE {
            self.split.areas(area)
        } else {
            let said = (self.prompt_rows(area.width) + 2).min((area.height / 2).max(3));
            let height = (listed.len() as u16 + 2).clamp(3, (area.height / 4).max(3)).max(said);
            [
                Rect { height, ..area },
                Rect { y: area.y + height, height: area.height.saturating_sub(height), ..area },
            ]
        };
        self.draw_side(buffer, side, view);
        let drawn = self.drawn(view.store);
        let Some(run) = drawn.first().copied() else {
            self.draw_waiting(buffer, main, view);
            return;
        };
        let findings = run.data.findings.len().min(3) as u16;
        let doctor = if area.height >= TALL { findings } else { findings.min(1) };
        let strip = if area.height >= TALL { (area.height / 4).clamp(5, 10) } else { 0 };
        // Details span the pane in full where it is wide, as their lines are long.
        let whole = Rect { height: main.height.saturating_sub(doctor), ..main };
        let said = Rect { y: whole.bottom(), height: doctor, ..main };
        for (y, finding) in (said.top()..said.bottom()).zip(&run.data.findings) {
            charts::draw_finding(buffer, Rect { y, height: 1, ..said }, finding, view.theme);
        }
        let status = self.status(&drawn);
        self.compare(&drawn, view.store);
        if self.details.room == DetailsSize::Large {
            let way_back =
                if status.is_empty() { "⏎ charts".to_owned() } else { format!("{status} · ⏎ charts") };
            self.details.draw(buffer, whole, run, &self.charts.view, &way_back, view.theme);
            return;
        }
        let upper = Rect { height: whole.height.saturating_sub(strip), ..whole };
        self.draw_charts(buffer, upper, &drawn, view);
        if strip > 0 {
            let lower = Rect { y: upper.bottom(), height: strip, ..whole };
            self.details.draw(buffer, lower, run, &self.charts.view, &status, view.theme);
        }
    }

    /// What belongs here, and how the first run begins.
    fn draw_without_runs(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let area = self.draw_prompt_alone(buffer, area, view);
        let first = self.recipes.current(view.store).filter(|_| self.recipes.can_start(view.store));
        let how = self.way_to_first(view.store);
        let cut = first.and_then(|recipe| self.recipes.cut(recipe)).unwrap_or_default();
        let shell = "Runs that were started in a shell appear here too.";
        let words = if cut.is_empty() { vec![&*how, shell] } else { vec![&*how, cut, shell] };
        empty::draw(buffer, area, view.theme, "No run yet", &words);
    }

    /// Lays the recipes of the drawn runs beside each other; that of one alone beside the run before it.
    fn compare(&mut self, drawn: &[Drawn<'_>], store: &Store) {
        if self.details.tab != Tab::Recipe {
            return;
        }
        let all = store.runs.all();
        let mut shown: Vec<&RunInfo> = drawn.iter().map(|run| run.info).collect();
        if let [run] = shown[..] {
            shown.extend(run_compare::before(run, &all));
        }
        self.details.compared = run_compare::compare(&shown);
        let study = drawn.first().and_then(|run| run_compare::study(run.info, &all));
        self.details.study = study.map(|study| study.summary());
    }

    /// How the charts are looked at, in a few words.
    fn status(&self, drawn: &[Drawn<'_>]) -> String {
        let view = &self.charts.view;
        let mut parts = Vec::new();
        if drawn.len() > 1 {
            parts.push(format!("{} runs", drawn.len()));
        }
        if view.smoothing > 0.0 {
            parts.push(format!("smoothing {}", view.smoothing));
        }
        if view.scale == Scale::Log {
            parts.push("log".to_owned());
        }
        if view.clip == Clip::Outliers {
            parts.push("outliers clipped".to_owned());
        }
        if view.window.is_some() {
            parts.push("zoomed".to_owned());
        }
        if let Some(x) = view.cursor {
            parts.push(format!("at {} {}", view.axis.name(), axis::place(view.axis, x)));
        }
        parts.join(" · ")
    }

    fn draw_charts(&mut self, buffer: &mut Buffer, area: Rect, drawn: &[Drawn<'_>], view: View<'_>) {
        let Some(run) = drawn.first() else { return };
        if run.data.series.lines() > 0 {
            self.charts.draw(buffer, area, drawn, view.theme);
            return;
        }
        let live = run.info.standing().is_live();
        let words = if live {
            "It writes its first values after its first step."
        } else {
            "It ended before its first step."
        };
        // What it is at before that: `measuring the largest batch`.
        let state = run.info.state.as_ref().filter(|_| live);
        let stop = if state.is_some_and(RunState::is_stopping) { "" } else { " x stops it." };
        let doing = state.and_then(RunState::doing);
        let begun = text::duration(run.info.seconds(view.store.now));
        let left = run.info.seconds_left().map_or_else(String::new, |left| format!(", {}", text::left(left)));
        let doing =
            doing.map_or_else(String::new, |doing| format!("Now: {doing}{left}; begun {begun} ago.{stop}"));
        empty::draw(buffer, area, view.theme, "This run has no values yet", &[words, &doing]);
    }

    fn draw_waiting(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let run = self.run(view.store).filter(|run| run.standing().is_live());
        let begun = run.and_then(|run| Some((run, run.state.as_ref()?))).filter(|(run, state)| {
            matches!(run.standing(), Standing::Queued | Standing::Starting) || state.why.is_some()
        });
        let (title, words) = match (begun, &self.selected) {
            (Some((run, state)), _) => {
                let title = match state.checkpoint_step.filter(|_| state.step > 0) {
                    Some(step) => format!("{} continues from step {step}", run.id.name()),
                    None => format!("{} starts", run.id.name()),
                };
                let queued = run.standing() == Standing::Queued;
                let plain = if queued { "waiting for the run before it" } else { "starting its process" };
                let doing = state.doing().unwrap_or_else(|| plain.to_owned());
                (title, format!("Now: {doing}. Its values appear as they are read."))
            }
            (None, Some(_)) => {
                ("Reading the run".to_owned(), "Its values appear as they are read.".to_owned())
            }
            (None, None) => {
                ("No run passes the filter".to_owned(), "/ changes it, esc takes it back.".to_owned())
            }
        };
        empty::draw(buffer, area, view.theme, &title, &[&words]);
    }

    /// The line that is typed where there is no list of runs. Returns what is left below.
    fn draw_prompt_alone(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) -> Rect {
        if self.prompt.is_none() || area.height < 3 {
            return area;
        }
        self.draw_prompt(buffer, Rect { height: 1, ..area }, view);
        let words = " there is no run to filter yet; esc leaves";
        text::put(buffer, area.x, area.y + 1, words, usize::from(area.width), view.theme.dim);
        Rect { y: area.y + 2, height: area.height - 2, ..area }
    }

    /// The list with its title, filter and note line.
    fn draw_side(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let listed = self.listed(view.store);
        let all = view.store.runs.all().len();
        let count = if listed.len() == all { String::new() } else { format!("{} of {all}", listed.len()) };
        draw_title(buffer, Rect { height: 1.min(area.height), ..area }, "runs", &count, theme);
        let mut body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let rows = self.prompt_rows(body.width).min(body.height);
        if rows > 0 {
            self.draw_prompt(buffer, Rect { height: rows, ..body }, view);
            body = Rect { y: body.y + rows, height: body.height - rows, ..body };
        }
        let reading = self.reading(view);
        if let Some(words) = reading.filter(|_| body.height > 2) {
            body.height -= 1;
            let room = usize::from(body.width);
            text::put(buffer, body.x, body.bottom(), &words, room, theme.dim);
        }
        let drawn = self.drawn_ids();
        let listing = Listing {
            runs: &listed,
            selected: self.selected.as_ref(),
            drawn: &drawn,
            pauses_early: self.pauses_early.as_ref(),
            store: view.store,
            theme,
        };
        self.rows = listing.draw(buffer, body);
    }

    /// How far a long file is read, or what could not be.
    fn reading(&self, view: View<'_>) -> Option<String> {
        let data = view.store.runs.data(self.selected.as_ref()?)?;
        let reading = data.reading;
        if reading.done_bytes < reading.total_bytes && reading.total_bytes > 1 << 20 {
            let percent = 100 * reading.done_bytes / reading.total_bytes;
            return Some(format!("   reading its values  {percent}%"));
        }
        let lines = data.series.unreadable_lines();
        (lines > 0).then(|| {
            format!("   {} unreadable", text::count(lines) + if lines == 1 { " line" } else { " lines" })
        })
    }

    /// What is wrong with the filter, in lines of this width.
    fn complaint(&self, width: u16) -> Vec<String> {
        let about = self.prompt.as_ref().map_or(About::Filter, |prompt| prompt.about);
        let error = self.filter.error.as_ref().filter(|_| about == About::Filter);
        error.map_or_else(Vec::new, |error| {
            text::wrap(&format!("✗ {error}"), usize::from(width.saturating_sub(1)))
        })
    }

    /// Rows of the filter or note that is typed, or of the filter in force, with what is wrong with it.
    fn prompt_rows(&self, width: u16) -> u16 {
        if self.prompt.is_none() && self.filter.text.is_empty() {
            return 0;
        }
        1 + self.complaint(width).len() as u16
    }

    fn draw_prompt(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let about = self.prompt.as_ref().map_or(About::Filter, |prompt| prompt.about);
        let name = match about {
            About::Filter => " filter ",
            About::Note => " note ",
        };
        let width = usize::from(area.width);
        let (x, _) = text::put(buffer, area.x, area.y, name, width, theme.dim);
        let rest = Rect { x, width: area.right().saturating_sub(x), height: 1.min(area.height), ..area };
        if let Some(prompt) = &self.prompt {
            draw_field(buffer, rest, &prompt.field, theme);
        } else {
            let room = usize::from(rest.width);
            text::put(buffer, x, area.y, &self.filter.text, room, theme.bright);
        }
        for (y, line) in (area.y + 1..area.bottom()).zip(self.complaint(area.width)) {
            text::put(buffer, area.x + 1, y, line, width, theme.bad);
        }
    }
}
