//! What each action does.

use super::after::Company;
use super::charts::{self, Size};
use super::completions;
use super::details::{DetailsSize, Diff, Rolls};
use super::first;
use super::keys::{ChartAction, DetailAction, RecipeAction, RunAction, TrainAction};
use super::recipes::RecipesStep;
use super::{About, Face, Filter, TrainPane, runs};
use crate::app::store::Store;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, RunsCommand};
use crate::domain::run_info::RunId;
use crate::ui::pane::{Confirmation, Effect};
use crate::ui::stopping;
use crate::ui::widgets::chart::XAxis;
use crate::ui::widgets::chart::view::{Clip, Scale, StepDirection};

/// Seconds in which a second press of the key that starts a run is taken for the first.
const STARTING: f64 = 3.0;

impl TrainPane {
    pub(super) fn act(&mut self, action: TrainAction, store: &Store) -> Vec<Effect> {
        match action {
            TrainAction::Run(action) => return self.act_on_run(action, store),
            TrainAction::Chart(action) => self.act_on_charts(action, store),
            TrainAction::Detail(action) => self.act_on_details(action, store),
            TrainAction::Recipe(action) => return self.act_on_recipe(action, store),
            TrainAction::Accept => self.recipes.accept(store),
            TrainAction::Back | TrainAction::Leave if self.face == Face::Runs => self.back(),
            TrainAction::Back | TrainAction::Leave => {
                let left = self.recipes.left_words(store);
                let closed = self.recipes.back(store);
                self.face = if closed { Face::Recipes } else { Face::Runs };
                return left
                    .map(|words| Effect::Notify(Notice::new(Level::Info, words)))
                    .into_iter()
                    .collect();
            }
        }
        Vec::new()
    }

    fn act_on_run(&mut self, action: RunAction, store: &Store) -> Vec<Effect> {
        match action {
            RunAction::Previous => self.step_run(store, -1),
            RunAction::Next => self.step_run(store, 1),
            RunAction::First => self.step_run(store, isize::MIN),
            RunAction::Last => self.step_run(store, isize::MAX),
            RunAction::Pause => return self.pause(store),
            RunAction::Continue => return self.go_on(store),
            RunAction::Checkpoint => return self.checkpoint(store),
            RunAction::Stop => return self.ask_stop(store),
            RunAction::Delete => return self.ask_delete(store),
            RunAction::CarryOn => return self.carry_on(store),
            RunAction::Converse => return self.converse(store, Company::Alone),
            RunAction::Compare => return self.converse(store, Company::Base),
            RunAction::Mark => return self.mark(store),
            RunAction::ClearMarks => self.marked.clear(),
            RunAction::Filter if store.runs.all().is_empty() && self.recipes.current(store).is_some() => {
                // There is no run to filter: what can be looked for is in the recipe.
                self.face = Face::Recipes;
                self.recipes.find();
            }
            RunAction::Filter => self.open_prompt(About::Filter, store),
            RunAction::Note => self.open_prompt(About::Note, store),
            RunAction::Begin => return self.start(store, None),
            RunAction::ShowRecipes => {
                self.face = Face::Recipes;
                return vec![runs(RunsCommand::ListRecipes)];
            }
        }
        Vec::new()
    }

    fn act_on_details(&mut self, action: DetailAction, store: &Store) {
        match action {
            DetailAction::NextTab => {
                let draws = self.drawn(store).first().is_some_and(|run| completions::rolls(run.data));
                self.details.next_tab(if draws { Rolls::Yes } else { Rolls::No });
            }
            DetailAction::PreviousSample => self.details.step_sample(1),
            DetailAction::NextSample => self.details.step_sample(-1),
            DetailAction::ScrollUp => self.details.scroll(-8),
            DetailAction::ScrollDown => self.details.scroll(8),
            DetailAction::TurnDiff => {
                self.details.diff = if self.details.diff == Diff::Shown { Diff::Hidden } else { Diff::Shown };
            }
            DetailAction::TurnLarge => {
                self.details.room = if self.details.room == DetailsSize::Large {
                    DetailsSize::Strip
                } else {
                    DetailsSize::Large
                };
            }
        }
    }

