//! Recipes, runs and their charts: starts runs, follows them, says what looks wrong.
//!
//! Runs are other processes; what is asked of them goes through the worker, and what comes of it is seen in their
//! folders.

mod act;
mod after;
mod available;
mod charts;
mod completions;
mod details;
mod early;
mod first;
mod groups;
mod keys;
mod list;
mod notes;
mod prompt;
mod recipes;
mod screen;
mod why;

use std::collections::BTreeMap;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use tui_textarea::TextArea;

pub use self::keys::{ChartAction, DetailAction, RecipeAction, RunAction, TrainAction};

use self::charts::{Charts, Drawn};
use self::details::Details;
use self::recipes::{FieldLines, Recipes, type_into};
use crate::app::store::Store;
use crate::domain::protocol::{Command, RunsCommand};
use crate::domain::run_filter::RunFilter;
use crate::domain::run_info::{RunId, RunInfo};
use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::layout::{self, SplitDirection, Taken};
use crate::ui::pane::{Editing, Effect, Input, Pane, View};

/// The pane.
pub struct TrainPane {
    face: Face,
    selected: Option<RunId>,
    marked: Vec<RunId>,
    filter: Filter,
    prompt: Option<TrainInput>,
    notes: notes::Typed,
    charts: Charts,
    details: Details,
    recipes: Recipes,
    split: layout::Split,
    /// What the worker was last asked to watch, in which opening of a session.
    watched: (u64, Vec<RunId>),
    /// The runs that were listed when one was started, and when (seconds since 1970): the new one is selected, and a
    /// second press doesn't start another.
    started: Option<(Vec<RunId>, f64)>,
    asked_groups: completions::AskedGroups,
    /// The steps that it was last asked for one by one, and when (seconds since 1970).
    asked: BTreeMap<RunId, ((u32, u32), f64)>,
    /// Asked to pause before it began.
    pauses_early: Option<RunId>,
    /// How often the machine was found busy with another session's run, as far as was asked.
    busy: u64,
    /// Of the last draw.
    rows: Vec<(Rect, RunId)>,
}

/// What fills the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Face {
    #[default]
    Runs,
    Recipes,
}

/// The filter in force, and what is wrong with the one that is typed.
#[derive(Debug, Default)]
struct Filter {
    text: String,
    parsed: RunFilter,
    error: Option<String>,
}

/// A line that is being typed.
struct TrainInput {
    about: About,
    /// Whose note it is: another may be chosen by the time it is saved.
    run: Option<RunId>,
    field: TextArea<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Filter,
    Note,
}

impl Default for TrainPane {
    fn default() -> Self {
        Self {
            face: Face::default(),
            selected: None,
            marked: Vec::new(),
            filter: Filter::default(),
            prompt: None,
            notes: notes::Typed::default(),
            charts: Charts::default(),
            details: Details::default(),
            recipes: Recipes::default(),
            split: layout::Split::new(SplitDirection::Columns, 24, (30, 40)),
            watched: (0, Vec::new()),
            started: None,
            asked: BTreeMap::new(),
            asked_groups: None,
            pauses_early: None,
            busy: 0,
            rows: Vec::new(),
        }
    }
}

