//! Several models: loaded when they are asked for, unloaded when nobody uses them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::embed::Embedder;
use dojo_studio::engine::generate::{Limits, Precision, Prompter, load};
use dojo_studio::engine::model::{self, ModelFiles};
use dojo_studio::serve::{Clients, KeepLoaded, LoadedModel, Offer, ServedKind, listen};
use serde_json::{Value, json};

use super::{CONTEXT, Server, answering, json_of, question, settings, write_tiny_bert};
use crate::support::tiny::Tiny;

const CHAT: &str = "/v1/chat/completions";

/// Loads in progress now, and the most that ever were.
#[derive(Default)]
struct Loads {
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

struct Shop {
    place: tempfile::TempDir,
    loads: Arc<Loads>,
    offers: Vec<Offer>,
}

impl Shop {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap(), loads: Arc::default(), offers: Vec::new() }
    }

    /// A model that takes ten bytes; the first so many of its loads fail.
    fn offer(mut self, name: &str, seed: u64, failures: usize) -> Self {
        let folder = self.place.path().join(name);
        Tiny { tied: false, context: CONTEXT, seed, ..Tiny::new("llama") }.write_folder(&folder);
        let (loads, tries) = (Arc::clone(&self.loads), AtomicUsize::new(0));
        self.offers.push(Offer {
            name: name.to_owned(),
            kind: ServedKind::Generates { context: CONTEXT },
            adapters: Vec::new(),
            bytes: 10,
            load: Arc::new(move || {
                let now = loads.now.fetch_add(1, Ordering::SeqCst) + 1;
                loads.most.fetch_max(now, Ordering::SeqCst);
                loads.all.fetch_add(1, Ordering::SeqCst);
                let loaded = loaded(&folder);
                loads.now.fetch_sub(1, Ordering::SeqCst);
                anyhow::ensure!(
                    tries.fetch_add(1, Ordering::SeqCst) >= failures,
                    "read /secret/model: cut short"
                );
                Ok(loaded)
            }),
        });
        self
    }

    fn offer_embedder(mut self, name: &str) -> Self {
        let folder = self.place.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        write_tiny_bert(&folder);
        let files = ModelFiles::at(&folder).unwrap();
        self.offers.push(Offer {
            name: name.to_owned(),
            kind: ServedKind::Embeds,
            adapters: Vec::new(),
            bytes: 10,
            load: Arc::new(move || Ok(LoadedModel::Embedder(Box::new(Embedder::open(&files)?)))),
        });
        self
    }

    fn open(self, keep: KeepLoaded) -> (Server, Arc<Loads>) {
        let listening = listen(settings(None, 64, Clients::default())).unwrap();
        (answering(listening.offering(self.offers, keep).unwrap(), self.place), self.loads)
    }
}

fn loaded(folder: &Path) -> LoadedModel {
    let model = model::open(&ModelFiles::at(folder).unwrap()).unwrap();
    let limits = Limits { threads: 1, ..Limits::default() };
    LoadedModel::Generator {
        generator: Box::new(load(&model, Precision::Full, &ComputeDevice::Cpu, limits).unwrap()),
        prompter: Box::new(Prompter::new(&model).unwrap()),
        adapters: BTreeMap::new(),
    }
}

fn keep(memory: u64) -> KeepLoaded {
    KeepLoaded { memory: Some(memory), ..KeepLoaded::default() }
}

fn asked(model: &str) -> Value {
    question(json!({ "model": model, "temperature": 0 }))
}

fn endless(model: &str) -> Value {
    let long =
        json!({ "model": model, "stream": true, "max_tokens": CONTEXT - 1000, "logit_bias": { "2": -100 } });
    question(long)
}

