//! What this process holds in memory.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Resident memory of this process in 10^9 bytes; 0 where the system doesn't say.
#[must_use]
pub fn resident_gb() -> f64 {
    resident_bytes() as f64 / 1e9
}

/// The most that this process ever held, in 10^9 bytes; 0 where the system doesn't say.
#[must_use]
pub fn peak_gb() -> f64 {
    #[cfg(unix)]
    {
        // SAFETY: all fields of `rusage` are integers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `usage` is a valid place to write to.
        if unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) } != 0 {
            return 0.0;
        }
        // Kilobytes, but for macOS, which counts bytes.
        let unit = if cfg!(target_os = "macos") { 1.0 } else { 1024.0 };
        usage.ru_maxrss as f64 * unit / 1e9
    }
    #[cfg(not(unix))]
    {
        0.0
    }
}

/// Bytes of memory that programs may still take; none if the system doesn't say.
#[must_use]
pub fn available_bytes() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    Some(system.available_memory()).filter(|&bytes| bytes > 0)
}

#[cfg(target_os = "linux")]
fn resident_bytes() -> u64 {
    // One small file; the general way below reads a dozen.
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    resident.map_or_else(asked_of_the_system, |pages| pages * page_bytes())
}

#[cfg(not(target_os = "linux"))]
fn resident_bytes() -> u64 {
    asked_of_the_system()
}

#[cfg(target_os = "linux")]
fn page_bytes() -> u64 {
    // SAFETY: `sysconf` only reads a constant of the system.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

fn asked_of_the_system() -> u64 {
    let own = Pid::from_u32(std::process::id());
    let what = ProcessRefreshKind::nothing().with_memory();
    let Ok(mut system) = System::new() else { return 0 };
    let _ = system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, what);
    system.process(own).map_or(0, sysinfo::Process::memory)
}

/// Bytes that new allocations can have, by the machine and by the limits of the container; `None` where the system
/// doesn't say.
#[must_use]
pub fn free_bytes() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let machine = system.available_memory();
    Some(system.cgroup_limits().map_or(machine, |limits| limits.free_memory.min(machine)))
}
