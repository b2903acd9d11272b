//! `dojo bench ui`: how fast the screen is, on recorded input, with the program's own parts.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::First;
use super::inner::Core;
use crate::app::sessions;
use crate::config::Folders;
use crate::ui::keymap::Chord;
use crate::ui::theme::Depth;

/// One figure with its unit and what the project asks for.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    /// The bound that it has to stay below.
    pub below: f64,
}

impl Figure {
    /// Whether the bound holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.value < self.below
    }
}

/// What a person pressed while looking around: every pane, help, palette, themes, log, and back.
pub(super) const RECORDED: &str = "1 2 3 4 5 6 down down up ? down down esc : q u i t esc f5 down down up esc f4 up down esc \
    f3 esc tab tab tab shift-tab 3 down up down up right left 6 end home 3";
/// How often the recording is played.
const ROUNDS: usize = 40;
/// The screen.
const SIZE: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };

/// Counts what would go to the terminal.
#[derive(Default)]
struct ByteCounter(u64);

impl Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Plays the recording on a sample session in a folder of its own.
///
/// # Errors
/// Where the sample can't be copied.
pub fn measure(folders: &Folders) -> Result<Vec<Figure>> {
    let session = sessions::open_sample(folders, "first-principles")?;
    let start = Instant::now();
    let mut core = Core::start(folders, Depth::Full);
    core.begin(First::Session(sessions::open(&session.path)?));
    let options = TerminalOptions { viewport: Viewport::Fixed(SIZE) };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(ByteCounter::default()), options)
        .context("make a screen in memory")?;
    paint(&mut terminal, &mut core)?;
    let first_paint = start.elapsed();
    let mut keys = Vec::new();
    for _ in 0..ROUNDS {
        for name in RECORDED.split_whitespace() {
            let chord = Chord::parse(name).map_err(anyhow::Error::msg)?;
            let start = Instant::now();
            core.studio.key(chord.event(), &core.store);
            paint(&mut terminal, &mut core)?;
            keys.push(start.elapsed());
            while let Ok(told) = core.events.try_recv() {
                core.take(told);
            }
        }
    }
    let mut frames = Vec::new();
    for _ in 0..200 {
        terminal.resize(SIZE).context("clear a screen in memory")?;
        let start = Instant::now();
        paint(&mut terminal, &mut core)?;
        frames.push(start.elapsed());
    }
    Ok(vec![
        figure("start to first paint (in the program, process start left out)", first_paint, 100.0),
        figure("key to screen at 200x60, median", quantile(&mut keys, 0.5), 50.0),
        figure("key to screen at 200x60, p99", quantile(&mut keys, 0.99), 50.0),
        figure("key to screen at 200x60, slowest", quantile(&mut keys, 1.0), 100.0),
        figure("whole frame at 200x60, p99", quantile(&mut frames, 0.99), 16.0),
    ])
}

fn paint(terminal: &mut Terminal<CrosstermBackend<ByteCounter>>, core: &mut Core) -> Result<()> {
    core.studio.refresh(&core.store);
    let (studio, store) = (&mut core.studio, &core.store);
    terminal
        .draw(|frame| {
            let area = frame.area();
            studio.draw(frame.buffer_mut(), area, store);
        })
        .context("draw on a screen in memory")?;
    Ok(())
}

pub(super) fn figure(name: &'static str, time: Duration, below: f64) -> Figure {
    Figure { name, value: time.as_secs_f64() * 1e3, unit: "ms", below }
}

pub(super) fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let position = (times.len().saturating_sub(1) as f64 * share).round() as usize;
    times.get(position).copied().unwrap_or_default()
}
