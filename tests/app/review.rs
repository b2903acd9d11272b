//! The review jobs on a session, with an endpoint that answers.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dojo_studio::app::review::sets;
use dojo_studio::app::review::{self, Dry, JobOptions, Summary};
use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::app::train::recipe;
use dojo_studio::config::Folders;
use dojo_studio::domain::change::Selection;
use dojo_studio::domain::filter::{Filter, parse};
use dojo_studio::domain::recipe::SetOrder;
use dojo_studio::session::{Access, Session};
use dojo_studio::teacher::budget::Budget;
use dojo_studio::teacher::job::Drawing;
use dojo_studio::teacher::reflect::Guidance;
use serde_json::json;
use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    home: tempfile::TempDir,
    folders: Folders,
    server: MockServer,
}

/// A session of the published form: three pairs with wrong thoughts, all labelled 1, and a teacher `t`.
async fn world(thought: &str) -> World {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let server = MockServer::start().await;
    std::fs::create_dir_all(&folders.settings).expect("a settings folder");
    let settings =
        format!("[teachers.t]\nbase_url = \"{}/v1\"\nmodel = \"m\"\nconcurrency = 1\n", server.uri());
    std::fs::write(folders.settings.join("settings.toml"), settings).expect("write settings");
    let mut session = Session::create(&home.path().join("s")).expect("a session");
    let rows: Vec<String> = (1..=3)
        .map(|number| {
            json!({
                "premise": format!("premise {number}"), "hypothesis": "h", "thought_process": "flawed",
                "predicted_label": 0, "true_label": 1, "model": "someone",
            })
            .to_string()
        })
        .collect();
    session.import_thoughts("t.jsonl", &rows.join("\n")).expect("import");
    let answer = json!({
        "model": "m",
        "choices": [{"message": {"content": thought}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 50, "completion_tokens": 50},
    });
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    World { home, folders, server }
}

impl World {
    fn path(&self) -> std::path::PathBuf {
        self.home.path().join("s")
    }

    fn session(&self) -> Session {
        Session::create(&self.path()).expect("open the session")
    }

    async fn think(&self, options: &JobOptions) -> Summary {
        let speaker = review::speaker(&self.folders, "t", &self.path(), options.budget, options.dry)
            .expect("a teacher");
        let stop = AtomicBool::new(false);
        let mut session = self.session();
        review::think(&self.folders, &mut session, &*speaker, options, &stop, &mut |_| {})
            .await
            .expect("think")
    }

    async fn asked(&self) -> usize {
        self.server.received_requests().await.expect("recorded requests").len()
    }
}

fn options() -> JobOptions {
    JobOptions {
        filter: None,
        limit: None,
        budget: Budget::default(),
        drawing: Drawing::default(),
        gauge: None,
        dry: Dry::Run,
    }
}

const THOUGHT: &str = r#"{"thought_process": "step 1: a step 2: b step 3: c", "predicted_label": 1}"#;
const REFLECTION: &str = r#"{"error_analysis": "e", "improved_thought_process": "step 1: a step 2: b step 3: c", "predicted_label": 1}"#;

#[tokio::test]
async fn a_plan_says_what_it_would_take_and_asks_nothing() {
    let world = world(THOUGHT).await;
    let plan = world.think(&JobOptions { dry: Dry::Plan, ..options() }).await;
    assert_eq!((plan.questions, plan.left, plan.kept), (3, 3, 0));
    assert!(plan.estimated_tokens > 600, "{}", plan.estimated_tokens);
    assert_eq!(world.asked().await, 0);
}

#[tokio::test]
async fn a_job_goes_on_where_a_limit_ended_it_and_then_has_nothing_left() {
    let world = world(THOUGHT).await;
    let first = world.think(&JobOptions { limit: Some(2), ..options() }).await;
    assert_eq!((first.questions, first.kept, first.right), (2, 2, 2));
    let second = world.think(&options()).await;
    assert_eq!((second.questions, second.kept), (1, 1));
    let third = world.think(&options()).await;
    assert_eq!((third.questions, third.cut), (0, None));
    assert_eq!(world.asked().await, 3);
    assert_eq!(world.session().thoughts().expect("read").len(), 6);
}

#[tokio::test]
async fn a_reached_budget_ends_a_job_with_what_is_left_and_the_paid_answers_are_kept() {
    let world = world(THOUGHT).await;
    // A request reserves about 950 tokens and takes 100.
    let budget = Budget { money: None, tokens: Some(1_100) };
    let cut = world.think(&JobOptions { budget, ..options() }).await;
    assert!(cut.kept >= 1 && cut.left >= 1 && cut.kept + cut.left == 3, "{cut:?}");
    assert!(cut.cut.as_deref().is_some_and(|why| why.contains("budget")), "{cut:?}");
    // The same budget again is for the same job: nothing more is spent until it is raised.
    let asked = world.asked().await;
    let again = world.think(&JobOptions { budget, ..options() }).await;
    assert_eq!((again.kept, again.left, world.asked().await), (0, cut.left, asked));
    let (one, two) = (cut.cut.unwrap(), again.cut.unwrap());
    assert_eq!(one, two);
    let raised = Budget { money: None, tokens: Some(5_000) };
    let rest = world.think(&JobOptions { budget: raised, ..options() }).await;
    assert_eq!((rest.kept, world.asked().await), (cut.left, 3));
    // All of it is done: another job begins with the whole of its budget.
    let mut session = world.session();
    let more = json!({
        "premise": "premise 4", "hypothesis": "h", "thought_process": "flawed", "predicted_label": 0, "true_label": 1,
    });
    session.import_thoughts("more.jsonl", &more.to_string()).expect("import");
    let next = world.think(&JobOptions { budget, ..options() }).await;
    assert_eq!((next.kept, next.left), (1, 0));
}

#[tokio::test]
async fn answers_paid_for_are_used_again_when_the_session_was_lost() {
    let world = world(THOUGHT).await;
    world.think(&options()).await;
    for file in ["session.db", "session.db-wal", "session.db-shm"] {
        std::fs::remove_file(world.path().join(file)).ok();
    }
    let text = json!({
        "premise": "premise 1", "hypothesis": "h", "thought_process": "flawed", "predicted_label": 0, "true_label": 1,
    });
    world.session().import_thoughts("t.jsonl", &text.to_string()).expect("import");
    let again = world.think(&options()).await;
    assert_eq!((again.kept, again.answers, again.from_cache), (1, 0, 1));
}

#[tokio::test]
async fn reflections_wait_for_a_person() {
    let world = world(REFLECTION).await;
    let speaker =
        review::speaker(&world.folders, "t", &world.path(), Budget::default(), Dry::Run).expect("a teacher");
    let stop = AtomicBool::new(false);
    let mut session = world.session();
    let done = review::reflect(
        &world.folders,
        &mut session,
        &*speaker,
        Guidance::Guided,
        &options(),
        &stop,
        &mut |_| {},
    )
    .await
    .expect("reflect");
    assert_eq!((done.kept, done.right), (3, 3));
    assert_eq!(session.review_counts().expect("count").pending, 3);
}

#[tokio::test]
async fn an_answer_that_stays_unreadable_is_set_aside_with_its_reason() {
    let world = world("I would rather not.").await;
    let done = world.think(&options()).await;
    assert_eq!((done.kept, done.set_aside.get("no-object")), (0, Some(&3)));
    assert_eq!(world.asked().await, 6, "each was asked once more");
    let aside = world.session().all_set_aside().expect("read");
    assert!(aside.iter().all(|item| item.raw == "I would rather not."));
}

#[tokio::test]
async fn a_refused_key_ends_the_job_at_once() {
    let world = world(THOUGHT).await;
    world.server.reset().await;
    Mock::given(body_string_contains("premise"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&world.server)
        .await;
    let done = world.think(&options()).await;
    assert_eq!((done.kept, done.left, world.asked().await), (0, 3, 1));
    assert!(done.cut.as_deref().is_some_and(|why| why.contains("refuses the key")), "{done:?}");
}

#[test]
fn an_unknown_teacher_is_named_with_those_that_are_there() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let error = review::speaker(&folders, "nobody", home.path(), Budget::default(), Dry::Run)
        .err()
        .expect("no teacher");
    let text = format!("{error:#}");
    assert!(text.contains("[teachers.nobody]") && text.contains("none yet"), "{text}");
}

/// A session with one right thought, and one wrong one that an approved correction mends.
fn reviewed(home: &std::path::Path, task: &str) -> Session {
    let folder = home.join("data/sessions/s");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("session.toml"), format!("title = \"s\"\ntask = \"{task}\"\n"))
        .expect("write session.toml");
    let mut session = Session::create(&folder).expect("a session").acting_as("ada");
    let row = |premise: &str, label: u8, corrected: &str| {
        json!({
            "premise": premise, "hypothesis": "h", "thought_process": format!("thought on {premise}"),
            "predicted_label": label, "improved_label": 1, "true_label": 1, "error_analysis": "e",
            "improved_thought_process": corrected,
        })
        .to_string()
    };
    session.import_thoughts("t.jsonl", &[row("a", 1, ""), row("b", 0, "")].join("\n")).expect("thoughts");
    session.import_reflections("r.jsonl", &row("b", 0, "mended")).expect("reflections");
    let waiting = session.next_pending(None).expect("read").expect("one waits");
    let approved =
        dojo_studio::domain::reflection::Decision::of(dojo_studio::domain::reflection::Verdict::Approved);
    session.decide(&[waiting], &approved).expect("approve");
    session
}

