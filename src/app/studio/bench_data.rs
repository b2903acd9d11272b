//! `dojo bench data`: the Data pane on a real session, with the program's own parts: how long a key takes to the
//! screen, and how long the rows of a far place take to be there.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::inner::Core;
use crate::config::Folders;
use crate::domain::protocol::data::{Found, ViewId};
use crate::domain::session::SessionInfo;
use crate::ui::keymap::Chord;
use crate::ui::pane::Effect;
use crate::ui::theme::Depth;

/// The screen.
const SIZE: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };
/// Keys of each kind.
const SAMPLES: usize = 200;
/// An answer that takes longer is a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// Times of the pane.
#[derive(Debug, Clone, Default)]
pub struct PaneTimes {
    /// From nothing to the first rows on the screen; the process's own start left out.
    pub first_rows: Duration,
    /// A key and the frame that follows it, while scrolling and while jumping.
    pub frames: Vec<Duration>,
    /// From the key that jumps to the frame that shows the rows.
    pub jumps: Vec<Duration>,
    /// From a filter that is pasted to the frame that shows its first rows.
    pub filters: Vec<Duration>,
}

/// Scrolls, jumps and filters in a session.
///
/// # Errors
/// Where the session can't be opened, or an answer doesn't come.
pub fn measure(folders: &Folders, session: SessionInfo, words: &[&str]) -> Result<PaneTimes> {
    let start = Instant::now();
    let mut bench = Bench { core: Core::start(folders, Depth::Full)?, buffer: Buffer::empty(SIZE) };
    bench.core.begin(Some(session));
    bench.press("1")?;
    bench.until(|core| core.store.data.row(0).is_some())?;
    let mut times = PaneTimes { first_rows: start.elapsed(), ..PaneTimes::default() };
    bench
        .until(|core| matches!(core.store.data.view.as_ref().map(|view| view.found), Some(Found::All(_))))?;
    let count = bench.core.store.data.count();
    for key in ["down", "pagedown", "up", "pageup"] {
        for _ in 0..SAMPLES {
            times.frames.push(bench.press(key)?);
            bench.take();
        }
    }
    for sample in 0..SAMPLES {
        let position = sample * 7919 % SAMPLES * count / SAMPLES;
        let begun = Instant::now();
        let typed = format!(
            "g {} enter",
            (position + 1).to_string().chars().map(String::from).collect::<Vec<_>>().join(" ")
        );
        for key in typed.split_whitespace() {
            times.frames.push(bench.press(key)?);
        }
        bench.until(|core| core.store.data.row(position).is_some())?;
        times.jumps.push(begun.elapsed());
    }
    for word in words {
        bench.press("f")?;
        let before = bench.view();
        let begun = Instant::now();
        let effects = bench.core.studio.paste(word, &bench.core.store);
        bench.carry_out(effects);
        // Nothing found is an answer too.
        let shown = |core: &Core| core.store.data.is_fresh(0) || core.store.data.count() == 0;
        bench.until(|core| shows_another(core, before) && shown(core))?;
        times.filters.push(begun.elapsed());
        bench.press("enter")?;
        let before = bench.view();
        bench.press("esc")?;
        bench.until(|core| shows_another(core, before) && core.store.data.count() == count)?;
    }
    Ok(times)
}

/// Whether a newer view than this one is known.
fn shows_another(core: &Core, before: Option<ViewId>) -> bool {
    core.store.data.view.as_ref().map(|view| view.view) > before
}

struct Bench {
    core: Core,
    buffer: Buffer,
}

impl Bench {
    /// A key, and the frame after it.
    fn press(&mut self, name: &str) -> Result<Duration> {
        let chord = Chord::parse(name).map_err(anyhow::Error::msg)?;
        let begun = Instant::now();
        let effects = self.core.studio.key(chord.event(), &self.core.store);
        self.carry_out(effects);
        self.paint();
        Ok(begun.elapsed())
    }

    fn view(&self) -> Option<ViewId> {
        self.core.store.data.view.as_ref().map(|view| view.view)
    }

    fn paint(&mut self) {
        let effects = self.core.studio.refresh(&self.core.store);
        self.carry_out(effects);
        self.buffer.reset();
        self.core.studio.draw(&mut self.buffer, SIZE, &self.core.store);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(command) = effect {
                self.core.worker.send(command);
            }
        }
    }

    fn take(&mut self) {
        while let Ok(event) = self.core.events.try_recv() {
            self.core.apply(event);
        }
    }

    /// Takes in events and paints, until something is so.
    fn until(&mut self, so: impl Fn(&Core) -> bool) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.take();
            self.paint();
            if so(&self.core) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "the pane got no answer in a minute");
            let next = self.core.events.blocking_recv().context("the worker is gone")?;
            self.core.apply(next);
        }
    }
}
