//! Recipes whose list changes while one of them is written, and runs that are started twice.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::protocol::runs::{Busy, Preflight, RecipeFile};
use dojo_studio::domain::protocol::{Command, DataCommand, DataEvent, Event, RunsCommand, RunsEvent};
use dojo_studio::domain::run::Phase;
use dojo_studio::domain::run_info::RunId;
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;
use super::world;

const TEXT: &str = "method = \"sft\"\n\n[model]\nbase = \"smollm2-135m\"\n\n[data]\ntrain = \"session:\"\n";

fn listed(studio: &mut Harness, paths: &[&str]) {
    let file = |path: &&str| RecipeFile {
        path: PathBuf::from(path),
        name: PathBuf::from(path).file_stem().expect("a name").to_string_lossy().into_owned(),
        text: TEXT.into(),
        missing: None,
        fetches: None,
        cut: None,
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
    let preflight = Preflight { recipe: "a/sft.toml".into(), text: TEXT.into(), outcome };
    studio.apply(Event::Runs(RunsEvent::Preflighted(preflight)));
    let screen = studio.screen();
    assert!(!screen.contains("✓ ready") && screen.contains("not ready by the last preflight"), "{screen}");
}

fn drafts(effects: &[Effect]) -> Vec<(DraftOf, String)> {
    let kept = effects.iter().filter_map(|effect| match effect {
        Effect::Send(Command::Data(DataCommand::KeepDraft(of, Some(draft)))) => {
            Some((of.clone(), draft.text.clone()))
        }
        _ => None,
    });
    kept.collect()
}

const FOLDER: &str = "sessions/first-principles/recipes";

/// The value of a recipe's key is typed, in a session whose drafts were read.
fn typing_a_value(drafts: BTreeMap<DraftOf, KeptDraft>) -> Harness {
    let mut studio = Harness::new();
    studio.keys("3");
    studio.apply(Event::Data(DataEvent::DraftsRead("sessions/first-principles".into(), drafts)));
    listed(&mut studio, &[&format!("{FOLDER}/sft.toml")]);
    studio.keys("e enter down enter");
    studio
}

#[test]
fn a_value_that_is_typed_is_a_draft_and_there_again_in_the_next_time_of_the_program() {
    let mut studio = typing_a_value(BTreeMap::new());
    let of = DraftOf::RecipeValue("recipes/sft.toml".into(), "model.base".into());
    assert_eq!(drafts(&studio.text("x")), [(of.clone(), "smollm2-135mx".to_owned())]);
    // It is on the disk: nothing is lost with the program.
    let kept = KeptDraft { base: String::new(), text: "smollm2-135mx".into(), at: 0 };
    studio.apply(Event::Data(DataEvent::DraftKept(of.clone(), Some(kept.clone()))));
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit]);
    let mut next = typing_a_value(BTreeMap::from([(of.clone(), kept)]));
    assert!(next.screen().contains("smollm2-135mx"), "{}", next.screen());
    // Taken, it is in the text, and no draft of its own any more.
    let effects = next.keys("enter");
    let gone = Effect::Send(Command::Data(DataCommand::KeepDraft(of, None)));
    assert!(effects.contains(&gone), "{effects:?}");
}

#[test]
fn what_a_full_disk_did_not_take_of_a_recipe_is_sent_again_before_the_program_ends() {
    let mut studio = typing_a_value(BTreeMap::new());
    studio.text("x");
    studio.keys("esc E");
    let first = drafts(&studio.text("# mine"));
    let of = DraftOf::Recipe("recipes/sft.toml".into());
    assert!(first.iter().any(|(draft, _)| *draft == of), "{first:?}");
    // Nobody has said that it is kept.
    let again = drafts(&studio.keys("ctrl-q"));
    assert!(again.contains(&(of, format!("# mine{TEXT}"))), "{again:?}");
    assert!(again.iter().any(|(draft, _)| matches!(draft, DraftOf::RecipeValue(..))), "{again:?}");
    studio.keys("esc");
    assert_eq!(drafts(&studio.studio.keep(&studio.store)), again);
}

fn starts(effects: &[Effect]) -> usize {
    runs(effects).into_iter().filter(|command| matches!(command, RunsCommand::Start { .. })).count()
}

#[test]
fn what_is_searched_for_before_there_is_a_run_is_in_the_recipe_and_no_letter_starts_one() {
    let mut studio = Harness::new();
    studio.keys("3");
    assert_eq!(starts(&studio.keys("/")), 0);
    assert_eq!(starts(&studio.text("t")), 0);
    assert!(studio.screen().contains("there is no run to filter yet"), "{}", studio.screen());
    studio.keys("esc");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("/");
    assert_eq!(starts(&studio.text("rate t")), 0);
    assert!(studio.screen().contains("keys with rate t"), "{}", studio.screen());
    studio.keys("backspace backspace");
    assert!(studio.screen().contains("learning_rate"), "{}", studio.screen());
}

