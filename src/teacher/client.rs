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
use super::budget::{Budget, Fit, Meter, Spending};
use super::cache::{self, AnswerCache};
use super::clock::Clock;
use super::error::AskError;
use super::key::ApiKey;
use super::pace::{Admission, Breaker, RequestPace, back_off};
use super::request::{Request, RequestHash, TeacherAnswer};
use super::send::{self, SendContext, SendOutcome, Trouble, TroubleKind};
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
    clock: Arc<dyn Clock>,
    slots: Semaphore,
    /// Told when a request has ended and its reservation is free.
    settled: Notify,
    shared: Mutex<ClientState>,
}

struct ClientState {
    pace: RequestPace,
    breaker: Breaker,
    meter: Meter,
    /// Whether the endpoint takes a JSON schema, as far as is known.
    schema: bool,
    /// Questions under way, so that equal ones wait for the first.
    under_way: HashMap<RequestHash, Arc<tokio::sync::Mutex<()>>>,
    troubles: BTreeMap<TroubleKind, u64>,
    last_trouble: Option<String>,
    other_models: BTreeMap<String, u64>,
}

/// Attempts of one request, by what went wrong; a lost connection is the breaker's matter.
const ATTEMPTS: u32 = 6;
const ATTEMPTS_TOO_FAST: u32 = 20;
/// Web pages in place of a first answer after which it isn't asked again.
const PAGES: u32 = 3;
/// How soon to look again for an answer that another process asks for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// A longer wait ends the job: it is better run again later.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

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
            pace: RequestPace::new(settings.requests_per_minute, settings.tokens_per_minute),
            breaker: Breaker::default(),
            meter: Meter::new(budget),
            schema: settings.json_schema,
            under_way: HashMap::new(),
            troubles: BTreeMap::new(),
            last_trouble: None,
            other_models: BTreeMap::new(),
        };
        let slots = Semaphore::new(settings.concurrency.clamp(1, 1024));
        let (settled, shared) = (Notify::new(), Mutex::new(shared));
        let place = settings.base_url.clone();
        Ok(Self { name, settings, place, key, http, cache, clock, slots, settled, shared })
    }

    /// Answers are kept under this name of the place instead of its address, which may change.
    #[must_use]
    pub fn known_as(mut self, place: String) -> Self {
        self.place = place;
        self
    }

    fn tally(&self) -> Account {
        let shared = self.shared();
        Account {
            spent: shared.meter.spent(),
            answers: shared.meter.answers,
            from_cache: shared.meter.from_cache,
            troubles: shared.troubles.iter().map(|(kind, count)| (kind.name(), *count)).collect(),
            last_trouble: shared.last_trouble.clone(),
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
            self.clock.wait(LOOK_AGAIN).await;
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
        let mut tried: BTreeMap<TroubleKind, u32> = BTreeMap::new();
        let mut last = String::new();
        loop {
            self.admitted(&last).await?;
            self.paced(request).await;
            let with_schema = self.shared().schema;
            let line = SendContext {
                teacher: &self.name,
                settings: &self.settings,
                key: self.key.as_ref(),
                http: &self.http,
                date: self.clock.date(),
            };
            let trying = Trying { teacher: self, done: false };
            let outcome = line.send(request, with_schema).await;
            trying.done();
            match outcome {
                SendOutcome::Answer(answer) => return self.keep(hash, answer),
                SendOutcome::NoSchema => {
                    let mut shared = self.shared();
                    shared.breaker.succeeded();
                    shared.schema = false;
                }
                SendOutcome::End(error) => {
                    self.shared().breaker.succeeded();
                    return Err(error);
                }
                SendOutcome::Again(trouble) => {
                    last.clone_from(&trouble.why);
                    let count = tried.entry(trouble.kind).or_default();
                    *count += 1;
                    self.after(&trouble, *count, hash).await?;
                }
            }
        }
    }

    fn keep(&self, hash: &RequestHash, mut answer: TeacherAnswer) -> Result<TeacherAnswer, AskError> {
        answer.cost = self.settings.cost(answer.prompt_tokens, answer.answer_tokens);
        let at = self.clock.date().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        self.cache.put(hash, &answer, at).map_err(|error| AskError::Cache(cache::trouble(error)))?;
        let mut shared = self.shared();
        shared.breaker.succeeded();
        shared.meter.answers += 1;
        if !is_same_model(&self.settings.model, &answer.model) {
            *shared.other_models.entry(answer.model.clone()).or_default() += 1;
        }
        Ok(answer)
    }

    /// Waits until the breaker lets a request through.
    async fn admitted(&self, last: &str) -> Result<(), AskError> {
        loop {
            let admission = self.shared().breaker.admit(self.clock.now());
            match admission {
                Admission::Go => return Ok(()),
                Admission::Wait(rest) => self.clock.wait(rest).await,
                Admission::GiveUp => {
                    let why = if last.is_empty() { "it failed again and again" } else { last }.to_owned();
                    return Err(AskError::Unreachable { teacher: self.name.clone(), why });
                }
            }
        }
    }

    async fn paced(&self, request: &Request) {
        let tokens = request.prompt_tokens() + u64::from(request.max_tokens);
        let now = self.clock.now();
        let mut start = self.shared().pace.book(now, tokens);
        // The endpoint may ask for a pause while this waits.
        loop {
            let now = self.clock.now();
            let moment = start.max(self.shared().pace.paused_until());
            if moment <= now {
                return;
            }
            self.clock.wait(moment.saturating_sub(now)).await;
            start = moment;
        }
    }

    /// Notes a trouble, and waits before the next attempt.
    async fn after(&self, trouble: &Trouble, count: u32, hash: &RequestHash) -> Result<(), AskError> {
        let teacher = || self.name.clone();
        let wait = trouble.wait.unwrap_or_else(|| back_off(count - 1, hash.salt()));
        {
            let now = self.clock.now();
            let mut shared = self.shared();
            *shared.troubles.entry(trouble.kind).or_default() += 1;
            shared.last_trouble = Some(trouble.why.clone());
            match trouble.kind {
                TroubleKind::TooFast | TroubleKind::NoChoice => shared.breaker.succeeded(),
                TroubleKind::NoConnection
                | TroubleKind::Hang
                | TroubleKind::Broken
                | TroubleKind::WebPage => {
                    shared.breaker.failed(now);
                }
            }
            if trouble.kind == TroubleKind::TooFast || trouble.wait.is_some() {
                shared.pace.pause_until(now + wait.min(LONGEST_WAIT));
            }
        }
        if wait > LONGEST_WAIT || (trouble.kind == TroubleKind::TooFast && count >= ATTEMPTS_TOO_FAST) {
            return Err(AskError::RateLimited { teacher: teacher(), wait });
        }
        let counted = !matches!(trouble.kind, TroubleKind::NoConnection | TroubleKind::TooFast);
        // A page and never an answer: the address is another program's, and asking on changes nothing.
        if trouble.kind == TroubleKind::WebPage && count >= PAGES && self.shared().meter.answers == 0 {
            return Err(AskError::Unreachable { teacher: teacher(), why: trouble.why.clone() });
        }
        if counted && count >= ATTEMPTS {
            return Err(AskError::Unusable { teacher: teacher(), why: trouble.why.clone() });
        }
        self.clock.wait(wait).await;
        Ok(())
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

/// A request on its way: one that is dropped must not leave the breaker waiting for its outcome.
struct Trying<'a> {
    teacher: &'a Teacher,
    done: bool,
}

impl Trying<'_> {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if !self.done {
            let now = self.teacher.clock.now();
            self.teacher.shared().breaker.left(now);
        }
    }
}