    fn act_on_charts(&mut self, action: ChartAction, store: &Store) {
        let drawn = self.drawn(store);
        let axis = self.charts.view.axis;
        let extent = charts::extent(&drawn, axis);
        let newest = charts::newest(&drawn, axis);
        let view = &mut self.charts.view;
        match action {
            ChartAction::SmoothMore => view.smooth(StepDirection::Up),
            ChartAction::SmoothLess => view.smooth(StepDirection::Down),
            ChartAction::TurnLog => {
                view.scale = if view.scale == Scale::Log { Scale::Linear } else { Scale::Log };
            }
            ChartAction::TurnClip => {
                view.clip = if view.clip == Clip::Outliers { Clip::None } else { Clip::Outliers };
            }
            ChartAction::TurnAxis => {
                view.turn_axis();
                // What the run doesn't log is passed over.
                let no_time = drawn.iter().all(|run| run.data.series.elapsed().is_empty());
                if view.axis == XAxis::Time && no_time {
                    view.turn_axis();
                }
                let no_tokens = drawn.iter().all(|run| run.data.series.get("num_tokens").is_none());
                if view.axis == XAxis::Tokens && no_tokens {
                    view.turn_axis();
                }
            }
            ChartAction::TurnLarge => {
                self.charts.size = if self.charts.size == Size::Large { Size::Grid } else { Size::Large };
            }
            ChartAction::Hide => self.charts.hide(),
            ChartAction::ShowAll => self.charts.show_all(),
            ChartAction::MoveEarlier => self.charts.shift(-1),
            ChartAction::MoveLater => self.charts.shift(1),
            ChartAction::Previous => self.charts.step_focus(-1),
            ChartAction::Next => self.charts.step_focus(1),
            ChartAction::CursorLeft => view.move_cursor(-0.01, extent, newest),
            ChartAction::CursorRight => view.move_cursor(0.01, extent, newest),
            ChartAction::CursorFarLeft => view.move_cursor(-0.1, extent, newest),
            ChartAction::CursorFarRight => view.move_cursor(0.1, extent, newest),
            ChartAction::ZoomIn => view.zoom(0.5, extent),
            ChartAction::ZoomOut => view.zoom(2.0, extent),
            ChartAction::PanLeft => view.pan(-0.25, extent),
            ChartAction::PanRight => view.pan(0.25, extent),
        }
    }

    fn act_on_recipe(&mut self, action: RecipeAction, store: &Store) -> Vec<Effect> {
        match action {
            RecipeAction::Previous => self.recipes.step_list(-1, store),
            RecipeAction::Next => self.recipes.step_list(1, store),
            RecipeAction::EditForm => self.recipes.step = RecipesStep::Form,
            RecipeAction::EditText => self.recipes.edit_text(store),
            RecipeAction::NewRecipe => return ask_new(self.recipes.new_recipe(store)),
            RecipeAction::PreviousField => self.recipes.step_field(-1, store),
            RecipeAction::NextField => self.recipes.step_field(1, store),
            RecipeAction::PageUpFields => self.recipes.step_field(-10, store),
            RecipeAction::PageDownFields => self.recipes.step_field(10, store),
            RecipeAction::EditField => self.recipes.edit_field(store),
            RecipeAction::Find => self.recipes.find(),
            RecipeAction::ClearField => self.recipes.clear_field(store),
            RecipeAction::Save => return self.recipes.save(store),
            RecipeAction::Revert => {
                let told = self.recipes.revert(store);
                return told
                    .map(|words| Effect::Notify(Notice::new(Level::Info, words)))
                    .into_iter()
                    .collect();
            }
            RecipeAction::BringBack => self.recipes.bring_back(store),
            RecipeAction::Preflight => return self.recipes.preflight(store),
            RecipeAction::Start => return self.start(store, None),
            RecipeAction::Queue => {
                return self.start(store, store.runs.last_live().map(|run| run.id.clone()));
            }
            RecipeAction::CopyCommand => {
                return self.recipes.command(store).map(Effect::Copy).into_iter().collect();
            }
        }
        Vec::new()
    }