#[test]
fn a_run_that_waits_for_one_of_another_session_is_asked_about_once() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    let run = RunId::new("sessions/physics/runs/sft-0007");
    let busy = Busy { recipe: "a/sft.toml".into(), run: run.clone(), session: "physics".into() };
    studio.apply(Event::Runs(RunsEvent::Busy(busy.clone())));
    let words = studio.screen().replace(['│', '\n'], " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("The machine is busy: queue this run?"), "{words}");
    assert!(words.contains("sft-0007 of the session physics has not ended."), "{words}");
    let effects = studio.keys("y");
    let queued = RunsCommand::Start { recipe: "a/sft.toml".into(), after: Some(run) };
    assert_eq!(runs(&effects), [&queued]);
    assert!(!studio.screen().contains("is busy"), "{}", studio.screen());
    studio.apply(Event::Runs(RunsEvent::Busy(busy)));
    assert!(studio.screen().contains("is busy"), "it is asked again for another start");
}

#[test]
fn a_recipe_says_how_many_examples_a_run_would_cut_before_one_starts() {
    let mut studio = Harness::new();
    studio.keys("3");
    let cut = "3 of 120 examples are cut at 2048 tokens, 1 loses its whole answer and drops out";
    let file = RecipeFile {
        path: "a/sft.toml".into(),
        name: "sft".into(),
        text: TEXT.into(),
        missing: None,
        fetches: None,
        cut: Some(cut.into()),
    };
    studio.apply(Event::Runs(RunsEvent::RecipesListed(vec![file])));
    assert!(studio.screen().contains("3 of 120 examples are cut"), "{}", studio.screen());
    studio.keys("e");
    assert!(studio.screen().contains("! 3 of 120 examples are cut"), "{}", studio.screen());
    assert!(studio.screen().contains("✓ ready"), "{}", studio.screen());
}

#[test]
fn a_value_that_has_no_room_ends_in_a_sign_and_what_a_key_means_stands_below_itself() {
    const LONG: &str = "method = \"sft\"\n[data]\ntrain = \"/a/long/way/to/the/folder/with/the/data/that/is/trained/on.jsonl\"\n";
    for size in [(60, 16), (80, 24)] {
        let mut studio = Harness::new().size(size.0, size.1);
        let recipe = RecipeFile {
            path: "sessions/first-principles/recipes/sft.toml".into(),
            name: "sft".into(),
            text: LONG.into(),
            missing: None,
            fetches: None,
            cut: None,
        };
        studio.apply(Event::Runs(RunsEvent::RecipesListed(vec![recipe])));
        studio.keys("3 e enter /");
        studio.text("training examples");
        studio.keys("enter");
        let screen = studio.screen();
        let row = screen.lines().find(|line| line.contains("\"/a/long/")).expect("the value");
        assert!(row.trim_end_matches(['│', ' ']).ends_with('…'), "{row}");
        let mut rows = screen.lines().skip_while(|line| !line.contains("Training examples: "));
        let (first, second) = (rows.next().expect("the meaning"), rows.next().expect("its second row"));
        let column = |row: &str| row.chars().position(|letter| !letter.is_whitespace());
        assert_eq!(column(first), column(second), "{screen}");
    }
}

#[test]
fn a_value_that_is_left_is_said_to_be_kept_is_seen_in_its_row_and_opens_again() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e enter /");
    studio.text("learning_rate");
    studio.keys("enter enter ctrl-u");
    studio.text("7e-5");
    let effects = studio.keys("esc");
    let said = effects.iter().any(|effect| {
        matches!(effect, Effect::Notify(notice)
            if notice.text.starts_with("train.learning_rate stays as it was") && notice.text.contains("kept as a draft"))
    });
    assert!(said, "{effects:?}");
    assert!(studio.screen().contains("✎ draft: 7e-5"), "{}", studio.screen());
    studio.keys("enter enter");
    assert!(!studio.screen().contains("✎ draft"), "{}", studio.screen());
    let effects = studio.keys("ctrl-s");
    let saved = runs(&effects);
    assert!(
        matches!(&saved[..], [RunsCommand::SaveRecipe { text, .. }] if text.contains("learning_rate = 7e-5")),
        "{saved:?}"
    );
}

