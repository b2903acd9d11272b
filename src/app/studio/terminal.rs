//! The terminal: taken over on entry, given back on any exit: return, error, panic, signal, suspension.

use std::collections::BTreeSet;
use std::io::{BufWriter, Stdout, Write, stderr, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

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
use ratatui::style::Modifier;
use rustix::process::{Signal, getpgrp, getpid, getsid, kill_current_process_group, kill_process};

use crate::app::store::Store;
use crate::data::quiet::is_quiet;
use crate::ui::studio::Studio;
use crate::ui::widgets::uneven::write_whole;

/// A whole frame goes out in one write.
const FRAME_BYTES: usize = 1 << 16;

/// The screen while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: Mouse,
    /// Rows of the last frame that terminals may have drawn too wide.
    uneven: BTreeSet<u16>,
}

/// Whether clicks and scrolls come here or stay with the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    Ours,
    Terminals,
}

/// Who has the terminal. Locked while a frame is written, so that none is written after the terminal was given back.
static HOLDER: Mutex<Holder> = Mutex::new(Holder::Others);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// Before the beginning and after the end.
    Others,
    Us(Mouse),
    /// The shell, until SIGCONT.
    Stopped(Mouse),
    /// A program of ours: the person's own editor.
    Lent,
}

fn holder() -> MutexGuard<'static, Holder> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// Takes the terminal over, and sees to it that a panic of this thread gives it back before it is reported.
    /// Panics of other threads are only logged, as the screen is still in use; but for those of the reader of keys,
    /// which end the program.
    ///
    /// # Errors
    /// Where standard output is no terminal.
    pub fn enter(mouse: Mouse) -> Result<Self> {
        let own = std::thread::current().id();
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if is_quiet() {
                return;
            }
            let in_reader = panic
                .location()
                .is_some_and(|place| place.file().contains("crossterm") && place.file().contains("/event/"));
            if in_reader {
                // Without it no key comes any more, on whichever thread it is: what was typed is kept as drafts.
                tracing::error!("{panic}");
                abandon();
                let said = "dojo ended: the terminal sent something that can't be read; what was typed is kept as drafts\n";
                stderr().write_all(said.as_bytes()).ok();
                std::process::exit(1);
            } else if std::thread::current().id() == own {
                *holder() = Holder::Others;
                leave();
                report(panic);
            } else {
                tracing::error!("{panic}");
            }
        }));
        take(mouse)?;
        *holder() = Holder::Us(mouse);
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, stdout()));
        let terminal = Terminal::new(backend).context("read the size of the terminal")?;
        Ok(Self { terminal, mouse, uneven: BTreeSet::new() })
    }

    /// Draws what has changed, as one update if the terminal knows how. Nothing while the terminal is someone else's.
    pub(crate) fn draw(&mut self, studio: &mut Studio, store: &Store) -> Result<()> {
        let holder = holder();
        if !matches!(*holder, Holder::Us(_)) {
            return Ok(());
        }
        let mut frame = || -> std::io::Result<()> {
            queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
            let uneven = &mut self.uneven;
            self.terminal.draw(|frame| {
                let area = frame.area();
                let caret = studio.draw(frame.buffer_mut(), area, store);
                *uneven = write_whole(frame.buffer_mut(), uneven);
                let Some(caret) = caret else { return };
                // The terminal's own cursor is shown there: two would cancel each other.
                if let Some(cell) = frame.buffer_mut().cell_mut(caret) {
                    cell.modifier.remove(Modifier::REVERSED);
                }
                frame.set_cursor_position(caret);
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
        *holder() = Holder::Lent;
        leave();
        let outcome = other();
        take(self.mouse)?;
        *holder() = Holder::Us(self.mouse);
        self.forget()?;
        Ok(outcome)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A panic has given it back before its report: once more, and the cursor would go back above that.
        if std::mem::replace(&mut *holder(), Holder::Others) != Holder::Others {
            leave();
        }
    }
}

/// Who is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// This process alone: somebody sent it the signal.
    Own,
    /// The whole group: a `cargo run` above us has to stop too, or the shell never gets the terminal back.
    Group,
}

/// Whether the process could stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Yes,
    /// No shell is there that could ever let it go on.
    No,
}

/// Whether the terminal was taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Yes,
    No,
}

/// Back to the shell until it says `fg`: gives the terminal back, then stops. [`go_on`] takes it again.
///
/// # Errors
/// When the system refuses to stop it.
pub(crate) fn stop(whom: Whom) -> Result<Stopped> {
    // The group of the session's leader has no shell above it (`ssh host dojo`, a window of its own): nobody could
    // say `fg`, and the system itself would pass over SIGTSTP.
    if getsid(None).is_ok_and(|leader| leader == getpgrp()) {
        return Ok(Stopped::No);
    }
    let mut held = holder();
    if let Holder::Us(mouse) = *held {
        leave();
        *held = Holder::Stopped(mouse);
    }
    drop(held);
    // Not SIGTSTP, which is ours to heed.
    match whom {
        Whom::Own => kill_process(getpid(), Signal::STOP),
        Whom::Group => kill_current_process_group(Signal::STOP),
    }
    .context("stop the program")?;
    Ok(Stopped::Yes)
}

/// SIGCONT has come: takes the terminal again. After a stop that nobody could see coming (SIGSTOP), too.
///
/// # Errors
/// When the terminal can't be taken.
pub(crate) fn go_on() -> Result<Again> {
    let mut held = holder();
    match *held {
        Holder::Others | Holder::Lent => return Ok(Again::No),
        Holder::Us(mouse) => {
            leave();
            take(mouse)?;
        }
        Holder::Stopped(mouse) => {
            take(mouse)?;
            *held = Holder::Us(mouse);
        }
    }
    Ok(Again::Yes)
}

/// Gives the terminal back for good, also while a frame is being written: that one may never end.
pub(crate) fn abandon() {
    let held = match HOLDER.try_lock() {
        Ok(mut held) => std::mem::replace(&mut *held, Holder::Others),
        Err(TryLockError::Poisoned(held)) => *held.into_inner(),
        Err(TryLockError::WouldBlock) => Holder::Us(Mouse::Ours),
    };
    match held {
        Holder::Us(_) => leave(),
        Holder::Others | Holder::Stopped(_) | Holder::Lent => {}
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