    /// Back to the runs, where the new one will appear.
    fn start(&mut self, store: &Store, after: Option<RunId>) -> Vec<Effect> {
        if self.started.as_ref().is_some_and(|(_, at)| store.now - at < STARTING) {
            return Vec::new();
        }
        let recipe = self.recipes.current(store).map(|recipe| &recipe.path);
        let promise = store.runs.promised().iter().find(|promise| Some(&promise.recipe) == recipe);
        if let Some(promise) = promise {
            return vec![Effect::Notify(Notice::new(Level::Info, first::promised(promise, store)))];
        }
        let other = store.runs.last_live().filter(|_| after.is_none()).map(|run| run.id.clone());
        if let Some(other) = other {
            let name = other.name();
            let queued = self.recipes.start(store, Some(other));
            let known = self.listed(store).iter().map(|run| run.id.clone()).collect();
            // No second press is waited for: the question is what follows.
            self.started = Some((known, f64::NEG_INFINITY));
            return Confirmation::queue(&name, queued);
        }
        let effects = self.recipes.start(store, after);
        if effects.iter().any(starts) {
            self.face = Face::Runs;
            self.filter = Filter::default();
            self.started = Some((self.listed(store).iter().map(|run| run.id.clone()).collect(), store.now));
        }
        effects
    }

    /// The machine is at a run of another session: whether this one waits for it.
    pub(super) fn ask_when_busy(&mut self, store: &Store) -> Vec<Effect> {
        let (number, busy) = store.runs.busy();
        let Some(busy) = busy.filter(|_| std::mem::replace(&mut self.busy, number) != number) else {
            return Vec::new();
        };
        let going = format!("{} of the session {}", busy.run.name(), busy.session);
        let after = Some(busy.run.clone());
        let start = vec![runs(RunsCommand::Start { recipe: busy.recipe.clone(), after })];
        let mut asked = Confirmation::queue(&busy.run.name(), start);
        for effect in &mut asked {
            if let Effect::Ask(question) = effect {
                "The machine is busy: queue this run?".clone_into(&mut question.title);
                question.text = format!("{going} has not ended. {}", question.text);
            }
        }
        asked
    }

    fn ask_stop(&self, store: &Store) -> Vec<Effect> {
        self.run(store).map(|run| Effect::Ask(stopping::question(run, &run.id.name()))).into_iter().collect()
    }

    fn ask_delete(&self, store: &Store) -> Vec<Effect> {
        let Some(run) = self.run(store) else { return Vec::new() };
        vec![Effect::Ask(Confirmation {
            title: format!("Delete {}?", run.id.name()),
            text: format!("{} goes with its metrics, checkpoints and adapter.", run.id.folder().display()),
            yes: "delete".to_owned(),
            then: vec![runs(RunsCommand::Delete(run.id.clone()))],
        })]
    }

    /// The selected run is drawn anyway: what the mark means is seen only once another is selected, so it is said.
    fn mark(&mut self, store: &Store) -> Vec<Effect> {
        let Some(id) = self.selected.clone() else { return Vec::new() };
        let name = id.name();
        let words = if self.marked.contains(&id) {
            self.marked.retain(|marked| *marked != id);
            format!("{name} is no longer laid over other runs")
        } else {
            self.marked.push(id);
            if store.runs.all().len() > 1 {
                format!("{name} stays in the charts when another run is selected; m takes it out again")
            } else {
                format!("{name} stays in the charts when there is another run to compare it with")
            }
        };
        vec![Effect::Notify(Notice::new(Level::Info, words))]
    }

    /// Closes the innermost thing.
    fn back(&mut self) {
        let view = &mut self.charts.view;
        if self.details.room == DetailsSize::Large {
            self.details.room = DetailsSize::Strip;
        } else if view.cursor.is_some() || view.window.is_some() {
            (view.cursor, view.window) = (None, None);
        } else if self.charts.size == Size::Large {
            self.charts.size = Size::Grid;
        } else {
            self.filter = Filter::default();
        }
    }
}

const fn starts(effect: &Effect) -> bool {
    matches!(effect, Effect::Send(Command::Runs(RunsCommand::Start { .. })))
}

/// A new file is made when a person has said so: the key may have been meant for a search.
fn ask_new(effects: Vec<Effect>) -> Vec<Effect> {
    let file = effects.iter().find_map(|effect| match effect {
        Effect::Send(Command::Runs(RunsCommand::SaveRecipe { path, .. })) => path.file_name(),
        _ => None,
    });
    let Some(file) = file.map(|file| file.to_string_lossy().into_owned()) else { return effects };
    vec![Effect::Ask(Confirmation {
        title: format!("Make the recipe {file}?"),
        text: "It begins as a copy of the one that is chosen; that one stays as it is.".to_owned(),
        yes: "make it".to_owned(),
        then: effects,
    })]
}
