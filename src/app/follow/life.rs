//! Whether there is still a process behind a run.
//!
//! Of a run on this machine the process itself is looked for: one that lives but is silent is suspended, if it holds the
//! run's lock. Of any other the heartbeat must go on. The clocks of two
//! machines may differ, so a heartbeat counts as fresh when it was *seen to change* lately; only at the first look
//! there is nothing but its own time.

use crate::app::runs::{self, STALE_SECONDS};
use crate::domain::run::{RunFolder, RunState};
use crate::domain::run_info::Life;

/// What the clocks of two machines may differ by.
const CLOCKS_DIFFER_SECONDS: f64 = 40.0;

/// The last heartbeat that was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pulse {
    /// As the run wrote it.
    beat: f64,
    /// By our own clock, when it was first seen to be that.
    seen: Option<f64>,
}

impl Pulse {
    /// At a time (seconds since 1970), seen from the machine called `host`.
    pub(super) fn life(&mut self, folder: &RunFolder, state: &RunState, now: f64, host: &str) -> Life {
        if !state.phase.is_live() {
            return Life::Sound;
        }
        let here = state.host == host;
        let seen = match self.seen {
            Some(seen) if state.heartbeat.to_bits() == self.beat.to_bits() => seen,
            // A changed heartbeat is alive now.
            Some(_) => now,
            None if here => state.heartbeat,
            None => state.heartbeat + CLOCKS_DIFFER_SECONDS,
        };
        *self = Self { beat: state.heartbeat, seen: Some(seen) };
        let silent = now - seen > STALE_SECONDS;
        let gone = runs::is_gone(state, silent, host) || runs::is_orphaned(folder, state, silent);
        if gone { Life::Gone } else { Life::Sound }
    }
}