impl Pane for TrainPane {
    fn bindings(&self) -> &'static [Binding] {
        keys::BINDINGS
    }

    fn available(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Train(action) = action else { return false };
        self.is_available(action, store)
    }

    fn offered(&self, action: action::Action, store: &Store) -> bool {
        let action::Action::Train(own) = action else { return false };
        self.available(action, store) && self.works(own, store)
    }

    fn is_of_what_is_shown(&self, action: action::Action) -> bool {
        match (action, self.face) {
            (action::Action::Train(TrainAction::Recipe(_)), face) => face == Face::Recipes,
            (
                action::Action::Train(TrainAction::Run(_) | TrainAction::Chart(_) | TrainAction::Detail(_)),
                face,
            ) => face == Face::Runs,
            _ => true,
        }
    }

    fn why_not(&self, action: action::Action, store: &Store) -> Option<String> {
        let action::Action::Train(action) = action else { return None };
        self.why(action, store)
    }

    fn update(&mut self, action: action::Action, store: &Store) -> Vec<Effect> {
        let action::Action::Train(action) = action else { return Vec::new() };
        match (&self.prompt, self.face) {
            (Some(_), _) => self.update_prompt(action, store),
            (None, Face::Runs | Face::Recipes) => self.act(action, store),
        }
    }

    fn typing(&self) -> bool {
        self.prompt.is_some() || (self.face == Face::Recipes && self.recipes.is_typing())
    }

    fn unsaved(&self, store: &Store) -> Option<String> {
        let parts = [self.recipes.unsaved_words(store), self.notes.unsaved_words(store)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn edited_text(&self) -> Option<String> {
        let recipes = self.face == Face::Recipes && self.prompt.is_none();
        match &self.prompt {
            Some(prompt) if prompt.about == About::Note => Some(prompt.field.lines().concat()),
            _ => self.recipes.edited().filter(|_| recipes),
        }
    }

    fn editing(&self) -> Editing {
        match (self.typing(), &self.prompt) {
            (false, _) => Editing::Nothing,
            (true, None) if self.recipes.is_text() => Editing::Text,
            (true, _) => Editing::Line,
        }
    }

    fn replace_text(&mut self, text: String, store: &Store) -> Vec<Effect> {
        let Some(prompt) = &mut self.prompt else {
            self.recipes.replace(&text, store);
            return self.recipes.keep_drafts(store);
        };
        prompt.field = TextArea::new(vec![text.trim_end().replace('\n', " ")]);
        prompt.field.move_cursor(tui_textarea::CursorMove::End);
        self.keep_note(store)
    }

    fn input(&mut self, input: &Input, store: &Store) -> Vec<Effect> {
        let Some(prompt) = &mut self.prompt else {
            self.recipes.input(input, store);
            return self.recipes.keep_drafts(store);
        };
        type_into(&mut prompt.field, input, FieldLines::One);
        if prompt.about == About::Filter {
            let text = prompt.field.lines().concat();
            self.filter.read(&text, store);
        }
        self.keep_note(store)
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> Vec<Effect> {
        let at = Position::new(mouse.column, mouse.row);
        match (self.face, mouse.kind) {
            (Face::Recipes, MouseEventKind::Down(MouseButton::Left)) => self.recipes.click(at),
            (Face::Recipes, _) => {}
            (Face::Runs, _) if self.split.mouse(mouse) == Taken::Yes => {}
            (Face::Runs, kind) => self.mouse_runs(kind, at, store),
        }
        Vec::new()
    }

    fn refresh(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.recipes.follow(store);
        effects.extend(self.recipes.keep_drafts(store));
        effects.extend(self.notes.tell(store));
        effects.extend(self.ask_when_busy(store));
        let listed = self.listed(store);
        if let Some((known, _)) = &self.started
            && let Some(new) = listed.iter().find(|run| !known.contains(&run.id))
        {
            let new = new.id.clone();
            self.started = None;
            self.select(Some(new));
        }
        if !listed.iter().any(|run| Some(&run.id) == self.selected.as_ref()) {
            self.select(listed.first().map(|run| run.id.clone()));
        }
        self.marked.retain(|id| store.runs.info(id).is_some());
        let (opening, wanted) = (store.openings, self.drawn_ids());
        // Whoever follows runs forgets them when a session is opened, be it the same.
        let forgotten = self.watched.0 != opening && !wanted.is_empty();
        if forgotten || wanted != self.watched.1 {
            self.watched = (opening, wanted.clone());
            effects.push(runs(RunsCommand::Watch(wanted)));
        }
        if self.face == Face::Runs {
            effects.extend(self.ask_for_details(store));
            effects.extend(self.ask_for_completions(store));
        }
        effects
    }

    fn keep(&mut self, store: &Store) -> Vec<Effect> {
        let mut effects = self.recipes.keep_again(store);
        effects.extend(self.notes.keep_again(store));
        effects
    }

    fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        match self.face {
            Face::Runs => self.draw_runs(buffer, area, view),
            Face::Recipes => self.recipes.draw(buffer, area, view.store, view.theme),
        }
    }
}

impl Filter {
    /// Takes effect while it is typed, as far as it can be read.
    fn read(&mut self, text: &str, store: &Store) {
        text.clone_into(&mut self.text);
        match RunFilter::parse(text) {
            Ok(parsed) => {
                self.error = parsed.unknown_name(&store.runs.all());
                self.parsed = parsed;
            }
            Err(why) => {
                self.error = Some(why);
                self.parsed = RunFilter::so_far(text);
            }
        }
    }
}

/// Steps that didn't come are asked for again after so many seconds.
const AGAIN: f64 = 2.0;

impl TrainPane {
    /// Asks for the values of what is shown so closely that buckets of several would be seen.
    fn ask_for_details(&mut self, store: &Store) -> Vec<Effect> {
        let drawn = self.drawn(store);
        let extent = charts::extent(&drawn, self.charts.view.axis);
        let wanted = drawn.iter().filter_map(|run| {
            let steps = charts::wanted_detail(*run, &self.charts.view, extent)?;
            Some((run.info.id.clone(), steps))
        });
        let mut effects = Vec::new();
        for (run, (first, last)) in wanted.collect::<Vec<_>>() {
            let before = self.asked.get(&run);
            if before.is_none_or(|(steps, at)| *steps != (first, last) || store.now - at >= AGAIN) {
                self.asked.insert(run.clone(), ((first, last), store.now));
                effects.push(runs(RunsCommand::Detail { run, first, last }));
            }
        }
        effects
    }

    fn listed<'a>(&self, store: &'a Store) -> Vec<&'a RunInfo> {
        let mut runs = store.runs.all();
        runs.retain(|run| self.filter.parsed.matches(run, store.now));
        runs
    }

    fn run<'a>(&self, store: &'a Store) -> Option<&'a RunInfo> {
        store.runs.info(self.selected.as_ref()?)
    }

    /// The selected run, then those laid over it.
    fn drawn_ids(&self) -> Vec<RunId> {
        let others = self.marked.iter().filter(|id| Some(*id) != self.selected.as_ref());
        self.selected.iter().chain(others).cloned().collect()
    }

    fn drawn<'a>(&self, store: &'a Store) -> Vec<Drawn<'a>> {
        let ids = self.drawn_ids();
        ids.iter()
            .filter_map(|id| Some(Drawn { info: store.runs.info(id)?, data: store.runs.data(id)? }))
            .collect()
    }

    fn select(&mut self, run: Option<RunId>) {
        if run != self.selected {
            self.selected = run;
            self.details.reset();
        }
    }

    fn step_run(&mut self, store: &Store, by: isize) {
        let listed = self.listed(store);
        let at = listed.iter().position(|run| Some(&run.id) == self.selected.as_ref()).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(listed.len().saturating_sub(1));
        self.select(listed.get(to).map(|run| run.id.clone()));
    }

    fn mouse_runs(&mut self, kind: MouseEventKind, at: Position, store: &Store) {
        let drawn = self.drawn(store);
        let extent = charts::extent(&drawn, self.charts.view.axis);
        let newest = charts::newest(&drawn, self.charts.view.axis);
        match kind {
            MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left) => {
                if let Some(x) = self.charts.point_at(at, extent) {
                    self.charts.view.cursor = Some(x.min(newest));
                } else if let Some((_, id)) = self.rows.iter().find(|(row, _)| row.contains(at)) {
                    self.select(Some(id.clone()));
                }
            }
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
                let up = kind == MouseEventKind::ScrollUp;
                if let Some(x) = self.charts.point_at(at, extent) {
                    self.charts.view.zoom_around(if up { 0.8 } else { 1.25 }, x, extent);
                } else if self.rows.iter().any(|(row, _)| row.contains(at)) {
                    self.step_run(store, if up { -1 } else { 1 });
                } else {
                    self.details.scroll(if up { -3 } else { 3 });
                }
            }
            _ => {}
        }
    }
}

fn runs(command: RunsCommand) -> Effect {
    Effect::Send(Command::Runs(command))
}
