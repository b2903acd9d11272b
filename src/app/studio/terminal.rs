//! The terminal: taken over on entry, given back on any exit: return, error, panic, signal, suspension.

use std::io::{BufWriter, Stdout, Write, stdout};

use anyhow::{Context, Result};
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use crate::app::store::Store;
use crate::ui::studio::Studio;

/// A whole frame goes out in one write.
const FRAME_BYTES: usize = 1 << 16;

/// The screen while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: Mouse,
}

/// Whether clicks and scrolls come here or stay with the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    Ours,
    Terminals,
}

impl Screen {
    /// Takes the terminal over, and sees to it that a panic of this thread gives it back before it is reported.
    /// Panics of other threads are only logged: the screen is still in use.
    ///
    /// # Errors
    /// Where standard output is no terminal.
    pub fn enter(mouse: Mouse) -> Result<Self> {
        let own = std::thread::current().id();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() == own {
                leave();
                report(panic);
            } else {
                tracing::error!("{panic}");
            }
        }));
        take(mouse)?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, stdout()));
        let terminal = Terminal::new(backend).context("read the size of the terminal")?;
        Ok(Self { terminal, mouse })
    }

    /// Draws what has changed, as one update where the terminal knows how.
    pub(crate) fn draw(&mut self, studio: &mut Studio, store: &Store) -> Result<()> {
        let mut frame = || -> std::io::Result<()> {
            queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
            self.terminal.draw(|frame| {
                let area = frame.area();
                studio.draw(frame.buffer_mut(), area, store);
            })?;
            execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
        };
        frame().context("draw on the terminal")
    }

    /// Forgets what is on the screen, so that the next draw paints all of it.
    pub(crate) fn forget(&mut self) -> Result<()> {
        // Not `Terminal::clear`: it asks the terminal where the cursor is and reads the answer from the keyboard.
        let forget = |terminal: &mut Terminal<_>| -> std::io::Result<()> {
            let size = terminal.size()?;
            terminal.resize(Rect::from((Position::ORIGIN, size)))
        };
        forget(&mut self.terminal).context("clear the terminal")
    }

    /// Puts text on the clipboard of the person's own machine (OSC 52).
    pub(crate) fn copy(&mut self, text: &str) -> Result<()> {
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
            .context("copy to the clipboard")
    }

    /// Gives the terminal back while `other` uses it.
    pub(crate) fn lend<T>(&mut self, other: impl FnOnce() -> T) -> Result<T> {
        leave();
        let outcome = other();
        take(self.mouse)?;
        self.forget()?;
        Ok(outcome)
    }

    /// Back to the shell until it says `fg`.
    pub(crate) fn suspend(&mut self) -> Result<()> {
        leave();
        // The whole group: a `cargo run` above us has to stop too, or the shell never gets the terminal back.
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)
            .context("suspend the program")?;
        take(self.mouse)?;
        self.forget()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn take(mouse: Mouse) -> Result<()> {
    let take = || -> std::io::Result<()> {
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide, SetTitle("dojo"))?;
        match mouse {
            Mouse::Ours => execute!(stdout(), EnableMouseCapture),
            Mouse::Terminals => Ok(()),
        }
    };
    take().inspect_err(|_| leave()).context("take over the terminal")
}

/// Undoes [`take`], as much of it as the terminal still lets us: it may be gone.
fn leave() {
    let mut out = stdout();
    let undone = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    if let Err(error) = undone.and_then(|()| out.flush()).and_then(|()| disable_raw_mode()) {
        tracing::warn!("the terminal could not be restored: {error}");
    }
}
