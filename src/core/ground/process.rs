//! This machine's name, and whether a process on it lives.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

/// This machine's name, as run states record it.
#[must_use]
pub fn host_name() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}

/// Whether a process of this machine lives. One that has ended but was not yet collected does not.
#[must_use]
pub fn is_alive(process: u32) -> bool {
    let Some(id) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return false };
    // One of another user lives too.
    let exists = matches!(test_kill_process(id), Ok(()) | Err(Errno::PERM));
    exists && !is_zombie(process)
}

/// Linux says so in `/proc`; elsewhere the heartbeat has to tell.
fn is_zombie(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the state is the first field behind it.
    status.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// How a child ended; none if it took longer, and was killed. `looked` is told now and then how long it takes.
///
/// # Errors
/// Where the system can't say how it is.
#[expect(clippy::disallowed_methods, reason = "the end of a child can't be waited for with a limit")]
pub fn ended_within(
    child: &mut Child,
    patience: Duration,
    mut looked: impl FnMut(Duration),
) -> std::io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        looked(begun.elapsed());
        if begun.elapsed() >= patience {
            // It may have ended by itself at this moment.
            child.kill().ok();
            child.wait().ok();
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
