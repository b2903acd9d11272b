//! The terminal's input, key by key: nothing that is typed while an answer is written is lost or cut.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

/// A terminal whose lines are ours; as it was when this is dropped.
pub(super) struct Tty {
    input: File,
    before: Termios,
}

/// Whether Ctrl-C is a key or a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TtyMode {
    Editing,
    Answering,
}

impl Tty {
    pub(super) fn open() -> Result<Self> {
        let open = || -> std::io::Result<Self> {
            let own: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned()?;
            let before = tcgetattr(&own)?;
            Ok(Self { input: File::from(own), before })
        };
        open().context("look at the terminal")
    }

    pub(super) fn set(&self, mode: TtyMode) -> Result<()> {
        let mut modes = self.before.clone();
        // The driver cuts the lines that it makes at 4,095 bytes.
        modes.local_modes &= !(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
        modes.input_modes &= !(InputModes::ICRNL | InputModes::INLCR | InputModes::IXON);
        if mode == TtyMode::Editing {
            modes.local_modes &= !LocalModes::ISIG;
        }
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.input, OptionalActions::Now, &modes).context("set the terminal to single keys")
    }

    /// Whether there are bytes to read, or the end, within a time; a signal ends the wait.
    pub(super) fn is_ready(&self, within: Duration) -> Result<bool> {
        wait(&mut [PollFd::new(&self.input, PollFlags::IN)], within)
    }

    /// The bytes that are there; none at the terminal's end.
    pub(super) fn read(&mut self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; 64 << 10];
        match self.input.read(&mut bytes) {
            Ok(count) => {
                bytes.truncate(count);
                Ok(bytes)
            }
            // What a terminal says whose other side has gone.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(Vec::new()),
            Err(error) => Err(error).context("read keys from the terminal"),
        }
    }
}

/// Waits for one of several files, or for a time; a signal ends the wait.
pub(super) fn wait(wanted: &mut [PollFd<'_>], within: Duration) -> Result<bool> {
    let within = Timespec {
        tv_sec: i64::try_from(within.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: within.subsec_nanos().into(),
    };
    match poll(wanted, Some(&within)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error).context("wait for a key"),
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        tcsetattr(&self.input, OptionalActions::Now, &self.before).ok();
    }
}
