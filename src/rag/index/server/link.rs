//! The way to a server: its client, the thread that the client's futures run on, and asking again after what may pass.

use std::future::Future;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use qdrant_client::{Qdrant, QdrantError};
use tokio::runtime::{Builder, Runtime};

use super::access::{ServerAccess, ServerPatience};
use super::trouble::ServerTrouble;

/// The oldest minor version of Qdrant 1 that keeps a collection's own notes, in which an index says what it was made from.
const OLDEST_MINOR: u32 = 16;

/// What a server is asked for, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerTask {
    /// Somebody waits for the answer.
    Finding,
    /// Much is to be brought there or back.
    Writing,
}

/// A server that can be asked from any thread, one inside another runtime too. Nothing is sent before it is asked.
pub struct ServerLink {
    access: ServerAccess,
    client: Qdrant,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    version: OnceLock<String>,
}

impl Drop for ServerLink {
    fn drop(&mut self) {
        // It may be dropped by a thread of another runtime, which must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl ServerLink {
    /// # Errors
    /// Where the system has no room for a thread.
    pub fn new(access: &ServerAccess) -> Result<Arc<Self>> {
        let patience = access.patience;
        let longest = patience.finding.max(patience.writing) + Duration::from_secs(5);
        let mut config = Qdrant::from_url(access.url())
            // It would print; the version is looked at here.
            .skip_compatibility_check()
            .connect_timeout(patience.connecting)
            .timeout(longest)
            .api_key(access.key());
        config.set_pool_size(1);
        let client = config.build().with_context(|| format!("reach {}", access.url()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("qdrant")
            .enable_all()
            .build()
            .context("start the thread that talks to the Qdrant server")?;
        Ok(Arc::new(Self {
            access: access.clone(),
            client,
            runtime: Some(runtime),
            version: OnceLock::new(),
        }))
    }

    #[must_use]
    pub const fn access(&self) -> &ServerAccess {
        &self.access
    }

    /// Asks, and again after what may pass. `what` follows "can't" ("search").
    ///
    /// # Errors
    /// One sentence that says what, where, and what to do.
    pub(super) fn ask<T, O>(
        &self,
        task: ServerTask,
        what: &str,
        request: impl Fn(Qdrant) -> O + Send + Sync + 'static,
    ) -> Result<T>
    where
        T: Send + 'static,
        O: Future<Output = Result<T, QdrantError>> + Send,
    {
        self.asked(task, request)?.map_err(|trouble| anyhow!("{}", trouble.sentence(&self.access, what)))
    }

    /// As [`Self::ask`], for those who tell troubles apart.
    pub(super) fn asked<T, O>(
        &self,
        task: ServerTask,
        request: impl Fn(Qdrant) -> O + Send + Sync + 'static,
    ) -> Result<Result<T, ServerTrouble>>
    where
        T: Send + 'static,
        O: Future<Output = Result<T, QdrantError>> + Send,
    {
        let runtime = self.runtime.as_ref().context("the way to the Qdrant server is closed")?;
        let (answer, answered) = sync_channel(1);
        let (client, patience) = (self.client.clone(), self.access.patience);
        runtime.spawn(async move {
            // Nobody waits any more if this thread's asker is gone.
            let _ = answer.send(persistently(&client, patience, task, request).await);
        });
        answered.recv().context("the thread that talks to the Qdrant server ended")
    }

    /// Its version, held against what an index needs; asked for once.
    ///
    /// # Errors
    /// Where it is too old or of another kind, or can't be asked.
    pub(super) fn version(&self) -> Result<&str> {
        if let Some(version) = self.version.get() {
            return Ok(version);
        }
        let asked = |client: Qdrant| async move { client.health_check().await };
        let version = self.ask(ServerTask::Finding, "say its version", asked)?.version;
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (parts.next().flatten(), parts.next().flatten());
        ensure!(
            major == Some(1) && minor >= Some(OLDEST_MINOR),
            "the Qdrant server at {} is of version {version}, and a library's index needs 1.{OLDEST_MINOR} or a later 1.x: \
             update it, or use another",
            self.access.url()
        );
        Ok(self.version.get_or_init(|| version))
    }
}

async fn persistently<T, O>(
    client: &Qdrant,
    patience: ServerPatience,
    task: ServerTask,
    request: impl Fn(Qdrant) -> O,
) -> Result<T, ServerTrouble>
where
    O: Future<Output = Result<T, QdrantError>>,
{
    let (within, attempts) = match task {
        ServerTask::Finding => (patience.finding, 2),
        ServerTask::Writing => (patience.writing, patience.attempts),
    };
    let mut back_off = patience.first_wait;
    let mut attempt = 1;
    loop {
        let trouble = match tokio::time::timeout(within, request(client.clone())).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => ServerTrouble::of(&error),
            Err(_) => ServerTrouble::Slow(within),
        };
        // Who waits has waited long enough for one that is slow or asks for more time than this.
        let is_long = |wait: &Duration| task == ServerTask::Finding && *wait > patience.finding;
        let is_slow = task == ServerTask::Finding && matches!(trouble, ServerTrouble::Slow(_));
        match trouble.again_after(back_off).filter(|wait| attempt < attempts && !is_slow && !is_long(wait)) {
            Some(wait) => tokio::time::sleep(wait.min(within)).await,
            None => return Err(trouble),
        }
        back_off = back_off.saturating_mul(4);
        attempt += 1;
    }
}
