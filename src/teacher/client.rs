//! A teacher behind an OpenAI-compatible endpoint: asks within the budget, at the pace that it allows, tries again
//! where that may help, and never pays for the same question twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{Notify, Semaphore};

pub use super::account::Account;
use super::account::is_same_model;
use super::attempts::{EndpointLine, LONGEST_WAIT, TriedAttempts};
use super::budget::{Budget, Fit, Meter, Spending};
use super::cache::{self, AnswerCache};
use super::clock::Clock;
use super::error::AskError;
use super::key::ApiKey;
use super::request::{Request, RequestHash, TeacherAnswer};
use super::send::{self, SendContext, SendOutcome};
use super::{Left, Speaker};
use crate::domain::teacher::TeacherSettings;

/// An outside model.
pub struct Teacher {
    name: String,
    settings: TeacherSettings,
    /// Where the answers are from, as the cache knows it.
    place: String,
    key: Option<ApiKey>,
    http: reqwest::Client,
    cache: Arc<AnswerCache>,
    line: EndpointLine,
    slots: Semaphore,
    /// Told when a request has ended and its reservation is free.
    settled: Notify,
    shared: Mutex<ClientState>,
}

struct ClientState {
    meter: Meter,
    /// Whether the endpoint takes a JSON schema, as far as is known.
    schema: bool,
    /// Questions under way, so that equal ones wait for the first.
    under_way: HashMap<RequestHash, Arc<tokio::sync::Mutex<()>>>,
    other_models: BTreeMap<String, u64>,
}

/// How soon to look again for an answer that another process asks for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Teacher {
    /// Opens a teacher; asks nothing yet.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(
        name: impl Into<String>,
        settings: TeacherSettings,
        key: Option<ApiKey>,
        cache: Arc<AnswerCache>,
        budget: Budget,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AskError> {
        let name = name.into();
        let http = send::http(settings.concurrency).map_err(|error| AskError::Unreachable {
            teacher: name.clone(),
            why: error.without_url().to_string(),
        })?;
        let shared = ClientState {
            meter: Meter::new(budget),
            schema: settings.json_schema,
            under_way: HashMap::new(),
            other_models: BTreeMap::new(),
        };
        let line =
            EndpointLine::new(&name, clock, (settings.requests_per_minute, settings.tokens_per_minute));
        let slots = Semaphore::new(settings.concurrency.clamp(1, 1024));
        let (settled, shared) = (Notify::new(), Mutex::new(shared));
        let place = settings.base_url.clone();
        Ok(Self { name, settings, place, key, http, cache, line, slots, settled, shared })
    }

    /// Answers are kept under this name of the place instead of its address, which may change.
    #[must_use]
    pub fn known_as(mut self, place: String) -> Self {
        self.place = place;
        self
    }

    fn tally(&self) -> Account {
        let (troubles, last_trouble) = self.line.troubles();
        let shared = self.shared();
        Account {
            spent: shared.meter.spent(),
            answers: shared.meter.answers,
            from_cache: shared.meter.from_cache,
            troubles: troubles.into_iter().map(|(kind, count)| (kind.name(), count)).collect(),
            last_trouble,
            other_models: shared.other_models.clone(),
        }
    }

    fn shared(&self) -> MutexGuard<'_, ClientState> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: &Request) -> Result<TeacherAnswer, AskError> {
        let hash = request.hash(&self.place, &self.settings.model);
        if let Some(answer) = self.kept(&hash)? {
            return answer.usable(&self.name);
        }
        let alone = Arc::clone(self.shared().under_way.entry(hash).or_default());
        let guard = alone.lock().await;
        let result = self.kept_or_paid(request, &hash).await;
        drop(guard);
        self.shared().under_way.remove(&hash);
        result.and_then(|answer| answer.usable(&self.name))
    }

    /// Asks unless another process that works on the session does: then its answer is waited for.
    async fn kept_or_paid(&self, request: &Request, hash: &RequestHash) -> Result<TeacherAnswer, AskError> {
        let mut waited = Duration::ZERO;
        loop {
            let claim = self.cache.claim(hash);
            // Looked for after the claim: whoever had it before may have been answered.
            if let Some(answer) = self.kept(hash)? {
                return Ok(answer);
            }
            if let Some(claim) = claim {
                let answer = self.pay(request, hash).await;
                drop(claim);
                return answer;
            }
            if waited > LONGEST_WAIT {
                return Err(AskError::Local(
                    "another process has asked the same for ten minutes and has no answer: end it, then run this again"
                        .to_owned(),
                ));
            }
            self.line.clock().wait(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }

    fn kept(&self, hash: &RequestHash) -> Result<Option<TeacherAnswer>, AskError> {
        let answer = self.cache.get(hash).map_err(|error| AskError::Cache(cache::trouble(error)))?;
        if answer.is_some() {
            self.shared().meter.from_cache += 1;
        }
        Ok(answer)
    }

    async fn pay(&self, request: &Request, hash: &RequestHash) -> Result<TeacherAnswer, AskError> {
        let mut reservation = self.reserve(request).await?;
        let slot = self.slots.acquire().await;
        let answer = self.attempts(request, hash).await?;
        reservation.cost = Spending {
            money: answer.cost,
            prompt_tokens: answer.prompt_tokens,
            answer_tokens: answer.answer_tokens,
        };
        drop(slot);
        Ok(answer)
    }

    async fn reserve(&self, request: &Request) -> Result<Reservation<'_>, AskError> {
        let most = self.most(request);
        loop {
            let settled = self.settled.notified();
            let fit = self.shared().meter.reserve(most);
            match fit {
                Fit::Reserved => return Ok(Reservation { teacher: self, most, cost: Spending::default() }),
                Fit::Later => settled.await,
                Fit::Never => return Err(AskError::BudgetReached(self.shared().meter.counted())),
            }
        }
    }

    /// The most that a request can cost.
    fn most(&self, request: &Request) -> Spending {
        let (prompt_tokens, answer_tokens) = (request.prompt_tokens(), u64::from(request.max_tokens));
        Spending { money: self.settings.cost(prompt_tokens, answer_tokens), prompt_tokens, answer_tokens }
    }

    async fn attempts(&self, request: &Request, hash: &RequestHash) -> Result<TeacherAnswer, AskError> {
        let mut tried = TriedAttempts::default();
        let tokens = request.prompt_tokens() + u64::from(request.max_tokens);
        loop {
            let started = self.line.start(tokens, &tried).await?;
            let with_schema = self.shared().schema;
            let sending = SendContext {
                teacher: &self.name,
                settings: &self.settings,
                key: self.key.as_ref(),
                http: &self.http,
                date: self.line.clock().date(),
            };
            let outcome = sending.send(request, with_schema).await;
            started.ended();
            match outcome {
                SendOutcome::Answer(answer) => return self.keep(hash, answer),
                SendOutcome::NoSchema => {
                    self.line.refused();
                    self.shared().schema = false;
                }
                SendOutcome::End(error) => {
                    self.line.refused();
                    return Err(error);
                }
                SendOutcome::Again(trouble) => self.line.failed(trouble, &mut tried, hash.salt()).await?,
            }
        }
    }

    fn keep(&self, hash: &RequestHash, mut answer: TeacherAnswer) -> Result<TeacherAnswer, AskError> {
        answer.cost = self.settings.cost(answer.prompt_tokens, answer.answer_tokens);
        let at =
            self.line.clock().date().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.cache.put(hash, &answer, at).map_err(|error| AskError::Cache(cache::trouble(error)))?;
        self.line.answered();
        let mut shared = self.shared();
        shared.meter.answers += 1;
        if !is_same_model(&self.settings.model, &answer.model) {
            *shared.other_models.entry(answer.model.clone()).or_default() += 1;
        }
        Ok(answer)
    }
}

