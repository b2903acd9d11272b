//! The program's log: a file, and the log view. Nothing may be printed while the screen is ours.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;

use anyhow::Context;
use tracing::field::{Field, Visit};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context as Within, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::now;
use crate::app::events::Events;
use crate::app::forbidden;
use crate::config::Folders;
use crate::domain::protocol::system::{Level, LogLine};
use crate::domain::protocol::{Event, SystemEvent};
use crate::domain::secret;

/// In the data folder.
pub(super) const FILE: &str = "studio.log";

/// A log file above this size is put aside as `studio.log.old` at the start.
const LARGE: u64 = 4 << 20;

/// Starts logging to `studio.log` in the data folder and to the store. Where logging was started before in this
/// process, it stays as it is. Says in a sentence when there can be no file: then the log is what the log view holds.
pub(super) fn start(folders: &Folders, events: &Events) -> Option<String> {
    let path = folders.data.join(FILE);
    let open = || -> std::io::Result<std::fs::File> {
        std::fs::create_dir_all(&folders.data)?;
        if std::fs::metadata(&path).is_ok_and(|file| file.len() > LARGE) {
            std::fs::rename(&path, path.with_extension("log.old"))?;
        }
        OpenOptions::new().create(true).append(true).open(&path)
    };
    let opened =
        open().with_context(|| format!("the program's log is kept in no file: open {}", path.display()));
    let (file, complaint) = match opened {
        Ok(file) => (Some(file), None),
        Err(error) => (None, Some(forbidden::sentence(&error))),
    };
    let to_file = file
        .map(|file| tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(Clean(file))));
    let started = tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(to_file)
        .with(ToStore { events: events.clone() })
        .try_init();
    if let Err(error) = started {
        tracing::debug!("logging was started before: {error}");
    }
    complaint
}

/// A file without keys. The logger writes each line as a whole.
pub(crate) struct Clean<W>(pub W);

impl<W: Write> Write for Clean<W> {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(secret::clean(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Hands each line to the store. Never waits: a line that finds the queue full is in the file only.
struct ToStore {
    events: Events,
}

impl<S: tracing::Subscriber> Layer<S> for ToStore {
    fn on_event(&self, event: &tracing::Event<'_>, _within: Within<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warning,
            tracing::Level::INFO | tracing::Level::DEBUG | tracing::Level::TRACE => Level::Info,
        };
        let mut text = Text::default();
        event.record(&mut text);
        let line = LogLine { time: now(), level, text: secret::clean(&text.0) };
        self.events.offer(Event::System(SystemEvent::Logged(line)));
    }
}

/// The message, then the other fields as `name=value`.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let space = if self.0.is_empty() { "" } else { " " };
        let written = if field.name() == "message" {
            write!(self.0, "{space}{value:?}")
        } else {
            write!(self.0, "{space}{}={value:?}", field.name())
        };
        debug_assert!(written.is_ok(), "writing to a String can't fail");
    }
}
