//! Why a key does nothing here and now.

use super::keys::{ChartAction, DetailAction, RecipeAction, RunAction, TrainAction};
use super::{Face, TrainPane};
use crate::app::store::Store;

impl TrainPane {
    pub(super) fn why(&self, action: TrainAction, store: &Store) -> Option<String> {
        match (action, self.face) {
            (TrainAction::Run(action), Face::Runs) => self.why_no_run(action, store),
            (TrainAction::Chart(ChartAction::PanLeft | ChartAction::PanRight), Face::Runs)
                if !self.drawn(store).is_empty() =>
            {
                Some("the whole run is in sight: + zooms in first".to_owned())
            }
            (
                TrainAction::Detail(
                    DetailAction::PreviousSample | DetailAction::NextSample | DetailAction::TurnDiff,
                ),
                Face::Runs,
            ) if !self.drawn(store).is_empty() => {
                Some("that is for samples: d goes on to them below the charts".to_owned())
            }
            // Enter begins the first run where that can be done.
            (TrainAction::Detail(DetailAction::TurnLarge), Face::Runs) if store.runs.all().is_empty() => {
                Some(self.way_to_first(store))
            }
            (TrainAction::Chart(_) | TrainAction::Detail(_), Face::Runs) => Some(match self.run(store) {
                Some(run) => format!("{} has no values yet that a chart could show", run.id.name()),
                None => "there is no run yet whose values a chart could show".to_owned(),
            }),
            (TrainAction::Run(_) | TrainAction::Chart(_) | TrainAction::Detail(_), Face::Recipes) => {
                Some("that is for runs: esc goes back to them".to_owned())
            }
            (TrainAction::Recipe(_), Face::Runs) => Some("that is for recipes: e goes to them".to_owned()),
            (TrainAction::Recipe(action), Face::Recipes) => self.why_no_recipe(action, store),
            (TrainAction::Accept | TrainAction::Leave | TrainAction::Back, _) => None,
        }
    }

    fn why_no_run(&self, action: RunAction, store: &Store) -> Option<String> {
        let Some(run) = self.run(store) else {
            let missing = self.recipes.why_not_started(store);
            return Some(match (action, missing) {
                (RunAction::Begin, Some(why)) => why,
                (RunAction::Begin, None) => self.way_to_first(store),
                _ => "there is no run yet: e goes to the recipes, t there starts one".to_owned(),
            });
        };
        let (name, stands) = (run.id.name(), run.standing().name());
        Some(match action {
            RunAction::Pause | RunAction::Continue | RunAction::Checkpoint | RunAction::Stop => {
                format!("{name} is {stands}: nothing of it goes on")
            }
            RunAction::CarryOn => format!("{name} goes on already: it is {stands}"),
            RunAction::Converse | RunAction::Compare => {
                format!("{name} is {stands}: its adapter is there when it has ended, or x stops it")
            }
            RunAction::Delete => format!("{name} is {stands}: x stops it first, then it can be deleted"),
            RunAction::ClearMarks => "no run is laid over the others: m lays one over them".to_owned(),
            RunAction::Begin => "e goes to the recipes, t there starts another run".to_owned(),
            RunAction::Previous
            | RunAction::Next
            | RunAction::First
            | RunAction::Last
            | RunAction::Mark
            | RunAction::Filter
            | RunAction::Note
            | RunAction::ShowRecipes => return None,
        })
    }

    fn why_no_recipe(&self, action: RecipeAction, store: &Store) -> Option<String> {
        if self.recipes.current(store).is_none() {
            return Some("there is no recipe yet: n makes one".to_owned());
        }
        match action {
            RecipeAction::Save => Some("the recipe is saved as it is".to_owned()),
            RecipeAction::Start | RecipeAction::Queue | RecipeAction::Preflight => {
                self.recipes.why_not_started(store)
            }
            RecipeAction::NewRecipe => {
                Some("esc goes back to the list, n there makes a new recipe".to_owned())
            }
            RecipeAction::Revert => Some("the recipe is as its file says".to_owned()),
            RecipeAction::BringBack => Some("nothing was put aside of this recipe".to_owned()),
            RecipeAction::ClearField => Some("⏎ opens the recipe key by key; ⌫ there clears one".to_owned()),
            RecipeAction::Previous
            | RecipeAction::Next
            | RecipeAction::EditForm
            | RecipeAction::EditText
            | RecipeAction::PreviousField
            | RecipeAction::NextField
            | RecipeAction::PageUpFields
            | RecipeAction::PageDownFields
            | RecipeAction::EditField
            | RecipeAction::Find
            | RecipeAction::CopyCommand => None,
        }
    }
}
