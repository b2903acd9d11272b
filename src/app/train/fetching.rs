//! A model that is fetched for a run: a stop ends that too, and how far it is belongs to the run's state.

use crate::engine::hub::Progress;
use crate::engine::train::host::Brake;

/// Tells another of the transfer, and asks the run whether it goes on.
pub(super) struct Fetching<'a> {
    inner: &'a mut dyn Progress,
    brake: Brake,
    done: u64,
    total: Option<u64>,
}

impl<'a> Fetching<'a> {
    pub(super) fn new(inner: &'a mut dyn Progress, brake: Brake) -> Self {
        Self { inner, brake, done: 0, total: None }
    }
}

impl Progress for Fetching<'_> {
    fn note(&mut self, text: &str) {
        self.inner.note(text);
    }

    fn begin(&mut self, what: &str, total: Option<u64>, already: u64) {
        (self.done, self.total) = (already, total);
        self.inner.begin(what, total, already);
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        self.inner.advance(bytes);
    }

    fn end(&mut self) {
        self.inner.end();
    }

    fn go_on(&self) -> bool {
        let share = self.total.filter(|total| *total > 0).map(|total| self.done as f64 / total as f64);
        (self.brake)(share.unwrap_or(f64::NAN)) && self.inner.go_on()
    }
}
