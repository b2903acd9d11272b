//! The studio as a program: the loop between keys, events and the screen.
//!
//! Input comes first; then at most [`EVENTS_PER_DRAW`] pending events; then one draw, at most thirty a second and only
//! when something has changed. Whatever takes time happens in the worker or in another process.

pub mod bench;
pub mod bench_chat;
pub mod bench_data;
pub mod bench_review;
pub mod bench_rows;
pub mod bench_training;
mod editor;
mod fitted;
mod gone;
pub mod headless;
mod inner;
mod logging;
mod machine;
mod preflight;
mod pull;
mod recipe_files;
mod runs;
mod signals;
pub mod terminal;
mod themes;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use crossterm::event::{Event as Input, EventStream, KeyEventKind, MouseEventKind};
use futures::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

use self::inner::Core;
use self::terminal::{Mouse, Screen, Stopped, Whom};
use crate::app::events::Envelope;
use crate::config::Folders;
use crate::domain::protocol::system::{Level, Machine, Notice};
use crate::domain::protocol::{Event, SystemEvent};
use crate::domain::session::SessionInfo;
use crate::ground::clock::now;
use crate::ui::pane::Effect;
use crate::ui::studio::Quitting;
use crate::ui::theme::Depth;

pub(crate) use self::logging::Clean;

const EVENTS_PER_DRAW: usize = 256;
/// Thirty frames a second.
const FRAME: Duration = Duration::from_millis(33);

/// What the studio begins with.
#[derive(Debug)]
pub enum First {
    Welcome,
    Session(SessionInfo),
    /// It was just made, and its data are asked for.
    NewSession(SessionInfo),
}

/// Runs the studio on this process's terminal until the person quits.
///
/// # Errors
/// Where the terminal can't be used, or settings can't be read.
pub fn run(folders: &Folders, first: First) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the program's event loop")?;
    runtime.block_on(async {
        // Before the screen is taken: a signal that came between would leave it as it is.
        let (signals, taken) = (Signals::new()?, signals::obey()?);
        let mut live = Live::start(folders, first)?;
        let gone = gone::watch()?;
        live.run(signals, &taken, &gone).await
    })
}

/// The machine, as the header shows it.
#[must_use]
pub fn machine() -> Machine {
    machine::read()
}

/// The loop's state: the studio and the terminal that shows it.
struct Live {
    core: Core,
    screen: Screen,
    /// When the last frame was drawn, and whether the screen is behind the store.
    drawn: Instant,
    behind: Behind,
    /// A text that waits for the person's own editor.
    outside: Option<String>,
    /// When the person asked to quit over something that was not on the disk yet.
    quitting: Option<Instant>,
}

/// How long the disk may take to keep what was typed before the person is asked about it.
const KEEPING: Duration = Duration::from_secs(1);

/// Whether what is on the screen is still true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Yes,
    No,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Quit,
}

impl Live {
    fn start(folders: &Folders, first: First) -> Result<Self> {
        let mut core = Core::start(folders, Depth::from_environment(|name| std::env::var(name).ok()));
        core.begin(first);
        let mouse = if core.store.settings.mouse { Mouse::Ours } else { Mouse::Terminals };
        let screen = Screen::enter(mouse)?;
        let mut live =
            Self { core, screen, drawn: Instant::now(), behind: Behind::Yes, outside: None, quitting: None };
        live.draw()?;
        Ok(live)
    }

