//! What time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
#[must_use]
pub fn now() -> f64 {
    since_1970().as_secs_f64()
}

/// Milliseconds since 1970, as databases keep them.
#[must_use]
pub fn milliseconds() -> i64 {
    since_1970().as_millis() as i64
}

/// Whole seconds since 1970, as `OpenAI`'s API has them.
#[must_use]
pub fn seconds() -> u64 {
    since_1970().as_secs()
}

/// A clock before 1970 is one that nobody has set.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
