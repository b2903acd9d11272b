//! A Qdrant server for tests: the protocol's own traits over the network, the embedded engine behind them. It can be slow,
//! full, of another version, or refuse a key.

mod collections;
mod points;
mod stubs;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dojo_studio::rag::index::server::{ServerAccess, ServerPatience};
use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::{Qdrant, QdrantServer};
use qdrant_client::qdrant::{
    CreateCollection, HealthCheckReply, HealthCheckRequest, NamedVectors, PayloadSchemaInfo, Value,
};
use tonic::{Request, Response, Status};

/// What the server is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// Answers nothing, ever.
    Silent,
    /// Breaks off so many answers, and is well then.
    Shaky(usize),
    /// Has no room for points.
    Full,
    /// Wants to be asked more slowly, so many times.
    Busy(usize),
    /// Takes this key only.
    Locked(String),
    /// Lets nobody write.
    ReadOnly,
}

/// A collection as it was asked for, and what is in it.
pub(crate) struct FakeCollection {
    pub(crate) asked: CreateCollection,
    pub(crate) metadata: HashMap<String, Value>,
    pub(crate) schema: HashMap<String, PayloadSchemaInfo>,
    pub(crate) points: BTreeMap<u64, FakePoint>,
    /// None if nothing can be searched in it.
    engine: Option<points::Engine>,
}

#[derive(Clone)]
pub(crate) struct FakePoint {
    pub(crate) payload: HashMap<String, Value>,
    pub(crate) vectors: NamedVectors,
}

pub(crate) struct State {
    pub(crate) mood: Mood,
    pub(crate) version: &'static str,
    pub(crate) collections: HashMap<String, FakeCollection>,
    /// Upserts are broken off after so many, without being taken in.
    pub(crate) upserts_left: Option<usize>,
}

#[derive(Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    upserts: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

/// A running server; it ends with this.
pub(crate) struct FakeQdrant {
    shared: Shared,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for FakeQdrant {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(5));
    }
}

impl FakeQdrant {
    pub(crate) fn start() -> Self {
        let state =
            State { mood: Mood::Well, version: "1.18.2", collections: HashMap::new(), upserts_left: None };
        let shared =
            Shared { state: Arc::new(Mutex::new(state)), upserts: Arc::default(), requests: Arc::default() };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        let services = tonic::transport::Server::builder()
            .add_service(QdrantServer::new(shared.clone()))
            .add_service(CollectionsServer::new(shared.clone()))
            .add_service(PointsServer::new(shared.clone()).max_decoding_message_size(usize::MAX))
            .serve_with_incoming(incoming);
        runtime.spawn(services);
        Self { shared, address, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The way there, with little patience.
    pub(crate) fn access(&self, key: Option<&str>) -> ServerAccess {
        ServerAccess::new(&self.url(), key).unwrap().waiting(hasty())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Points that were sent so far.
    pub(crate) fn points_sent(&self) -> usize {
        self.shared.upserts.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

/// Tests wait for nobody.
pub(crate) fn hasty() -> ServerPatience {
    ServerPatience {
        connecting: Duration::from_secs(2),
        finding: Duration::from_millis(1500),
        writing: Duration::from_millis(2500),
        attempts: 3,
        first_wait: Duration::from_millis(5),
    }
}

/// Whether a request only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Reading,
    Writing,
}

impl Shared {
    /// What the server's mood makes of a request.
    async fn admit<T>(&self, request: &Request<T>, kind: Kind) -> Result<(), Status> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mood = {
            let mut state = self.state.lock().unwrap();
            let mood = state.mood.clone();
            match &mut state.mood {
                Mood::Shaky(0) | Mood::Busy(0) => state.mood = Mood::Well,
                Mood::Shaky(left) | Mood::Busy(left) => *left -= 1,
                _ => {}
            }
            mood
        };
        let key = request.metadata().get("api-key").map(|key| key.to_str().unwrap().to_owned());
        match mood {
            Mood::Silent => std::future::pending().await,
            Mood::Shaky(left) if left > 0 => Err(Status::unavailable("the server is going away")),
            Mood::Busy(left) if left > 0 => {
                let mut status = Status::resource_exhausted("Rate limiting exceeded");
                status.metadata_mut().insert("retry-after", "1".parse().unwrap());
                Err(status)
            }
            Mood::Full if kind == Kind::Writing => Err(Status::internal(
                "Service internal error: No space left on device: WAL buffer size exceeds available disk space",
            )),
            Mood::Locked(wanted) if key.as_ref() != Some(&wanted) => {
                Err(Status::unauthenticated(format!("Invalid api-key {}", key.unwrap_or_default())))
            }
            Mood::ReadOnly if kind == Kind::Writing => {
                Err(Status::permission_denied("Forbidden: Global manage access is required"))
            }
            Mood::Well | Mood::Shaky(_) | Mood::Full | Mood::Busy(_) | Mood::Locked(_) | Mood::ReadOnly => {
                Ok(())
            }
        }
    }

    fn with<T>(
        &self,
        collection: &str,
        work: impl FnOnce(&mut FakeCollection) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let mut state = self.state.lock().unwrap();
        let found = state.collections.get_mut(collection);
        let found = found.ok_or_else(|| {
            Status::not_found(format!("Not found: Collection `{collection}` doesn't exist!"))
        })?;
        work(found).map(Response::new)
    }
}

#[tonic::async_trait]
impl Qdrant for Shared {
    async fn health_check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckReply>, Status> {
        self.admit(&request, Kind::Reading).await?;
        let version = self.state.lock().unwrap().version.to_owned();
        Ok(Response::new(HealthCheckReply { title: "fake".to_owned(), version, commit: None }))
    }
}
