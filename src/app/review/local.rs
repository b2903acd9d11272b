//! `local:MODEL` and `local:MODEL+ADAPTER`: a model that this program runs itself, asked over the same API as any
//! endpoint, on a port of this machine that only this process knows the key of. So jobs have one way to ask, with
//! the cache and the resuming that belong to it, and the schema is kept by constrained decoding.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;

use anyhow::{Context, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use crate::app::local_model::{self, PromptedModel};
use crate::config::Folders;
use crate::domain::teacher::{Price, TeacherSettings};
use crate::engine::hub::{self, Network, Silent};
use crate::serve::{Clients, Served, Settings, bind};
use crate::teacher::budget::{Budget, Spending};
use crate::teacher::cache::AnswerCache;
use crate::teacher::client::{Account, Teacher};
use crate::teacher::clock::MachineClock;
use crate::teacher::form::held_to_the_form;
use crate::teacher::request::{Request, TeacherAnswer};
use crate::teacher::{ApiKey, AskError, Left, Speaker};

/// Sequences asked for together: enough to read each weight for many.
const AT_ONCE: usize = 16;

/// A model of the program's own. It answers for as long as this lives.
pub(super) struct Local {
    teacher: Teacher,
    /// Dropped with the rest, which ends the thread that answers and gives its memory back.
    _running: Option<oneshot::Sender<()>>,
}

impl Local {
    /// Loads a model and starts it.
    ///
    /// # Errors
    /// Where the model or its adapter can't be found or loaded, or no port is free.
    pub(super) fn start(
        folders: &Folders,
        given: &str,
        cache: Arc<AnswerCache>,
        budget: Budget,
    ) -> Result<Self> {
        let served = served(folders, given).with_context(|| format!("load local:{given}"))?;
        let key = random_key();
        let (running, stop) = oneshot::channel();
        let address = start(served, key.clone(), stop).with_context(|| format!("run local:{given}"))?;
        let teacher = teacher(given, &format!("http://{address}/v1"), Some(ApiKey::new(key)), cache, budget)?;
        Ok(Self { teacher, _running: Some(running) })
    }

    /// What would answer, for estimates: nothing is loaded, and nothing can be asked.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub(super) fn planned(given: &str, cache: Arc<AnswerCache>) -> Result<Self> {
        let teacher = teacher(given, "http://127.0.0.1:9/v1", None, cache, Budget::default())?;
        Ok(Self { teacher, _running: None })
    }
}

impl Speaker for Local {
    fn name(&self) -> String {
        self.teacher.name()
    }

    fn at_once(&self) -> usize {
        self.teacher.at_once()
    }

    fn account(&self) -> Account {
        self.teacher.account()
    }

    fn most(&self, request: &Request) -> Spending {
        Speaker::most(&self.teacher, request)
    }

    fn carry_on(&self, job: &str) -> std::result::Result<(), AskError> {
        self.teacher.carry_on(job)
    }

    fn leave(&self, job: &str, left: Left) -> std::result::Result<(), AskError> {
        self.teacher.leave(job, left)
    }

    fn ask<'a>(
        &'a self,
        request: &'a Request,
    ) -> BoxFuture<'a, std::result::Result<TeacherAnswer, AskError>> {
        let request = held_to_the_form(request);
        async move { self.teacher.ask(&request).await }.boxed()
    }
}

fn teacher(
    given: &str,
    base_url: &str,
    key: Option<ApiKey>,
    cache: Arc<AnswerCache>,
    budget: Budget,
) -> Result<Teacher> {
    let settings = TeacherSettings {
        base_url: base_url.to_owned(),
        model: given.to_owned(),
        key_env: None,
        key_ring: false,
        key_command: Vec::new(),
        concurrency: AT_ONCE,
        requests_per_minute: None,
        tokens_per_minute: None,
        // A slow machine is no fault.
        timeout_seconds: 3600,
        price_per_million_input: Price::default(),
        price_per_million_output: Price::default(),
        json_schema: true,
        terms: None,
    };
    let clock = Arc::new(MachineClock::default());
    // The port changes from run to run; the answers to a question don't.
    Ok(Teacher::new("local", settings, key, cache, budget, clock)?.known_as(format!("local:{given}")))
}

fn served(folders: &Folders, given: &str) -> Result<Served> {
    let (name, adapter) = local_model::parts(given);
    let files = hub::resolve(&folders.models(), name, Network::Allowed, &mut Silent)?;
    let PromptedModel { generator, prompter, adapter } = PromptedModel::open(&files, adapter)?;
    let adapters: BTreeMap<_, _> = adapter.map(|adapter| (given.to_owned(), adapter)).into_iter().collect();
    Ok(Served { name: name.to_owned(), generator, prompter, adapters, embedder: None })
}

/// Starts answering on a thread of its own, until `stop` is told or nobody is left to tell it.
fn start(served: Served, key: String, stop: oneshot::Receiver<()>) -> Result<SocketAddr> {
    let (tell, told) = mpsc::sync_channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("local model".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let settings = Settings {
                address,
                api_key: Some(key),
                queue: 1024,
                body: 16 << 20,
                origins: Vec::new(),
                clients: Clients::default(),
                log: None,
            };
            let bound = bind(served, settings).and_then(|bound| Ok((bound.address()?, bound)));
            match bound {
                Ok((address, bound)) => {
                    tell.send(Ok(address)).ok();
                    let stopped = async { drop(stop.await) };
                    if let Err(error) = bound.run(stopped).await {
                        tracing::error!("the local model stopped: {error:#}");
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        });
    })?;
    told.recv().context("start the thread that answers")?
}

/// Keeps other users of the machine away from the port.
fn random_key() -> String {
    // Each state is seeded by the system's random numbers.
    (0..4_u8)
        .map(|number| format!("{:016x}", RandomState::new().hash_one(number)))
        .collect::<Vec<_>>()
        .concat()
}
