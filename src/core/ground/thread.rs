//! Threads with names, which the system's tools and the log show, and the ways to them.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
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

/// A queue into a thread of the studio. A person's keys fill it, and what follows from them; it has no bound, for the screen
/// waits for no thread and nothing that was typed is thrown away.
#[expect(clippy::disallowed_methods, reason = "bounded by how fast a person is")]
pub fn queue<T>() -> (Sender<T>, Receiver<T>) {
    channel()
}

/// Two ends that nothing is sent between: each learns when the other is gone.
pub fn tether() -> (SyncSender<()>, Receiver<()>) {
    sync_channel(0)
}
