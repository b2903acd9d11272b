//! Panics of others' programs and readers that are told of in a sentence: the report of a panic would say it once more.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread::Result;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Does what may panic, and says nothing of a panic: whoever gets it tells of it.
///
/// # Errors
/// The panic.
pub fn quietly<T>(work: impl FnOnce() -> T) -> Result<T> {
    keep_quiet();
    let before = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    done
}

/// Whether this thread does what is told of by others if it panics, so that a report of it is one too many.
pub fn is_quiet() -> bool {
    QUIET.get()
}

/// Sees to it that panics of quiet threads aren't reported.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                report(panic);
            }
        }));
    });
}
