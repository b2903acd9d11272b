//! When the next request may start: requests and tokens a minute, pauses that an endpoint asks for, back-off after a
//! failure, and a breaker that stops asking an endpoint that is down. Pure: told the time, it never waits itself.

use std::time::Duration;

use crate::ground::hash::mix;
use crate::ground::random::STEP;

/// Spreads requests over time (a leaky bucket that lets a tenth of a minute's worth go at once).
#[derive(Debug, Clone)]
pub struct RequestPace {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    paused_until: Duration,
}

impl RequestPace {
    #[must_use]
    pub fn new(requests_per_minute: Option<u32>, tokens_per_minute: Option<u32>) -> Self {
        Self {
            requests: requests_per_minute.map(Bucket::per_minute),
            tokens: tokens_per_minute.map(Bucket::per_minute),
            paused_until: Duration::ZERO,
        }
    }

    /// Books a request of so many tokens; gives the moment at which it may start.
    pub fn book(&mut self, now: Duration, tokens: u64) -> Duration {
        let earliest = now.max(self.paused_until);
        let by_requests = self.requests.as_mut().map_or(earliest, |bucket| bucket.book(earliest, 1));
        let by_tokens = self.tokens.as_mut().map_or(earliest, |bucket| bucket.book(earliest, tokens));
        by_requests.max(by_tokens)
    }

    /// Nothing starts before this moment: the endpoint asked for it.
    pub fn pause_until(&mut self, moment: Duration) {
        self.paused_until = self.paused_until.max(moment);
    }

    /// The moment until which nothing starts.
    #[must_use]
    pub const fn paused_until(&self) -> Duration {
        self.paused_until
    }
}

#[derive(Debug, Clone)]
struct Bucket {
    /// Seconds that one unit takes.
    seconds_each: f64,
    /// When the bucket is empty again.
    free: Duration,
}

/// What may go at once: the units of so much time.
const BURST: Duration = Duration::from_secs(6);

impl Bucket {
    fn per_minute(units: u32) -> Self {
        Self { seconds_each: 60.0 / f64::from(units.max(1)), free: Duration::ZERO }
    }

    fn book(&mut self, now: Duration, units: u64) -> Duration {
        let start = now.max(self.free.saturating_sub(BURST));
        self.free = self.free.max(now) + Duration::from_secs_f64(self.seconds_each * units as f64);
        start
    }
}

/// How long to wait before the attempt after this one: doubling from half a second to a minute, of which between
/// half and all is waited. `salt` spreads requests that failed together.
#[must_use]
pub fn back_off(attempt: u32, salt: u64) -> Duration {
    const FIRST: f64 = 0.5;
    const LONGEST: f64 = 60.0;
    let whole = (FIRST * 2.0_f64.powi(attempt.min(16) as i32)).min(LONGEST);
    // A number in 0..1 that two attempts don't share.
    let mixed = mix(salt.wrapping_add(u64::from(attempt)).wrapping_mul(STEP));
    let jitter = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    Duration::from_secs_f64(whole * f64::midpoint(1.0, jitter))
}

/// Stops asking an endpoint that fails again and again, and tries it with one request from time to time.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    state: BreakerState,
    failures: u32,
    trips: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum BreakerState {
    #[default]
    Closed,
    Open {
        until: Duration,
    },
    /// One request is trying.
    Trying,
}

/// What a request may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// Ask again after so long.
    Wait(Duration),
    /// The endpoint was tried often enough.
    GiveUp,
}

/// Failures in a row that open the breaker.
pub const FAILURES_TO_OPEN: u32 = 5;
/// Times that it may open in a row before the job gives up: about ten minutes in all.
pub const TRIPS_TO_GIVE_UP: u32 = 6;
const FIRST_REST: Duration = Duration::from_secs(10);

impl Breaker {
    pub fn admit(&mut self, now: Duration) -> Admission {
        if self.trips >= TRIPS_TO_GIVE_UP {
            return Admission::GiveUp;
        }
        match self.state {
            BreakerState::Closed => Admission::Go,
            BreakerState::Open { until } if now < until => Admission::Wait(until.saturating_sub(now)),
            BreakerState::Open { .. } => {
                self.state = BreakerState::Trying;
                Admission::Go
            }
            BreakerState::Trying => Admission::Wait(Duration::from_secs(1)),
        }
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The endpoint failed: not the request's fault.
    pub fn failed(&mut self, now: Duration) {
        self.failures += 1;
        let opens = match self.state {
            BreakerState::Closed => self.failures >= FAILURES_TO_OPEN,
            BreakerState::Trying => true,
            // A request that started before it opened.
            BreakerState::Open { .. } => false,
        };
        if opens {
            self.state = BreakerState::Open { until: now + FIRST_REST * 2_u32.pow(self.trips.min(5)) };
            self.trips += 1;
        }
    }

    /// A request ended without telling anything about the endpoint (it was stopped).
    pub fn left(&mut self, now: Duration) {
        if self.state == BreakerState::Trying {
            self.state = BreakerState::Open { until: now };
        }
    }
}
