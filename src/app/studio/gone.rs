//! A terminal that is gone: its window was closed, or the connection to it was lost.
//!
//! Reading from such a terminal gives nothing, again and again, and the reader of keys (crossterm 0.29) would never come
//! back from that, so that even the signal that tells of it would not be heard.

use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::Notify;

/// How long the loop may take to end then.
const PATIENCE: Duration = Duration::from_secs(10);
/// The exit code of a process that ended by a hang-up.
const HUNG_UP: i32 = 129;

/// Starts a thread that waits for it. What is returned tells of it.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn watch() -> Result<Arc<Notify>> {
    let gone = Arc::new(Notify::new());
    let tell = Arc::clone(&gone);
    let work = move || {
        if wait() {
            if let Err(error) = quieten() {
                tracing::error!("{error:#}");
            }
            tell.notify_one();
            std::thread::park_timeout(PATIENCE);
            tracing::error!("the terminal is gone, and the program didn't end by itself");
            std::process::exit(HUNG_UP);
        }
    };
    std::thread::Builder::new().name("terminal".into()).spawn(work).context("start the terminal's thread")?;
    Ok(gone)
}

/// Waits until the terminal is gone; false where that can't be known.
fn wait() -> bool {
    loop {
        let input = std::io::stdin();
        // A hang-up is told even if nothing is asked for.
        let mut places = [PollFd::new(&input, PollFlags::empty())];
        match poll(&mut places, None) {
            Ok(_) => return places.iter().any(|place| place.revents().contains(PollFlags::HUP)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                tracing::warn!("the terminal can't be watched: {error}");
                return false;
            }
        }
    }
}

/// Puts something in the place of the standard input that stays open and never says anything.
fn quieten() -> Result<()> {
    let (silent, other) = UnixStream::pair().context("make a silent input")?;
    silent.set_nonblocking(true).context("make a silent input")?;
    // SAFETY: both are open; what the standard input was is closed by the system.
    let outcome = unsafe { libc::dup2(silent.as_raw_fd(), libc::STDIN_FILENO) };
    if outcome < 0 {
        return Err(std::io::Error::last_os_error()).context("replace the standard input");
    }
    // The other end stays open, or this one would end too.
    let _ = other.into_raw_fd();
    Ok(())
}
