//! Processes: starting one that outlives this, and the signals of this one.

use std::process::Command;

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