    /// `taken` tells when the terminal was taken again after it was someone else's, `gone` when there is none any more.
    async fn run(&mut self, mut signals: Signals, taken: &Arc<Notify>, gone: &Arc<Notify>) -> Result<()> {
        let mut inputs = EventStream::new();
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            if self.has_kept_all() {
                return Ok(());
            }
            if self.behind == Behind::Yes && Instant::now() >= self.next_draw() {
                self.draw()?;
            }
            let flow = tokio::select! {
                biased;
                input = inputs.next() => match input {
                    Some(input) => self.input(input.context("read from the terminal")?)?,
                    None => Flow::Quit,
                },
                () = signals.quit() => self.keep()?,
                () = gone.notified() => self.keep()?,
                () = taken.notified() => self.paint_anew()?,
                () = tokio::time::sleep_until(self.next_draw()), if self.behind == Behind::Yes => Flow::On,
                Some(told) = self.core.events.recv() => self.take_events(told),
                _ = clock.tick() => self.tick(),
            };
            if flow == Flow::Quit {
                return Ok(());
            }
            if let Some(text) = self.outside.take() {
                // Two readers of one keyboard would share its keys.
                drop(inputs);
                forget_wake_up()?;
                self.edit_outside(&text)?;
                inputs = EventStream::new();
                // Ctrl-C over there was the editor's. The runtime has to hear of it before it can be forgotten.
                tokio::task::yield_now().await;
                signals.forget_interrupt()?;
            }
        }
    }

    /// Whether the person asked to quit a moment ago, and all that was typed is on the disk by now.
    fn has_kept_all(&mut self) -> bool {
        let may_end = match self.core.studio.quits() {
            Quitting::Keeping => self.quitting.get_or_insert_with(Instant::now).elapsed() < KEEPING,
            quits @ (Quitting::Asked | Quitting::No) => {
                self.quitting = None;
                quits == Quitting::Asked
            }
        };
        may_end && self.core.studio.has_kept_all(&self.core.store)
    }

    /// The question is not shown as long as it may answer itself.
    fn next_draw(&self) -> Instant {
        let next = self.drawn + FRAME;
        self.quitting.map_or(next, |asked| next.max(asked + KEEPING))
    }

    /// Gives the terminal to the person's own editor until it ends.
    fn edit_outside(&mut self, text: &str) -> Result<()> {
        let outcome = self.screen.lend(|| editor::edit(text))?;
        self.behind = Behind::Yes;
        let effects = match outcome {
            Ok(text) => self.core.studio.replace_text(text, &self.core.store),
            Err(error) => vec![Effect::Notify(Notice::new(Level::Error, format!("{error:#}")))],
        };
        self.carry_out(effects).map(|_| ())
    }

    /// Nobody can be asked any more: what is being written is kept.
    fn keep(&mut self) -> Result<Flow> {
        let effects = self.core.studio.keep(&self.core.store);
        self.carry_out(effects)?;
        Ok(Flow::Quit)
    }

    fn paint_anew(&mut self) -> Result<Flow> {
        self.screen.forget()?;
        self.behind = Behind::Yes;
        Ok(Flow::On)
    }

    fn suspend(&mut self) -> Result<()> {
        if terminal::stop(Whom::Group)? == Stopped::No {
            let text = "No shell is above this program that could bring it back: it stays.";
            self.core.apply(Event::System(SystemEvent::Notified(Notice::new(Level::Info, text))));
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<()> {
        let effects = self.core.studio.refresh(&self.core.store);
        self.carry_out(effects)?;
        self.screen.draw(&mut self.core.studio, &self.core.store)?;
        self.drawn = Instant::now();
        self.behind = Behind::No;
        Ok(())
    }

    fn input(&mut self, input: Input) -> Result<Flow> {
        let effects = match input {
            Input::Key(key) if key.kind != KeyEventKind::Release => {
                self.core.studio.key(key, &self.core.store)
            }
            Input::Mouse(mouse) if mouse.kind != MouseEventKind::Moved => {
                self.core.studio.mouse(mouse, &self.core.store)
            }
            Input::Paste(text) => self.core.studio.paste(&text, &self.core.store),
            Input::Resize(..) => Vec::new(),
            Input::Key(_) | Input::Mouse(_) | Input::FocusGained | Input::FocusLost => return Ok(Flow::On),
        };
        self.behind = Behind::Yes;
        self.carry_out(effects)
    }

    fn take_events(&mut self, first: Envelope) -> Flow {
        self.core.take(first);
        for _ in 1..EVENTS_PER_DRAW {
            let Ok(told) = self.core.events.try_recv() else { break };
            self.core.take(told);
        }
        self.behind = Behind::Yes;
        Flow::On
    }

    /// Once a second. Relative times may be ten seconds old; a toast goes when its time has come.
    fn tick(&mut self) -> Flow {
        let toasts = self.core.store.notices.toasts().len();
        let now = now();
        self.core.store.apply(Event::System(SystemEvent::ClockTicked(now)));
        let working = self.core.store.jobs.running().next().is_some();
        if working || toasts != self.core.store.notices.toasts().len() || (now as u64).is_multiple_of(10) {
            self.behind = Behind::Yes;
        }
        Flow::On
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<Flow> {
        for effect in effects {
            match effect {
                Effect::Send(command) => self.core.worker.send(command),
                Effect::Copy(text) => self.screen.copy(&text)?,
                Effect::Notify(notice) => self.core.apply(Event::System(SystemEvent::Notified(notice))),
                Effect::EditOutside(text) => self.outside = Some(text),
                Effect::Redraw => self.screen.forget()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit => return Ok(Flow::Quit),
                // The studio keeps these for itself.
                Effect::Show(_) | Effect::Ask(_) | Effect::Converse { .. } => {}
            }
        }
        Ok(Flow::On)
    }
}

/// Takes the wake-up that a dropped stream of keys leaves behind. Found together with the next key, it would take that
/// key's notification with it: the key would be seen only with the one after it.
fn forget_wake_up() -> Result<()> {
    crossterm::event::poll(Duration::ZERO).context("read from the terminal").map(drop)
}

/// The signals that end the program as `q` does.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("listen for signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    fn forget_interrupt(&mut self) -> Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        self.interrupt = signal(SignalKind::interrupt()).context("listen for signals")?;
        Ok(())
    }

    async fn quit(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
