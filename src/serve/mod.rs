//! OpenAI's HTTP API over one model and its adapters. Knows nothing of sessions or the terminal.
//!
//! One thread owns the generator and computes for all requests together ([`worker`]); handlers hand it requests and
//! pass on its events. A client that goes away takes its request with it.

mod access;
mod answer;
mod body;
mod chat;
mod completions;
mod connection;
mod embeddings;
mod error;
mod fields;
mod guard;
mod messages;
mod metrics;
mod options;
mod question;
mod reply;
mod responses;
mod responses_reply;
mod room;
mod stream;
mod tools;
mod words;
mod worker;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::engine::embed::Embedder;
use crate::engine::generate::{AdapterId, Event, Generator, Prompter, Request};
pub use access::{Access, Log};
use connection::{Door, Seated};
use error::ApiError;
pub use guard::Origin;
use metrics::Metrics;
use options::Options;
pub use room::Clients;
use room::Room;
use words::Words;
use worker::Worker;

/// A model that is to be served.
pub struct Served {
    /// What clients call it.
    pub name: String,
    pub generator: Generator,
    pub prompter: Prompter,
    /// Adapters that the generator holds, by the names that clients call them.
    pub adapters: BTreeMap<String, AdapterId>,
    /// What answers `/v1/embeddings`.
    pub embedder: Option<Embedder>,
}

/// How it is served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub address: SocketAddr,
    /// What clients must show as `Authorization: Bearer ...`.
    pub api_key: Option<String>,
    /// Requests in progress or waiting at most; more are turned away with status 429.
    pub queue: usize,
    /// Bytes of a request's body at most.
    pub body: usize,
    /// Pages of a browser that may ask.
    pub origins: Vec<Origin>,
    pub clients: Clients,
    /// Told of every request.
    pub log: Option<Log>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every answer that was in progress came to its end.
    Whole,
    /// So many answers were cut off.
    Cut(usize),
}

/// What every handler sees.
pub(crate) struct Service {
    name: String,
    adapters: BTreeMap<String, AdapterId>,
    prompter: Prompter,
    words: Words,
    embedder: Option<embeddings::Desk>,
    embedder_name: Option<String>,
    context: usize,
    worker: Worker,
    metrics: Arc<Metrics>,
    api_key: Option<String>,
    /// Whether anybody on this machine may ask, and nobody else.
    only_local: bool,
    origins: Vec<Origin>,
    started: u64,
}

pub(crate) type Shared = Arc<Service>;

/// A server that has its address but doesn't answer yet.
pub struct Bound {
    door: Door,
    router: Router,
}

/// What a server that answers is busy with.
#[derive(Clone)]
pub struct Busy(Arc<Room>);

impl Busy {
    /// Requests that are being answered.
    #[must_use]
    pub fn answering(&self) -> usize {
        self.0.answering()
    }
}

/// An address that is taken, for a model that may still have to be loaded.
pub struct Listening {
    listener: std::net::TcpListener,
    settings: Settings,
}

/// Takes the address.
///
/// # Errors
/// Where the address is taken, or anyone could reach it and no key is set.
pub fn listen(mut settings: Settings) -> Result<Listening> {
    settings.api_key = settings.api_key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    ensure!(
        settings.api_key.is_some() || settings.address.ip().is_loopback(),
        "{} can be reached from outside: set DOJO_API_KEY, or bind to 127.0.0.1",
        settings.address
    );
    let listener = std::net::TcpListener::bind(settings.address)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .with_context(|| format!("listen on {}", settings.address))?;
    Ok(Listening { listener, settings })
}

/// Takes the address and starts the generating thread; belongs into a runtime.
///
/// # Errors
/// Where the address can't be used.
pub fn bind(served: Served, settings: Settings) -> Result<Bound> {
    listen(settings)?.with(served)
}

impl Listening {
    /// What answers in progress get once the server is to end.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.settings.clients.stop
    }

    /// Starts the generating thread; belongs into a runtime.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn with(self, served: Served) -> Result<Bound> {
        let Self { listener, settings } = self;
        let listener = tokio::net::TcpListener::from_std(listener).context("listen")?;
        let metrics = Arc::new(Metrics::default());
        let service = Service {
            name: served.name,
            adapters: served.adapters,
            prompter: served.prompter,
            words: Words::new(Arc::clone(served.generator.tokenizer())),
            embedder_name: served.embedder.as_ref().map(|embedder| embedder.name().to_owned()),
            embedder: served.embedder.map(|embedder| Arc::new(tokio::sync::Mutex::new(embedder))),
            context: served.generator.context(),
            worker: Worker::start(served.generator, settings.queue, Arc::clone(&metrics))?,
            metrics,
            only_local: settings.api_key.is_none(),
            api_key: settings.api_key,
            origins: settings.origins,
            started: now(),
        };
        let room = Arc::new(Room::new(settings.clients, settings.body));
        let router = router(Arc::new(service), &room);
        let router = match settings.log {
            Some(log) => router.layer(axum::middleware::from_fn_with_state(log, access::tell)),
            None => router,
        };
        Ok(Bound { door: Door { listener, room }, router })
    }
}

