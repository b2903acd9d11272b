//! Which threads the system lets go first: those that generate, before what is prepared beside them.

/// How far a thread goes behind others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// It gets a part of a busy machine.
    Somewhat,
    /// It gets what nobody else wants.
    All,
}

impl Behind {
    #[cfg(target_os = "linux")]
    const fn nice(self) -> i32 {
        match self {
            Self::Somewhat => 6,
            Self::All => 19,
        }
    }
}

/// A thread that others go before.
#[derive(Debug, Clone, Copy)]
pub struct Later {
    /// None if the system doesn't tell.
    #[cfg(target_os = "linux")]
    id: Option<rustix::process::Pid>,
}

impl Later {
    /// The calling thread, which goes behind others from now on.
    #[must_use]
    pub fn this(behind: Behind) -> Self {
        // Elsewhere a priority would be the whole program's.
        #[cfg(target_os = "linux")]
        let this = Self { id: own() };
        #[cfg(not(target_os = "linux"))]
        let this = Self {};
        this.go(behind);
        this
    }

    /// Puts it further behind, from whatever thread.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(clippy::unused_self, reason = "there are no threads' priorities")
    )]
    pub fn go(self, behind: Behind) {
        #[cfg(target_os = "linux")]
        self.id.map(|id| rustix::process::setpriority_process(Some(id), behind.nice()).ok());
        #[cfg(not(target_os = "linux"))]
        let _ = behind;
    }
}

/// `1234/task/1240`: the last of it is the calling thread's.
#[cfg(target_os = "linux")]
fn own() -> Option<rustix::process::Pid> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok().and_then(rustix::process::Pid::from_raw)
}
