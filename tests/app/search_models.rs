//! Models that expand questions and put passages in order, as a search asks them: teachers at the other end of a
//! network, and models of this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use dojo_studio::app::library::search_models::SearchModels;
use dojo_studio::config::Folders;
use dojo_studio::domain::retrieval::{FoundPassages, SearchMode};
use dojo_studio::domain::settings::SearchSettings;
use dojo_studio::engine::hub::{Network, Silent};
use serde_json::json;
use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::engine::embed::{write_tiny_bert, write_tiny_cross_encoder};
use crate::rag::world::{World, query};
use crate::support::tiny::Tiny;

/// A library about a few things, and a person's folders beside it.
struct Place {
    world: World,
    home: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let world = World::with(&[
            ("salmon", "salmon swim upstream to spawn"),
            ("granite", "granite is a rock of quartz"),
            ("trout", "trout and salmon are fish"),
        ]);
        Self { world, home: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    /// Names a teacher in the settings.
    fn teacher(&self, address: &str) {
        let folders = Folders::under(self.home());
        std::fs::create_dir_all(&folders.settings).unwrap();
        let settings = format!("[teachers.t]\nbase_url = \"{address}/v1\"\nmodel = \"m\"\n");
        std::fs::write(folders.settings.join("settings.toml"), settings).unwrap();
    }

    fn started(&self, wanted: &SearchSettings) -> anyhow::Result<SearchModels> {
        let folders = Folders::under(self.home());
        SearchModels::start(&folders, self.world.folder(), wanted, Network::Offline, &mut Silent)
    }

    fn found(&mut self, wanted: &SearchSettings) -> FoundPassages {
        let mut models = self.started(wanted).unwrap();
        models.wait_until_loaded().unwrap();
        let mut tools = models.tools(Some(&self.world.embedder));
        self.world.library.search_with(&query(SearchMode::Hybrid, "salmon"), &mut tools).unwrap()
    }

    fn refused(&self, wanted: &SearchSettings) -> String {
        format!("{:#}", self.started(wanted).err().expect("a refusal"))
    }
}

fn reranking(name: &str, milliseconds: u64) -> SearchSettings {
    SearchSettings { rerank: Some(name.to_owned()), rerank_ms: milliseconds, ..SearchSettings::default() }
}

fn expanding(name: &str, milliseconds: u64) -> SearchSettings {
    SearchSettings { expand: Some(name.to_owned()), expand_ms: milliseconds, ..SearchSettings::default() }
}

fn answer(text: &str) -> ResponseTemplate {
    let choice = json!({ "message": { "role": "assistant", "content": text }, "finish_reason": "stop" });
    ResponseTemplate::new(200).set_body_json(json!({ "model": "m", "choices": [choice] }))
}

/// What a teacher says to a question that holds some words.
async fn says(server: &MockServer, words: &str, response: ResponseTemplate) {
    Mock::given(method("POST")).and(body_string_contains(words)).respond_with(response).mount(server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teachers_grades_put_passages_in_order_and_are_not_paid_for_twice() {
    let server = MockServer::start().await;
    says(&server, "granite is a rock", answer("Grade: 9")).await;
    says(&server, "salmon swim", answer("2")).await;
    says(&server, "trout and salmon", answer("none at all")).await;
    let mut place = Place::new();
    place.teacher(&server.uri());
    let wanted = reranking("t", 60_000);
    let found = place.found(&wanted);
    let scores: Vec<(&str, Option<f64>)> = found
        .passages
        .iter()
        .map(|passage| (passage.source.as_str(), passage.reranked.map(|place| place.score)))
        .collect();
    assert!(
        scores.contains(&("granite", Some(9.0))) && scores.contains(&("salmon", Some(2.0))),
        "{scores:?}"
    );
    assert_eq!(scores.last(), Some(&("trout", None)), "what has no grade is after the others");
    let notices: Vec<&str> = found.trace.all_notices().collect();
    assert_eq!(
        notices,
        ["t couldn't score 1 passage: it said \"none at all\", which is no grade from 0 to 10"]
    );
    let asked = server.received_requests().await.unwrap().len();
    assert_eq!(asked, 3);
    place.found(&wanted);
    assert_eq!(server.received_requests().await.unwrap().len(), 3, "its answers are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_that_is_slow_or_away_holds_nobody_up() {
    let server = MockServer::start().await;
    says(&server, "", answer("7").set_delay(Duration::from_secs(50))).await;
    let mut place = Place::new();
    place.teacher(&server.uri());
    let began = Instant::now();
    let slow = place.found(&reranking("t", 200));
    let late = place.found(&expanding("t", 200));
    // An address that nobody listens at.
    place.teacher("http://127.0.0.1:9");
    let away = place.found(&reranking("t", 300));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let notice = |found: &FoundPassages| found.trace.all_notices().next().unwrap().to_owned();
    assert!(notice(&slow).starts_with("t scored no passage within 200 ms"), "{}", notice(&slow));
    assert!(notice(&late).starts_with("t added nothing to the question"), "{}", notice(&late));
    assert!(notice(&away).ends_with("larger budget may help"), "{}", notice(&away));
    for found in [slow, late, away] {
        assert_eq!(found.passages.len(), 3);
        assert!(found.passages.iter().all(|passage| passage.reranked.is_none()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_writes_lines_and_what_is_none_is_left_out() {
    let server = MockServer::start().await;
    let said = "lex: salmon fish\nvec: where do salmon live\nHere you are!";
    says(&server, "Expand this search query: salmon", answer(said)).await;
    let mut place = Place::new();
    place.teacher(&server.uri());
    let found = place.found(&expanding("t", 60_000));
    let trace = found.trace.expansion.clone().unwrap();
    assert_eq!((trace.added, trace.passed_over_lines.len()), (2, 0));
    let notices: Vec<&str> = found.trace.all_notices().collect();
    assert_eq!(notices, ["left out of t's answer, since it is no lex, vec or hyde: 1 line"]);
    assert_eq!(found.trace.lists.len(), 4);
}

#[test]
fn models_of_this_machine_score_pairs_or_say_yes_and_no() {
    let mut place = Place::new();
    let path = |name: &str| place.home().join(name);
    let (cross, chat) = (path("cross"), path("chat"));
    write_tiny_cross_encoder(&cross, 1);
    Tiny::new("llama").write_folder(&chat);
    for model in [cross, chat] {
        let found = place.found(&reranking(model.to_str().unwrap(), 60_000));
        let trace = found.trace.rerank.as_ref().unwrap();
        assert_eq!((trace.reached, trace.notice.as_deref()), (3, None), "{trace:?}");
        let again = place.found(&reranking(model.to_str().unwrap(), 60_000));
        assert_eq!(found.passages, again.passages, "the same question has the same order");
        let none = place.found(&reranking(model.to_str().unwrap(), 0));
        assert_eq!(none.trace.rerank.as_ref().unwrap().reached, 0);
        assert!(none.trace.all_notices().next().unwrap().contains("within 0 ms"), "{:?}", none.trace.rerank);
    }
}

#[test]
fn a_model_that_was_not_tuned_for_it_adds_nothing_and_that_is_said() {
    let mut place = Place::new();
    let chat = place.home().join("chat");
    Tiny::new("llama").write_folder(&chat);
    let found = place.found(&expanding(chat.to_str().unwrap(), 60_000));
    let trace = found.trace.expansion.as_ref().unwrap();
    assert_eq!((trace.added, trace.passed_over.as_deref()), (0, None));
    assert!(trace.notice.is_some(), "{trace:?}");
    assert_eq!(found.passages.len(), 3);
}

#[test]
fn what_can_not_rerank_is_refused_before_anything_is_searched() {
    let place = Place::new();
    let bert = place.home().join("bert");
    write_tiny_bert(&bert);
    let onnx = place.home().join("onnx");
    std::fs::create_dir_all(&onnx).unwrap();
    std::fs::write(onnx.join("model.onnx"), "onnx").unwrap();
    let refused = |path: &Path| place.refused(&reranking(path.to_str().unwrap(), 500));
    assert!(
        refused(&bert).contains("turns texts into vectors and puts nothing in order"),
        "{}",
        refused(&bert)
    );
    assert!(refused(&onnx).contains("is ONNX, which isn't read"), "{}", refused(&onnx));
    assert!(refused(&onnx.join("model.onnx")).contains("is ONNX, which isn't read"));
    assert!(place.refused(&reranking("nowhere/at/all", 500)).contains("open the reranker"));
    assert!(place.refused(&expanding("nowhere/at/all", 500)).contains("expands questions"));
}
