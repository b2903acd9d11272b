//! The only place that prints: results to standard output, the rest to standard error.

use std::io::Write;

/// One line (or several) of a result. A reader that has gone away (`| head`) is not an error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").ok();
}

/// A part of a result, shown at once.
pub(crate) fn say_part(text: &str) {
    let mut out = std::io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).ok();
}

/// A sentence about what is wrong or going on, with the program's name in front.
pub(crate) fn complain(text: &str) {
    writeln!(std::io::stderr().lock(), "dojo: {text}").ok();
}
