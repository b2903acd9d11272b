//! Threads with names, which the system's tools and the log show.

use std::thread::{Builder, JoinHandle};

/// Starts a thread; a name of more than 15 bytes is cut by Linux. None, which the log tells, if the system has no room for
/// another one.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<JoinHandle<T>> {
    let started = Builder::new().name(name.to_owned()).spawn(work);
    started.inspect_err(|error| tracing::error!("the thread \"{name}\" can't be started: {error}")).ok()
}
