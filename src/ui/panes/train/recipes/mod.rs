//! Recipes: the list, the form over all keys, the text itself. What was changed is a draft until it is saved.

mod choose;
mod draw;
mod files;
mod keeping;
mod revert;

pub(super) use self::draw::draw_field;

use self::choose::Choices;
use self::keeping::{SentDrafts, WrittenRecipe};
use self::revert::PutAside;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ratatui::layout::Rect;
use tui_textarea::TextArea;

use crate::app::store::Store;
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::recipe::keys::{self, RecipeKey};
use crate::domain::recipe::{Issue, edit, parse};
use crate::ui::pane::Input;
use crate::ui::widgets::field::{edit_line, edit_text};

/// Recipes, and what is being done to one of them.
#[derive(Debug, Default)]
pub(super) struct Recipes {
    selected: usize,
    /// The selected one, wherever a new list has it.
    chosen: Option<PathBuf>,
    pub(super) step: RecipesStep,
    field: usize,
    /// Texts that are not saved yet.
    drafts: BTreeMap<PathBuf, WrittenRecipe>,
    told: SentDrafts,
    put_aside: Option<PutAside>,
    /// A recipe that is being made, to be selected once it is listed.
    wanted: Option<PathBuf>,
    /// Values that were typed and left without being taken, by recipe and key.
    left: BTreeMap<(PathBuf, usize), String>,
    /// Keys are shown that hold this; all for an empty one.
    found: String,
    /// Why a value that was typed is not taken.
    refused: Option<String>,
    /// Fields on the screen at the last draw.
    page: usize,
    rows: Vec<(Rect, usize)>,
    fields: Vec<(Rect, usize)>,
}

