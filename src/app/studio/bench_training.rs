//! `dojo bench ui`: keys while a run trains beside the studio, in a process of its own as always.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::bench::{Figure, RECORDED, figure, quantile};
use super::headless::Headless;
use crate::app::sessions;
use crate::config::Folders;

/// The screen: columns and rows.
const SIZE: (u16, u16) = (200, 60);
/// How long keys are pressed while it trains.
const PRESSED: Duration = Duration::from_secs(10);
/// Between two keys: a person types no faster, and charts move in between.
const PAUSE: Duration = Duration::from_millis(20);
/// Longer than the model takes to load.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process that ends with this value.
struct Training(Child);

impl Drop for Training {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Trains the sample, in a folder of its own with the user's models, and presses keys as soon as steps are on the screen.
///
/// # Errors
/// Where the run can't be started or takes no step.
pub fn measure(user: &Folders, home: &Path) -> Result<Vec<Figure>> {
    let folders = Folders { cache: user.cache.clone(), ..Folders::under(home) };
    let session = sessions::open_sample(&folders, "first-principles")?;
    let run = session.path.join("runs").join("bench");
    let program = std::env::current_exe().context("find the program's own file")?;
    let child = Command::new(program)
        .args(["train", "--offline", "--set", "train.num_train_epochs=1000", "--run"])
        .arg(&run)
        .arg(session.path.join("recipes").join("sft.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("start dojo train")?;
    let _training = Training(child);
    let mut studio = Headless::start(&folders, Some(sessions::open(&session.path)?), SIZE)?;
    studio.press("3")?;
    let steps = |studio: &Headless| {
        let runs = studio.store().runs.all();
        runs.first().and_then(|run| run.state.as_ref()).map_or(0, |state| state.step)
    };
    studio.wait_until(PATIENCE, |studio| steps(studio) >= 2)?;
    let (begun, before) = (Instant::now(), steps(&studio));
    let (mut keys, mut events) = (Vec::new(), Vec::new());
    for name in RECORDED.split_whitespace().cycle() {
        if begun.elapsed() > PRESSED && steps(&studio) > before {
            break;
        }
        keys.push(studio.press(name)?);
        events.push(studio.take_in_for(PAUSE));
    }
    Ok(vec![
        figure("key to screen while a run trains, p99", quantile(&mut keys, 0.99), 50.0),
        figure("key to screen while a run trains, slowest", quantile(&mut keys, 1.0), 100.0),
        figure("one event taken in and drawn while a run trains, slowest", quantile(&mut events, 1.0), 100.0),
    ])
}
