//! `dojo bench data`: the Data pane on a real session, with the program's own parts: how long a key takes to the
//! screen, and how long the rows of a far place take to be there.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::headless::Headless;
use crate::config::Folders;
use crate::domain::protocol::data::{ViewCount, ViewId};
use crate::domain::session::SessionInfo;

/// The screen: columns and rows.
const SIZE: (u16, u16) = (200, 60);
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
    let mut studio = Headless::start(folders, Some(session), SIZE)?;
    studio.press("1")?;
    studio.wait_until(PATIENCE, |studio| studio.store().data.row(0).is_some())?;
    let mut times = PaneTimes { first_rows: start.elapsed(), ..PaneTimes::default() };
    studio.wait_until(PATIENCE, |studio| {
        matches!(studio.store().data.view.as_ref().map(|view| view.found), Some(ViewCount::All(_)))
    })?;
    let count = studio.store().data.count();
    for key in ["down", "pagedown", "up", "pageup"] {
        for _ in 0..SAMPLES {
            times.frames.push(studio.press(key)?);
            studio.take_in();
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
            times.frames.push(studio.press(key)?);
        }
        studio.wait_until(PATIENCE, |studio| studio.store().data.row(position).is_some())?;
        times.jumps.push(begun.elapsed());
    }
    for word in words {
        studio.press("f")?;
        let before = view(&studio);
        let begun = Instant::now();
        studio.paste(word);
        // Nothing found is an answer too.
        studio.wait_until(PATIENCE, |studio| {
            let data = &studio.store().data;
            view(studio) > before && (data.is_fresh(0) || data.count() == 0)
        })?;
        times.filters.push(begun.elapsed());
        studio.press("enter")?;
        let before = view(&studio);
        studio.press("esc")?;
        studio
            .wait_until(PATIENCE, |studio| view(studio) > before && studio.store().data.count() == count)?;
    }
    Ok(times)
}

/// The view that is known: a newer one compares as greater.
fn view(studio: &Headless) -> Option<ViewId> {
    studio.store().data.view.as_ref().map(|view| view.view)
}
