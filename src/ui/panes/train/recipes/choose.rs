//! What a key may be, as a list to choose from; and finding keys by a part of their names or of what they mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui_textarea::TextArea;

use super::{Recipes, RecipesStep};
use crate::app::store::Store;
use crate::domain::protocol::models::ModelKind;
use crate::domain::recipe::edit;
use crate::domain::recipe::keys::{self, KeyKind, RecipeKey};
use crate::ui::theme::Theme;
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{float, text};

/// The last of a list whose key takes other values too.
const OTHER: &str = "another: type it";

/// The values of one key.
#[derive(Debug)]
pub(in super::super) struct Choices {
    values: Vec<String>,
    cursor: ListCursor,
}

fn values(key: &RecipeKey, store: &Store) -> Vec<String> {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    match key.kind {
        KeyKind::Choice(choices) => owned(choices),
        // Several are typed.
        KeyKind::Choices(choices) => [choices, &[OTHER]].concat().into_iter().map(str::to_owned).collect(),
        KeyKind::Flag => owned(&["true", "false"]),
        KeyKind::Device => owned(&["auto", "cpu", "cuda", "metal", OTHER]),
        KeyKind::Text if key.name == "model.base" => {
            let models = store.models.iter().flatten();
            let bases = models.filter(|model| model.kind == ModelKind::Base).map(|model| model.name.clone());
            let mut bases: Vec<String> = bases.collect();
            if !bases.is_empty() {
                bases.push(OTHER.to_owned());
            }
            bases
        }
        KeyKind::Text
        | KeyKind::Path
        | KeyKind::Examples
        | KeyKind::Texts
        | KeyKind::Integer(..)
        | KeyKind::Number(_)
        | KeyKind::Numbers(_)
        | KeyKind::Modules
        | KeyKind::Rates
        | KeyKind::Rewards => Vec::new(),
    }
}

impl Recipes {
    /// Opens the list of a key's values, where it has one; whether it has.
    pub(super) fn open_choices(&mut self, store: &Store) -> bool {
        let (Some(recipe), Some(key)) = (self.current(store), self.key()) else { return false };
        let values = values(key, store);
        if values.is_empty() {
            return false;
        }
        let default = key.default_for(edit::method(self.text(recipe))).unwrap_or_default();
        let now = edit::get(self.text(recipe), key.name).unwrap_or_else(|| default.to_owned());
        let row = values.iter().position(|value| value == now.trim_matches('"')).unwrap_or(0);
        let mut cursor = ListCursor::default();
        cursor.go(row, values.len());
        self.step = RecipesStep::Choose(Choices { values, cursor });
        true
    }

    /// Takes the chosen value, or opens the field for another.
    pub(super) fn take_choice(&mut self, store: &Store) {
        let RecipesStep::Choose(choices) = &self.step else { return };
        let Some(value) = choices.values.get(choices.cursor.row()).cloned() else { return };
        if value == OTHER {
            self.type_value(store);
            return;
        }
        let (Some(recipe), Some(key)) = (self.current(store).cloned(), self.key()) else { return };
        self.step = RecipesStep::Form;
        match edit::set(self.text(&recipe), key.name, &value) {
            Ok(text) => self.keep(&recipe, text),
            Err(issue) => self.refused = Some(issue.message),
        }
    }

    /// Moves among the choices; whether there are some.
    pub(super) fn step_choice(&mut self, by: isize) -> bool {
        let RecipesStep::Choose(choices) = &mut self.step else { return false };
        choices.cursor.step(by, choices.values.len());
        true
    }

    /// Opens the line that says which keys are shown.
    pub(in super::super) fn find(&mut self) {
        let mut area = TextArea::new(vec![self.found.clone()]);
        area.move_cursor(tui_textarea::CursorMove::End);
        self.step = RecipesStep::Find(Box::new(area));
    }

    /// Keys are shown whose names or meanings hold this.
    pub(super) fn show_found(&mut self, typed: &str, store: &Store) {
        self.found = typed.to_lowercase();
        let visible = self.visible(store);
        if !visible.contains(&self.field) {
            self.field = visible.first().copied().unwrap_or(self.field);
        }
    }

    /// The numbers of the keys that are shown: those of the recipe's method, and what it says of another one's.
    pub(super) fn visible(&self, store: &Store) -> Vec<usize> {
        let source = self.current(store).map_or("", |recipe| self.text(recipe));
        let method = edit::method(source);
        let is_of = |key: &RecipeKey| {
            key.method().is_none_or(|of| of == method) || edit::get(source, key.name).is_some()
        };
        let fits = |key: &RecipeKey| {
            let found = key.name.contains(&self.found) || key.help.to_lowercase().contains(&self.found);
            found && is_of(key)
        };
        keys::keys().enumerate().filter(|(_, key)| fits(key)).map(|(at, _)| at).collect()
    }
}

/// A list below the key's row, or above it at the bottom of the screen.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, row: Rect, choices: &mut Choices, theme: &Theme) {
    let widest = choices.values.iter().map(|value| text::width(value)).max().unwrap_or(0) as u16;
    let width = (widest + 6).min(area.width);
    let height = (choices.values.len() as u16 + 2).min(area.height);
    let x = (row.x + super::draw::VALUE).min(area.right().saturating_sub(width));
    let below = row.y + 1 + height <= area.bottom();
    let y = if below { row.y + 1 } else { area.bottom().saturating_sub(height) };
    let inside = float::draw(buffer, Rect { x, y, width, height }, theme, "");
    let room = usize::from(inside.width);
    let window = choices.cursor.window(choices.values.len(), usize::from(inside.height));
    for (number, y) in window.zip(inside.y..inside.bottom()) {
        let Some(value) = choices.values.get(number) else { continue };
        text::put(buffer, inside.x, y, value, room, theme.text);
        if number == choices.cursor.row() {
            buffer.set_style(Rect { y, height: 1, ..inside }, theme.selection);
        }
    }
}
