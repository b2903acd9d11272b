//! A model that is fetched for a run: a stop ends that too, and how far it is belongs to the run's state.

use crate::domain::run::RunState;
use crate::engine::hub::PullProgress;
use crate::engine::train::host::Brake;

/// Tells another of the transfer, and asks the run whether it goes on.
pub(super) struct Fetching<'a> {
    inner: &'a mut dyn PullProgress,
    model: &'a str,
    doing: &'a mut (dyn FnMut(&str) -> Brake + Send),
    brake: Brake,
    done: u64,
    total: Option<u64>,
    /// Whether the total is that of all transfers.
    whole: bool,
}

impl<'a> Fetching<'a> {
    /// `doing` is told what begins, and gives back what can end it.
    pub(super) fn new(
        inner: &'a mut dyn PullProgress,
        model: &'a str,
        doing: &'a mut (dyn FnMut(&str) -> Brake + Send),
    ) -> Self {
        let brake = doing(&format!("opening the model {model}"));
        Self { inner, model, doing, brake, done: 0, total: None, whole: false }
    }

    fn say(&mut self, bytes: u64) {
        self.brake = (self.doing)(&RunState::fetching(self.model, bytes));
    }
}

impl PullProgress for Fetching<'_> {
    fn note(&mut self, text: &str) {
        self.inner.note(text);
    }

    fn whole(&mut self, bytes: u64) {
        (self.done, self.total, self.whole) = (0, Some(bytes), true);
        self.say(bytes);
        self.inner.whole(bytes);
    }

    fn begin(&mut self, what: &str, total: Option<u64>, already: u64) {
        if self.whole {
            self.done += already;
        } else {
            (self.done, self.total) = (already, total);
            if let Some(bytes) = total {
                self.say(bytes);
            }
        }
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
