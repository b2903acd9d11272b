//! Signals about the terminal: SIGTSTP and SIGCONT (away and back), SIGQUIT (end at once). A thread of its own obeys
//! them, so that they work while the loop is busy or hangs.

use std::sync::Arc;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGCONT, SIGQUIT, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::Notify;

use super::terminal::{self, Again, Whom};

/// Starts the thread. What is returned tells each time the terminal was taken again: all of it must be painted.
///
/// # Errors
/// When the system lets nobody listen.
pub(super) fn obey() -> Result<Arc<Notify>> {
    let mut signals = Signals::new([SIGTSTP, SIGCONT, SIGQUIT]).context("listen for signals")?;
    let taken = Arc::new(Notify::new());
    let tell = Arc::clone(&taken);
    let work = move || signals.forever().for_each(|signal| heed(signal, &tell));
    std::thread::Builder::new().name("signals".into()).spawn(work).context("start the thread for signals")?;
    Ok(taken)
}

fn heed(signal: i32, taken: &Notify) {
    let outcome = match signal {
        SIGTSTP => terminal::stop(Whom::Own).map(drop),
        SIGCONT => terminal::go_on().map(|again| {
            if again == Again::Yes {
                taken.notify_one();
            }
        }),
        _ => {
            terminal::abandon();
            emulate_default_handler(signal).context("end as SIGQUIT asks")
        }
    };
    if let Err(error) = outcome {
        tracing::error!("{error:#}");
    }
}