#[test]
fn figures_of_a_preflight_go_when_the_recipe_is_another_and_a_draft_is_not_called_ready() {
    use dojo_studio::domain::protocol::runs::Fact;
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e");
    for outcome in [
        Ok(vec![Fact { name: "memory".into(), value: "of the old one".into() }]),
        Err("of the old one".to_owned()),
    ] {
        let mut studio = Harness::new();
        studio.keys("3");
        listed(&mut studio, &["a/sft.toml"]);
        studio.keys("e");
        let preflight = Preflight { recipe: "a/sft.toml".into(), text: TEXT.into(), outcome: Some(outcome) };
        studio.apply(Event::Runs(RunsEvent::Preflighted(preflight)));
        assert!(studio.screen().contains("of the old one"), "{}", studio.screen());
        // The text is another: a comment is enough to see it.
        studio.keys("E");
        studio.text("# ");
        studio.keys("esc");
        let screen = studio.screen();
        assert!(!screen.contains("of the old one") && !screen.contains("not ready by"), "{screen}");
        assert!(screen.contains("the recipe has changed since it was measured"), "{screen}");
        assert!(!screen.contains("✓ ready") && screen.contains("not saved: p saves it"), "{screen}");
    }
}

#[test]
fn a_key_that_starts_a_broken_draft_says_what_is_wrong_with_it() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e E");
    studio.text("nonsense ");
    studio.keys("esc esc");
    for key in ["t", "p", "Q"] {
        let effects = format!("{:?}", studio.keys(key));
        assert!(effects.contains("Notify") && !effects.contains("that is for runs"), "{key}: {effects}");
        assert!(effects.contains("not valid TOML"), "{key}: {effects}");
    }
    // In the form, another key of both faces.
    studio.keys("enter");
    let effects = format!("{:?}", studio.keys("n"));
    assert!(effects.contains("n there makes a new recipe"), "{effects}");
}

#[test]
fn a_text_that_is_not_saved_is_let_go_and_brought_back() {
    let mut studio = writing_the_text_of_one();
    assert!(studio.screen().contains("# mine"), "{}", studio.screen());
    studio.keys("alt-o");
    let screen = studio.screen();
    assert!(!screen.contains("# mine") && !screen.contains("not saved"), "{screen}");
    studio.keys("alt-z");
    let screen = studio.screen();
    assert!(screen.contains("# mine") && screen.contains("not saved"), "{screen}");
    // On the list too, and what was let go is no draft any more.
    studio.keys("esc esc alt-o");
    assert!(!studio.screen().contains("not saved"), "{}", studio.screen());
    assert_eq!(studio.keys("q"), [Effect::Quit]);
}

#[test]
fn a_value_that_is_typed_is_let_go_alone_and_brought_back() {
    let mut studio = writing_the_text_of_one();
    studio.keys("esc / l o r a . r enter enter");
    studio.text("77");
    assert!(studio.screen().contains("77"), "{}", studio.screen());
    studio.keys("alt-o");
    let screen = studio.screen();
    assert!(!screen.contains("77") && screen.contains("not saved"), "the text stays a draft: {screen}");
    studio.keys("alt-z");
    assert!(studio.screen().contains("77"), "{}", studio.screen());
    // What was left without being taken, from its place in the form.
    studio.keys("esc alt-o enter");
    assert!(!studio.screen().contains("77"), "{}", studio.screen());
}

#[test]
fn a_preflight_that_goes_on_is_not_begun_again_and_says_so() {
    let mut studio = Harness::new();
    studio.keys("3");
    listed(&mut studio, &["a/sft.toml"]);
    studio.keys("e");
    assert_eq!(runs(&studio.keys("p")), [&RunsCommand::Preflight("a/sft.toml".into())]);
    let going = Preflight { recipe: "a/sft.toml".into(), text: TEXT.into(), outcome: None };
    studio.apply(Event::Runs(RunsEvent::Preflighted(going)));
    let effects = studio.keys("p");
    let told = |effect: &Effect| {
        matches!(effect, Effect::Notify(notice)
            if notice.text == "sft is being measured already: its figures appear here")
    };
    assert!(matches!(&effects[..], [one] if told(one)), "{effects:?}");
}

#[test]
fn a_run_that_was_stopped_before_its_first_step_is_taken_up() {
    let mut studio = Harness::new().with(world::run("dpo-0001", Phase::Stopped, 0));
    let resume = |name: &str| RunsCommand::Resume(world::run_id(name));
    assert!(runs(&studio.keys("3 r")).contains(&&resume("dpo-0001")));
    // After a step without a checkpoint there is something to lose.
    let mut studio = Harness::new().with(world::run("sft-0001", Phase::Stopped, 7));
    assert!(!runs(&studio.keys("3 r")).contains(&&resume("sft-0001")));
}