impl Bound {
    /// Where it listens.
    ///
    /// # Errors
    /// Where the system doesn't say.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.door.listener.local_addr()?)
    }

    #[must_use]
    pub fn busy(&self) -> Busy {
        Busy(Arc::clone(&self.door.room))
    }

    /// Answers until `stop` is done. Then connections without a whole request are closed, and requests in progress have
    /// [`Clients::stop`] to end.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<Ended> {
        let Self { door, router } = self;
        let room = Arc::clone(&door.room);
        let (stopping, stopped) = tokio::sync::oneshot::channel();
        let own = Arc::clone(&room);
        let stop = async move {
            stop.await;
            own.send_waiting_away();
            stopping.send(()).ok();
        };
        let patience = async {
            // Where the sender is gone, so is the server.
            stopped.await.ok();
            tokio::time::sleep(room.clients.stop).await;
        };
        let service = router.into_make_service_with_connect_info::<Seated>();
        let serving = axum::serve(door, service).with_graceful_shutdown(stop);
        tokio::select! {
            ended = serving.into_future() => ended.context("serve").map(|()| Ended::Whole),
            () = patience => {
                let cut = room.answering();
                room.send_all_away();
                Ok(if cut == 0 { Ended::Whole } else { Ended::Cut(cut) })
            }
        }
    }
}

fn router(service: Shared, room: &Arc<Room>) -> Router {
    let guarded = Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/completions", post(completions::create))
        .route("/v1/responses", post(responses::create))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/models", get(models))
        .route("/v1/models/{name}", get(model))
        .route("/metrics", get(metrics::show))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(room), body::read_whole))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), guard::check_key));
    Router::new()
        .route("/health", get(health))
        .merge(guarded)
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is no such endpoint"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this endpoint has no such method")
        })
        .layer(DefaultBodyLimit::max(room.body))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), guard::tell_browsers))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), guard::check_host))
        .with_state(service)
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn health(State(service): State<Shared>) -> Result<Json<Value>, ApiError> {
    if service.worker.is_alive() {
        return Ok(Json(json!({ "status": "ok", "model": service.name })));
    }
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "the generating thread has ended"))
}

async fn models(State(service): State<Shared>) -> Json<Value> {
    let names = std::iter::once(&service.name).chain(service.adapters.keys()).chain(&service.embedder_name);
    let data: Vec<Value> = names.map(|name| service.describe(name)).collect();
    Json(json!({ "object": "list", "data": data }))
}

async fn model(
    State(service): State<Shared>,
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Result<Json<Value>, ApiError> {
    if service.embedder_name.as_ref() != Some(&name) {
        service.adapter(Some(&name))?;
    }
    Ok(Json(service.describe(&name)))
}

impl Service {
    fn describe(&self, name: &str) -> Value {
        let parent = self.adapters.contains_key(name).then_some(&self.name);
        let context = (self.embedder_name.as_deref() != Some(name)).then_some(self.context);
        json!({
            "id": name,
            "object": "model",
            "created": self.started,
            "owned_by": "dojo",
            "parent": parent,
            "max_model_len": context,
        })
    }

    /// How many tokens fit after a prompt; at least one does.
    pub(crate) fn room(&self, prompt: &[u32], field: &'static str) -> Result<usize, ApiError> {
        match self.context.saturating_sub(prompt.len()) {
            0 => Err(ApiError::too_long(prompt.len(), self.context, field)),
            room => Ok(room),
        }
    }

    /// Hands requests over together: the choices of each come after those of the ones before it. `field` holds their
    /// prompts.
    pub(crate) async fn start(
        &self,
        requests: Vec<Request>,
        field: &'static str,
        options: &Options,
    ) -> Result<UnboundedReceiver<Event>, ApiError> {
        let (events, receiver) = unbounded_channel();
        for (index, request) in requests.into_iter().enumerate() {
            let place = (index * options.choices, events.clone());
            let fields = (field, options.constraint_field().unwrap_or("response_format"));
            self.worker.submit(request, place, fields).await?;
        }
        Ok(receiver)
    }

    /// The adapter that a model's name stands for; none is the base model.
    pub(crate) fn adapter(&self, name: Option<&str>) -> Result<Option<AdapterId>, ApiError> {
        match name {
            None => Ok(None),
            Some(name) if name == self.name => Ok(None),
            Some(name) => self.adapters.get(name).copied().map(Some).ok_or_else(|| {
                let known: Vec<&str> =
                    std::iter::once(&self.name).chain(self.adapters.keys()).map(String::as_str).collect();
                let message = format!("there is no model {name:?} here, but {}", known.join(", "));
                ApiError::new(StatusCode::NOT_FOUND, message).code("model_not_found").parameter("model")
            }),
        }
    }
}
