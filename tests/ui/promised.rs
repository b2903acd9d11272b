//! A run that starts by itself later, and what stands in the empty pane until there is a recipe.

use dojo_studio::domain::protocol::runs::Promise;
use dojo_studio::domain::protocol::system::{JobEnd, JobId};
use dojo_studio::domain::protocol::{Event, RunsEvent, SystemEvent};
use dojo_studio::ui::pane::Effect;
use dojo_studio::ui::studio::Quitting;

use super::harness::Harness;
use super::{train, world};

const RECIPE: &str = "sessions/first-principles/recipes/sft.toml";

fn promised() -> Event {
    Event::Runs(RunsEvent::Promised(Promise { recipe: RECIPE.into(), model: "smollm2-135m".into() }))
}

#[test]
fn quitting_before_a_promised_run_has_started_asks_and_names_it() {
    for (pane, key) in [("3", "q"), ("6", "ctrl-q"), ("1", "q")] {
        let mut studio = Harness::new();
        studio.keys(pane);
        studio.apply(promised());
        let effects = studio.keys(key);
        assert!(!effects.contains(&Effect::Quit), "{pane} {key}: {effects:?}");
        let screen = studio.screen();
        assert!(screen.contains("Quit before the run starts?"), "{screen}");
        assert!(screen.contains("The run by the recipe sft was to start when smollm2-135m"), "{screen}");
        assert!(!studio.studio.has_kept_all(&studio.store), "the question doesn't answer itself");
        studio.keys("esc");
        studio.keys(key);
        assert_eq!(studio.keys("y"), [Effect::Quit], "{pane} {key}");
    }
}

#[test]
fn quitting_in_the_middle_of_an_import_or_a_pull_asks_and_says_how_far_it_is() {
    for what in ["import rows.jsonl", "pull smollm2-135m"] {
        let mut studio = Harness::new().with(world::job(5, what));
        for event in world::moved(5, 38, 100, 3.0) {
            studio.apply(event);
        }
        studio.keys("6");
        let effects = studio.keys("q");
        assert!(!effects.contains(&Effect::Quit), "{what}: {effects:?}");
        let screen = studio.screen();
        assert!(screen.contains("Quit in the middle of it?"), "{screen}");
        assert!(screen.contains(&format!("{what} (38%) ends with Dojo")), "{screen}");
        assert_eq!(studio.keys("y"), [Effect::Quit], "{what}");
    }
}

#[test]
fn the_question_says_how_far_it_is_now_and_the_program_ends_when_it_is_done() {
    let mut studio = Harness::new().with(world::job(5, "import rows.jsonl"));
    studio.keys("6 q");
    for event in world::moved(5, 71, 100, 3.0) {
        studio.apply(event);
    }
    assert!(studio.screen().contains("import rows.jsonl (71%)"), "{}", studio.screen());
    assert!(!studio.studio.has_kept_all(&studio.store));
    studio.apply(Event::System(SystemEvent::JobEnded(JobId(5), JobEnd::Done)));
    assert_eq!(studio.studio.quits(), Quitting::Asked);
    assert!(studio.studio.has_kept_all(&studio.store), "the program ends as the person wanted");
}

#[test]
fn what_is_done_anew_by_itself_is_not_asked_about() {
    for what in ["index records for search", "count tokens for smollm2-135m", "check the records"] {
        let mut studio = Harness::new().with(world::job(5, what));
        studio.keys("6");
        assert_eq!(studio.keys("q"), [Effect::Quit], "{what}");
    }
}

#[test]
fn a_promise_outlives_the_session_that_it_is_of_and_ends_with_the_run() {
    let mut studio = Harness::new().with(promised()).with(Event::Runs(RunsEvent::Cleared));
    studio.keys("6");
    assert!(!studio.keys("q").contains(&Effect::Quit));
    studio.keys("esc");
    studio.apply(Event::Runs(RunsEvent::PromiseEnded(RECIPE.into())));
    assert_eq!(studio.keys("q"), [Effect::Quit]);
}

#[test]
fn a_promised_run_is_not_promised_twice_and_says_how_far_what_it_waits_for_is() {
    let mut studio = train::without_runs();
    studio.keys("3");
    studio.apply(promised());
    studio.apply(world::job(1, "pull smollm2-135m"));
    for event in world::moved(1, 30, 100, 3.0) {
        studio.apply(event);
    }
    let words = "The run by the recipe sft starts by itself when smollm2-135m is here";
    let screen = studio.screen();
    assert!(screen.contains(words) && screen.contains("30 of 100"), "{screen}");
    let effects = format!("{:?}", studio.keys("enter"));
    assert!(effects.contains(words) && !effects.contains("Start {"), "{effects}");
}

#[test]
fn while_the_tokens_of_new_records_are_counted_it_says_so_and_what_follows() {
    let mut studio = Harness::new().with(Event::Runs(RunsEvent::RecipesListed(Vec::new())));
    studio.keys("3");
    assert!(studio.screen().contains("No records yet, so no recipe"), "{}", studio.screen());
    for (what, words) in [
        ("import rows.jsonl", "Records are coming in (38 of 100"),
        ("count tokens for smollm2-135m", "The tokens of the records are being counted (38 of 100"),
    ] {
        let mut studio = Harness::new().with(Event::Runs(RunsEvent::RecipesListed(Vec::new())));
        studio.keys("3");
        studio.apply(world::job(7, what));
        for event in world::moved(7, 38, 100, 38.0) {
            studio.apply(event);
        }
        let screen = studio.screen();
        assert!(screen.contains(words) && screen.contains("trains by it"), "{screen}");
        assert!(!screen.contains("No records yet"), "{screen}");
        let effects = format!("{:?}", studio.keys("enter"));
        assert!(effects.contains(words), "{effects}");
    }
}

#[test]
fn records_without_a_recipe_are_not_called_none() {
    let mut studio = super::data::studio().with(Event::Runs(RunsEvent::RecipesListed(Vec::new())));
    studio.keys("3");
    let screen = studio.screen();
    assert!(screen.contains("No recipe yet: one is made") && !screen.contains("No records yet"), "{screen}");
}
