//! Recipes: the list, the form over all keys, the text itself. What was changed is a draft until it is saved.

mod draw;

pub(super) use self::draw::draw_field;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ratatui::layout::Rect;
use tui_textarea::TextArea;

use crate::app::store::Store;
use crate::domain::protocol::RunsCommand;
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::protocol::{Command, system};
use crate::domain::recipe::keys::{self, Key};
use crate::domain::recipe::{Issue, edit, parse};
use crate::domain::run_info::RunId;
use crate::ui::pane::{Effect, Input};

/// What a new recipe begins with where there is none to copy.
const FIRST: &str = "# What is missing has its default.\nmethod = \"sft\"\n\n[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"session:\"\n";

/// Recipes, and what is being done to one of them.
#[derive(Debug, Default)]
pub(super) struct Recipes {
    selected: usize,
    pub(super) step: Step,
    field: usize,
    /// Texts that are not saved yet.
    drafts: BTreeMap<PathBuf, String>,
    /// Why a value that was typed is not taken.
    refused: Option<String>,
    /// Fields on the screen at the last draw.
    page: usize,
    rows: Vec<(Rect, usize)>,
    fields: Vec<(Rect, usize)>,
}

/// Where the keyboard is.
#[derive(Debug, Default)]
pub(super) enum Step {
    #[default]
    List,
    Form,
    /// One value of the form.
    Value(Box<TextArea<'static>>),
    /// The whole text.
    Text(Box<TextArea<'static>>),
}

impl Recipes {
    pub(super) fn current<'a>(&self, store: &'a Store) -> Option<&'a RecipeFile> {
        let recipes = store.runs.recipes()?;
        recipes.get(self.selected.min(recipes.len().saturating_sub(1)))
    }

    /// The text as it stands here: the draft, else the file's.
    fn text<'a>(&'a self, recipe: &'a RecipeFile) -> &'a str {
        self.drafts.get(&recipe.path).unwrap_or(&recipe.text)
    }

    pub(super) fn is_typing(&self) -> bool {
        matches!(self.step, Step::Value(_) | Step::Text(_))
    }

    pub(super) fn unsaved(&self, store: &Store) -> bool {
        self.current(store).is_some_and(|recipe| self.text(recipe) != recipe.text)
    }

    /// What is wrong with the text as it stands here.
    fn issues(&self, recipe: &RecipeFile) -> Vec<Issue> {
        parse::parse(self.text(recipe), &[]).err().unwrap_or_default()
    }

