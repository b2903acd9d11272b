//! Texts of recipes that are not saved, and values that are not taken: the session keeps them too, so that they outlive the program.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use super::{Recipes, RecipesStep};
use crate::app::store::Store;
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand};
use crate::domain::recipe::{edit, keys};
use crate::ui::pane::{Confirmation, Effect};
use crate::ui::panes::others;
use crate::ui::widgets::text;

/// Columns of a line of the file, in a question.
const SHOWN: usize = 70;

/// What was written of one recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrittenRecipe {
    pub(super) text: String,
    /// The file's text when the writing began.
    pub(super) base: String,
}

/// What something is written of: a recipe's text, or the value of one of its keys.
pub(super) type RecipePlace = (PathBuf, Option<usize>);

/// What of the drafts the session was told of.
#[derive(Debug, Default)]
pub(super) struct SentDrafts {
    /// The session whose kept drafts were taken in, and which reading of them.
    session: Option<(PathBuf, u64)>,
    sent: BTreeMap<RecipePlace, KeptDraft>,
}

/// What a draft is named by; nothing for a recipe outside the session.
fn named(session: &Path, (recipe, field): &RecipePlace) -> Option<DraftOf> {
    let file = recipe.strip_prefix(session).ok()?.to_str()?.to_owned();
    match field {
        None => Some(DraftOf::Recipe(file)),
        Some(field) => Some(DraftOf::RecipeValue(file, keys::keys().nth(*field)?.name.to_owned())),
    }
}

/// The other way round; nothing for what is of no recipe.
fn place(session: &Path, of: &DraftOf) -> Option<RecipePlace> {
    match of {
        DraftOf::Recipe(file) => Some((session.join(file), None)),
        DraftOf::RecipeValue(file, name) => {
            let field = keys::keys().position(|key| key.name == name)?;
            Some((session.join(file), Some(field)))
        }
        DraftOf::NewRecord
        | DraftOf::Record(_)
        | DraftOf::Review(_)
        | DraftOf::Reason(_)
        | DraftOf::Comment(_)
        | DraftOf::RunNote(_)
        | DraftOf::Chat(..) => None,
    }
}

fn send(of: DraftOf, draft: Option<KeptDraft>) -> Effect {
    Effect::Send(Command::Data(DataCommand::KeepDraft(of, draft)))
}

impl Recipes {
    /// Takes in what the session kept of an earlier time, and keeps what was written since.
    pub(in crate::ui::panes::train) fn keep_drafts(&mut self, store: &Store) -> Vec<Effect> {
        let Some(session) = store.session.as_ref().map(|session| session.path.clone()) else {
            return Vec::new();
        };
        if store.data.drafts.is_none() || store.runs.recipes().is_none() {
            return Vec::new();
        }
        let mut effects = self.take_in(&session, store);
        let written = self.written(store);
        for (place, kept) in &written {
            let Some(of) = named(&session, place) else { continue };
            if self.told.sent.get(place).is_none_or(|sent| !sent.says(kept)) {
                self.told.sent.insert(place.clone(), kept.clone());
                effects.push(send(of, Some(kept.clone())));
            }
        }
        let gone: Vec<RecipePlace> =
            self.told.sent.keys().filter(|place| !written.contains_key(*place)).cloned().collect();
        for place in gone {
            if let Some(of) = named(&session, &place) {
                self.told.sent.remove(&place);
                effects.push(send(of, None));
            }
        }
        effects
    }

    /// Keeps everything that is not on the disk, also what was sent there before.
    pub(in crate::ui::panes::train) fn keep_again(&mut self, store: &Store) -> Vec<Effect> {
        let lost = self.lost(store);
        self.told.sent.retain(|place, _| !lost.contains_key(place));
        self.keep_drafts(store)
    }

    /// What is written and on no disk.
    pub(super) fn lost(&self, store: &Store) -> BTreeMap<RecipePlace, KeptDraft> {
        let mut written = self.written(store);
        written.retain(|place, kept| !self.is_kept(place, kept, store));
        written
    }

    /// Texts that are not saved, values that were left, and the one that is being typed.
    fn written(&self, store: &Store) -> BTreeMap<RecipePlace, KeptDraft> {
        let at = (store.now * 1000.0) as i64;
        let texts = self.drafts.iter().map(|(path, draft)| {
            ((path.clone(), None), KeptDraft { base: draft.base.clone(), text: draft.text.clone(), at })
        });
        let value = |((path, field), text): ((PathBuf, usize), String)| {
            ((path, Some(field)), KeptDraft { base: String::new(), text, at })
        };
        let left = self.left.iter().map(|(place, text)| value((place.clone(), text.clone())));
        let mut written: BTreeMap<RecipePlace, KeptDraft> = texts.chain(left).collect();
        if let Some((place, typed)) = self.typed(store) {
            written.remove(&(place.0.clone(), Some(place.1)));
            written.extend(typed.map(|text| value((place, text))));
        }
        written
    }