#[test]
fn a_recipe_names_the_reviewed_set_and_gets_it_in_the_form_of_the_task() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let session = reviewed(home.path(), "nli-cot");
    let order = SetOrder::parse("set:reviewed").expect("words").expect("a set");
    let rows = sets::rows(&folders, &session, &order).expect("rows");
    let answers: Vec<_> = rows.iter().filter_map(|row| row.record.answer()).collect();
    let answer = |thought: &str| format!("{{\"thought_process\": \"{thought}\", \"predicted_label\": 1}}");
    assert_eq!(answers, [answer("thought on a"), answer("mended")]);
    assert!(rows[0].record.prompt().starts_with("Premise: a\nHypothesis: h\n\nDoes the hypothesis follow"));
    assert_eq!(rows[1].provenance["reviewer"], "ada");
    let line = sets::line(&rows[1]);
    assert_eq!((line["prompt"].as_array().map(Vec::len), &line["label"]), (Some(1), &json!("1")));
    assert_eq!(line["completion"], json!([{"role": "assistant", "content": answer("mended")}]));
}

#[test]
fn a_task_without_a_place_for_a_thought_leaves_the_prompt_of_the_student() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let session = reviewed(home.path(), "chat");
    let order = SetOrder::parse("set:reviewed").expect("words").expect("a set");
    let rows = sets::rows(&folders, &session, &order).expect("rows");
    let answer = json!({"thought_process": "mended", "predicted_label": "1"}).to_string();
    assert_eq!(rows[1].record.answer(), Some(answer.as_str()));
}