/// Where the keyboard is.
#[derive(Debug, Default)]
pub(super) enum RecipesStep {
    #[default]
    List,
    Form,
    /// One value of the form.
    Value(Box<TextArea<'static>>),
    /// One value of the form, from a list.
    Choose(Choices),
    /// The keys that are shown.
    Find(Box<TextArea<'static>>),
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
        self.drafts.get(&recipe.path).map_or(&recipe.text, |draft| &draft.text)
    }

    pub(super) fn select_when_listed(&mut self, recipe: PathBuf) {
        self.step = RecipesStep::List;
        self.wanted = Some(recipe);
    }

    /// Follows a new list: the one that was made, else the one that was chosen, wherever it is now. What is open of one
    /// that is no longer listed is closed, so that nothing is written into another.
    pub(super) fn follow(&mut self, store: &Store) {
        let recipes = store.runs.recipes().unwrap_or_default();
        let place =
            |path: &Option<PathBuf>| recipes.iter().position(|recipe| Some(&recipe.path) == path.as_ref());
        if let Some(row) = place(&self.wanted) {
            (self.selected, self.wanted) = (row, None);
        } else if let Some(row) = place(&self.chosen) {
            self.selected = row;
        } else {
            if let (RecipesStep::Value(area), Some(path)) = (&self.step, self.chosen.take()) {
                self.left.insert((path, self.field), area.lines().concat());
            }
            self.step = RecipesStep::List;
        }
        self.chosen = self.current(store).map(|recipe| recipe.path.clone());
        let saved = |path: &PathBuf, text: &str| {
            recipes.iter().any(|recipe| recipe.path == *path && recipe.text == text)
        };
        self.drafts.retain(|path, draft| !saved(path, &draft.text));
    }

    pub(super) fn is_typing(&self) -> bool {
        matches!(self.step, RecipesStep::Value(_) | RecipesStep::Text(_) | RecipesStep::Find(_))
    }

    /// Whether the whole recipe is written as a text.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.step, RecipesStep::Text(_))
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

    /// What a run by the recipe would cut, as it is on the disk; nothing is known of a draft.
    pub(super) fn cut<'a>(&self, recipe: &'a RecipeFile) -> Option<&'a str> {
        recipe.cut.as_deref().filter(|_| !self.drafts.contains_key(&recipe.path))
    }

    pub(super) fn can_start(&self, store: &Store) -> bool {
        self.current(store)
            .is_some_and(|recipe| self.issues(recipe).is_empty() && self.missing(recipe).is_none())
    }

    /// Why no run can be started by the recipe as it stands.
    pub(super) fn why_not_started(&self, store: &Store) -> Option<String> {
        let recipe = self.current(store)?;
        let issue = self.issues(recipe).into_iter().next().map(|issue| issue.message);
        issue.or_else(|| self.missing(recipe).map(str::to_owned))
    }

    pub(super) fn step_list(&mut self, by: isize, store: &Store) {
        let count = store.runs.recipes().map_or(0, <[_]>::len);
        self.selected = self.selected.saturating_add_signed(by).min(count.saturating_sub(1));
        self.chosen = self.current(store).map(|recipe| recipe.path.clone());
        self.refused = None;
    }

    pub(super) fn step_field(&mut self, by: isize, store: &Store) {
        if self.step_choice(by) {
            return;
        }
        let visible = self.visible(store);
        let at = visible.iter().position(|field| *field == self.field).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(visible.len().saturating_sub(1));
        self.field = visible.get(to).copied().unwrap_or(self.field);
        self.refused = None;
    }

    fn key(&self) -> Option<&'static RecipeKey> {
        keys::keys().nth(self.field)
    }

    /// Opens the value under the cursor for typing, its quotes taken off.
    pub(super) fn edit_field(&mut self, store: &Store) {
        let typed = self.current(store).map(|recipe| (recipe.path.clone(), self.field));
        let kept = typed.is_some_and(|place| self.left.contains_key(&place));
        if kept || !self.open_choices(store) {
            self.type_value(store);
        }
    }

    fn type_value(&mut self, store: &Store) {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        let value = edit::get(self.text(recipe), key.name).unwrap_or_default();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let kept = self.left.get(&(recipe.path.clone(), self.field)).cloned();
        let plain = bare.filter(|bare| !bare.contains(['"', '\\'])).unwrap_or(&value).to_owned();
        let mut area = TextArea::new(vec![kept.unwrap_or(plain)]);
        area.move_cursor(tui_textarea::CursorMove::End);
        self.step = RecipesStep::Value(Box::new(area));
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
        self.step = RecipesStep::Text(Box::new(area));
    }

    /// Typing goes into the open field; what stands there is checked at once.
    pub(super) fn input(&mut self, input: &Input, store: &Store) {
        let Some(recipe) = self.current(store).cloned() else { return };
        match &mut self.step {
            RecipesStep::Value(area) => {
                type_into(area, input, FieldLines::One);
                self.check_typed(store);
            }
            RecipesStep::Text(area) => {
                type_into(area, input, FieldLines::Many);
                let text = area.lines().join("\n") + "\n";
                self.keep(&recipe, text);
            }
            RecipesStep::Find(area) => {
                type_into(area, input, FieldLines::One);
                let typed = area.lines().concat();
                self.show_found(&typed, store);
            }
            RecipesStep::List | RecipesStep::Form | RecipesStep::Choose(_) => {}
        }
    }

    /// Takes the typed value if it fits.
    pub(super) fn accept(&mut self, store: &Store) {
        match self.step {
            RecipesStep::Choose(_) => return self.take_choice(store),
            RecipesStep::Find(_) => {
                self.step = RecipesStep::Form;
                return;
            }
            RecipesStep::List | RecipesStep::Form | RecipesStep::Value(_) | RecipesStep::Text(_) => {}
        }
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        let RecipesStep::Value(area) = &self.step else { return };
        match edit::set(self.text(recipe), key.name, &area.lines().concat()) {
            Ok(text) => {
                self.left.remove(&(recipe.path.clone(), self.field));
                self.keep(recipe, text);
                self.step = RecipesStep::Form;
            }
            Err(issue) => self.refused = Some(issue.message),
        }
    }

    /// One step out; whether there was one. What was typed is there when the key is opened again.
    pub(super) fn back(&mut self, store: &Store) -> bool {
        match self.typed(store) {
            Some((place, Some(typed))) => drop(self.left.insert(place, typed)),
            Some((place, None)) => drop(self.left.remove(&place)),
            None => {}
        }
        self.refused = None;
        let out = match self.step {
            RecipesStep::List => return false,
            RecipesStep::Find(_) => {
                self.found.clear();
                RecipesStep::Form
            }
            RecipesStep::Value(_) | RecipesStep::Text(_) | RecipesStep::Choose(_) => RecipesStep::Form,
            RecipesStep::Form if !self.found.is_empty() => {
                self.found.clear();
                RecipesStep::Form
            }
            RecipesStep::Form => RecipesStep::List,
        };
        self.step = out;
        true
    }

    /// What is neither saved nor taken, for the question before the program ends.
    pub(super) fn unsaved_words(&self, store: &Store) -> Option<String> {
        let recipes = store.runs.recipes().unwrap_or_default();
        let lost = self.lost(store);
        let kept: Vec<&PathBuf> =
            self.drafts.keys().filter(|path| !lost.contains_key(&((*path).clone(), None))).collect();
        // Those of another session are not listed now.
        let name = |path: &PathBuf| {
            let listed = recipes.iter().find(|recipe| recipe.path == *path).map(|recipe| recipe.name.clone());
            listed.unwrap_or_else(|| path.display().to_string())
        };
        let names = |paths: Vec<&PathBuf>| paths.into_iter().map(name).collect::<Vec<_>>().join(", ");
        let values = lost.keys().filter_map(|(path, field)| Some((path, keys::keys().nth((*field)?)?.name)));
        let mut parts: Vec<String> =
            values.map(|(path, key)| format!("the value of {key} in the recipe {}", name(path))).collect();
        let texts: Vec<&PathBuf> =
            lost.keys().filter(|(_, field)| field.is_none()).map(|(path, _)| path).collect();
        if !texts.is_empty() {
            let what = if texts.len() == 1 { "the recipe" } else { "the recipes" };
            parts.push(format!("{what} {}", names(texts)));
        }
        if parts.is_empty() {
            return None;
        }
        let parts = parts.join(", ");
        Some(if kept.is_empty() { parts } else { format!("{parts} (kept as drafts: {})", names(kept)) })
    }

    /// The text that is being edited.
    pub(super) fn edited(&self) -> Option<String> {
        match &self.step {
            RecipesStep::Value(area) => Some(area.lines().concat()),
            RecipesStep::Text(area) => Some(area.lines().join("\n") + "\n"),
            RecipesStep::List | RecipesStep::Form | RecipesStep::Choose(_) | RecipesStep::Find(_) => None,
        }
    }

    /// What came back from an editor outside, in its place.
    pub(super) fn replace(&mut self, text: &str, store: &Store) {
        let text = text.replace("\r\n", "\n");
        match &mut self.step {
            RecipesStep::Value(area) => {
                **area = TextArea::new(vec![text.trim_end().replace('\n', " ")]);
                area.move_cursor(tui_textarea::CursorMove::End);
                self.check_typed(store);
            }
            RecipesStep::Text(area) => {
                **area = TextArea::from(text.lines());
                if let Some(recipe) = self.current(store).cloned() {
                    self.keep(&recipe, text);
                }
            }
            RecipesStep::List | RecipesStep::Form | RecipesStep::Choose(_) | RecipesStep::Find(_) => {}
        }
    }

    /// Says at once what is wrong with the value that is typed.
    fn check_typed(&mut self, store: &Store) {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return };
        let RecipesStep::Value(area) = &self.step else { return };
        let refused = edit::set(self.text(recipe), key.name, &area.lines().concat()).err();
        self.refused = refused.map(|issue| issue.message);
    }

    /// A click on a recipe or on a key.
    pub(super) fn click(&mut self, at: ratatui::layout::Position) {
        if self.is_typing() {
            return;
        }
        if let Some((_, row)) = self.rows.iter().find(|(place, _)| place.contains(at)) {
            self.selected = *row;
            self.chosen = None;
            self.step = RecipesStep::List;
        } else if let Some((_, field)) = self.fields.iter().find(|(place, _)| place.contains(at)) {
            self.field = *field;
            self.step = RecipesStep::Form;
        }
    }

    fn keep(&mut self, recipe: &RecipeFile, text: String) {
        self.refused = None;
        if text == recipe.text {
            self.drafts.remove(&recipe.path);
        } else {
            let base =
                self.drafts.remove(&recipe.path).map_or_else(|| recipe.text.clone(), |draft| draft.base);
            self.drafts.insert(recipe.path.clone(), WrittenRecipe { text, base });
        }
    }
}

/// How many lines a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldLines {
    One,
    Many,
}

/// A key or pasted text into a field.
pub(super) fn type_into(area: &mut TextArea<'static>, input: &Input, lines: FieldLines) {
    match input {
        Input::Key(key) => {
            let breaks = key.code == crossterm::event::KeyCode::Enter
                || (key.code == crossterm::event::KeyCode::Char('m')
                    && key.modifiers.contains(crossterm::event::KeyModifiers::CONTROL));
            match lines {
                FieldLines::One if breaks => {}
                FieldLines::One => edit_line(area, *key),
                FieldLines::Many => drop(edit_text(area, *key)),
            }
        }
        Input::Paste(text) => {
            let text = if lines == FieldLines::One {
                text.replace(['\r', '\n'], " ")
            } else {
                text.replace("\r\n", "\n")
            };
            area.insert_str(text);
        }
    }
}
