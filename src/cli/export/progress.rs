//! How an export looks in a terminal: a bar with bytes; a line without one. Ctrl-C ends it, and nothing of it stays.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::print;
use crate::engine::export::ExportProgress;

pub(super) struct ExportBar {
    bar: Option<ProgressBar>,
    stopped: Arc<AtomicBool>,
}

impl ExportBar {
    /// Listens to signals from now on.
    pub(super) fn new() -> Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // A second one ends the program at once.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&stopped))
                .and_then(|_| flag::register(signal, Arc::clone(&stopped)))
                .context("listen to signals")?;
        }
        Ok(Self { bar: None, stopped })
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }
}

impl ExportProgress for ExportBar {
    fn begin(&mut self, what: &str, bytes: u64) {
        if !std::io::stderr().is_terminal() {
            print::complain(&format!("writing {what} ({})", HumanBytes(bytes)));
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        self.bar = Some(bar);
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn note(&mut self, text: &str) {
        self.end();
        print::complain(text);
    }

    fn go_on(&self) -> bool {
        !self.stopped.load(Ordering::Acquire)
    }
}

impl Drop for ExportBar {
    fn drop(&mut self) {
        self.end();
    }
}
