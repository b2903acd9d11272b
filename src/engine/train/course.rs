//! How far a pass over a batch is, and whether it is to come to its end. Who wants it to end lives in another thread;
//! the pass asks before each of its parts, the largest of which takes moments.

use std::cell::Cell;

/// Asked with the share that is done, from 0 up, whether the pass goes on. Called by the thread that computes.
pub type GoOn<'a> = &'a (dyn Fn(f64) -> bool + Sync);

/// Of a pass that nobody ends.
pub const TO_THE_END: GoOn<'static> = &|_| true;

/// A pass on its way.
pub(super) struct Course<'a> {
    go_on: GoOn<'a>,
    done: Cell<f64>,
    /// What the part takes that is at work now.
    current: Cell<f64>,
    whole: f64,
}

impl<'a> Course<'a> {
    /// `whole` is what all parts together take, in any unit.
    pub(super) const fn new(go_on: GoOn<'a>, whole: f64) -> Self {
        Self { go_on, done: Cell::new(0.0), current: Cell::new(0.0), whole }
    }

    /// Begins a part that takes so much: nothing where the pass is to end.
    pub(super) fn enter(&self, takes: f64) -> Option<()> {
        self.done.set(self.done.get() + self.current.replace(takes));
        (self.go_on)((self.done.get() / self.whole).min(1.0)).then_some(())
    }
}

/// What the parts of a pass take, where a layer's forward pass takes 1: a backward pass is twice as much.
pub(super) const QUERIES: f64 = 0.3;
pub(super) const ATTENTION: f64 = 0.2;
pub(super) const FEED_FORWARD: f64 = 0.5;
pub(super) const FORWARD: f64 = QUERIES + ATTENTION + FEED_FORWARD;
pub(super) const BACKWARD: f64 = 2.0;
