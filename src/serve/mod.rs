//! OpenAI's HTTP API over models and their adapters. Knows nothing of sessions or the terminal.
//!
//! One thread owns a model's generator and computes for all requests together ([`worker`]); handlers hand it requests
//! and pass on its events. A client that goes away takes its request with it. Models are loaded when they are asked
//! for, and stay as long as there is room ([`keeper`]).

mod access;
mod answer;
mod asked;
mod body;
mod chat;
mod completions;
mod connection;
mod embeddings;
mod error;
mod fields;
mod guard;
mod hosted;
mod keeper;
mod library;
mod listed;
mod messages;
mod metrics;
mod options;
mod parts;
mod question;
mod reply;
mod responses;
mod responses_reply;
mod results;
mod retrieval;
mod room;
mod settings;
mod shelf;
mod sources;
mod stopping;
mod stream;
mod style;
mod template_settings;
mod told;
mod tool_choice;
mod tools;
mod unambiguous;
mod unread;
mod words;
mod worker;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::unbounded_channel;

use crate::engine::embed::Embedder;
use crate::engine::generate::{AdapterId, Generator, Prompter};
use crate::ground::clock;
pub use access::{Access, Log};
use connection::{Door, Seated};
use error::ApiError;
pub use guard::AllowedOrigin;
use hosted::Hosted;
use keeper::Keeper;
use library::Libraries;
pub use library::{AnswerLibrary, CountTokens, NearPassages, ServedLibrary};
use metrics::Metrics;
pub use room::Clients;
use room::ConnectionRoom;
pub use settings::Settings;
use shelf::{Inner, Shelf};
pub use shelf::{KeepLoaded, Load, LoadedModel, Offer, ServedKind, ShelfChange, Tell, Why};
use stopping::Cut;
use worker::Queue;

/// For the last event of answers that are cut off.
const FAREWELL: Duration = Duration::from_secs(1);

/// A loaded model that is to be served for as long as the server lives.
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

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServeEnd {
    /// Every answer that was in progress came to its end.
    Whole,
    /// So many answers were cut off.
    Cut(usize),
}

/// What every handler sees.
pub(crate) struct Service {
    shelf: Shelf,
    libraries: Libraries,
    metrics: Arc<Metrics>,
    api_key: Option<String>,
    /// Whether anybody on this machine may ask, and nobody else.
    only_local: bool,
    origins: Vec<AllowedOrigin>,
    started: u64,
    /// Leave to read a long request.
    turns: Arc<Semaphore>,
    cut: Cut,
}

pub(crate) type SharedService = Arc<Service>;

/// A server that has its address but doesn't answer yet.
pub struct Bound {
    door: Door,
    router: Router,
    service: SharedService,
}

/// What a server that answers is busy with.
#[derive(Clone)]
pub struct Busy(Arc<ConnectionRoom>);

impl Busy {
    /// Requests that are being answered.
    #[must_use]
    pub fn answering(&self) -> usize {
        self.0.answering()
    }

    /// Gives answers in progress no more time once the server is to end.
    pub fn hurry(&self) {
        self.0.hurry.notify_one();
    }
}

/// An address that is taken, for a model that may still have to be loaded.
pub struct Listening {
    listener: std::net::TcpListener,
    settings: Settings,
    libraries: Libraries,
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
    Ok(Listening { listener, settings, libraries: Libraries::default() })
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

    /// Answers from libraries: from the first, unless a request names another or none.
    ///
    /// # Errors
    /// Where two have one name.
    pub fn from_libraries(mut self, libraries: Vec<ServedLibrary>) -> Result<Self> {
        self.libraries = Libraries::new(libraries)?;
        Ok(self)
    }

    /// Starts the generating thread; belongs into a runtime.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn with(self, served: Served) -> Result<Bound> {
        let Served { name, generator, prompter, adapters, embedder } = served;
        let kind = ServedKind::Generates { context: generator.context() };
        let of_adapters = adapters.keys().cloned().collect();
        let loaded =
            LoadedModel::Generator { generator: Box::new(generator), prompter: Box::new(prompter), adapters };
        let mut models = vec![(loaded_offer(name, kind, of_adapters), loaded)];
        models.extend(embedder.map(|embedder| {
            let name = short_name(embedder.name());
            (loaded_offer(name, ServedKind::Embeds, Vec::new()), LoadedModel::Embedder(Box::new(embedder)))
        }));
        let (offers, models): (Vec<Offer>, Vec<LoadedModel>) = models.into_iter().unzip();
        let bound = self.offering(offers, KeepLoaded::default())?;
        bound.service.hold(models)?;
        Ok(bound)
    }

    /// Offers models that are loaded when they are asked for; belongs into a runtime.
    ///
    /// # Errors
    /// Where two have one name, or one has no room.
    pub fn offering(self, offers: Vec<Offer>, keep: KeepLoaded) -> Result<Bound> {
        shelf::check(&offers, &keep)?;
        let Self { listener, settings, libraries } = self;
        let listener = tokio::net::TcpListener::from_std(listener).context("listen")?;
        let metrics = Arc::new(Metrics::default());
        let queue = Queue::new(settings.queue);
        let shared = Arc::new(Inner::new(offers));
        #[expect(clippy::disallowed_methods, reason = "bounded by the connections: each asks for one model")]
        let (asks, orders) = unbounded_channel();
        let keeper = Keeper {
            shared: Arc::clone(&shared),
            orders,
            keep,
            queue: queue.clone(),
            metrics: Arc::clone(&metrics),
        };
        tokio::spawn(keeper.run());
        let room = Arc::new(ConnectionRoom::new(settings.clients, settings.body));
        let service = Arc::new(Service {
            shelf: Shelf::new(shared, asks, queue),
            libraries,
            metrics,
            only_local: settings.api_key.is_none(),
            api_key: settings.api_key,
            origins: settings.origins,
            started: clock::seconds(),
            turns: Arc::new(Semaphore::new(1)),
            cut: room.cut.listen(),
        });
        let router = router(Arc::clone(&service), &room);
        let router = match settings.log {
            Some(log) => router.layer(axum::middleware::from_fn_with_state(log, access::tell)),
            None => router,
        };
        Ok(Bound { door: Door { listener, room }, router, service })
    }
}

