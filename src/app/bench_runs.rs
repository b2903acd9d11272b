//! How fast a long run opens and draws, and what it keeps in memory: the program's own follower, store and screen on a
//! run that is written for the purpose.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::follow::{Follower, NextLook};
use crate::app::store::Store;
use crate::domain::protocol::{Event, SystemEvent};
use crate::domain::run_info::{RunId, RunOrigin};
use crate::domain::settings::Settings;
use crate::ground::clock::now;
use crate::ui::keymap::Chord;
use crate::ui::studio::Studio;
use crate::ui::theme::{Depth, Theme};

/// Logged steps of the long run.
pub const STEPS: u64 = 1_000_000;
/// Metrics a step.
pub const METRICS: usize = 15;

/// The screen.
const SIZE: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };

/// One figure with its unit and the bound that it has to stay below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub below: f64,
}

/// Writes a run of [`STEPS`] into a folder, opens it as the studio does, and draws it while keys are pressed.
///
/// # Errors
/// Where the folder can't be written.
pub fn measure(folder: &Path) -> Result<Vec<Measured>> {
    let run = folder.join("long-0001");
    write_run(&run)?;
    let mut follower = Follower::new(vec![(RunOrigin::Global, folder.to_path_buf())]);
    let mut store = Store::default();
    let before = resident_bytes();
    let start = Instant::now();
    follower.watch(&[RunId::new(&run)], &mut |event| store.apply(Event::Runs(event)));
    let mut slowest: f64 = 0.0;
    loop {
        let pass = Instant::now();
        let pace = follower.pass(now(), &mut |event| store.apply(Event::Runs(event)));
        slowest = slowest.max(pass.elapsed().as_secs_f64() * 1e3);
        if pace != NextLook::Now {
            break;
        }
    }
    let open = start.elapsed().as_secs_f64();
    let mut frames = draw(&mut store)?;
    let after = resident_bytes();
    frames.sort_unstable_by(f64::total_cmp);
    let p99 = frames.get(frames.len() * 99 / 100).copied().unwrap_or_default();
    let figure = |name, value, unit, below| Measured { name, value, unit, below };
    Ok(vec![
        figure("a run of 1,000,000 logged steps opens", open, "s", 2.0),
        figure("slowest piece of it, reading and applying", slowest, "ms", 100.0),
        figure("a frame of its charts at 200x60 while keys are pressed, p99", p99, "ms", 16.0),
        figure("series of that run in memory", store.runs.bytes() as f64 / 1e6, "MB", 300.0),
        figure(
            "growth of the program's memory by opening it",
            after.saturating_sub(before) as f64 / 1e6,
            "MB",
            300.0,
        ),
    ])
}

/// Frame times in milliseconds over what people do with charts: smoothing, zoom, cursor, large, log.
fn draw(store: &mut Store) -> Result<Vec<f64>> {
    const KEYS: &str = "3 s s right right left w w + + L L H minus minus y o z . . z y o s s M esc esc d d d";
    store.apply(Event::System(SystemEvent::ClockTicked(now())));
    let (mut studio, _) = Studio::new(&Settings::default(), Theme::shipped(Depth::Full), Depth::Full);
    let mut frames = Vec::new();
    for name in KEYS.split_whitespace().cycle().take(600) {
        let chord = Chord::parse(name).map_err(anyhow::Error::msg)?;
        let start = Instant::now();
        studio.key(chord.event(), store);
        studio.refresh(store);
        let mut buffer = Buffer::empty(SIZE);
        studio.draw(&mut buffer, SIZE, store);
        frames.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(frames)
}

fn write_run(run: &Path) -> Result<()> {
    std::fs::create_dir_all(run).with_context(|| format!("create {}", run.display()))?;
    let recipe = run.join("recipe.toml");
    std::fs::write(&recipe, "method = \"sft\"\n").with_context(|| format!("write {}", recipe.display()))?;
    let path = run.join("metrics.jsonl");
    let file = std::fs::File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    for step in 1..=STEPS {
        write_line(&mut file, step).with_context(|| format!("write {}", path.display()))?;
    }
    file.flush().with_context(|| format!("write {}", path.display()))
}

/// As a trainer writes it: full digits.
fn write_line(file: &mut impl Write, step: u64) -> std::io::Result<()> {
    const NAMES: [&str; METRICS] = [
        "loss",
        "grad_norm",
        "learning_rate",
        "epoch",
        "num_tokens",
        "tokens_per_second",
        "memory_gb",
        "entropy",
        "mean_token_accuracy",
        "reward",
        "reward_std",
        "kl",
        "completions/mean_length",
        "completions/clipped_ratio",
        "frac_reward_zero_std",
    ];
    write!(file, "{{\"step\":{step}")?;
    for (at, name) in NAMES.iter().enumerate() {
        let wave = (step as f64 * 0.001 + at as f64).sin() + ((step * 7919 + at as u64) % 101) as f64 / 1e3;
        match *name {
            "num_tokens" => write!(file, ",\"{name}\":{}", step * 2048)?,
            "tokens_per_second" => write!(file, ",\"{name}\":{}", 270.0 + wave)?,
            _ => write!(file, ",\"{name}\":{}", 1.0 + wave)?,
        }
    }
    writeln!(file, "}}")
}

/// What this process holds; 0 where the system does not say.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
