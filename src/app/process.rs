//! Processes: whether one lives, starting one that outlives this, and the signals of this one.

use std::process::Command;

/// This machine's name, as run states record it.
#[must_use]
pub fn host_name() -> String {
    sysinfo::System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}

/// Whether a process of this machine lives. One that has ended but was not yet collected does not.
#[must_use]
pub fn is_alive(process: u32) -> bool {
    let Ok(id) = libc::pid_t::try_from(process) else { return false };
    // SAFETY: signal 0 sends nothing; the call only checks that the process exists.
    let answer = unsafe { libc::kill(id, 0) };
    let exists = answer == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    exists && !is_zombie(process)
}

/// Linux says so in `/proc`; elsewhere the heartbeat has to tell.
fn is_zombie(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold anything; the state is the first field behind it.
    status.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Makes the command's process the leader of a session of its own, without a terminal and deaf to its hang-up, so
/// that it outlives the terminal that started it.
pub fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: `setsid` and `signal` are safe to call between fork and exec, and nothing else is done there.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
}

/// Whether hang-ups are ignored, as in a detached process or under `nohup`.
#[must_use]
pub fn ignores_hang_up() -> bool {
    // SAFETY: all-zero is a valid `sigaction`, and the call with a null action only reads into it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGHUP, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    }
}

/// Has a write beyond the size that a file may have (`ulimit -f`) fail as any write may, where the system would end
/// the process without a word. What is started from here is asked by the system as before.
pub fn outlive_file_limit() {
    let unread = std::sync::Arc::default();
    if let Err(error) = signal_hook::flag::register(libc::SIGXFSZ, unread) {
        tracing::warn!("a file that grows beyond its limit will end the program: {error}");
    }
}