    /// The value that has the keyboard: of which recipe and key, and what was typed, where it says something new.
    pub(super) fn typed(&self, store: &Store) -> Option<((PathBuf, usize), Option<String>)> {
        let RecipesStep::Value(area) = &self.step else { return None };
        let (recipe, key) = self.current(store).zip(self.key())?;
        let typed = area.lines().concat();
        let now = edit::get(self.text(recipe), key.name).unwrap_or_default();
        let new = typed != now && typed != now.trim_matches('"');
        Some(((recipe.path.clone(), self.field), new.then_some(typed)))
    }

    /// What is said of the value that is left without being taken.
    pub(in crate::ui::panes::train) fn left_words(&self, store: &Store) -> Option<String> {
        let (_, typed) = self.typed(store)?;
        typed?;
        let name = self.key()?.name;
        Some(format!("{name} stays as it was; what you typed is kept as a draft (✎): ⏎ goes on with it"))
    }

    fn take_in(&mut self, session: &Path, store: &Store) -> Vec<Effect> {
        let reading = Some((session.to_owned(), store.data.drafts_read));
        if self.told.session == reading {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.told.session, reading);
        let again = before.is_some_and(|(before, _)| before == session);
        let recipes = store.runs.recipes().unwrap_or_default();
        let mut words = Vec::new();
        for (of, kept) in store.data.drafts.iter().flatten() {
            let Some(place) = place(session, of) else { continue };
            if again && self.told.sent.contains_key(&place) {
                continue;
            }
            self.told.sent.insert(place.clone(), kept.clone());
            let (path, field) = place;
            let recipe = recipes.iter().find(|recipe| recipe.path == path);
            if let DraftOf::RecipeValue(file, key) = of {
                let new = field.filter(|field| !self.left.contains_key(&(path.clone(), *field)));
                if let Some(field) = new {
                    words.push(format!(
                        "a value of {key} in {file} was typed and not taken: ⏎ there goes on with it"
                    ));
                    self.left.insert((path, field), kept.text.clone());
                }
            } else if let Entry::Vacant(free) = self.drafts.entry(path) {
                words.push(taken_in(free.key(), session, recipe, kept));
                free.insert(WrittenRecipe { text: kept.text.clone(), base: kept.base.clone() });
            } else {
                continue;
            }
            words.extend(others::words(store, of));
        }
        words.into_iter().map(|words| Effect::Notify(Notice::new(Level::Info, words))).collect()
    }

    /// A draft of this session whose file is gone.
    pub(super) fn orphan(&self, store: &Store) -> Option<(PathBuf, String)> {
        let session = store.session.as_ref()?;
        let recipes = store.runs.recipes()?;
        let gone = |path: &Path| {
            path.starts_with(&session.path) && !recipes.iter().any(|recipe| recipe.path == path)
        };
        let found = self.drafts.iter().find(|(path, _)| gone(path));
        found.map(|(path, draft)| (path.clone(), draft.text.clone()))
    }

    /// Whether something that is written is on the disk.
    fn is_kept(&self, place: &RecipePlace, written: &KeptDraft, store: &Store) -> bool {
        let of = store.session.as_ref().and_then(|session| named(&session.path, place));
        match (of, &store.data.drafts) {
            (Some(of), Some(drafts)) => drafts.get(&of).is_some_and(|kept| kept.says(written)),
            // Of another session: it was sent while that one was open.
            (None, _) => self.told.sent.get(place).is_some_and(|sent| sent.text == written.text),
            (Some(_), None) => false,
        }
    }

    /// Asks before a file is written over that has changed since the writing began.
    pub(super) fn asked(&self, recipe: &RecipeFile, effects: Vec<Effect>) -> Vec<Effect> {
        let Some(draft) = self.drafts.get(&recipe.path).filter(|draft| draft.base != recipe.text) else {
            return effects;
        };
        let other = recipe.text.lines().find(|line| !draft.text.lines().any(|own| own == *line));
        let says = other.map_or_else(String::new, |line| {
            format!(" The file now says: {}.", text::shorten(line.trim(), SHOWN))
        });
        vec![Effect::Ask(Confirmation {
            title: format!("{}.toml has changed", recipe.name),
            text: format!(
                "Something else has written the file since you began.{says} Writing over it puts your text in its \
                 place; else yours stays as a draft."
            ),
            yes: "write over it".to_owned(),
            then: effects,
        })]
    }
}

/// What is said of a recipe's text that was kept in an earlier time.
fn taken_in(path: &Path, session: &Path, recipe: Option<&RecipeFile>, kept: &KeptDraft) -> String {
    let file = path.strip_prefix(session).unwrap_or(path).display();
    match recipe {
        Some(recipe) if recipe.text == kept.base => format!("{file} has a draft of yours, not saved"),
        Some(_) => format!("{file} has changed since your draft of it was begun"),
        None => format!("{file} was deleted; your draft of it is kept: the key for a new recipe writes it"),
    }
}
