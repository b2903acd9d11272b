//! The only place that prints: results to standard output, the rest to standard error.
//!
//! What records, models and files hold may be meant for the terminal and not for its reader: sequences that set the
//! title, fill the clipboard or rewrite what stands above. So on a terminal every control character but line feed and
//! tab is shown as a sign, in whatever is printed. Files, pipes and `--json` get the text as it is.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use crate::ui::widgets::visible::visible;

/// One line (or several) of a result. A reader that has gone away (`| head`) is not an error.
pub(crate) fn say(text: &str) {
    let text = for_reader(text, std::io::stdout().is_terminal());
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

/// A part of a result, shown at once.
pub(crate) fn say_part(text: &str) {
    let text = for_reader(text, std::io::stdout().is_terminal());
    let mut out = std::io::stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).ok();
}

/// A result as it is: JSON, and text with colours of our own whose other parts went through [`visible`].
pub(crate) fn say_as_it_is(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}

/// A sentence about what is wrong or going on, with the program's name in front.
pub(crate) fn complain(text: &str) {
    let text = for_reader(text, std::io::stderr().is_terminal());
    writeln!(std::io::stderr().lock(), "dojo: {text}").ok();
}

fn for_reader(text: &str, terminal: bool) -> Cow<'_, str> {
    if terminal { visible(text) } else { Cow::Borrowed(text) }
}
