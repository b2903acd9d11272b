//! The only place that prints: results to standard output, the rest to standard error.
//!
//! What records, models and files hold may be meant for the terminal and not for its reader: sequences that set the
//! title, fill the clipboard or rewrite what stands above. So on a terminal every control character but line feed and
//! tab is shown as a sign, in whatever is printed. Files, pipes and `--json` get the text as it is.
//!
//! A result that can't be written is an error of the command; one that nobody reads any more ends it without a word.

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::Result;

use crate::domain::secret;
use crate::ui::widgets::visible::visible;

/// The reader of the results has gone away (`| head`): no error, but there is nothing left to do.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads the results any more")]
pub(crate) struct Gone;

/// A result that could not be written, on a full disk for one.
#[derive(Debug, thiserror::Error)]
#[error("write to standard output")]
pub(crate) struct Unwritten(#[source] std::io::Error);

/// One line (or several) of a result.
pub(crate) fn say(text: &str) -> Result<()> {
    say_as_it_is(&for_reader(text, std::io::stdout().is_terminal()))
}

/// A result as JSON. On a terminal, what steers it or can't be seen is spelt out within its texts, which stay what they are.
pub(crate) fn say_json(text: &str) -> Result<()> {
    say_as_it_is(&if std::io::stdout().is_terminal() { spelt_out(text) } else { Cow::Borrowed(text) })
}

/// JSON in which what steers a terminal or can't be seen is written as `\u....`: it stands within texts alone.
fn spelt_out(json: &str) -> Cow<'_, str> {
    if matches!(visible(json), Cow::Borrowed(_)) {
        return Cow::Borrowed(json);
    }
    let mut spelt = String::with_capacity(json.len() + 64);
    for letter in json.chars() {
        if matches!(visible(letter.encode_utf8(&mut [0; 4])), Cow::Borrowed(_)) {
            spelt.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            spelt.push_str(&format!("\\u{unit:04x}"));
        }
    }
    Cow::Owned(spelt)
}

/// A result as it is: text with colours of our own whose other parts went through [`visible`].
pub(crate) fn say_as_it_is(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    written(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// What a terminal is to obey: sequences of our own. Shown at once.
pub(crate) fn say_keys(sequence: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    written(write!(out, "{sequence}").and_then(|()| out.flush()))
}

/// Whether a write of results went well.
pub(crate) fn written(outcome: std::io::Result<()>) -> Result<()> {
    outcome.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Gone.into(),
        _ => Unwritten(error).into(),
    })
}

/// A result that comes in parts, each shown at once.
#[derive(Default)]
pub(crate) struct Parts {
    /// The last character that was shown: what comes next may belong to it.
    before: String,
    /// What may belong to a character that is still to come.
    held: String,
}

impl Parts {
    pub(crate) fn say(&mut self, part: &str) -> Result<()> {
        if !std::io::stdout().is_terminal() {
            return say_keys(part);
        }
        say_keys(&self.shown(part))
    }

    /// The end of the result, and of its line.
    pub(crate) fn end(mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.held);
        say(&rest)
    }

    /// A part as a terminal may be given it.
    pub(crate) fn shown(&mut self, part: &str) -> String {
        let text = std::mem::take(&mut self.held) + part;
        let whole = text.trim_end_matches(JOINER);
        text.get(whole.len()..).unwrap_or_default().clone_into(&mut self.held);
        let in_place = format!("{}{whole}", self.before);
        let shown = visible(&in_place);
        let shown = shown.strip_prefix(self.before.as_str()).unwrap_or(&shown).to_owned();
        if let Some(last) = whole.chars().next_back() {
            self.before = String::from(last);
            // What was shown by a sign is no part of what follows.
            if visible(&self.before) != self.before.as_str() {
                self.before.clear();
            }
        }
        shown
    }
}

/// Joins two characters into one; by itself it is shown by its number.
const JOINER: char = '\u{200d}';

/// A sentence about what is wrong or going on, with the program's name in front and without keys.
pub(crate) fn complain(text: &str) {
    let text = secret::clean(text);
    let text = for_reader(&text, std::io::stderr().is_terminal());
    writeln!(std::io::stderr().lock(), "dojo: {text}").ok();
}

fn for_reader(text: &str, terminal: bool) -> Cow<'_, str> {
    if terminal { visible(text) } else { Cow::Borrowed(text) }
}
