//! What was written of a recipe and isn't saved, put aside: the file counts again, until it is brought back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Recipes, RecipesStep, WrittenRecipe};
use crate::app::store::Store;

/// What was put aside last, of one recipe.
#[derive(Debug)]
pub(super) struct PutAside {
    recipe: PathBuf,
    text: Option<WrittenRecipe>,
    /// Values that were typed and not taken, by key.
    values: BTreeMap<usize, String>,
}

impl Recipes {
    /// Whether there is something of the current recipe that is not in its file.
    pub(in crate::ui::panes::train) fn can_revert(&self, store: &Store) -> bool {
        let typed = self.typed(store).is_some_and(|(_, typed)| typed.is_some());
        typed
            || self.current(store).is_some_and(|recipe| {
                self.drafts.contains_key(&recipe.path)
                    || self.left.keys().any(|(path, _)| *path == recipe.path)
            })
    }

    pub(in crate::ui::panes::train) fn can_bring_back(&self, store: &Store) -> bool {
        let aside = self.put_aside.as_ref().zip(self.current(store));
        aside.is_some_and(|(aside, recipe)| aside.recipe == recipe.path)
    }

    /// The file as it is: what is typed of a value, the value that was left under the cursor, else all that was written.
    /// Says what it did.
    pub(in crate::ui::panes::train) fn revert(&mut self, store: &Store) -> Option<String> {
        let path = self.current(store)?.path.clone();
        let name = self.current(store)?.name.clone();
        let mut aside = PutAside { recipe: path.clone(), text: None, values: BTreeMap::new() };
        let place = (path.clone(), self.field);
        let in_form = matches!(self.step, RecipesStep::Value(_) | RecipesStep::Form);
        let typed = self.typed(store).and_then(|(_, typed)| typed);
        let value = typed.or_else(|| self.left.get(&place).cloned()).filter(|_| in_form);
        let key = self.key().map_or("", |key| key.name);
        let words = if let Some(value) = value {
            self.left.remove(&place);
            aside.values.insert(self.field, value);
            self.refused = None;
            if matches!(self.step, RecipesStep::Value(_)) {
                self.type_value(store);
            }
            format!("{key} is as it was; alt-z brings back what you typed")
        } else {
            aside.text = self.drafts.remove(&path);
            self.left.retain(|(recipe, field), text| {
                let other = *recipe != path;
                if !other {
                    aside.values.insert(*field, std::mem::take(text));
                }
                other
            });
            self.show_text_again(store);
            format!("{name} is as its file says; alt-z brings back what you wrote")
        };
        self.put_aside = Some(aside);
        Some(words)
    }

    /// What was put aside is a draft again; what was written since gives way.
    pub(in crate::ui::panes::train) fn bring_back(&mut self, store: &Store) {
        let Some(aside) = self.put_aside.take() else { return };
        for (field, value) in aside.values {
            self.left.insert((aside.recipe.clone(), field), value);
        }
        if let Some(text) = aside.text {
            self.drafts.insert(aside.recipe, text);
            self.show_text_again(store);
        }
        if matches!(self.step, RecipesStep::Value(_)) {
            self.type_value(store);
        }
    }

    /// The text that is open, from what counts now.
    fn show_text_again(&mut self, store: &Store) {
        if self.is_text() {
            self.edit_text(store);
        }
    }
}
