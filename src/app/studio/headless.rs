//! The studio without a terminal: keys in, a picture of the screen out. It makes the pictures of the documents from
//! real sessions and real runs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::runtime::Runtime;

use super::First;
use super::inner::Core;
use crate::app::store::Store;
use crate::config::Folders;
use crate::domain::protocol::{Event, SystemEvent};
use crate::domain::session::SessionInfo;
use crate::ground::clock::now;
use crate::ui::keymap::Chord;
use crate::ui::pane::Effect;
use crate::ui::picture;
use crate::ui::theme::Depth;

/// A studio whose screen is in memory.
pub struct Headless {
    core: Core,
    buffer: Buffer,
    runtime: Runtime,
}

impl Headless {
    /// With all colours, on a screen of this size in columns and rows.
    ///
    /// # Errors
    /// Where settings or the log can't be read or written.
    pub fn start(
        folders: &Folders,
        session: Option<SessionInfo>,
        (columns, rows): (u16, u16),
    ) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .context("start the program's event loop")?;
        let mut core = Core::start(folders, Depth::Full);
        core.begin(session.map_or(First::Welcome, First::Session));
        Ok(Self { core, buffer: Buffer::empty(Rect::new(0, 0, columns, rows)), runtime })
    }

    /// Presses keys, parted by spaces, as settings write them.
    ///
    /// # Errors
    /// Where one is no key's name.
    pub fn keys(&mut self, keys: &str) -> Result<()> {
        keys.split_whitespace().try_for_each(|name| self.press(name).map(drop))
    }

    /// A key and the frame after it: how long both take.
    pub(super) fn press(&mut self, name: &str) -> Result<Duration> {
        let chord = Chord::parse(name).map_err(anyhow::Error::msg)?;
        let begun = Instant::now();
        let effects = self.core.studio.key(chord.event(), &self.core.store);
        self.carry_out(effects);
        self.draw();
        Ok(begun.elapsed())
    }

    pub(super) fn paste(&mut self, text: &str) {
        let effects = self.core.studio.paste(text, &self.core.store);
        self.carry_out(effects);
    }

    pub(super) const fn store(&self) -> &Store {
        &self.core.store
    }

    /// Takes in events until the screen holds this text.
    ///
    /// # Errors
    /// Where that takes longer than `patience`: with the screen as it is.
    pub fn wait_for(&mut self, text: &str, patience: Duration) -> Result<()> {
        self.wait_until(patience, |studio| studio.text().contains(text))
            .with_context(|| format!("'{text}' did not come onto the screen"))
    }

    /// Takes in events until something is so.
    ///
    /// # Errors
    /// As [`Headless::wait_for`].
    pub fn wait_until(&mut self, patience: Duration, so: impl Fn(&Self) -> bool) -> Result<()> {
        let until = Instant::now() + patience;
        loop {
            self.draw();
            if so(self) {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            let events = &mut self.core.events;
            let next = self.runtime.block_on(async { tokio::time::timeout(left, events.recv()).await });
            match next {
                Ok(Some(told)) => {
                    self.core.take(told);
                    // What else waits is taken in before the next frame, as on a real screen.
                    while let Ok(told) = self.core.events.try_recv() {
                        self.core.take(told);
                    }
                }
                Ok(None) | Err(_) => bail!("the screen stays as it is:\n{}", self.text()),
            }
        }
    }

    /// Takes in the events that wait, a frame after each: how long the slowest took. Nobody can type meanwhile.
    pub(super) fn take_in(&mut self) -> Duration {
        let mut slowest = Duration::ZERO;
        while let Ok(told) = self.core.events.try_recv() {
            let begun = Instant::now();
            self.core.take(told);
            self.draw();
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    }

    /// Takes in what comes within a time, a frame after each event: how long the slowest took.
    pub(super) fn take_in_for(&mut self, time: Duration) -> Duration {
        let (until, mut slowest) = (Instant::now() + time, Duration::ZERO);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let events = &mut self.core.events;
            let next = self.runtime.block_on(async { tokio::time::timeout(left, events.recv()).await });
            let Ok(Some(told)) = next else { return slowest };
            let begun = Instant::now();
            self.core.take(told);
            self.draw();
            slowest = slowest.max(begun.elapsed());
        }
    }

    /// The screen's text, the ends of lines trimmed.
    #[must_use]
    pub fn text(&self) -> String {
        let columns = usize::from(self.buffer.area.width).max(1);
        let line = |cells: &[ratatui::buffer::Cell]| {
            cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
        };
        self.buffer.content.chunks(columns).map(line).collect::<Vec<_>>().join("\n")
    }

    /// The screen as a picture.
    #[must_use]
    pub fn svg(&self) -> String {
        picture::svg(&self.buffer)
    }

    fn draw(&mut self) {
        let clock = SystemEvent::ClockTicked(now());
        self.core.store.apply(Event::System(clock));
        let effects = self.core.studio.refresh(&self.core.store);
        self.carry_out(effects);
        self.buffer.reset();
        let area = self.buffer.area;
        self.core.studio.draw(&mut self.buffer, area, &self.core.store);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(command) => self.core.worker.send(command),
                Effect::Notify(notice) => self.core.apply(Event::System(SystemEvent::Notified(notice))),
                // There is no terminal to do these to.
                Effect::Copy(_)
                | Effect::Show(_)
                | Effect::Ask(_)
                | Effect::Converse { .. }
                | Effect::EditOutside(_)
                | Effect::Redraw
                | Effect::Suspend
                | Effect::Quit => {}
            }
        }
    }
}
