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

/// Nanoseconds since 1970, as what tells one moment from the next; their highest digits are cut off.
#[must_use]
pub fn nanoseconds() -> u64 {
    since_1970().as_nanos() as u64
}

/// A clock before 1970 is one that nobody has set.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What the processor has done for this thread so far: it stands still while the thread waits or the machine is busy.
#[must_use]
pub fn of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