#[test]
fn preference_pairs_have_the_form_of_trl_and_the_prompt_that_the_student_saw() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let session = reviewed(home.path(), "");
    let order = SetOrder::parse("set:pairs").expect("words").expect("a set");
    let rows = sets::rows(&folders, &session, &order).expect("rows");
    assert_eq!(rows.len(), 1);
    let line = sets::line(&rows[0]);
    let turn = |text: &str, label: &str| {
        let answer = json!({"thought_process": text, "predicted_label": label}).to_string();
        json!([{"role": "assistant", "content": answer}])
    };
    assert_eq!((&line["chosen"], &line["rejected"]), (&turn("mended", "1"), &turn("thought on b", "0")));
    let prompt = line["prompt"].as_array().expect("turns");
    assert_eq!(prompt[0]["role"], "system");
    assert_eq!(prompt.last().expect("a turn")["content"], "Premise: b\nHypothesis: h");
}

#[test]
fn a_set_is_filtered_by_its_records_and_balanced_after_that() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let session = reviewed(home.path(), "");
    let count = |words: &str| {
        let order = SetOrder::parse(words).expect("words").expect("a set");
        sets::rows(&folders, &session, &order).expect("rows").len()
    };
    assert_eq!(count("set:reviewed balance:label"), 2);
    assert_eq!(count("set:reviewed field.premise:a"), 1);
    assert_eq!(SetOrder::parse("split:train words").expect("words"), None);
    let quoted = SetOrder::parse("set:reviewed \"say set:x  here\"").expect("words").expect("a set");
    assert_eq!(quoted.filter, parse("\"say set:x  here\"").expect("a phrase"));
    for wrong in ["set:x", "set:pairs balance:y", "set:pairs tokens>>"] {
        assert!(SetOrder::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn opening_the_sample_brings_its_waiting_corrections_once_and_its_recipe_knows_the_set() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let info = sessions::open_sample(&folders, "nli-reflection").expect("the sample");
    for visit in ["first", "second"] {
        let mut studio = Headless::start(&folders, Some(info.clone()), (120, 36)).expect("a studio");
        studio.wait_for("Review", PATIENCE).expect("a screen");
        studio.keys("2").expect("keys");
        let seen = studio.wait_for("reflection 1 of 28 · ◌ pending", PATIENCE);
        seen.unwrap_or_else(|error| panic!("{visit}: {error:#}"));
        drop(studio);
        let session = Session::open(&info.path, Access::Read).expect("the session");
        let counts = session.review_counts().expect("counts");
        assert_eq!((counts.pending, counts.ready_for_sft), (24, 37), "{visit}");
        assert_eq!(session.thoughts().expect("thoughts").len(), 65, "{visit}");
        assert_eq!(session.count(&Selection::Matching(Filter::Everything)).expect("count"), 109, "{visit}");
    }
    let recipe = recipe::load(&info.path.join("recipes/reviewed.toml"), &[]).expect("the sample's recipe");
    assert_eq!(recipe.data.session.as_deref(), Some(&*info.path.to_string_lossy()));
    let session = Session::open(&info.path, Access::Read).expect("the session");
    let order = SetOrder::parse(&recipe.data.train).expect("words").expect("a set");
    assert!(sets::rows(&folders, &session, &order).expect("rows").len() >= 20);
}
