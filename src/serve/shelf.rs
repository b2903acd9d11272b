//! The models that a server offers: which are loaded, who uses them, what they take of the memory. Decides nothing:
//! the [`Keeper`](super::keeper::Keeper) loads and unloads.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::http::StatusCode;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::embeddings::SharedEmbedder;
use super::error::ApiError;
use super::hosted::{Generates, Hosted};
use super::worker::Queue;
use crate::engine::embed::Embedder;
use crate::engine::generate::{AdapterId, Generator, Prompter};

/// A model that may be loaded when it is asked for.
pub struct Offer {
    /// What clients call it.
    pub name: String,
    pub kind: ServedKind,
    /// Names of adapters that are loaded with it.
    pub adapters: Vec<String>,
    /// Memory that it takes when it is loaded.
    pub bytes: u64,
    /// Loads it; called again after it was unloaded.
    pub load: Load,
}

/// What loads a model, on a thread that may wait.
pub type Load = Arc<dyn Fn() -> Result<LoadedModel> + Send + Sync>;

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedKind {
    /// Answers prompts, of so many tokens with their answers at most.
    Generates { context: usize },
    /// Embeds texts.
    Embeds,
}

/// A model that was loaded.
pub enum LoadedModel {
    Generator {
        generator: Box<Generator>,
        prompter: Box<Prompter>,
        /// By the names that clients call them.
        adapters: BTreeMap<String, AdapterId>,
    },
    Embedder(Box<Embedder>),
}

/// How long models stay loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeepLoaded {
    /// Bytes that all loaded models may take together; all stay loaded if there is no limit.
    pub memory: Option<u64>,
    /// A model that was asked nothing for so long is unloaded.
    pub idle: Option<Duration>,
    /// Told of what is loaded and unloaded.
    pub tell: Option<Tell>,
}

/// Who is told of changes.
pub type Tell = fn(&ShelfChange);

/// What became of a model.
#[derive(Debug, Clone, PartialEq)]
pub enum ShelfChange {
    Loaded { name: String, seconds: f64 },
    Failed { name: String, error: String },
    Unloaded { name: String, why: Why },
}

/// Why a model was unloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nobody asked it anything for the time that is set.
    Idle,
    /// Another needed its room.
    Room,
}

/// All offers.
pub(crate) struct Shelf {
    pub shared: Arc<Inner>,
    orders: UnboundedSender<ModelWaiter>,
    pub queue: Queue,
}

/// What the keeper and whoever uses a model see alike.
pub(crate) struct Inner {
    pub offers: Vec<Offer>,
    state: Mutex<ShelfState>,
    /// Somebody uses a model no more.
    pub freed: Notify,
}

pub(crate) struct ShelfState {
    /// Of each offer, in their order.
    pub slots: Vec<Slot>,
    /// Whether a model waits until others are used no more: then nobody begins to use one before it.
    pub room_wanted: bool,
}

/// What there is of an offer.
pub(crate) struct Slot {
    pub held: Option<Hosted>,
    pub users: usize,
    pub last_used: Instant,
}

/// Somebody who waits for a model.
pub(crate) struct ModelWaiter {
    pub index: usize,
    pub reply: oneshot::Sender<Result<Lease, String>>,
}

impl Inner {
    pub(crate) fn new(offers: Vec<Offer>) -> Self {
        let slot = |_: &Offer| Slot { held: None, users: 0, last_used: Instant::now() };
        let slots = offers.iter().map(slot).collect();
        Self { offers, state: Mutex::new(ShelfState { slots, room_wanted: false }), freed: Notify::new() }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, ShelfState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The use of a model, if it is loaded.
    pub(crate) fn lease(self: &Arc<Self>, index: usize) -> Option<Lease> {
        let mut state = self.state();
        let slot = state.slots.get_mut(index)?;
        let hosted = slot.held.clone()?;
        slot.users += 1;
        Some(Lease { hosted, in_use: Use { shared: Arc::clone(self), index } })
    }
}

/// A loaded model in use: it isn't unloaded meanwhile.
pub(crate) struct Lease {
    hosted: Hosted,
    in_use: Use,
}

struct Use {
    shared: Arc<Inner>,
    index: usize,
}

impl Drop for Use {
    fn drop(&mut self) {
        if let Some(slot) = self.shared.state().slots.get_mut(self.index) {
            slot.users -= 1;
            slot.last_used = Instant::now();
        }
        self.shared.freed.notify_one();
    }
}

/// The use of a model that generates, as it is or with an adapter.
pub(crate) struct ModelInUse {
    // Before its use, so that nothing holds the model once that is over.
    model: Arc<Generates>,
    pub adapter: Option<AdapterId>,
    _use: Use,
}

impl Deref for ModelInUse {
    type Target = Generates;

    fn deref(&self) -> &Generates {
        &self.model
    }
}

/// The use of a model that embeds texts.
pub(crate) struct EmbedderInUse {
    pub desk: SharedEmbedder,
    pub name: String,
    _use: Use,
}

impl Shelf {
    pub(crate) fn new(shared: Arc<Inner>, orders: UnboundedSender<ModelWaiter>, queue: Queue) -> Self {
        Self { shared, orders, queue }
    }

