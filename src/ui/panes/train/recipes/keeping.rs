//! Texts of recipes that are not saved: the session keeps them too, so that they outlive the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Recipes;
use crate::app::store::Store;
use crate::domain::draft::{DraftOf, KeptDraft};
use crate::domain::protocol::runs::RecipeFile;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, DataCommand};
use crate::ui::pane::{Effect, Question};
use crate::ui::panes::others;
use crate::ui::widgets::text;

/// Columns of a line of the file, in a question.
const SHOWN: usize = 70;

/// What was written of one recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: String,
    /// The file's text when the writing began.
    pub(super) base: String,
}

/// What of the drafts the session was told of.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The session whose kept drafts were taken in, and which reading of them.
    session: Option<(PathBuf, u64)>,
    sent: BTreeMap<PathBuf, KeptDraft>,
}

/// A recipe's file as its draft is named by; nothing for one outside the session.
fn named(session: &Path, recipe: &Path) -> Option<DraftOf> {
    let file = recipe.strip_prefix(session).ok()?;
    Some(DraftOf::Recipe(file.to_str()?.to_owned()))
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
        for (path, draft) in &self.drafts {
            let Some(of) = named(&session, path) else { continue };
            let kept = KeptDraft {
                base: draft.base.clone(),
                text: draft.text.clone(),
                at: (store.now * 1000.0) as i64,
            };
            if self.told.sent.get(path).is_none_or(|sent| !sent.says(&kept)) {
                self.told.sent.insert(path.clone(), kept.clone());
                effects.push(send(of, Some(kept)));
            }
        }
        let gone: Vec<PathBuf> =
            self.told.sent.keys().filter(|path| !self.drafts.contains_key(*path)).cloned().collect();
        for path in gone {
            if let Some(of) = named(&session, &path) {
                self.told.sent.remove(&path);
                effects.push(send(of, None));
            }
        }
        effects
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
            let DraftOf::Recipe(file) = of else { continue };
            let path = session.join(file);
            if again && self.told.sent.contains_key(&path) {
                continue;
            }
            self.told.sent.insert(path.clone(), kept.clone());
            if self.drafts.contains_key(&path) {
                continue;
            }
            words.push(match recipes.iter().find(|recipe| recipe.path == path) {
                Some(recipe) if recipe.text == kept.base => {
                    format!("{file} has a draft of yours, not saved")
                }
                Some(_) => format!("{file} has changed since your draft of it was begun"),
                None => format!(
                    "{file} was deleted; your draft of it is kept: the key for a new recipe writes it"
                ),
            });
            self.drafts.insert(path, Written { text: kept.text.clone(), base: kept.base.clone() });
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

    /// Whether a draft is on the disk.
    pub(super) fn is_kept(&self, path: &Path, store: &Store) -> bool {
        let Some(draft) = self.drafts.get(path) else { return false };
        let of = store.session.as_ref().and_then(|session| named(&session.path, path));
        match (of, &store.data.drafts) {
            (Some(of), Some(drafts)) => {
                drafts.get(&of).is_some_and(|kept| kept.text == draft.text && kept.base == draft.base)
            }
            // Of another session: it was sent while that one was open.
            (None, _) => self.told.sent.get(path).is_some_and(|sent| sent.text == draft.text),
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
        vec![Effect::Ask(Question {
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
