//! What is said in the corner of the screen. At most [`SHOWN`] at once; the log keeps all of them.

use crate::domain::protocol::system::{Level, Notice};

/// Toasts on the screen at once; a new one pushes the oldest out.
const SHOWN: usize = 4;

/// A notice and when it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Toast {
    pub notice: Notice,
    /// Seconds since 1970.
    pub until: f64,
}

/// Toasts, oldest first.
#[derive(Debug, Default)]
pub struct Notices {
    toasts: Vec<Toast>,
}

impl Notices {
    pub fn toasts(&self) -> &[Toast] {
        &self.toasts
    }

    /// The same thing said again only stays longer.
    pub(super) fn push(&mut self, notice: Notice, now: f64) {
        let seconds = match notice.level {
            Level::Info | Level::Good => 4.0,
            Level::Warning => 8.0,
            Level::Error => 15.0,
        };
        self.toasts.retain(|toast| toast.notice != notice);
        if self.toasts.len() == SHOWN {
            self.toasts.remove(0);
        }
        self.toasts.push(Toast { notice, until: now + seconds });
    }

    pub(super) fn expire(&mut self, now: f64) {
        self.toasts.retain(|toast| toast.until > now);
    }
}