    /// Each model that generates or embeds, and whether it is loaded.
    pub(crate) fn loaded(&self) -> Vec<(&str, bool)> {
        let state = self.shared.state();
        let loaded = state.slots.iter().map(|slot| slot.held.is_some());
        self.offers().iter().map(|offer| offer.name.as_str()).zip(loaded).collect()
    }

    pub(crate) fn offers(&self) -> &[Offer] {
        &self.shared.offers
    }

    /// Whether the threads of all loaded models live.
    pub(crate) fn is_alive(&self) -> bool {
        self.shared.state().slots.iter().filter_map(|slot| slot.held.as_ref()).all(Hosted::is_alive)
    }

    /// The model that a name stands for, or an adapter's; without a name the first. Waits until it is loaded.
    pub(crate) async fn model(&self, name: Option<&str>) -> Result<ModelInUse, ApiError> {
        let generates = |offer: &Offer| matches!(offer.kind, ServedKind::Generates { .. });
        let index = self.find(name, generates).ok_or_else(|| self.unknown(name.unwrap_or_default()))?;
        let Lease { hosted, in_use } = self.take(index).await?;
        match hosted {
            Hosted::Generates(model) => {
                let adapter = name.and_then(|name| model.adapters.get(name).copied());
                Ok(ModelInUse { model, adapter, _use: in_use })
            }
            Hosted::Embeds(_) => Err(self.cant_be_loaded(index)),
        }
    }

    /// The embedding model that a name stands for; without a name the first. Waits until it is loaded.
    pub(crate) async fn embedder(&self, name: Option<&str>) -> Result<EmbedderInUse, ApiError> {
        let embeds = |offer: &Offer| offer.kind == ServedKind::Embeds;
        let known: Vec<&str> =
            self.offers().iter().filter(|offer| embeds(offer)).map(|offer| offer.name.as_str()).collect();
        if known.is_empty() {
            let message = "this server was started without an embedding model: start it with \
                           `dojo serve --embeddings all-minilm-l6-v2`";
            return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, message));
        }
        let index = self.find(name, embeds).ok_or_else(|| {
            let (name, known) = (name.unwrap_or_default(), known.join(", "));
            not_found(format!("{name:?} gives no embeddings here: ask for {known}"))
        })?;
        let Lease { hosted, in_use } = self.take(index).await?;
        let name = self.offers().get(index).map(|offer| offer.name.clone()).unwrap_or_default();
        match hosted {
            Hosted::Embeds(desk) => Ok(EmbedderInUse { desk, name, _use: in_use }),
            Hosted::Generates(_) => Err(self.cant_be_loaded(index)),
        }
    }

    /// Says which models there are.
    pub(crate) fn unknown(&self, name: &str) -> ApiError {
        let generate =
            self.offers().iter().filter(|offer| matches!(offer.kind, ServedKind::Generates { .. }));
        let known: Vec<&str> = generate.flat_map(Offer::names).collect();
        not_found(format!("there is no model {name:?} here, but {}", known.join(", ")))
    }

    fn find(&self, name: Option<&str>, of_kind: impl Fn(&Offer) -> bool) -> Option<usize> {
        let asked = |offer: &Offer| name.is_none_or(|name| offer.names().any(|own| own == name));
        self.offers().iter().position(|offer| of_kind(offer) && asked(offer))
    }

    async fn take(&self, index: usize) -> Result<Lease, ApiError> {
        let room_wanted = self.shared.state().room_wanted;
        if !room_wanted && let Some(lease) = self.shared.lease(index) {
            return Ok(lease);
        }
        // Those who wait for a model are as many as may wait for an answer.
        let _place = self.queue.enter()?;
        self.order(index).await.map_err(|_| self.cant_be_loaded(index))
    }

    /// Loads a model if it isn't, in its turn.
    ///
    /// # Errors
    /// Says what went wrong, for whoever runs the server.
    pub(crate) async fn order(&self, index: usize) -> Result<Lease, String> {
        let (reply, answer) = oneshot::channel();
        let gone = || "the thread that loads models has ended".to_owned();
        self.orders.send(ModelWaiter { index, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Why is for whoever runs the server: it names files.
    fn cant_be_loaded(&self, index: usize) -> ApiError {
        let name = self.offers().get(index).map_or("", |offer| offer.name.as_str());
        let message = format!("the model {name} can't be loaded now: the server has written why to its log");
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message).code("model_not_loaded").parameter("model")
    }
}

impl Offer {
    /// The model's name, and those of its adapters.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.adapters).map(String::as_str)
    }
}

/// Checks that each offer has room, and a name of its own.
pub(crate) fn check(offers: &[Offer], keep: &KeepLoaded) -> Result<()> {
    let mut names = BTreeSet::new();
    for offer in offers {
        for name in offer.names() {
            ensure!(names.insert(name), "the name {name} is given twice");
        }
        if let Some(memory) = keep.memory {
            ensure!(
                offer.bytes <= memory,
                "{} takes up to {} of memory when it is loaded, and the limit is {}: raise the limit, or give it a \
                 shorter context",
                offer.name,
                gigabytes(offer.bytes),
                gigabytes(memory)
            );
        }
    }
    Ok(())
}

fn gigabytes(bytes: u64) -> String {
    if bytes < 1_000_000_000 {
        return format!("{:.1} MB", bytes as f64 / 1e6);
    }
    format!("{:.1} GB", bytes as f64 / 1e9)
}

fn not_found(message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, message).code("model_not_found").parameter("model")
}
