//! What a recipe leads to: its file saved, another one made like it, a run by it, its command in a shell.

use super::Recipes;
use crate::app::store::Store;
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::protocol::{Command, RunsCommand, system};
use crate::domain::run_info::RunId;
use crate::ui::pane::Effect;
use crate::ui::widgets::text;

/// What a new recipe begins with where there is none to copy.
const FIRST: &str = "# What is missing has its default.\nmethod = \"sft\"\n\n[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"session:\"\n";

impl Recipes {
    pub(in crate::ui::panes::train) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let Some(recipe) = self.current(store) else { return Vec::new() };
        self.asked(recipe, self.saving(store))
    }

    fn saving(&self, store: &Store) -> Vec<Effect> {
        let Some(recipe) = self.current(store).filter(|_| self.unsaved(store)) else { return Vec::new() };
        let text = self.text(recipe).to_owned();
        let before = Some(recipe.text.clone());
        vec![send(RunsCommand::SaveRecipe { path: recipe.path.clone(), text, before })]
    }

    /// A copy of the current recipe under the first free name, beside it; or a draft whose file was deleted.
    pub(in crate::ui::panes::train) fn new_recipe(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
        if let Some((path, text)) = self.orphan(store) {
            self.select_when_listed(path.clone());
            return vec![send(RunsCommand::SaveRecipe { path, text, before: None })];
        }
        let recipes = store.runs.recipes().unwrap_or_default();
        let current = self.current(store);
        let folder =
            current.and_then(|recipe| recipe.path.parent()).map_or_else(|| session.recipes(), Into::into);
        let stem = current.map_or("sft", |recipe| {
            recipe.name.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '-')
        });
        let name = (1..=recipes.len() + 1)
            .map(|number| if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") })
            .find(|name| !recipes.iter().any(|recipe| recipe.name == *name))
            .unwrap_or_default();
        let text = current.map_or(FIRST, |recipe| self.text(recipe)).to_owned();
        let path = folder.join(name + ".toml");
        self.select_when_listed(path.clone());
        vec![send(RunsCommand::SaveRecipe { path, text, before: None })]
    }

    /// Saves what is not saved, and asks what a run would take.
    pub(in crate::ui::panes::train) fn preflight(&mut self, store: &Store) -> Vec<Effect> {
        let Some(recipe) = self.current(store) else { return Vec::new() };
        let asked = store.runs.preflight().filter(|asked| asked.outcome.is_none());
        if asked.is_some_and(|asked| asked.recipe == recipe.path && asked.text == self.text(recipe)) {
            let text = format!("{} is being measured already: its figures appear here", recipe.name);
            return vec![Effect::Notify(system::Notice::new(system::Level::Info, text))];
        }
        let ask = send(RunsCommand::Preflight(recipe.path.clone()));
        let mut effects = self.saving(store);
        effects.push(ask);
        self.asked(recipe, effects)
    }

    /// Saves what is not saved, and starts; with `after`, once that run has ended.
    pub(in crate::ui::panes::train) fn start(&mut self, store: &Store, after: Option<RunId>) -> Vec<Effect> {
        let Some(recipe) = self.current(store) else { return Vec::new() };
        if let Some(issue) = self.issues(recipe).first() {
            let text = format!("{} can't be started: {}", recipe.name, issue.message);
            return vec![Effect::Notify(system::Notice::new(system::Level::Error, text))];
        }
        let start = RunsCommand::Start { recipe: recipe.path.clone(), after };
        let mut effects = self.saving(store);
        effects.push(send(start));
        self.asked(recipe, effects)
    }

    /// The command that does the same in a shell.
    pub(in crate::ui::panes::train) fn command(&self, store: &Store) -> Option<String> {
        self.current(store).map(command)
    }
}

fn command(recipe: &RecipeFile) -> String {
    let path = recipe.path.display().to_string();
    let plain = path.chars().all(|sign| sign.is_alphanumeric() || "/._-+=:@~".contains(sign));
    let quoted = if plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) };
    format!("dojo train {quoted}")
}

/// The command in so many columns, to be read: folders at the front of its path give way to `…`.
pub(super) fn command_within(recipe: &RecipeFile, columns: usize) -> String {
    let whole = command(recipe);
    if text::width(&whole) <= columns {
        return whole;
    }
    let names: Vec<_> = recipe.path.components().map(|name| name.as_os_str().to_string_lossy()).collect();
    let ends = (1..names.len()).filter_map(|from| names.get(from..));
    let mut short = ends.map(|names| format!("dojo train …/{}", names.join("/")));
    let fitting = short.find(|short| text::width(short) <= columns);
    fitting.unwrap_or_else(|| text::shorten(&whole, columns))
}

fn send(command: RunsCommand) -> Effect {
    Effect::Send(Command::Runs(command))
}