    /// What the recipe still misses as it is on the disk; nothing is known of a draft.
    pub(super) fn missing<'a>(&self, recipe: &'a RecipeFile) -> Option<&'a str> {
        recipe.missing.as_deref().filter(|_| !self.drafts.contains_key(&recipe.path))
    }

    pub(super) fn can_start(&self, store: &Store) -> bool {
        self.current(store)
            .is_some_and(|recipe| self.issues(recipe).is_empty() && self.missing(recipe).is_none())
    }

    pub(super) fn step_list(&mut self, by: isize, store: &Store) {
        let count = store.runs.recipes().map_or(0, <[_]>::len);
        self.selected = self.selected.saturating_add_signed(by).min(count.saturating_sub(1));
        self.refused = None;
    }

    pub(super) fn step_field(&mut self, by: isize) {
        self.field = self.field.saturating_add_signed(by).min(keys::keys().count().saturating_sub(1));
        self.refused = None;
    }

    fn key(&self) -> Option<&'static Key> {
        keys::keys().nth(self.field)
    }

    /// Opens the value under the cursor for typing, its quotes taken off.
    pub(super) fn edit_field(&mut self, store: &Store) {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        let value = edit::get(self.text(recipe), key.name).unwrap_or_default();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let mut area =
            TextArea::new(vec![bare.filter(|bare| !bare.contains(['"', '\\'])).unwrap_or(&value).to_owned()]);
        area.move_cursor(tui_textarea::CursorMove::End);
        self.step = Step::Value(Box::new(area));
    }

    pub(super) fn clear_field(&mut self, store: &Store) {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        match edit::unset(self.text(recipe), key.name) {
            Ok(text) => self.keep(recipe, text),
            Err(issue) => self.refused = Some(issue.message),
        }
    }

    pub(super) fn edit_text(&mut self, store: &Store) {
        let Some(recipe) = self.current(store) else { return };
        let area = TextArea::from(self.text(recipe).lines());
        self.step = Step::Text(Box::new(area));
    }

    /// Typing goes into the open field; what stands there is checked at once.
    pub(super) fn input(&mut self, input: &Input, store: &Store) {
        let Some(recipe) = self.current(store).cloned() else { return };
        let name = self.key().map_or("", |key| key.name);
        match &mut self.step {
            Step::Value(area) => {
                type_into(area, input, Lines::One);
                let typed = area.lines().concat();
                let text = self.drafts.get(&recipe.path).unwrap_or(&recipe.text);
                self.refused = edit::set(text, name, &typed).err().map(|issue| issue.message);
            }
            Step::Text(area) => {
                type_into(area, input, Lines::Many);
                let text = area.lines().join("\n") + "\n";
                self.keep(&recipe, text);
            }
            Step::List | Step::Form => {}
        }
    }

    /// Takes the typed value if it fits.
    pub(super) fn accept(&mut self, store: &Store) {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        let Step::Value(area) = &self.step else { return };
        match edit::set(self.text(recipe), key.name, &area.lines().concat()) {
            Ok(text) => {
                self.keep(recipe, text);
                self.step = Step::Form;
            }
            Err(issue) => self.refused = Some(issue.message),
        }
    }

    /// One step out; whether there was one.
    pub(super) fn back(&mut self) -> bool {
        self.refused = None;
        let out = match self.step {
            Step::List => return false,
            Step::Value(_) | Step::Text(_) => Step::Form,
            Step::Form => Step::List,
        };
        self.step = out;
        true
    }

    pub(super) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let Some(recipe) = self.current(store).filter(|_| self.unsaved(store)) else { return Vec::new() };
        let text = self.text(recipe).to_owned();
        vec![send(RunsCommand::SaveRecipe { path: recipe.path.clone(), text })]
    }

    /// A copy of the current recipe under the first free name, beside it.
    pub(super) fn new_recipe(&self, store: &Store) -> Vec<Effect> {
        let Some(session) = &store.session else { return Vec::new() };
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
        vec![send(RunsCommand::SaveRecipe { path: folder.join(name + ".toml"), text })]
    }

    /// Saves what is not saved, and asks what a run would take.
    pub(super) fn preflight(&mut self, store: &Store) -> Vec<Effect> {
        let Some(recipe) = self.current(store) else { return Vec::new() };
        let ask = send(RunsCommand::Preflight(recipe.path.clone()));
        let mut effects = self.save(store);
        effects.push(ask);
        effects
    }

    /// Saves what is not saved, and starts; with `after`, once that run has ended.
    pub(super) fn start(&mut self, store: &Store, after: Option<RunId>) -> Vec<Effect> {
        let Some(recipe) = self.current(store) else { return Vec::new() };
        if let Some(issue) = self.issues(recipe).first() {
            let text = format!("{} can't be started: {}", recipe.name, issue.message);
            return vec![Effect::Notify(system::Notice::new(system::Level::Error, text))];
        }
        let start = RunsCommand::Start { recipe: recipe.path.clone(), after };
        let mut effects = self.save(store);
        effects.push(send(start));
        effects
    }

    /// The command that does the same in a shell.
    pub(super) fn command(&self, store: &Store) -> Option<String> {
        let recipe = self.current(store)?;
        let path = recipe.path.display().to_string();
        let plain = path.chars().all(|sign| sign.is_alphanumeric() || "/._-+=:@~".contains(sign));
        let quoted = if plain { path } else { format!("'{}'", path.replace('\'', r"'\''")) };
        Some(format!("dojo train {quoted}"))
    }

    /// A click on a recipe or on a key.
    pub(super) fn click(&mut self, at: ratatui::layout::Position) {
        if self.is_typing() {
            return;
        }
        if let Some((_, row)) = self.rows.iter().find(|(place, _)| place.contains(at)) {
            self.selected = *row;
            self.step = Step::List;
        } else if let Some((_, field)) = self.fields.iter().find(|(place, _)| place.contains(at)) {
            self.field = *field;
            self.step = Step::Form;
        }
    }

    fn keep(&mut self, recipe: &RecipeFile, text: String) {
        self.refused = None;
        if text == recipe.text {
            self.drafts.remove(&recipe.path);
        } else {
            self.drafts.insert(recipe.path.clone(), text);
        }
    }
}

fn send(command: RunsCommand) -> Effect {
    Effect::Send(Command::Runs(command))
}

/// How many lines a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    One,
    Many,
}

/// A key or pasted text into a field.
pub(super) fn type_into(area: &mut TextArea<'static>, input: &Input, lines: Lines) {
    match input {
        Input::Key(key) => {
            let breaks = key.code == crossterm::event::KeyCode::Enter
                || (key.code == crossterm::event::KeyCode::Char('m')
                    && key.modifiers.contains(crossterm::event::KeyModifiers::CONTROL));
            if !(breaks && lines == Lines::One) {
                area.input(*key);
            }
        }
        Input::Paste(text) => {
            let text = if lines == Lines::One {
                text.replace(['\r', '\n'], " ")
            } else {
                text.replace("\r\n", "\n")
            };
            area.insert_str(text);
        }
    }
}
