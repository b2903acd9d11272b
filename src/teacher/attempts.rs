//! Attempts at one endpoint, whatever is asked of it: when the next may start, what becomes of one that failed, and when
//! to give up. Knows no request and no answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::Clock;
use super::error::AskError;
use super::pace::{Admission, Breaker, RequestPace, back_off};
use super::send::{Trouble, TroubleKind};

/// Attempts of one request, by what went wrong; a lost connection is the breaker's matter.
const ATTEMPTS: u32 = 6;
const ATTEMPTS_TOO_FAST: u32 = 20;
/// Web pages in place of a first answer after which it isn't asked again.
const PAGES: u32 = 3;
/// A longer wait ends the work: it is better run again later.
pub(super) const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// An endpoint as all requests to it share it.
pub(super) struct EndpointLine {
    name: String,
    clock: Arc<dyn Clock>,
    state: Mutex<LineState>,
}

struct LineState {
    pace: RequestPace,
    breaker: Breaker,
    answers: u64,
    troubles: BTreeMap<TroubleKind, u64>,
    last_trouble: Option<String>,
}

/// What went wrong with one request so far.
#[derive(Default)]
pub(super) struct TriedAttempts {
    by_kind: BTreeMap<TroubleKind, u32>,
    last: String,
}

impl EndpointLine {
    pub(super) fn new(
        name: &str,
        clock: Arc<dyn Clock>,
        (requests_per_minute, tokens_per_minute): (Option<u32>, Option<u32>),
    ) -> Self {
        let state = LineState {
            pace: RequestPace::new(requests_per_minute, tokens_per_minute),
            breaker: Breaker::default(),
            answers: 0,
            troubles: BTreeMap::new(),
            last_trouble: None,
        };
        Self { name: name.to_owned(), clock, state: Mutex::new(state) }
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Waits until a request of so many tokens may start, and says so to the breaker: to be dropped when it has ended.
    ///
    /// # Errors
    /// Where the endpoint was tried often enough.
    pub(super) async fn start(
        &self,
        tokens: u64,
        tried: &TriedAttempts,
    ) -> Result<StartedAttempt<'_>, AskError> {
        self.admitted(&tried.last).await?;
        // From here on a request that is given up must not leave the breaker waiting for its outcome.
        let started = StartedAttempt { line: self, has_ended: false };
        self.paced(tokens).await;
        Ok(started)
    }

    /// An answer came.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.breaker.succeeded();
        state.answers += 1;
    }

    /// It refused the request, and is there.
    pub(super) fn refused(&self) {
        self.state().breaker.succeeded();
    }

    /// Notes a trouble, and waits before the next attempt. `salt` spreads requests that failed together.
    ///
    /// # Errors
    /// Where there is no use in a next one.
    pub(super) async fn failed(
        &self,
        trouble: Trouble,
        tried: &mut TriedAttempts,
        salt: u64,
    ) -> Result<(), AskError> {
        let Trouble { kind, why, wait: asked } = trouble;
        let count = tried.by_kind.entry(kind).or_default();
        *count += 1;
        let count = *count;
        tried.last.clone_from(&why);
        let wait = asked.unwrap_or_else(|| back_off(count - 1, salt));
        let answers = self.note(kind, &why, (wait, asked.is_some()));
        let teacher = || self.name.clone();
        if wait > LONGEST_WAIT || (kind == TroubleKind::TooFast && count >= ATTEMPTS_TOO_FAST) {
            return Err(AskError::RateLimited { teacher: teacher(), wait });
        }
        // A page and never an answer: the address is another program's, and asking on changes nothing.
        if kind == TroubleKind::WebPage && count >= PAGES && answers == 0 {
            return Err(AskError::Unreachable { teacher: teacher(), why });
        }
        let counted = !matches!(kind, TroubleKind::NoConnection | TroubleKind::TooFast);
        if counted && count >= ATTEMPTS {
            return Err(AskError::Unusable { teacher: teacher(), why });
        }
        self.clock.wait(wait).await;
        Ok(())
    }

    /// Gives how many answers there were.
    fn note(&self, kind: TroubleKind, why: &str, (wait, is_asked): (Duration, bool)) -> u64 {
        let now = self.clock.now();
        let mut state = self.state();
        *state.troubles.entry(kind).or_default() += 1;
        state.last_trouble = Some(why.to_owned());
        match kind {
            TroubleKind::TooFast | TroubleKind::NoChoice => state.breaker.succeeded(),
            TroubleKind::NoConnection | TroubleKind::Hang | TroubleKind::Broken | TroubleKind::WebPage => {
                state.breaker.failed(now);
            }
        }
        if kind == TroubleKind::TooFast || is_asked {
            state.pace.pause_until(now + wait.min(LONGEST_WAIT));
        }
        state.answers
    }

    /// Troubles by their kind, and the last one in words.
    pub(super) fn troubles(&self) -> (BTreeMap<TroubleKind, u64>, Option<String>) {
        let state = self.state();
        (state.troubles.clone(), state.last_trouble.clone())
    }

    /// Waits until the breaker lets a request through.
    async fn admitted(&self, last: &str) -> Result<(), AskError> {
        loop {
            let admission = self.state().breaker.admit(self.clock.now());
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

    async fn paced(&self, tokens: u64) {
        let now = self.clock.now();
        let mut start = self.state().pace.book(now, tokens);
        // The endpoint may ask for a pause while this waits.
        loop {
            let now = self.clock.now();
            let moment = start.max(self.state().pace.paused_until());
            if moment <= now {
                return;
            }
            self.clock.wait(moment.saturating_sub(now)).await;
            start = moment;
        }
    }

    fn state(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request on its way.
pub(super) struct StartedAttempt<'a> {
    line: &'a EndpointLine,
    has_ended: bool,
}

impl StartedAttempt<'_> {
    /// It came to an end, whichever: that is told to the line.
    pub(super) fn ended(mut self) {
        self.has_ended = true;
    }
}

impl Drop for StartedAttempt<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            let now = self.line.clock.now();
            self.line.state().breaker.left(now);
        }
    }
}
