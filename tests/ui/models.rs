//! The Models pane.

use dojo_studio::domain::protocol::models::{ModelFile, ModelKind};
use dojo_studio::domain::protocol::system::{JobEnd, JobId};
use dojo_studio::domain::protocol::{Command, Event, ModelsEvent, SystemEvent};
use dojo_studio::ui::pane::Effect;

use super::harness::Harness;
use super::world;

#[test]
fn models_and_adapters_stand_with_their_sizes() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 down");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn an_empty_folder_says_what_brings_a_model() {
    let mut studio = Harness::new().with(world::places()).with(world::no_models());
    studio.keys("6");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_narrow_screen_keeps_name_and_size() {
    let mut studio = Harness::new().with(world::models()).size(80, 24);
    studio.keys("6");
    insta::assert_snapshot!(studio.screen());
}

#[test]
fn a_chat_begins_with_the_chosen_adapter_or_model() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 end");
    let footer = studio.screen().lines().last().unwrap_or_default().to_owned();
    assert!(footer.contains("C chat") && footer.contains("D delete"), "{footer}");
    studio.keys("C");
    let screen = studio.screen();
    assert!(screen.contains("sft-0412") && screen.contains("⏎ send"), "{screen}");
}

#[test]
fn a_model_for_retrieval_is_offered_neither_to_answer_nor_as_a_base() {
    let file = |name: &str, kind| ModelFile {
        name: name.into(),
        kind,
        path: format!("cache/models/{name}").into(),
        bytes: 1,
        note: String::new(),
    };
    let listed = vec![file("smollm2-135m", ModelKind::Base), file("all-minilm-l6-v2", ModelKind::Embedding)];
    let mut studio = Harness::new().with(Event::Models(ModelsEvent::Listed(listed)));
    studio.keys("6 end");
    assert!(studio.screen().contains("embedding  all-minilm-l6-v2"), "{}", studio.screen());
    let effects = format!("{:?}", studio.keys("C"));
    assert!(effects.contains("all-minilm-l6-v2 is for retrieval only"), "{effects}");
    studio.keys("4 m");
    let screen = studio.screen();
    assert!(screen.contains("who answers") && screen.contains("smollm2-135m"), "{screen}");
    assert!(!screen.contains("all-minilm"), "{screen}");
}

#[test]
fn a_name_that_could_not_be_fetched_is_there_again_with_the_reason() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 p");
    studio.text("smolm2");
    studio.keys("enter");
    let job = world::job(1, "pull smolm2");
    let why = "there is no model smolm2; did you mean smollm2-135m?".to_owned();
    studio.apply(job);
    studio.apply(Event::System(SystemEvent::JobEnded(JobId(1), JobEnd::Failed(why.clone()))));
    studio.keys("p");
    let screen = studio.screen();
    let below = screen.lines().skip_while(|line| !line.starts_with("  pull")).nth(1).unwrap_or_default();
    assert!(screen.contains("  pull       smolm2") && below.contains(&why), "{screen}");
    // After one that came, the field is empty.
    studio.keys("esc");
    studio.apply(world::job(2, "pull smollm2-135m"));
    studio.apply(Event::System(SystemEvent::JobEnded(JobId(2), JobEnd::Done)));
    studio.keys("p");
    assert!(!studio.screen().contains("  pull       smol"), "{}", studio.screen());
}

#[test]
fn what_deletes_a_model_or_adapter_is_said_and_nothing_is_deleted() {
    let adapter = |path: &str| ModelFile {
        name: "sft-0412".into(),
        kind: ModelKind::Adapter,
        path: path.into(),
        bytes: 1,
        note: String::new(),
    };
    let base = ModelFile { kind: ModelKind::Base, path: "cache/models/a".into(), ..adapter("") };
    let said = |model: ModelFile| {
        let mut studio = Harness::new().with(Event::Models(ModelsEvent::Listed(vec![model])));
        studio.keys("6");
        let effects = studio.keys("D");
        assert!(
            !effects.iter().any(|effect| matches!(effect, Effect::Send(Command::Runs(_)))),
            "{effects:?}"
        );
        let train = studio.screen().contains("No run yet");
        (train, format!("{effects:?}"))
    };
    let (train, own) = said(adapter("sessions/first-principles/runs/sft-0412/adapter"));
    assert!(train && own.contains("goes with it: D on Train"), "{own}");
    let (train, other) = said(adapter("data/runs/sft-0412/adapter"));
    assert!(!train && other.contains("`dojo runs delete sft-0412`"), "{other}");
    let (train, base) = said(base);
    assert!(!train && base.contains("remove cache/models/a"), "{base}");
}

#[test]
fn the_default_is_fetched_where_no_name_was_typed() {
    use dojo_studio::domain::protocol::ModelsCommand;
    let mut studio = Harness::new().with(world::places()).with(world::no_models());
    studio.keys("6 p");
    let effects = studio.keys("enter");
    let pulls = |effect: &Effect| match effect {
        Effect::Send(Command::Models(ModelsCommand::Pull { name, .. })) => Some(name.clone()),
        _ => None,
    };
    assert_eq!(effects.iter().filter_map(pulls).collect::<Vec<_>>(), ["smollm2-135m"]);
    assert!(format!("{effects:?}").contains("Fetching smollm2-135m in the background"), "{effects:?}");
    studio.keys("p");
    studio.text("  ");
    assert!(studio.keys("enter").iter().any(|effect| pulls(effect).is_some()));
    studio.keys("p");
    assert_eq!(studio.keys("esc"), []);
}