impl Server {
    async fn says(&self, model: &str) -> String {
        self.chat(asked(model)).await["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }

    async fn is_loaded(&self, model: &str) -> bool {
        self.metric(&format!("dojo_model_loaded{{model=\"{model}\"}}")).await > 0.0
    }
}

#[tokio::test]
async fn models_are_loaded_when_asked_for_and_the_least_recently_used_makes_room() {
    let shop = Shop::new().offer("a", 1, 0).offer("b", 2, 0).offer("c", 3, 0).offer_embedder("e");
    let (server, loads) = shop.open(keep(20));
    let listed = json_of(server.get("/v1/models").await).await;
    let names: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c", "e"]);
    assert_eq!(listed["data"][1]["max_model_len"], CONTEXT);
    assert!(!server.is_loaded("a").await);
    let (a, b) = (server.says("a").await, server.says("b").await);
    assert_ne!(a, b);
    assert_eq!(server.says("a").await, a);
    assert_eq!(loads.all.load(Ordering::SeqCst), 2);
    // b was used before a.
    server.says("c").await;
    assert!(server.is_loaded("a").await && !server.is_loaded("b").await && server.is_loaded("c").await);
    assert_eq!(server.says("b").await, b);
    assert!(!server.is_loaded("a").await);
    let embedded = server.post("/v1/embeddings", &json!({ "model": "e", "input": "a b" })).await;
    assert_eq!(json_of(embedded).await["model"], "e");
    assert!(server.is_loaded("e").await && !server.is_loaded("c").await);
    // Without a name it is the first.
    assert_eq!(server.chat(question(json!({ "temperature": 0 }))).await["model"], "a");
    assert_eq!(server.metric("dojo_model_unloads_total").await, 4.0);
    let (status, message) = server.refusal(CHAT, asked("d")).await;
    assert!(status == 404 && message.ends_with("but a, b, c"), "{status}: {message}");
    server.end().await;
}

#[tokio::test]
async fn a_model_in_use_stays_and_whoever_waits_for_its_room_comes_before_new_users() {
    let (server, _) = Shop::new().offer("a", 1, 0).offer("b", 2, 0).open(keep(10));
    let mut stream = server.post(CHAT, &endless("a")).await;
    let read = async |stream: &mut reqwest::Response| {
        for _ in 0..50 {
            assert!(stream.chunk().await.unwrap().is_some());
        }
    };
    read(&mut stream).await;
    let (b, a) = (asked("b"), asked("a"));
    let waiting = async {
        let second = server.post(CHAT, &b);
        let third = server.post(CHAT, &a);
        let (second, third) = futures::future::join(second, third).await;
        (second.status().as_u16(), third.status().as_u16())
    };
    let leaving = async {
        // Steps that go by while the other waits.
        read(&mut stream).await;
        assert!(server.is_loaded("a").await && !server.is_loaded("b").await);
        drop(stream);
    };
    let (statuses, ()) = futures::future::join(waiting, leaving).await;
    assert_eq!(statuses, (200, 200));
    server.end().await;
}

#[tokio::test]
async fn whoever_goes_away_while_waiting_for_a_model_holds_nobody_up() {
    let (server, loads) = Shop::new().offer("a", 1, 0).offer("b", 2, 0).open(keep(10));
    let mut stream = server.post(CHAT, &endless("a")).await;
    assert!(stream.chunk().await.unwrap().is_some());
    let b = asked("b");
    let waiting = server.post(CHAT, &b);
    let a = asked("a");
    let others = async {
        // Waits for b's turn, if that has come; never longer than b's client stays.
        server.post(CHAT, &a).await.status().as_u16()
    };
    let ((), status) = futures::future::join(
        async {
            let reading = async {
                for _ in 0..50 {
                    assert!(stream.chunk().await.unwrap().is_some());
                }
            };
            tokio::select! {
                _ = waiting => panic!("b has no room"),
                () = reading => {}
            }
        },
        others,
    )
    .await;
    assert_eq!(status, 200);
    assert_eq!(loads.all.load(Ordering::SeqCst), 1);
    drop(stream);
    server.end().await;
}

#[tokio::test]
async fn an_idle_model_is_unloaded_and_comes_back_when_it_is_asked() {
    let keep = KeepLoaded { idle: Some(Duration::from_millis(1)), ..KeepLoaded::default() };
    let (server, loads) = Shop::new().offer("a", 1, 0).open(keep);
    let said = server.says("a").await;
    while server.metric("dojo_model_unloads_total").await < 1.0 {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_loaded("a").await);
    assert_eq!(server.says("a").await, said);
    assert_eq!(loads.all.load(Ordering::SeqCst), 2);
    server.end().await;
}

#[tokio::test]
async fn many_who_ask_at_once_wait_for_one_load_and_loads_come_one_by_one() {
    let (server, loads) =
        Shop::new().offer("a", 1, 0).offer("b", 2, 0).offer("c", 3, 0).open(KeepLoaded::default());
    let ask = |model: &'static str| {
        let server = &server;
        async move { server.post(CHAT, &asked(model)).await.status().as_u16() }
    };
    let all = ["a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c"].map(ask);
    assert_eq!(futures::future::join_all(all).await, [200; 12]);
    assert_eq!(loads.all.load(Ordering::SeqCst), 3);
    assert_eq!(loads.most.load(Ordering::SeqCst), 1);
    assert_eq!(server.metric("dojo_running").await, 0.0);
    server.end().await;
}

#[tokio::test]
async fn a_model_that_cant_be_loaded_is_refused_in_a_sentence_and_the_rest_goes_on() {
    let (server, _) = Shop::new().offer("a", 1, 1).offer("b", 2, 0).open(keep(10));
    let (status, message) = server.refusal(CHAT, asked("a")).await;
    assert_eq!(status, 503);
    assert_eq!(message, "the model a can't be loaded now: the server has written why to its log");
    server.says("b").await;
    // It is tried again.
    server.says("a").await;
    assert_eq!(server.metric("dojo_model_load_failures_total").await, 1.0);
    server.end().await;
}

#[tokio::test]
async fn offers_without_room_or_with_one_name_are_refused_at_the_start() {
    let refusal = |shop: Shop, keep: KeepLoaded| {
        let listening = listen(settings(None, 1, Clients::default())).unwrap();
        listening.offering(shop.offers, keep).err().unwrap().to_string()
    };
    let said = refusal(Shop::new().offer("a", 1, 0), keep(9));
    assert!(said.starts_with("a takes up to 0.0 MB of memory") && said.contains("raise the limit"), "{said}");
    let said = refusal(Shop::new().offer("a", 1, 0).offer_embedder("a2").offer("b", 1, 0).twice(), keep(99));
    assert_eq!(said, "the name b is given twice");
}

impl Shop {
    /// The last offer under the name of the one before it.
    fn twice(mut self) -> Self {
        let again = self.offers.last().unwrap();
        let again = Offer {
            name: again.name.clone(),
            kind: again.kind,
            adapters: Vec::new(),
            bytes: 1,
            load: Arc::clone(&again.load),
        };
        self.offers.push(again);
        self
    }
}