/// An offer of what is loaded already, and stays so.
fn loaded_offer(name: String, kind: ServedKind, adapters: Vec<String>) -> Offer {
    Offer { name, kind, adapters, bytes: 0, load: Arc::new(|| bail!("it is loaded once only")) }
}

/// What clients call a model: without the folders of its path, which are nobody's business.
#[must_use]
pub fn short_name(name: &str) -> String {
    let file = std::path::Path::new(name).file_name().map(|file| file.to_string_lossy().into_owned());
    file.unwrap_or_else(|| name.to_owned())
}

impl Bound {
    /// Where it listens.
    ///
    /// # Errors
    /// Where the system doesn't say.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.door.listener.local_addr()?)
    }

    /// Loads a model before it is asked for, so that what is wrong with it is known at once.
    ///
    /// # Errors
    /// Where nobody offers it, or it can't be loaded.
    pub async fn load(&self, name: &str) -> Result<()> {
        let offers = self.service.shelf.offers();
        let index = offers.iter().position(|offer| offer.name == name);
        let index = index.with_context(|| format!("no model is called {name}"))?;
        self.service.shelf.order(index).await.map(drop).map_err(|error| anyhow!(error))
    }

    #[must_use]
    pub fn busy(&self) -> Busy {
        Busy(Arc::clone(&self.door.room))
    }

    /// Answers until `stop` is done. Then connections without a whole request are closed, and requests in progress have
    /// [`Clients::stop`] to end; those that don't are told that they are cut off.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<ServeEnd> {
        let Self { door, router, service } = self;
        drop(service);
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
            tokio::select! {
                () = tokio::time::sleep(room.clients.stop) => {}
                () = room.hurry.notified() => {}
            }
        };
        let service = router.into_make_service_with_connect_info::<Seated>();
        let mut serving = axum::serve(door, service).with_graceful_shutdown(stop).into_future();
        tokio::select! {
            ended = &mut serving => return ended.context("serve").map(|()| ServeEnd::Whole),
            () = patience => {}
        }
        let cut = room.answering();
        room.cut.give();
        // Whoever takes nothing isn't waited for.
        tokio::time::timeout(FAREWELL, serving).await.ok();
        room.send_all_away();
        Ok(if cut == 0 { ServeEnd::Whole } else { ServeEnd::Cut(cut) })
    }
}

fn router(service: SharedService, room: &Arc<ConnectionRoom>) -> Router {
    let guarded = Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/completions", post(completions::create))
        .route("/v1/responses", post(responses::create))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/models", get(listed::models))
        .route("/v1/models/{name}", get(listed::model))
        .route("/metrics", get(metrics::show))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(room), body::read_whole))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), guard::check_key));
    let answers = Router::new()
        .route("/health", get(listed::health))
        .merge(guarded)
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is no such endpoint"))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this endpoint has no such method")
        })
        .layer(DefaultBodyLimit::max(room.body))
        .with_state(Arc::clone(&service));
    // Around the whole router: a route adds the methods that it has to whatever is answered inside of it.
    Router::new()
        .fallback_service(answers)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), guard::tell_browsers))
        .layer(axum::middleware::from_fn_with_state(service, guard::check_host))
}

impl Service {
    /// Puts loaded models in the places of the first offers.
    fn hold(&self, models: Vec<LoadedModel>) -> Result<()> {
        for (index, model) in models.into_iter().enumerate() {
            let name = self.shelf.offers().get(index).map_or("", |offer| offer.name.as_str());
            let hosted = Hosted::start(name, model, self.shelf.queue.clone(), Arc::clone(&self.metrics))?;
            if let Some(slot) = self.shelf.shared.state().slots.get_mut(index) {
                slot.held = Some(hosted);
            }
        }
        Ok(())
    }
}
