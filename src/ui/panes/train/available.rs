//! Which actions make sense right now: the footer shows these, and keys that are shared mean them.

use super::keys::{ChartAction, DetailAction, RecipeAction, RunAction, TrainAction};
use super::recipes::RecipesStep;
use super::{Face, TrainPane, early};
use crate::app::store::Store;
use crate::domain::run::Standing;
use crate::domain::run_info::RunInfo;
use crate::ui::panes::train::details::Tab;

impl TrainPane {
    pub(super) fn is_available(&self, action: TrainAction, store: &Store) -> bool {
        if self.prompt.is_some() {
            return matches!(action, TrainAction::Accept | TrainAction::Leave | TrainAction::Back);
        }
        let in_runs = self.face == Face::Runs;
        let values = in_runs && !self.drawn(store).is_empty();
        match action {
            TrainAction::Run(action) => in_runs && self.can_run(action, store),
            TrainAction::Chart(ChartAction::PanLeft | ChartAction::PanRight) => {
                values && self.charts.view.window.is_some()
            }
            TrainAction::Detail(DetailAction::PreviousSample | DetailAction::NextSample) => {
                values && matches!(self.details.tab, Tab::Samples | Tab::Completions)
            }
            TrainAction::Detail(DetailAction::TurnDiff) => values && self.details.tab == Tab::Samples,
            TrainAction::Chart(_) | TrainAction::Detail(_) => values,
            TrainAction::Recipe(action) => !in_runs && self.can_recipe(action, store),
            TrainAction::Accept => {
                !in_runs
                    && matches!(
                        self.recipes.step,
                        RecipesStep::Value(_) | RecipesStep::Choose(_) | RecipesStep::Find(_)
                    )
            }
            TrainAction::Leave => !in_runs && self.recipes.is_typing(),
            TrainAction::Back => true,
        }
    }

    fn can_run(&self, action: RunAction, store: &Store) -> bool {
        let run = self.run(store);
        let standing = run.map(RunInfo::standing);
        let live = standing.is_some_and(Standing::is_live);
        let pausing = run.is_some_and(RunInfo::is_pausing);
        let begins = run.is_some_and(|run| early::begins(run) && !run.is_stopping());
        let early = run.is_some_and(|run| self.pauses_early(run));
        match action {
            RunAction::ShowRecipes | RunAction::Filter => true,
            RunAction::Begin => store.runs.all().is_empty() && self.recipes.can_start(store),
            RunAction::Pause => (standing == Some(Standing::Running) && !pausing) || (begins && !early),
            RunAction::Continue => standing == Some(Standing::Paused) || pausing || early,
            // Of a run that has not begun it says so.
            RunAction::Checkpoint => begins || matches!(standing, Some(Standing::Running | Standing::Paused)),
            RunAction::Stop => live,
            RunAction::CarryOn | RunAction::Converse | RunAction::Compare | RunAction::Delete => {
                run.is_some() && !live
            }
            RunAction::ClearMarks => !self.marked.is_empty(),
            RunAction::Previous
            | RunAction::Next
            | RunAction::First
            | RunAction::Last
            | RunAction::Mark
            | RunAction::Note => run.is_some(),
        }
    }

    fn can_recipe(&self, action: RecipeAction, store: &Store) -> bool {
        let some = self.recipes.current(store).is_some();
        let list = matches!(self.recipes.step, RecipesStep::List);
        let form = matches!(self.recipes.step, RecipesStep::Form);
        match action {
            RecipeAction::Save => self.recipes.unsaved(store),
            RecipeAction::Revert => self.recipes.can_revert(store),
            RecipeAction::BringBack => self.recipes.can_bring_back(store),
            RecipeAction::NewRecipe => list && store.session.is_some(),
            RecipeAction::Previous | RecipeAction::Next | RecipeAction::EditForm => some && list,
            RecipeAction::Preflight | RecipeAction::Start | RecipeAction::Queue => {
                (list || form) && self.recipes.can_start(store)
            }
            RecipeAction::EditText | RecipeAction::CopyCommand => some && (list || form),
            RecipeAction::PreviousField | RecipeAction::NextField => {
                form || matches!(self.recipes.step, RecipesStep::Choose(_))
            }
            RecipeAction::Find => form || (list && some),
            RecipeAction::EditField
            | RecipeAction::ClearField
            | RecipeAction::PageUpFields
            | RecipeAction::PageDownFields => form,
        }
    }
}
