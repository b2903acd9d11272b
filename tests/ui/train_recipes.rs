//! Recipes whose list changes while one of them is written, and runs that are started twice.

use std::path::PathBuf;

use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::protocol::runs::{Preflight, RecipeFile};
use dojo_studio::domain::protocol::{Command, DataEvent, Event, RunsCommand, RunsEvent};
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;

const TEXT: &str = "method = \"sft\"\n\n[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"session:\"\n";

fn listed(studio: &mut Harness, paths: &[&str]) {
    let file = |path: &&str| RecipeFile {
        path: PathBuf::from(path),
        name: PathBuf::from(path).file_stem().expect("a name").to_string_lossy().into_owned(),
        text: TEXT.into(),
        missing: None,
        fetches: None,
    };
    studio.apply(Event::Runs(RunsEvent::RecipesListed(paths.iter().map(file).collect())));
    studio.screen();
}

fn runs(effects: &[Effect]) -> Vec<&RunsCommand> {
    let runs = effects.iter().filter_map(|effect| match effect {
        Effect::Send(Command::Runs(command)) => Some(command),
        _ => None,
    });
    runs.collect()
}

fn writing_the_text_of_one() -> Harness {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e enter E");
    studio.text("# mine\n");
    studio
}

#[test]
fn what_is_written_stays_with_its_recipe_when_another_comes_before_it() {
    let mut studio = writing_the_text_of_one();
    listed(&mut studio, &["a/aaa.toml", "a/sft.toml"]);
    let effects = studio.keys("ctrl-s");
    let saved = runs(&effects);
    assert!(
        matches!(&saved[..], [RunsCommand::SaveRecipe { path, text, before }]
            if path.ends_with("sft.toml") && text.starts_with("# mine") && before.as_deref() == Some(TEXT)),
        "{saved:?}"
    );
}

#[test]
fn what_is_written_is_closed_and_asked_about_when_its_recipe_is_of_another_session() {
    let mut studio = writing_the_text_of_one();
    listed(&mut studio, &["b/sft.toml"]);
    studio.text("x");
    let effects = studio.keys("ctrl-s");
    assert!(runs(&effects).is_empty(), "{effects:?}");
    studio.keys("ctrl-q");
    assert!(studio.screen().contains("a/sft.toml"), "{}", studio.screen());
    // It is there again with its recipe.
    studio.keys("esc");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e");
    assert!(studio.screen().contains("not saved"), "{}", studio.screen());
}

#[test]
fn a_key_that_is_pressed_twice_starts_one_run() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    let effects = studio.keys("enter enter");
    let starts = runs(&effects).into_iter().filter(|command| matches!(command, RunsCommand::Start { .. }));
    assert_eq!(starts.count(), 1);
}

#[test]
fn quitting_names_the_value_that_would_be_lost_and_what_is_kept() {
    let mut studio = Harness::new();
    studio.keys("3");
    studio.apply(Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), Default::default())));
    let folder = "sessions/first-principles/recipes";
    let (two, three) = (format!("{folder}/sft-2.toml"), format!("{folder}/sft-3.toml"));
    listed(&mut studio, &[&two, &three]);
    studio.keys("e enter E");
    studio.text("# mine\n");
    studio.keys("esc esc down enter down enter");
    studio.text("x");
    studio.keys("esc");
    let asked = |studio: &mut Harness| {
        studio.keys("ctrl-q");
        let screen = studio.screen().replace(['│', '\n'], " ");
        studio.keys("esc");
        screen.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let screen = asked(&mut studio);
    assert!(screen.contains("the value of model.base in"), "{screen}");
    assert!(screen.contains("sft-3") && screen.contains("the recipe sft-2"), "{screen}");
    // Once the draft is on the disk, it isn't lost, and that is said.
    let of = DraftOf::Recipe("recipes/sft-2.toml".into());
    let draft = KeptDraft { base: TEXT.into(), text: format!("# mine\n{TEXT}"), at: 0 };
    studio.apply(Event::Data(DataEvent::DraftKept(of, Some(draft))));
    let screen = asked(&mut studio);
    assert!(screen.contains("kept as") && !screen.contains("the recipe sft-2"), "{screen}");
}

#[test]
fn a_recipe_is_not_called_ready_under_a_preflight_that_failed() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e");
    assert!(studio.screen().contains("✓ ready"), "{}", studio.screen());
    let outcome = Some(Err("no example can be trained on".to_owned()));
    let preflight = Preflight { recipe: "a/sft.toml".into(), outcome };
    studio.apply(Event::Runs(RunsEvent::Preflighted(preflight)));
    let screen = studio.screen();
    assert!(!screen.contains("✓ ready") && screen.contains("not ready by the last preflight"), "{screen}");
}