impl Speaker for Teacher {
    fn name(&self) -> String {
        format!("{}:{}", self.name, self.settings.model)
    }

    fn at_once(&self) -> usize {
        self.settings.concurrency.max(1)
    }

    fn account(&self) -> Account {
        self.tally()
    }

    fn most(&self, request: &Request) -> Spending {
        Self::most(self, request)
    }

    fn carry_on(&self, job: &str) -> Result<(), AskError> {
        let before = self.cache.spent(job, &Speaker::name(self));
        let before = before.map_err(|error| AskError::Cache(cache::trouble(error)))?;
        self.shared().meter.carry_on(before);
        Ok(())
    }

    fn leave(&self, job: &str, left: Left) -> Result<(), AskError> {
        let to_carry_on = self.shared().meter.to_carry_on();
        let spent = match left {
            Left::Finished => Some(Spending::default()),
            Left::Unfinished => to_carry_on,
        };
        let Some(spent) = spent else { return Ok(()) };
        let kept = self.cache.keep_spent(job, &Speaker::name(self), spent);
        kept.map_err(|error| AskError::Cache(cache::trouble(error)))
    }

    fn ask<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<TeacherAnswer, AskError>> {
        self.answer(request).boxed()
    }
}

/// What is held for a request under way; given back when it ends, also when it is dropped.
struct Reservation<'a> {
    teacher: &'a Teacher,
    most: Spending,
    cost: Spending,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.teacher.shared().meter.settle(self.most, self.cost);
        self.teacher.settled.notify_waiters();
    }
}
