//! One verb, one key: the tables of all panes against the decided one.

use std::collections::{BTreeMap, BTreeSet};

use dojo_studio::domain::settings::Settings;
use dojo_studio::ui::keymap::Binding;
use dojo_studio::ui::pane::Effect;
use dojo_studio::ui::studio::tables;
use dojo_studio::ui::verbs::{VERBS, old_keys};

use super::harness::Harness;
use super::world;

fn bindings() -> Vec<&'static Binding> {
    tables().into_iter().flat_map(|(_, table)| table).collect()
}

#[test]
fn every_verb_has_one_first_key_over_all_panes() {
    let bindings = bindings();
    let mut wrong = Vec::new();
    for verb in VERBS {
        for name in verb.bindings {
            match bindings.iter().find(|binding| binding.name == *name) {
                Some(binding) if binding.keys.first() == Some(&verb.key) => {}
                Some(binding) => wrong.push(format!("{name} is on {:?}, not on {}", binding.keys, verb.key)),
                None => wrong.push(format!("{name} is no binding")),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn bindings_that_are_called_the_same_are_in_the_table_or_have_the_same_key() {
    // Called the same, and something else: a column of the table, of the chat; a list on the screen, of runs to come.
    // The chat's list is typed into, where `D` is a letter; a form's value is edited as it is opened; a correction of
    // the review is written with the key that edits one.
    let apart = ["chat.column", "train.queue", "chat.delete", "train.field.edit", "review.correct"];
    let decided: BTreeSet<&str> = VERBS.iter().flat_map(|verb| verb.bindings).copied().collect();
    let mut keys: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for (_, table) in tables().into_iter().filter(|(title, _)| *title != "Everywhere") {
        for binding in table.iter().filter(|binding| !apart.contains(&binding.name)) {
            let (last, key) = (binding.name.rsplit('.').next(), binding.keys.first());
            if let (Some(last), Some(key)) = (last, key) {
                keys.entry(last).or_default().insert(binding.name, key);
            }
        }
    }
    let pane = |name: &str| name.split('.').next().map(str::to_owned);
    let differ: Vec<_> = keys
        .into_iter()
        .filter(|(_, named)| named.keys().map(|name| pane(name)).collect::<BTreeSet<_>>().len() > 1)
        .filter(|(_, named)| named.values().collect::<BTreeSet<_>>().len() > 1)
        .filter(|(_, named)| named.keys().any(|name| !decided.contains(name)))
        .collect();
    assert_eq!(differ, Vec::new());
}

#[test]
fn the_document_shows_the_table() {
    let text = std::fs::read_to_string("docs/keys.md").expect("the document");
    let shown: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).take(2).collect())
        .collect();
    for verb in VERBS {
        let key = format!("`{}`", verb.key);
        assert!(shown.contains(&vec![verb.name, &key]), "docs/keys.md should say: | {} | {key} |", verb.name);
    }
    for binding in bindings() {
        for key in old_keys(binding.name) {
            let row = format!("`{}`", binding.name);
            let said = text.lines().any(|line| line.contains(&row) && line.contains(&format!("`{key}`")));
            assert!(said, "docs/keys.md should name the old key {key} of {row}");
        }
    }
}

#[test]
fn no_pane_asks_two_things_of_an_old_key() {
    for (title, table) in tables() {
        for binding in table {
            for key in old_keys(binding.name) {
                let others: Vec<&str> = table
                    .iter()
                    .filter(|other| other.name != binding.name && old_keys(other.name).contains(key))
                    .map(|other| other.name)
                    .collect();
                assert_eq!(others, Vec::<&str>::new(), "{title}: {key}");
            }
        }
    }
}

#[test]
fn names_of_bindings_are_unique() {
    let mut seen = BTreeSet::new();
    let twice: Vec<&str> =
        bindings().iter().map(|binding| binding.name).filter(|name| !seen.insert(*name)).collect();
    assert_eq!(twice, Vec::<&str>::new());
}

#[test]
fn an_old_key_still_works_unless_the_person_has_chosen_another() {
    let mut studio = super::data::studio();
    let new = studio.keys("1 O");
    let mut studio = super::data::studio();
    assert_eq!(studio.keys("1 S"), new);
    assert!(!new.is_empty());
    let keys = BTreeMap::from([("data.sort_turn".to_owned(), vec!["ctrl-t".to_owned()])]);
    let mut studio = Harness::with_settings(&Settings { keys, ..Settings::default() }).with(world::models());
    assert!(!studio.keys("1 S").iter().any(|effect| matches!(effect, Effect::Send(_))));
}
