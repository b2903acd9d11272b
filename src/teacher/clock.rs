//! Time as the teachers see it, so that tests bring their own.

use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// Since some moment in the past; never goes back.
    fn now(&self) -> Duration;

    /// The calendar's time, for `Retry-After` dates.
    fn date(&self) -> SystemTime;

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The machine's clock.
pub struct MachineClock(Instant);

impl Default for MachineClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
